//! Exported networks of timm and torchvision (tests/make_conformance.py) give what PyTorch gives: logits and gradients, at
//! batches of one and of three images, whether they were exported for batches of any size or for one image.
//!
//! A small set is part of the suite. It is made anew, below target/conformance, if it is missing: that needs a Python with torch,
//! torchvision, timm and safetensors. `make zoo-conformance` compares a network of each family, which takes an hour and more;
//! `CONVSCOPE_CONFORMANCE=FOLDER cargo test --test conformance` what lies in a folder.
//!
//! **When a difference counts.** A value may differ from PyTorch's by a tolerance. In deep networks with ReLUs or max-pooling, the
//! last bit of a sum decides which values pass, and a gradient of PyTorch itself is off by more than that. So a value also passes
//! if it is about as close as PyTorch's to what PyTorch computes with 64 bits.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use convscope::network::graph::Graph;
use convscope::network::pt2::{self, ExportedNetwork};
use convscope::network::zoo::{self, Arch, ArchOptions};
use convscope::network::{Network, gradients};
use tch::{Kind, Tensor};

/// How much of the largest logit a logit may differ.
const LOGIT_TOLERANCE: f64 = 1e-4;

/// How much of the gradient's largest value a value of it may differ.
const GRADIENT_TOLERANCE: f64 = 1e-3;

/// How many times PyTorch's own distance from what it computes with 64 bits a value may be off.
const OWN_ERROR: f64 = 2.0;

/// What a network's files are called after `FAMILY-NAME`: exported for batches of any size, and for one image.
const EXPORTS: [&str; 2] = [".pt2", "-fixed.pt2"];

/// The largest difference of a result, as a part of the largest value.
#[derive(Clone, Copy, Default)]
struct Difference {
    /// From PyTorch's, with 32 bits.
    single: f64,
    /// From PyTorch's with 64 bits, and what PyTorch's with 32 bits differs from that; `None` if there is none.
    double: Option<(f64, f64)>,
}

impl Difference {
    fn is_allowed(&self, tolerance: f64) -> bool {
        let as_close = |(ours, own): (f64, f64)| ours <= OWN_ERROR * own;
        self.single <= tolerance || self.double.is_some_and(as_close)
    }

    fn larger(self, other: Self) -> Self {
        if other.single >= self.single {
            other
        } else {
            self
        }
    }
}

/// What was found of a network.
struct Row {
    family: String,
    name: String,
    nodes: usize,
    operators: usize,
    logits: Difference,
    gradient: Difference,
    /// To read the file, in seconds.
    load: f64,
    /// What is wrong; empty if nothing is.
    errors: Vec<String>,
}

impl Row {
    fn new(key: &str) -> Self {
        let (family, name) = key.split_once('-').unwrap_or(("", key));
        Row {
            family: family.to_owned(),
            name: name.to_owned(),
            nodes: 0,
            operators: 0,
            logits: Difference::default(),
            gradient: Difference::default(),
            load: 0.0,
            errors: Vec::new(),
        }
    }

    const HEADER: &str = "family\tnetwork\tnodes\toperators\tlogits\tgradient\tPyTorch's logits\tPyTorch's gradient\tload\tresult";

    fn tsv(&self) -> String {
        let own = |difference: &Difference| match difference.double {
            Some((_, own)) => format!("{own:.1e}"),
            None => "-".to_owned(),
        };
        let result = match &self.errors[..] {
            [] => "same".to_owned(),
            errors => errors.join("; "),
        };
        format!(
            "{}\t{}\t{}\t{}\t{:.1e}\t{:.1e}\t{}\t{}\t{:.2}\t{result}",
            self.family,
            self.name,
            self.nodes,
            self.operators,
            self.logits.single,
            self.gradient.single,
            own(&self.logits),
            own(&self.gradient),
            self.load
        )
    }
}

/// The largest difference of two tensors as a part of the largest of `expected`; infinite if a value is no number, or all
/// are zero.
fn difference(found: &Tensor, expected: &Tensor) -> f64 {
    assert_eq!(found.size(), expected.size());
    let (found, expected) = (found.to_kind(Kind::Double), expected.to_kind(Kind::Double));
    let largest = expected.abs().max().double_value(&[]);
    let part = (found - expected).abs().max().double_value(&[]) / largest;
    if part.is_nan() || largest == 0.0 {
        f64::INFINITY
    } else {
        part
    }
}

/// What PyTorch computes.
struct Expected(BTreeMap<String, Tensor>);

impl Expected {
    fn read(path: &Path) -> Self {
        Expected(
            Tensor::read_safetensors(path)
                .unwrap()
                .into_iter()
                .collect(),
        )
    }

    /// How `found`, the result called `name` of the first images, differs.
    fn difference(&self, name: &str, found: &Tensor) -> Difference {
        let first = |value: &Tensor| value.narrow(0, 0, found.size()[0]);
        let single = first(&self.0[name]);
        let double = self.0.get(&format!("{name}_double")).map(first);
        let double =
            double.map(|double| (difference(found, &double), difference(&single, &double)));
        Difference {
            single: difference(found, &single),
            double,
        }
    }
}

/// Compares `network` at batches of one and of three images.
fn compare(network: &Network, expected: &Expected, row: &mut Row) -> Result<(), String> {
    let message = |error: convscope::error::Error| error.full_message();
    let (input, output) = (network.graph().input(), network.graph().output());
    let stride = expected.0["gradient_stride"].int64_value(&[0]);
    for batch in [1, 3] {
        let images = expected.0["images"].narrow(0, 0, batch).copy();
        let images = images.set_requires_grad(true);
        let values = network
            .forward(&images, &[input, output])
            .map_err(message)?;
        let logits = values.value(output).map_err(message)?;
        let logit = logits.get(0).get(0);
        let gradient = gradients(&logit, &values, &[input]).map_err(message)?;
        let gradient = gradient.value(input).map_err(message)?;
        let logits = expected.difference("logits", &logits.detach());
        let first = gradient.get(0).flatten(0, -1).slice(0, None, None, stride);
        let found = expected.difference("gradient", &first);
        row.logits = row.logits.larger(logits);
        row.gradient = row.gradient.larger(found);
        if !logits.is_allowed(LOGIT_TOLERANCE) {
            return Err(format!(
                "batch {batch}: logits differ by {:.1e}",
                logits.single
            ));
        }
        if !found.is_allowed(GRADIENT_TOLERANCE) {
            return Err(format!(
                "batch {batch}: the gradient differs by {:.1e}",
                found.single
            ));
        }
        if batch > 1 {
            let others = gradient.narrow(0, 1, batch - 1);
            if others.abs().max().double_value(&[]) != 0.0 {
                return Err("images of a batch have an effect on each other".to_owned());
            }
        }
    }
    Ok(())
}

/// Compares an exported network with the zoo's of the same name: the same layers, and the same logits with the same weights.
fn compare_with_zoo(
    found: &ExportedNetwork,
    arch: &Arch,
    expected: &Expected,
) -> Result<(), String> {
    let message = |error: convscope::error::Error| error.full_message();
    let graph = arch.graph(ArchOptions::default());
    let layers = |graph: &Graph| -> Vec<String> {
        let nodes = graph.nodes().iter();
        nodes
            .map(|node| format!("{} {}", node.name, node.op.name()))
            .collect()
    };
    let (exported, own) = (layers(found.network.graph()), layers(&graph));
    if let Some((a, b)) = exported.iter().zip(&own).find(|(a, b)| a != b) {
        return Err(format!("the layer {a} is {b} in the zoo"));
    }
    if exported.len() != own.len() {
        return Err(format!(
            "{} layers, {} in the zoo",
            exported.len(),
            own.len()
        ));
    }
    let network = Network::new(graph, found.network.parameters()).map_err(message)?;
    let output = network.graph().output();
    let values = tch::no_grad(|| network.forward(&expected.0["images"], &[output]));
    let values = values.map_err(message)?;
    let logits = expected.difference("logits", values.value(output).map_err(message)?);
    if !logits.is_allowed(LOGIT_TOLERANCE) {
        return Err(format!("the zoo's logits differ by {:.1e}", logits.single));
    }
    Ok(())
}

/// Compares the files of the network `key` in `folder`.
fn compare_files(folder: &Path, key: &str) -> Row {
    let mut row = Row::new(key);
    let expected = Expected::read(&folder.join(format!("{key}.safetensors")));
    let mut any = false;
    for export in EXPORTS {
        let path = folder.join(format!("{key}{export}"));
        if !path.exists() {
            continue;
        }
        any = true;
        // One network that panics shall not end the run.
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let start = Instant::now();
            let found = pt2::read(&path).map_err(|error| error.full_message())?;
            row.load = row.load.max(start.elapsed().as_secs_f64());
            let graph = found.network.graph();
            row.nodes = graph.nodes().len();
            let operators = graph.nodes().iter().map(|node| node.op.name());
            row.operators = operators.collect::<BTreeSet<_>>().len();
            compare(&found.network, &expected, &mut row)?;
            match key.strip_prefix("torchvision-").map(zoo::find) {
                Some(Ok(arch)) => compare_with_zoo(&found, arch, &expected),
                _ => Ok(()),
            }
        }));
        let error = match result {
            Ok(Ok(())) => continue,
            Ok(Err(error)) => error,
            Err(_) => "panics".to_owned(),
        };
        let error = error.replace(&format!("{}/", folder.display()), "");
        let error = error.split_whitespace().collect::<Vec<_>>().join(" ");
        row.errors.push(format!("{key}{export}: {error}"));
    }
    if !any {
        row.errors.push("there is no file".to_owned());
    }
    row
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A Python that has what the script needs.
fn python() -> Option<PathBuf> {
    let named = std::env::var_os("CONVSCOPE_PYTHON").map(PathBuf::from);
    let installed =
        ["peers", "golden"].map(|name| root().join(format!("target/{name}/bin/python")));
    named.into_iter().chain(installed).find(|python| {
        let mut command = Command::new(python);
        command.args(["-c", "import torch, torchvision, timm, safetensors"]);
        let done = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
        done.is_ok_and(|status| status.success())
    })
}

/// Makes networks and compares each when it is there; `keep` says whether files of networks that are the same remain.
fn make_and_compare(python: &Path, folder: &Path, arguments: &[&str], keep: bool) -> Vec<Row> {
    let mut script = Command::new(python)
        .arg(root().join("tests/make_conformance.py"))
        .arg("--folder")
        .arg(folder)
        .args(arguments)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut rows = Vec::new();
    println!("{}", Row::HEADER);
    for line in BufReader::new(script.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        let row = match line.split_once('\t') {
            None => compare_files(folder, &line),
            Some((key, error)) => {
                let mut row = Row::new(key);
                row.errors.push(format!("PyTorch: {error}"));
                row
            }
        };
        println!("{}", row.tsv());
        if !keep && row.errors.is_empty() {
            for export in EXPORTS.iter().chain(&[".safetensors"]) {
                let _ = std::fs::remove_file(folder.join(format!("{line}{export}")));
            }
        }
        rows.push(row);
    }
    assert!(script.wait().unwrap().success(), "the script fails");
    rows
}

fn assert_same(rows: &[Row]) {
    let wrong = rows.iter().filter(|row| !row.errors.is_empty());
    let wrong: Vec<String> = wrong.map(Row::tsv).collect();
    assert!(!rows.is_empty(), "there is no network");
    assert!(
        wrong.is_empty(),
        "{} of {} networks:\n{}",
        wrong.len(),
        rows.len(),
        wrong.join("\n")
    );
}

#[test]
fn small_networks_give_what_pytorch_gives() {
    if let Some(folder) = std::env::var_os("CONVSCOPE_CONFORMANCE") {
        let folder = PathBuf::from(folder);
        let mut keys: Vec<String> = std::fs::read_dir(&folder)
            .unwrap()
            .filter_map(|entry| entry.unwrap().file_name().into_string().ok())
            .filter_map(|name| name.strip_suffix(".safetensors").map(str::to_owned))
            .collect();
        keys.sort();
        println!("{}", Row::HEADER);
        let compared = keys.iter().map(|key| {
            let row = compare_files(&folder, key);
            println!("{}", row.tsv());
            row
        });
        return assert_same(&compared.collect::<Vec<_>>());
    }
    let Some(python) = python() else {
        let reason =
            "no Python has torch, torchvision, timm and safetensors (`make peers` installs them)";
        return common::skip(
            "the comparison of exported networks with PyTorch",
            reason,
            true,
        );
    };
    let folder = root().join("target/conformance/small");
    assert_same(&make_and_compare(&python, &folder, &["--small"], true));
}

#[test]
#[ignore = "takes an hour and more: make zoo-conformance"]
fn a_network_of_each_family_gives_what_pytorch_gives() {
    let python = python().expect("a Python with torch, torchvision, timm and safetensors");
    let folder = root().join("target/conformance/zoo");
    let only = std::env::var("ONLY").unwrap_or_default();
    let arguments = ["--only", &only];
    let arguments = if only.is_empty() { &[] } else { &arguments[..] };
    let rows = make_and_compare(&python, &folder, arguments, false);
    let mut table = format!("{}\n", Row::HEADER);
    for row in &rows {
        writeln!(table, "{}", row.tsv()).unwrap();
    }
    std::fs::write(root().join("target/conformance/zoo.tsv"), table).unwrap();
    if std::env::var_os("WRITE").is_some() {
        assert!(only.is_empty(), "WRITE=1 needs all networks, without ONLY");
        write_page(&rows);
    }
    assert_same(&rows);
}

/// Writes the table into docs/networks.md.
fn write_page(rows: &[Row]) {
    const BEGIN: &str = "<!-- conformance: written by make zoo-conformance WRITE=1 -->\n";
    const END: &str = "<!-- end of conformance -->\n";
    let path = root().join("docs/networks.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).expect(BEGIN);
    let (_, after) = rest.split_once(END).expect(END);
    let same = rows.iter().filter(|row| row.errors.is_empty()).count();
    let mut table = format!(
        "{same} of {} networks give what PyTorch gives.\n\n| file | network | nodes | operators | logits | gradient |\n|---|---|---|---|---|---|\n",
        rows.len()
    );
    for row in rows {
        let Row {
            family,
            name,
            nodes,
            operators,
            logits,
            gradient,
            ..
        } = row;
        if row.errors.is_empty() {
            writeln!(
                table,
                "| {family} | {name} | {nodes} | {operators} | {:.0e} | {:.0e} |",
                logits.single, gradient.single
            )
        } else {
            writeln!(table, "| {family} | {name} | | | fails | fails |")
        }
        .unwrap();
    }
    std::fs::write(&path, format!("{before}{BEGIN}{table}{END}{after}")).unwrap();
}
