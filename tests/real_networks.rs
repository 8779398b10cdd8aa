//! The three networks whose weights packages carry, on the 20 labelled photos of `imagenet-20`,
//! through the real binary: against `golden/reference_predictions.json` (PyTorch 2.13.0; short side 256
//! bicubic, centre 224).
//!
//! And on one of them, that maps which explain a network change when it forgets what it has learned
//! (Adebayo et al. 2018), while guided backprop hardly does.
//!
//! What is not in the cache comes through pip and npm (190 MB).

use std::collections::BTreeMap;

use assert_cmd::Command;
use convscope::network::labels::Labels;
use serde_json::Value;

#[test]
fn the_three_networks_say_of_the_twenty_photos_what_they_should() {
    let folder = tempfile::tempdir().unwrap();
    let spec = "title: Twenty photos\n\
                models: [resnet50, vgg16, efficientnet_lite0]\n\
                images: [{pack: imagenet-20}]\n";
    std::fs::write(folder.path().join("twenty.yaml"), spec).unwrap();
    Command::cargo_bin("convscope")
        .unwrap()
        .current_dir(folder.path())
        .args(["run", "twenty.yaml", "--no-cache"])
        .assert()
        .success();
    let read = |path: &str| -> Value {
        serde_json::from_str(&std::fs::read_to_string(path).expect(path)).unwrap()
    };
    let golden = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/golden/reference_predictions.json"
    );
    let results = folder.path().join("output/twenty/results.json");
    let results = read(results.to_str().unwrap());
    let mut found = BTreeMap::new();
    for prediction in results["predictions"].as_array().unwrap() {
        let key = |part: &str| prediction[part].as_str().unwrap().to_owned();
        found.insert((key("model"), key("image")), &prediction["top"][0]);
    }
    let labels = Labels::imagenet();
    let (mut alike, mut right) = (BTreeMap::new(), BTreeMap::new());
    for photo in read(golden).as_array().unwrap() {
        let file = photo["file"].as_str().unwrap();
        let image = file.rsplit('/').next().unwrap().trim_end_matches(".jpg");
        for model in ["resnet50", "vgg16", "efficientnet_lite0"] {
            let top = found[&(model.to_owned(), image.to_owned())];
            let class = top["class"]["index"].as_u64().unwrap();
            *right.entry(model).or_insert(0) += u32::from(photo["true"] == class);
            let Some(reference) = photo.get(model) else {
                continue;
            };
            let name = labels.name(class as usize).replace(' ', "_");
            let same = reference[0].as_str().unwrap().eq_ignore_ascii_case(&name);
            *alike.entry(model).or_insert(0) += u32::from(same);
            let apart = top["probability"].as_f64().unwrap() - reference[1].as_f64().unwrap();
            assert!(
                !same || apart.abs() <= 0.02,
                "{model} {image}: {apart} apart"
            );
        }
    }
    println!("like the reference: {alike:?}; right: {right:?}");
    assert_eq!(alike["resnet50"], 20);
    assert!(alike["efficientnet_lite0"] >= 19, "{alike:?}");
    assert!(right["vgg16"] >= 14, "{right:?}");
}

#[test]
fn gradients_and_grad_cam_move_when_the_classifier_forgets_and_guided_backprop_hardly() {
    let folder = tempfile::tempdir().unwrap();
    let spec = "title: Who forgets\n\
                models: [resnet50, efficientnet_lite0]\n\
                images: [{pack: imagenet-20, pick: [bull mastiff]}]\n\
                methods: [saliency, grad_cam, guided_backprop]\n\
                checks: [randomisation]\n";
    std::fs::write(folder.path().join("forget.yaml"), spec).unwrap();
    Command::cargo_bin("convscope")
        .unwrap()
        .current_dir(folder.path())
        .args(["run", "forget.yaml", "--no-cache"])
        .assert()
        .success();
    let results = folder.path().join("output/forget/results.json");
    let results: Value = serde_json::from_str(&std::fs::read_to_string(results).unwrap()).unwrap();
    let mut seen = 0;
    for checked in results["checks"].as_array().unwrap() {
        let Some(method) = checked["of"]["method"]["name"].as_str() else {
            continue;
        };
        let stages = checked["randomised"].as_array().unwrap();
        let classifier = stages[0]["spearman"].as_f64().unwrap();
        let last_convolutions = stages[1]["spearman"].as_f64().unwrap();
        let said = format!(
            "{} {method}: {classifier} {last_convolutions}",
            checked["model"]
        );
        match method {
            "guided_backprop" => assert!(classifier > 0.95 && last_convolutions > 0.8, "{said}"),
            _ => assert!(classifier < 0.7 && last_convolutions < 0.7, "{said}"),
        }
        println!("{said}");
        seen += 1;
    }
    assert_eq!(seen, 6);
}

#[test]
fn the_experiments_name_what_there_is() {
    for name in ["quickstart", "attributions", "ways-of-looking"] {
        Command::cargo_bin("convscope")
            .unwrap()
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .args(["check", &format!("experiments/{name}.yaml")])
            .assert()
            .success();
    }
}
