//! The parts of an exported program's JSON that are read, as `torch/_export/serde/schema.py` of PyTorch documents them.
//! Unknown fields are ignored.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;
use serde_json::Value;

use crate::network::op::shape::Size;
use crate::network::weights::dtype::Dtype;

/// `models/model.json`.
#[derive(Debug, Deserialize)]
pub(super) struct ExportedProgram {
    pub(super) graph_module: GraphModule,
    #[serde(default)]
    pub(super) schema_version: SchemaVersion,
    #[serde(default)]
    pub(super) torch_version: Option<String>,
}

/// The version of the schema: a new major version changes the meaning of fields.
#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(from = "VersionForm")]
pub(super) struct SchemaVersion {
    pub(super) major: u32,
    pub(super) minor: u32,
}

/// How the version is written: as one number before PyTorch 2.3.
#[derive(Deserialize)]
#[serde(untagged)]
enum VersionForm {
    One(u32),
    Two { major: u32, minor: u32 },
}

impl From<VersionForm> for SchemaVersion {
    fn from(form: VersionForm) -> Self {
        match form {
            VersionForm::One(major) => SchemaVersion { major, minor: 0 },
            VersionForm::Two { major, minor } => SchemaVersion { major, minor },
        }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct GraphModule {
    pub(super) graph: GraphRecord,
    pub(super) signature: Signature,
    /// The modules, the network first, with the structures of their inputs and outputs.
    #[serde(default)]
    pub(super) module_call_graph: Vec<Value>,
}

#[derive(Debug, Deserialize)]
pub(super) struct GraphRecord {
    pub(super) nodes: Vec<NodeRecord>,
    #[serde(default)]
    pub(super) tensor_values: HashMap<String, TensorMeta>,
    #[serde(default)]
    pub(super) sym_int_values: HashMap<String, Value>,
    /// The inputs of an inner program.
    #[serde(default)]
    pub(super) inputs: Vec<Value>,
    /// The outputs of an inner program.
    #[serde(default)]
    pub(super) outputs: Vec<Value>,
    /// The names of values that inner programs compute, by the names of their calls' outputs.
    #[serde(skip)]
    pub(super) renamed: HashMap<String, String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct NodeRecord {
    pub(super) target: String,
    #[serde(default)]
    pub(super) inputs: Vec<NamedArgument>,
    #[serde(default)]
    pub(super) outputs: Vec<Value>,
    #[serde(default)]
    pub(super) metadata: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct NamedArgument {
    #[serde(default)]
    pub(super) name: String,
    pub(super) arg: Value,
}

#[derive(Debug, Deserialize)]
pub(super) struct Signature {
    #[serde(default)]
    pub(super) input_specs: Vec<Value>,
    #[serde(default)]
    pub(super) output_specs: Vec<Value>,
}

/// The shape and the storage of a tensor.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct TensorMeta {
    pub(super) dtype: i64,
    #[serde(default)]
    pub(super) sizes: Vec<Value>,
    #[serde(default)]
    pub(super) strides: Vec<Value>,
    #[serde(default)]
    pub(super) storage_offset: Value,
}

/// `data/weights/model_weights_config.json` and `data/constants/model_constants_config.json`.
#[derive(Debug, Deserialize)]
pub(super) struct PayloadConfig {
    #[serde(default)]
    pub(super) config: BTreeMap<String, Payload>,
}

/// Where the values of a parameter, buffer or constant are.
#[derive(Debug, Deserialize)]
pub(super) struct Payload {
    pub(super) path_name: String,
    #[serde(default)]
    pub(super) is_param: bool,
    #[serde(default)]
    pub(super) use_pickle: bool,
    pub(super) tensor_meta: Option<TensorMeta>,
}

/// The data type with this number in `ScalarType`; `None` for complex and quantised ones.
pub(super) fn dtype(number: i64) -> Option<Dtype> {
    Some(match number {
        1 => Dtype::U8,
        2 => Dtype::I8,
        3 => Dtype::I16,
        4 => Dtype::I32,
        5 => Dtype::I64,
        6 => Dtype::F16,
        7 => Dtype::F32,
        8 => Dtype::F64,
        12 => Dtype::Bool,
        13 => Dtype::BF16,
        _ => return None,
    })
}

/// The integer of `{"as_int": 3}`.
pub(super) fn integer(value: &Value) -> Option<i64> {
    value.get("as_int").unwrap_or(value).as_i64()
}

/// The integer or the multiple of the batch size of `{"as_int": 3}` or `{"as_expr": {"expr_str": …}}`.
pub(super) fn size(value: &Value) -> Option<Size> {
    if let Some(fixed) = integer(value) {
        return Some(Size::fixed(fixed));
    }
    symbolic(value.get("as_expr")?.get("expr_str")?.as_str()?)
}

/// The multiple of the batch size that an expression of sympy's `srepr` is: `Symbol('s77', …)`, or
/// `Mul(Integer(64), Symbol('s77', …))`, or an integer; before PyTorch 2.7 `s0` or `64*s0`.
fn symbolic(expression: &str) -> Option<Size> {
    let integer = |text: &str| {
        let digits = text.strip_prefix("Integer(")?.strip_suffix(')')?;
        digits.parse::<i64>().ok()
    };
    let is_symbol =
        |text: &str| text.starts_with("Symbol(") && text.matches("Symbol(").count() == 1;
    let text = expression.trim();
    if is_symbol(text) && text.ends_with(')') {
        return Some(Size::batched(1));
    }
    if let Some(product) = text.strip_prefix("Mul(") {
        let (factor, symbol) = product.strip_suffix(')')?.split_once(", ")?;
        return Some(Size::batched(
            integer(factor).filter(|_| is_symbol(symbol))?,
        ));
    }
    if let Some(fixed) = text.parse().ok().or_else(|| integer(text)) {
        return Some(Size::fixed(fixed));
    }
    let (factor, symbol) = text.split_once('*').unwrap_or(("1", text));
    let is_name = symbol.starts_with(|c: char| c.is_ascii_alphabetic())
        && symbol
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_');
    let factor = factor.parse().ok().filter(|_| is_name);
    factor.map(Size::batched)
}
