//! Fits a 1000-class head for VGG-16, whose own is in no package.
//!
//! Photos go through VGG-16's convolutions and through ResNet-50. Both end in a mean over places
//! and a linear layer, so that each place of the last map says its own part of the logits: ResNet's
//! 7 × 7 places are the teachers of VGG's, which are brought to 7 × 7 by averaging. One linear layer
//! from the 512 channels of a place to ResNet-50's centred logits there is found by ridge
//! regression, on several crops of each photo. From there it is taught some steps more (Hinton et al.
//! 2015): the softmax of a random part of the places should be ResNet-50's, without going far from
//! the regression.
//!
//! Some photos are held out by a seeded choice: on them the ridge, the scale of the logits, the number
//! of steps and how firmly the regression is held on to are chosen (least cross-entropy against the
//! labels) and the top-1 reported. The head that is written is then fitted on all photos with the
//! same numbers.
//!
//! ```text
//! cargo run --release --example fit_vgg_head -- PHOTOS VGG16.onnx RESNET50_FOLDER OUT.safetensors
//! ```
//!
//! PHOTOS holds pictures and `labels.tsv` (a header, then file, class index, name); without it the
//! top-1 is against ResNet-50. What the networks say is kept in the folder `--cache` names (130 MB a crop).

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};

use clap::Parser;
use convscope::image::{DecodedImage, Interpolation, Preprocess, image_paths};
use convscope::network::weights::{onnx, tfjs};
use convscope::network::{Network, zoo};
use convscope::rng::SplitMix64;
use image::RgbImage;
use tch::{Kind, Tensor};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Fits VGG-16's linear head to what ResNet-50 says.
#[derive(Parser)]
struct Arguments {
    /// A folder of photos, with `labels.tsv`.
    photos: PathBuf,
    /// The ONNX file with VGG-16's convolutions.
    vgg: PathBuf,
    /// The TensorFlow.js folder of ResNet-50.
    resnet: PathBuf,
    /// Where the head goes.
    out: PathBuf,
    /// Crops a photo: the centre, then random ones.
    #[arg(long, default_value_t = 4)]
    crops: u64,
    /// Photos held out.
    #[arg(long, default_value_t = 160)]
    held_out: usize,
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// A folder that keeps what the networks said between runs.
    #[arg(long, default_value = "output/fit_vgg_head")]
    cache: PathBuf,
}

/// SplitMix64, one number after the other.
struct Random {
    stream: SplitMix64,
    drawn: u64,
}

impl Random {
    fn new(seed: u64) -> Self {
        Random {
            stream: SplitMix64::new(seed),
            drawn: 0,
        }
    }

    fn next(&mut self) -> u64 {
        self.drawn += 1;
        self.stream.at(self.drawn)
    }

    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// Both networks' input: bicubic, less the means they were trained with, on a scale of 0 to 255.
fn preprocess(resize: u32) -> Preprocess {
    Preprocess {
        resize: Some(resize),
        crop: Some(224),
        interpolation: Interpolation::Bicubic,
        mean: [0.485_019_6, 0.457_956_9, 0.407_603_9],
        std: [1.0 / 255.0; 3],
    }
}

/// A square window, as wide as half to all of the short side; half of them are mirrored.
fn window(photo: &RgbImage, random: &mut Random) -> RgbImage {
    let (width, height) = photo.dimensions();
    let side = (f64::from(width.min(height)) * random.between(0.5, 1.0)).ceil() as u32;
    let mut from = |free: u32| random.between(0.0, f64::from(free) + 1.0) as u32;
    let (left, top) = (from(width - side), from(height - side));
    let cut = image::imageops::crop_imm(photo, left, top, side, side).to_image();
    match random.next() & 1 {
        0 => cut,
        _ => image::imageops::flip_horizontal(&cut),
    }
}

/// One crop of each photo, `[photos, 3, 224, 224]`.
fn input(paths: &[PathBuf], seeds: impl Iterator<Item = u64>, round: u64) -> Result<Tensor> {
    let mut inputs = Vec::new();
    for (path, seed) in paths.iter().zip(seeds) {
        let photo = DecodedImage::open(path)?.pixels;
        let (preprocess, seen) = match round {
            0 => (preprocess(256), photo),
            _ => (preprocess(224), window(&photo, &mut Random::new(seed))),
        };
        let planes = preprocess.normalise(&preprocess.view(&seen)?);
        inputs.push(Tensor::from_slice(&planes).reshape([3, 224, 224]));
    }
    // Height, width, colour is the order in memory that libtorch convolves fastest.
    let inputs = Tensor::stack(&inputs, 0).permute([0, 2, 3, 1]).contiguous();
    Ok(inputs.permute([0, 3, 1, 2]))
}

/// What the two networks say of each photo's 7 × 7 places, in one crop.
struct Round {
    /// `[photos, places, 512]`, float16.
    features: Tensor,
    /// `[photos, places, 1000]`, float16; their mean over places are the logits.
    logits: Tensor,
}

fn look(arguments: &Arguments, photos: &[PathBuf]) -> Result<Vec<Round>> {
    let options = zoo::Options {
        gap_head: true,
        classes: 1,
        ..zoo::Options::default()
    };
    let mut weights = onnx::vgg16_backbone(onnx::read(&arguments.vgg)?)?;
    let float = (Kind::Float, tch::Device::Cpu);
    weights.insert("head.weight".into(), Tensor::zeros([1, 512], float));
    weights.insert("head.bias".into(), Tensor::zeros([1], float));
    let vgg = Network::new(zoo::find("vgg16")?.graph(options), weights)?;
    let options = tfjs::resnet_options(zoo::Options::default());
    let weights = tfjs::keras_resnet(tfjs::read(&arguments.resnet)?)?;
    let (Some(weight), Some(bias)) = (weights.get("fc.weight"), weights.get("fc.bias")) else {
        return Err("ResNet-50 has no head".into());
    };
    let (weight, bias) = (weight.tr(), bias.shallow_clone());
    let resnet = Network::new(zoo::find("resnet50")?.graph(options), weights)?;
    let last_of_vgg = vgg.graph().require("features.29")?;
    let last_of_resnet = resnet.graph().require("layer4.2.relu_2")?;
    let by_place = |map: Tensor| map.flatten(2, 3).transpose(1, 2);

    std::fs::create_dir_all(&arguments.cache)?;
    let mut rounds = Vec::new();
    for round in 0..arguments.crops {
        let file = arguments
            .cache
            .join(format!("seed{}-crop{round}.safetensors", arguments.seed));
        if !file.exists() {
            let (mut features, mut logits) = (Vec::new(), Vec::new());
            for (batch, paths) in photos.chunks(8).enumerate() {
                let seeds =
                    (batch as u64 * 8..).map(|number| arguments.seed ^ (round << 32) ^ number);
                let input = input(paths, seeds, round)?;
                for map in vgg.forward(&input, &[last_of_vgg])?.into_values() {
                    let map = by_place(map.adaptive_avg_pool2d([7, 7]));
                    features.push(map.to_kind(Kind::Half));
                }
                for map in resnet.forward(&input, &[last_of_resnet])?.into_values() {
                    let parts = by_place(map).matmul(&weight) + &bias;
                    logits.push(parts.to_kind(Kind::Half));
                }
                eprintln!(
                    "crop {round}: {} of {}",
                    batch * 8 + paths.len(),
                    photos.len()
                );
            }
            let (features, logits) = (Tensor::cat(&features, 0), Tensor::cat(&logits, 0));
            Tensor::write_safetensors(&[("features", &features), ("logits", &logits)], &file)?;
        }
        let mut kept: BTreeMap<String, Tensor> =
            Tensor::read_safetensors(&file)?.into_iter().collect();
        let (Some(features), Some(logits)) = (kept.remove("features"), kept.remove("logits"))
        else {
            return Err(format!("{} is no cache of this program", file.display()).into());
        };
        rounds.push(Round { features, logits });
    }
    Ok(rounds)
}

/// The mean over places, float64: `[photos, channels]`.
fn over_places(parts: &Tensor) -> Tensor {
    parts
        .to_kind(Kind::Double)
        .mean_dim([1i64].as_slice(), false, Kind::Double)
}

/// What least squares needs to know of the samples, summed up.
struct Sums {
    count: f64,
    x: Tensor,
    y: Tensor,
    xx: Tensor,
    xy: Tensor,
}

impl Sums {
    /// Of every place of the photos numbered `photos`, in all rounds.
    fn of(rounds: &[Round], photos: &Tensor) -> Self {
        let double = (Kind::Double, tch::Device::Cpu);
        let mut sums = Sums {
            count: 0.0,
            x: Tensor::zeros([1, 512], double),
            y: Tensor::zeros([1, 1000], double),
            xx: Tensor::zeros([512, 512], double),
            xy: Tensor::zeros([512, 1000], double),
        };
        for round in rounds {
            let rows = |parts: &Tensor, channels: i64| {
                let parts = parts.index_select(0, photos).to_kind(Kind::Double);
                parts.reshape([-1, channels])
            };
            let (x, y) = (rows(&round.features, 512), rows(&round.logits, 1000));
            // A softmax does not see what all logits have in common.
            let y = &y - y.mean_dim([1i64].as_slice(), true, Kind::Double);
            sums.count += x.size()[0] as f64;
            sums.x += x.sum_dim_intlist([0i64].as_slice(), true, Kind::Double);
            sums.y += y.sum_dim_intlist([0i64].as_slice(), true, Kind::Double);
            sums.xx += x.tr().matmul(&x);
            sums.xy += x.tr().matmul(&y);
        }
        sums
    }

    /// The layer with the least squared error plus `ridge` (as a share of the channels' mean
    /// variance) times its squared weights.
    fn head(&self, ridge: f64) -> Head {
        let (x, y) = (&self.x / self.count, &self.y / self.count);
        let xx = &self.xx / self.count - x.tr().matmul(&x);
        let xy = &self.xy / self.count - x.tr().matmul(&y);
        let ridge = ridge * xx.diag(0).mean(Kind::Double).double_value(&[]);
        let ridge = Tensor::eye(512, (Kind::Double, tch::Device::Cpu)) * ridge;
        let weight = Tensor::linalg_solve(&(xx + ridge), &xy, true);
        Head {
            bias: (y - x.matmul(&weight)).squeeze(),
            weight: weight.tr().contiguous(),
        }
    }
}

/// A linear layer: `weight` `[classes, 512]`, `bias` `[classes]`.
struct Head {
    weight: Tensor,
    bias: Tensor,
}

impl Head {
    fn logits(&self, features: &Tensor) -> Tensor {
        features.matmul(&self.weight.tr()) + &self.bias
    }

    fn scaled(self, scale: f64) -> Self {
        Head {
            weight: self.weight * scale,
            bias: self.bias * scale,
        }
    }
}

/// `head` after `steps` of Adam towards ResNet-50's softmax, on `photos`. `pull` weighs the squared way
/// from where it began, as a share of its own square.
fn taught(head: &Head, rounds: &[Round], photos: &Tensor, steps: i64, pull: f64) -> Head {
    const BATCH: i64 = 128;
    tch::manual_seed(0);
    let float = |tensor: &Tensor| tensor.to_kind(Kind::Float);
    // The bias is one column more, whose input is always 1.
    let begin = Tensor::cat(&[float(&head.weight), float(&head.bias).unsqueeze(1)], 1);
    let rate = 0.02 * head.weight.std(false).double_value(&[]);
    let own_square = begin.square().sum(Kind::Float).double_value(&[]);
    let mut weight = begin.copy();
    let (mut first, mut second) = (begin.zeros_like(), begin.zeros_like());
    let places = rounds.first().map_or(0, |round| round.features.size()[1]);
    for step in 0..steps {
        let round = &rounds[step as usize % rounds.len()];
        let drawn = Tensor::randperm(photos.size()[0], (Kind::Int64, tch::Device::Cpu));
        let drawn = photos.index_select(0, &drawn.narrow(0, 0, BATCH.min(photos.size()[0])));
        let count = drawn.size()[0];
        // Which places count: a fifth to all of them, of each photo its own.
        let uniform = |shape: [i64; 2]| Tensor::rand(shape, (Kind::Float, tch::Device::Cpu));
        let share = uniform([count, 1]) * 0.8 + 0.2;
        let parts = uniform([count, places]).less_tensor(&share);
        let parts = parts.to_kind(Kind::Float) + 1e-3;
        let parts = &parts / parts.sum_dim_intlist([1i64].as_slice(), true, Kind::Float);
        let over = |values: &Tensor| {
            let chosen = float(&values.index_select(0, &drawn));
            parts.unsqueeze(1).bmm(&chosen).squeeze_dim(1)
        };
        let (x, wanted) = (over(&round.features), over(&round.logits));
        let x = Tensor::cat(
            &[x, Tensor::ones([count, 1], (Kind::Float, tch::Device::Cpu))],
            1,
        );
        let said = x.matmul(&weight.tr()).softmax(1, Kind::Float);
        let off = said - wanted.softmax(1, Kind::Float);
        let away = (&weight - &begin) * (2.0 * pull / own_square);
        let gradient = off.tr().matmul(&x) / count as f64 + away;
        first = first * 0.9 + &gradient * 0.1;
        second = second * 0.999 + gradient.square() * 0.001;
        let number = (step + 1) as i32;
        let mean = &first / (1.0 - 0.9f64.powi(number));
        let spread = (&second / (1.0 - 0.999f64.powi(number))).sqrt() + 1e-8;
        weight -= mean / spread * rate;
    }
    Head {
        bias: weight.select(1, 512).to_kind(Kind::Double),
        weight: weight.narrow(1, 0, 512).to_kind(Kind::Double).contiguous(),
    }
}

fn top1(logits: &Tensor, labels: &Tensor) -> f64 {
    let right = logits.argmax(1, false).eq_tensor(labels);
    right
        .to_kind(Kind::Double)
        .mean(Kind::Double)
        .double_value(&[])
}

/// The class of each photo from `labels.tsv`, if it is there.
fn labels(folder: &Path, photos: &[PathBuf]) -> Result<Option<Vec<i64>>> {
    let Ok(table) = std::fs::read_to_string(folder.join("labels.tsv")) else {
        return Ok(None);
    };
    let mut by_file = BTreeMap::new();
    for line in table.lines().skip(1) {
        let mut columns = line.split('\t');
        if let (Some(file), Some(index)) = (columns.next(), columns.next()) {
            by_file.insert(file, index.parse::<i64>()?);
        }
    }
    let of = |path: &PathBuf| {
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        let found = by_file.get(file.as_ref()).copied();
        found.ok_or_else(|| format!("labels.tsv has no line for {file}").into())
    };
    photos.iter().map(of).collect::<Result<_>>().map(Some)
}

/// The head as float16, with how it was made.
fn write(head: &Head, path: &Path, made: BTreeMap<String, String>) -> Result<()> {
    let bytes = |tensor: &Tensor| -> Result<Vec<u8>> {
        let numbers = Vec::<f32>::try_from(tensor.to_kind(Kind::Float).flatten(0, -1))?;
        let halves = numbers.iter().map(|&number| half::f16::from_f32(number));
        Ok(halves.flat_map(half::f16::to_le_bytes).collect())
    };
    let (weight, bias) = (bytes(&head.weight)?, bytes(&head.bias)?);
    let half = safetensors::Dtype::F16;
    let views = [
        (
            "head.bias",
            safetensors::tensor::TensorView::new(half, vec![1000], &bias)?,
        ),
        (
            "head.weight",
            safetensors::tensor::TensorView::new(half, vec![1000, 512], &weight)?,
        ),
    ];
    let file = safetensors::serialize(views, Some(made.into_iter().collect()))?;
    Ok(std::fs::write(path, file)?)
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let _guard = tch::no_grad_guard();
    let photos = image_paths(&arguments.photos)?;
    let rounds = look(&arguments, &photos)?;
    let Some(centre) = rounds.first() else {
        return Err("no crops, nothing to fit on".into());
    };
    let (features, logits) = (over_places(&centre.features), over_places(&centre.logits));
    let labels = match labels(&arguments.photos, &photos)? {
        Some(labels) => Tensor::from_slice(&labels),
        None => logits.argmax(1, false),
    };
    println!(
        "ResNet-50 on all {}: top-1 {:.3}",
        photos.len(),
        top1(&logits, &labels)
    );

    let mut order: Vec<i64> = (0..photos.len() as i64).collect();
    let mut random = Random::new(arguments.seed);
    for place in (1..order.len()).rev() {
        order.swap(place, (random.next() % (place as u64 + 1)) as usize);
    }
    let (held, used) = order.split_at(arguments.held_out.min(order.len() / 2));
    let (held, used) = (Tensor::from_slice(held), Tensor::from_slice(used));
    let held_labels = labels.index_select(0, &held);
    let held_features = features.index_select(0, &held);
    let sums = Sums::of(&rounds, &used);

    let mut best = (f64::INFINITY, 0.0, 0.0, 0.0);
    for step in 0..=16 {
        let ridge = 10f64.powf(-3.0 + 0.25 * f64::from(step));
        let raw = sums.head(ridge).logits(&held_features);
        let right = top1(&raw, &held_labels);
        for scale in (4..=40).map(|quarter| f64::from(quarter) * 0.25) {
            let loss = (&raw * scale)
                .cross_entropy_for_logits(&held_labels)
                .double_value(&[]);
            if loss < best.0 {
                best = (loss, ridge, scale, right);
            }
        }
        println!("ridge {ridge:.4}: held-out top-1 {right:.3}");
    }
    let (_, ridge, scale, right) = best;
    println!("regression: ridge {ridge:.4}, scale {scale}: held-out top-1 {right:.3}");
    let begin = sums.head(ridge).scaled(scale);
    let mut best = (best.0, 0, 1.0, right);
    for pull in [1.0, 3.0, 10.0] {
        for steps in [50, 100, 200, 400] {
            let said = taught(&begin, &rounds, &used, steps, pull).logits(&held_features);
            let loss = said
                .cross_entropy_for_logits(&held_labels)
                .double_value(&[]);
            let right = top1(&said, &held_labels);
            println!(
                "{steps} steps, pull {pull}: held-out top-1 {right:.3}, cross-entropy {loss:.3}"
            );
            if loss < best.0 {
                best = (loss, steps, pull, right);
            }
        }
    }
    let (loss, steps, pull, right) = best;
    let held_teacher = top1(&logits.index_select(0, &held), &held_labels);
    println!(
        "chosen: {steps} steps, pull {pull}: top-1 {right:.3} on {} photos held out, \
         cross-entropy {loss:.3}; ResNet-50 there: top-1 {held_teacher:.3}",
        held.size()[0]
    );
    let everyone = Tensor::cat(&[&held, &used], 0);
    let head = Sums::of(&rounds, &everyone).head(ridge).scaled(scale);
    let head = taught(&head, &rounds, &everyone, steps, pull);
    let made = BTreeMap::from([
        ("made by", "examples/fit_vgg_head.rs".to_owned()),
        ("photos", photos.len().to_string()),
        ("crops", arguments.crops.to_string()),
        ("seed", arguments.seed.to_string()),
        ("ridge", format!("{ridge:.6}")),
        ("scale", scale.to_string()),
        ("steps", steps.to_string()),
        ("pull", pull.to_string()),
        (
            "held out",
            format!(
                "top-1 {right:.4} on {} photos, fitted on the others",
                held.size()[0]
            ),
        ),
    ]);
    let made = made.into_iter().map(|(key, value)| (key.to_owned(), value));
    write(&head, &arguments.out, made.collect())
}
