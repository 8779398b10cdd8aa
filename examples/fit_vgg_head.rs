//! Fits the linear head of VGG-16 with 1000 classes that is part of convscope, because no package has the original one.
//!
//! Photos are evaluated by VGG-16's convolutions and by ResNet-50. ResNet-50 ends in a mean over spatial
//! positions and a linear layer, so each of its 7 × 7 positions has logits of its own. They are the targets for
//! VGG-16's positions, which are averaged to 7 × 7 as well. Ridge regression on several crops of each photo gives
//! a linear layer from the 512 channels of a position to ResNet-50's centred logits there. Some steps of
//! distillation follow (Hinton et al. 2015): the softmax over a random part of the positions should equal
//! ResNet-50's, with a penalty on the distance from the regression.
//!
//! A seeded choice of photos is held out. On them the ridge, the scale of the logits, the number of steps and the
//! penalty are chosen (least cross-entropy against the labels), and the top-1 accuracy is reported. The head that
//! is written is then fitted on all photos with the same settings.
//!
//! ```text
//! cargo run --release --example fit_vgg_head -- PHOTOS VGG16.onnx RESNET50_FOLDER OUT.safetensors
//! ```
//!
//! PHOTOS is a folder of photos with `labels.tsv` (a header, then file, class index, name); without that file the
//! accuracy is measured against ResNet-50. The outputs of the two networks are cached in the folder `--cache`
//! (130 MB a crop).

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

/// Fits a linear head of VGG-16 to ResNet-50's logits.
#[derive(Parser)]
struct FitArgs {
    /// A folder of photos, with `labels.tsv`.
    photos: PathBuf,
    /// The ONNX file with VGG-16's convolutions.
    vgg: PathBuf,
    /// The TensorFlow.js folder of ResNet-50.
    resnet: PathBuf,
    /// The file for the head.
    out: PathBuf,
    /// Number of crops per photo: the centre, then random ones.
    #[arg(long, default_value_t = 4)]
    crops: u64,
    /// Number of photos that are held out.
    #[arg(long, default_value_t = 160)]
    held_out: usize,
    /// Seed of the crops and of the held-out photos.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// The folder that caches the outputs of the networks.
    #[arg(long, default_value = "output/fit_vgg_head")]
    cache: PathBuf,
}

/// A sequential stream of SplitMix64.
struct RandomNumbers {
    stream: SplitMix64,
    drawn: u64,
}

impl RandomNumbers {
    fn new(seed: u64) -> Self {
        RandomNumbers {
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

/// The preprocessing of both networks: bicubic, values of 0 to 255 minus the means of the training.
fn preprocess(resize: u32) -> Preprocess {
    Preprocess {
        resize: Some(resize),
        crop: Some(224),
        interpolation: Interpolation::Bicubic,
        mean: vec![0.485_019_6, 0.457_956_9, 0.407_603_9],
        std: vec![1.0 / 255.0; 3],
    }
}

/// A random square crop, half to all of the short side wide; half of them are mirrored.
fn random_crop(photo: &RgbImage, random: &mut RandomNumbers) -> RgbImage {
    let (width, height) = photo.dimensions();
    let side = (f64::from(width.min(height)) * random.between(0.5, 1.0)).ceil() as u32;
    let mut from = |free: u32| random.between(0.0, f64::from(free) + 1.0) as u32;
    let (left, top) = (from(width - side), from(height - side));
    let cut = image::imageops::crop_imm(photo, left, top, side, side).to_image();
    if random.next() & 1 == 0 {
        cut
    } else {
        image::imageops::flip_horizontal(&cut)
    }
}

/// One crop of each photo, `[photos, 3, 224, 224]`.
fn crop_input(paths: &[PathBuf], seeds: impl Iterator<Item = u64>, crop: u64) -> Result<Tensor> {
    let mut inputs = Vec::new();
    for (path, seed) in paths.iter().zip(seeds) {
        let photo = DecodedImage::open(path)?.pixels;
        let (preprocess, pixels) = if crop == 0 {
            (preprocess(256), photo)
        } else {
            (
                preprocess(224),
                random_crop(&photo, &mut RandomNumbers::new(seed)),
            )
        };
        let planes = preprocess.normalise(&preprocess.view(&pixels)?);
        inputs.push(Tensor::from_slice(&planes).reshape([3, 224, 224]));
    }
    // Channels-last strides: libtorch convolves them fastest.
    let inputs = Tensor::stack(&inputs, 0).permute([0, 2, 3, 1]).contiguous();
    Ok(inputs.permute([0, 3, 1, 2]))
}

/// The outputs of the two networks at the 7 × 7 positions of each photo, for one crop.
struct CropOutputs {
    /// VGG-16's channels, `[photos, positions, 512]`, float16.
    features: Tensor,
    /// ResNet-50's logits by position, `[photos, positions, 1000]`, float16; their mean over positions is the network's
    /// logits.
    logits: Tensor,
}

/// VGG-16 without a head and ResNet-50, from their files.
fn load_networks(arguments: &FitArgs) -> Result<(Network, Network, Tensor, Tensor)> {
    let options = zoo::ArchOptions {
        gap_head: true,
        classes: 1,
        ..zoo::ArchOptions::default()
    };
    let mut weights = onnx::vgg16_backbone(onnx::read(&arguments.vgg)?)?;
    let float = (Kind::Float, tch::Device::Cpu);
    weights.insert("head.weight".into(), Tensor::zeros([1, 512], float));
    weights.insert("head.bias".into(), Tensor::zeros([1], float));
    let vgg = Network::new(zoo::find("vgg16")?.graph(options), weights)?;
    let options = tfjs::resnet_options(zoo::ArchOptions::default());
    let weights = tfjs::keras_resnet(tfjs::read(&arguments.resnet)?)?;
    let (Some(weight), Some(bias)) = (weights.get("fc.weight"), weights.get("fc.bias")) else {
        return Err("ResNet-50 has no head".into());
    };
    let (weight, bias) = (weight.tr(), bias.shallow_clone());
    let resnet = Network::new(zoo::find("resnet50")?.graph(options), weights)?;
    Ok((vgg, resnet, weight, bias))
}

/// The outputs of both networks for every crop, from the cache or computed.
fn evaluate_crops(arguments: &FitArgs, photos: &[PathBuf]) -> Result<Vec<CropOutputs>> {
    let (vgg, resnet, weight, bias) = load_networks(arguments)?;
    let last_of_vgg = vgg.graph().require("features.29")?;
    let last_of_resnet = resnet.graph().require("layer4.2.relu_2")?;
    let by_position = |map: Tensor| map.flatten(2, 3).transpose(1, 2);

    std::fs::create_dir_all(&arguments.cache)?;
    let mut crops = Vec::new();
    for crop in 0..arguments.crops {
        let file = arguments
            .cache
            .join(format!("seed{}-crop{crop}.safetensors", arguments.seed));
        if !file.exists() {
            let (mut features, mut logits) = (Vec::new(), Vec::new());
            for (batch, paths) in photos.chunks(8).enumerate() {
                let seeds =
                    (batch as u64 * 8..).map(|number| arguments.seed ^ (crop << 32) ^ number);
                let input = crop_input(paths, seeds, crop)?;
                for map in vgg.forward(&input, &[last_of_vgg])?.into_values() {
                    let map = by_position(map.adaptive_avg_pool2d([7, 7]));
                    features.push(map.to_kind(Kind::Half));
                }
                for map in resnet.forward(&input, &[last_of_resnet])?.into_values() {
                    let parts = by_position(map).matmul(&weight) + &bias;
                    logits.push(parts.to_kind(Kind::Half));
                }
                eprintln!(
                    "crop {crop}: {} of {}",
                    batch * 8 + paths.len(),
                    photos.len()
                );
            }
            let (features, logits) = (Tensor::cat(&features, 0), Tensor::cat(&logits, 0));
            Tensor::write_safetensors(&[("features", &features), ("logits", &logits)], &file)?;
        }
        let mut cached: BTreeMap<String, Tensor> =
            Tensor::read_safetensors(&file)?.into_iter().collect();
        let (Some(features), Some(logits)) = (cached.remove("features"), cached.remove("logits"))
        else {
            return Err(format!("{} lacks `features` or `logits`", file.display()).into());
        };
        crops.push(CropOutputs { features, logits });
    }
    Ok(crops)
}

/// The mean over positions, float64: `[photos, channels]`.
fn position_mean(values: &Tensor) -> Tensor {
    values
        .to_kind(Kind::Double)
        .mean_dim([1i64].as_slice(), false, Kind::Double)
}

/// The sums over all samples from which the least-squares fit is computed.
struct Moments {
    count: f64,
    x: Tensor,
    y: Tensor,
    xx: Tensor,
    xy: Tensor,
}

impl Moments {
    /// Sums over every position of the photos with the indices `photos`, in all crops.
    fn sum(crops: &[CropOutputs], photos: &Tensor) -> Self {
        let double = (Kind::Double, tch::Device::Cpu);
        let mut sums = Moments {
            count: 0.0,
            x: Tensor::zeros([1, 512], double),
            y: Tensor::zeros([1, 1000], double),
            xx: Tensor::zeros([512, 512], double),
            xy: Tensor::zeros([512, 1000], double),
        };
        for crop in crops {
            let rows = |values: &Tensor, channels: i64| {
                let values = values.index_select(0, photos).to_kind(Kind::Double);
                values.reshape([-1, channels])
            };
            let (x, y) = (rows(&crop.features, 512), rows(&crop.logits, 1000));
            // The softmax doesn't depend on the mean of the logits.
            let y = &y - y.mean_dim([1i64].as_slice(), true, Kind::Double);
            sums.count += x.size()[0] as f64;
            sums.x += x.sum_dim_intlist([0i64].as_slice(), true, Kind::Double);
            sums.y += y.sum_dim_intlist([0i64].as_slice(), true, Kind::Double);
            sums.xx += x.tr().matmul(&x);
            sums.xy += x.tr().matmul(&y);
        }
        sums
    }

    /// Ridge regression: the layer with the least squared error plus `ridge` (relative to the channels' mean
    /// variance) times its squared weights.
    fn fit_head(&self, ridge: f64) -> LinearHead {
        let (x, y) = (&self.x / self.count, &self.y / self.count);
        let xx = &self.xx / self.count - x.tr().matmul(&x);
        let xy = &self.xy / self.count - x.tr().matmul(&y);
        let ridge = ridge * xx.diag(0).mean(Kind::Double).double_value(&[]);
        let ridge = Tensor::eye(512, (Kind::Double, tch::Device::Cpu)) * ridge;
        let weight = Tensor::linalg_solve(&(xx + ridge), &xy, true);
        LinearHead {
            bias: (y - x.matmul(&weight)).squeeze(),
            weight: weight.tr().contiguous(),
        }
    }
}

/// A linear layer: `weight` `[classes, 512]`, `bias` `[classes]`.
struct LinearHead {
    weight: Tensor,
    bias: Tensor,
}

impl LinearHead {
    fn logits(&self, features: &Tensor) -> Tensor {
        features.matmul(&self.weight.tr()) + &self.bias
    }

    fn scaled(self, scale: f64) -> Self {
        LinearHead {
            weight: self.weight * scale,
            bias: self.bias * scale,
        }
    }
}

/// `head` after `steps` steps of Adam on the cross-entropy with ResNet-50's softmax, on `photos`. `penalty`
/// is the weight of the squared distance from `head`, relative to the square of `head`.
fn distil(
    head: &LinearHead,
    crops: &[CropOutputs],
    photos: &Tensor,
    steps: i64,
    penalty: f64,
) -> LinearHead {
    const BATCH: i64 = 128;
    tch::manual_seed(0);
    let float = |tensor: &Tensor| tensor.to_kind(Kind::Float);
    // The bias is a further column, whose input is always 1.
    let start = Tensor::cat(&[float(&head.weight), float(&head.bias).unsqueeze(1)], 1);
    let rate = 0.02 * head.weight.std(false).double_value(&[]);
    let start_square = start.square().sum(Kind::Float).double_value(&[]);
    let mut weight = start.copy();
    let (mut first, mut second) = (start.zeros_like(), start.zeros_like());
    let positions = crops.first().map_or(0, |crop| crop.features.size()[1]);
    for step in 0..steps {
        let crop = &crops[step as usize % crops.len()];
        let drawn = Tensor::randperm(photos.size()[0], (Kind::Int64, tch::Device::Cpu));
        let drawn = photos.index_select(0, &drawn.narrow(0, 0, BATCH.min(photos.size()[0])));
        let count = drawn.size()[0];
        // A random fifth to all of the positions, drawn for each photo.
        let uniform = |shape: [i64; 2]| Tensor::rand(shape, (Kind::Float, tch::Device::Cpu));
        let share = uniform([count, 1]) * 0.8 + 0.2;
        let mask = uniform([count, positions]).less_tensor(&share);
        let mask = mask.to_kind(Kind::Float) + 1e-3;
        let mask = &mask / mask.sum_dim_intlist([1i64].as_slice(), true, Kind::Float);
        let masked_mean = |values: &Tensor| {
            let chosen = float(&values.index_select(0, &drawn));
            mask.unsqueeze(1).bmm(&chosen).squeeze_dim(1)
        };
        let (x, target) = (masked_mean(&crop.features), masked_mean(&crop.logits));
        let x = Tensor::cat(
            &[x, Tensor::ones([count, 1], (Kind::Float, tch::Device::Cpu))],
            1,
        );
        let predicted = x.matmul(&weight.tr()).softmax(1, Kind::Float);
        let error = predicted - target.softmax(1, Kind::Float);
        let distance = (&weight - &start) * (2.0 * penalty / start_square);
        let gradient = error.tr().matmul(&x) / count as f64 + distance;
        first = first * 0.9 + &gradient * 0.1;
        second = second * 0.999 + gradient.square() * 0.001;
        let number = (step + 1) as i32;
        let mean = &first / (1.0 - 0.9f64.powi(number));
        let spread = (&second / (1.0 - 0.999f64.powi(number))).sqrt() + 1e-8;
        weight -= mean / spread * rate;
    }
    LinearHead {
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

/// The class of each photo from `labels.tsv`, if that file exists.
fn read_labels(folder: &Path, photos: &[PathBuf]) -> Result<Option<Vec<i64>>> {
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
    let label = |path: &PathBuf| {
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        let found = by_file.get(file.as_ref()).copied();
        found.ok_or_else(|| format!("labels.tsv has no line for {file}").into())
    };
    photos.iter().map(label).collect::<Result<_>>().map(Some)
}

/// Writes the head in float16, with `metadata` that says how it was fitted.
fn write_head(head: &LinearHead, path: &Path, metadata: BTreeMap<String, String>) -> Result<()> {
    let bytes = |tensor: &Tensor| -> Result<Vec<u8>> {
        let values = Vec::<f32>::try_from(tensor.to_kind(Kind::Float).flatten(0, -1))?;
        let halves = values.iter().map(|&value| half::f16::from_f32(value));
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
    let file = safetensors::serialize(views, Some(metadata.into_iter().collect()))?;
    Ok(std::fs::write(path, file)?)
}

/// The held-out photos, and the settings that they are scored on.
struct HeldOut {
    /// VGG-16's features, `[photos, 512]`.
    features: Tensor,
    /// The classes, `[photos]`.
    labels: Tensor,
}

impl HeldOut {
    fn accuracy(&self, logits: &Tensor) -> f64 {
        top1(logits, &self.labels)
    }

    fn cross_entropy(&self, logits: &Tensor) -> f64 {
        logits
            .cross_entropy_for_logits(&self.labels)
            .double_value(&[])
    }

    /// The ridge and the scale of the logits with the least cross-entropy: cross-entropy, ridge, scale,
    /// accuracy.
    fn choose_ridge(&self, moments: &Moments) -> (f64, f64, f64, f64) {
        let mut best = (f64::INFINITY, 0.0, 0.0, 0.0);
        for step in 0..=16 {
            let ridge = 10f64.powf(-3.0 + 0.25 * f64::from(step));
            let logits = moments.fit_head(ridge).logits(&self.features);
            let accuracy = self.accuracy(&logits);
            for scale in (4..=40).map(|quarter| f64::from(quarter) * 0.25) {
                let loss = self.cross_entropy(&(&logits * scale));
                if loss < best.0 {
                    best = (loss, ridge, scale, accuracy);
                }
            }
            println!("ridge {ridge:.4}: held-out top-1 {accuracy:.3}");
        }
        best
    }

    /// The steps and the penalty of the distillation with the least cross-entropy, from `regression` with the
    /// cross-entropy and the accuracy given: cross-entropy, steps, penalty, accuracy.
    fn choose_steps(
        &self,
        regression: &LinearHead,
        (loss, accuracy): (f64, f64),
        crops: &[CropOutputs],
        photos: &Tensor,
    ) -> (f64, i64, f64, f64) {
        let mut best = (loss, 0, 1.0, accuracy);
        for penalty in [1.0, 3.0, 10.0] {
            for steps in [50, 100, 200, 400] {
                let head = distil(regression, crops, photos, steps, penalty);
                let logits = head.logits(&self.features);
                let (loss, accuracy) = (self.cross_entropy(&logits), self.accuracy(&logits));
                println!(
                    "{steps} steps, penalty {penalty}: held-out top-1 {accuracy:.3}, cross-entropy {loss:.3}"
                );
                if loss < best.0 {
                    best = (loss, steps, penalty, accuracy);
                }
            }
        }
        best
    }
}

/// The indices of the held-out photos and of the others.
fn split(photos: usize, arguments: &FitArgs) -> (Tensor, Tensor) {
    let mut order: Vec<i64> = (0..photos as i64).collect();
    let mut random = RandomNumbers::new(arguments.seed);
    for index in (1..order.len()).rev() {
        order.swap(index, (random.next() % (index as u64 + 1)) as usize);
    }
    let (held_out, used) = order.split_at(arguments.held_out.min(order.len() / 2));
    (Tensor::from_slice(held_out), Tensor::from_slice(used))
}

fn main() -> Result<()> {
    let arguments = FitArgs::parse();
    let _guard = tch::no_grad_guard();
    let photos = image_paths(&arguments.photos)?;
    let crops = evaluate_crops(&arguments, &photos)?;
    let Some(centre) = crops.first() else {
        return Err("`--crops` must be at least 1, got 0".into());
    };
    let (features, logits) = (
        position_mean(&centre.features),
        position_mean(&centre.logits),
    );
    let labels = match read_labels(&arguments.photos, &photos)? {
        Some(labels) => Tensor::from_slice(&labels),
        None => logits.argmax(1, false),
    };
    println!(
        "ResNet-50 on all {}: top-1 {:.3}",
        photos.len(),
        top1(&logits, &labels)
    );

    let (held, used) = split(photos.len(), &arguments);
    let held_out = HeldOut {
        features: features.index_select(0, &held),
        labels: labels.index_select(0, &held),
    };
    let moments = Moments::sum(&crops, &used);
    let (loss, ridge, scale, accuracy) = held_out.choose_ridge(&moments);
    println!("regression: ridge {ridge:.4}, scale {scale}: held-out top-1 {accuracy:.3}");
    let regression = moments.fit_head(ridge).scaled(scale);
    let (loss, steps, penalty, accuracy) =
        held_out.choose_steps(&regression, (loss, accuracy), &crops, &used);
    let teacher = held_out.accuracy(&logits.index_select(0, &held));
    println!(
        "chosen: {steps} steps, penalty {penalty}: top-1 {accuracy:.3} on {} held-out photos, \
         cross-entropy {loss:.3}; ResNet-50 on them: top-1 {teacher:.3}",
        held.size()[0]
    );

    let all = Tensor::cat(&[&held, &used], 0);
    let head = Moments::sum(&crops, &all).fit_head(ridge).scaled(scale);
    let head = distil(&head, &crops, &all, steps, penalty);
    let metadata = BTreeMap::from([
        ("made by", "examples/fit_vgg_head.rs".to_owned()),
        ("photos", photos.len().to_string()),
        ("crops", arguments.crops.to_string()),
        ("seed", arguments.seed.to_string()),
        ("ridge", format!("{ridge:.6}")),
        ("scale", scale.to_string()),
        ("steps", steps.to_string()),
        ("penalty", penalty.to_string()),
        (
            "held out",
            format!(
                "top-1 {accuracy:.4} on {} photos, fitted on the others",
                held.size()[0]
            ),
        ),
    ]);
    let metadata = metadata.into_iter();
    let metadata = metadata.map(|(key, value)| (key.to_owned(), value));
    write_head(&head, &arguments.out, metadata.collect())
}
