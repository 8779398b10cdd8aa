//! The palettes that the page can colour maps with.

use serde::Serialize;

use crate::image::ColourMap;

/// The tables of one SVG filter: the colour of each grey level.
#[derive(Debug, Serialize)]
pub struct PaletteView {
    /// `viridis`
    pub name: String,
    /// `Viridis`
    pub title: String,
    /// Whether it is for signed maps.
    pub signed: bool,
    /// Of red, green and blue.
    pub tables: [String; 3],
}

/// All palettes, sequential ones first.
pub fn palettes() -> Vec<PaletteView> {
    ColourMap::ALL.into_iter().map(palette).collect()
}

fn palette(map: ColourMap) -> PaletteView {
    let mut colours = map.palette();
    // Level 0 has no colour where a mosaic has gaps; elsewhere it only ever rounds level 1.
    colours[0] = colours[1];
    let table = |channel: usize| {
        let entries: Vec<String> = colours
            .iter()
            .map(|colour| {
                let part = f64::from(colour[channel]) / 255.0;
                format!("{part:.3}").trim_start_matches('0').to_owned()
            })
            .collect();
        entries.join(" ")
    };
    PaletteView {
        name: format!("{map:?}").to_lowercase(),
        title: format!("{map:?}"),
        signed: map.is_diverging(),
        tables: [table(0), table(1), table(2)],
    }
}
