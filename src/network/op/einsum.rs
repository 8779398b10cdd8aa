//! Sums of products by a formula of Einstein's notation.

use std::collections::BTreeMap;

use tch::Tensor;

use super::shape::{Shape, Size};
use super::{Operator, Reach, Read};
use crate::error::{Error, ErrorKind, Result};

/// `einsum(equation, tensors)`: each letter is an axis; letters that are missing on the right are summed over.
#[derive(Debug, Clone, PartialEq)]
pub struct Einsum {
    /// The formula: `bhid,bhjd->bhij`.
    pub equation: String,
}

pub(super) const ATEN: &[(&str, Read)] = &[("einsum", |call| {
    let equation = call.text("equation", "")?;
    call.ignore("path");
    Ok((Einsum { equation }.into(), call.tensors("tensors")?))
})];

impl Einsum {
    /// The letters of each input and of the value.
    pub(in crate::network) fn letters(&self, inputs: usize) -> Option<(Vec<Vec<char>>, Vec<char>)> {
        let text: String = self.equation.split_whitespace().collect();
        if text.contains('.') {
            return None;
        }
        let (left, right) = match text.split_once("->") {
            Some((left, right)) => (left.to_owned(), Some(right.to_owned())),
            None => (text, None),
        };
        let terms: Vec<Vec<char>> = left.split(',').map(|term| term.chars().collect()).collect();
        let value = match right {
            Some(right) => right.chars().collect(),
            // Without an arrow: the letters that are there once, in their alphabetical order.
            None => {
                let mut counts: BTreeMap<char, usize> = BTreeMap::new();
                for letter in terms.iter().flatten() {
                    *counts.entry(*letter).or_default() += 1;
                }
                let once = counts.into_iter().filter(|(_, count)| *count == 1);
                once.map(|(letter, _)| letter).collect()
            }
        };
        (terms.len() == inputs).then_some((terms, value))
    }

    /// The length of each letter's axis.
    fn lengths(&self, x: &[&Shape], terms: &[Vec<char>]) -> Result<BTreeMap<char, Size>> {
        let mut lengths: BTreeMap<char, Size> = BTreeMap::new();
        for (shape, term) in x.iter().zip(terms) {
            if shape.rank() != term.len() {
                return Err(self.fault(x));
            }
            for (size, letter) in shape.0.iter().zip(term) {
                let known = lengths.entry(*letter).or_insert(*size);
                if *known == Size::fixed(1) {
                    *known = *size;
                }
                if *known != *size && *size != Size::fixed(1) {
                    return Err(self.fault(x));
                }
            }
        }
        Ok(lengths)
    }

    fn fault(&self, x: &[&Shape]) -> Error {
        let shapes: Vec<String> = x.iter().map(|shape| shape.to_string()).collect();
        let message = format!(
            "`{}` of values of shapes {}",
            self.equation,
            shapes.join(", ")
        );
        Error::new(ErrorKind::Network, message)
    }
}

impl Operator for Einsum {
    fn name(&self) -> &'static str {
        "einsum"
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        let (terms, value) = self.letters(x.len()).ok_or_else(|| self.fault(x))?;
        let lengths = self.lengths(x, &terms)?;
        let is_summed = |letter: &char| !value.contains(letter);
        if lengths
            .iter()
            .any(|(letter, size)| size.batched && is_summed(letter))
        {
            return Err(self.fault(x));
        }
        let sides = value.iter().map(|letter| lengths.get(letter).copied());
        let sides: Option<Vec<Size>> = sides.collect();
        sides.map(Shape).ok_or_else(|| self.fault(x))
    }

    fn evaluate(&self, x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        Ok(Tensor::f_einsum(&self.equation, x, None::<&[i64]>)?)
    }

    fn multiply_adds(&self, x: &[&Shape], _value: &Shape) -> i64 {
        let Some((terms, _)) = self.letters(x.len()) else {
            return 0;
        };
        let lengths = self.lengths(x, &terms).unwrap_or_default();
        let values = lengths.values().map(|size| size.value);
        if x.len() > 1 {
            values.fold(1, i64::saturating_mul)
        } else {
            0
        }
    }

    fn reach(&self, _x: &[&Shape]) -> Reach {
        Reach::Whole
    }
}
