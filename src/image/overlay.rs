//! A map in colours over an image.

use image::RgbImage;

use super::colour_map::ColourMap;
use super::upsample::upsample;
use super::value_scale::{NO_VALUE, ValueScale};
use crate::error::Result;

/// The image with the map's colours over it, as the report blends them: the opacity of a pixel grows with its
/// value, up to `alpha`. The values are upsampled, then coloured; where the map is NaN, the image is unchanged.
///
/// # Errors
/// As [`upsample`].
pub fn overlay(
    image: &RgbImage,
    map: &[f32],
    map_width: usize,
    map_height: usize,
    colours: ColourMap,
    scale: ValueScale,
    alpha: f32,
) -> Result<RgbImage> {
    let values = upsample(map, (map_width, map_height), image.dimensions())?;
    // NaN as an opacity shows the image alone.
    let alpha = if alpha > 0.0 { alpha.min(1.0) } else { 0.0 };
    let palette = colours.palette();
    let mut blended = image.clone();
    for (pixel, value) in blended.pixels_mut().zip(values) {
        let index = scale.index(value);
        if index == NO_VALUE {
            continue;
        }
        let part = f32::from(index - 1) / 254.0;
        let strength = if scale.signed {
            (2.0 * part - 1.0).abs()
        } else {
            part
        };
        let alpha = alpha * (1.15 * strength).min(1.0);
        for (sample, colour) in pixel.0.iter_mut().zip(palette[usize::from(index)]) {
            let mixed = f32::from(*sample) * (1.0 - alpha) + f32::from(colour) * alpha;
            *sample = mixed.round() as u8;
        }
    }
    Ok(blended)
}
