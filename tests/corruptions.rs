//! Corruptions of pictures against what ImageNet-C's functions make of the same picture: tests/make_corruptions.py.

use std::path::Path;

use convscope::image::{Corruption, RgbImage, SEVERITIES};

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corruptions")
}

fn open(name: &str) -> RgbImage {
    image::open(folder().join(name)).unwrap().to_rgb8()
}

fn statistics(key: &str) -> serde_json::Value {
    let text = std::fs::read_to_string(folder().join("statistics.json")).unwrap();
    serde_json::from_str::<serde_json::Value>(&text).unwrap()[key].clone()
}

/// The largest difference of two pictures, and how many of their values differ at all.
fn difference(a: &[u8], b: &[u8]) -> (u8, usize) {
    assert_eq!(a.len(), b.len());
    let differences = || a.iter().zip(b).map(|(a, b)| a.abs_diff(*b));
    (
        differences().max().unwrap(),
        differences().filter(|d| *d > 0).count(),
    )
}

#[test]
fn corruptions_without_chance_are_those_of_imagenet_c() {
    let picture = open("picture.png");
    for (corruption, most) in [
        (Corruption::DefocusBlur, 1),
        (Corruption::ZoomBlur, 1),
        (Corruption::Brightness, 1),
        (Corruption::Contrast, 1),
        (Corruption::Pixelate, 0),
        (Corruption::JpegCompression, 0),
    ] {
        let all = open(&format!("{}.png", corruption.name()));
        let size = picture.as_raw().len();
        for severity in 1..=SEVERITIES {
            let wanted = &all.as_raw()[(severity - 1) * size..severity * size];
            let found = corruption.apply(&picture, severity, 3, "a");
            let (largest, different) = difference(found.as_raw(), wanted);
            // Where a value is a whole level but for a rounding error, one of the two may cut it off.
            assert!(
                largest <= most && different * 100 <= size,
                "{} {severity}: up to {largest} levels, {different} of {size} values",
                corruption.name()
            );
            assert!(difference(found.as_raw(), picture.as_raw()).1 * 2 > size);
        }
    }
}

#[test]
fn noise_has_the_mean_and_the_deviation_of_imagenet_c() {
    let greys: Vec<u8> = serde_json::from_value(statistics("greys")).unwrap();
    for corruption in [
        Corruption::GaussianNoise,
        Corruption::ShotNoise,
        Corruption::ImpulseNoise,
    ] {
        let wanted: Vec<Vec<[f64; 2]>> =
            serde_json::from_value(statistics(corruption.name())).unwrap();
        for (severity, wanted) in (1..).zip(wanted) {
            for (grey, [mean, deviation]) in greys.iter().zip(wanted) {
                let plain = RgbImage::from_pixel(160, 160, [*grey; 3].into());
                let found = corruption.apply(&plain, severity, 3, "a");
                let values: Vec<f64> = found.as_raw().iter().map(|v| f64::from(*v)).collect();
                let count = values.len() as f64;
                let own = values.iter().sum::<f64>() / count;
                let spread = values.iter().map(|v| (v - own).powi(2)).sum::<f64>() / count;
                let name = corruption.name();
                let error = 5.0 * deviation / count.sqrt();
                assert!(
                    (own - mean).abs() < error,
                    "{name} {severity} {grey}: {own} {mean}"
                );
                assert!(
                    (spread.sqrt() - deviation).abs() < 2.0 * error,
                    "{name} {severity} {grey}: {} {deviation}",
                    spread.sqrt()
                );
            }
        }
    }
}

#[test]
fn glass_and_fog_change_a_picture_as_much_as_in_imagenet_c() {
    let picture = open("picture.png");
    for (corruption, draws) in [(Corruption::GlassBlur, 60), (Corruption::Fog, 300)] {
        let wanted: Vec<[f64; 2]> = serde_json::from_value(statistics(corruption.name())).unwrap();
        for (severity, [mean, deviation]) in (1..).zip(wanted) {
            let changes = (0..draws).map(|draw| {
                let found = corruption.apply(&picture, severity, 3, &draw.to_string());
                let values = found.as_raw().iter().zip(picture.as_raw());
                let sum: f64 = values.map(|(a, b)| f64::from(a.abs_diff(*b))).sum();
                sum / picture.as_raw().len() as f64
            });
            let changes: Vec<f64> = changes.collect();
            let own = changes.iter().sum::<f64>() / f64::from(draws);
            // Both means are of as many draws.
            let error = 5.0 * deviation * (2.0 / f64::from(draws)).sqrt();
            let name = corruption.name();
            assert!(
                (own - mean).abs() < error,
                "{name} {severity}: {own} {mean} ± {error}"
            );
        }
    }
}

#[test]
fn a_corruption_depends_on_the_image_and_the_seed_alone() {
    let picture = open("picture.png");
    for corruption in Corruption::ALL {
        let first = corruption.apply(&picture, 3, 3, "a");
        assert_eq!(first, corruption.apply(&picture, 3, 3, "a"));
        assert_eq!(first.dimensions(), picture.dimensions());
        let random = [
            Corruption::GaussianNoise,
            Corruption::ShotNoise,
            Corruption::ImpulseNoise,
            Corruption::GlassBlur,
            Corruption::Fog,
        ];
        let depends = random.contains(corruption);
        for (seed, id) in [(4, "a"), (3, "b")] {
            let other = corruption.apply(&picture, 3, seed, id);
            assert_eq!(first != other, depends, "{}", corruption.name());
        }
        for (width, height) in [(1, 1), (1, 9), (5, 2), (0, 0), (3, 40)] {
            let small = RgbImage::from_pixel(width, height, [90, 140, 20].into());
            for severity in 0..7 {
                let found = corruption.apply(&small, severity, 3, "a");
                assert_eq!(found.dimensions(), (width, height));
            }
        }
    }
}
