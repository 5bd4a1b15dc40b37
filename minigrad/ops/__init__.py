"""The ops: a table with one row per operation, and PyTorch's functions on top of it.

`arithmetic.py` shows what a row looks like; `pointwise.py` has the functions, `comparison.py` what
has no gradient, `shape.py` has the views, `indexing.py` what `t[...]`
means, `linalg.py` the products, `reduction.py` the sums, `inplace.py` what overwrites,
`creation.py` and `sampling.py` what makes tensors. This namespace is `xp` while a formula runs on
Tensors; `arrays.py` is its twin for bare arrays.
"""

from ..autograd import node as _node
from . import arrays as _arrays
from .arithmetic import (
    add, add_, div, div_, floor_divide, floor_divide_, floor_quotient, mul, mul_, neg, neg_, positive, pow, pow_,
    rdiv, reciprocal, reciprocal_, remainder, remainder_, rpow, rsub, sqrt, sqrt_, square, sub, sub_,
)  # fmt: skip
from .comparison import (
    allclose, bitwise_and, bitwise_and_, bitwise_not, bitwise_or, bitwise_or_, bitwise_xor, bitwise_xor_, eq,
    eq_, equal, ge, ge_, gt, gt_, isclose, isfinite, isinf, isnan, le, le_, logical_and, logical_not,
    logical_not_, logical_or, logical_xor, lt, lt_, ne, ne_,
)  # fmt: skip
from .conversion import result_type, to, to_dtype
from .creation import (
    BoolTensor, ByteTensor, CharTensor, DoubleTensor, FloatTensor, HalfTensor, IntTensor, LongTensor,
    ShortTensor, arange, as_tensor, empty, empty_like, eye, from_numpy, full, full_like, linspace, ones,
    ones_like, tensor, zeros, zeros_like,
)  # fmt: skip
from .indexing import (
    getitem, index_backward, narrow, select, select_backward, setitem, slice_backward, untouched,
)  # fmt: skip
from .indexing import _slice as slice
from .indexing import index_rows as index
from .inplace import copy, copy_, fill_, zero_
from .linalg import addmm, bmm, dot, linear, matmul, mm, mv, outer
from .loss import mse_loss
from .pointwise import (
    one_minus_square,    abs, abs_, ceil, ceil_, clamp, clamp_, clamp_min, cos, cos_, exp, exp_, floor, floor_, log, log_, maximum,
    minimum, relu, relu_, relu_backward, sigmoid, sigmoid_, sign, sign_, sin, sin_, tanh, tanh_, where,
)  # fmt: skip
from .reduction import (
    all, amax, amin, any, argmax, argmin, as_float, at_index, from_index, max, mean, min, prod, product_of_others,
    std, sum, sum_dim, sum_to_size, var,
)  # fmt: skip
from .sampling import (
    bernoulli, bernoulli_, exponential_, get_rng_state, initial_seed, normal, normal_, rand, rand_like,
    randint, randn, randn_like, random_, randperm, seed, set_rng_state, uniform_,
)  # fmt: skip
from .shape import (
    alias, cat, chunk, clone, contiguous, expand, expand_as, flatten, gather_strided, matrix_transpose,
    permute, ravel, reshape, reshape_as, reversed_dims, scatter_strided, split, squeeze, stack, t,
    transpose, unbind, unsqueeze, view, view_as, zeros_shaped,
)  # fmt: skip

import sys as _sys

__all__ = [
    "BoolTensor", "ByteTensor", "CharTensor", "DoubleTensor", "FloatTensor", "HalfTensor",
    "IntTensor", "LongTensor", "ShortTensor", "abs", "abs_", "add", "add_", "addmm", "alias",
    "all", "allclose", "amax", "amin", "any", "arange", "argmax", "argmin", "as_float",
    "as_tensor", "at_index", "bernoulli", "bernoulli_", "bitwise_and", "bitwise_and_",
    "bitwise_not", "bitwise_or", "bitwise_or_", "bitwise_xor", "bitwise_xor_", "bmm", "cat",
    "ceil", "ceil_", "chunk", "clamp", "clamp_", "clamp_min", "clone", "contiguous", "copy",
    "copy_", "cos", "cos_", "div", "div_", "dot", "empty", "empty_like", "eq", "eq_", "equal",
    "exp", "exp_", "expand", "expand_as", "exponential_", "eye", "fill_", "flatten", "floor",
    "floor_", "floor_divide", "floor_divide_", "floor_quotient", "from_index", "from_numpy",
    "full", "full_like", "gather_strided", "ge", "ge_", "get_rng_state", "getitem", "gt", "gt_",
    "index", "index_backward", "initial_seed", "isclose", "isfinite", "isinf", "isnan", "le",
    "le_", "linear", "linspace", "log", "log_", "logical_and", "logical_not", "logical_not_",
    "logical_or", "logical_xor", "lt", "lt_", "matmul", "matrix_transpose", "max", "maximum",
    "mean", "min", "minimum", "mm", "mse_loss", "mul", "mul_", "mv", "narrow", "ne", "ne_",
    "neg", "neg_", "normal", "normal_", "one_minus_square", "ones", "ones_like", "outer",
    "permute", "positive", "pow", "pow_", "prod", "product_of_others", "rand", "rand_like",
    "randint", "randn", "randn_like", "random_", "randperm", "ravel", "rdiv", "reciprocal",
    "reciprocal_", "relu", "relu_", "relu_backward", "remainder", "remainder_", "reshape",
    "reshape_as", "result_type", "reversed_dims", "rpow", "rsub", "scatter_strided", "seed",
    "select", "select_backward", "set_rng_state", "setitem", "sigmoid", "sigmoid_", "sign",
    "sign_", "sin", "sin_", "slice", "slice_backward", "split", "sqrt", "sqrt_", "square",
    "squeeze", "stack", "std", "sub", "sub_", "sum", "sum_dim", "sum_to_size", "t", "tanh",
    "tanh_", "tensor", "to", "to_dtype", "transpose", "unbind", "uniform_", "unsqueeze",
    "untouched", "var", "view", "view_as", "where", "zero_", "zeros", "zeros_like",
    "zeros_shaped",
]  # fmt: skip

_node.array_ops, _node.tensor_ops = _arrays, _sys.modules[__name__]
