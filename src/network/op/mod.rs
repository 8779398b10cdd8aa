//! The operators of a network's graph, in the vocabulary of aten, PyTorch's tensor library: names, arguments and defaults as
//! PyTorch documents them.
//!
//! One file holds an operator or a close family. It defines a type with the operator's attributes, which implements
//! [`Operator`], and the list `ATEN` of the aten names that it is read from. A new operator is one file and one line in the
//! list below.

pub mod call;
pub mod shape;

use std::fmt;

use tch::Tensor;

use crate::error::Result;
use crate::network::arg::Arg;
use call::Call;
use shape::Shape;

pub use arithmetic::{BinaryFunction, ScalarFunction};
pub use combine::PadMode;
pub use comparison::Comparison;
pub use convolution::Padding;
pub use elementwise::Function;
pub use reduction::ReducedFigure;
pub use resample::Interpolation;
pub use unfold::Windows;

/// How a value's spatial positions depend on those of the operator's first input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// A position depends on the same position.
    Position,
    /// A position depends on a window of positions that slides over height and width.
    Window(SlidingWindow),
    /// A position depends on all positions, or there are no positions.
    Whole,
}

/// A window that slides over height and width.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlidingWindow {
    /// Height and width, with the gaps of a dilation.
    pub size: [i64; 2],
    /// Positions between neighbouring windows, down and across.
    pub stride: [i64; 2],
    /// Positions of the padding before the first position, down and across.
    pub padding: [i64; 2],
}

/// What an operator lets pass: values above 0, up to an upper bound if it has one. Guided backpropagation and the deconvnet
/// have a rule for operators of this kind.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rectifier {
    /// The upper bound: 6 for ReLU6.
    pub ceiling: Option<f64>,
}

/// How an operator is computed where a network runs in bfloat16.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReducedPrecision {
    /// Its inputs and its parameters are rounded to bfloat16, as its value is: sums of products.
    Rounds,
    /// In the precision of its inputs: values are moved, compared, or changed one by one.
    Follows,
    /// In float32.
    Full,
}

/// Which parts of its inputs a part of an operator's value needs.
#[derive(Debug, Clone, PartialEq)]
pub enum Locality {
    /// All of them, or it is not known.
    Whole,
    /// The same positions of all inputs `[N, C, H, W]`; parameters apart.
    Positions,
    /// Windows of its first input, `[N, C, H, W]`, that slide as [`Operator::reach`] says.
    Windows {
        /// The operator for an input that is padded already.
        padded: Op,
        /// What it is padded with.
        fill: f64,
    },
}

/// An operator with its attributes.
pub trait Operator: fmt::Debug {
    /// aten's name: `conv2d`.
    fn name(&self) -> &'static str;

    /// The shape of its value, given those of its inputs.
    ///
    /// # Errors
    /// If the inputs don't fit.
    fn shape(&self, x: &[&Shape]) -> Result<Shape>;

    /// Its value for the inputs `x` and a batch of `batch` images. No input is changed.
    ///
    /// # Errors
    /// If libtorch fails.
    fn evaluate(&self, x: &[&Tensor], batch: i64) -> Result<Tensor>;

    /// How it is computed where the network runs in bfloat16.
    fn reduced_precision(&self) -> ReducedPrecision {
        ReducedPrecision::Full
    }

    /// Whether [`overwrite`](Self::overwrite) is there.
    fn can_overwrite(&self) -> bool {
        false
    }

    /// Its value for the input `x`, written over `x`. Only for operators of one input whose value has its shape and kind.
    ///
    /// # Errors
    /// If libtorch fails, or the operator does not do it.
    fn overwrite(&self, x: Tensor) -> Result<Tensor> {
        self.evaluate(&[&x], 1)
    }

    /// Multiply-adds for one image: one per product, of operators with products of two sums only.
    fn multiply_adds(&self, _x: &[&Shape], _value: &Shape) -> i64 {
        0
    }

    /// How its positions depend on those of its first input.
    fn reach(&self, _x: &[&Shape]) -> Reach {
        Reach::Position
    }

    /// Which parts of its inputs a part of its value needs.
    fn locality(&self) -> Locality {
        Locality::Whole
    }

    /// What it lets pass, if it is a kind of ReLU.
    fn rectifier(&self) -> Option<Rectifier> {
        None
    }
}

/// Reads an operator and its inputs from a call.
pub type Read = fn(&mut Call) -> Result<(Op, Vec<Arg>)>;

/// Declares the files of the operators and makes [`Op`] from their types.
macro_rules! operators {
    ($($file:ident: $($type:ident),+;)*) => {
        $(mod $file;)*
        $($(pub use $file::$type;)+)*

        /// An operator of a node.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Op {
            $($(
                #[doc = concat!("See [`", stringify!($type), "`](struct@", stringify!($type), ").")]
                $type($type),
            )+)*
        }

        impl Op {
            /// The operator.
            pub fn operator(&self) -> &dyn Operator {
                match self { $($(Op::$type(operator) => operator,)+)* }
            }
        }

        $($(impl From<$type> for Op {
            fn from(operator: $type) -> Op {
                Op::$type(operator)
            }
        })+)*

        /// The aten names of all operators, with how a call of them is read, by file.
        const ATEN: &[&[(&str, Read)]] = &[$($file::ATEN),*];
    };
}

operators! {
    input: Input;
    convolution: Conv2d;
    linear: Linear;
    matmul: Matmul;
    normalisation: BatchNorm, LayerNorm, GroupNorm;
    normalisation_by_image: RmsNorm, InstanceNorm;
    rectifiers: Relu, Clamp;
    elementwise: Unary;
    softmax: Softmax;
    several_inputs: Glu, Prelu, Addc, ClampTensor;
    arithmetic: Add, Mul, Binary, Scalar;
    comparison: Compare, Not, Where, MaskedFill;
    pooling: MaxPool2d, AvgPool2d, AdaptiveAvgPool2d, AdaptiveMaxPool2d;
    transposed: ConvTranspose2d;
    sequence: Conv1d, AdaptiveAvgPool1d, Pool1d, Upsample1d;
    recurrent: Lstm;
    einsum: Einsum;
    unfold: Im2col, Col2im, Unfold;
    reduction: Reduce;
    ranking: Cumsum, Argmax, TopK;
    view: Reshape, Flatten, Permute, Unsqueeze, Squeeze, Expand;
    repetition: Repeat, RepeatInterleave, Flip, TakeAlong;
    creation: Full, Fill, Arange, Linspace, Triangle, Meshgrid, OneHot;
    part: Slice, Select, Roll, Gather, Scatter, Index;
    combine: Cat, Stack, Pad;
    attention: ScaledDotProductAttention;
    resample: Upsample, PixelShuffle, PixelUnshuffle;
    identity: Identity;
    cast: Cast;
}

impl Op {
    /// aten's name: `conv2d`.
    pub fn name(&self) -> &'static str {
        self.operator().name()
    }

    /// What it lets pass, if it is a kind of ReLU.
    pub fn rectifier(&self) -> Option<Rectifier> {
        self.operator().rectifier()
    }
}

/// How a call of the aten operator `name` is read; `None` if it is not supported.
pub fn reader(name: &str) -> Option<Read> {
    let all = ATEN.iter().copied().flatten();
    all.into_iter()
        .find(|(aten, _)| *aten == name)
        .map(|(_, read)| *read)
}

/// The aten names that can be read, sorted.
pub fn supported() -> Vec<&'static str> {
    let mut names: Vec<&str> = ATEN
        .iter()
        .copied()
        .flatten()
        .map(|(name, _)| *name)
        .collect();
    names.sort_unstable();
    names
}
