//! `convscope figure`: writes one figure of a finished run as a file, for print and slides.

use std::path::{Path, PathBuf};

use convscope::results::store;
use convscope::{Error, ErrorKind, Result};
use resvg::{tiny_skia, usvg};

use super::exit_status::{Status, print};

#[derive(Debug, clap::Args)]
pub struct FigureArgs {
    /// An output folder of `convscope run`.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// The figure: a key of `data.safetensors` (`resnet50/cat/grad_cam/281/layer4.2.conv3`) or
    /// `chart/parameters`; without it, all keys are listed.
    key: Option<String>,
    /// Write a PNG.
    #[arg(long, value_name = "FILE", requires = "key")]
    png: Option<PathBuf>,
    /// Write an SVG.
    #[arg(long, value_name = "FILE", requires = "key")]
    svg: Option<PathBuf>,
    /// Width of the PNG in pixels; 2400 pixels are 20 cm at 300 dots per inch.
    #[arg(long, default_value_t = 2400, value_parser = clap::value_parser!(u32).range(16..=20_000))]
    width: u32,
}

impl FigureArgs {
    /// Writes the figure, prints its SVG, or lists the keys.
    pub fn run(&self) -> Result<Status> {
        let (results, tensors) = store::read(&self.folder)?;
        let Some(key) = &self.key else {
            return print(&convscope::report::keys(&results, &tensors).join("\n"));
        };
        let svg = convscope::report::figure(&results, &tensors, key)?;
        if let Some(path) = &self.svg {
            write_file(path, svg.as_bytes())?;
        }
        if let Some(path) = &self.png {
            write_file(path, &draw_png(&svg, self.width)?)?;
        }
        match (&self.svg, &self.png) {
            (None, None) => print(&svg),
            (svg, png) => {
                let paths = svg.iter().chain(png);
                let lines: Vec<String> = paths.map(|path| path.display().to_string()).collect();
                print(&lines.join("\n"))
            }
        }
    }
}

/// Writes the file under a temporary name and renames it.
fn write_file(path: &Path, bytes: &[u8]) -> Result<()> {
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .ok_or_else(|| {
            let message = format!("{} is not a file name", path.display());
            Error::new(ErrorKind::Usage, message)
        })?;
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    store::write(folder, &[(name, bytes)])
}

/// Draws the SVG as a PNG with the system's fonts.
fn draw_png(svg: &str, width: u32) -> Result<Vec<u8>> {
    let draw_error =
        |cause: &str| Error::new(ErrorKind::Report, format!("can't draw the figure: {cause}"));
    let mut options = usvg::Options::default();
    options.fontdb_mut().load_system_fonts();
    // The fallback if none of the figure's fonts is installed.
    options.font_family = "DejaVu Sans".to_owned();
    let tree =
        usvg::Tree::from_str(svg, &options).map_err(|error| draw_error(&error.to_string()))?;
    let size = tree.size();
    let scale = width as f32 / size.width();
    let height = (size.height() * scale).ceil() as u32;
    let mut pixels = tiny_skia::Pixmap::new(width, height.max(1))
        .ok_or_else(|| draw_error("it is too large"))?;
    pixels.fill(tiny_skia::Color::WHITE);
    let transform = tiny_skia::Transform::from_scale(scale, scale);
    resvg::render(&tree, transform, &mut pixels.as_mut());
    pixels
        .encode_png()
        .map_err(|error| draw_error(&error.to_string()))
}
