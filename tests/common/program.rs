//! The program `convscope` in a temporary folder of its own, for the tests that run it.

// No test file uses all of it.
#![allow(dead_code)]

use std::fs;
use std::path::PathBuf;

use assert_cmd::Command;

/// A temporary folder with two images and a cache.
pub struct Workspace {
    pub folder: tempfile::TempDir,
}

pub struct Output {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Workspace {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Workspace { folder };
        workspace.draw("cat.png", 7);
        workspace.draw("photos/dog.png", 3);
        workspace
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn draw(&self, name: &str, step: u32) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let pixels = image::RgbImage::from_fn(80, 70, |x, y| {
            image::Rgb([(x * step) as u8, (y * step) as u8, (x * y / step) as u8])
        });
        pixels.save(path).unwrap();
    }

    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.path(name), text).unwrap();
    }

    pub fn call(&self, arguments: &[&str]) -> Output {
        let done = Command::cargo_bin("convscope")
            .unwrap()
            .current_dir(self.folder.path())
            .env("CONVSCOPE_CACHE", self.path("cache"))
            .env("NO_COLOR", "1")
            .args(arguments)
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Output {
            code: done.status.code().expect("no signal"),
            out: text(done.stdout),
            err: text(done.stderr),
        }
    }

    /// Runs `text` as a spec, which must fail with `code` and `words`, and leave no output folder.
    pub fn assert_fails(&self, text: impl AsRef<[u8]>, code: i32, words: &[&str]) -> Output {
        self.write("spec.yaml", text);
        let output = self.call(&["run", "--offline", "spec.yaml"]);
        assert_eq!(output.code, code, "not {words:?} but {}", output.err);
        assert!(!self.path("output").exists(), "something was written");
        assert!(!output.err.contains("panicked"), "{}", output.err);
        for word in words {
            assert!(
                flat(&output.err).contains(word),
                "no `{word}` in:\n{}",
                output.err
            );
        }
        output
    }
}

/// The text without line breaks and frames.
pub fn flat(text: &str) -> String {
    let bare = text.replace(['│', '×', '·'], " ");
    bare.split_whitespace().collect::<Vec<_>>().join(" ")
}
