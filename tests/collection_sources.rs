//! What a `collection` may be: folders with labels, tables and lists of files, samples; and what is refused.

use std::path::Path;
use std::sync::Mutex;

use convscope::error::{Error, Result};
use convscope::fetch::Cache;
use convscope::plan::{ImageLabel, Plan, PlannedImage};
use convscope::progress::{Progress, Silent};
use convscope::report::{self, RenderOptions};
use convscope::run::{self, RunOptions};
use convscope::spec::SpecFile;
use image::{Rgb, RgbImage};

/// Keeps the warnings of a plan.
#[derive(Default)]
struct Warnings(Mutex<Vec<String>>);

impl Progress for Warnings {
    fn step(&self, _: &str) {}

    fn warn(&self, text: &str) {
        self.0.lock().unwrap().push(text.to_owned());
    }
}

/// A folder with twelve images in `photos`: `a00.png` to `a11.png`, the odd ones in `photos/odd`.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let odd = folder.path().join("photos/odd");
    std::fs::create_dir_all(&odd).unwrap();
    for number in 0..12u32 {
        let image = RgbImage::from_pixel(8, 8, Rgb([number as u8 * 20, 40, 90]));
        let place = if number % 2 == 1 {
            "photos/odd"
        } else {
            "photos"
        };
        let path = folder.path().join(place).join(format!("a{number:02}.png"));
        image.save(path).unwrap();
    }
    folder
}

fn write(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(name), text).unwrap();
}

/// The collection of a spec, and the warnings of its plan.
fn plan(folder: &Path, seed: u64, collection: &str) -> Result<(Vec<PlannedImage>, Vec<String>)> {
    let text = format!(
        "title: T\nseed: {seed}\n\
         models: [{{arch: resnet18, weights: random}}]\n\
         images: [photos/a00.png]\ncollection: {collection}\n\
         methods: [{{exemplars: {{layers: [layer1], top: 1}}}}]\n"
    );
    let path = folder.join("spec.yaml");
    std::fs::write(&path, text).unwrap();
    let cache = Cache {
        offline: true,
        root: folder.join("cache"),
    };
    let warnings = Warnings::default();
    let plan = Plan::new(&SpecFile::read(&path)?, &cache, &warnings)?;
    Ok((plan.collection, warnings.0.into_inner().unwrap()))
}

fn collection(folder: &Path, collection: &str) -> Vec<PlannedImage> {
    plan(folder, 0, collection).unwrap().0
}

fn refused(folder: &Path, collection: &str) -> Error {
    plan(folder, 0, collection).unwrap_err()
}

fn ids(images: &[PlannedImage]) -> Vec<&str> {
    images.iter().map(|image| &*image.id).collect()
}

fn named(class: &str) -> ImageLabel {
    ImageLabel::Named(class.to_owned())
}

#[test]
fn a_csv_beside_a_folder_names_images_classes_and_groups() {
    let folder = folder();
    let text = "\u{feff}Path,class,split,camera\n\
                odd/a03.png,n01440764,val,red\n\
                a02.png,\"great white shark\",train,\n\
                photos/a04.png,1|goldfish,val,blue\n\
                a00.png,,val,red\n";
    write(folder.path(), "truth.csv", text);
    let all = collection(folder.path(), "{dir: photos, labels: truth.csv}");
    assert_eq!(ids(&all), ["a03", "a02", "a04", "a00"]);
    assert_eq!(all[0].labels, [named("n01440764")]);
    assert_eq!(all[1].labels, [named("great white shark")]);
    assert_eq!(all[2].labels, [named("1"), named("goldfish")]);
    assert_eq!(all[3].labels, []);
    assert_eq!(all[0].group("camera"), Some("red"));
    assert_eq!(all[1].group("camera"), None);
    assert_eq!(all[1].group("split"), Some("train"));
    assert_eq!(all[0].source, "photos/odd/a03.png");
    assert_eq!(all[2].label_line.as_ref().unwrap().line, 4);

    let split = collection(
        folder.path(),
        "{dir: photos, labels: truth.csv, split: val}",
    );
    assert_eq!(ids(&split), ["a03", "a04", "a00"]);
}

#[test]
fn a_csv_alone_is_a_collection() {
    let folder = folder();
    write(
        &folder.path().join("photos"),
        "truth.tsv",
        "class\tpath\ntench\todd/a01.png\ngoldfish\ta00.png\n",
    );
    let images = collection(folder.path(), "{labels: photos/truth.tsv}");
    assert_eq!(ids(&images), ["a01", "a00"]);
    assert_eq!(images[0].labels, [named("tench")]);
    assert_eq!(images[0].source, "photos/odd/a01.png");
}

#[test]
fn text_files_name_classes_in_the_order_of_the_files() {
    let folder = folder();
    let classes: Vec<String> = (0..12).map(|class| class.to_string()).collect();
    write(folder.path(), "labels.txt", &(classes.join("\n") + "\n\n"));
    let images = collection(folder.path(), "{dir: photos, labels: labels.txt, limit: 7}");
    let wanted = ["a00", "a02", "a04", "a06", "a08", "a10", "a01"];
    assert_eq!(ids(&images), wanted);
    assert_eq!(images[6].labels, [named("6")]);

    let wnids = "n01440764\n".repeat(12);
    write(folder.path(), "synset_labels.txt", &wnids);
    let images = collection(folder.path(), "{dir: photos, labels: synset_labels.txt}");
    assert_eq!(images[11].labels, [named("n01440764")]);

    // The form of Caffe: a path and an index.
    write(folder.path(), "val.txt", "a02.png 65\nodd/a01.png 970\n");
    let images = collection(folder.path(), "{dir: photos, labels: val.txt}");
    assert_eq!(ids(&images), ["a02", "a01"]);
    assert_eq!(images[1].labels, [named("970")]);
}

#[test]
fn a_list_names_images_and_another_file_their_classes() {
    let folder = folder();
    let list = "photos/odd/a05.png\n\nphotos/a00.png\nphotos/none.png\nphotos/a02.png\n";
    write(folder.path(), "files.txt", list);
    let (images, warnings) = plan(folder.path(), 0, "{list: files.txt}").unwrap();
    assert_eq!(ids(&images), ["a05", "a00", "a02"]);
    assert_eq!(images[0].labels, [ImageLabel::Inferred("odd".into())]);
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].contains("1 of the 4 images"), "{warnings:?}");
    assert!(
        warnings[0].contains("line 4 is photos/none.png"),
        "{warnings:?}"
    );

    write(folder.path(), "classes.txt", "tench\ngoldfish\njeep\nhen\n");
    let images = collection(folder.path(), "{list: files.txt, labels: classes.txt}");
    assert_eq!(ids(&images), ["a05", "a00", "a02"]);
    assert_eq!(images[2].labels, [named("hen")]);
    assert_eq!(images[2].label_line.as_ref().unwrap().line, 4);
}

#[test]
fn a_sample_depends_on_the_seed_alone() {
    let folder = folder();
    let draw = |seed| {
        plan(folder.path(), seed, "{dir: photos, sample: 5}")
            .unwrap()
            .0
    };
    let first = draw(3);
    assert_eq!(first.len(), 5);
    assert_eq!(ids(&first), ids(&draw(3)));
    assert!((0..5).any(|seed| ids(&draw(seed)) != ids(&first)));
    // In the order of the paths.
    let mut sorted: Vec<_> = first.iter().map(|image| image.file.path.clone()).collect();
    sorted.sort();
    assert!(first.iter().map(|image| &image.file.path).eq(&sorted));
    // Each image is drawn about as often as the others: 5 of 12 in 600 draws is 250 ± 12.
    let mut count = std::collections::BTreeMap::<String, u32>::new();
    for seed in 0..600 {
        for image in draw(seed) {
            *count.entry(image.id).or_default() += 1;
        }
    }
    assert_eq!(count.len(), 12);
    assert!(
        count.values().all(|count| (200..300).contains(count)),
        "{count:?}"
    );
    assert_eq!(
        collection(folder.path(), "{dir: photos, sample: 99}").len(),
        12
    );
}

#[test]
fn wrong_files_are_refused() {
    let folder = folder();
    let files = [
        ("empty.csv", ""),
        ("header.csv", "path,class\n"),
        ("no_class.csv", "path,label\na00.png,tench\n"),
        ("two.csv", "path,class,class\na00.png,tench,hen\n"),
        ("short.csv", "path,class\na00.png\n"),
        ("no_path.csv", "path,class\na00.png,tench\n,hen\n"),
        ("twice.csv", "path,class\na00.png,tench\n./a00.png,hen\n"),
        ("gone.csv", "path,class\nx.png,tench\ny.png,hen\n"),
        (
            "unknown.csv",
            "path,class\na00.png,tench\na02.png,unicorn\n",
        ),
        (
            "splits.csv",
            "path,class,split\na00.png,tench,train\na02.png,hen,test\n",
        ),
        ("short.txt", "tench\nhen\n"),
        ("gap.txt", "tench\n\nhen\n"),
        ("from_1.txt", "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n"),
        (
            "ILSVRC2012_validation_ground_truth.txt",
            "0\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n",
        ),
        ("files.txt", "photos/a00.png\nphotos/a02.png\n"),
    ];
    for (name, text) in files {
        write(folder.path(), name, text);
    }
    let cases = [
        ("labels: empty.csv", "is empty"),
        ("labels: header.csv", "has no rows"),
        ("labels: no_class.csv", "has no column `class`"),
        ("labels: two.csv", "has two columns `class`"),
        ("labels: short.csv", "is no table in CSV"),
        ("labels: no_path.csv", "line 3 of"),
        ("labels: twice.csv", "twice, in lines 2 and 3"),
        ("labels: gone.csv", "none of the 2 images that"),
        ("labels: unknown.csv", "line 3 of"),
        (
            "labels: splits.csv, split: val",
            "has no row whose `split` is `val`",
        ),
        ("labels: gone.csv, split: val", "has no column `split`"),
        (
            "labels: short.txt",
            "has 2 lines, but there are 12 images below",
        ),
        ("labels: short.txt, split: val", "`split` needs a CSV"),
        ("labels: gap.txt", "line 2 of"),
        ("labels: from_1.txt", "nothing says what the first one is"),
        (
            "labels: ILSVRC2012_validation_ground_truth.txt",
            "nothing says what the first one is",
        ),
        ("labels: nowhere.csv", "doesn't exist"),
    ];
    for (keys, wanted) in cases {
        let error = refused(folder.path(), &format!("{{dir: photos, {keys}}}"));
        let message = error.full_message();
        assert!(message.contains(wanted), "{keys}: {message}");
        assert!(error.help_text().is_some(), "{keys}: {message}");
        let points = error.has_position();
        assert!(points || keys == "labels: unknown.csv", "{keys}: {message}");
    }
    let cases = [
        ("{list: nowhere.txt}", "doesn't exist"),
        ("{list: files.txt, labels: gone.csv}", "both name images"),
        ("{list: files.txt, labels: gap.txt}", "line 2 of"),
        ("{labels: short.txt}", "names classes and no images"),
        ("{dir: nowhere, labels: gone.csv}", "there is no folder"),
    ];
    for (entry, wanted) in cases {
        let error = refused(folder.path(), entry);
        let message = error.full_message();
        assert!(message.contains(wanted), "{entry}: {message}");
        assert!(error.has_position(), "{entry}: {message}");
    }
}

#[test]
fn a_report_needs_no_images_beside_a_collection() {
    let folder = folder();
    write(
        folder.path(),
        "truth.csv",
        "path,class\na00.png,tench\na02.png,hen\nodd/a01.png,hen\na04.png,hen\n",
    );
    let model = |seed| {
        format!(
            "{{id: net{seed}, arch: resnet18, weights: random, preprocess: {{resize: 32, crop: 32}}}}"
        )
    };
    let text = format!(
        "title: T\nmodels: [{}, {}]\ncollection: {{dir: photos, labels: truth.csv}}\n\
         methods:\n  - exemplars: {{layers: [layer1], units: [0], top: 2, maximize: 0}}\n",
        model(1),
        model(2)
    );
    let path = folder.path().join("spec.yaml");
    std::fs::write(&path, text).unwrap();
    let options = RunOptions {
        offline: true,
        cache: Some(folder.path().join("cache")),
        ..RunOptions::default()
    };
    let spec = SpecFile::read(&path).unwrap();
    let output = run::run_spec(&spec, &options, &Silent).unwrap();
    assert!(
        output.results.failures.is_empty(),
        "{:?}",
        output.results.failures
    );
    assert!(output.results.images.is_empty());
    assert_eq!(output.results.collection.as_ref().unwrap().images, 4);
    let page = report::render(&output.results, &output.tensors, &RenderOptions::default()).unwrap();
    if let Some(copy) = std::env::var_os("CONVSCOPE_KEEP_PAGE") {
        std::fs::write(copy, &page).unwrap();
    }
    assert!(page.contains("2 networks, 4 images:"));
    for absent in ["id=\"predictions\"", "id=\"comparison\"", "0 photos"] {
        assert!(!page.contains(absent), "{absent}");
    }
    assert!(page.contains("id=\"exemplars\""));
    let lock = convscope::results::lock::to_yaml(&output.results, &spec, folder.path()).unwrap();
    assert!(lock.contains("labels: truth.csv"), "{lock}");
    assert!(!lock.contains("images:\n- "), "{lock}");
    SpecFile::parse("lock.yaml", &lock).unwrap();
}

/// A tar file with these members.
fn tar_file(path: &Path, members: &[(&str, &[u8])]) {
    let mut builder = tar::Builder::new(std::fs::File::create(path).unwrap());
    for (name, bytes) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, *bytes).unwrap();
    }
    builder.finish().unwrap();
}

fn png(number: u8) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let image = RgbImage::from_pixel(8, 8, Rgb([number * 20, 40, 90]));
    image.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// Two shards of two samples each, beside the photos.
fn shards() -> tempfile::TempDir {
    let folder = folder();
    let shards = folder.path().join("shards");
    std::fs::create_dir(&shards).unwrap();
    let members: [(&str, &[u8]); 6] = [
        ("a/0001.png", &png(1)),
        ("a/0001.cls", b"207\n"),
        ("a/0001.json", b"{}"),
        ("n02108422/0002.left.png", &png(2)),
        ("n02108422/0002.right.png", &png(3)),
        ("n02108422/0002.cls", b"243"),
    ];
    tar_file(&shards.join("07.tar"), &members);
    let members: [(&str, &[u8]); 2] = [
        ("n02123045_5.png", &png(4)),
        ("._n02123045_5.png", b"a Mac's resource fork"),
    ];
    tar_file(&shards.join("08.tar"), &members);
    folder
}

#[test]
fn tar_files_are_collections() {
    let folder = shards();
    let folder = folder.path();
    let found = collection(folder, "{tar: \"shards/{07..08}.tar\"}");
    assert_eq!(
        ids(&found),
        ["0001", "0002.left", "0002.right", "n02123045_5"]
    );
    assert_eq!(found[0].source, "shards/07.tar: a/0001.png");
    assert_eq!(found[0].labels, [named("207")]);
    assert_eq!(found[1].labels, [named("243")]);
    assert_eq!(found[2].labels, [named("243")]);
    assert_eq!(
        found[3].labels,
        [ImageLabel::Inferred("n02123045".to_owned())]
    );
    for (image, number) in found.iter().zip([1, 2, 3, 4]) {
        let decoded = image.decode().unwrap();
        assert_eq!(decoded.pixels.get_pixel(3, 3), &Rgb([number * 20, 40, 90]));
        let alone = convscope::image::DecodedImage::from_bytes("x", &png(number)).unwrap();
        assert_eq!(decoded.sha256, alone.sha256);
    }
    assert_eq!(collection(folder, "{tar: \"shards/*.tar\"}").len(), 4);
    assert_eq!(collection(folder, "{tar: shards/08.tar}").len(), 1);
    assert_eq!(
        collection(folder, "{tar: \"shards/*.tar\", limit: 3}").len(),
        3
    );
    assert_eq!(
        collection(folder, "{tar: \"shards/*.tar\", sample: 2}").len(),
        2
    );
}

#[test]
fn a_tar_file_is_searched_like_a_folder() {
    let folder = shards();
    let folder = folder.path();
    let run = |collection: &str| {
        let text = format!(
            "title: T\nseed: 3\nmodels: [{{arch: resnet18, weights: random, preprocess: {{resize: none, crop: none}}}}]\n\
             collection: {collection}\nmethods: [{{exemplars: {{layers: [layer1], units: 2, top: 4, maximize: 0}}}}, evaluate]\n"
        );
        write(folder, "spec.yaml", &text);
        let options = RunOptions {
            offline: true,
            cache: Some(folder.join("cache")),
            ..RunOptions::default()
        };
        let spec = SpecFile::read(&folder.join("spec.yaml")).unwrap();
        run::run_spec(&spec, &options, &Silent).unwrap()
    };
    let files = folder.join("files");
    for (name, number) in [
        ("n02099601/0001.png", 1),
        ("n02108422/0002.left.png", 2),
        ("n02108422/0002.right.png", 3),
        ("n02123045/n02123045_5.png", 4),
    ] {
        std::fs::create_dir_all(files.join(name).parent().unwrap()).unwrap();
        std::fs::write(files.join(name), png(number)).unwrap();
    }
    let (shards, files) = (run("{tar: \"shards/*.tar\"}"), run("files"));
    assert!(
        shards.results.failures.is_empty(),
        "{:?}",
        shards.results.failures
    );
    assert_eq!(shards.results.evaluation.as_ref().unwrap().images, 4);
    let (a, b) = (&shards.results.collection, &files.results.collection);
    assert_eq!(a.as_ref().unwrap().sha256, b.as_ref().unwrap().sha256);
    assert!(shards.tensors == files.tensors);
}

#[test]
fn tar_files_that_can_not_be_used_are_refused() {
    let folder = shards();
    let folder = folder.path();
    let refused = |collection: &str, words: &[&str]| {
        let error = refused(folder, collection);
        assert_eq!(error.exit_code(), 2, "{error}");
        let text = error.full_message();
        for word in words {
            assert!(text.contains(word), "{text}");
        }
        assert!(error.has_position(), "{text}");
    };
    refused(
        "{tar: \"shards/{07..09}.tar\"}",
        &["there is no tar file", "09.tar"],
    );
    refused("{tar: \"shards/*.tgz\"}", &["there is no file", "*.tgz"]);
    refused(
        "{tar: \"shards/{9..7}.tar\"}",
        &["{9..7}", "ends before it starts"],
    );
    let whole = std::fs::read(folder.join("shards/07.tar")).unwrap();
    std::fs::write(folder.join("cut.tar"), &whole[..700]).unwrap();
    refused(
        "{tar: cut.tar}",
        &["cut.tar is no tar file, or is damaged", "cut short"],
    );
    std::fs::write(folder.join("cut.tar"), &whole[..1536]).unwrap();
    refused(
        "{tar: cut.tar}",
        &["the blocks that end a tar file are missing"],
    );
    std::fs::write(folder.join("cut.tar"), "").unwrap();
    refused("{tar: cut.tar}", &["it is empty"]);
    let mut damaged = whole.clone();
    damaged[120] ^= 7;
    std::fs::write(folder.join("cut.tar"), damaged).unwrap();
    refused("{tar: cut.tar}", &["is no tar file, or is damaged"]);
    tar_file(&folder.join("none.tar"), &[("a.txt", b"text")]);
    refused("{tar: none.tar}", &["none.tar has no images in it"]);
    refused("{tar: shards/07.tar, labels: x.csv}", &["`labels` needs"]);
}
