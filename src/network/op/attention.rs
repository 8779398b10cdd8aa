//! Attention.

use tch::Tensor;

use super::call::Call;
use super::shape::Shape;
use super::{Op, Operator, Reach, Read, ReducedPrecision};
use crate::error::Result;
use crate::network::arg::Arg;

/// `scaled_dot_product_attention(query, key, value, attn_mask)`: softmax(q · kᵀ · scale + mask) · v (Vaswani et al. 2017,
/// <https://arxiv.org/abs/1706.03762>). A boolean mask is true where a position is attended to.
#[derive(Debug, Clone, PartialEq)]
pub struct ScaledDotProductAttention {
    /// Whether a position attends to those before it only.
    pub is_causal: bool,
    /// The factor of the products; `None` is one over the root of the last axis's length.
    pub scale: Option<f64>,
    /// Whether groups of heads share keys and values.
    pub enable_gqa: bool,
}

pub(super) const ATEN: &[(&str, Read)] = &[("scaled_dot_product_attention", read)];

fn read(call: &mut Call) -> Result<(Op, Vec<Arg>)> {
    let mut args = vec![
        call.tensor("query")?,
        call.tensor("key")?,
        call.tensor("value")?,
    ];
    args.extend(call.optional_tensor("attn_mask")?);
    if call.number("dropout_p")?.unwrap_or(0.0) != 0.0 {
        return Err(call.wrong(
            "dropout_p",
            "0: call `net.eval()` before `torch.export.export`",
        ));
    }
    let op = ScaledDotProductAttention {
        is_causal: call.bool("is_causal", false)?,
        scale: call.number("scale")?,
        enable_gqa: call.bool("enable_gqa", false)?,
    };
    Ok((op.into(), args))
}

impl Operator for ScaledDotProductAttention {
    fn name(&self) -> &'static str {
        "scaled_dot_product_attention"
    }

    fn reduced_precision(&self) -> ReducedPrecision {
        ReducedPrecision::Rounds
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        let mut value = x[0].clone();
        if let (Some(last), Some(width)) = (value.0.last_mut(), x[2].0.last()) {
            *last = *width;
        }
        Ok(value)
    }

    fn evaluate(&self, x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        let mask = x.get(3).copied();
        Ok(Tensor::f_scaled_dot_product_attention(
            x[0],
            x[1],
            x[2],
            mask,
            0.0,
            self.is_causal,
            self.scale,
            self.enable_gqa,
        )?)
    }

    fn multiply_adds(&self, x: &[&Shape], value: &Shape) -> i64 {
        let keys = x[1].0.iter().rev().nth(1).map_or(0, |size| size.value);
        let width = x[0].0.last().map_or(0, |size| size.value);
        let outputs: i64 = value.0.iter().map(|size| size.value).product();
        let wide = value.0.last().map_or(1, |size| size.value.max(1));
        outputs / wide * keys * width + outputs * keys
    }

    fn reach(&self, _x: &[&Shape]) -> Reach {
        Reach::Whole
    }
}
