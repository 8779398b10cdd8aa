//! A figure as an SVG file: images in a row between a caption and a colour bar.

use image::RgbImage;

use super::charts::standalone::{FONTS, escape};
use crate::error::Result;
use crate::image::{ColourMap, Interpolation, data_uri};

/// The width of a drawing, in its own units; the SVG has no size.
const WIDTH: f64 = 1200.0;

/// The margin around it.
const MARGIN: f64 = 24.0;

/// The gap between two images.
const GAP: f64 = 14.0;

/// A figure to be drawn.
#[derive(Debug)]
pub struct FigureDrawing {
    /// The first line of the caption.
    pub heading: String,
    /// The other lines of the caption.
    pub lines: Vec<String>,
    /// The images from left to right.
    pub images: Vec<DrawnImage>,
    /// The colour bar below them.
    pub bar: Option<ColourBar>,
}

/// An image of a figure; only the ratio of its sides counts.
#[derive(Debug)]
pub struct DrawnImage {
    /// Its bytes, as a `data:` URI.
    pub uri: String,
    width: f64,
    height: f64,
}

/// A colour bar with the numbers at its ends.
#[derive(Debug)]
pub struct ColourBar {
    /// Its image, as a `data:` URI.
    pub uri: String,
    /// The number at its left end.
    pub low: String,
    /// The number at its right end.
    pub high: String,
}

impl DrawnImage {
    fn new(uri: String, (width, height): (u32, u32)) -> Self {
        DrawnImage {
            uri,
            width: f64::from(width),
            height: f64::from(height),
        }
    }

    /// An image as it is.
    ///
    /// # Errors
    /// If it has no pixels.
    pub fn png(pixels: &RgbImage) -> Result<DrawnImage> {
        let bytes = crate::image::encode_rgb_png(pixels)?;
        Ok(DrawnImage::new(
            data_uri("image/png", &bytes),
            pixels.dimensions(),
        ))
    }

    /// A photo, enlarged so that its pixels are not visible in print.
    ///
    /// # Errors
    /// If it has no pixels.
    pub fn photo(photo: &RgbImage) -> Result<Self> {
        let times = (900 / photo.width().max(1)).clamp(1, 4);
        let (width, height) = (photo.width() * times, photo.height() * times);
        let large = crate::image::resize(photo, width, height, Interpolation::Bicubic);
        let bytes = crate::image::encode_jpeg(&large, 92)?;
        Ok(DrawnImage::new(
            data_uri("image/jpeg", &bytes),
            photo.dimensions(),
        ))
    }

    /// A map, each value a square.
    ///
    /// # Errors
    /// If it has no values.
    pub fn map(
        (width, height): (usize, usize),
        indices: &[u8],
        colours: ColourMap,
    ) -> Result<Self> {
        let times = (900 / width.max(height).max(1)).max(1);
        let (wide, high) = (width * times, height * times);
        let large: Vec<u8> = (0..wide * high)
            .map(|at| indices[at / wide / times * width + at % wide / times])
            .collect();
        let size = (wide as u32, high as u32);
        let bytes = crate::image::encode_palette_png(size.0, size.1, &large, &colours.palette())?;
        Ok(DrawnImage::new(data_uri("image/png", &bytes), size))
    }

    /// The same in other proportions.
    pub fn with_sides(self, (width, height): (usize, usize)) -> Self {
        DrawnImage {
            uri: self.uri,
            width: width as f64,
            height: height as f64,
        }
    }
}

impl FigureDrawing {
    /// The images in a row of one height, the caption above and the colour bar below.
    pub fn svg(&self) -> String {
        let room = WIDTH - 2.0 * MARGIN - GAP * (self.images.len().saturating_sub(1)) as f64;
        let wide: f64 = self.images.iter().map(|p| p.width / p.height).sum();
        let height = (room / wide.max(f64::MIN_POSITIVE)).min(1100.0);
        let mut body = String::new();
        let mut y = MARGIN + 24.0;
        let mut add_line = |size: f64, weight: u32, y: f64, text: &str| {
            body.push_str(&format!(
                "<text x=\"{MARGIN}\" y=\"{y}\" font-size=\"{size}\" font-weight=\"{weight}\">{}</text>\n",
                escape(text)
            ));
        };
        add_line(26.0, 700, y, &self.heading);
        for text in &self.lines {
            y += 26.0;
            add_line(18.0, 400, y, text);
        }
        y += 22.0;
        let mut x = MARGIN;
        for image in &self.images {
            let width = height * image.width / image.height;
            body.push_str(&format!(
                "<image x=\"{x:.2}\" y=\"{y}\" width=\"{width:.2}\" height=\"{height:.2}\" \
                 preserveAspectRatio=\"none\" href=\"{}\"/>\n",
                image.uri
            ));
            x += width + GAP;
        }
        y += height;
        if let Some(bar) = &self.bar {
            y += 20.0;
            body.push_str(&format!(
                "<image x=\"{MARGIN}\" y=\"{y}\" width=\"360\" height=\"16\" \
                 preserveAspectRatio=\"none\" href=\"{}\"/>\n<text x=\"{MARGIN}\" y=\"{}\" \
                 font-size=\"18\">{}</text>\n<text x=\"{}\" y=\"{}\" font-size=\"18\" \
                 text-anchor=\"end\">{}</text>\n",
                bar.uri,
                y + 38.0,
                escape(&bar.low),
                MARGIN + 360.0,
                y + 38.0,
                escape(&bar.high)
            ));
            y += 40.0;
        }
        let height = y + MARGIN;
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height:.2}\" \
             font-family=\"{FONTS}\" fill=\"#1b1f24\">\n<title>{}</title>\n\
             <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n{body}</svg>\n",
            escape(&self.heading)
        )
    }
}
