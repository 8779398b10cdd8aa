//! A small program for each operator that is read, against PyTorch in float64 (tests/make_operators.py): its logits and its
//! gradient, exported for batches and for one image. An attribute that is ignored, a number of another type, a write that is
//! not seen elsewhere would give other numbers without an error.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Cursor, Read};
use std::path::Path;

use convscope::network::pt2::{self, ExportedNetwork};
use convscope::network::{Network, gradients, node_info};
use tch::{Device, Kind, Tensor};

/// The largest difference of a logit, and of a value of the gradient, as a part of the largest.
const TOLERANCES: [f64; 2] = [1e-5, 1e-4];

/// Names that are read, but that no program of `torch.export` has, with the reason.
const NEVER_WRITTEN: [(&str, &str); 1] = [("softsign", "PyTorch computes it from other operators")];

/// Programs for one image whose images run one by one though a batch of them could be run at once, with the reason.
const ONE_BY_ONE: [(&str, &str); 0] = [];

/// A program of a case: `[alone/|refused/](dynamic|fixed)/CASE.pt2`.
struct Program {
    path: String,
    bytes: Vec<u8>,
}

impl Program {
    fn case(&self) -> &str {
        let name = self.path.rsplit('/').next().unwrap();
        name.trim_end_matches(".pt2")
    }

    fn is_of_kind(&self, kind: &str) -> bool {
        self.path.starts_with(&format!("{kind}/"))
    }

    fn read(&self, folder: &Path) -> convscope::error::Result<ExportedNetwork> {
        let path = folder.join("net.pt2");
        std::fs::write(&path, &self.bytes).unwrap();
        pt2::read(&path)
    }
}

fn file(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/operators")
        .join(name)
}

/// The entries of a zip archive by their names.
fn entries(bytes: Vec<u8>) -> Vec<(String, Vec<u8>)> {
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let count = zip.len();
    let read = |index| {
        let mut entry = zip.by_index(index).unwrap();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        (entry.name().unwrap().into_owned(), bytes)
    };
    (0..count).map(read).collect()
}

/// All programs; those whose path contains `ONLY`, if the environment has it.
fn programs() -> Vec<Program> {
    let outer = entries(std::fs::read(file("cases.zip")).unwrap());
    let inner = entries(outer.into_iter().next().unwrap().1);
    let only = std::env::var("ONLY").unwrap_or_default();
    inner
        .into_iter()
        .filter(|(path, _)| path.contains(&only))
        .map(|(path, bytes)| Program { path, bytes })
        .collect()
}

fn images() -> Tensor {
    let ramp = Tensor::arange(3 * 3 * 6 * 6, (Kind::Double, Device::Cpu)) * 0.37;
    (ramp.sin() * 1.5).to_kind(Kind::Float).view([3, 3, 6, 6])
}

/// The largest difference as a part of the largest value.
fn difference(found: &Tensor, expected: &Tensor) -> Result<f64, String> {
    if found.size() != expected.size() {
        return Err(format!(
            "shape {:?}, not {:?}",
            found.size(),
            expected.size()
        ));
    }
    let (found, expected) = (found.to_kind(Kind::Double), expected.to_kind(Kind::Double));
    let largest = expected.abs().max().double_value(&[]);
    if largest < 1e-3 {
        return Err("hardly any values".into());
    }
    let difference = (&found - &expected).abs().max().double_value(&[]);
    Ok(difference / largest)
}

fn check(what: &str, found: &Tensor, expected: &Tensor, tolerance: f64) -> Result<(), String> {
    match difference(found, expected) {
        Ok(part) if part <= tolerance => Ok(()),
        Ok(part) => Err(format!("{what} differ by {part:.1e}")),
        Err(fault) => Err(format!("{what}: {fault}")),
    }
}

fn logits(network: &Network, images: &Tensor) -> Result<Tensor, String> {
    let output = network.graph().output();
    let values = tch::no_grad(|| network.forward(images, &[output]));
    let values = values.map_err(|error| error.full_message())?;
    Ok(values.value(output).unwrap().shallow_clone())
}

/// The gradient of the first logit of the first image, computed within these images.
fn gradient(network: &Network, images: &Tensor) -> Result<Tensor, String> {
    let images = images.detach().set_requires_grad(true);
    let (input, output) = (network.graph().input(), network.graph().output());
    let values = network.forward(&images, &[input, output]);
    let values = values.map_err(|error| error.full_message())?;
    let logit = values.value(output).unwrap().get(0).get(0);
    let found = gradients(&logit, &values, &[input]).map_err(|error| error.full_message())?;
    Ok(found.value(input).unwrap().get(0))
}

/// Compares a network with what PyTorch computes.
fn compare(
    network: &Network,
    case: &str,
    expected: &BTreeMap<String, Tensor>,
) -> Result<(), String> {
    let [tolerance, of_gradient] = TOLERANCES;
    let wanted = &expected[&format!("{case}/logits")];
    let all = images();
    check("logits", &logits(network, &all)?, wanted, tolerance)?;
    for index in 0..3 {
        let alone = logits(network, &all.narrow(0, index, 1))?;
        let what = format!("logits of image {index} alone");
        check(&what, &alone, &wanted.narrow(0, index, 1), tolerance)?;
    }
    let wanted = &expected[&format!("{case}/gradient")];
    check("gradients", &gradient(network, &all)?, wanted, of_gradient)?;
    let alone = gradient(network, &all.narrow(0, 0, 1))?;
    check("gradients of one image", &alone, wanted, of_gradient)
}

/// Compares the inferred shape of every node with that of its value, for one image and for three.
fn compare_shapes(network: &Network) -> Result<(), String> {
    let graph = network.graph();
    let info = node_info::from_graph(graph, 6, 6).map_err(|error| error.full_message())?;
    let all: Vec<usize> = (0..graph.nodes().len()).collect();
    for count in [1, 3] {
        let input = images().narrow(0, 0, count);
        let values = tch::no_grad(|| network.forward(&input, &all));
        let values = values.map_err(|error| error.full_message())?;
        for (id, info) in info.iter().enumerate() {
            let value = values.value(id).unwrap();
            let (axis, length) = graph.node(id).batch;
            let mut sides = value.size();
            let name = &graph.node(id).name;
            if sides.get(axis) != Some(&(length * count)) {
                return Err(format!(
                    "`{name}` has shape {sides:?} for {count} images, {length} in axis {axis} for each"
                ));
            }
            sides[axis] = length;
            let grid = info
                .layout
                .as_ref()
                .filter(|layout| layout.grid().is_some());
            let own: Vec<i64> = match grid {
                Some(layout) => {
                    let map = layout
                        .to_map(value, count)
                        .map_err(|error| error.full_message())?;
                    map.size()[1..].to_vec()
                }
                None => {
                    let kept = |(at, _): &(usize, &i64)| *at != axis || length != 1;
                    sides
                        .iter()
                        .enumerate()
                        .filter(kept)
                        .map(|(_, side)| *side)
                        .collect()
                }
            };
            if own != info.shape {
                return Err(format!(
                    "`{name}` has shape {own:?} for each of {count} images, {:?} by its inputs",
                    info.shape
                ));
            }
        }
    }
    Ok(())
}

/// What is wrong with a program; `None` if nothing is.
fn fault(program: &Program, folder: &Path, expected: &BTreeMap<String, Tensor>) -> Option<String> {
    let read = program.read(folder);
    if program.is_of_kind("refused") {
        return read.is_ok().then(|| "is read".into());
    }
    let found = match read {
        Ok(found) => found,
        // What mixes the images of a batch may be an error.
        Err(_) if program.is_of_kind("alone") => return None,
        Err(error) => return Some(error.full_message()),
    };
    let mut faults = Vec::new();
    let may_run_one_by_one = ONE_BY_ONE.iter().any(|(path, _)| *path == program.path);
    if found.network.is_one_by_one() != (program.is_of_kind("alone") || may_run_one_by_one) {
        faults.push(format!(
            "one by one: {} {:?}",
            found.network.is_one_by_one(),
            found.warnings
        ));
    }
    faults.extend(compare(&found.network, program.case(), expected).err());
    if !found.network.is_one_by_one() {
        faults.extend(compare_shapes(&found.network).err());
    }
    (!faults.is_empty()).then(|| faults.join("; "))
}

#[test]
fn every_operator_computes_what_pytorch_computes() {
    let folder = tempfile::tempdir().unwrap();
    let expected = Tensor::read_safetensors(file("expected.safetensors")).unwrap();
    let expected: BTreeMap<String, Tensor> = expected.into_iter().collect();
    let programs = programs();
    let mut faults = Vec::new();
    for program in &programs {
        let found = std::panic::catch_unwind(|| fault(program, folder.path(), &expected));
        if let Some(fault) = found.unwrap_or_else(|_| Some("a panic".into())) {
            faults.push(format!("{}: {fault}", program.path));
        }
    }
    let count = programs.len();
    assert!(
        faults.is_empty(),
        "{} of {count}:\n{}",
        faults.len(),
        faults.join("\n")
    );
}

/// The aten names in a program's JSON, also of programs within programs.
fn names(json: &str) -> BTreeSet<String> {
    let target = regex::Regex::new(r#""target": ?"torch\.ops\.aten\.([a-zA-Z0-9_]+)\."#).unwrap();
    let name = |found: regex::Captures| match found[1].strip_suffix('_') {
        Some(functional) if !found[1].starts_with("__") => functional.to_owned(),
        _ => found[1].to_owned(),
    };
    target.captures_iter(json).map(name).collect()
}

#[test]
fn every_operator_has_a_program() {
    let mut found: BTreeSet<String> = BTreeSet::new();
    for program in programs() {
        let model = entries(program.bytes)
            .into_iter()
            .find(|(name, _)| name.ends_with("models/model.json"));
        found.extend(names(&String::from_utf8(model.unwrap().1).unwrap()));
    }
    let reasons: BTreeMap<&str, &str> = NEVER_WRITTEN.into_iter().collect();
    let is_wrong = |name: &&str| found.contains(*name) == reasons.contains_key(name);
    let wrong: Vec<&str> = pt2::supported().into_iter().filter(is_wrong).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}
