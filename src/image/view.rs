//! An image as a network sees it: resized and cropped, with as many channels as the network takes.

use image::RgbImage;

use super::bands::{Bands, Samples};
use super::decode::DecodedImage;
use super::preprocess::Preprocess;
use crate::error::{Error, ErrorKind, Result};

/// An image after the resizing and cropping of a network, before normalisation.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// The picture of it that is shown.
    pub pixels: RgbImage,
    /// What the network gets, channel by channel, where it is not `pixels`.
    channels: Option<Vec<Vec<f32>>>,
}

impl View {
    /// A view of three channels of 8 bits.
    pub fn from_pixels(pixels: RgbImage) -> View {
        View {
            pixels,
            channels: None,
        }
    }

    /// The channels, 0 to 1 for images of 8 and 16 bits, where they are not those of the picture.
    pub fn channels(&self) -> Option<&[Vec<f32>]> {
        self.channels.as_deref()
    }

    /// How many channels it has.
    pub fn count(&self) -> usize {
        self.channels.as_ref().map_or(3, Vec::len)
    }
}

/// The channels of an image before resizing.
enum Channels {
    /// The three colours of the picture.
    Picture,
    /// Bands of 8 bits.
    Bytes(Vec<Vec<u8>>),
    /// Bands of another depth.
    Floats(Vec<Vec<f32>>),
}

impl Preprocess {
    /// What a network of `channels` channels sees of an image. Where the numbers differ, opacity is left out, one band is
    /// repeated for three channels, and of three bands the luma is computed for one (ITU-R 601-2, as Pillow does).
    ///
    /// # Errors
    /// If the image has another number of bands, if `mean` is beyond 0 to 1 for an image of integers, or as
    /// [`view`](Self::view).
    pub fn view_of(&self, image: &DecodedImage, channels: usize) -> Result<View> {
        self.check_means(image)?;
        let size = image.pixels.dimensions();
        let chosen = choose(image, channels)?;
        let pixels = self.view(&image.pixels)?;
        let channels = match chosen {
            Channels::Picture => None,
            Channels::Bytes(bands) => {
                let unit = |value: u8| f32::from(value) / 255.0;
                let bands = bands.iter().map(|band| {
                    let band = self.view_band(band, size)?;
                    Ok(band.into_iter().map(unit).collect())
                });
                Some(bands.collect::<Result<Vec<Vec<f32>>>>()?)
            }
            Channels::Floats(bands) => {
                let bands = bands.iter().map(|band| self.view_floats(band, size));
                Some(bands.collect::<Result<_>>()?)
            }
        };
        Ok(View { pixels, channels })
    }

    /// The input `[channels, height, width]` of a view: `(x − mean) / std` in float32, where x is 0 to 1 for images of 8 and
    /// 16 bits.
    pub fn normalise_view(&self, view: &View) -> Vec<f32> {
        let Some(channels) = &view.channels else {
            return self.normalise(&view.pixels);
        };
        let channels = channels.iter().enumerate();
        let normalised = channels.flat_map(|(index, values)| {
            let (mean, std) = self.channel(index);
            values.iter().map(move |value| (value - mean) / std)
        });
        normalised.collect()
    }

    /// # Errors
    /// If a mean is one of levels from 0 to 255, but the image's samples are 0 to 1.
    fn check_means(&self, image: &DecodedImage) -> Result<()> {
        let is_float = image
            .bands
            .as_ref()
            .is_some_and(|bands| matches!(bands.samples(), Samples::Float(_)));
        match self.beyond_unit() {
            Some(mean) if !is_float => {
                let message = format!(
                    "`mean` is {mean}, but the samples of this image are 0 to 1: a mean beyond that is for floats"
                );
                Err(Error::new(ErrorKind::Image, message)
                    .help("divide means of samples from 0 to 255 by 255, and those from 0 to 65535 by 65535"))
            }
            _ => Ok(()),
        }
    }
}

/// The channels that a network of `count` channels gets of an image.
fn choose(image: &DecodedImage, count: usize) -> Result<Channels> {
    let Some(bands) = &image.bands else {
        return match count {
            3 => Ok(Channels::Picture),
            1 => Ok(Channels::Bytes(vec![luma_of_picture(&image.pixels)])),
            _ => Err(mismatch(3, false, count)),
        };
    };
    let of_file = bands.count();
    let colours = of_file - usize::from(bands.has_alpha());
    // Opacity is the last band.
    let source: Vec<usize> = if count == of_file || count == colours {
        (0..count).collect()
    } else if count == 3 && colours == 1 {
        vec![0; 3]
    } else if count == 1 && colours == 3 {
        return Ok(luma(bands));
    } else {
        return Err(mismatch(of_file, bands.has_alpha(), count));
    };
    let is_plain = image
        .drawing
        .as_ref()
        .is_none_or(|drawing| drawing.is_plain());
    Ok(match bands.samples() {
        // The picture has the same three bands, and is resized once.
        Samples::Bits8(_) if count == 3 && is_plain => Channels::Picture,
        Samples::Bits8(_) => {
            let bytes = source.iter().map(|band| bands.bytes(*band));
            Channels::Bytes(
                bytes
                    .map(|band| band.unwrap_or_default().to_vec())
                    .collect(),
            )
        }
        _ => Channels::Floats(source.iter().map(|band| bands.floats(*band)).collect()),
    })
}

/// Pillow's luma of 8-bit colours.
fn luma_byte(red: u8, green: u8, blue: u8) -> u8 {
    let sum = 19595 * u32::from(red) + 38470 * u32::from(green) + 7471 * u32::from(blue);
    ((sum + 0x8000) >> 16) as u8
}

fn luma_of_picture(pixels: &RgbImage) -> Vec<u8> {
    let pixels = pixels.pixels();
    pixels
        .map(|pixel| luma_byte(pixel[0], pixel[1], pixel[2]))
        .collect()
}

/// The luma of the first three bands.
fn luma(bands: &Bands) -> Channels {
    let bytes = [0, 1, 2].map(|band| bands.bytes(band));
    if let [Some(red), Some(green), Some(blue)] = bytes {
        let colours = red.iter().zip(green).zip(blue);
        let luma = colours.map(|((red, green), blue)| luma_byte(*red, *green, *blue));
        return Channels::Bytes(vec![luma.collect()]);
    }
    let [red, green, blue] = [0, 1, 2].map(|band| bands.floats(band));
    let colours = red.iter().zip(&green).zip(&blue);
    let luma = colours.map(|((red, green), blue)| 0.299 * red + 0.587 * green + 0.114 * blue);
    Channels::Floats(vec![luma.collect()])
}

fn mismatch(bands: usize, has_alpha: bool, channels: usize) -> Error {
    let plural = |count: usize, what: &str| match count {
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    };
    let opacity = if has_alpha {
        ", the last of them opacity"
    } else {
        ""
    };
    let message = format!(
        "the image has {}{opacity}, and the network takes {}",
        plural(bands, "band"),
        plural(channels, "channel")
    );
    let right = match channels {
        1 => "an image of 1 band, or of 3, whose luma is computed".to_owned(),
        3 => "an image of 3 bands, or of 1, which is repeated".to_owned(),
        _ => format!(
            "an image of {} (TIFF and .npy hold any number)",
            plural(channels, "band")
        ),
    };
    Error::new(ErrorKind::Image, message).help(format!(
        "give it {right}; `show` chooses what is drawn, not what the network gets"
    ))
}
