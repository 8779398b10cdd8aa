//! Images for the report: scales, palettes, files, mosaics, overlays.

use convscope::image::{
    ColourMap, DecodedImage, MosaicGrid, NO_VALUE, ValueScale, channel_mosaic, data_uri,
    encode_jpeg, encode_palette_png, encode_rgb_png, kernel_mosaic, overlay, upsample,
};
use image::{Rgb, RgbImage};
use proptest::prelude::*;

use super::{difference, floats, folder, golden};

#[test]
fn a_scale_uses_all_indices_for_its_range() {
    let values = [-2.0, f32::NAN, 0.0, 6.0, f32::INFINITY];
    let scale = ValueScale::from_values(&values, false);
    assert_eq!(scale, ValueScale::between(-2.0, 6.0));
    assert_eq!(scale.indices(&values), [1, 0, 65, 255, 255]);
    let scale = ValueScale::from_values(&values, true);
    assert_eq!(scale, ValueScale::symmetric(6.0));
    assert_eq!(scale.indices(&[-6.0, 0.0, 3.0, 6.0]), [1, 128, 192, 255]);
    assert!(ValueScale::from_values(&[], false).is_flat());
    assert!(ValueScale::from_values(&[3.0, 3.0], false).is_flat());
    assert_eq!(ValueScale::from_values(&[0.0, 0.0], true).index(0.0), 128);
    // The difference of these two is no f32.
    assert_eq!(ValueScale::between(f32::MIN, f32::MAX).index(0.0), 128);
}

/// Lightness L* of CIE Lab, 0 to 100.
fn lightness(colour: [u8; 3]) -> f64 {
    let linear = colour.map(|sample| {
        let sample = f64::from(sample) / 255.0;
        if sample <= 0.04045 {
            sample / 12.92
        } else {
            ((sample + 0.055) / 1.055).powf(2.4)
        }
    });
    let y = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
    if y > 0.008856 {
        116.0 * y.cbrt() - 16.0
    } else {
        903.3 * y
    }
}

#[test]
fn palettes_grow_lighter_and_have_a_colour_for_missing_values() {
    for map in ColourMap::ALL {
        let palette = map.palette();
        assert!(!palette[1..].contains(&palette[0]), "{map:?}");
        if map.is_diverging() {
            // Near white in the middle, as dark at both ends; cool below 0 and warm above.
            let [red, green, blue] = palette[128];
            assert!(
                red.abs_diff(green) <= 12 && green.abs_diff(blue) <= 12 && red > 225,
                "{map:?}"
            );
            assert!((lightness(palette[1]) - lightness(palette[255])).abs() < 25.0);
            assert!(
                palette[1][2] > palette[1][0] && palette[255][0] > palette[255][2],
                "{map:?}"
            );
            continue;
        }
        for pair in palette[1..].windows(2) {
            assert!(
                lightness(pair[1]) > lightness(pair[0]) - 0.3,
                "{map:?} {pair:?}"
            );
        }
        assert!(
            lightness(palette[255]) - lightness(palette[1]) > 60.0,
            "{map:?}"
        );
    }
    assert_eq!(ColourMap::Viridis.palette()[1], [68, 1, 84]);
}

#[test]
fn pngs_keep_every_pixel_and_have_equal_bytes() {
    let palette = ColourMap::Magma.palette();
    let indices: Vec<u8> = (0..=255).collect();
    let file = encode_palette_png(32, 8, &indices, &palette).unwrap();
    assert_eq!(file, encode_palette_png(32, 8, &indices, &palette).unwrap());
    let read = DecodedImage::from_bytes("map", &file).unwrap().pixels;
    assert_eq!(read.dimensions(), (32, 8));
    for (index, pixel) in read.pixels().enumerate() {
        assert_eq!(pixel.0, palette[index]);
    }
    assert!(encode_palette_png(32, 8, &indices[1..], &palette).is_err());
    assert!(encode_palette_png(0, 8, &[], &palette).is_err());

    let photo = DecodedImage::open(&folder().join("noise.png"))
        .unwrap()
        .pixels;
    let file = encode_rgb_png(&photo).unwrap();
    assert_eq!(
        DecodedImage::from_bytes("photo", &file).unwrap().pixels,
        photo
    );
    assert!(encode_rgb_png(&RgbImage::new(0, 0)).is_err());
}

#[test]
fn jpegs_are_similar_and_smaller_with_less_quality() {
    let photo = DecodedImage::open(&folder().join("full.jpg"))
        .unwrap()
        .pixels;
    let good = encode_jpeg(&photo, 95).unwrap();
    let (_, mean) = difference(
        &DecodedImage::from_bytes("good", &good).unwrap().pixels,
        &photo,
    );
    assert!(mean < 2.0, "{mean}");
    assert!(encode_jpeg(&photo, 0).unwrap().len() < good.len());
    assert!(encode_jpeg(&RgbImage::new(1, 65_536), 80).is_err());
    assert!(encode_jpeg(&RgbImage::new(3, 0), 80).is_err());
}

#[test]
fn a_data_uri_contains_the_file() {
    assert_eq!(
        data_uri("image/png", b"hello"),
        "data:image/png;base64,aGVsbG8="
    );
}

#[test]
fn channels_form_a_grid_with_gaps() {
    // Five channels of 2 × 1: columns of 3 and 5 pixels to a side are nearest to a square at 2.
    let values: Vec<f32> = (0..10).map(|value| value as f32).collect();
    let mosaic = channel_mosaic(&values, [5, 1, 2], &[ValueScale::between(0.0, 9.0)], 1).unwrap();
    assert_eq!((mosaic.grid.columns, mosaic.grid.rows), (2, 3));
    assert_eq!((mosaic.width, mosaic.height), (5, 5));
    let index = |value: f32| ValueScale::between(0.0, 9.0).index(value);
    let row = |a, b, c, d| [index(a), index(b), NO_VALUE, index(c), index(d)];
    let gap = [NO_VALUE; 5];
    let last = [index(8.0), index(9.0), NO_VALUE, NO_VALUE, NO_VALUE];
    let expected = [
        row(0.0, 1.0, 2.0, 3.0),
        gap,
        row(4.0, 5.0, 6.0, 7.0),
        gap,
        last,
    ]
    .concat();
    assert_eq!(mosaic.indices, expected);
    assert_eq!(mosaic.grid.origin(3), (3, 2));

    // With one scale for each channel, all reach both ends.
    let own: Vec<ValueScale> = values
        .chunks(2)
        .map(|two| ValueScale::from_values(two, false))
        .collect();
    let mosaic = channel_mosaic(&values, [5, 1, 2], &own, 3).unwrap();
    assert_eq!((mosaic.width, mosaic.height), (13, 11));
    assert_eq!(mosaic.indices[..7], [1, 1, 1, 255, 255, 255, NO_VALUE]);

    let scale = [ValueScale::between(0.0, 9.0)];
    assert!(channel_mosaic(&values, [5, 2, 2], &scale, 1).is_err());
    assert!(channel_mosaic(&values, [5, 1, 2], &own[..2], 1).is_err());
    assert!(channel_mosaic(&[], [0, 1, 2], &scale, 1).is_err());
    assert!(channel_mosaic(&values, [5, 1, 2], &scale, 0).is_err());
    assert!(channel_mosaic(&values, [5, 1, 2], &scale, u32::MAX).is_err());
    assert!(MosaicGrid::new(usize::MAX, usize::MAX, usize::MAX, u32::MAX).is_err());
    // A square number of squares is a square.
    let grid = MosaicGrid::new(64, 7, 7, 4).unwrap();
    assert_eq!((grid.columns, grid.rows, grid.width()), (8, 8, 8 * 29 - 1));
}

#[test]
fn kernels_are_grey_at_zero() {
    // One kernel of 1 × 2: red, green, blue planes.
    let values = [0.0, 1.0, -1.0, -5.0, 0.5, f32::NAN];
    let tiles = kernel_mosaic(&values, [1, 1, 2], 1.0, 2).unwrap();
    assert_eq!(tiles.dimensions(), (4, 2));
    assert_eq!(*tiles.get_pixel(1, 1), Rgb([128, 0, 191]));
    assert_eq!(*tiles.get_pixel(2, 0), Rgb([255, 0, 0]));
    let flat = kernel_mosaic(&[0.0; 6], [2, 1, 1], 0.0, 1).unwrap();
    let (grey, white) = (Rgb([128; 3]), Rgb([255; 3]));
    let found: Vec<Rgb<u8>> = flat.pixels().copied().collect();
    assert!(found == [grey, white, grey], "{found:?}");
    assert!(kernel_mosaic(&values, [2, 1, 2], 1.0, 1).is_err());
}

#[test]
fn maps_are_upsampled_as_in_pytorch() {
    golden(|file| {
        let map = floats(file, "enlarge/map");
        for (width, height) in [(33, 20), (7, 5), (9, 3)] {
            let found = upsample(&map, (7, 5), (width, height)).unwrap();
            let expected = floats(file, &format!("enlarge/{width}/{height}"));
            assert_eq!(found.len(), expected.len());
            for (a, b) in found.iter().zip(&expected) {
                assert!((a - b).abs() < 1e-5, "{width} × {height}: {a} {b}");
            }
        }
    });
    assert!(upsample(&[1.0; 6], (7, 5), (3, 3)).is_err());
    assert!(upsample(&[], (0, 0), (3, 3)).is_err());
    assert!(upsample(&[1.0], (1, 1), (0, 3)).is_err());
    assert!(upsample(&[1.0], (1, 1), (u32::MAX, u32::MAX)).is_err());
}

#[test]
fn an_overlay_blends_and_keeps_the_image_where_the_map_is_nan() {
    let photo = RgbImage::from_pixel(4, 2, Rgb([100, 150, 200]));
    let map = [1.0, f32::NAN];
    let overlay_with = |alpha| {
        let scale = ValueScale::between(0.0, 1.0);
        overlay(&photo, &map, 2, 1, ColourMap::Viridis, scale, alpha).unwrap()
    };
    assert_eq!(overlay_with(0.0), photo);
    assert_eq!(overlay_with(f32::NAN), photo);
    let half = overlay_with(0.5);
    assert_eq!(half.get_pixel(0, 0).0, [177, 191, 119]);
    assert_eq!(half.get_pixel(3, 1).0, [100, 150, 200]);
    assert_eq!(overlay_with(9.0).get_pixel(0, 0).0, [253, 231, 37]);
    // Weak values show the image; the middle of a signed scale is the weakest.
    let scale = ValueScale::between(0.0, 1.0);
    let weak = overlay(&photo, &[0.0], 1, 1, ColourMap::Viridis, scale, 1.0).unwrap();
    assert_eq!(weak, photo);
    let scale = ValueScale::symmetric(1.0);
    let middle = overlay(&photo, &[0.0], 1, 1, ColourMap::BlueRed, scale, 1.0).unwrap();
    assert_eq!(middle, photo);
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn every_value_has_an_index(low in any::<f32>(), high in any::<f32>(), signed: bool, value in any::<f32>()) {
        let scale = ValueScale { low, high, signed };
        prop_assert_eq!(scale.index(value) == NO_VALUE, value.is_nan());
        let _ = ValueScale::from_values(&[low, high, value], signed).index(value);
    }
}
