//! From the calls of an exported program to a graph.
//!
//! What depends on no value of the input is computed here, once. Lists of values (`unbind`, `split`, `chunk`) become a node
//! for each entry. Assertions and sizes vanish: the sizes are in the program as multiples of the batch size.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use tch::{Kind, Tensor};

use super::aliasing::shares_memory;
use super::argument::{self, argument, tensor_names};
use super::fault::wrong;
use super::names::{ModuleCall, Names};
use super::outputs::{self, ProgramOutput};
use super::schema::{GraphModule, GraphRecord, NodeRecord, size};
use super::signature::ProgramSignature;
use super::special::{self, BY_SHAPE, IDENTITIES, LISTS, Product, SUMS, VIEWS};
use super::values::Values;
use crate::error::Result;
use crate::network::arg::{Arg, ParameterId};
use crate::network::import::builder::{Batching, Builder, Built};
use crate::network::import::limits::Limits;
use crate::network::op::call::{Argument, Call, kind};
use crate::network::op::shape::{Shape, Size};
use crate::network::op::{Add, Cast, Identity, Op, Scatter, Unsqueeze, reader};

/// The most nodes that a program may have.
const MAX_NODES: usize = 50_000;

/// How many views of views there may be: each write to one of them is a write to all.
const MAX_VIEWS: usize = 64;

/// A graph with the values of its parameters.
pub(super) struct Imported {
    pub(super) built: Built,
    /// The outputs of the program, in order.
    pub(super) outputs: Vec<ProgramOutput>,
    /// The one of them that is the graph's output.
    pub(super) chosen: usize,
    /// The number of classes.
    pub(super) classes: usize,
}

/// The values of a parameter, buffer or constant by its name, and whether it is a parameter.
pub(super) type Load<'a> = dyn FnMut(&str) -> Result<(Tensor, bool)> + 'a;

/// Builds the graph of a program, whose inner programs are inlined.
///
/// # Errors
/// If the program has operators that are not supported (one error lists all), or is inconsistent.
pub(super) fn import(
    module: &GraphModule,
    signature: &ProgramSignature,
    batching: Batching,
    limits: &Limits,
    load: &mut Load,
) -> Result<Imported> {
    let record = &module.graph;
    if record.nodes.len() > MAX_NODES {
        return Err(wrong(format!("it has more than {MAX_NODES} nodes")));
    }
    check_operators(record)?;
    let mut importer = Importer::new(record, signature, batching, limits, load);
    for (index, node) in record.nodes.iter().enumerate() {
        importer.node(index, node).map_err(|error| {
            let call = ModuleCall::of_node(node);
            let place = match call.path() {
                "" => String::new(),
                path => format!(" in module `{path}`"),
            };
            let message = format!("`{}`{place}: {}", node.target, error.full_message());
            match error.help_text() {
                Some(help) => wrong(message).help(help.to_owned()),
                None => wrong(message),
            }
        })?;
    }
    importer.finish(module, &signature.outputs)
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
        if !target.starts_with("aten.") || !is_supported(call.name()) {
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

fn is_supported(name: &str) -> bool {
    let by_importer: [&[&str]; 4] = [&LISTS, &BY_SHAPE, &IDENTITIES, &SUMS];
    reader(name).is_some() || by_importer.iter().any(|names| names.contains(&name))
}

/// The names of the aten operators that can be read, sorted.
pub(super) fn supported() -> Vec<&'static str> {
    let mut names = crate::network::op::supported();
    names.extend(
        LISTS
            .iter()
            .chain(&BY_SHAPE)
            .chain(&IDENTITIES)
            .chain(&SUMS),
    );
    names.sort_unstable();
    names.dedup();
    names
}

struct Importer<'a, 'l> {
    record: &'a GraphRecord,
    builder: Builder,
    values: Values,
    names: Names,
    stored: &'a HashMap<String, String>,
    load: &'a mut Load<'l>,
    /// The parameters in the graph by their names in the program.
    parameter_ids: HashMap<String, ParameterId>,
    /// Further values of operators, of which the first one alone is computed.
    left_out: HashSet<String>,
}

impl argument::Names for Importer<'_, '_> {
    fn tensor(&mut self, name: &str) -> Result<Arg> {
        self.resolve(name)
    }

    fn integer(&self, name: &str) -> Option<Size> {
        let found = size(self.record.sym_int_values.get(name)?)?;
        Some(match self.builder.batching() {
            Batching::OneByOne => Size::fixed(found.value),
            Batching::Symbolic | Batching::Followed => found,
        })
    }
}

impl<'a, 'l> Importer<'a, 'l> {
    fn new(
        record: &'a GraphRecord,
        signature: &'a ProgramSignature,
        batching: Batching,
        limits: &Limits,
        load: &'a mut Load<'l>,
    ) -> Self {
        let is_named = |node: &&NodeRecord| {
            let name = operator(&node.target)
                .map(|target| Call::new(target, BTreeMap::new()).name().to_owned());
            name.is_some_and(|name| !IDENTITIES.contains(&name.as_str()))
        };
        let computed = record.nodes.iter().filter(is_named);
        let calls: Vec<ModuleCall> = computed.map(ModuleCall::of_node).collect();
        let mut last_use = HashMap::new();
        for (index, node) in record.nodes.iter().enumerate() {
            for name in node
                .inputs
                .iter()
                .flat_map(|input| tensor_names(&input.arg))
            {
                last_use.insert(name.to_owned(), index);
            }
        }
        for name in &signature.outputs {
            let name = record.renamed.get(name).unwrap_or(name);
            last_use.insert(name.clone(), record.nodes.len());
        }
        let builder = Builder::new(
            signature.sides,
            batching,
            signature.stored_names(),
            limits.clone(),
        );
        let mut values = Values::new(last_use);
        values.set(&signature.input, builder.input(), None);
        Importer {
            record,
            builder,
            values,
            names: Names::new(calls.iter()),
            stored: &signature.stored,
            load,
            parameter_ids: HashMap::new(),
            left_out: HashSet::new(),
        }
    }

    /// Adds what a node of the program computes.
    fn node(&mut self, index: usize, node: &NodeRecord) -> Result<()> {
        let Some(target) = operator(&node.target) else {
            return Ok(());
        };
        let outputs: Vec<&str> = node.outputs.iter().flat_map(tensor_names).collect();
        let mut arguments = BTreeMap::new();
        // Pinned memory is a matter of storage.
        let inputs = node
            .inputs
            .iter()
            .filter(|input| input.name != "pin_memory");
        for input in inputs {
            arguments.insert(input.name.clone(), argument(&input.arg, self)?);
        }
        let mut call = Call::new(target, arguments);
        if call.name().starts_with("new_") {
            // The data type of another value, if none is named.
            let meta = outputs
                .first()
                .and_then(|name| self.record.tensor_values.get(*name));
            call.set_default("dtype", meta.map(|meta| Argument::Dtype(meta.dtype)));
        }
        let first = node.inputs.first();
        let first = first.and_then(|input| tensor_names(&input.arg).next());
        if let Some(first) = first
            && self.values.bases(first).take(MAX_VIEWS).count() == MAX_VIEWS
        {
            return Err(wrong(format!("more than {MAX_VIEWS} views of views")));
        }
        let module = ModuleCall::of_node(node);
        let name = call.name().to_owned();
        if LISTS.contains(&name.as_str()) {
            return self.list(&name, call, &module, &outputs, first);
        }
        let Some((&output, others)) = outputs.split_first() else {
            return Err(wrong("it has no output"));
        };
        if outputs.iter().any(|name| self.values.contains(name)) {
            return Err(wrong("it computes a value twice"));
        }
        self.left_out
            .extend(others.iter().map(|&name| name.to_owned()));
        let (op, args) = self.read(&name, &mut call, output, &module)?;
        call.finish()?;
        let arg = match (&op, &args[..]) {
            // Dropout and other identities are no nodes; `detach` changes the gradient.
            (Op::Identity(same), [arg]) if *same != Identity::DETACH => *arg,
            (Op::Identity(_), [arg @ Arg::Parameter(_)]) => *arg,
            _ => self.push(&module, op.clone(), args)?,
        };
        self.check_shape(output, arg)?;
        let is_in_place = node
            .target
            .split('.')
            .any(|part| part.ends_with('_') && !part.starts_with("__"));
        match first {
            Some(first) if is_in_place => {
                let arg = self.as_stored(first, arg)?;
                self.write(first, arg, index)?;
                // What is computed from the result later sees later writes to the value, too.
                let same = Identity { name: "alias" }.into();
                self.values.set(output, arg, Some((first.to_owned(), same)));
            }
            Some(first)
                if VIEWS.contains(&name.as_str()) && self.shares_memory(&name, first, output) =>
            {
                self.values.set(output, arg, Some((first.to_owned(), op)));
            }
            _ => self.values.set(output, arg, None),
        }
        Ok(())
    }

    /// `arg`, to be written to the value called `name`, in that value's data type.
    fn as_stored(&mut self, name: &str, arg: Arg) -> Result<Arg> {
        let kind = self.builder.kind(self.values.get(name)?.arg);
        if self.builder.kind(arg) == kind {
            return Ok(arg);
        }
        self.push(&ModuleCall::default(), Cast { kind }.into(), vec![arg])
    }

    /// Whether the value called `output`, of the operator `name`, shares memory with that called `input`.
    fn shares_memory(&self, name: &str, input: &str, output: &str) -> bool {
        let stored = |name: &str| self.record.tensor_values.get(name);
        shares_memory(name, stored(input), stored(output))
    }

    /// The operator and the inputs of a call, whose value is called `output`.
    fn read(
        &mut self,
        name: &str,
        call: &mut Call,
        output: &str,
        module: &ModuleCall,
    ) -> Result<(Op, Vec<Arg>)> {
        if ["to", "_to_copy", "type_as"].contains(&name) {
            return self.cast(call, output);
        }
        if BY_SHAPE.contains(&name) {
            return special::by_shape(name, call, &|arg| self.builder.shape(arg));
        }
        if SUMS.contains(&name) {
            let is_parameter = |arg: Arg| matches!(arg, Arg::Parameter(_));
            let (product, added) = special::product_and_sum(name, call, &is_parameter)?;
            return match product {
                Product::Linear(x, weight) => {
                    let weight = self.push(module, Product::transposed(), vec![weight])?;
                    Ok((Product::linear(), vec![x, weight, added]))
                }
                Product::Matmul(a, b) => {
                    let product = self.push(module, Product::matmul(), vec![a, b])?;
                    Ok((Add::PLAIN.into(), vec![product, added]))
                }
            };
        }
        if name == "positive" {
            return Ok((
                Identity { name: "positive" }.into(),
                vec![call.tensor("self")?],
            ));
        }
        match reader(name) {
            Some(read) => read(call),
            None => Err(wrong(format!("`{}` is not supported", call.target))),
        }
    }

    /// A call that may change the data type. Numbers with decimals stay float32.
    fn cast(&mut self, call: &mut Call, output: &str) -> Result<(Op, Vec<Arg>)> {
        for name in ["dtype", "other", "non_blocking", "copy"] {
            call.ignore(name);
        }
        let name = self.record.tensor_values.get(output);
        let wanted = name.and_then(|meta| kind(meta.dtype));
        let arg = call.tensor("self")?;
        let own = Some(self.builder.kind(arg));
        let is_float = |kind: Option<Kind>| {
            matches!(
                kind,
                Some(Kind::Float | Kind::Double | Kind::Half | Kind::BFloat16) | None
            )
        };
        let is_same =
            own == wanted || (is_float(own) && is_float(wanted) && matches!(arg, Arg::Node(_)));
        let op = match wanted.filter(|_| !is_same) {
            Some(kind) => Cast { kind }.into(),
            None => Identity { name: "to" }.into(),
        };
        Ok((op, vec![arg]))
    }

    /// Adds a node for each entry of a list that a call computes, or each of its values.
    fn list(
        &mut self,
        name: &str,
        mut call: Call,
        module: &ModuleCall,
        outputs: &[&str],
        first: Option<&str>,
    ) -> Result<()> {
        let shape = |arg: Arg| self.builder.shape(arg);
        let parts = special::entries(name, &mut call, outputs.len(), &shape)?;
        call.finish()?;
        if parts.len() < outputs.len() {
            return Err(wrong("it has more outputs than values"));
        }
        let is_view = ["unbind", "split", "split_with_sizes", "chunk"].contains(&name);
        for (&output, (op, args)) in outputs.iter().zip(parts) {
            if self.values.contains(output) {
                return Err(wrong("it computes a value twice"));
            }
            if !self.values.is_read(output) {
                continue;
            }
            let own = self.push(module, op.clone(), args)?;
            self.check_shape(output, own)?;
            let view = first
                .filter(|_| is_view)
                .map(|first| (first.to_owned(), op));
            self.values.set(output, own, view);
        }
        Ok(())
    }

    /// Adds a node, or computes it now if it depends neither on the input nor on the batch.
    fn push(&mut self, module: &ModuleCall, op: Op, args: Vec<Arg>) -> Result<Arg> {
        let name = self.names.next(module, op.name());
        self.builder.push(name, op, args)
    }

    /// Checks the inferred shape of a value against the one in the program.
    fn check_shape(&self, name: &str, arg: Arg) -> Result<()> {
        let Some(meta) = self.record.tensor_values.get(name) else {
            return Ok(());
        };
        let stated: Option<Vec<Size>> = meta.sizes.iter().map(size).collect();
        let shape = self.builder.shape(arg);
        let of_one_image =
            |sides: &[Size]| -> Vec<i64> { sides.iter().map(|size| size.value).collect() };
        let is_symbolic = self.builder.batching() == Batching::Symbolic;
        match stated {
            Some(stated)
                if of_one_image(&stated) != of_one_image(&shape.0)
                    || (is_symbolic && stated != shape.0) =>
            {
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
        if let Some(stored) = self.stored.get(name) {
            if let Some(&id) = self.parameter_ids.get(name) {
                let value = self.values.get(name);
                return Ok(value.map_or(Arg::Parameter(id), |value| value.arg));
            }
            let (tensor, is_trained) = (self.load)(stored)?;
            let id = self.builder.add_stored(stored.clone(), tensor, is_trained);
            self.parameter_ids.insert(name.to_owned(), id);
            self.values.set(name, Arg::Parameter(id), None);
            return Ok(Arg::Parameter(id));
        }
        if self.left_out.contains(name) {
            return Err(wrong(format!(
                "the program uses `{name}`, a further value of an operator of which the first one alone is supported"
            )));
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
        let arg = match view.op {
            Op::Identity(same) if same != Identity::DETACH => base,
            op => self.push(&ModuleCall::default(), op, vec![base])?,
        };
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
        if !self.values.is_read_later(&view.base, index) {
            return Ok(());
        }
        let base = self.resolve(&view.base)?;
        let module = ModuleCall::default();
        let whole = match &view.op {
            Op::Slice(_) | Op::Select(_) => {
                let part = Box::new(view.op.clone());
                self.push(&module, Scatter { part }.into(), vec![base, arg])?
            }
            Op::Identity(_) => arg,
            other => match special::reversed(other, &self.builder.shape(base)) {
                Some(op) => self.push(&module, op, vec![arg])?,
                None => {
                    let message = format!("a write through `{}` of `{}`", other.name(), view.base);
                    return Err(wrong(format!("{message} is not supported")));
                }
            },
        };
        self.write(&view.base, whole, index)?;
        let version = self.values.version(&view.base);
        self.values.replace(name, arg, Some(version));
        Ok(())
    }

    /// The graph up to the logits: the first output of shape `[N, classes]`, or else of shape `[N]`.
    fn finish(mut self, module: &GraphModule, in_program: &[String]) -> Result<Imported> {
        let mut found = Vec::new();
        let batch = match self.builder.batching() {
            Batching::OneByOne => Size::fixed(1),
            Batching::Symbolic | Batching::Followed => Size::batched(1),
        };
        let names = outputs::names(module, in_program);
        for (own, name) in in_program.iter().zip(names) {
            let own = self.record.renamed.get(own).unwrap_or(own).clone();
            let arg = self.resolve(&own)?;
            let shape = self.builder.shape(arg);
            let logits = match (arg, &shape.0[..]) {
                (Arg::Node(id), [first, classes]) if *first == batch => {
                    Some((id, classes.value.max(0) as usize))
                }
                // One number for each image, without an axis for it.
                (Arg::Node(_), [first]) if *first == batch => {
                    let op = Unsqueeze { dim: -1 }.into();
                    match self
                        .builder
                        .push(format!("{own}.unsqueeze"), op, vec![arg])?
                    {
                        Arg::Node(id) => Some((id, 1)),
                        Arg::Parameter(_) => None,
                    }
                }
                _ => None,
            };
            found.push(ProgramOutput::new(name, &shape, logits));
        }
        let (chosen, id, classes) = outputs::choose(&found, None)?;
        Ok(Imported {
            built: self.builder.finish(id)?,
            outputs: found,
            chosen,
            classes,
        })
    }
}
