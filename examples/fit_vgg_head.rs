//! Fits a 1000-class head for VGG-16, whose own is in no package.
//!
//! Photos go through VGG-16's convolutions, whose last map is averaged over its places, and through
//! ResNet-50. One linear layer from the 512 means to ResNet-50's centred logits is found by ridge
//! regression, on several crops of each photo. Some photos are held out by a seeded choice: on them
//! the ridge and the scale of the logits are chosen (least cross-entropy against the labels) and the
//! top-1 reported. The head that is written is then fitted on all photos with the same two numbers.
//!
//! ```text
//! cargo run --release --example fit_vgg_head -- PHOTOS VGG16.onnx RESNET50_FOLDER OUT.safetensors
//! ```
//!
//! PHOTOS holds pictures and `labels.tsv` (a header, then file, class index, name); without it the
//! top-1 is against ResNet-50. What the networks say is kept in the file `--cache` names.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};

use clap::Parser;
use convscope::network::weights::{onnx, tfjs};
use convscope::network::{Network, zoo};
use image::imageops::FilterType;
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
    #[arg(long, default_value_t = 6)]
    crops: u64,
    /// Photos held out.
    #[arg(long, default_value_t = 160)]
    held_out: usize,
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Keeps features and logits between runs.
    #[arg(long, default_value = "output/fit_vgg_head.safetensors")]
    cache: PathBuf,
}

/// SplitMix64: the same numbers on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// Short side 256, the middle 224 × 224.
fn centre(photo: &image::RgbImage) -> image::RgbImage {
    let (width, height) = photo.dimensions();
    let scale = 256.0 / f64::from(width.min(height));
    let side = |length: u32| (f64::from(length) * scale).round() as u32;
    let (width, height) = (side(width), side(height));
    let resized = image::imageops::resize(photo, width, height, FilterType::CatmullRom);
    let (left, top) = ((width - 224) / 2, (height - 224) / 2);
    image::imageops::crop_imm(&resized, left, top, 224, 224).to_image()
}

/// A window of a quarter to all of the area, at most 4:3, brought to 224 × 224; half are mirrored.
fn window(photo: &image::RgbImage, random: &mut Random) -> image::RgbImage {
    let (width, height) = (f64::from(photo.width()), f64::from(photo.height()));
    let area = width * height * random.between(0.25, 1.0);
    let ratio = random.between((3f64 / 4.0).ln(), (4f64 / 3.0).ln()).exp();
    let wide = (area * ratio).sqrt().min(width);
    let high = (area / ratio).sqrt().min(height);
    let left = random.between(0.0, width - wide);
    let top = random.between(0.0, height - high);
    let [left, top, wide, high] = [left, top, wide, high].map(|number| number as u32);
    let cut = image::imageops::crop_imm(photo, left, top, wide.max(1), high.max(1)).to_image();
    let resized = image::imageops::resize(&cut, 224, 224, FilterType::CatmullRom);
    match random.next() & 1 {
        0 => resized,
        _ => image::imageops::flip_horizontal(&resized),
    }
}

/// Both networks' input: 0 to 255, less the means they were trained with.
fn input(crops: &[image::RgbImage]) -> Tensor {
    let bytes: Vec<u8> = crops
        .iter()
        .flat_map(|crop| crop.as_raw().clone())
        .collect();
    // Height, width, colour is the order in memory that libtorch convolves fastest.
    let pixels = Tensor::from_slice(&bytes)
        .reshape([crops.len() as i64, 224, 224, 3])
        .to_kind(Kind::Float);
    let means = [0.485_019_6f32, 0.457_956_9, 0.407_603_9].map(|mean| mean * 255.0);
    (pixels - Tensor::from_slice(&means)).permute([0, 3, 1, 2])
}

/// What the two networks say of the crops: features `[crop, photo, 512]`, logits
/// `[crop, photo, 1000]`.
fn look(arguments: &Arguments, photos: &[PathBuf]) -> Result<(Tensor, Tensor)> {
    let mut known: BTreeMap<String, Tensor> = match arguments.cache.exists() {
        true => Tensor::read_safetensors(&arguments.cache)?
            .into_iter()
            .collect(),
        false => BTreeMap::new(),
    };
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
    let resnet = Network::new(zoo::find("resnet50")?.graph(options), weights)?;
    let means = vgg.graph().require("flatten")?;
    let logits = resnet.graph().output();

    for round in 0..arguments.crops {
        let names = [format!("features/{round}"), format!("logits/{round}")];
        if names.iter().all(|name| known.contains_key(name)) {
            continue;
        }
        let (mut features, mut answers) = (Vec::new(), Vec::new());
        for (batch, paths) in photos.chunks(8).enumerate() {
            let mut crops = Vec::new();
            for (place, path) in paths.iter().enumerate() {
                let photo = image::open(path)?.to_rgb8();
                let mut random = Random(arguments.seed ^ round << 32 ^ (batch * 8 + place) as u64);
                crops.push(match round {
                    0 => centre(&photo),
                    _ => window(&photo, &mut random),
                });
            }
            let input = input(&crops);
            features.extend(vgg.forward(&input, &[means])?.remove(&means));
            answers.extend(resnet.forward(&input, &[logits])?.remove(&logits));
            eprintln!(
                "crop {round}: {} of {}",
                batch * 8 + paths.len(),
                photos.len()
            );
        }
        let [features_name, logits_name] = names;
        known.insert(features_name, Tensor::cat(&features, 0));
        known.insert(logits_name, Tensor::cat(&answers, 0));
        if let Some(folder) = arguments.cache.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let all: Vec<(&String, &Tensor)> = known.iter().collect();
        Tensor::write_safetensors(&all, &arguments.cache)?;
    }
    let stacked = |what: &str| {
        let rounds: Vec<&Tensor> = (0..arguments.crops)
            .filter_map(|round| known.get(&format!("{what}/{round}")))
            .collect();
        Tensor::stack(&rounds, 0).to_kind(Kind::Double)
    };
    Ok((stacked("features"), stacked("logits")))
}

/// A linear layer: `weight` `[classes, 512]`, `bias` `[classes]`.
struct Head {
    weight: Tensor,
    bias: Tensor,
}

impl Head {
    /// The layer with the least squared error plus `ridge` (as a share of the features' mean
    /// variance) times its squared weights.
    fn fitted(features: &Tensor, logits: &Tensor, ridge: f64) -> Self {
        let x = features.reshape([-1, 512]);
        let y = logits.reshape([-1, 1000]);
        // A softmax does not see what all logits have in common.
        let y = &y - y.mean_dim([1i64].as_slice(), true, Kind::Double);
        let x_mean = x.mean_dim([0i64].as_slice(), true, Kind::Double);
        let y_mean = y.mean_dim([0i64].as_slice(), true, Kind::Double);
        let (x, y) = (x - &x_mean, y - &y_mean);
        let square = x.tr().matmul(&x);
        let weight_of_ridge = ridge * square.diag(0).mean(Kind::Double).double_value(&[]);
        let ridge = Tensor::eye(512, (Kind::Double, tch::Device::Cpu)) * weight_of_ridge;
        let weight = Tensor::linalg_solve(&(square + ridge), &x.tr().matmul(&y), true);
        let bias = (y_mean - x_mean.matmul(&weight)).squeeze();
        Head {
            weight: weight.tr().contiguous(),
            bias,
        }
    }

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
    let mut photos = Vec::new();
    for entry in std::fs::read_dir(&arguments.photos)? {
        let path = entry?.path();
        if image::ImageFormat::from_path(&path).is_ok() {
            photos.push(path);
        }
    }
    photos.sort();
    let (features, logits) = look(&arguments, &photos)?;
    let labels = match labels(&arguments.photos, &photos)? {
        Some(labels) => Tensor::from_slice(&labels),
        None => logits.get(0).argmax(1, false),
    };
    println!(
        "ResNet-50 on all {}: top-1 {:.3}",
        photos.len(),
        top1(&logits.get(0), &labels)
    );

    let mut order: Vec<i64> = (0..photos.len() as i64).collect();
    let mut random = Random(arguments.seed);
    for place in (1..order.len()).rev() {
        order.swap(place, (random.next() % (place as u64 + 1)) as usize);
    }
    let (held, used) = order.split_at(arguments.held_out.min(order.len() / 2));
    let (held, used) = (Tensor::from_slice(held), Tensor::from_slice(used));
    let held_labels = labels.index_select(0, &held);
    let held_features = features.get(0).index_select(0, &held);
    let (x, y) = (
        features.index_select(1, &used),
        logits.index_select(1, &used),
    );

    let mut best = (f64::INFINITY, 0.0, 0.0, 0.0);
    for step in 0..=16 {
        let ridge = 10f64.powf(-3.0 + 0.25 * f64::from(step));
        let raw = Head::fitted(&x, &y, ridge).logits(&held_features);
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
    let (loss, ridge, scale, right) = best;
    let held_teacher = top1(&logits.get(0).index_select(0, &held), &held_labels);
    println!(
        "chosen: ridge {ridge:.4}, scale {scale}: top-1 {right:.3} on {} photos held out, \
         cross-entropy {loss:.3}; ResNet-50 there: top-1 {held_teacher:.3}",
        held.size()[0]
    );
    let head = Head::fitted(&features, &logits, ridge).scaled(scale);
    let made = BTreeMap::from([
        ("made by", "examples/fit_vgg_head.rs".to_owned()),
        ("photos", photos.len().to_string()),
        ("crops", arguments.crops.to_string()),
        ("seed", arguments.seed.to_string()),
        ("ridge", format!("{ridge:.6}")),
        ("scale", scale.to_string()),
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
