//! The section on shortcuts, on results made up here: three blocks in two networks, none in the third.

use super::*;

const BLOCKS: usize = 3;

/// What one network says of its residual blocks on one photo.
pub fn add(
    results: &mut Results,
    tensors: &mut Tensors,
    place: usize,
    image: &str,
    label: &ClassInfo,
) {
    let (id, ..) = NETWORKS[place];
    let mut blocks = Vec::new();
    for number in 0..if place == 1 { 0 } else { BLOCKS } {
        let add = format!("layer{}.0.add", number + 1);
        let key = format!("{id}/{image}/skip_connections/{}/{add}", label.index);
        let maps = EnergyMaps {
            shortcut: format!("{key}/shortcut"),
            branch: format!("{key}/branch"),
        };
        let side = [112, 28, 7][number];
        for (map, x) in [(&maps.shortcut, 0.3), (&maps.branch, 0.7)] {
            let values = hill(side, side, x, 0.5, 4.0 + place as f32);
            tensors.insert(map.clone(), Array::f32(&[side, side], values));
        }
        let cut = |probability: f32, same: bool| AblatedPrediction {
            value: 10.0 * probability,
            probability: Some(probability),
            top_class: Some(if same {
                label.clone()
            } else {
                class(1, "boxer")
            }),
        };
        blocks.push(ResidualBlock {
            add,
            depth: 0.2 + 0.3 * number as f64,
            shape: [64 << number, side as i64, side as i64],
            projection: number == 1,
            norm_ratio: Some(0.5 + 0.25 * number as f32),
            cosine: (number != 2).then_some(-0.125),
            without_branch: cut([0.7, 0.3, 0.75][number], number != 1),
            without_shortcut: cut([0.0, 0.1, 0.4][number], number == 2),
            gradient: Some(GradientShares {
                shortcut: 0.9,
                branch: 0.1,
            }),
            input_gradient: Some(GradientShares {
                shortcut: 1.25,
                branch: -0.25,
            }),
            maps: Some(maps),
        });
    }
    let content = if blocks.is_empty() {
        Content::Absent {
            reason: Note::new("note.no_residual_blocks"),
        }
    } else {
        Content::Shortcuts {
            value: 8.0,
            quantity: Quantity::Logit,
            probability: Some(0.8),
            blocks,
        }
    };
    results.figures.push(Figure {
        method: "skip_connections".into(),
        model: id.into(),
        image: Some(image.into()),
        target: Some(label.clone().into()),
        layer: None,
        content,
        notes: vec![],
    });
}

/// The section alone.
fn section(page: &str) -> &str {
    let from = page.find("<section id=\"shortcuts\">").expect("a section");
    let length = page[from..].find("</section>").expect("its end");
    &page[from..from + length]
}

#[test]
fn both_languages_have_the_section() {
    for (lang, title, absent) in [
        (
            Lang::En,
            "What the shortcuts do",
            "This network has no residual blocks",
        ),
        (
            Lang::Pl,
            "Co robią połączenia skrótowe",
            "Ta sieć nie ma bloków rezydualnych",
        ),
    ] {
        let page = page(lang);
        assert!(page.contains("<a href=\"#shortcuts\">"));
        let section = section(&page);
        assert!(section.contains(title));
        // Once for the network, not once for every photo.
        assert_eq!(section.matches(absent).count(), 1);
        assert_eq!(section.matches("<svg class=\"chart\"").count(), 8);
        // Two networks, two photos, two sides.
        let maps = 2 * 2 * 2 * BLOCKS;
        assert_eq!(section.matches("<svg class=\"pic bare").count(), maps);
        // Of these made-up maps some are the same, and each is stored once.
        assert_eq!(section.matches("<image id=\"s-").count(), 12);
        // The first photo is open, the others are closed.
        assert_eq!(
            section.matches("<details class=\"blocks\" open>").count(),
            1
        );
        assert_eq!(section.matches("<details class=\"blocks\">").count(), 1);
        assert!(
            !page.contains("href=\"#method-skip_connections\""),
            "no row among a photo's"
        );
    }
}

#[test]
fn the_summary_counts_the_predictions() {
    let page = page(Lang::En);
    let section = section(&page);
    for sentence in [
        "resnet50 predicts the class with a probability of 80.0\u{a0}% on average. Without one branch it is 58.3\u{a0}%, \
         and the predicted class stays the same in 4 of 6 cases; without one shortcut it is 16.7\u{a0}%, and the \
         predicted class stays the same in 2 of 6.",
        "In resnet50, removing the branch of layer2.0 costs the most (50.0 percentage points lost on average), and \
         removing the shortcut of layer3.0 costs the least (40.0).",
        "Without a shortcut, resnet50 most often predicts: boxer (4).",
    ] {
        assert!(section.contains(sentence), "{sentence}");
    }
}

#[test]
fn a_missing_map_or_number_is_a_dash() {
    let (results, mut tensors) = results(Lang::En);
    let dashes = |tensors: &Tensors| {
        let page = render(&results, tensors, &RenderOptions::default()).unwrap();
        section(&page).matches("<td>–</td>").count()
    };
    // The cosine of each network's last block, on both photos.
    assert_eq!(dashes(&tensors), 4);
    tensors.retain(|key, _| !key.ends_with("layer1.0.add/branch"));
    assert_eq!(dashes(&tensors), 8);
}
