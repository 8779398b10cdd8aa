//! Images of all depths and numbers of bands against NumPy and Pillow.
//!
//! `inputs/` is made by `make_inputs.py`.

use std::fs;

use convscope::image::{DecodedImage, Interpolation, Preprocess, Samples};
use inputs::{difference, expected, folder, values};
use proptest::prelude::*;

#[path = "common/inputs.rs"]
mod inputs;

#[test]
fn every_file_has_the_samples_that_numpy_sees() {
    let expected = expected();
    let names = expected
        .keys()
        .filter_map(|key| key.strip_prefix("samples/"));
    let names: Vec<&str> = names.collect();
    assert_eq!(names.len(), 27);
    for name in names {
        let image = DecodedImage::open(&folder().join(name)).expect(name);
        let wanted = &expected[&format!("samples/{name}")];
        let (width, height) = image.pixels.dimensions();
        let found: Vec<f32> = match &image.bands {
            Some(bands) => {
                assert_eq!(bands.count() as i64, wanted.size()[0], "{name}");
                (0..bands.count())
                    .flat_map(|band| bands.floats(band))
                    .collect()
            }
            None => {
                let colours = (0..3).flat_map(|colour| {
                    let pixels = image.pixels.pixels();
                    pixels.map(move |pixel| f32::from(pixel[colour]) / 255.0)
                });
                colours.collect()
            }
        };
        assert_eq!(wanted.size()[1..], [i64::from(height), i64::from(width)]);
        let error = difference(&found, &values(wanted));
        assert!(error <= 1e-7, "{name}: {error}");
    }
}

#[test]
fn inputs_are_those_of_pillow_and_pytorch() {
    let mut count = 0;
    for (key, wanted) in expected() {
        let Some(case) = key.strip_prefix("input/") else {
            continue;
        };
        count += 1;
        let parts: Vec<&str> = case.split('/').collect();
        let number = |text: &str| text.parse::<u32>().unwrap();
        let length = |text: &str| Some(number(text)).filter(|length| *length > 0);
        let channels = number(parts[1]) as usize;
        let by_channel = |first: f64, step: f64| {
            let channels = (0..channels).map(|channel| first + step * channel as f64);
            channels.collect()
        };
        let preprocess = Preprocess {
            resize: length(parts[3]),
            crop: length(parts[4]),
            interpolation: match parts[2] {
                "bicubic" => Interpolation::Bicubic,
                _ => Interpolation::Bilinear,
            },
            mean: by_channel(0.4, 0.05),
            std: by_channel(0.2, 0.03),
        };
        let image = DecodedImage::open(&folder().join(parts[0])).unwrap();
        let view = preprocess.view_of(&image, channels).unwrap();
        let found = preprocess.normalise_view(&view);
        let size = view.pixels.dimensions();
        assert_eq!(
            wanted.size(),
            [channels as i64, size.1.into(), size.0.into()]
        );
        let wanted = values(&wanted);
        let largest = wanted
            .iter()
            .fold(1.0f32, |most, value| most.max(value.abs()));
        let error = difference(&found, &wanted);
        assert!(error <= 1e-6 * largest, "{case}: {error} of {largest}");
    }
    assert_eq!(count, 13);
}

#[test]
fn pictures_are_drawn_from_the_bands_that_are_shown() {
    let open = |name: &str, show: &[usize]| {
        DecodedImage::open_showing(&folder().join(name), show).expect(name)
    };
    let grey = open("grey8.png", &[]);
    assert!(
        grey.pixels
            .pixels()
            .all(|pixel| pixel[0] == pixel[1] && pixel[1] == pixel[2])
    );
    assert!(grey.drawing.unwrap().is_plain());
    // The default are the first three; others and their order can be chosen.
    let (usual, chosen) = (
        open("rgb8_and_two.tif", &[]),
        open("rgb8_and_two.tif", &[5, 2, 1]),
    );
    let Samples::Bits8(samples) = usual.bands.as_ref().unwrap().samples() else {
        panic!("8 bits");
    };
    let area = samples.len() / 5;
    for (index, (usual, chosen)) in usual
        .pixels
        .pixels()
        .zip(chosen.pixels.pixels())
        .enumerate()
    {
        let band = |number: usize| samples[(number - 1) * area + index];
        assert_eq!(usual.0, [band(1), band(2), band(3)]);
        assert_eq!(chosen.0, [band(5), band(2), band(1)]);
    }
    let drawing = chosen.drawing.unwrap();
    assert_eq!(
        (drawing.bands, drawing.of, drawing.range),
        (vec![5, 2, 1], 5, None)
    );
    // Networks get the same.
    assert_eq!(chosen.bands, usual.bands);
    // Floats beyond 0 to 1 are stretched.
    let float = open("five_float_tiles.tif", &[2]).drawing.unwrap();
    let [low, high] = float.range.unwrap();
    assert!(
        -0.7 < low && low < 0.0 && 1.0 < high && high < 2.3,
        "{low} {high}"
    );
    // 12 bits in 16 would be dark.
    let dark: Vec<u8> = (0..64u16)
        .flat_map(|index| (index * 64).to_le_bytes())
        .collect();
    let image = DecodedImage::from_bytes("dark", &array("<u2", "(8, 8)", &dark)).unwrap();
    let levels: Vec<u8> = image.pixels.pixels().map(|pixel| pixel[0]).collect();
    assert_eq!((levels[0], levels[63]), (0, 255));
    assert!((120..136).contains(&levels[32]), "{}", levels[32]);

    let error = DecodedImage::open_showing(&folder().join("five16_planes.tif"), &[6, 1, 2]);
    let error = error.unwrap_err();
    assert!(
        error
            .message()
            .ends_with("there is no band 6: the image has 5 bands"),
        "{error}"
    );
    let error = DecodedImage::open_showing(&folder().join("grey8.png"), &[1, 1]).unwrap_err();
    assert!(
        error
            .message()
            .ends_with("a picture is drawn from 1 or 3 bands, not 2"),
        "{error}"
    );
}

/// A NumPy array with this header.
fn array(descr: &str, shape: &str, values: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(values);
    bytes
}

/// The message and the help of decoding these bytes.
fn fault(bytes: &[u8]) -> String {
    let error = DecodedImage::from_bytes("file", bytes).unwrap_err();
    format!("{}\n{}", error.message(), error.help_text().unwrap_or("-"))
}

#[test]
fn files_that_are_no_images_say_what_is_wrong() {
    let nan = f32::NAN.to_le_bytes();
    let floats = [1f32.to_le_bytes(), nan, nan, 0f32.to_le_bytes()].concat();
    let five = fs::read(folder().join("five16_planes.tif")).unwrap();
    let lines = [
        fault(&array("<f4", "(3, 224, 224)", &[])),
        fault(&array("<f4", "(4,)", &[0; 16])),
        fault(&array("<f4", "(2, 2, 0)", &[])),
        fault(&array("<f4", "(2, 2, 5000)", &[])),
        fault(&array("<f4", "(4000000000, 4000000000)", &[])),
        fault(&array("<f4", "(99999999999999999999, 2)", &[])),
        fault(&array("<f4", "(20000, 4000, 5)", &[])),
        fault(&array("<f4", "(2, 2)", &floats)),
        fault(&array("<f4", "(2, 2)", &floats[..12])),
        fault(&array("<c8", "(2, 2)", &[0; 32])),
        fault(&array("|O", "(2, 2)", &[0; 32])),
        fault(b"\x93NUMPY\x01\x00\x05\x00hello"),
        fault(b"\x93NUMPY\x01\x00\xff"),
        fault(b"II*\x00\x08\x00\x00\x00"),
        fault(&five[..five.len() / 2]),
        fault(b"\0\0\0\x18ftypavif\0\0"),
    ];
    insta::assert_snapshot!(lines.join("\n"));
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 400,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn damaged_files_never_panic(
        file in 0..8_usize,
        keep in 0.0..1.0_f64,
        damage in proptest::collection::vec((0.0..1.0_f64, any::<u8>()), 0..6),
    ) {
        let name = [
            "five16_planes.tif", "five_float_tiles.tif", "rgb8_and_two.tif", "one_bit.tif", "turned.tif", "float64.tif",
            "five_float_fortran.npy", "five16_big_endian.npy",
        ][file];
        let mut bytes = fs::read(folder().join(name)).unwrap();
        if damage.is_empty() {
            bytes.truncate((bytes.len() as f64 * keep) as usize);
        }
        // The header and the tags, which are at one of the ends.
        let length = bytes.len() as f64;
        for (place, value) in damage {
            let place = if value % 2 == 0 { place * place * place } else { 1.0 - place * place * place };
            let at = ((place * length) as usize).min(bytes.len() - 1);
            bytes[at] = value;
        }
        match DecodedImage::from_bytes(name, &bytes) {
            Ok(photo) => prop_assert!(photo.pixels.width() > 0),
            Err(error) => prop_assert_eq!(error.kind(), convscope::ErrorKind::Image),
        }
    }
}

#[test]
fn presets_are_means_and_deviations_by_name() {
    let image = DecodedImage::open(&folder().join("grey8.png")).unwrap();
    let Samples::Bits8(levels) = image.bands.as_ref().unwrap().samples() else {
        panic!("8 bits")
    };
    for (preset, of_level) in [
        ("unit", (|level| level / 255.0) as fn(f32) -> f32),
        ("raw", |level| level),
        ("inception", |level| level / 127.5 - 1.0),
    ] {
        let preset: convscope::spec::PreprocessSpec =
            serde_json::from_str(&format!("{preset:?}")).unwrap();
        assert_eq!(
            serde_json::to_value(&preset).unwrap(),
            serde_json::to_value(preset.preset).unwrap()
        );
        let [mean, std] = preset.preset.unwrap().means_and_deviations(1).unwrap();
        let preprocess = Preprocess {
            resize: None,
            crop: None,
            mean,
            std,
            ..Preprocess::imagenet()
        };
        let view = preprocess.view_of(&image, 1).unwrap();
        for (found, level) in preprocess.normalise_view(&view).iter().zip(levels) {
            let wanted = of_level(f32::from(*level));
            assert!(
                (found - wanted).abs() <= 1e-6 * wanted.abs().max(1.0),
                "{found} {wanted}"
            );
        }
    }
    let three = convscope::spec::PreprocessPreset::Imagenet.means_and_deviations(3);
    let imagenet = Preprocess::imagenet();
    assert_eq!(three, Some([imagenet.mean, imagenet.std]));
}
