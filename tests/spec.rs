//! Valid specs, invalid specs, and the messages of the latter.
//!
//! The message of every spec in `specs/bad` is a snapshot in `snapshots`. `INSTA_UPDATE=always cargo test --test spec`
//! writes those of new specs; read them before you commit them.

use std::path::{Path, PathBuf};

use convscope::network::ClassSpec;
use convscope::spec::{
    ExperimentSpec, ImageSpec, PathStep, SpecFile, TEMPLATE, id_from_path, id_from_text,
    is_valid_id, schema, unique_ids,
};
use convscope::{Error, ErrorKind};
use miette::{GraphicalReportHandler, GraphicalTheme};
use proptest::prelude::*;

fn in_repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn specs(folder: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(in_repository(folder)).expect("the fixtures");
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.is_file())
        .collect();
    paths.sort();
    assert!(!paths.is_empty());
    paths
}

/// The report that the command line prints, with the file's name instead of its path.
fn printed(error: &Error, path: &Path) -> String {
    let mut text = String::new();
    GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor())
        // Where a line breaks would depend on the length of the path to the repository.
        .with_wrap_lines(false)
        .render_report(&mut text, error)
        .expect("a report");
    let name = path.file_name().expect("a name").to_string_lossy();
    text.replace(&path.display().to_string(), &name)
}

#[test]
fn invalid_specs_have_messages_with_positions() {
    for path in specs("tests/specs/bad") {
        let error = SpecFile::read(&path).expect_err(&path.display().to_string());
        assert_eq!(error.kind(), ErrorKind::Spec, "{}", path.display());
        assert_eq!(error.exit_code(), 2);
        let stem = path
            .file_stem()
            .expect("a stem")
            .to_string_lossy()
            .into_owned();
        if ![
            "empty",
            "only_comments",
            "nested_without_end",
            "not_utf8",
            "binary",
        ]
        .contains(&&*stem)
        {
            assert!(error.has_position(), "{stem} has no position");
        }
        insta::assert_snapshot!(stem, printed(&error, &path));
    }
}

#[test]
fn valid_specs_survive_a_round_trip() {
    let mut paths = specs("tests/specs/good");
    paths.extend(specs("experiments"));
    for path in paths {
        let spec = SpecFile::read(&path).unwrap_or_else(|error| panic!("{error:?}"));
        round_trip(&spec.experiment);
    }
    let spec =
        SpecFile::parse("template.yaml", TEMPLATE).unwrap_or_else(|error| panic!("{error:?}"));
    round_trip(&spec.experiment);
}

fn round_trip(experiment: &ExperimentSpec) {
    let yaml = serde_yaml::to_string(experiment).expect("YAML");
    let again =
        SpecFile::parse("again.yaml", &yaml).unwrap_or_else(|error| panic!("{error:?}\n{yaml}"));
    assert_eq!(&again.experiment, experiment, "{yaml}");
    let json = serde_json::to_string(experiment).expect("JSON");
    let again: ExperimentSpec = serde_json::from_str(&json).expect("the same experiment");
    assert_eq!(&again, experiment, "{json}");
}

#[test]
fn defaults_are_written_out_and_change_nothing() {
    let spec = SpecFile::read(&in_repository("tests/specs/good/least.yaml")).expect("right");
    let complete = spec.experiment.with_defaults();
    let yaml = serde_yaml::to_string(&complete).expect("YAML");
    assert_eq!(
        yaml,
        "title: The least that is a spec\nlang: en\nseed: 0\nmodels:\n- id: resnet18\n  \
         arch: resnet18\nimages:\n- path: cat.jpg\nclasses:\n- predicted\nmethods: []\n"
    );
    round_trip(&complete);
    assert_eq!(complete.with_defaults(), complete);
    let spec = SpecFile::read(&in_repository("tests/specs/good/shorthands.yaml")).expect("right");
    let complete = spec.experiment.with_defaults();
    round_trip(&complete);
    let ids: Vec<_> = complete
        .models
        .iter()
        .flat_map(|model| model.id.as_deref())
        .collect();
    assert_eq!(
        ids,
        ["resnet50", "vgg16", "vgg.2_b-c", "mine", "theirs", "raw"]
    );
    let methods = serde_yaml::to_string(&complete.methods).expect("YAML");
    assert!(methods.contains("count: 64"), "{methods}");
}

#[test]
fn short_forms_equal_their_long_forms() {
    let spec = SpecFile::read(&in_repository("tests/specs/good/shorthands.yaml")).expect("right");
    let experiment = &spec.experiment;
    assert_eq!(
        experiment.models[3].preprocess,
        experiment.models[4].preprocess
    );
    let classes = &experiment.classes;
    assert_eq!(classes[0], ClassSpec::Predicted);
    assert_eq!(classes[3], ClassSpec::Name("n02123045".into()));
    assert_eq!(classes[4], ClassSpec::Index(7));
    assert_eq!(classes[5], ClassSpec::Name("8".into()));
    let ImageSpec::Path { class, .. } = &experiment.images[3] else {
        panic!("a path");
    };
    assert_eq!(class, &["281"]);
    let ImageSpec::Pack { pick, .. } = &experiment.images[11] else {
        panic!("a pack");
    };
    assert_eq!(pick, &["bull mastiff", "imagenet_00_243", "5"]);
    assert_eq!(spec.folder(), in_repository("tests/specs/good"));
    assert_eq!(
        spec.resolve(Path::new("a.jpg")),
        in_repository("tests/specs/good/a.jpg")
    );
    assert_eq!(spec.resolve(Path::new("/a.jpg")), Path::new("/a.jpg"));
}

/// Editors check specs with the schema: it must accept every valid spec, and reject what a schema can express.
#[test]
fn the_schema_accepts_what_the_reader_accepts() {
    let validator = jsonschema::validator_for(&schema()).expect("a schema");
    let json = |path: &Path| {
        let text = std::fs::read_to_string(path).ok()?;
        serde_yaml::from_str::<serde_json::Value>(text.trim_start_matches('\u{feff}')).ok()
    };
    for path in specs("tests/specs/good")
        .into_iter()
        .chain(specs("experiments"))
    {
        let value = json(&path).expect("YAML");
        let faults: Vec<String> = validator
            .iter_errors(&value)
            .map(|e| e.to_string())
            .collect();
        assert!(faults.is_empty(), "{}: {faults:?}", path.display());
    }
    // A schema can't express that an entry is given twice, or rules beyond ranges; JSON has no aliases.
    let not_in_schema = [
        "duplicate_key",
        "duplicate_nested_key",
        "duplicate_option",
        "alias_bomb",
        "box_inside_out",
        "checks_without_images",
        "class_twice",
        "collection_not_used",
        "contrast_with_itself",
        "duplicate_id",
        "image_twice",
        "layer_bad_glob",
        "layer_empty",
        "layer_too_deep",
        "mean_of_bytes",
        "method_twice",
        "method_without_images",
    ];
    for path in specs("tests/specs/bad") {
        let stem = path
            .file_stem()
            .expect("a stem")
            .to_string_lossy()
            .into_owned();
        if let Some(value) = json(&path).filter(|_| !not_in_schema.contains(&&*stem)) {
            assert!(!validator.is_valid(&value), "the schema accepts {stem}");
        }
    }
}

#[test]
fn overrides_change_the_text_in_place() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let text = "# a comment\ntitle: T\nmodels:\n  - resnet50  # the first\n  - arch: vgg16\n    \
                weights: imagenet-gap\nimages: [cat.jpg]\nmethods:\n  - saliency\n  - grad_cam\n  \
                - filters:\n  - activations:\n      layers:\n        - last\n        - stage3 # end\n";
    std::fs::write(file.path(), text).expect("to write");
    let set = |sets: &[&str]| {
        let sets: Vec<String> = sets.iter().map(|set| set.to_string()).collect();
        SpecFile::read_with_overrides(file.path(), &sets)
    };
    let spec = set(&[
        "seed=3",
        "models.0.weights=x.pth",
        "models.1.weights=random",
        "models.1.preprocess.resize=none",
        "images.0.class=tabby",
        "methods.1.grad_cam.layers=[stage4]",
        "methods.2.filters.count=8",
        "methods.3.activations.layers=[first]",
        "title=A \"quoted\" ż, and more",
        "classes=[label, 7]",
        "seed=4",
    ])
    .unwrap_or_else(|error| panic!("{error:?}"));
    insta::assert_snapshot!("overrides", spec.text());
    assert_eq!(spec.experiment.seed, 4);
    assert_eq!(spec.experiment.models[0].weights.as_deref(), Some("x.pth"));
    assert_eq!(spec.experiment.title, "A \"quoted\" ż, and more");

    let mut messages = String::new();
    for wrong in [
        "seed",
        "=3",
        "models..arch=vgg16",
        "models.7.arch=vgg16",
        "models.x=vgg16",
        "title.a=b",
        "title=[",
        "images.0.0=a",
        "metods.0=a",
        "methods.0.grad_cam.layers=[last]",
        "models.0.wieghts=a.pth",
        "seed=many",
        "models=[]",
    ] {
        let error = set(&[wrong]).expect_err(wrong);
        assert_eq!(error.exit_code(), 2);
        messages.push_str(&format!("{wrong}\n    {}\n", error.full_message()));
        messages.push_str(&format!("    {}\n", error.help_text().unwrap_or_default()));
    }
    let messages = messages.replace(&file.path().display().to_string(), "spec.yaml");
    insta::assert_snapshot!("overrides_wrong", messages);
}

#[test]
fn errors_found_later_point_into_the_file() {
    let text = "title: T\nmodels:\n  - resnet50\n  - {arch: vgg16, weights: żółw.pth}\nimages: [cat.jpg]\n";
    let spec = SpecFile::parse("later.yaml", text).expect("right");
    let at =
        |path: &[PathStep]| printed(&spec.error_at(path, "m", "l", "h"), Path::new("later.yaml"));
    let value = at(&[
        PathStep::Key("models"),
        PathStep::Index(1),
        PathStep::Key("weights"),
    ]);
    assert!(value.contains("later.yaml:4:28"), "{value}");
    let path = [
        PathStep::Key("models"),
        PathStep::Index(1),
        PathStep::Key("weights"),
    ];
    let key = printed(
        &spec.error_at_key(&path, "m", "l", "h"),
        Path::new("later.yaml"),
    );
    assert!(key.contains("later.yaml:4:19"), "{key}");
    // The short form has no `arch`, and `methods` is absent: the deepest value that is written.
    let short = at(&[
        PathStep::Key("models"),
        PathStep::Index(0),
        PathStep::Key("arch"),
    ]);
    assert!(short.contains("later.yaml:3:5"), "{short}");
    let absent = at(&[PathStep::Key("methods"), PathStep::Index(0)]);
    assert!(absent.contains("later.yaml:1:1"), "{absent}");
    let from_network = convscope::network::zoo::find("vgg17").unwrap_err();
    let error = spec.attach_position(&path, from_network);
    assert_eq!(error.kind(), ErrorKind::Spec);
    assert!(error.has_position() && error.help_text().is_some());
}

#[test]
fn a_missing_file_and_a_folder_are_errors() {
    let missing = SpecFile::read(Path::new("no/such.yaml")).unwrap_err();
    assert_eq!(missing.exit_code(), 2);
    assert!(missing.message().contains("no/such.yaml"));
    assert_eq!(
        SpecFile::read(&in_repository("tests")).unwrap_err().kind(),
        ErrorKind::Io
    );
}

#[test]
fn ids_are_valid_and_unique() {
    let entry = |explicit, default: &str| (explicit, default.to_owned());
    let ids = unique_ids([
        entry(None, "cat"),
        entry(Some("dog"), "x"),
        entry(None, "cat"),
        entry(None, "dog"),
        entry(None, "cat"),
        entry(Some("cat-2"), "x"),
    ]);
    assert_eq!(ids, ["cat", "dog", "cat-3", "dog-2", "cat-4", "cat-2"]);
    // In linear time: a second search for each would take minutes.
    let many = unique_ids((0..200_000).map(|_| entry(None, "a")));
    assert_eq!(many[199_999], "a-200000");
    assert_eq!(id_from_path(Path::new("a/my photo (2).jpeg")), "my-photo-2");
    assert_eq!(id_from_text("żółw"), "w");
    assert_eq!(id_from_text("///"), "unnamed");
    assert!(
        is_valid_id("a.b-c_1")
            && !is_valid_id("")
            && !is_valid_id("..")
            && !is_valid_id("a/b")
            && !is_valid_id("_x")
    );
}

#[test]
fn deep_nesting_and_nested_aliases_are_errors_and_take_no_time() {
    for unit in [
        "[", "{a: ", "- ", "? ", "[{a: ", "- a: ", "!!seq [", "&a [", "'",
    ] {
        for start in ["", "title: ", "models:\n  "] {
            let error = SpecFile::parse("deep.yaml", &format!("{start}{}", unit.repeat(20_000)));
            assert_eq!(error.expect_err(unit).exit_code(), 2);
        }
    }
    // 10⁹ entries, if the aliases were expanded.
    let mut bomb = "&a [x,x,x,x,x,x,x,x,x,x]".to_owned();
    for pair in ["ab", "bc", "cd", "de", "ef", "fg", "gh", "hi"] {
        let (from, to) = pair.split_at(1);
        bomb.push_str(&format!(
            ", &{to} [{}]",
            vec![format!("*{from}"); 10].join(",")
        ));
    }
    let text = format!("title: T\nmodels: [{bomb}]\nimages: [{{pack: p, pick: *i}}]\n");
    assert!(SpecFile::parse("bomb.yaml", &text).is_err());
    let text = format!("images: [{bomb}]\ntitle: *i\nmodels: *i\nclasses: [*i]\n");
    assert!(SpecFile::parse("bomb.yaml", &text).is_err());
    let set = [format!("models=[{bomb}]")];
    let error = SpecFile::read_with_overrides(&in_repository("experiments/quickstart.yaml"), &set)
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
}

/// The fixtures' texts, with parts replaced.
fn mutated() -> impl Strategy<Value = String> {
    let mut paths = specs("tests/specs/good");
    paths.extend(specs("tests/specs/bad"));
    let texts: Vec<String> = paths
        .iter()
        .filter_map(|path| std::fs::read_to_string(path).ok())
        .filter(|text| text.len() < 3000)
        .collect();
    let pieces = [
        "\t", "\n", "- ", ": ", "[", "]", "{", "}", "*a", "&a ", "\"", "'", "|", ">", "#", "---\n",
        "...\n", "!!str ", "<<", "\u{0}", "\u{85}", "ż", "🐢", "? ", "%", "\r", "-1", "~", "1e999",
        "\u{feff}",
    ];
    let edits = prop::collection::vec(
        (0.0..1.0, 0.0..0.2, prop::sample::select(pieces.to_vec())),
        1..6,
    );
    (prop::sample::select(texts), edits).prop_map(|(text, edits)| {
        let mut text: Vec<char> = text.chars().collect();
        for (at, share, piece) in edits {
            let at = (at * text.len() as f64) as usize;
            let end = (at + (share * text.len() as f64) as usize).min(text.len());
            text.splice(at..end, piece.chars());
        }
        text.into_iter().collect()
    })
}

fn assert_read_or_rejected(text: &str) {
    match SpecFile::parse("any.yaml", text) {
        Ok(spec) => round_trip(&spec.experiment),
        Err(error) => {
            assert_eq!(error.exit_code(), 2);
            assert!(!printed(&error, Path::new("any.yaml")).is_empty());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mutated_specs_cause_no_panic(text in mutated()) {
        assert_read_or_rejected(&text);
    }

    #[test]
    fn texts_cause_no_panic(text in "\\PC{0,60}|[\\x00-\\x7f]{0,60}|[\\[\\]{}:,\\-#&*!|>'\"%@` \\t\\n]{0,40}") {
        assert_read_or_rejected(&text);
    }

    #[test]
    fn overrides_cause_no_panic(key in "(title|models|images|methods|seed|[a-z0-9.]{1,3})(\\.[0-9a-z]{1,5}){0,3}", value in "\\PC{0,12}") {
        let set = format!("{key}={value}");
        if let Err(error) = SpecFile::read_with_overrides(&in_repository("experiments/quickstart.yaml"), &[set]) {
            prop_assert_eq!(error.exit_code(), 2);
        }
    }
}

#[test]
fn the_committed_schema_is_current() {
    let path = in_repository("schema/experiment.schema.json");
    let fresh = serde_json::to_string_pretty(&schema()).expect("JSON") + "\n";
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &fresh).expect("to write the schema");
    }
    let committed = std::fs::read_to_string(&path).expect("the schema");
    assert!(
        committed == fresh,
        "the schema is stale: UPDATE=1 cargo test --test spec"
    );
}
