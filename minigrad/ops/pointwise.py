"""Functions of one variable: `exp`, `tanh`, `relu`.

Integers are computed as the default float where the result is a fraction (`to_float`).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.inplace import inplace
from ..autograd.row import op, pointwise
from ..dtypes import FLOAT16, FLOAT32, FLOAT64
from .choosing import keep_array

Array = Any
Tensor = Any

# --- functions of one variable -------------------------------------------------------------------


@pointwise("ExpBackward0", to_float=True, input=lambda grad, result: grad * result)
def exp(input: Array) -> Array:
    """e to the power of `input`."""
    return np.exp(input)


@pointwise("LogBackward0", to_float=True, input=lambda grad, input: grad / input)
def log(input: Array) -> Array:
    """The natural logarithm; -inf at zero, nan below."""
    return np.log(input)


@pointwise("SinBackward0", to_float=True, input=lambda grad, input, xp: grad * xp.cos(input))
def sin(input: Array) -> Array:
    """The sine of an angle in radians."""
    return np.sin(input)


@pointwise("CosBackward0", to_float=True, input=lambda grad, input, xp: grad * -xp.sin(input))
def cos(input: Array) -> Array:
    """The cosine of an angle in radians."""
    return np.cos(input)


@pointwise("AbsBackward0", input=lambda grad, input, xp: grad * xp.sgn(input))
def abs(input: Array) -> Array:
    """The absolute value; its gradient at zero is zero."""
    _no_bools("abs", input)
    return np.abs(input)


def _no_bools(name: str, input: Array) -> None:
    if input.dtype == bool:
        raise NotImplementedError(f"\"{name}_cpu\" not implemented for 'Bool'")


@pointwise("SignBackward0", input=lambda grad, xp: xp.zeros_like(grad))
def sign(input: Array) -> Array:
    """-1, 0 or 1; 0 for nan."""
    return sign_array(input)


def sign_array(input: Array) -> Array:
    if input.dtype == bool:
        return input.copy()
    return np.subtract(input > 0, input < 0, dtype=input.dtype)


@pointwise("FloorBackward0", input=lambda grad, xp: xp.zeros_like(grad))
def floor(input: Array) -> Array:
    """The largest whole number that is not above `input`."""
    _no_bools("floor_vml", input)
    return np.floor(input) if input.dtype.kind == "f" else input.copy()


@pointwise("CeilBackward0", input=lambda grad, xp: xp.zeros_like(grad))
def ceil(input: Array) -> Array:
    """The smallest whole number that is not below `input`."""
    _no_bools("ceil_vml", input)
    return np.ceil(input) if input.dtype.kind == "f" else input.copy()


@pointwise(
    "SigmoidBackward0",
    to_float=True,
    input=lambda grad, result, xp: xp.sigmoid_backward(grad, result),
)
def sigmoid(input: Array) -> Array:
    """1 / (1 + exp(-input)); half precision is computed in float32 and rounded once."""
    if input.dtype is FLOAT16:
        return (1 / (1 + np.exp(-input.astype(np.float32)))).astype(FLOAT16)
    return 1 / (1 + np.exp(-input))


@op(
    "SigmoidBackwardBackward0",
    fused=True,
    grad0=lambda grad, output, xp: xp.sigmoid_backward(grad, output),
    output=lambda grad, grad0, output: grad * grad0 * (1 - 2 * output),
)
def sigmoid_backward(grad0: Array, output: Array) -> Array:
    """How `sigmoid`'s gradient goes on: times the slope, (1 - output) * output."""
    return grad0 * ((1 - output) * output)


@op(
    "TanhBackwardBackward0",
    fused=True,
    grad0=lambda grad, output, xp: xp.tanh_backward(grad, output),
    output=lambda grad, grad0, output, xp: grad * (xp.scale(output, -2.0) * grad0),
)
def tanh_backward(grad0: Array, output: Array) -> Array:
    """How `tanh`'s gradient goes on: times the slope, 1 - output ** 2."""
    return grad0 * _one_minus_square(output)


def _one_minus_square(array: Array) -> Array:
    """`1 - array ** 2` rounded once, as PyTorch's fused instruction does: it matters near 1."""
    if array.dtype != np.float32:
        return 1 - array * array
    wide = array.astype(np.float64)
    return (1.0 - wide * wide).astype(np.float32)


@pointwise(
    "TanhBackward0",
    to_float=True,
    input=lambda grad, result, xp: xp.tanh_backward(grad, result),
)
def tanh(input: Array) -> Array:
    """The hyperbolic tangent."""
    return np.tanh(input)


# Bounds for `clip`: with numbers of the array's dtype it takes a third less time on few elements.
_FROM_ZERO = {dtype: (dtype.type(0), dtype.type(np.inf)) for dtype in (FLOAT16, FLOAT32, FLOAT64)}


@pointwise("ReluBackward0", input=lambda grad, result, xp: xp.relu_backward(grad, result))
def relu(input: Array) -> Array:
    """`input` where it is positive, else 0."""
    bounds = _FROM_ZERO.get(input.dtype)
    if bounds is not None:
        return input.clip(*bounds)  # keeps -0.0, as PyTorch does; `np.maximum` may not
    if input.dtype == bool:
        raise RuntimeError("Boolean inputs not supported for relu")
    return np.maximum(input, input.dtype.type(0))


@op(
    "ThresholdBackwardBackward0",
    fused=True,
    grad=lambda grad, output, xp: xp.relu_backward(grad, output),
    output=lambda grad, xp: xp.zeros_like(grad),
)
def relu_backward(grad: Array, output: Array) -> Array:
    """`grad` where `relu` let its input pass: where its output is positive or nan."""
    return keep_array(grad, output != 0)


# --- in place ------------------------------------------------------------------------------------

exp_, log_, sin_, cos_, abs_, sign_ = (inplace(f) for f in (exp, log, sin, cos, abs, sign))
floor_, ceil_, sigmoid_, tanh_, relu_ = (inplace(f) for f in (floor, ceil, sigmoid, tanh, relu))
