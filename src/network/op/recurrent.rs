//! Recurrent layers.

use tch::Tensor;

use super::call::Call;
use super::shape::{Shape, Size};
use super::{Op, Operator, Reach, Read};
use crate::error::{Error, ErrorKind, Result};
use crate::network::arg::Arg;

/// `lstm(input, hx, params)`: long short-term memory over a sequence (Hochreiter & Schmidhuber 1997). The value is the
/// sequence of hidden states.
#[derive(Debug, Clone, PartialEq)]
pub struct Lstm {
    /// Whether there are biases.
    pub biases: bool,
    /// Layers above each other.
    pub layers: i64,
    /// Whether a second pass reads the sequence backwards.
    pub bidirectional: bool,
    /// Whether the input is `[N, sequence, features]`, or `[sequence, N, features]`.
    pub batch_first: bool,
}

pub(super) const ATEN: &[(&str, Read)] = &[("lstm", read)];

fn read(call: &mut Call) -> Result<(Op, Vec<Arg>)> {
    if call.bool("train", false)? {
        let message = "the network was exported in training mode: it has an LSTM with dropout";
        return Err(Error::new(ErrorKind::Network, message)
            .help("call `net.eval()` before `torch.export.export`"));
    }
    call.number("dropout")?;
    let mut args = vec![call.tensor("input")?];
    let states = call.tensors("hx")?;
    if states.len() != 2 {
        return Err(call.wrong("hx", "two tensors"));
    }
    args.extend(states);
    args.extend(call.tensors("params")?);
    let op = Lstm {
        biases: call.bool("has_biases", true)?,
        layers: call.int("num_layers", 1)?,
        bidirectional: call.bool("bidirectional", false)?,
        batch_first: call.bool("batch_first", false)?,
    };
    Ok((op.into(), args))
}

impl Operator for Lstm {
    fn name(&self) -> &'static str {
        "lstm"
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        let fault = || {
            let message = format!("an LSTM of a value of shape {}", x[0]);
            Error::new(ErrorKind::Network, message)
        };
        let mut value = x[0].clone();
        let (3, Some(hidden)) = (value.rank(), x[1].0.last()) else {
            return Err(fault());
        };
        let directions = if self.bidirectional { 2 } else { 1 };
        let sequence = usize::from(self.batch_first);
        if value.0[sequence].batched {
            return Err(fault());
        }
        value.0[2] = Size::fixed(hidden.value.saturating_mul(directions));
        Ok(value)
    }

    fn evaluate(&self, x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        let (states, parameters) = (&x[1..3], &x[3..]);
        let (value, _, _) = x[0].f_lstm(
            states,
            parameters,
            self.biases,
            self.layers,
            0.0,
            false,
            self.bidirectional,
            self.batch_first,
        )?;
        Ok(value)
    }

    fn multiply_adds(&self, x: &[&Shape], _value: &Shape) -> i64 {
        let steps: i64 = x[0].0[..2].iter().map(|size| size.value).product();
        let weights = x[3..].iter().filter(|shape| shape.rank() == 2);
        let products: i64 = weights
            .map(|shape| shape.0.iter().map(|size| size.value).product::<i64>())
            .sum();
        steps.saturating_mul(products)
    }

    fn reach(&self, _x: &[&Shape]) -> Reach {
        Reach::Whole
    }
}
