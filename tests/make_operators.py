"""Makes tests/operators/: a small program for each operator that is read, and what PyTorch computes with it.

    python3 -m venv target/golden
    target/golden/bin/pip install -r tests/golden-requirements.txt
    target/golden/bin/python tests/make_operators.py [CASE …]

A case is a function of its module and of images `[N, 3, 6, 6]`; the module gives it parameters and buffers of fixed values. A
linear layer makes four logits of all values of its result. `cases.zip` holds, for each case, `dynamic/CASE.pt2`, exported for
batches of any size, and `fixed/CASE.pt2`, exported for one image. They are stored in a zip file within a zip file, so that what
they have in common is compressed once.

`expected.safetensors` holds `CASE/logits`, of three images, and `CASE/gradient`, of the first logit of the first image with
respect to it, computed in float64. The images are 1.5 · sin(0.37 · index) over all their values. Those of the cases in `ALONE`,
which mix the images of a batch, are computed image by image. The cases in `REFUSED` can't be read, and have no values.
"""

import copy
import io
import math
import pathlib
import sys
import zipfile

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

FOLDER = pathlib.Path(__file__).parent / "operators"
aten = torch.ops.aten
CASES, DYNAMIC, ALONE, REFUSED = {}, {}, {}, {}


def case(name, function, kind=CASES):
    assert name not in CASES | DYNAMIC | ALONE | REFUSED, name
    kind[name] = function


def values(shape, seed=0):
    """Numbers between -1 and 1 of which few repeat nearby, and which compress well."""
    index = torch.arange(math.prod(shape), dtype=torch.float64) + 13 * seed
    return (((index * index * (seed % 5 + 1) + 5 * index) % 61 - 30.5) / 31).float().reshape(shape)


class Case(nn.Module):
    def __init__(self, function, images):
        super().__init__()
        self.function = [function]
        self.is_new = True
        with torch.no_grad():
            width = self.function[0](self, images.clone()).flatten(1).shape[1]
        self.head = nn.Linear(width, 4)
        rows = [values((width,), seed) for seed in range(1, 5)]
        self.head.weight.data, self.head.bias.data = torch.stack(rows) / width**0.5, values((4,))
        self.is_new = False

    def par(self, name, *shape, scale=1.0, shift=0.0):
        """A parameter."""
        if self.is_new and not hasattr(self, name):
            seed = len(list(self.parameters())) + 1
            self.register_parameter(name, nn.Parameter(values(shape, seed) * scale + shift))
        return getattr(self, name)

    def buf(self, name, value):
        """A buffer."""
        if self.is_new and not hasattr(self, name):
            self.register_buffer(name, torch.as_tensor(value))
        return getattr(self, name)

    def lstm(self, *args, **options):
        """An LSTM."""
        if self.is_new and not hasattr(self, "rnn"):
            self.rnn = nn.LSTM(*args, **options)
            for seed, parameter in enumerate(self.rnn.parameters()):
                parameter.data = values(parameter.shape, seed)
        return self.rnn

    def forward(self, x):
        return self.head(self.function[0](self, x).flatten(1))


# Functions of single values.
for name in """silu sigmoid hardswish hardsigmoid tanh mish exp sin cos erf atan expm1 exp2 neg square abs relu relu6 selu
    softplus elu celu leaky_relu hardtanh gelu""".split():
    function = getattr(aten, name).default
    case(name, lambda m, x, f=function: f(1.3 * x))
for name in "log sqrt rsqrt reciprocal log1p log2".split():
    case(name, lambda m, x, f=getattr(aten, name).default: f(x + 2))
for name in "floor ceil round sign".split():
    case(name, lambda m, x, f=getattr(aten, name).default: f(3 * x) * x)
case("tan", lambda m, x: torch.tan(0.8 * x))
case("log_sigmoid", lambda m, x: F.logsigmoid(x))
case("softsign", lambda m, x: F.softsign(x))
case("gelu_tanh", lambda m, x: F.gelu(2 * x, approximate="tanh"))
case("softplus_options", lambda m, x: F.softplus(3 * x, beta=1.7, threshold=2.5))
case("leaky_relu_slope", lambda m, x: F.leaky_relu(x, 0.2))
case("elu_alpha", lambda m, x: F.elu(x, 0.6))
case("celu_alpha", lambda m, x: F.celu(x, 0.6))
case("hardtanh_bounds", lambda m, x: F.hardtanh(x, -0.3, 0.8))
case("threshold", lambda m, x: F.threshold(x, 0.2, -0.7))
case("nan_to_num", lambda m, x: x * torch.nan_to_num(m.buf("b", [math.nan, math.inf, -math.inf, 1, 2, 3]), 0.5, 2.0, -3.0))
case("nan_to_num_default", lambda m, x: torch.nan_to_num(x / m.buf("b", [1.0, 2.0, 3.0, 4.0, 5.0, 6.0])))
case("clamp", lambda m, x: x.clamp(-0.5, 0.7))
case("clamp_one_bound", lambda m, x: x.clamp(min=-0.5) * x.clamp(max=0.7))
case("clamp_min_max", lambda m, x: x.clamp_min(-0.2) - 2 * x.clamp_max(0.3))
case("clamp_tensors", lambda m, x: torch.clamp(x, m.par("low", 6, shift=-1), m.par("high", 6, 1, shift=1)))
case("clamp_tensor_min", lambda m, x: torch.clamp(x, min=m.par("low", 6)))
case("clamp_tensor_max", lambda m, x: torch.clamp(x, max=m.par("high", 6)))
case("clamp_of_integers", lambda m, x: (m.buf("b", [[1, 5, 9, 2, 7, 3]]).clamp(2, 7) // 2) * x)
case("clamp_of_integers_by_decimals", lambda m, x: m.buf("b", [1, 5, 9, 2, 7, 3]).clamp(1.5, 6.5) * x)
case("glu", lambda m, x: torch.cat([F.glu(x), F.glu(x, 2).reshape(-1, 3, 6, 3)], 1))
case("prelu", lambda m, x: F.prelu(x, m.par("w", 3)) + F.prelu(x, m.par("v", 1)))
case("softmax", lambda m, x: torch.softmax(x, 1) * torch.softmax(3 * x, -1))
case("softmax_dtype", lambda m, x: torch.softmax(x, -2, dtype=x.dtype))
case("log_softmax", lambda m, x: torch.log_softmax(x, 2))
case("softmax_decomposed", lambda m, x: aten._softmax(x, 1, False) * aten._log_softmax(x, 3, False))

# Arithmetic.
case("add", lambda m, x: x + m.par("b", 3, 1, 1) + 0.5 + (2 + x.sin()))
case("add_alpha", lambda m, x: torch.add(x, torch.sin(x), alpha=0.3) + torch.add(x, 2, alpha=3))
case("add_alpha_of_integers", lambda m, x: torch.add(m.buf("a", [5, 7, 9, 3, 1, 2]), m.buf("b", [1, 2, 3, 4, 5, 6]), alpha=2) // 2 * x)
case("add_booleans", lambda m, x: ((x > 0) + (x > 0.5)) * x)
case("sub", lambda m, x: x - m.par("b", 6) - 0.25)
case("sub_alpha", lambda m, x: torch.sub(x, torch.cos(x), alpha=2) - torch.sub(x, 1, alpha=0.5))
case("rsub", lambda m, x: torch.rsub(x, 1.5) * torch.rsub(x, m.par("b", 3, 6, 1)))
case("mul", lambda m, x: x * m.par("w", 6, 1) * 3 * True)
case("div", lambda m, x: x / 3 + x / m.par("w", 6, shift=2) + 2 / (x + 3))
case("div_of_integers", lambda m, x: (m.buf("a", [5, 7, 9, 3, 1, 2]) / 2) * x + (m.buf("a", [0]) / m.buf("b", [4, 3, 2, 1, 5, 6])))
case("div_rounded", lambda m, x: x * torch.div(5 * x, 2, rounding_mode="floor") + x * torch.div(5 * x, 2, rounding_mode="trunc"))
case("div_rounded_tensors", lambda m, x: x * torch.div(5 * x, m.par("w", 6, shift=2), rounding_mode="floor")
     + x * torch.div(5 * x, m.par("v", 6, shift=2), rounding_mode="trunc"))
case("div_rounded_integers", lambda m, x: x * torch.div(m.buf("a", [-5, 7, -9, 3, -1, 2]), 2, rounding_mode="trunc")
     + torch.div(m.a, 2, rounding_mode="floor"))
case("floor_divide", lambda m, x: x * (4 * x.detach() // 1.5) + x * torch.floor_divide(5 * x.detach(), m.par("w", 6, shift=2)))
case("floor_divide_integers", lambda m, x: x * (m.buf("a", [-5, 7, -9, 3, -1, 2]) // 2))
case("remainder", lambda m, x: x.remainder(0.4) + torch.remainder(x, m.par("w", 6, shift=2)))
case("remainder_integers", lambda m, x: x * (m.buf("a", [-5, 7, -9, 3, -1, 2]) % 3))
case("pow", lambda m, x: x**2 + x**3.0 + (x + 3) ** 0.5 + 1.7**x)
case("pow_tensors", lambda m, x: (x + 3) ** m.par("w", 6))
case("pow_of_integers", lambda m, x: x * (2 ** m.buf("a", [0, 1, 2, 3, 4, 5])) / (m.a**2 + 1))
case("maximum", lambda m, x: torch.maximum(x, m.par("w", 6)) + 2 * torch.minimum(x, m.par("v", 6, 1)))
case("max_of_two", lambda m, x: torch.max(x, m.par("w", 6)) + 2 * torch.min(x, m.par("v", 6, 1)))
case("atan2", lambda m, x: torch.atan2(x, m.par("w", 6)))
case("addcmul", lambda m, x: torch.addcmul(x, m.par("w", 6), x, value=0.7) + torch.addcdiv(x, x, m.par("v", 6, shift=2), value=2))
case("addcmul_default", lambda m, x: torch.addcmul(m.par("w", 3, 1, 1), x, x) + torch.addcdiv(m.par("v", 6, 1), x, x + 3))
case("positive", lambda m, x: +torch.sin(x))

# Comparisons.
for name in "eq ne lt le gt ge".split():
    case(name, lambda m, x, f=getattr(torch, name): f(x, m.par("w", 6)).float() * x
         + f((3 * x).round(), 1).float() * x + f(x, 0.25).to(x.dtype) * torch.cos(x))
case("logical", lambda m, x: x * (torch.logical_and(x > 0, x < 0.6).float() + 2 * torch.logical_or(x > 1, x < -1).float()
     + 3 * torch.logical_xor(x > 0, x > -0.5).float()))
case("logical_of_numbers", lambda m, x: x * (torch.logical_and(x, x > 0).float() + torch.logical_not((2 * x).round()).float()))
case("logical_not_sum", lambda m, x: x * (torch.logical_not((2 * x).round()).float() + torch.logical_not((x - 0.5).round()).float()))
case("bitwise", lambda m, x: x * (((x > 0) & (x < 0.6)).float() + 2 * ((x > 1) | (x < -1)).float() + 3 * (~(x > 0.3)).float()))
case("bitwise_operators", lambda m, x: x * (aten.bitwise_and((x > 0), (x < 0.6)).float() + 2 * aten.bitwise_or((x > 1), (x < -1)).float()))
case("dunder_operators", lambda m, x: x * (aten.__and__((x > 0), (x < 0.6)).float() + 2 * aten.__or__((x > 1), (x < -1)).float()))
case("bitwise_of_integers", lambda m, x: x * (torch.bitwise_and(m.buf("a", [5, 7, 9, 3, 1, 2]), 3)
     + torch.bitwise_or(m.a, m.buf("b", [8, 1, 4, 2, 16, 3])) + ~m.a))
case("bitwise_of_computed_integers", lambda m, x: x * (((5 * x).round().int() & 3).float() + ((3 * x).round().int() | 4).float()))
case("where", lambda m, x: torch.where(x > 0.1, x * x, m.par("w", 6)))
case("where_numbers", lambda m, x: torch.where(x > 0.1, x, 0.5) + torch.where(x > 0.3, 2.0, x) + torch.where(x > 0, 1, 3))
case("where_broadcast", lambda m, x: torch.where(x[:, :1] > 0.1, m.par("w", 3, 1, 6), x))
case("masked_fill", lambda m, x: x.masked_fill(x > 0.5, -2.0) + x.masked_fill(m.buf("mask", [True, False, True, False, False, True]), 3))
case("masked_fill_tensor", lambda m, x: x.masked_fill(x > 0.5, m.buf("v", 0.25)))
case("masked_fill_broadcast", lambda m, x: m.par("w", 3, 6, 6).masked_fill(x > 0.5, 0) * x)
case("masked_fill_infinity", lambda m, x: torch.softmax(x.masked_fill(m.buf("mask", torch.ones(6, 6).triu(1).bool()), -math.inf), -1))

# Convolutions, and windows.
case("conv2d", lambda m, x: F.conv2d(x, m.par("w", 4, 3, 3, 2), m.par("b", 4), stride=(2, 1), padding=(1, 2), dilation=(1, 2)))
case("conv2d_groups", lambda m, x: F.conv2d(x, m.par("w", 6, 1, 3, 3), groups=3))
case("conv2d_same", lambda m, x: F.conv2d(x, m.par("w", 2, 3, 2, 4), padding="same", dilation=(1, 1)))
case("conv2d_same_dilated", lambda m, x: F.conv2d(x, m.par("w", 2, 3, 3, 2), padding="same", dilation=(2, 3)))
case("conv2d_valid", lambda m, x: F.conv2d(x, m.par("w", 2, 3, 2, 4), padding="valid", stride=2))
case("convolution", lambda m, x: aten.convolution(x, m.par("w", 4, 3, 3, 2), m.par("b", 4), [2, 1], [1, 2], [1, 2], False, [0, 0], 1))
case("conv2d_computed_weight", lambda m, x: F.conv2d(x, F.batch_norm(m.par("w", 4, 3, 3, 3).reshape(1, 4, 27), None, None,
     m.par("g", 4), training=True, momentum=0.0, eps=1e-4).reshape(4, 3, 3, 3), padding=1))
case("conv_transpose2d", lambda m, x: F.conv_transpose2d(x, m.par("w", 3, 2, 3, 2), m.par("b", 2), (2, 3), (1, 0), (1, 2), 1, (2, 1)))
case("conv_transpose2d_groups", lambda m, x: F.conv_transpose2d(x, m.par("w", 3, 2, 3, 2), groups=3))
case("conv1d", lambda m, x: F.conv1d(x.flatten(2), m.par("w", 4, 3, 3), m.par("b", 4), stride=2, padding=3, dilation=2))
case("conv1d_groups", lambda m, x: F.conv1d(x.flatten(2), m.par("w", 3, 1, 5), groups=3))
case("conv1d_same", lambda m, x: F.conv1d(x.flatten(2), m.par("w", 3, 1, 4), groups=3, padding="same"))
case("linear", lambda m, x: F.linear(x, m.par("w", 5, 6), m.par("b", 5)))
case("linear_without_bias", lambda m, x: F.linear(x, m.par("w", 5, 6)))
case("im2col", lambda m, x: F.unfold(x, (3, 2), (1, 2), (1, 0), (2, 1)))
case("col2im", lambda m, x: F.fold(F.unfold(x, 2, stride=2).flip(2), (8, 5), (2, 2), (1, 2), (0, 1), (3, 2)))
case("unfold", lambda m, x: x.unfold(2, 3, 2) * x.unfold(-2, 3, 2).cos())

# Normalisation.
case("batch_norm", lambda m, x: F.batch_norm(x, m.buf("mean", values((3,))), m.buf("var", values((3,)) + 2), m.par("g", 3), m.par("b", 3), eps=0.01))
case("batch_norm_plain", lambda m, x: F.batch_norm(x, m.buf("mean", values((3,))), m.buf("var", values((3,)) + 2)))
case("batch_norm_of_features", lambda m, x: F.batch_norm(x.mean((2, 3)), m.buf("mean", values((3,))), m.buf("var", values((3,)) + 2), bias=m.par("b", 3)))
case("layer_norm", lambda m, x: F.layer_norm(x, (6, 6), m.par("w", 6, 6), m.par("b", 6, 6), 0.01))
case("layer_norm_plain", lambda m, x: F.layer_norm(x, (6,)) + F.layer_norm(x, (6,), bias=m.par("b", 6)))
case("group_norm", lambda m, x: F.group_norm(torch.cat([x, x.sin()], 1), 3, m.par("w", 6), m.par("b", 6), 0.01))
case("group_norm_plain", lambda m, x: F.group_norm(x, 1) + F.group_norm(x, 3, m.par("w", 3)))
case("rms_norm", lambda m, x: F.rms_norm(x, (6,), m.par("w", 6), 0.01))
case("rms_norm_plain", lambda m, x: F.rms_norm(x, (3, 6, 6)))
case("instance_norm", lambda m, x: F.instance_norm(x, weight=m.par("w", 3), bias=m.par("b", 3), eps=0.01))
case("instance_norm_plain", lambda m, x: F.instance_norm(x))
case("dropout", lambda m, x: F.dropout(x, 0.4, False).sin() + aten.feature_dropout(x, 0.3, False) * aten.alpha_dropout(x, 0.3, False))

# Pooling.
case("max_pool2d", lambda m, x: F.max_pool2d(x, (3, 2), (2, 1), (1, 0), (1, 2)))
case("max_pool2d_default", lambda m, x: F.max_pool2d(x, 2))
case("max_pool2d_ceil", lambda m, x: F.max_pool2d(x, 3, 2, 0, ceil_mode=True))
case("max_pool2d_ceil_padded", lambda m, x: F.max_pool2d(x, 2, 3, 1, ceil_mode=True))
case("max_pool2d_with_indices", lambda m, x: aten.max_pool2d_with_indices(x, [3, 3], [2, 2], [1, 1])[0])
case("avg_pool2d", lambda m, x: F.avg_pool2d(x, (3, 2), (2, 1), (1, 0)))
case("avg_pool2d_default", lambda m, x: F.avg_pool2d(x, 3))
case("avg_pool2d_ceil", lambda m, x: F.avg_pool2d(x, 3, 2, 1, ceil_mode=True))
case("avg_pool2d_without_padding", lambda m, x: F.avg_pool2d(x, 3, 2, 1, count_include_pad=False))
case("avg_pool2d_ceil_without_padding", lambda m, x: F.avg_pool2d(x, 4, 3, 1, True, False))
case("avg_pool2d_of_three_axes", lambda m, x: F.avg_pool2d(x[:, 0], 2))
case("adaptive_avg_pool2d", lambda m, x: F.adaptive_avg_pool2d(x, (4, 2)))
case("adaptive_avg_pool2d_none", lambda m, x: F.adaptive_avg_pool2d(x, (None, 4)))
case("adaptive_avg_pool2d_decomposed", lambda m, x: aten._adaptive_avg_pool2d(x, [5, 1]))
case("adaptive_max_pool2d", lambda m, x: F.adaptive_max_pool2d(x, (4, 2)))
case("adaptive_avg_pool1d", lambda m, x: F.adaptive_avg_pool1d(x.flatten(2), 7))
case("max_pool1d", lambda m, x: F.max_pool1d(x.flatten(2), 3, 2, 1))
case("avg_pool1d", lambda m, x: F.avg_pool1d(x.flatten(2), 3, 2, 1) * F.avg_pool1d(x.flatten(2), 2))

# Reductions, and ranks.
for name in "mean sum amax amin logsumexp std var".split():
    f = getattr(torch, name)
    case(name, lambda m, x, f=f: f(x, (-1, 1)) + f(x, 2, keepdim=True).squeeze(2).sum(1) + f(x, (1, 2, 3), keepdim=True).flatten(1))
case("var_correction", lambda m, x: torch.var(x, (1, 3), correction=0) + torch.std(x, 1, correction=2).sum(2) + x.var(1, False).sum(1))
case("var_mean", lambda m, x: torch.cat([*torch.var_mean(x, (2, 3)), *torch.std_mean(x, (2, 3), unbiased=False)], 1))
case("var_mean_keepdim", lambda m, x: (x - torch.var_mean(x, 1, keepdim=True)[1]) / torch.std_mean(x, 1, correction=0, keepdim=True)[0])
case("mean_of_integers", lambda m, x: x * m.buf("b", [1, 2, 4, 5, 8, 9]).reshape(2, 3).mean(0, dtype=torch.float32).repeat(2))
case("sum_dtype", lambda m, x: x * ((x > 0).sum(1, keepdim=True, dtype=torch.float32) / 2) + x * ((x > 0).sum(2, keepdim=True) // 2))
case("sum_of_booleans", lambda m, x: x * ((x > 0).sum(1, keepdim=True).bool().float() + (x > 0.5).sum(1, keepdim=True).bool().float()))
case("sum_all", lambda m, x: x * m.par("w", 3, 4).sum() + m.w.mean() + m.w.amax() + m.w.max() - m.w.min() + m.w.var() + m.w.norm())
case("prod", lambda m, x: torch.prod(x + 1, 1) + torch.prod(x, -1, keepdim=True).sum(1) + torch.prod(m.par("w", 3)))
case("all_any", lambda m, x: x * ((x > -1).all(1, keepdim=True).float() + (x > 1).any(-1, keepdim=True).float()
     + m.buf("t", [True, False]).any().float() - m.t.all().float()))
case("any_of_numbers", lambda m, x: x * ((2 * x).round().any(1, keepdim=True).float() + x.round().all(1, keepdim=True).float()))
case("any_sum", lambda m, x: x * ((x > 0.2).any(1, keepdim=True).float() + (x > 1).any(-1, keepdim=True).float()))
case("linalg_vector_norm", lambda m, x: torch.linalg.vector_norm(x, dim=1) + torch.linalg.vector_norm(x, 3, (1, 2)).unsqueeze(1)
     + torch.linalg.vector_norm(x, math.inf, -1, True).mean(1))
case("norm", lambda m, x: x / x.norm(2, 1, True) + x.norm(1, -1, True) + aten.norm.ScalarOpt_dim(x, 3, [2], True))
case("normalize", lambda m, x: F.normalize(x, dim=2))
case("max_dim", lambda m, x:
     torch.cat([x.max(1, keepdim=True)[0], x.min(1, keepdim=True)[0], x * x.max(1, keepdim=True)[1], x * x.min(-2, keepdim=True)[1]], 1))
case("max_dim_of_equal_values", lambda m, x:
     torch.cat([x, x], 1).max(1)[0] + torch.cat([x, x], 1).amax(1) + torch.cat([x, x], 2).min(2)[0].sum(1, keepdim=True))
case("argmax", lambda m, x: x * x.argmax(1, keepdim=True) + x.argmin(-1).unsqueeze(3) * x)
case("topk", lambda m, x: torch.cat([torch.topk(x, 2, 1)[0], torch.topk(x, 2, 1)[1] * x[:, :2]], 1))
case("topk_smallest", lambda m, x: torch.topk(x, 3, -1, largest=False)[0] * torch.topk(x.flatten(1), 3)[0][:, None, None])
case("topk_unsorted", lambda m, x: torch.topk(x.flatten(1), 40, sorted=False)[0])
case("cumsum", lambda m, x: x.cumsum(1) * (x > 0).cumsum(-1))
case("cumsum_dtype", lambda m, x: x * ((x > 0).cumsum(-1, dtype=torch.float32) / 2))
case("matmul", lambda m, x: x @ x.transpose(2, 3) + x @ m.par("w", 6, 6) + m.par("v", 3, 6, 6) @ x)
case("bmm", lambda m, x: torch.bmm(x.flatten(2), x.flatten(2).transpose(1, 2)))
case("mm", lambda m, x: torch.mm(x.flatten(1), m.par("w", 108, 5)))
case("addmm", lambda m, x: torch.addmm(m.par("b", 5), x.flatten(1), m.par("w", 108, 5)) + torch.addmm(x.mean((1, 2, 3), True).flatten(1), x.flatten(1), m.w))
case("baddbmm", lambda m, x: torch.baddbmm(m.par("b", 3, 1), x.flatten(2), x.flatten(2).transpose(1, 2)))
case("einsum", lambda m, x: torch.einsum("nchw,ndhw->ncd", x, x) + torch.einsum("nchw,wd->ncd", x, m.par("w", 6, 3)))
case("einsum_implicit", lambda m, x: torch.einsum("achw,hk", x, m.par("w", 6, 4)))

# Views.
case("view", lambda m, x: x.view(x.shape[0], 6, -1).sin().view(-1, 2, 54) * x.reshape(-1, 54).reshape(x.shape[0], 2, 54))
case("view_as", lambda m, x: x.flatten(1).view_as(x).permute(0, 2, 1, 3).reshape_as(x) * m.par("w", 6).expand_as(x))
case("flatten", lambda m, x: x.flatten(1, 2).sin().flatten(0, 1).unflatten(0, (-1, 18)) * x.flatten(-3, -2))
case("unflatten", lambda m, x: x.unflatten(-1, (2, 3)).permute(0, 4, 2, 1, 3) * m.par("w", 2))
case("permute", lambda m, x: x.permute(0, -1, 1, 2) * m.par("w", 3, 6))
case("transpose", lambda m, x: x.transpose(1, -1) * x.swapaxes(1, 3) * m.par("w", 6, 3))
case("t", lambda m, x: F.linear(x.flatten(1), m.par("w", 108, 5).t()))
case("t_of_features", lambda m, x: (m.par("w", 5, 108) @ x.flatten(1).t()).t())
case("movedim", lambda m, x: x.movedim((1, -1), (3, 1)) * m.par("w", 3))
case("squeeze", lambda m, x: x.mean(1, True).squeeze(1) * x.mean((1, 2), True).squeeze((1, 2))[:, None] * x.squeeze(1).mean(1))
case("squeeze_batch_inside", lambda m, x: x.mean((2, 3), True).permute(1, 0, 2, 3).squeeze(3).squeeze(2).transpose(0, 1))
# In a program for one image, these drop the axis of the batch, too.
case("squeeze_all", lambda m, x: x.mean((2, 3), True).squeeze() * x.mean(2, True).squeeze().sum(2), DYNAMIC)
case("squeeze_all_batch_inside", lambda m, x: x.mean((2, 3), True).permute(1, 0, 2, 3).squeeze().transpose(0, 1), DYNAMIC)
case("squeeze_axis_of_batch", lambda m, x: x.squeeze(0) * x.squeeze(1).squeeze((0, 1)), DYNAMIC)
case("unsqueeze", lambda m, x: x.unsqueeze(1) * x.unsqueeze(-4).transpose(1, 2) * m.par("w", 6, 1))
case("expand", lambda m, x: m.par("w", 1, 3, 1, 1).expand(x.shape[0], -1, 6, 6) * x + x.mean(1, True).expand(-1, 3, -1, -1))
case("unsafe_view", lambda m, x: aten._unsafe_view(x, [-1, 9, 12]))
case("slice", lambda m, x: x[:, 1:, -4:-1, ::2] * m.par("w", 3) + x[:, :-1, 1:100:2][..., 3:])
case("narrow", lambda m, x: x.narrow(1, 1, 2) * x.narrow(-3, 0, 1))
case("select", lambda m, x: x[:, 1] * x[..., -2].mean(1, True))
case("roll", lambda m, x: x.roll((1, -2), (2, 3)) * x.roll(1, 1))
case("index", lambda m, x: x[:, m.buf("i", [2, 0, -1])] * x[:, :, m.buf("j", [[0, 5], [3, 1]]), m.buf("k", [1, 2])].mean((2, 3), True))
case("index_apart", lambda m, x: x[:, m.buf("i", [2, 0]), :, m.buf("k", [1, 4])].permute(1, 0, 2))
case("index_table", lambda m, x: m.par("table", 9, 4)[m.buf("i", torch.arange(36).reshape(6, 6) % 9)].permute(2, 0, 1).sum(0) + x)
case("index_by_computed", lambda m, x: m.par("table", 7, 3)[x.argmax(1)].permute(0, 3, 1, 2) * x)
case("index_select", lambda m, x: x.index_select(-2, m.buf("i", [5, 1, 1, 3])))
case("gather", lambda m, x: x.gather(1, x.argmax(1, True)) * x + x.gather(3, x.topk(6, 3)[1]))
case("gather_constant", lambda m, x: x.gather(2, m.buf("i", [[[[0], [5]]]]).expand(x.shape[0], 3, 2, 6)))
case("repeat", lambda m, x: x.repeat(1, 2, 1, 3) * x.tile(2, 1, 3))
case("repeat_more_axes", lambda m, x: x[:, 0].transpose(0, 1).repeat(2, 1, 1, 1).permute(2, 0, 1, 3) * m.par("w", 6))
case("repeat_interleave", lambda m, x: x.repeat_interleave(2, 1) * x.repeat_interleave(2, -3) * m.par("w", 6).repeat_interleave(1))
case("flip", lambda m, x: x.flip(1, -1))
case("cat", lambda m, x: torch.cat([x, m.par("w", 1, 2, 6, 6).expand(x.shape[0], -1, -1, -1), x.sin()], 1) * torch.concat([x, x.cos(), x[:, :2]], -3))
case("concat", lambda m, x: aten.concat([x, x.sin()], 2))
case("stack", lambda m, x: torch.stack([x, x.sin(), x.cos()], 1) * torch.stack([x] * 3, -4))
case("stack_last", lambda m, x: torch.stack([x, x.sin()], -1))
case("pad", lambda m, x: F.pad(x, (1, 2, -1, 0), value=0.3) + 2 * F.pad(x, (2, 1, 0, -1)))
case("pad_channels", lambda m, x: F.pad(x, (0, 0, 0, 0, 1, 2)))
case("pad_modes", lambda m, x: F.pad(x, (1, 2, 2, 1), "reflect") + F.pad(x, (1, 2, 2, 1), "replicate").sin() * F.pad(x, (1, 2, 2, 1), "circular"))
case("constant_pad_nd", lambda m, x: aten.constant_pad_nd(x, [1, 0, 2, 1], 0.5) + aten.constant_pad_nd(x, [0, 1, 1, 2]))
case("split", lambda m, x: torch.cat([part * (k + 1) for k, part in enumerate(x.split(4, -1))], 3) * torch.cat(x.split([1, 2], 1)[::-1], 1))
case("split_with_sizes", lambda m, x: torch.cat(aten.split_with_sizes(x, [1, 3, 2], 2)[::-1], 2))
case("chunk", lambda m, x: torch.cat(x.chunk(4, -1)[::-1], 3) * torch.cat(x.chunk(2, 1)[::-1], 1))
case("unbind", lambda m, x: x.unbind(1)[2] * x.unbind(-1)[1].sum(1)[:, :, None] + x.unbind(1)[0])
case("meshgrid", lambda m, x: x * torch.meshgrid(m.par("a", 6), m.par("b2", 6), indexing="ij")[0] + torch.meshgrid(m.a, m.b2, indexing="xy")[0])
case("pixel_shuffle", lambda m, x: F.pixel_shuffle(x.reshape(-1, 12, 3, 3), 2) * F.pixel_unshuffle(x, 3).reshape(-1, 3, 6, 6))

# Constants.
case("constants", lambda m, x: x * torch.ones(6) + torch.zeros(3, 1, 1) + torch.full((6,), 0.5) * x * torch.arange(6) + torch.linspace(-1, 2, 6))
case("constants_of_a_batch", lambda m, x: torch.cat([x, x.new_ones(x.shape[0], 1, 6, 6), torch.full((x.shape[0], 1, 6, 6), 0.5, dtype=x.dtype)], 1)
     * x.new_zeros(x.shape[0], 1, 1, 1).cos())
case("new_full", lambda m, x: x * (x.new_full((6,), 3) / 2) + m.buf("i", [1, 2]).new_full((1,), 3.7) + m.i.new_ones(6) // 2)
case("new_full_of_a_batch", lambda m, x: (x.new_full((x.shape[0], 3, 6, 6), 3) / 2) * x)
case("like", lambda m, x: x * torch.ones_like(x) + torch.zeros_like(x) + torch.full_like(x, 2) * torch.ones_like(x[:, :1], dtype=torch.int64))
case("like_of_integers", lambda m, x: x * (torch.full_like(m.buf("i", [1, 2, 3, 4, 5, 6]), 3.9) + torch.ones_like(m.i, dtype=torch.float32) / 2))
case("empty", lambda m, x: x * torch.empty(6).fill_(0.7) + torch.empty_like(x).zero_() + x.new_empty((6,)).fill_(2))
case("arange", lambda m, x: x * torch.arange(1, 7) / 3 + torch.arange(0.5, 3.4, 0.5) + x * torch.arange(6.0) + torch.arange(11, -1, -2))
case("arange_dtype", lambda m, x: x * (torch.arange(6, dtype=torch.float32) / 4) + torch.arange(0, 3, 0.5, dtype=torch.float32))
case("arange_of_decimals_as_integers", lambda m, x: x * torch.arange(0.0, 6.0, dtype=torch.int64))
case("linspace_of_integers", lambda m, x: x * (torch.linspace(0, 9, 6, dtype=torch.int64) // 2))
case("scalar_tensor", lambda m, x: x * aten.scalar_tensor(1.5) + torch.where(x > 0, aten.scalar_tensor(2.0), x))
case("tril_triu", lambda m, x: torch.cat([x.tril(), x.triu(1), x.tril(-1), x.triu(-2)], 1) * torch.ones(6, 6).tril(1))
case("one_hot", lambda m, x: x * F.one_hot(x.argmax(1), 3).permute(0, 3, 1, 2) + F.one_hot(m.buf("i", [0, 2, 1, 0, 2, 2]), 6) * x)
case("relative_positions", lambda m, x: x * m.par("table", 11)[(torch.arange(6)[:, None] - torch.arange(6)[None] + 5)].softmax(-1))
case("clone", lambda m, x: x.clone() * aten.alias(x.contiguous()) + aten.lift_fresh_copy(x) * x.detach())

# Data types.
case("to", lambda m, x: (3 * x).to(torch.int64) * x + (2 * x).int() // 2 * x + (x > 0).to(torch.float32) * x + x.to(torch.float64).to(x.dtype))
case("to_copy", lambda m, x: aten._to_copy((3 * x), dtype=torch.int32) * x + aten._to_copy(x > 0, dtype=torch.float32) * x)
case("type_as", lambda m, x: (x > 0).type_as(x) * x + (3 * x).type_as(m.buf("i", [1])) * x)
case("half", lambda m, x: (x > 0).half().to(x.dtype) * x)
case("integer_division", lambda m, x: x * (((7 * x).int() / 2).float() + ((7 * x).int() // 2).float()))
case("integer_functions", lambda m, x: x * (torch.sqrt((3 * x).int().abs()) + (2 * x).int().clamp(-1, 1).float() + (2 * x).int().neg()))
case("masked_fill_of_integers", lambda m, x: x * ((4 * x).int().masked_fill(x > 0.3, 7) / 2).float() + ((4 * x).int().masked_fill(x > 0.3, 7).bool()).float())
case("comparison_of_mixed", lambda m, x: x * ((3 * x).int() > 0.5).float() + x * ((3 * x).int() == (x > 0)).float())

# Attention.
def heads(x):
    return [part.reshape(-1, 6, 2, 3).transpose(1, 2) for part in (x.sum(1), x[:, 0], x[:, 2])]


attention = F.scaled_dot_product_attention
case("attention", lambda m, x: attention(*heads(x)))
case("attention_scale", lambda m, x: attention(*heads(x), scale=2.5))
case("attention_causal", lambda m, x: attention(*heads(x), is_causal=True))
case("attention_mask", lambda m, x: attention(*heads(x), attn_mask=m.par("mask", 2, 6, 6)))
case("attention_boolean_mask", lambda m, x: attention(*heads(x), attn_mask=m.buf("mask", torch.ones(6, 6).tril().bool())))
case("attention_computed_mask", lambda m, x: attention(*heads(x), attn_mask=(x.mean((1, 3)) > -0.3)[:, None, None] | torch.ones(6, 6).tril().bool()))
case("attention_other_width", lambda m, x: attention(x[:, :2], x[:, :2, :4].sin(), F.pad(x, (0, 2))[:, :2, :4]))
case("attention_grouped", lambda m, x: attention(torch.cat([x, x.sin()], 1)[:, :4], x[:, :2], x[:, 1:], enable_gqa=True))
case("attention_learned_query", lambda m, x: attention(m.par("q", 1, 3, 2, 6).expand(x.shape[0], -1, -1, -1), x, x.sin()))

# Recurrent layers.
case("lstm", lambda m, x: m.lstm(6, 4)(x[:, 0].transpose(0, 1))[0].transpose(0, 1))
case("lstm_batch_first", lambda m, x: m.lstm(6, 3, batch_first=True)(x[:, 1])[0])
case("lstm_two_ways", lambda m, x: m.lstm(6, 3, num_layers=2, bidirectional=True, batch_first=True)(x[:, 1])[0])
case("lstm_without_biases", lambda m, x: m.lstm(6, 3, bias=False, bidirectional=True)(x[:, 1].transpose(0, 1))[0].transpose(0, 1))

# Resizing.
resize = F.interpolate
case("nearest", lambda m, x: resize(x, (4, 9)))
case("nearest_scale", lambda m, x: resize(x, scale_factor=(1.7, 0.6)))
case("nearest_exact", lambda m, x: resize(x, (4, 9), mode="nearest-exact"))
case("nearest_exact_scale", lambda m, x: resize(x, scale_factor=1.6, mode="nearest-exact"))
for mode in ["bilinear", "bicubic"]:
    case(mode, lambda m, x, mode=mode: resize(x, (4, 9), mode=mode))
    case(f"{mode}_corners", lambda m, x, mode=mode: resize(x, (4, 9), mode=mode, align_corners=True))
    case(f"{mode}_scale", lambda m, x, mode=mode: resize(x, scale_factor=(1.7, 0.6), mode=mode))
    case(f"{mode}_recomputed_scale", lambda m, x, mode=mode: resize(x, scale_factor=1.6, mode=mode, recompute_scale_factor=True))
    case(f"{mode}_antialias", lambda m, x, mode=mode: resize(x, (4, 9), mode=mode, antialias=True))
    case(f"{mode}_antialias_scale", lambda m, x, mode=mode: resize(x, scale_factor=(0.7, 0.6), mode=mode, antialias=True))
case("linear1d", lambda m, x: resize(x.flatten(2), 20, mode="linear") + resize(x.flatten(2), 20, mode="linear", align_corners=True))
case("linear1d_scale", lambda m, x: resize(x.flatten(2), scale_factor=1.3, mode="linear"))
case("resized_constant", lambda m, x: x * resize(m.par("w", 1, 3, 4, 4), (6, 6), mode="bicubic", antialias=True))

# Writes in place.
def written(function):
    """`function` changes a value; what it changes and what it returns both count."""
    def run(m, x):
        y = x * 1.5
        other = function(m, y)
        return torch.cat([y.flatten(1)] + ([] if other is None else [other.flatten(1)]), 1)
    return run


def nothing(*_):
    return None


for name, function in {
    "in_place": lambda m, y: y.add_(1).mul_(m.par("w", 6)).sub_(0.5).div_(2).relu_(),
    "in_place_functions": lambda m, y: y.sin().exp_() + y.cos().neg_().clamp_(-0.5, 0.5) + 2 * y.sin().tanh_() + y.cos().sigmoid_() * (y.abs() + 1).sqrt_(),
    "in_place_seen_by_view": lambda m, y: (y[:, 1], y.add_(1))[0],
    "in_place_seen_by_views": lambda m, y: (y[:, 1].transpose(1, 2), y[:, 1:].mul_(2))[0],
    "in_place_through_view": lambda m, y: nothing(y.view(-1, 9, 12)[:, 2:5, ::3].mul_(3)),
    "in_place_through_transpose": lambda m, y: nothing(y.transpose(1, 3)[:, 2].add_(m.par("w", 3))),
    "in_place_through_permute": lambda m, y: nothing(y.permute(0, 3, 1, 2)[:, 1:3].mul_(2)),
    "in_place_through_squeeze": lambda m, y: nothing(y[:, 1:2].squeeze(1).unsqueeze(3).add_(m.par("w", 6, 1))),
    "in_place_through_unflatten": lambda m, y: nothing(y.unflatten(3, (2, 3))[..., 1, :].mul_(4)),
    "in_place_through_narrow": lambda m, y: nothing(y.narrow(2, -3, 2).abs_()),
    "in_place_through_flatten": lambda m, y: nothing(y.flatten(1).mul_(m.par("w", 108))),
    "in_place_copied_by_flatten": lambda m, y: y.transpose(1, 2).flatten(1).mul_(m.par("w", 108)),
    "in_place_copied_by_reshape": lambda m, y: y[:, :, 1:].reshape(-1, 90).mul_(2),
    "in_place_through_reshape": lambda m, y: y[:, 1:].reshape(-1, 72).mul_(2),
    "in_place_copied_by_contiguous": lambda m, y: y.transpose(1, 2).contiguous().mul_(2),
    "in_place_through_contiguous": lambda m, y: y.contiguous().mul_(2),
    "in_place_through_dropout": lambda m, y: F.dropout(y, 0.3, False).mul_(2),
    "in_place_through_to": lambda m, y: y.to(torch.float32).mul_(2) if y.dtype == torch.float32 else y.mul_(2),
    "in_place_copied_by_clone": lambda m, y: y.clone().mul_(2),
    "in_place_through_detach": lambda m, y: nothing(y.view_as(y)[:, 0].mul_(2)),
    "in_place_seen_by_windows": lambda m, y: (y.unfold(2, 2, 2), y.mul_(2))[0],
    "in_place_seen_by_expansion": lambda m, y: (y[:, :1].expand(-1, 2, -1, -1), y.mul_(2))[0],
    "copy": lambda m, y: nothing(y[:, 0].copy_(y[:, 1] * 2), y[..., 2].copy_(m.par("w", 6))),
    "copy_whole": lambda m, y: y.sin().copy_(y.cos()) * y,
    "copy_of_integers": lambda m, y: nothing(y[:, 0].copy_(m.buf("i", [1, 2, 3, 4, 5, 6]))),
    "copy_of_booleans": lambda m, y: y.sin().copy_(y > 0) + y.sin().copy_(y > 0.5),
    "copy_to_integers": lambda m, y: (3 * y).int().copy_(4 * y) / 2 * y,
    "fill": lambda m, y: nothing(y[:, 0, 1].fill_(2), y[:, 1, 2:4].zero_(), y[:, 2].fill_(m.buf("v", 0.5))),
    "assignment": lambda m, y: nothing(y.__setitem__((slice(None), 0), 3.0), y.__setitem__((slice(None), 1, slice(1, 3)), y[:, 2, 3:5] * 2),
                                       y.__setitem__((Ellipsis, slice(0, None, 2)), m.par("w", 3))),
    "comparison_in_place": lambda m, y: (y.sin().gt_(0) + y.cos().gt_(0)) * y,
    "logical_in_place": lambda m, y: ((y > 0).logical_and_(y < 0.6).float() + (y > 0).logical_not_().float()) * y,
    "masked_fill_in_place": lambda m, y: nothing(y.masked_fill_(y > 0.4, 2.0)),
    "in_place_of_two_levels": lambda m, y: (y[:, 1:], y[:, 1:][:, 0].add_(1), y[:, 2, 3:].mul_(2))[0],
    "in_place_under_no_grad": lambda m, y: nothing(in_place_under_no_grad(y)),
}.items():
    case(name, written(function))


def in_place_under_no_grad(y):
    with torch.no_grad():
        scale = torch.full((6,), 2.0)
        scale[2:4] = 0.5
    return y.mul_(scale)


def buffer_written(m, x):
    table = torch.zeros(3, 6)
    table[0] = m.par("w", 6)
    table[1:, ::2] += 2
    table[2].copy_(torch.arange(6))
    return x * table.unsqueeze(1) + x


def parts_written(m, x):
    table = torch.ones(3, 6, 6)
    table.split(2, 2)[1].mul_(2)
    table.chunk(3, 0)[0].add_(1)
    table.unbind(1)[-1].neg_()
    later = table.split([1, 2], 0)[1]
    table[:, 2] += 5
    return x * table + (x[:, :2] * later).mean(1, keepdim=True)


def shifted_mask(m, x):
    """The mask of shifted windows, as torchvision makes it."""
    mask, count = torch.zeros(6, 6), 0
    for rows in (slice(0, -4), slice(-4, -2), slice(-2, None)):
        for columns in (slice(0, -4), slice(-4, -2), slice(-2, None)):
            mask[rows, columns] = count
            count += 1
    mask = mask.view(2, 3, 2, 3).permute(0, 2, 1, 3).reshape(4, 9)
    mask = mask.unsqueeze(1) - mask.unsqueeze(2)
    mask = mask.masked_fill(mask != 0, -100.0).masked_fill(mask == 0, 0.0)
    y = x.reshape(-1, 3, 2, 3, 2, 3).permute(0, 2, 4, 3, 5, 1).reshape(-1, 4, 9, 3)
    return torch.softmax(y @ y.transpose(2, 3) + mask, -1) @ y


def inner_programs(m, x):
    with torch.no_grad():
        y = torch.sin(x) * 2
        with torch.autocast("cpu", enabled=False):
            z = torch.cos(y) + m.par("w", 6)
    return x * z + y


def inner_autocast(m, x):
    with torch.autocast("cpu", enabled=False):
        y = x.float() if x.dtype == torch.float32 else x
        y = y @ m.par("w", 6, 5)
    with torch.no_grad():
        z = y.abs()
    return y * z


case("buffer_written", buffer_written)
case("parts_written", parts_written)
case("shifted_mask", shifted_mask)
case("inner_programs", inner_programs)
case("inner_autocast", inner_autocast)
case("computed_constants", lambda m, x: x * torch.softmax(m.par("w", 6, 6) @ m.w.t() / 2, -1).roll(1, 0).cumsum(0).flip(1).t())

# Values that mix the images of a batch: they are what each image has alone.
case("flip_batch", lambda m, x: x.flip(0) * m.par("w", 6), ALONE)
case("minus_mean_of_batch", lambda m, x: x.sin() - x.mean(0, keepdim=True) * 0.5, ALONE)
case("minus_first", lambda m, x: x.sin() - x[:1] * 0.5, ALONE)
case("roll_batch", lambda m, x: x.roll(1, 0) * x, ALONE)
case("roll_all", lambda m, x: x.roll(5) * x, ALONE)
case("twice", lambda m, x: torch.sub(*torch.cat([x.sin(), x.cos()], 0).chunk(2, 0)), ALONE)
case("wrong_view", lambda m, x: x.reshape(3, -1, 6, 6).transpose(0, 1).sin() + x, ALONE)
case("channels_with_batch", lambda m, x: x.transpose(0, 1).reshape(1, -1, 6, 6).reshape(-1, 3, 6, 6).cumsum(1) + x, ALONE)
case("cumsum_batch", lambda m, x: x.cumsum(0) * x, ALONE)
case("softmax_batch", lambda m, x: torch.softmax(x, 0) + x, ALONE)
case("maximum_of_batch", lambda m, x: x - 0.5 * x.amax((0, 1), keepdim=True), ALONE)

# What can't be read.
case("training", lambda m, x: F.batch_norm(x, None, None, training=True), REFUSED)
case("training_dropout", lambda m, x: F.dropout(x, 0.5, True), REFUSED)
case("autocast", lambda m, x: under_autocast(m, x), REFUSED)
case("rounded_to_decimals", lambda m, x: torch.round(x, decimals=1) * x, REFUSED)


def under_autocast(m, x):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        return x @ m.par("w", 6, 6)


def images():
    index = torch.arange(3 * 3 * 6 * 6, dtype=torch.float64)
    return (1.5 * (0.37 * index).sin()).view(3, 3, 6, 6)


def exported(module, is_dynamic):
    batch = {0: torch.export.Dim.DYNAMIC} if is_dynamic else None
    example = torch.zeros(2 if is_dynamic else 1, 3, 6, 6)
    program = torch.export.export(module, (example,), dynamic_shapes=(batch,))
    modules = [module for module in program.graph_module.modules() if isinstance(module, torch.fx.GraphModule)]
    for node in (node for module in modules for node in module.graph.nodes):
        # Paths of this machine are in the stack traces.
        for key in ["stack_trace", "nn_module_stack", "source_fn_stack", "torch_fn", "from_node"]:
            node.meta.pop(key, None)
    file = io.BytesIO()
    program._example_inputs = None
    torch.export.save(program, file)
    return file.getvalue()


def expected(module, is_alone):
    """The logits of three images and the gradient, in float64."""
    module = copy.deepcopy(module).double()
    torch.set_default_dtype(torch.float64)
    parts = [images()[index : index + 1] for index in range(3)] if is_alone else [images()]
    logits, gradient = [], None
    for part in parts:
        part.requires_grad_(True)
        own = module(part)
        if gradient is None:
            gradient = torch.autograd.grad(own[0, 0], part)[0][0]
        logits.append(own.detach())
    torch.set_default_dtype(torch.float32)
    return torch.cat(logits), gradient


def main():
    FOLDER.mkdir(exist_ok=True)
    names = sys.argv[1:] or [*CASES, *DYNAMIC, *ALONE, *REFUSED]
    tensors, files, faults = {}, {}, []
    for name in names:
        function = (CASES | DYNAMIC | ALONE | REFUSED)[name]
        try:
            module = Case(function, images().float()).eval()
            if name not in REFUSED:
                logits, gradient = expected(module, name in ALONE)
                tensors[f"{name}/logits"], tensors[f"{name}/gradient"] = logits, gradient.float().contiguous()
            kind = "alone/" if name in ALONE else "refused/" if name in REFUSED else ""
            for is_dynamic in (True,) if name in DYNAMIC else (True, False):
                files[f"{kind}{'dynamic' if is_dynamic else 'fixed'}/{name}.pt2"] = exported(module, is_dynamic)
        except Exception as error:
            faults.append(f"{name}: {type(error).__name__}: {str(error)[:600]}")
    if faults:
        print("\n".join(faults))
        sys.exit(1)
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    with zipfile.ZipFile(FOLDER / "cases.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr(zipfile.ZipInfo("cases.zip"), inner.getvalue(), zipfile.ZIP_DEFLATED, 9)
    save_file(tensors, FOLDER / "expected.safetensors")


if __name__ == "__main__":
    main()
