//! Signals: a run that is stopped stores where it is, leaves no empty folder, and goes on when it is called again.
#![cfg(unix)]

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use image::{Rgb, RgbImage};

/// Enough images that a pass takes longer than the signal.
const COUNT: u32 = 240;

const COLLECTION: &str = "title: T\nmodels: [{arch: resnet18, weights: random}]\ncollection: photos\n\
    methods: [{exemplars: {layers: [stage3], units: 2, maximize: 0}}]\n";

fn workspace() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("photos")).unwrap();
    for number in 0..COUNT {
        let image = RgbImage::from_fn(64, 64, |x, y| {
            Rgb([(x * number) as u8, (y * 3) as u8, (x + y + number) as u8])
        });
        let path = folder.path().join(format!("photos/{number:03}.png"));
        image.save(path).unwrap();
    }
    std::fs::write(folder.path().join("spec.yaml"), COLLECTION).unwrap();
    folder
}

fn start(folder: &Path, arguments: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_convscope"))
        .current_dir(folder)
        .env("CONVSCOPE_CACHE", folder.join("cache"))
        .env("NO_COLOR", "1")
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Ends a program with a signal and returns its exit code and what it wrote to stderr.
fn stop(mut child: Child, signal: &str) -> (i32, String) {
    let pid = child.id().to_string();
    assert!(
        Command::new("kill")
            .args([signal, &pid])
            .status()
            .unwrap()
            .success()
    );
    let code = child.wait().unwrap().code().expect("an exit code");
    let mut text = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    (code, text)
}

/// Waits until the pass has begun: its folder is there.
fn wait_for_pass(folder: &Path) {
    let end = Instant::now() + Duration::from_secs(120);
    while Instant::now() < end {
        let entries = walkdir::WalkDir::new(folder).into_iter().flatten();
        if entries.into_iter().any(|entry| entry.file_name() == "lock") {
            std::thread::sleep(Duration::from_millis(1500));
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("no pass has begun");
}

#[test]
fn a_run_that_is_stopped_goes_on_where_it_was() {
    let folder = workspace();
    let folder = folder.path();
    for (signal, wanted) in [("-INT", 130), ("-TERM", 143)] {
        let child = start(folder, &["run", "spec.yaml", "--offline"]);
        wait_for_pass(&folder.join("cache"));
        let (code, text) = stop(child, signal);
        assert_eq!(code, wanted, "{text}");
        assert!(text.contains("of 240 images of the collection"), "{text}");
        assert!(
            text.contains("the same command goes on from there"),
            "{text}"
        );
        assert!(!folder.join("output").exists());
    }
    let done = start(folder, &["run", "spec.yaml", "--offline"])
        .wait_with_output()
        .unwrap();
    let text = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(0), "{text}");
    assert!(text.contains("collection: goes on after"), "{text}");
    let fresh = [
        "run",
        "spec.yaml",
        "--offline",
        "--no-cache",
        "--out",
        "fresh",
    ];
    let again = start(folder, &fresh).wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&again.stderr);
    assert!(!text.contains("goes on"), "{text}");
    for name in ["results.json", "data.safetensors", "report.html"] {
        let of = |folder_name: &str| {
            std::fs::read(folder.join(folder_name).join("spec").join(name)).unwrap()
        };
        assert!(of("output") == of("fresh"), "{name}");
    }
}

#[test]
fn a_second_signal_ends_the_program_at_once() {
    let folder = workspace();
    let folder = folder.path();
    let child = start(folder, &["run", "spec.yaml", "--offline", "--part", "1/1"]);
    wait_for_pass(&folder.join("output"));
    let pid = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-STOP", &pid])
            .status()
            .unwrap()
            .success()
    );
    for signal in ["-INT", "-TERM", "-CONT"] {
        assert!(
            Command::new("kill")
                .args([signal, &pid])
                .status()
                .unwrap()
                .success()
        );
    }
    let began = Instant::now();
    let (code, text) = (child.wait_with_output().unwrap(), began.elapsed());
    assert!(
        [130, 143].contains(&code.status.code().unwrap()),
        "{code:?}"
    );
    assert!(text < Duration::from_secs(10), "{text:?}");
}
