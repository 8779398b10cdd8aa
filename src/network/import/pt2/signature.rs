//! The inputs and outputs of a program, as its signature names them: images, parameters, logits.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

use super::argument::tensor_names;
use super::fault::wrong;
use super::schema::{GraphModule, size};
use crate::error::Result;
use crate::network::op::shape::Size;

/// The most values that an image may have.
const MAX_VALUES: i64 = 1 << 26;

/// The inputs and outputs of a program.
pub(super) struct ProgramSignature {
    /// The name of the input.
    pub(super) input: String,
    /// Its channels, rows and columns.
    pub(super) sides: [i64; 3],
    /// Whether the program's sizes name the batch.
    pub(super) is_symbolic: bool,
    /// The names of parameters, buffers and constants in the weights, by their names in the program.
    pub(super) stored: HashMap<String, String>,
    /// The names of the outputs, in order.
    pub(super) outputs: Vec<String>,
}

impl ProgramSignature {
    /// Reads the signature of a program.
    ///
    /// # Errors
    /// If it has several inputs, or its input is no batch of images.
    pub(super) fn read(module: &GraphModule) -> Result<ProgramSignature> {
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
        let [input] = &inputs[..] else {
            return Err(wrong(format!(
                "it has {} inputs; one batch of images is supported",
                inputs.len()
            )));
        };
        let (sides, is_symbolic) = image_sides(module, input)?;
        let outputs = module.signature.output_specs.iter();
        let outputs = outputs.filter_map(|spec| spec.get("user_output")?.get("arg"));
        Ok(ProgramSignature {
            input: input.clone(),
            sides,
            is_symbolic,
            stored,
            outputs: outputs.flat_map(tensor_names).map(str::to_owned).collect(),
        })
    }

    /// The names of the stored parameters and buffers.
    pub(super) fn stored_names(&self) -> BTreeSet<String> {
        self.stored.values().cloned().collect()
    }
}

/// The channels, rows and columns of the input, and whether the batch is a symbol.
fn image_sides(module: &GraphModule, input: &str) -> Result<([i64; 3], bool)> {
    let meta = module.graph.tensor_values.get(input);
    let sides = meta.and_then(|meta| meta.sizes.iter().map(size).collect::<Option<Vec<Size>>>());
    let Some(Ok([batch, channels, height, width])) = sides.map(<[Size; 4]>::try_from) else {
        return Err(wrong("its input is not a batch of images, [N, C, H, W]"));
    };
    let sides = [channels, height, width];
    let is_side = |size: Size| !size.batched && (1..=1 << 16).contains(&size.value);
    if !sides.into_iter().all(is_side) {
        return Err(wrong(format!(
            "its input of {channels} × {height} × {width} can't be used: the sizes must be fixed when it is exported"
        )));
    }
    let values = sides
        .iter()
        .fold(1i64, |all, size| all.saturating_mul(size.value));
    if values > MAX_VALUES {
        return Err(wrong(format!(
            "its input of {channels} × {height} × {width} is too large"
        )));
    }
    match batch {
        Size {
            batched: true,
            value: 1,
        } => {}
        Size {
            batched: false,
            value: 1,
        } => {}
        other => {
            return Err(wrong(format!(
                "it was exported for batches of {other} images; export it with `dynamic_shapes`, or for one image"
            )));
        }
    }
    Ok((sides.map(|size| size.value), batch.batched))
}
