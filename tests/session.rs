//! The session: an experiment that is built equals one that is read, single steps give the values of a run, a network is
//! loaded once, and the HTML of every value leaves the page around it unchanged.
//!
//! The networks are untrained, the image is synthetic.

use convscope::figures::Content;
use convscope::image::RgbImage;
use convscope::prelude::*;
use convscope::progress::Silent;
use convscope::{ErrorKind, run};

fn session() -> (tempfile::TempDir, Session) {
    let folder = tempfile::tempdir().unwrap();
    let options = run::RunOptions {
        cache: Some(folder.path().join("cache")),
        offline: true,
        ..run::RunOptions::default()
    };
    (folder, Session::with(options, Silent))
}

fn small(arch: &str) -> ModelSpec {
    ModelSpec::new(arch).weights("random")
}

fn pixels() -> RgbImage {
    RgbImage::from_fn(90, 80, |x, y| {
        [x as u8 * 2, y as u8 * 3, (x * y) as u8].into()
    })
}

/// Checks that the HTML has no style, script, id or class outside its frames.
fn assert_isolated(html: &str) {
    let outside = regex::Regex::new("srcdoc=\"[^\"]*\"").unwrap();
    let outside = outside.replace_all(html, "");
    assert!(!outside.is_empty());
    for leak in ["<style", "<script", "<link", " id=", " class="] {
        assert!(!outside.contains(leak), "{leak}");
    }
}

#[test]
fn a_step_gives_the_values_of_a_run_and_networks_are_loaded_once() {
    let (folder, session) = session();
    let path = folder.path().join("cat.png");
    pixels().save(&path).unwrap();
    let experiment = Experiment::new("One")
        .model(small("resnet18"))
        .image(&*path)
        .class(281)
        .method(GradCam::last())
        .method(Activations::at(["stage3"]));
    assert_eq!(session.loaded(), 0);
    let report = session.run(&experiment).unwrap();
    assert_eq!(session.loaded(), 1);
    let model = session.network(small("resnet18")).unwrap();
    assert_eq!(session.loaded(), 1, "taken from the session");

    let image = session.image(&*path).unwrap();
    let predictions = model.predict(&image).unwrap();
    let (alone, whole) = (&predictions.all()[0], &report.results().predictions[0]);
    assert_eq!(alone.top[0].class, whole.top[0].class);
    assert_eq!(alone.top[0].logit, whole.top[0].logit);
    assert_eq!(predictions.first(), Some(alone.top[0].class.name.as_str()));

    let step = model.explain_class(281, &image, GradCam::last()).unwrap();
    let of_run = report.figures("grad_cam").unwrap();
    assert_eq!(step.len(), 1);
    assert_eq!(step.map().unwrap(), of_run.map().unwrap());
    let in_memory = Image::from_pixels("cat", pixels());
    let step = model
        .explain_class(281, &in_memory, GradCam::last())
        .unwrap();
    assert_eq!(step.map().unwrap(), of_run.map().unwrap());

    let page = report.save(folder.path().join("out/one")).unwrap();
    assert_eq!(
        std::fs::read_to_string(page).unwrap(),
        report.html().unwrap()
    );
    assert!(folder.path().join("out/one/experiment.lock.yaml").is_file());
}

#[test]
fn a_built_experiment_equals_one_that_is_read() {
    let built = Experiment::new("Side by side: two")
        .question("Where?")
        .seed(3)
        .lang(Lang::Pl)
        .model("resnet50")
        .model(ModelSpec::new("vgg16").weights("imagenet-gap").id("vgg"))
        .image("cat.jpg")
        .image(ImageSpec::path("dog.jpg").class("bull mastiff"))
        .image(ImageSpec::pack("imagenet-20", ["jeep"]))
        .class("label")
        .class(3)
        .method(Saliency::default())
        .method(GradCam::at(["stage3", "last"]))
        .check(Curves::default());
    let read = Experiment::from_yaml(
        "title: 'Side by side: two'
question: Where?
seed: 3
lang: pl
models: [resnet50, {id: vgg, arch: vgg16, weights: imagenet-gap}]
images: [cat.jpg, {path: dog.jpg, class: bull mastiff}, {pack: imagenet-20, pick: jeep}]
classes: [label, 3]
methods: [saliency, grad_cam: {layers: [stage3, last]}]
checks: [curves]
",
    )
    .unwrap();
    assert_eq!(
        built.spec().unwrap().experiment,
        read.spec().unwrap().experiment
    );
    let again = Experiment::from_yaml(&built.to_yaml().unwrap()).unwrap();
    assert_eq!(
        again.spec().unwrap().experiment,
        read.spec().unwrap().experiment
    );
    assert!(
        read.to_string()
            .starts_with("title: 'Side by side: two'\nquestion"),
        "as written"
    );
    // An experiment that was read can be changed, and keeps its folder.
    let more = read.with_path("specs/two.yaml").model("resnet18");
    let spec = more.spec().unwrap();
    assert_eq!(spec.experiment.models.len(), 3);
    assert_eq!(spec.folder(), std::path::Path::new("specs"));
}

#[test]
fn errors_point_at_their_line() {
    let (_folder, session) = session();
    let error = Experiment::from_yaml("title: x\nmodels: [resnet5]\nimages: [a.png]\nmethds: []");
    let message = format!("{:?}", error.unwrap_err());
    assert!(message.contains("experiment:4:1"), "{message}");
    assert!(message.contains("did you mean `methods`?"), "{message}");

    let none = Experiment::new("No image").model(small("resnet18"));
    let message = format!("{:?}", session.run(&none).unwrap_err());
    assert!(message.contains("has no `images`"), "{message}");
    let error = session.network("resnet51").unwrap_err();
    assert!(format!("{error:?}").contains("resnet50"), "{error:?}");
    let error = session.image("nowhere.png").unwrap_err();
    assert!(error.message().contains("nowhere.png") && !error.has_position());

    let model = session.network(small("resnet18")).unwrap();
    let image = Image::from_pixels("noise", pixels());
    let error = model.explain(&image, GradCam::at(["layer9"])).unwrap_err();
    assert!(error.message().contains("layer9"), "{error:?}");
    let none = Activations {
        channels: Channels::Strongest(0),
        ..Activations::last()
    };
    let error = model.explain(&image, none).unwrap_err();
    assert!(
        error.message() == "`channels` must be 1 or more, got 0" && !error.has_position(),
        "{error:?}"
    );
    let error = session.network(small("resnet18").id("a b")).unwrap_err();
    assert!(error.message().contains("`a b`"), "{error:?}");
    let error = model.explain(&image, Exemplars::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage, "{error:?}");
    assert!(error.message().contains("in memory"), "{error:?}");
}

#[test]
fn every_value_has_isolated_html() {
    let (folder, session) = session();
    let model = session.network(small("resnet18")).unwrap();
    let image = Image::from_pixels("noise", pixels()).with_class("tabby");

    let layers = model.layers();
    assert_eq!(layers.get("layer4.1.conv2").unwrap().shape, [512, 7, 7]);
    let convolutions = layers.filter(|layer| layer.op == "conv2d");
    assert_eq!(convolutions.len(), 20);
    assert_isolated(&layers.html().unwrap());
    assert!(layers.to_string().lines().count() > 60);

    let predictions = model.predict(&image).unwrap();
    let html = predictions.html().unwrap();
    assert_isolated(&html);
    assert!(html.contains("data:image/jpeg;base64,") && html.contains("tabby"));
    assert!(predictions.to_string().starts_with("resnet18 on noise: "));

    // Four images: the photo, the map over it, the map, its scale.
    let html = model
        .explain(&image, GradCam::last())
        .unwrap()
        .html()
        .unwrap();
    assert_isolated(&html);
    assert_eq!(html.matches("<img").count(), 4);
    let html = model
        .explain(&image, Activations::last())
        .unwrap()
        .html()
        .unwrap();
    assert_eq!(
        html.matches("<img").count(),
        3,
        "the photo, the channels, their scale"
    );
    // Charts need a frame.
    let figures = model.explain(&image, SkipConnections::default()).unwrap();
    assert!(
        figures
            .iter()
            .any(|f| matches!(f.content, Content::Shortcuts { .. }))
    );
    let html = figures.html().unwrap();
    assert_isolated(&html);
    assert!(html.contains("<iframe") && html.contains("&lt;svg"));

    let chart = Chart::over_depth("Channels", &[&convolutions], |l| Some(l.shape[0] as f64));
    let chart = chart.unwrap();
    assert_isolated(&chart.html().unwrap());
    assert!(chart.svg().contains("prefers-color-scheme:dark"));
    assert!(Chart::over_depth("Nothing", &[&convolutions], |_| None).is_err());

    pixels().save(folder.path().join("a.png")).unwrap();
    let experiment = Experiment::new("Two <b>")
        .model(small("resnet18"))
        .model(small("vgg11_bn"))
        .image(folder.path().join("a.png"))
        .method(Saliency::default())
        .method(GradCam::last());
    let report = session.run(&experiment).unwrap();
    let html = report.framed().unwrap();
    assert_isolated(&html);
    assert!(html.contains("&lt;base href=&quot;about:srcdoc&quot;&gt;"));
    assert!(html.contains("title=\"Two &lt;b&gt;\""));
    let figures = report.figures("saliency").unwrap();
    assert_eq!((figures.len(), figures.model("vgg11_bn").len()), (2, 1));
    let error = report.figures("salency").unwrap_err();
    assert_eq!(error.help_text(), Some("did you mean `saliency`?"));
    let bars = report.chart(ChartKind::Parameters).unwrap().unwrap();
    assert!(bars.to_string().contains("resnet18, vgg11_bn"));
    assert!(report.chart(ChartKind::Truth).unwrap().is_none());
}
