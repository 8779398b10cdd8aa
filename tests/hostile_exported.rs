//! Exported programs that are made to do harm: each is an error, within seconds and without a panic, whatever the file says of
//! its sizes.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use convscope::network::pt2;
use serde_json::{Value, json};

/// The longest that a file of this test may take, in a build that is not optimised.
const LONGEST: Duration = Duration::from_secs(60);

/// A program with one input, `x` of [N, 3, 8, 8], and one output.
#[derive(Clone)]
struct Program {
    nodes: Vec<Value>,
    values: serde_json::Map<String, Value>,
    output: String,
    inputs: Vec<Value>,
    config: Value,
    weights: Vec<(String, Vec<u8>)>,
}

fn sizes(sizes: &[i64]) -> Vec<Value> {
    sizes.iter().map(|size| json!({ "as_int": size })).collect()
}

fn tensor(name: &str) -> Value {
    json!({ "as_tensor": { "name": name } })
}

fn meta(shape: &[i64], strides: &[i64], dtype: i64) -> Value {
    json!({
        "dtype": dtype, "sizes": sizes(shape), "requires_grad": false, "device": { "type": "cpu", "index": null },
        "strides": sizes(strides), "storage_offset": { "as_int": 0 }, "layout": 7
    })
}

impl Program {
    fn new() -> Program {
        let batch =
            json!({ "as_expr": { "expr_str": "Symbol('s77', positive=True, integer=True)" } });
        let mut input = meta(&[0, 3, 8, 8], &[192, 64, 8, 1], 7);
        input["sizes"][0] = batch;
        let mut values = serde_json::Map::new();
        values.insert("x".into(), input);
        Program {
            nodes: Vec::new(),
            values,
            output: "y".into(),
            inputs: vec![json!({ "user_input": { "arg": tensor("x") } })],
            config: json!({}),
            weights: Vec::new(),
        }
    }

    /// Adds a node with one output.
    fn node(mut self, operator: &str, inputs: &[(&str, Value)], output: &str) -> Program {
        self.push(operator, inputs, output);
        self
    }

    fn push(&mut self, operator: &str, inputs: &[(&str, Value)], output: &str) {
        let inputs: Vec<Value> = inputs
            .iter()
            .map(|(name, arg)| json!({ "name": name, "arg": arg, "kind": 1 }))
            .collect();
        self.nodes.push(json!({
            "target": format!("torch.ops.aten.{operator}"), "inputs": inputs, "outputs": [tensor(output)], "metadata": {}
        }));
    }

    /// Adds the mean over rows and columns: logits of three classes, named `y`.
    fn logits(self, of: &str) -> Program {
        let dims = json!({ "as_ints": [2, 3] });
        self.node("mean.dim", &[("self", tensor(of)), ("dim", dims)], "y")
    }

    /// Adds a stored parameter.
    fn stored(mut self, name: &str, meta: Value, bytes: Vec<u8>) -> Program {
        let arg = json!({ "name": name });
        self.inputs
            .push(json!({ "parameter": { "arg": arg, "parameter_name": name } }));
        self.config[name] = json!({
            "path_name": format!("weight_{name}"), "is_param": true, "use_pickle": false, "tensor_meta": meta
        });
        self.weights.push((format!("weight_{name}"), bytes));
        self
    }

    fn json(&self) -> String {
        let program = json!({
            "graph_module": {
                "graph": {
                    "inputs": [tensor("x")], "outputs": [tensor(&self.output)], "nodes": self.nodes,
                    "tensor_values": self.values, "sym_int_values": {}, "sym_bool_values": {}
                },
                "signature": {
                    "input_specs": self.inputs,
                    "output_specs": [{ "user_output": { "arg": tensor(&self.output) } }]
                },
                "module_call_graph": []
            },
            "opset_version": { "aten": 10 }, "range_constraints": {},
            "schema_version": { "major": 8, "minor": 20 }, "torch_version": "2.13.0"
        });
        program.to_string()
    }

    fn entries(&self, json: &str) -> Vec<(String, Vec<u8>)> {
        let config = json!({ "config": self.config }).to_string();
        let mut entries = vec![
            ("net/models/model.json".to_owned(), json.as_bytes().to_vec()),
            (
                "net/data/weights/model_weights_config.json".to_owned(),
                config.into_bytes(),
            ),
        ];
        for (name, bytes) in &self.weights {
            entries.push((format!("net/data/weights/{name}"), bytes.clone()));
        }
        entries
    }

    fn read(&self) -> Result<pt2::ExportedNetwork, String> {
        read_entries(&self.entries(&self.json()), false)
    }

    /// The message of the error that the program has to be.
    #[track_caller]
    fn fails(&self, expected: &str) {
        let message = self.read().unwrap_err();
        assert!(message.contains(expected), "{expected}: {message}");
    }
}

/// Writes an archive and reads it; the time is limited.
#[track_caller]
fn read_entries(
    entries: &[(String, Vec<u8>)],
    is_deflated: bool,
) -> Result<pt2::ExportedNetwork, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.pt2");
    write(&path, entries, is_deflated);
    let start = Instant::now();
    let read = pt2::read(&path).map_err(|error| error.full_message());
    let taken = start.elapsed();
    assert!(taken < LONGEST, "{taken:?}");
    if taken > Duration::from_secs(2) {
        println!("{taken:?}: {:?}", read.as_ref().err());
    }
    read
}

fn write(path: &Path, entries: &[(String, Vec<u8>)], is_deflated: bool) {
    let method = if is_deflated {
        zip::CompressionMethod::Deflated
    } else {
        zip::CompressionMethod::Stored
    };
    let options = zip::write::SimpleFileOptions::default().compression_method(method);
    let mut zip = zip::ZipWriter::new(std::fs::File::create(path).unwrap());
    for (name, bytes) in entries {
        zip.start_file(name.as_str(), options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap();
}

fn floats(count: usize) -> Vec<u8> {
    vec![0; 4 * count]
}

#[test]
fn the_program_of_this_test_is_sound() {
    let found = Program::new().logits("x").read().unwrap();
    assert_eq!((found.input_size, found.classes), ([8, 8], 3));
    let weight = meta(&[3], &[1], 7);
    let sum = [("self", tensor("y")), ("other", tensor("w"))];
    let mut program = Program::new().logits("x").stored("w", weight, floats(3));
    program.push("add.Tensor", &sum, "z");
    program.output = "z".into();
    assert!(program.read().is_ok());
}

#[test]
fn deeply_nested_json_is_an_error() {
    for depth in [100, 127, 1000, 1_000_000] {
        let deep = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let mut program = Program::new().logits("x");
        program.nodes[0]["inputs"][0]["arg"] = json!("DEEP");
        let json = program.json().replace("\"DEEP\"", &deep);
        assert!(read_entries(&program.entries(&json), false).is_err());
        // In a field that is ignored.
        let json = Program::new().logits("x").json();
        let json = json.replacen("{", &format!("{{\"other\": {deep}, "), 1);
        assert!(read_entries(&program.entries(&json), false).is_ok());
    }
}

#[test]
fn programs_within_programs_are_limited() {
    let call = |inner: Value, target: &str| {
        let enabled = json!({ "name": "enabled", "arg": { "as_bool": false }, "kind": 1 });
        let graph = json!({ "name": "g", "arg": { "as_graph": { "name": "g", "graph": inner } }, "kind": 1 });
        let x = json!({ "name": "", "arg": tensor("x"), "kind": 1 });
        json!({ "target": target, "inputs": [enabled, graph, x], "outputs": [tensor("y")], "metadata": {} })
    };
    let graph = |nodes: Vec<Value>| {
        json!({
            "inputs": [tensor("x")], "outputs": [tensor("y")], "nodes": nodes,
            "tensor_values": {}, "sym_int_values": {}, "sym_bool_values": {}
        })
    };
    let target = "torch.ops.higher_order.wrap_with_set_grad_enabled";
    for (depth, is_read) in [(1, true), (5, true), (11, true), (40, false), (1000, false)] {
        let innermost = Program::new().logits("x").nodes;
        let mut program = Program::new();
        // Built as text: a value this deep could not be dropped.
        let marked = call(json!("INNER"), target).to_string();
        let (before, after) = marked.split_once("\"INNER\"").unwrap();
        let inner = graph(vec![json!("NODE")]).to_string();
        let (start, end) = inner.split_once("\"NODE\"").unwrap();
        let mut text = graph(innermost).to_string();
        for level in 0..depth {
            text = format!("{before}{text}{after}");
            if level + 1 < depth {
                text = format!("{start}{text}{end}");
            }
        }
        program.nodes = vec![json!("CALL")];
        let json = program.json().replace("\"CALL\"", &text);
        let read = read_entries(&program.entries(&json), false);
        assert_eq!(read.is_ok(), is_read, "{depth}: {:?}", read.err());
    }
}

#[test]
fn a_large_json_is_refused_or_read() {
    let program = Program::new().logits("x");
    let json = program.json();
    let ignored = |value: &str| json.replacen("{", &format!("{{\"other\": {value}, "), 1);
    // 100 MB of one text are no more than 100 MB.
    let text = format!("\"{}\"", "a".repeat(100 << 20));
    assert!(read_entries(&program.entries(&ignored(&text)), false).is_ok());
    let zeros = format!("[{}0]", "0,".repeat(50 << 20));
    let message = read_entries(&program.entries(&ignored(&zeros)), false).unwrap_err();
    assert!(message.contains("values; at most"), "{message}");
    let text = format!("\"{}\"", "a".repeat(200 << 20));
    let message = read_entries(&program.entries(&ignored(&text)), false).unwrap_err();
    assert!(message.contains("larger than it should be"), "{message}");
}

#[test]
fn entries_that_inflate_are_refused() {
    let program = Program::new().logits("x");
    let json = program.json();
    let text = format!("\"{}\"", "a".repeat(64 << 20));
    let json = json.replacen("{", &format!("{{\"other\": {text}, "), 1);
    let message = read_entries(&program.entries(&json), true).unwrap_err();
    assert!(message.contains("larger than it should be"), "{message}");
    // Weights of 256 MB in 256 KB.
    let count = 64 << 20;
    let meta = meta(&[count], &[1], 7);
    let program = Program::new()
        .stored("w", meta, floats(count as usize))
        .node(
            "add.Tensor",
            &[("self", tensor("x")), ("other", tensor("w"))],
            "z",
        )
        .logits("z");
    let message = read_entries(&program.entries(&program.json()), true).unwrap_err();
    assert!(message.contains("larger than it should be"), "{message}");
}

#[test]
fn wrong_shapes_and_storages_are_errors() {
    let with = |meta: Value, bytes: Vec<u8>| {
        Program::new()
            .stored("w", meta, bytes)
            .node(
                "add.Tensor",
                &[("self", tensor("x")), ("other", tensor("w"))],
                "z",
            )
            .logits("z")
    };
    assert!(with(meta(&[8], &[1], 7), floats(8)).read().is_ok());
    let large = i64::MAX;
    for (shape, strides, dtype) in [
        (vec![9], vec![1], 7),
        (vec![8], vec![2], 7),
        (vec![8], vec![-1], 7),
        (vec![-8], vec![1], 7),
        (vec![8], vec![], 7),
        (vec![8, 8], vec![large, 1], 7),
        (vec![large], vec![0], 7),
        (vec![large, large], vec![0, 0], 7),
        (vec![1 << 31, 1 << 31], vec![0, 0], 7),
        (vec![1 << 20], vec![0], 7),
        (vec![8], vec![1], 8),
        (vec![8], vec![1], 0),
        (vec![8], vec![1], 10),
        (vec![8], vec![1], 29),
        (vec![8], vec![1], -1),
        (vec![8], vec![1], large),
    ] {
        let message = with(meta(&shape, &strides, dtype), floats(8))
            .read()
            .unwrap_err();
        assert!(
            message.contains("`w`"),
            "{shape:?} {strides:?} {dtype}: {message}"
        );
    }
    for offset in [
        json!({ "as_int": 1 }),
        json!({ "as_int": -1 }),
        json!({ "as_int": large }),
    ] {
        let mut own = meta(&[8], &[1], 7);
        own["storage_offset"] = offset;
        assert!(with(own, floats(8)).read().is_err());
    }
    let mut lacking = with(meta(&[8], &[1], 7), floats(8));
    lacking.weights.clear();
    lacking.fails("lacks its part");
    let mut lacking = with(meta(&[8], &[1], 7), floats(8));
    lacking.config = json!({});
    lacking.fails("lacks the values of `w`");
    for size in [0, -1, large, 1 << 17] {
        let mut program = Program::new().logits("x");
        program.values["x"]["sizes"][2] = json!({ "as_int": size });
        program.fails("can't be used");
    }
}

#[test]
fn inconsistent_programs_are_errors() {
    let add = |a: &str, b: &str| [("self", tensor(a)), ("other", tensor(b))];
    let of = |a: &str, b: &str, output: &str| Program::new().node("add.Tensor", &add(a, b), output);
    of("x", "z", "z")
        .logits("z")
        .fails("uses `z` before it is computed");
    of("x", "later", "z")
        .node("add.Tensor", &add("x", "z"), "later")
        .logits("later")
        .fails("uses `later` before it is computed");
    of("x", "absent", "z")
        .logits("z")
        .fails("uses `absent` before");
    of("x", "x", "z")
        .node("add.Tensor", &add("x", "x"), "z")
        .logits("z")
        .fails("computes a value twice");
    of("x", "x", "x")
        .logits("x")
        .fails("computes a value twice");
    let mut program = Program::new().logits("x");
    program.output = "absent".into();
    program.fails("absent");
    let mut program = Program::new().logits("x");
    program.nodes[0]["outputs"] = json!([tensor("y"), tensor("y")]);
    let _ = program.read();
    let mut program = Program::new().logits("x");
    program.nodes[0]["outputs"] = json!([]);
    program.fails("no output");
    let mut program = Program::new().logits("x");
    program.inputs.clear();
    program.fails("0 inputs");
    let mut program = Program::new().logits("x");
    program.inputs.push(program.inputs[0].clone());
    program.fails("2 inputs");
    // A parameter with the name of the input, and of a value.
    for name in ["x", "y"] {
        let _ = Program::new()
            .stored(name, meta(&[8], &[1], 7), floats(8))
            .logits("x")
            .read();
    }
    // Keys that are twice in the JSON.
    let program = Program::new().logits("x");
    let json = program.json().replacen("{", "{\"graph_module\": 3, ", 1);
    assert!(read_entries(&program.entries(&json), false).is_err());
}

/// Modules whose names are those that nodes get.
#[test]
fn nodes_of_one_name_are_no_panic() {
    let mut program = Program::new();
    let mut previous = "x".to_owned();
    for (index, path) in [
        "m",
        "m.add",
        "m.add",
        "m",
        "m.add_1",
        "m.add.add",
        "input",
        "m.add.expand",
    ]
    .iter()
    .enumerate()
    {
        let name = format!("z{index}");
        program.push(
            "add.Tensor",
            &[("self", tensor(&previous)), ("other", tensor("x"))],
            &name,
        );
        let stack = format!("k{index},{path},M");
        program.nodes[index]["metadata"] = json!({ "nn_module_stack": stack });
        previous = name;
    }
    program = program.logits(&previous);
    assert!(program.read().is_ok());
    program.values["x"]["sizes"][0] = json!({ "as_int": 1 });
    assert!(program.read().is_ok());
}

#[test]
fn paths_of_entries_lead_nowhere() {
    let program = Program::new().logits("x");
    let json = program.json();
    for folder in ["/", "../../", "/etc/", "a/../../", "C:\\"] {
        let entries = vec![(
            format!("{folder}models/model.json"),
            json.clone().into_bytes(),
        )];
        let _ = read_entries(&entries, false);
    }
    for path in [
        "/etc/passwd",
        "../../../../etc/passwd",
        "..",
        "",
        "weight_absent",
    ] {
        let mut program = Program::new().stored("w", meta(&[8], &[1], 7), floats(8));
        program.config["w"]["path_name"] = json!(path);
        program
            .node(
                "add.Tensor",
                &[("self", tensor("x")), ("other", tensor("w"))],
                "z",
            )
            .logits("z")
            .fails("lacks its part");
    }
}

/// Each of thousands of views is a view of the one before; a write to the last one is a write to all.
#[test]
fn writes_to_views_of_views_take_no_quadratic_time() {
    let dims = |a: i64, b: i64| {
        [
            ("dim0", json!({ "as_int": a })),
            ("dim1", json!({ "as_int": b })),
        ]
    };
    let mut program = Program::new();
    program.push("clone.default", &[("self", tensor("x"))], "v0");
    for index in 0..5000 {
        let [a, b] = dims(2, 3);
        let base = format!("v{index}");
        let own = format!("v{}", index + 1);
        program.push("transpose.int", &[("self", tensor(&base)), a, b], &own);
        program.push(
            "relu_.default",
            &[("self", tensor(&own))],
            &format!("w{index}"),
        );
    }
    program.clone().logits("v5000").fails("views of views");
    // Views of one value, each written to, and all of them read.
    let mut program = Program::new();
    program.push("clone.default", &[("self", tensor("x"))], "v");
    for index in 0..1500 {
        let [a, b] = dims(2, 3);
        let own = format!("v{index}");
        program.push("transpose.int", &[("self", tensor("v")), a, b], &own);
        program.push(
            "relu_.default",
            &[("self", tensor(&own))],
            &format!("w{index}"),
        );
    }
    let _ = program.logits("v").read();
}

#[test]
fn many_nodes_take_no_quadratic_time() {
    let mut program = Program::new();
    let mut previous = "x".to_owned();
    for index in 0..10_000 {
        let own = format!("z{index}");
        program.push("relu.default", &[("self", tensor(&previous))], &own);
        previous = own;
    }
    program = program.logits(&previous);
    program.read().unwrap();
    program.values["x"]["sizes"][0] = json!({ "as_int": 1 });
    program.read().unwrap();
    let node = program.nodes[0].clone();
    program.nodes.extend(std::iter::repeat_n(node, 50_000));
    program.fails("nodes");
}

/// The argument `size` of a call.
fn size(sizes: &[i64]) -> (&'static str, Value) {
    ("size", json!({ "as_ints": sizes }))
}

/// Asserts that a program is refused for its size.
fn too_large(program: Program) {
    let message = program.read().unwrap_err();
    let is_limit = ["too large", "too many"]
        .iter()
        .any(|text| message.contains(text));
    assert!(is_limit, "{message}");
}

#[test]
fn small_files_do_not_fill_the_memory() {
    // Each value twice as large as the one before, four times.
    let mut program = Program::new();
    let mut previous = "x".to_owned();
    for index in 0..40 {
        let own = format!("z{index}");
        let repeats = json!({ "as_ints": [1, 1, 2, 2] });
        program.push(
            "repeat.default",
            &[("self", tensor(&previous)), ("repeats", repeats)],
            &own,
        );
        previous = own;
    }
    too_large(program.logits(&previous));
    // A part of the input, as large as an integer may be.
    let program = Program::new()
        .logits("x")
        .node(
            "unsqueeze.default",
            &[("self", tensor("y")), ("dim", json!({ "as_int": 2 }))],
            "u",
        )
        .node(
            "expand.default",
            &[("self", tensor("u")), size(&[-1, 3, 1 << 20, 1 << 20])],
            "z",
        );
    assert!(program.read().is_err());
}

#[test]
fn small_files_have_no_large_constants() {
    for (count, nodes) in [(1i64 << 28, 1), (1 << 20, 10_000), (1 << 24, 40_000)] {
        let mut program = Program::new();
        for index in 0..nodes {
            let end = json!({ "as_float": count as f64 });
            program.push("arange.default", &[("end", end)], &format!("c{index}"));
        }
        too_large(program.logits("x"));
    }
    for shape in [
        vec![1 << 20, 1 << 20],
        vec![1 << 14, 1 << 14],
        vec![i64::MAX],
        vec![1 << 20; 50],
    ] {
        let value = ("fill_value", json!({ "as_int": 1 }));
        let program = Program::new().node("full.default", &[size(&shape), value], "c");
        assert!(program.logits("x").read().is_err(), "{shape:?}");
    }
    // Products of constants: small values, much work.
    let mut program = Program::new();
    let value = ("fill_value", json!({ "as_float": 0.5 }));
    program.push("full.default", &[size(&[4096, 4096]), value], "a");
    for index in 0..10_000 {
        let product = [("self", tensor("a")), ("mat2", tensor("a"))];
        program.push("mm.default", &product, &format!("m{index}"));
    }
    too_large(program.logits("x"));
    // Sums of a large constant.
    let mut program = Program::new();
    let value = ("fill_value", json!({ "as_float": 0.5 }));
    program.push("full.default", &[size(&[4096, 4096]), value], "a");
    for index in 0..40_000 {
        program.push(
            "sum.default",
            &[("self", tensor("a"))],
            &format!("m{index}"),
        );
    }
    too_large(program.logits("x"));
}

#[test]
fn values_that_are_needed_at_the_same_time_are_limited() {
    let mut program = Program::new();
    let scale = json!({ "as_ints": [1, 1, 256, 256] });
    program.push(
        "repeat.default",
        &[("self", tensor("x")), ("repeats", scale)],
        "z",
    );
    let mut names = Vec::new();
    for index in 0..50 {
        let own = format!("z{index}");
        program.push("relu.default", &[("self", tensor("z"))], &own);
        names.push(own);
    }
    for name in names.iter().rev() {
        let sum = [("self", tensor("z")), ("other", tensor(name))];
        program.push("add.Tensor", &sum, &format!("s{name}"));
    }
    let _ = program.clone().logits("sz0").read();
    let parts: Vec<Value> = names.iter().map(|name| json!({ "name": name })).collect();
    program.push(
        "cat.default",
        &[
            ("tensors", json!({ "as_tensors": parts })),
            ("dim", json!({ "as_int": 1 })),
        ],
        "all",
    );
    assert!(program.logits("all").read().is_err());
}

/// A pickle that inflates, within an archive.
#[test]
fn pickled_weights_are_limited() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let path: PathBuf = folder.join("exported/others/pickled.pt2");
    let mut zip = zip::ZipArchive::new(std::fs::File::open(path).unwrap()).unwrap();
    let mut program = Vec::new();
    let mut entry = zip.by_name("windows/models/model.json").unwrap();
    entry.read_to_end(&mut program).unwrap();
    drop(entry);
    let inner = |pickle: Vec<u8>| {
        let path = tempfile::NamedTempFile::new().unwrap();
        write(path.path(), &[("model/data.pkl".into(), pickle)], true);
        std::fs::read(path.path()).unwrap()
    };
    let mut tuples = b"\x80\x02".to_vec();
    tuples.extend(b"N".repeat(32 << 20));
    tuples.push(b'.');
    for weights in [
        std::fs::read(folder.join("weights/malicious.pth")).unwrap(),
        std::fs::read(folder.join("weights/whole_model.pth")).unwrap(),
        std::fs::read(folder.join("weights/truncated.pth")).unwrap(),
        inner(tuples),
        b"PK\x03\x04".to_vec(),
        Vec::new(),
    ] {
        let entries = vec![
            ("windows/models/model.json".to_owned(), program.clone()),
            ("windows/data/weights/model.pt".to_owned(), weights),
        ];
        let message = read_entries(&entries, false).unwrap_err();
        assert!(message.contains("data/weights/model.pt"), "{message}");
    }
    assert!(!Path::new("/tmp/convscope-was-here").exists());
}

/// Texts of a program may be long; nothing is written for each character.
#[test]
fn long_names_are_read() {
    let long = "a".repeat(1_000_000);
    let program = Program::new().logits("x");
    let json = program.json().replace("\"y\"", &format!("\"{long}\""));
    assert!(read_entries(&program.entries(&json), false).is_ok());
}
