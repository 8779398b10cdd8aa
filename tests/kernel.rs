//! `convscope kernel`: the files it writes, the kernels it doesn't change, and what it reports as missing.

use std::fs;
use std::path::PathBuf;

use assert_cmd::Command;

/// A temporary home folder with an empty evcxr and an empty libtorch.
struct Home {
    folder: tempfile::TempDir,
}

impl Home {
    fn new() -> Self {
        let home = Home {
            folder: tempfile::tempdir().unwrap(),
        };
        home.write("bin/evcxr_jupyter", "#!/bin/sh\n");
        home.write("libtorch/lib/libtorch_cpu.so", "");
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Exit code, stdout and stderr. `variables` have priority over the home's own.
    fn call(&self, arguments: &[&str], variables: &[(&str, &str)]) -> (i32, String, String) {
        let done = Command::cargo_bin("convscope")
            .unwrap()
            .env_clear()
            .env("HOME", self.folder.path())
            .env("PATH", self.path("bin"))
            .env("LIBTORCH", self.path("libtorch"))
            .env("NO_COLOR", "1")
            .envs(variables.iter().copied())
            .arg("kernel")
            .args(arguments)
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let code = done.status.code().expect("no signal");
        (code, text(done.stdout), text(done.stderr))
    }

    fn spec(&self, file: &str) -> serde_json::Value {
        serde_json::from_str(&fs::read_to_string(self.path(file)).unwrap()).unwrap()
    }
}

const DEFAULT: &str = ".local/share/jupyter/kernels/convscope/kernel.json";

#[cfg(target_os = "linux")]
#[test]
fn install_writes_its_own_kernel_and_no_other() {
    let home = Home::new();
    let other = ".local/share/jupyter/kernels/rust/kernel.json";
    home.write(other, "{}");
    let (code, out, err) = home.call(&["install"], &[("LD_LIBRARY_PATH", "/opt/cuda:")]);
    assert_eq!(code, 0, "{err}");
    assert!(
        out.contains("default-features = false, features = [\"fetch\"] }"),
        "{out}"
    );
    let spec = home.spec(DEFAULT);
    assert_eq!(spec["display_name"], "Rust (convscope)");
    assert_eq!(spec["language"], "rust");
    let libtorch = home.path("libtorch").display().to_string();
    assert_eq!(spec["env"]["LIBTORCH"], libtorch.as_str());
    let search = format!("{libtorch}/lib:/opt/cuda");
    assert_eq!(spec["env"]["LD_LIBRARY_PATH"], search.as_str());
    let evcxr = home.path("bin/evcxr_jupyter").display().to_string();
    assert_eq!(spec["env"]["CONVSCOPE_EVCXR"], evcxr.as_str());
    assert!(home.path(DEFAULT).with_file_name("start.sh").is_file());
    assert_eq!(fs::read_to_string(home.path(other)).unwrap(), "{}");

    let before = fs::read(home.path(DEFAULT)).unwrap();
    home.call(&["install"], &[("LD_LIBRARY_PATH", "/opt/cuda:")]);
    assert_eq!(
        fs::read(home.path(DEFAULT)).unwrap(),
        before,
        "a second time"
    );

    assert_eq!(home.call(&["remove"], &[]).0, 0);
    assert!(!home.path(DEFAULT).exists());
    assert!(home.path(other).exists());
    let (code, _, err) = home.call(&["remove"], &[]);
    assert_eq!(code, 2, "{err}");
}

#[test]
fn install_writes_into_the_given_folder() {
    let home = Home::new();
    let data = home.path("data").display().to_string();
    let (code, _, err) = home.call(&["install"], &[("JUPYTER_DATA_DIR", &data)]);
    assert_eq!(code, 0, "{err}");
    home.spec("data/kernels/convscope/kernel.json");
    if cfg!(target_os = "linux") {
        let share = home.path("share").display().to_string();
        home.call(&["install"], &[("XDG_DATA_HOME", &share)]);
        home.spec("share/jupyter/kernels/convscope/kernel.json");
    }
    let dir = home.path("dir").display().to_string();
    home.call(&["install", "--dir", &dir], &[("JUPYTER_DATA_DIR", &data)]);
    home.spec("dir/kernels/convscope/kernel.json");
    let venv = home.path("venv").display().to_string();
    home.call(&["install", "--prefix", &venv], &[]);
    home.spec("venv/share/jupyter/kernels/convscope/kernel.json");
    assert!(!home.path(DEFAULT).exists());
}

#[test]
fn check_lists_what_is_missing_with_help() {
    let home = Home::new();
    let (code, out, _) = home.call(&["check"], &[]);
    assert_eq!(code, 1, "{out}");
    let line = |what: &str| {
        let start = format!("{what}: ");
        let line = out.lines().find(|line| line.starts_with(&start));
        line.unwrap_or_else(|| panic!("no {what} in {out}"))
            .to_owned()
    };
    assert!(line("Jupyter").contains("pip install jupyterlab"));
    assert!(line("kernel").contains("convscope kernel install"));
    assert!(!line("evcxr_jupyter").contains("missing"));
    assert!(!line("libtorch").contains("missing"));

    home.write("bin/jupyter", "");
    home.write("bin/cargo", "");
    assert_eq!(home.call(&["install"], &[]).0, 0);
    let (code, out, _) = home.call(&["check"], &[]);
    assert_eq!(code, 1, "{out}");
    assert!(out.contains("rustup component add rust-src"), "{out}");
    home.write("library/core/src/lib.rs", "");
    let sources = home.path("library").display().to_string();
    let (code, out, _) = home.call(&["check"], &[("RUST_SRC_PATH", &sources)]);
    assert_eq!(code, 0, "{out}");
    assert_eq!(out.lines().count(), 6, "{out}");

    fs::remove_file(home.path("bin/evcxr_jupyter")).unwrap();
    let (code, out, _) = home.call(&["check"], &[]);
    assert_eq!(code, 1);
    assert!(
        out.contains("cargo install evcxr_jupyter --version '^0.22' --locked"),
        "{out}"
    );
}

#[test]
fn install_writes_nothing_if_something_is_missing() {
    let home = Home::new();
    let nowhere = home.path("nowhere").display().to_string();
    let (code, _, err) = home.call(&["install", "--evcxr", &nowhere], &[]);
    assert_eq!(code, 2, "{err}");
    let (code, _, err) = home.call(&["install"], &[("LIBTORCH", &nowhere)]);
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("LIBTORCH must be"), "{err}");
    fs::remove_file(home.path("bin/evcxr_jupyter")).unwrap();
    let (code, _, err) = home.call(&["install"], &[]);
    assert_eq!(code, 1, "{err}");
    assert!(err.contains("cargo install evcxr_jupyter"), "{err}");
    assert!(!home.path(".local").exists());
}
