//! The report of made-up results: its texts, figures, charts and templates, and the page in a browser.

use std::collections::{BTreeMap, BTreeSet};

use convscope::figures::*;
use convscope::report::{RenderOptions, Words, figure, keys, render, templates};
use convscope::results::*;
use convscope::spec::Lang;
use regex::Regex;

use made_up_results::{NETWORKS, class, hill, results};

#[path = "report/browser.rs"]
mod browser;
mod common;
#[path = "report/made_up_results.rs"]
mod made_up_results;
#[path = "report/skip_connections.rs"]
mod skip_connections;

fn page(lang: Lang) -> String {
    let (results, tensors) = results(lang);
    render(&results, &tensors, &RenderOptions::default()).expect("a report")
}

/// The keys of a language with the gaps of their texts. Nouns with a number are a language's own matter.
fn keys_with_gaps(words: &Words) -> BTreeMap<String, BTreeSet<String>> {
    let gap = Regex::new(r"\{(\w+)(:count\.[\w.]+)?\}").unwrap();
    let own = words
        .entries()
        .filter(|(key, _)| !key.starts_with("count."));
    own.map(|(key, forms)| {
        let gaps = forms.iter().flat_map(|form| gap.captures_iter(form));
        (key.to_owned(), gaps.map(|g| g[1].to_owned()).collect())
    })
    .collect()
}

#[test]
fn both_languages_have_the_same_keys_and_gaps() {
    let [en, pl] = [Lang::En, Lang::Pl].map(|lang| keys_with_gaps(&Words::new(lang)));
    assert!(en.len() > 80, "the word file is read");
    // The English texts of methods and checks are in the code; a text without a translation is shown in English.
    let methods = convscope::methods::MethodSpec::all();
    let methods = methods
        .iter()
        .flat_map(|entry| entry.method().info().texts());
    let checks = convscope::checks::CheckSpec::all();
    let checks = checks.iter().flat_map(|entry| entry.check().info().texts());
    let in_code: BTreeSet<String> = methods.chain(checks).map(|(key, _)| key).collect();
    for (key, gaps) in &en {
        match pl.get(key) {
            None => assert!(in_code.contains(key), "templates/words/pl.yaml lacks {key}"),
            found => assert_eq!(Some(gaps), found, "the gaps of {key}"),
        }
    }
    for key in pl.keys() {
        // The English texts of notes on networks are in the code.
        let in_code = key.starts_with("network_note.");
        assert!(in_code || en.contains_key(key), "only Polish has {key}");
    }
}

#[test]
fn every_noun_with_a_number_is_there() {
    let noun = Regex::new(r":(count\.[\w.]+)\}").unwrap();
    for lang in [Lang::En, Lang::Pl] {
        let words = Words::new(lang);
        let keys: BTreeSet<&str> = words.entries().map(|(key, _)| key).collect();
        for (key, forms) in words.entries() {
            for found in forms.iter().flat_map(|form| noun.captures_iter(form)) {
                assert!(keys.contains(&found[1]), "{key} needs {}", &found[1]);
            }
        }
    }
}

#[test]
fn every_text_that_a_template_shows_is_there() {
    let shown = Regex::new(r#"\bt\("([^"]+)""#).unwrap();
    let words = Words::new(Lang::En);
    let keys: BTreeSet<&str> = words.entries().map(|(key, _)| key).collect();
    assert!(templates().count() > 20);
    for (name, text) in templates() {
        for found in shown.captures_iter(text) {
            assert!(keys.contains(&found[1]), "{name} shows {}", &found[1]);
        }
    }
}

#[test]
fn every_method_and_check_has_its_papers() {
    let papers = convscope::report::papers();
    let year = Regex::new(r"\((19|20)\d\d\)\. \w").unwrap();
    let keys = convscope::methods::MethodSpec::NAMES.iter();
    for key in keys.chain(convscope::checks::CheckSpec::NAMES) {
        let own = papers.get(*key).expect(key);
        assert!(
            !own.is_empty() && own.iter().all(|paper| year.is_match(paper)),
            "`papers` of {key} must have at least one entry like `Author, A. (2013). Title. Journal`"
        );
    }
    let page = page(Lang::En);
    assert_eq!(
        page.matches("Deep inside convolutional networks").count(),
        1
    );
}

#[test]
fn a_page_has_texts_and_no_keys() {
    for lang in [Lang::En, Lang::Pl] {
        let page = page(lang);
        if let Some(folder) = std::env::var_os("CONVSCOPE_KEEP_PAGES") {
            let name = format!("{}.html", Words::new(lang).tag());
            std::fs::write(std::path::Path::new(&folder).join(name), &page).unwrap();
        }
        for (key, _) in Words::new(lang).entries() {
            assert!(
                !page.contains(&format!(">{key}<")),
                "the page has the key {key}"
            );
        }
    }
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    assert!(page(Lang::En) == page(Lang::En));
}

#[test]
fn each_photo_and_each_map_is_stored_once_and_every_use_finds_it() {
    let page = page(Lang::En);
    let ids = Regex::new(r#"<image id="([^"]+)""#).unwrap();
    let stored: Vec<String> = ids.captures_iter(&page).map(|c| c[1].to_owned()).collect();
    let distinct: BTreeSet<&String> = stored.iter().collect();
    assert_eq!(distinct.len(), stored.len());
    // Two photos, two projections, which are the same for all networks (patches are cut out of the photo), and the thumbnails of
    // the atlas.
    assert_eq!(page.matches("data:image/jpeg").count(), 2 + 2 + 1);
    let used = Regex::new(r##"href="#([^"]+)""##).unwrap();
    let anchors = Regex::new(r#" id="([^"]+)""#).unwrap();
    let known: BTreeSet<String> = anchors
        .captures_iter(&page)
        .map(|c| c[1].to_owned())
        .collect();
    for found in used.captures_iter(&page) {
        assert!(
            known.contains(&found[1]),
            "nothing has the id {}",
            &found[1]
        );
    }
}

#[test]
fn nothing_outside_the_page_is_named() {
    let page = page(Lang::En);
    let outside = Regex::new(r#"(?:src|href|url\()\s*=?\s*["']?(?:https?:)?//"#).unwrap();
    assert!(!outside.is_match(&page));
    assert!(page.contains("default-src &#x27;none&#x27;") || page.contains("default-src 'none'"));
}

#[test]
fn names_are_escaped_everywhere() {
    let (mut results, tensors) = results(Lang::En);
    let evil = "<script>alert(1)</script>";
    results.experiment.title = evil.into();
    results.experiment.question = Some(evil.into());
    results.spec = format!("title: {evil}");
    results.images[0].source = evil.into();
    results.failures[0].message = evil.into();
    results.models[0].weights.source = evil.into();
    results.models[0].preprocessing = Note::new("preprocess.crop").with("side", evil);
    for figure in &mut results.figures {
        figure.notes.push(Note::new(evil));
    }
    let (from, to) = (results.models[0].id.clone(), evil.to_owned());
    results.models[0].id = to.clone();
    for prediction in results.predictions.iter_mut().filter(|p| p.model == from) {
        prediction.model = to.clone();
        prediction.top[0].class.name = evil.into();
    }
    let page = render(&results, &tensors, &RenderOptions::default()).unwrap();
    assert_eq!(
        page.matches("<script>").count(),
        1,
        "the page's own and no other"
    );
}

#[test]
fn the_summary_counts() {
    let page = page(Lang::En);
    let text = page.replace("&#x2f;", "/");
    assert!(text.contains("resnet50 ranks the true class first for 2 of 2 labelled photos"));
    assert!(text.contains("lite0 ranks the true class first for 1 of 2 labelled photos"));
    assert!(text.contains("All networks predict the true class of 1 photo: bull mastiff."));
    assert!(
        text.contains(
            "Only some networks predict the true class of 1 photo: jeep (resnet50, vgg)."
        )
    );
}

#[test]
fn a_map_of_zeros_and_a_missing_tensor_are_reported() {
    let (results, mut tensors) = results(Lang::En);
    let page = render(&results, &tensors, &RenderOptions::default()).unwrap();
    assert_eq!(page.matches("Every value is 0.").count(), 1);
    tensors.retain(|key, _| !key.contains("saliency"));
    let page = render(&results, &tensors, &RenderOptions::default()).unwrap();
    assert!(page.contains("is missing from data.safetensors"));
}

#[test]
fn an_error_replaces_the_filters_of_its_network() {
    let (mut results, tensors) = results(Lang::En);
    results
        .figures
        .retain(|figure| figure.method != "filters" || figure.model != "vgg");
    let section = |results: &Results| {
        let page = render(results, &tensors, &RenderOptions::default()).unwrap();
        let start = page.find("<section id=\"filters\">").unwrap();
        page[start..start + page[start..].find("</section>").unwrap()].to_owned()
    };
    // The photo that can't be read (it is among the failures) is no reason.
    assert_eq!(
        section(&results)
            .matches("Not computed for this network.")
            .count(),
        2
    );
    results.failures.push(Failure {
        model: Some("vgg".into()),
        image: None,
        method: Some("filters".into()),
        message: "no memory left".into(),
        help: None,
    });
    let after = section(&results);
    assert_eq!(after.matches("This failed: no memory left").count(), 2);
    assert!(!after.contains("Not computed for this network."));
}

#[test]
fn each_selector_has_a_row_of_filters_with_the_dead_ones_marked() {
    let page = page(Lang::En);
    let start = page.find("<section id=\"filters\">").unwrap();
    let section = &page[start..start + page[start..].find("</section>").unwrap()];
    // First layers on the common and on their own scales; then one image per network.
    assert_eq!(section.matches("class=\"pic kernels\"").count(), 3 * 2 + 3);
    assert_eq!(section.matches("<h3>").count(), 2);
    assert!(section.find("<h3>first</h3>").unwrap() < section.find("<h3>stage3</h3>").unwrap());
    // The one dead kernel that is shown, on both scales.
    assert_eq!(section.matches("<path class=\"dead\"").count(), 2);
    assert!(section.contains("2 of 64 kernels are dead, crossed out here: numbers 31, 50"));
    assert!(
        section.contains("1 of 64 kernels is dead and smaller than all that are shown: number 63")
    );
    assert!(section.contains("of each the 4 largest of its 256 slices"));
    assert!(section.contains("10 of 64 depthwise kernels, 5 × 5"));
    assert!(section.contains("1 × 1 kernels have no spatial extent"));
    assert!(section.contains("1 of its 384 kernels is dead: resnet50.stage3.2 1"));
    assert_eq!(
        section.matches("none of its 384 kernels is dead").count(),
        2
    );
    assert!(!section.contains("NaN") && !section.contains("inf"));
}

#[test]
fn a_projection_is_next_to_its_patch() {
    let page = page(Lang::En);
    assert_eq!(page.matches("Not active anywhere in this photo").count(), 3);
    // The third unit's patch, and the box that marks it on the photo.
    assert_eq!(page.matches(r#"viewBox="10 100 200 80""#).count(), 3);
    let marked = r#"<rect x="10" y="100" width="200" height="80"/>"#;
    assert_eq!(page.matches(marked).count(), 3);
    assert!(page.contains("3 of 64 units"));
}

#[test]
fn every_figure_can_be_drawn_by_itself() {
    let (results, tensors) = results(Lang::En);
    let keys = keys(&results, &tensors);
    for key in ["chart/parameters", "chart/truth"] {
        assert!(keys.iter().any(|own| own == key), "{keys:?}");
    }
    for method in [
        "saliency",
        "grad_cam",
        "activations",
        "filters",
        "skip_connections",
    ] {
        assert!(keys.iter().any(|key| key.contains(method)), "{method}");
    }
    for key in &keys {
        let svg = figure(&results, &tensors, key).expect(key);
        assert!(!svg.contains("var(--"), "{key} needs the page");
        let tree = resvg::usvg::Tree::from_str(&svg, &Default::default()).expect(key);
        assert!(tree.size().width() > 100.0, "{key}");
        assert!(!tree.root().children().is_empty(), "{key}");
    }
    let logits = keys.iter().all(|key| !key.ends_with("logits"));
    assert!(logits, "a vector is not a figure");
    let near = keys.iter().find(|key| key.contains("grad_cam")).unwrap();
    let error = figure(&results, &tensors, &near.replace("grad", "grat")).unwrap_err();
    assert!(error.to_string().contains("there is no figure"), "{error}");
}

#[test]
fn a_folder_overrides_single_templates_and_a_broken_one_is_named() {
    let (results, tensors) = results(Lang::En);
    let folder = tempfile::tempdir().unwrap();
    let options = RenderOptions {
        templates: Some(folder.path().to_owned()),
    };
    std::fs::write(
        folder.path().join("filters.html"),
        "<p>mine: {{ page.title }}</p>",
    )
    .unwrap();
    let page = render(&results, &tensors, &options).unwrap();
    assert!(page.contains("<p>mine: Where do three networks look?</p>"));
    std::fs::write(folder.path().join("filters.html"), "\n{{ page.titel }}").unwrap();
    let error = render(&results, &tensors, &options).unwrap_err();
    assert!(
        error.message().contains("filters.html, line 2"),
        "{}",
        error.message()
    );
}

#[test]
fn numbers_are_written_as_the_language_does() {
    let (en, pl) = (Words::new(Lang::En), Words::new(Lang::Pl));
    assert_eq!(en.percent(0.961), "96.1\u{a0}%");
    assert_eq!(pl.percent(0.961), "96,1\u{a0}%");
    assert_eq!(en.percent(0.000_01), "< 0.1\u{a0}%");
    assert_eq!(en.percent(0.99999), "> 99.9\u{a0}%");
    assert_eq!(en.number(0.000_021), "2.10·10⁻⁵");
    assert_eq!(en.number(-2.345_67), "−2.35");
    assert_eq!(pl.prefixed(25_557_032), "25,6\u{a0}M");
    assert_eq!(en.integer(25_557_032), "25\u{202f}557\u{202f}032");
}
