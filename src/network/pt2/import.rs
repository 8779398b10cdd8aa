//! From the calls of an exported program to a graph.
//!
//! What depends on no value of the input is computed here, once. Lists of values (`unbind`, `split`, `chunk`) become a node
//! for each entry. Assertions and sizes vanish: the sizes are in the program as multiples of the batch size.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;
use tch::Tensor;

use super::names::{ModuleCall, Names};
use super::schema::{GraphModule, GraphRecord, NodeRecord, size};
use super::values::Values;
use crate::error::{Error, ErrorKind, Result};
use crate::network::arg::{Arg, ParameterId};
use crate::network::graph::{Graph, Parameter, ParameterKind};
use crate::network::op::call::{Argument, Call};
use crate::network::op::shape::{Shape, Size};
use crate::network::op::{Identity, Op, Select, Slice, reader};

/// The most values that a node may have for one image.
const MAX_VALUES: i64 = 1 << 28;

/// The largest integer that an argument may have.
const MAX_INTEGER: u64 = 1 << 20;

/// The most nodes that a program may have.
const MAX_NODES: usize = 100_000;

/// A graph with the values of its parameters.
pub(super) struct Imported {
    pub(super) graph: Graph,
    pub(super) parameters: BTreeMap<String, Tensor>,
    pub(super) input_size: [i64; 2],
    pub(super) classes: usize,
}

/// The values of a parameter, buffer or constant by its name, and whether it is a parameter.
pub(super) type Load<'a> = dyn FnMut(&str) -> Result<(Tensor, bool)> + 'a;

/// Builds the graph of a program.
///
/// # Errors
/// If the program has several inputs, operators that are not supported (one error lists all), or is inconsistent.
pub(super) fn import(module: &GraphModule, load: &mut Load) -> Result<Imported> {
    let record = &module.graph;
    if record.nodes.len() > MAX_NODES {
        return Err(wrong(format!("it has more than {MAX_NODES} nodes")));
    }
    check_operators(record)?;
    let signature = read_signature(module)?;
    let mut importer = Importer::new(record, signature, load)?;
    for (index, node) in record.nodes.iter().enumerate() {
        importer.node(index, node).map_err(|error| {
            let call = ModuleCall::of_node(node);
            let place = match call.path() {
                "" => String::new(),
                path => format!(" in module `{path}`"),
            };
            wrong(format!(
                "`{}`{place}: {}",
                node.target,
                error.full_message()
            ))
        })?;
    }
    importer.finish(&module.signature.output_specs)
}

fn wrong(message: String) -> Error {
    Error::new(ErrorKind::Weights, message)
}

/// The operator of a target: `aten.conv2d.default`; `None` for what computes no tensor.
fn operator(target: &str) -> Option<&str> {
    let name = target.trim_start_matches("torch.ops.");
    let skipped = [
        "aten.sym_size",
        "aten._assert",
        "aten.sym_constrain",
        "_operator.",
        "math.",
        "aten.sym_",
    ];
    (!skipped.iter().any(|prefix| name.starts_with(prefix))).then_some(name)
}

/// Checks that every operator is known.
fn check_operators(record: &GraphRecord) -> Result<()> {
    let mut unknown: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for node in &record.nodes {
        let Some(target) = operator(&node.target) else {
            continue;
        };
        let call = Call::new(target, BTreeMap::new());
        let known = target.starts_with("aten.")
            && (reader(call.name()).is_some()
                || LISTS.contains(&call.name())
                || SPECIAL.contains(&call.name()));
        if !known {
            let path = ModuleCall::of_node(node).path().to_owned();
            unknown.entry(target).or_default().insert(path);
        }
    }
    if unknown.is_empty() {
        return Ok(());
    }
    let list: Vec<String> = unknown
        .iter()
        .map(|(target, modules)| {
            let first = modules.first().map_or("", String::as_str);
            match (first, modules.len()) {
                ("", _) => format!("`{target}`"),
                (first, 1) => format!("`{target}` (in `{first}`)"),
                (first, count) => format!("`{target}` (in `{first}` and {} more)", count - 1),
            }
        })
        .collect();
    Err(wrong(format!(
        "operators that are not supported: {}",
        list.join(", ")
    )))
}

/// Operators whose value is a list.
pub(super) const LISTS: [&str; 4] = ["unbind", "split", "split_with_sizes", "chunk"];

/// Operators that the importer itself turns into others.
pub(super) const SPECIAL: [&str; 5] = ["reshape_as", "view_as", "expand_as", "type_as", "swapaxes"];

/// Operators that change no value, and so are no nodes.
const IDENTITIES: [&str; 8] = [
    "dropout",
    "contiguous",
    "clone",
    "detach",
    "alias",
    "lift_fresh_copy",
    "to",
    "type_as",
];

/// Operators whose value shares memory with their input.
const VIEWS: [&str; 14] = [
    "view",
    "reshape",
    "flatten",
    "slice",
    "select",
    "narrow",
    "transpose",
    "swapaxes",
    "permute",
    "unsqueeze",
    "squeeze",
    "expand",
    "detach",
    "alias",
];

/// What the inputs of a program are.
struct SignatureInputs {
    /// The name of the input.
    input: String,
    /// The names of parameters, buffers and constants in the weights, by their names in the program.
    stored: HashMap<String, String>,
}

fn read_signature(module: &GraphModule) -> Result<SignatureInputs> {
    let mut inputs = Vec::new();
    let mut stored = HashMap::new();
    for spec in &module.signature.input_specs {
        let Some((kind, spec)) = spec.as_object().and_then(|spec| spec.iter().next()) else {
            continue;
        };
        let name = |value: &Value| value.get("name").and_then(Value::as_str).map(str::to_owned);
        let arg = spec.get("arg");
        match kind.as_str() {
            "user_input" => inputs.extend(arg.and_then(|arg| name(arg.get("as_tensor")?))),
            "parameter" | "buffer" | "tensor_constant" => {
                let target = spec.get(format!("{kind}_name")).and_then(Value::as_str);
                if let (Some(own), Some(target)) = (arg.and_then(name), target) {
                    stored.insert(own, target.to_owned());
                }
            }
            _ => {}
        }
    }
    match &inputs[..] {
        [input] => Ok(SignatureInputs {
            input: input.clone(),
            stored,
        }),
        _ => Err(wrong(format!(
            "it has {} inputs; one image batch is supported",
            inputs.len()
        ))),
    }
}

struct Importer<'a, 'l> {
    record: &'a GraphRecord,
    graph: Graph,
    /// The shapes of the nodes.
    shapes: Vec<Shape>,
    values: Values,
    names: Names,
    input_size: [i64; 2],
    stored: HashMap<String, String>,
    load: &'a mut Load<'l>,
    /// The parameters in the graph by their names in the program.
    parameter_ids: HashMap<String, ParameterId>,
    tensors: Vec<Tensor>,
    /// The last node that uses each name.
    last_use: HashMap<String, usize>,
}

impl<'a, 'l> Importer<'a, 'l> {
    fn new(
        record: &'a GraphRecord,
        signature: SignatureInputs,
        load: &'a mut Load<'l>,
    ) -> Result<Self> {
        let sides = record.tensor_values.get(&signature.input);
        let sides = sides.map(|meta| meta.sizes.iter().map(size).collect::<Option<Vec<Size>>>());
        let Some(Some([batch, channels, height, width])) = sides.as_ref().map(|sides| {
            sides
                .as_deref()
                .and_then(|sides| <[Size; 4]>::try_from(sides).ok())
        }) else {
            return Err(wrong(
                "its input is not a batch of images, [N, C, H, W]".into(),
            ));
        };
        let is_side = |size: Size| !size.batched && (1..=1 << 16).contains(&size.value);
        if ![channels, height, width].into_iter().all(is_side) {
            return Err(wrong(format!(
                "its input of {channels} × {height} × {width} can't be used"
            )));
        }
        if !batch.batched {
            return Err(wrong(
                "its batch size is fixed: export it with `dynamic_shapes`".into(),
            ));
        }
        let is_named = |node: &&NodeRecord| {
            let name = operator(&node.target)
                .map(|target| Call::new(target, BTreeMap::new()).name().to_owned());
            name.is_some_and(|name| !IDENTITIES.contains(&name.as_str()))
        };
        let computed = record.nodes.iter().filter(is_named);
        let calls: Vec<ModuleCall> = computed.map(ModuleCall::of_node).collect();
        let mut last_use = HashMap::new();
        for (index, node) in record.nodes.iter().enumerate() {
            for input in &node.inputs {
                for name in tensor_names(&input.arg) {
                    last_use.insert(name.to_owned(), index);
                }
            }
        }
        let graph = Graph::with_channels(channels.value);
        let mut values = Values::default();
        values.set(&signature.input, Arg::Node(graph.input()), None);
        Ok(Importer {
            record,
            shapes: vec![Shape::batch_of(&[
                channels.value,
                height.value,
                width.value,
            ])],
            graph,
            values,
            names: Names::new(calls.iter()),
            input_size: [height.value, width.value],
            stored: signature.stored,
            load,
            parameter_ids: HashMap::new(),
            tensors: Vec::new(),
            last_use,
        })
    }

    /// Adds what a node of the program computes.
    fn node(&mut self, index: usize, node: &NodeRecord) -> Result<()> {
        let Some(target) = operator(&node.target) else {
            return Ok(());
        };
        let outputs = node.outputs.iter().flat_map(tensor_names);
        let outputs: Vec<String> = outputs.map(str::to_owned).collect();
        let mut arguments = BTreeMap::new();
        for input in &node.inputs {
            arguments.insert(input.name.clone(), self.argument(&input.arg)?);
        }
        let mut call = Call::new(target, arguments);
        let first = node
            .inputs
            .first()
            .and_then(|input| tensor_names(&input.arg).next());
        let module = ModuleCall::of_node(node);
        let name = call.name().to_owned();
        if LISTS.contains(&name.as_str()) {
            return self.list(&name, call, &module, &outputs, first);
        }
        let (op, args) = self.read(&name, &mut call, node)?;
        call.finish()?;
        let arg = match (&op, &args[..]) {
            // Dropout and other identities are no nodes.
            (Op::Identity(_), [arg]) => *arg,
            _ => self.push(&module, op.clone(), args)?,
        };
        let Some(output) = outputs.first() else {
            return Err(wrong("it has no output".into()));
        };
        self.check_shape(output, arg)?;
        let is_in_place = node
            .target
            .split('.')
            .any(|part| part.ends_with('_') && !part.starts_with("__"));
        match first {
            Some(first) if is_in_place => {
                self.write(first, arg, index)?;
                self.values.set(output, arg, None);
            }
            Some(first) if VIEWS.contains(&name.as_str()) => {
                self.values.set(output, arg, Some((first.to_owned(), op)));
            }
            _ => self.values.set(output, arg, None),
        }
        Ok(())
    }

    /// The operator and the inputs of a call.
    fn read(&mut self, name: &str, call: &mut Call, node: &NodeRecord) -> Result<(Op, Vec<Arg>)> {
        match name {
            "type_as" => {
                call.ignore("other");
                Ok((
                    Identity { name: "type_as" }.into(),
                    vec![call.tensor("self")?],
                ))
            }
            "swapaxes" => {
                let dims = vec![call.int("axis0", 0)?, call.int("axis1", 1)?];
                let op = crate::network::op::Permute {
                    dims,
                    exchange: true,
                };
                Ok((op.into(), vec![call.tensor("self")?]))
            }
            "reshape_as" | "view_as" | "expand_as" => {
                let other = call.tensor("other")?;
                let shape = self.shape(other).0;
                let arg = call.tensor("self")?;
                let op: Op = if name == "expand_as" {
                    crate::network::op::Expand { size: shape }.into()
                } else {
                    crate::network::op::Reshape { shape }.into()
                };
                Ok((op, vec![arg]))
            }
            _ => match reader(name) {
                Some(read) => read(call),
                None => Err(wrong(format!("`{}` is not supported", node.target))),
            },
        }
    }

    /// Adds a node for each entry of a list that a call computes.
    fn list(
        &mut self,
        name: &str,
        mut call: Call,
        module: &ModuleCall,
        outputs: &[String],
        first: Option<&str>,
    ) -> Result<()> {
        let arg = call.tensor("self")?;
        let dim = call.int("dim", 0)?;
        let shape = self.shape(arg);
        let length = shape.0[shape.axis(dim)?].value;
        let sizes: Vec<i64> = match name {
            "unbind" => vec![1; outputs.len()],
            "split_with_sizes" => call.ints("split_sizes")?.unwrap_or_default(),
            "split" => vec![call.int("split_size", length)?.max(1); outputs.len()],
            // `chunk` makes parts of the same size, rounded up.
            _ => {
                let chunks = call.int("chunks", 1)?.max(1);
                vec![(length + chunks - 1) / chunks; outputs.len()]
            }
        };
        call.finish()?;
        let mut start = 0;
        for (index, output) in outputs.iter().enumerate() {
            let part = sizes.get(index).copied().unwrap_or(0);
            let op: Op = if name == "unbind" {
                Select {
                    dim,
                    index: index as i64,
                }
                .into()
            } else {
                let end = start + part;
                Slice {
                    dim,
                    start,
                    end,
                    step: 1,
                }
                .into()
            };
            start += part;
            let own = self.push(module, op.clone(), vec![arg])?;
            self.check_shape(output, own)?;
            self.values
                .set(output, own, first.map(|first| (first.to_owned(), op)));
        }
        Ok(())
    }

    /// Adds a node, or computes it now if it depends neither on the input nor on the batch.
    fn push(&mut self, module: &ModuleCall, op: Op, args: Vec<Arg>) -> Result<Arg> {
        let own: Vec<Shape> = args.iter().map(|&arg| self.shape(arg)).collect();
        let shapes: Vec<&Shape> = own.iter().collect();
        let shape = op.operator().shape(&shapes)?;
        if shape.count()? > MAX_VALUES {
            return Err(wrong(format!("a value of shape {shape} is too large")));
        }
        let is_constant =
            args.iter().all(|arg| matches!(arg, Arg::Parameter(_))) && shape.batch_axis().is_none();
        let name = self.names.next(module, op.name());
        if is_constant {
            let inputs: Vec<&Tensor> = args
                .iter()
                .filter_map(|arg| match arg {
                    Arg::Parameter(id) => self.tensors.get(*id),
                    Arg::Node(_) => None,
                })
                .collect();
            let value = tch::no_grad(|| op.operator().evaluate(&inputs, 1))?;
            // Parameters are found by their names.
            let is_taken = self.stored.values().any(|stored| *stored == name);
            let name = if is_taken {
                format!("{name} (constant)")
            } else {
                name
            };
            return Ok(Arg::Parameter(self.add_parameter(
                name,
                value,
                ParameterKind::Constant,
            )));
        }
        let id = self.graph.push_node(name, op, args);
        if let (Some(axis), Some(node)) = (shape.batch_axis(), Some(id)) {
            self.graph.set_batch(node, axis, shape.0[axis].value);
        }
        self.shapes.push(shape);
        Ok(Arg::Node(id))
    }

    fn add_parameter(&mut self, name: String, value: Tensor, kind: ParameterKind) -> ParameterId {
        let shape = value.size();
        self.tensors.push(value);
        self.graph.add_parameter(Parameter { name, shape, kind })
    }

    fn shape(&self, arg: Arg) -> Shape {
        match arg {
            Arg::Node(id) => self.shapes[id].clone(),
            Arg::Parameter(id) => Shape::fixed(&self.graph.parameters()[id].shape),
        }
    }

    /// Checks the inferred shape of a value against the one in the program.
    fn check_shape(&self, name: &str, arg: Arg) -> Result<()> {
        let Some(meta) = self.record.tensor_values.get(name) else {
            return Ok(());
        };
        let stated: Option<Vec<Size>> = meta.sizes.iter().map(size).collect();
        let shape = self.shape(arg);
        match stated {
            Some(stated) if stated != shape.0 => {
                let stated = Shape(stated);
                Err(wrong(format!(
                    "its shape is {stated} in the program and {shape} by its inputs"
                )))
            }
            _ => Ok(()),
        }
    }

    /// The value called `name`: computed again from what it is a part of, if that was written to.
    fn resolve(&mut self, name: &str) -> Result<Arg> {
        if let Some(stored) = self.stored.get(name).cloned() {
            if let Some(&id) = self.parameter_ids.get(name) {
                return Ok(self
                    .values
                    .get(name)
                    .map_or(Arg::Parameter(id), |value| value.arg));
            }
            let (tensor, is_parameter) = (self.load)(&stored)?;
            let kind = if is_parameter {
                ParameterKind::Trained
            } else {
                ParameterKind::Buffer
            };
            let id = self.add_parameter(stored, tensor, kind);
            self.parameter_ids.insert(name.to_owned(), id);
            self.values.set(name, Arg::Parameter(id), None);
            return Ok(Arg::Parameter(id));
        }
        let value = self.values.get(name)?.clone();
        let Some(view) = value.view else {
            return Ok(value.arg);
        };
        let base = self.resolve(&view.base)?;
        let version = self.values.version(&view.base);
        if version == view.version {
            return Ok(value.arg);
        }
        let arg = self.push(&ModuleCall::default(), view.op, vec![base])?;
        self.values.replace(name, arg, Some(version));
        Ok(arg)
    }

    /// Writes `arg` to the value called `name` in place.
    fn write(&mut self, name: &str, arg: Arg, index: usize) -> Result<()> {
        let view = self.values.get(name)?.view.clone();
        self.values.replace(name, arg, None);
        let Some(view) = view else {
            return Ok(());
        };
        if self
            .last_use
            .get(&view.base)
            .is_none_or(|&last| last <= index)
        {
            return Ok(());
        }
        let base = self.resolve(&view.base)?;
        let whole = match &view.op {
            Op::Slice(_) | Op::Select(_) => {
                let op = crate::network::op::Scatter {
                    part: Box::new(view.op.clone()),
                };
                self.push(&ModuleCall::default(), op.into(), vec![base, arg])?
            }
            Op::Reshape(_) | Op::Flatten(_) => {
                let shape = self.shape(base).0;
                let op = crate::network::op::Reshape { shape };
                self.push(&ModuleCall::default(), op.into(), vec![arg])?
            }
            Op::Identity(_) => arg,
            other => {
                let message = format!("a write through `{}` of `{}`", other.name(), view.base);
                return Err(wrong(format!("{message} is not supported")));
            }
        };
        self.write(&view.base, whole, index)?;
        let version = self.values.version(&view.base);
        self.values.replace(name, arg, Some(version));
        Ok(())
    }

    /// The argument of a call. Integers are bounded, so that no computation with them overflows; only the end of a slice may
    /// be the largest integer, which means its axis's end.
    fn argument(&mut self, value: &Value) -> Result<Argument> {
        let argument = self.read_argument(value)?;
        let sizes: &[Size] = match &argument {
            Argument::Int(size) => std::slice::from_ref(size),
            Argument::Ints(sizes) => sizes,
            _ => &[],
        };
        let is_allowed =
            |size: &Size| size.value == i64::MAX || size.value.unsigned_abs() <= MAX_INTEGER;
        match sizes.iter().find(|size| !is_allowed(size)) {
            None => Ok(argument),
            Some(size) => Err(wrong(format!("an integer of {size} is too large"))),
        }
    }

    fn read_argument(&mut self, value: &Value) -> Result<Argument> {
        let Some((kind, value)) = value.as_object().and_then(|value| value.iter().next()) else {
            return Err(wrong("an argument can't be read".into()));
        };
        let unreadable = || wrong(format!("an argument `{kind}` can't be read"));
        let list = || value.as_array().ok_or_else(unreadable);
        let number = |value: &Value| match value.as_str() {
            Some("Infinity") => Some(f64::INFINITY),
            Some("-Infinity") => Some(f64::NEG_INFINITY),
            Some(_) => None,
            None => value.as_f64(),
        };
        Ok(match kind.as_str() {
            "as_none" => Argument::Absent,
            "as_tensor" => Argument::Tensor(self.named(value)?),
            "as_tensors" => {
                let mut tensors = Vec::new();
                for value in list()? {
                    tensors.push(Some(self.named(value)?));
                }
                Argument::Tensors(tensors)
            }
            "as_optional_tensors" => {
                let mut tensors = Vec::new();
                for value in list()? {
                    tensors.push(match value.get("as_tensor") {
                        Some(tensor) => Some(self.named(tensor)?),
                        None => None,
                    });
                }
                Argument::Tensors(tensors)
            }
            "as_int" => Argument::Int(Size::fixed(value.as_i64().ok_or_else(unreadable)?)),
            "as_ints" => {
                let fixed = list()?.iter().map(|value| value.as_i64().map(Size::fixed));
                Argument::Ints(fixed.collect::<Option<_>>().ok_or_else(unreadable)?)
            }
            "as_sym_int" => Argument::Int(self.symbolic(value).ok_or_else(unreadable)?),
            "as_sym_ints" => {
                let sizes = list()?.iter().map(|value| self.symbolic(value));
                Argument::Ints(sizes.collect::<Option<_>>().ok_or_else(unreadable)?)
            }
            "as_float" => Argument::Float(number(value).ok_or_else(unreadable)?),
            "as_floats" => {
                let numbers = list()?.iter().map(number);
                Argument::Floats(numbers.collect::<Option<_>>().ok_or_else(unreadable)?)
            }
            "as_bool" => Argument::Bool(value.as_bool().ok_or_else(unreadable)?),
            "as_bools" => {
                let bools = list()?.iter().map(Value::as_bool);
                Argument::Bools(bools.collect::<Option<_>>().ok_or_else(unreadable)?)
            }
            "as_string" => Argument::Text(value.as_str().ok_or_else(unreadable)?.to_owned()),
            "as_scalar_type" => Argument::Dtype(value.as_i64().ok_or_else(unreadable)?),
            "as_device" | "as_layout" | "as_memory_format" => Argument::Storage,
            _ => return Err(unreadable()),
        })
    }

    fn named(&mut self, value: &Value) -> Result<Arg> {
        let name = value.get("name").and_then(Value::as_str);
        let name = name
            .ok_or_else(|| wrong("a tensor has no name".into()))?
            .to_owned();
        self.resolve(&name)
    }

    /// An integer of the program, or a multiple of the batch size: `{"as_name": "sym_size"}` or `{"as_int": 3}`.
    fn symbolic(&self, value: &Value) -> Option<Size> {
        match value.get("as_name").and_then(Value::as_str) {
            Some(name) => size(self.record.sym_int_values.get(name)?),
            None => size(value),
        }
    }

    /// The graph up to the logits: the first output of shape `[N, classes]`.
    fn finish(mut self, outputs: &[Value]) -> Result<Imported> {
        let names: Vec<String> = outputs
            .iter()
            .filter_map(|spec| spec.get("user_output")?.get("arg"))
            .flat_map(tensor_names)
            .map(str::to_owned)
            .collect();
        let mut found = None;
        for name in &names {
            let arg = self.resolve(name)?;
            let shape = self.shape(arg);
            if let (Arg::Node(id), [batch, classes]) = (arg, &shape.0[..])
                && *batch == Size::batched(1)
            {
                found = Some((id, classes.value));
                break;
            }
        }
        let Some((id, classes)) = found else {
            let message = format!(
                "none of its {} outputs has the shape [N, classes]",
                names.len()
            );
            return Err(wrong(message));
        };
        self.graph.set_output(id);
        let own = self.graph.parameters().iter().zip(self.tensors);
        Ok(Imported {
            parameters: own
                .map(|(parameter, value)| (parameter.name.clone(), value))
                .collect(),
            graph: self.graph,
            input_size: self.input_size,
            classes: classes.max(0) as usize,
        })
    }
}

/// The names of the tensors in an argument, itself one or a list of them.
fn tensor_names(value: &Value) -> impl Iterator<Item = &str> {
    let one = value.get("as_tensor").into_iter();
    let many = value
        .get("as_tensors")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let optional = value
        .get("as_optional_tensors")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let optional = optional.filter_map(|value| value.get("as_tensor"));
    one.chain(many)
        .chain(optional)
        .filter_map(|value| value.get("name")?.as_str())
}
