//! `convscope watch` on the real program: a save runs the experiment again, a mistake is shown without losing the last report, and
//! the report on the disk is the same as that of `run`.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use program::Workspace;

#[path = "common/program.rs"]
mod program;

const SPEC: &str = "\
title: Two photos
models:
  - {id: a, arch: resnet18, weights: random, preprocess: {resize: 64, crop: 64}}
images: [cat.png, {dir: photos}]
methods: [saliency]
";

/// How long a run may take.
const PATIENCE: Duration = Duration::from_secs(120);

struct Watch {
    child: Child,
    address: String,
    events: BufReader<TcpStream>,
}

impl Watch {
    fn start(workspace: &Workspace) -> Watch {
        let mut child = Command::new(assert_cmd::cargo::cargo_bin("convscope"))
            .current_dir(workspace.folder.path())
            .env("CONVSCOPE_CACHE", workspace.path("cache"))
            .args(["watch", "spec.yaml"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        // Whatever it prints later is read, so that it never waits.
        std::thread::spawn(move || std::io::copy(&mut out, &mut std::io::sink()));
        let address = line.trim().strip_prefix("http://").unwrap();
        let address = address.strip_suffix('/').unwrap().to_owned();
        let events = BufReader::new(ask(&address, "/events", &address));
        Watch {
            child,
            address,
            events,
        }
    }

    /// Waits for the state in which no run is going on, with this many reports or an error.
    fn state(&mut self, is_wanted: impl Fn(&serde_json::Value) -> bool) -> serde_json::Value {
        loop {
            let mut line = String::new();
            assert!(
                self.events.read_line(&mut line).unwrap() > 0,
                "the events have ended"
            );
            let Some(json) = line.strip_prefix("data: ") else {
                continue;
            };
            let state: serde_json::Value = serde_json::from_str(json).unwrap();
            if state["running"] == false && is_wanted(&state) {
                return state;
            }
        }
    }

    fn get(&self, path: &str) -> String {
        let mut text = Vec::new();
        ask(&self.address, path, &self.address)
            .read_to_end(&mut text)
            .unwrap();
        String::from_utf8(text).unwrap()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn ask(address: &str, path: &str, host: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    stream
}

#[test]
fn a_save_runs_again_and_a_mistake_keeps_the_last_report() {
    let workspace = Workspace::new();
    workspace.write("spec.yaml", SPEC);
    let mut watch = Watch::start(&workspace);
    watch.state(|state| state["report"] == 1);
    let page = watch.get("/");
    assert!(
        page.starts_with("HTTP/1.1 200 OK\r\n") && page.contains("EventSource"),
        "{page}"
    );
    assert!(watch.get("/report.html").contains("Two photos"));
    assert!(watch.get("/results.json").starts_with("HTTP/1.1 404"));
    let report = || fs::read_to_string(workspace.path("output/spec/report.html")).unwrap();
    assert!(!report().contains("EventSource"));

    workspace.write("spec.yaml", SPEC.replace("Two photos", "Another title"));
    watch.state(|state| state["report"] == 2);
    assert!(watch.get("/report.html").contains("Another title"));

    // Two mistakes; the page shows them, and the report stays.
    let wrong = SPEC
        .replace("saliency", "salency")
        .replace("resnet18", "resnet19");
    workspace.write("spec.yaml", wrong);
    let state = watch.state(|state| !state["error"].is_null());
    let error = state["error"].as_str().unwrap();
    assert!(
        error.contains("`saliency`") && error.contains("resnet19"),
        "{error}"
    );
    assert_eq!(state["report"], 2);
    assert!(watch.get("/report.html").contains("Another title"));

    // An image that is not there yet.
    workspace.write("spec.yaml", SPEC.replace("cat.png", "later.png"));
    let is_missing = |state: &serde_json::Value| state["error"].to_string().contains("later.png");
    watch.state(is_missing);
    workspace.draw("later.png", 5);
    let state = watch.state(|state| state["report"] == 3);
    assert!(state["error"].is_null());
    // A changed image, and a new one in a folder.
    workspace.draw("later.png", 9);
    watch.state(|state| state["report"] == 4);
    workspace.draw("photos/new.png", 4);
    watch.state(|state| state["report"] == 5);
    assert!(report().contains("new.png"));

    // The same bytes as those of a run.
    let run = workspace.call(&["run", "spec.yaml", "--out", "again"]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(report() == fs::read_to_string(workspace.path("again/spec/report.html")).unwrap());
}

#[test]
fn pages_of_other_sites_get_nothing() {
    let workspace = Workspace::new();
    workspace.write("spec.yaml", SPEC);
    let mut watch = Watch::start(&workspace);
    watch.state(|state| state["report"] == 1);
    for host in ["evil.example", "evil.example:80", "127.0.0.1"] {
        let mut text = String::new();
        ask(&watch.address, "/report.html", host)
            .read_to_string(&mut text)
            .unwrap();
        assert!(text.starts_with("HTTP/1.1 400"), "{text}");
    }
    for request in [
        "POST / HTTP/1.1\r\n\r\n",
        "GET\r\n\r\n",
        "\r\n\r\n",
        "GET /../spec.yaml HTTP/1.1\r\n\r\n",
    ] {
        let mut stream = TcpStream::connect(&watch.address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        assert!(text.starts_with("HTTP/1.1 400"), "{request:?}: {text}");
    }
}

#[cfg(unix)]
#[test]
fn a_signal_ends_it() {
    let workspace = Workspace::new();
    workspace.write("spec.yaml", SPEC);
    let mut watch = Watch::start(&workspace);
    watch.state(|state| state["report"] == 1);
    let pid = watch.child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &pid])
            .status()
            .unwrap()
            .success()
    );
    let status = watch.child.wait().unwrap();
    assert_eq!(status.code(), Some(0));
}

#[test]
fn a_file_that_is_not_there_and_a_taken_port_are_errors() {
    let workspace = Workspace::new();
    let output = workspace.call(&["watch", "nowhere.yaml"]);
    assert_eq!(output.code, 2);
    assert!(
        output
            .err
            .contains("there is no experiment file nowhere.yaml"),
        "{}",
        output.err
    );
    workspace.write("spec.yaml", SPEC);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = workspace.call(&["watch", "spec.yaml", "--port", &port]);
    assert_eq!(output.code, 2);
    assert!(
        output.err.contains("can't serve the report"),
        "{}",
        output.err
    );
}
