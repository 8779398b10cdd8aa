//! Two maps of one photo on a common grid. Networks that resize and crop differently see different parts of the photo, so
//! values of their maps belong together only by their place in the photo.

use crate::error::Result;
use crate::image::upsample;

/// The most positions of the grid along a side.
const MAX_SIDE: f64 = 1024.0;

/// A map and where it lies in its photo.
#[derive(Debug, Clone, Copy)]
pub(super) struct PlacedMap<'a> {
    /// Row by row.
    pub(super) values: &'a [f32],
    /// Height and width.
    pub(super) size: [usize; 2],
    /// Left, top, right and bottom in the photo's pixels.
    pub(super) bounds: [f64; 4],
}

/// Two maps with a value each for the same positions.
#[derive(Debug)]
pub(super) struct CommonPart {
    /// The values of both, row by row.
    pub(super) values: [Vec<f32>; 2],
    /// How many positions are in a row.
    pub(super) width: usize,
    /// The share of the photo that the positions cover, if the maps don't lie in the same place.
    pub(super) share: Option<f64>,
}

impl<'a> CommonPart {
    /// Maps of the same view are enlarged to the larger height and width. Of other maps, the values are interpolated
    /// bilinearly, as in [`upsample`], at the positions of a grid over the part of the photo of `width` × `height` that both
    /// see; neighbours of the grid are as far apart as those of the finer map. `None` if there is no such part.
    ///
    /// # Errors
    /// If a map is empty or too large.
    pub(super) fn new(
        a: PlacedMap<'a>,
        b: PlacedMap<'a>,
        (width, height): (u32, u32),
    ) -> Result<Option<CommonPart>> {
        if a.bounds == b.bounds {
            return same_view(a, b).map(Some);
        }
        let photo = [0.0, 0.0, f64::from(width), f64::from(height)];
        let mut part = photo;
        for bounds in [a.bounds, b.bounds] {
            for side in 0..2 {
                part[side] = part[side].max(bounds[side]);
                part[side + 2] = part[side + 2].min(bounds[side + 2]);
            }
        }
        let lengths = [part[2] - part[0], part[3] - part[1]];
        if !lengths.iter().all(|length| *length > 0.0) || a.values.is_empty() || b.values.is_empty()
        {
            return Ok(None);
        }
        let columns = count(lengths[0], a.pitch(0).min(b.pitch(0)));
        let rows = count(lengths[1], a.pitch(1).min(b.pitch(1)));
        let values = [a, b].map(|map| map.resampled(part, columns, rows));
        Ok(Some(CommonPart {
            values,
            width: columns,
            share: Some(lengths[0] * lengths[1] / (photo[2] * photo[3])),
        }))
    }
}

/// How many positions of a grid are in a length of the photo.
fn count(length: f64, pitch: f64) -> usize {
    // Less than a thousandth of a position more is rounding.
    (length / pitch - 1e-3).ceil().clamp(1.0, MAX_SIDE) as usize
}

impl PlacedMap<'_> {
    /// The distance in the photo of two neighbours along the axis: 0 across, 1 down.
    fn pitch(&self, axis: usize) -> f64 {
        let length = self.bounds[axis + 2] - self.bounds[axis];
        length / self.size[1 - axis].max(1) as f64
    }

    /// The values at the centres of `columns` × `rows` cells of the part of the photo.
    fn resampled(&self, part: [f64; 4], columns: usize, rows: usize) -> Vec<f32> {
        let [height, width] = self.size;
        let across = self.points(part, 0, columns);
        let down = self.points(part, 1, rows);
        let value = |row: usize, column: usize| {
            let value = self
                .values
                .get(row.min(height - 1) * width + column.min(width - 1));
            value.copied().unwrap_or(f32::NAN)
        };
        let mut resampled = Vec::with_capacity(columns * rows);
        for (y, below) in &down {
            for (x, right) in &across {
                let mix = |first: f32, second: f32, weight: f32| {
                    // A value with weight 0 is not read, so that a NaN doesn't spread.
                    if weight == 0.0 {
                        first
                    } else {
                        first * (1.0 - weight) + second * weight
                    }
                };
                let upper = mix(value(*y, *x), value(*y, x + 1), *right);
                let lower = mix(value(y + 1, *x), value(y + 1, x + 1), *right);
                resampled.push(mix(upper, lower, *below));
            }
        }
        resampled
    }

    /// For the centre of each of `count` cells along an axis, the value before it and the weight of the value after it.
    fn points(&self, part: [f64; 4], axis: usize, count: usize) -> Vec<(usize, f32)> {
        let step = (part[axis + 2] - part[axis]) / count as f64;
        let last = self.size[1 - axis].saturating_sub(1);
        let point = |index: usize| {
            let place = part[axis] + (index as f64 + 0.5) * step;
            let at = (place - self.bounds[axis]) / self.pitch(axis) - 0.5;
            let at = at.clamp(0.0, last as f64);
            let first = at as usize;
            (first, (at - first as f64) as f32)
        };
        (0..count).map(point).collect()
    }
}

fn same_view(a: PlacedMap, b: PlacedMap) -> Result<CommonPart> {
    let [height, width] = [0, 1].map(|side: usize| a.size[side].max(b.size[side]));
    let enlarge = |map: PlacedMap| {
        if map.size == [height, width] {
            return Ok(map.values.to_vec());
        }
        let [from_height, from_width] = map.size;
        let to = (width as u32, height as u32);
        upsample(map.values, (from_width, from_height), to)
    };
    Ok(CommonPart {
        values: [enlarge(a)?, enlarge(b)?],
        width,
        share: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A map of `count` × `count` cells whose value is linear in the photo's coordinates.
    fn ramp(bounds: [f64; 4], count: usize) -> Vec<f32> {
        let centre = |axis: usize, index: usize| {
            let length = bounds[axis + 2] - bounds[axis];
            bounds[axis] + (index as f64 + 0.5) * length / count as f64
        };
        let cells = (0..count).flat_map(|y| (0..count).map(move |x| (x, y)));
        cells
            .map(|(x, y)| (2.0 * centre(0, x) - 3.0 * centre(1, y)) as f32)
            .collect()
    }

    #[test]
    fn maps_of_different_crops_agree_where_both_see_the_photo() {
        let (wide, narrow) = ([0.0, 0.0, 80.0, 80.0], [20.0, 10.0, 60.0, 50.0]);
        let (a, b) = (ramp(wide, 16), ramp(narrow, 20));
        let place = |values, side, bounds| PlacedMap {
            values,
            size: [side; 2],
            bounds,
        };
        let (a, b) = (place(&a[..], 16, wide), place(&b[..], 20, narrow));
        let common = CommonPart::new(a, b, (100, 80)).unwrap().unwrap();
        // 40 × 40 of 100 × 80 pixels, two pixels apart, as in the finer map.
        assert_eq!(common.share, Some(0.2));
        assert_eq!(common.width, 20);
        assert_eq!(common.values[1], ramp(narrow, 20));
        for (x, y) in common.values[0].iter().zip(&common.values[1]) {
            assert!((x - y).abs() < 1e-4, "{x} {y}");
        }
    }

    #[test]
    fn maps_without_a_common_part_are_not_compared() {
        let values = [1.0; 4];
        let place = |bounds| PlacedMap {
            values: &values,
            size: [2, 2],
            bounds,
        };
        let (left, right) = ([0.0, 0.0, 4.0, 4.0], [4.0, 0.0, 8.0, 4.0]);
        let common = CommonPart::new(place(left), place(right), (8, 4)).unwrap();
        assert!(common.is_none());
    }
}
