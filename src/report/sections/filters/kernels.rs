//! The kernels of one layer of one network as an image.

use serde::Serialize;

use crate::error::Result;
use crate::figures::{Content, Figure};
use crate::image::{MosaicGrid, ValueScale};
use crate::report::input::ReportInput;
use crate::report::views::image_store::{ImageStore, StoredImageView};
use crate::report::views::net::NetView;

/// Side of one weight of a colour kernel, in pixels of the stored image.
const ZOOM: u32 = 4;

/// At most so many dead kernels are listed.
const LISTED: usize = 12;

/// The kernels of one network for one selector.
#[derive(Debug, Serialize)]
pub struct FilterCellView {
    net: NetView,
    layer: String,
    /// The kernels: of a first layer on the common scale, and on its own where the two differ much.
    images: Vec<KernelsView>,
    caption: String,
    /// Which of them are dead, in a sentence.
    dead: Option<String>,
    message: Option<String>,
    notes: Vec<String>,
}

/// Kernels as one stored image.
#[derive(Debug, Serialize)]
struct KernelsView {
    id: String,
    width: u32,
    height: u32,
    alt: String,
    /// The title of an image that is not the first one.
    title: Option<String>,
    /// Whether the page's palette colours it.
    signed: bool,
    /// The dead kernels, in per cent of the sides: left, top, right, bottom.
    marks: Vec<[f64; 4]>,
    /// The end of its scale.
    end: String,
}

impl FilterCellView {
    /// A cell without kernels.
    pub fn message(net: &NetView, message: String) -> FilterCellView {
        FilterCellView {
            net: net.clone(),
            layer: String::new(),
            images: Vec::new(),
            caption: String::new(),
            dead: None,
            message: Some(message),
            notes: Vec::new(),
        }
    }
}

/// Makes the cells of all networks, and stores their images.
#[derive(Debug)]
pub struct KernelRenderer<'a> {
    input: &'a ReportInput<'a>,
    store: ImageStore,
    /// The magnitudes of the first layers.
    magnitudes: Vec<f32>,
}

impl<'a> KernelRenderer<'a> {
    /// For `figures`, whose first layers have a common scale.
    pub fn new(input: &'a ReportInput<'a>, figures: &[&Figure]) -> KernelRenderer<'a> {
        let magnitudes = figures.iter().filter_map(|figure| match figure.content {
            Content::ColourKernels { magnitude, .. } => Some(magnitude),
            _ => None,
        });
        KernelRenderer {
            input,
            store: ImageStore::new("k"),
            magnitudes: magnitudes.collect(),
        }
    }

    /// The end of the common scale of all first layers, where there are some.
    pub fn common_magnitude(&self) -> Option<String> {
        let magnitude = f64::from(self.largest_magnitude());
        (!self.magnitudes.is_empty()).then(|| self.input.words.number(magnitude))
    }

    fn largest_magnitude(&self) -> f32 {
        self.magnitudes.iter().copied().fold(0.0, f32::max)
    }

    /// The stored images.
    pub fn into_stored(self) -> Vec<StoredImageView> {
        self.store.stored
    }

    /// The cell of a figure.
    ///
    /// # Errors
    /// If an image can't be encoded.
    pub fn cell(&mut self, net: &NetView, figure: &Figure) -> Result<FilterCellView> {
        let words = self.input.words;
        let mut cell = FilterCellView {
            layer: figure.layer.clone().unwrap_or_default(),
            message: None,
            notes: figure.notes.iter().map(|note| words.note(note)).collect(),
            ..FilterCellView::message(net, String::new())
        };
        match &figure.content {
            Content::ColourKernels {
                units, total, dead, ..
            } => {
                if self.add_tiles(&mut cell, &figure.content)? {
                    cell.dead = self.dead_kernels(units, *total, dead);
                }
            }
            Content::Kernels {
                units, total, dead, ..
            } => {
                if self.add_slices(&mut cell, &figure.content)? {
                    cell.dead = self.dead_kernels(units, *total, dead);
                }
            }
            Content::Absent { reason } => cell.message = Some(words.note(reason)),
            _ => cell.message = Some(words.text("cell.none", &[])),
        }
        Ok(cell)
    }

    /// The kernels of a first layer as colour tiles; whether the tensor is there.
    fn add_tiles(&mut self, cell: &mut FilterCellView, content: &Content) -> Result<bool> {
        let Content::ColourKernels {
            tensor,
            units,
            total,
            magnitude,
            dead,
        } = content
        else {
            return Ok(false);
        };
        let words = self.input.words;
        let array = self.input.tensors.get(tensor);
        let Some((values, [count, 3, height, width])) = array.and_then(|array| array.shaped())
        else {
            cell.message = Some(self.input.missing_tensor(tensor));
            return Ok(false);
        };
        let kernel = format!("{width} × {height}");
        let shown = count.to_string();
        let own_magnitude = words.number(f64::from(*magnitude));
        let gaps = [
            ("network", &*cell.net.id),
            ("shown", &*shown),
            ("kernel", &*kernel),
        ];
        let alt = words.text("alt.filters", &gaps);
        let grid = MosaicGrid::new(count, width, height, ZOOM)?;
        let common = self.largest_magnitude();
        let smallest = self
            .magnitudes
            .iter()
            .copied()
            .fold(f32::INFINITY, f32::min);
        let mut scales = vec![(common, None)];
        if common > 2.0 * smallest {
            let title = words.text("filters.own", &[("magnitude", &own_magnitude)]);
            scales.push((*magnitude, Some(title)));
        }
        for (end, title) in scales {
            let tiles = crate::image::kernel_mosaic(values, [count, height, width], end, ZOOM)?;
            cell.images.push(KernelsView {
                id: self.store.rgb(&tiles)?,
                width: tiles.width(),
                height: tiles.height(),
                alt: alt.clone(),
                title,
                signed: false,
                marks: marks(grid, units, dead),
                end: words.number(f64::from(end)),
            });
        }
        let gaps = [
            ("shown", &*shown),
            ("of", &*total.to_string()),
            ("kernel", &*kernel),
            ("magnitude", &*own_magnitude),
        ];
        cell.caption = words.text("filters.caption", &gaps);
        Ok(true)
    }

    /// The kernels of a deeper layer as slices, or those of a 1×1 convolution as a matrix; whether the tensor is there.
    fn add_slices(&mut self, cell: &mut FilterCellView, content: &Content) -> Result<bool> {
        let Content::Kernels {
            tensor,
            units,
            total,
            total_inputs,
            magnitude,
            dead,
            ..
        } = content
        else {
            return Ok(false);
        };
        let words = self.input.words;
        let array = self.input.tensors.get(tensor);
        let Some((values, [k, s, height, width])) = array.and_then(|array| array.shaped()) else {
            cell.message = Some(self.input.missing_tensor(tensor));
            return Ok(false);
        };
        let gaps = [
            ("network", &*cell.net.id),
            ("layer", &*cell.layer),
            ("shown", &*k.to_string()),
            ("of", &*total.to_string()),
            ("slices", &*s.to_string()),
            ("inputs", &*total_inputs.to_string()),
            ("kernel", &*format!("{width} × {height}")),
        ];
        let alt = words.text("alt.kernels", &gaps);
        let is_matrix = (height, width) == (1, 1);
        let caption = match (is_matrix, total_inputs) {
            (true, _) => "filters.matrix",
            (false, 1) => "filters.depthwise",
            (false, _) => "filters.slices",
        };
        let caption = words.text(caption, &gaps);
        let scale = ValueScale::symmetric(*magnitude);
        let (indices, [columns, rows], marks) = if is_matrix {
            (scale.indices(values), [s as u32, k as u32], Vec::new())
        } else {
            let (strips, [h, w]) = strips(values, [k, s, height, width]);
            let mosaic = crate::image::channel_mosaic(&strips, [k, h, w], &[scale], 1)?;
            let marks = marks(mosaic.grid, units, dead);
            (mosaic.indices, [mosaic.width, mosaic.height], marks)
        };
        cell.images.push(KernelsView {
            id: self.store.grey(columns, rows, &indices)?,
            width: columns,
            height: rows,
            alt,
            title: None,
            signed: true,
            marks,
            end: words.number(f64::from(*magnitude)),
        });
        cell.caption = caption;
        Ok(true)
    }

    /// Which kernels are dead, in a sentence; `None` where none is.
    fn dead_kernels(&self, units: &[usize], total: usize, dead: &[usize]) -> Option<String> {
        let marked = units.iter().any(|unit| dead.contains(unit));
        let mut list: Vec<String> = dead.iter().take(LISTED).map(usize::to_string).collect();
        if dead.len() > LISTED {
            list.push("…".into());
        }
        let key = if marked {
            "filters.dead"
        } else {
            "filters.dead_beyond"
        };
        let gaps = [
            ("count", &*dead.len().to_string()),
            ("of", &*total.to_string()),
            ("list", &*list.join(", ")),
        ];
        (!dead.is_empty()).then(|| self.input.words.text(key, &gaps))
    }
}

/// The slices of each kernel side by side, with a margin at the right and the bottom whose values are no numbers, so that a
/// mosaic of them has gaps: `[k, h, w]`, and the last two.
fn strips(values: &[f32], [k, s, height, width]: [usize; 4]) -> (Vec<f32>, [usize; 2]) {
    let alone = s == 1;
    let margin = usize::from(!alone);
    let (high, wide) = (height + margin, s * (width + 1) - 1 + 2 * margin);
    let mut strips = vec![f32::NAN; k * high * wide];
    for (from, value) in values.iter().enumerate() {
        let (x, y) = (from % width, from / width % height);
        let (slice, kernel) = (from / (width * height) % s, from / (width * height * s));
        let index = (kernel * high + y) * wide + slice * (width + 1) + x;
        if let Some(to) = strips.get_mut(index) {
            *to = *value;
        }
    }
    (strips, [high, wide])
}

/// The positions of the dead ones among the `units` of a mosaic, in per cent of its sides: left, top, right, bottom.
fn marks(grid: MosaicGrid, units: &[usize], dead: &[usize]) -> Vec<[f64; 4]> {
    let across = |x: u32| 100.0 * f64::from(x) / f64::from(grid.width().max(1));
    let down = |y: u32| 100.0 * f64::from(y) / f64::from(grid.height().max(1));
    let marked = units
        .iter()
        .enumerate()
        .filter(|(_, unit)| dead.contains(unit));
    marked
        .map(|(index, _)| {
            let (left, top) = grid.origin(index);
            [
                across(left),
                down(top),
                across(left + grid.tile_width),
                down(top + grid.tile_height),
            ]
        })
        .collect()
}
