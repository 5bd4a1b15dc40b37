"""Functions of one variable beyond `pointwise.py`: exponentials, logarithms, and the trigonometric
and hyperbolic functions with their inverses.

Every row reads like a line of a table of derivatives. Integers are computed as the default float.
The error function and its relatives are in `error_function.py`.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np

from ..autograd.inplace import inplace, write
from ..autograd.out import into
from ..autograd.row import op, pointwise
from ..dtypes import default_dtype
from ..promotion import check_tensors

Array = Any
Tensor = Any

# --- exponentials and logarithms -----------------------------------------------------------------


@pointwise("Exp2Backward0", to_float=True, input=lambda grad, result: grad * result * math.log(2.0))
def exp2(input: Array) -> Array:
    """2 to the power of `input`."""
    return np.exp2(input)


@pointwise("Expm1Backward0", to_float=True, input=lambda grad, result: grad * (result + 1))
def expm1(input: Array) -> Array:
    """`exp(input) - 1`, accurate near zero."""
    return np.expm1(input)


@pointwise("Log2Backward0", to_float=True, input=lambda grad, input: grad / (input * math.log(2.0)))
def log2(input: Array) -> Array:
    """The logarithm to base 2."""
    return np.log2(input)


@pointwise(
    "Log10Backward0", to_float=True, input=lambda grad, input: grad / (input * math.log(10.0))
)
def log10(input: Array) -> Array:
    """The logarithm to base 10."""
    return np.log10(input)


@pointwise("Log1PBackward0", to_float=True, input=lambda grad, input: grad / (input + 1))
def log1p(input: Array) -> Array:
    """`log(1 + input)`, accurate near zero."""
    return np.log1p(input)


@pointwise(
    "RsqrtBackward0",
    to_float=True,
    input=lambda grad, result, xp: xp.scale(grad, -0.5) * xp.pow(result, 3),
)
def rsqrt(input: Array) -> Array:
    """`1 / sqrt(input)`."""
    return 1 / np.sqrt(input)


# --- trigonometric functions ---------------------------------------------------------------------


@pointwise("TanBackward0", to_float=True, input=lambda grad, result: grad * (result * result + 1))
def tan(input: Array) -> Array:
    """The tangent of an angle in radians."""
    return np.tan(input)


@pointwise(
    "AsinBackward0",
    to_float=True,
    input=lambda grad, input, xp: grad * xp.rsqrt(1 - input * input),
)
def asin(input: Array) -> Array:
    """The angle in [-pi/2, pi/2] whose sine is `input`."""
    return np.arcsin(input)


@pointwise(
    "AcosBackward0",
    to_float=True,
    input=lambda grad, input, xp: grad * -xp.rsqrt(1 - input * input),
)
def acos(input: Array) -> Array:
    """The angle in [0, pi] whose cosine is `input`."""
    return np.arccos(input)


@pointwise("AtanBackward0", to_float=True, input=lambda grad, input: grad / (input * input + 1))
def atan(input: Array) -> Array:
    """The angle in (-pi/2, pi/2) whose tangent is `input`."""
    return np.arctan(input)


def _atan2_gradient(grad: Any, numerator: Any, input: Any, other: Any, xp: Any) -> Any:
    """At the origin, where there is no slope, the gradient is zero."""
    square = input * input + other * other
    origin = square == 0
    return xp.where(origin, 0.0, grad * numerator / xp.where(origin, 1.0, square))


@pointwise(
    "Atan2Backward0",
    to_float=True,
    input=lambda grad, input, other, xp: _atan2_gradient(grad, other, input, other, xp),
    other=lambda grad, input, other, xp: _atan2_gradient(grad, -input, input, other, xp),
)
def _atan2(input: Array, other: Array) -> Array:
    return np.arctan2(input, other)


@pointwise("Deg2RadBackward0", to_float=True, input=lambda grad: grad * (math.pi / 180))
def deg2rad(input: Array) -> Array:
    """Degrees as radians."""
    return input * (math.pi / 180)


@pointwise("Rad2DegBackward0", to_float=True, input=lambda grad: grad * (180 / math.pi))
def rad2deg(input: Array) -> Array:
    """Radians as degrees."""
    return input * (180 / math.pi)


def _sinc_gradient(grad: Any, input: Any, xp: Any) -> Any:
    """The slope of sin(z)/z at z = pi * input; 0 where the square vanishes."""
    vanishes = input * input * math.pi == 0
    safe = xp.where(vanishes, 1.0, input)
    angle = safe * math.pi
    slope = (angle * xp.cos(angle) - xp.sin(angle)) / (angle * safe)
    return xp.where(vanishes, 0.0, grad * slope)


@pointwise("SincBackward0", to_float=True, input=_sinc_gradient)
def sinc(input: Array) -> Array:
    """`sin(pi * input) / (pi * input)`; 1 at zero."""
    wide = input.astype(np.float32) if input.dtype == np.float16 else input
    angle = wide * wide.dtype.type(math.pi)
    out = np.where(input == 0, wide.dtype.type(1), np.sin(angle) / angle)
    return out.astype(input.dtype, copy=False)


# --- hyperbolic functions ------------------------------------------------------------------------


@pointwise("SinhBackward0", to_float=True, input=lambda grad, input, xp: grad * xp.cosh(input))
def sinh(input: Array) -> Array:
    """The hyperbolic sine."""
    return np.sinh(input)


@pointwise("CoshBackward0", to_float=True, input=lambda grad, input, xp: grad * xp.sinh(input))
def cosh(input: Array) -> Array:
    """The hyperbolic cosine."""
    return np.cosh(input)


@pointwise(
    "AsinhBackward0",
    to_float=True,
    input=lambda grad, input, xp: grad * xp.rsqrt(input * input + 1),
)
def asinh(input: Array) -> Array:
    """The inverse of `sinh`."""
    return np.arcsinh(input)


@pointwise(
    "AcoshBackward0",
    to_float=True,
    input=lambda grad, input, xp: grad * xp.rsqrt(input * input - 1),
)
def acosh(input: Array) -> Array:
    """The inverse of `cosh`; nan below 1."""
    return np.arccosh(input)


@pointwise("AtanhBackward0", to_float=True, input=lambda grad, input: grad / (1 - input * input))
def atanh(input: Array) -> Array:
    """The inverse of `tanh`; nan outside of [-1, 1]."""
    return np.arctanh(input)


# --- the logit -----------------------------------------------------------------------------------


def _logit_gradient(grad: Any, input: Any, eps: float | None, xp: Any) -> Any:
    low = 0.0 if eps is None else eps
    outside = (input < low) | (input > 1 - low)
    slope = grad / ((input + 0.0) * (1 - input))  # + 0.0: the slope at -0.0 is that at 0
    return xp.where(outside, math.nan if eps is None else 0.0, slope)


@op("LogitBackward0", input=_logit_gradient)
def _logit(input: Array, eps: float | None) -> Array:
    if input.dtype.kind != "f":
        input = input.astype(default_dtype())
    if eps is not None:
        input = np.minimum(np.maximum(input, input.dtype.type(eps)), input.dtype.type(1 - eps))
    return np.log(input / (1 - input))


def logit(input: Tensor, eps: float | None = None, *, out: Tensor | None = None) -> Tensor:
    """`log(input / (1 - input))`, the inverse of `sigmoid`; with `eps`, `input` is first limited
    to [eps, 1 - eps]."""
    if out is not None:
        return into(out, logit, input, eps)
    return _logit(input, eps)


def atan2(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The angle of the point (other, input), in [-pi, pi]."""
    if out is not None:
        return into(out, atan2, input, other)
    check_tensors("atan2", input=input, other=other)
    return _atan2(input, other)


# --- in place ------------------------------------------------------------------------------------

exp2_, expm1_, log2_, log10_ = (inplace(f) for f in (exp2, expm1, log2, log10))
log1p_, rsqrt_, tan_, asin_ = (inplace(f) for f in (log1p, rsqrt, tan, asin))
acos_, atan_, atan2_, sinc_ = (inplace(f) for f in (acos, atan, _atan2, sinc))
deg2rad_, rad2deg_, sinh_, cosh_ = (inplace(f) for f in (deg2rad, rad2deg, sinh, cosh))
atanh_ = inplace(atanh)


def _not_in_place(name: str) -> Any:
    """PyTorch has no derivative for the in-place form."""

    def formula(grad: Any) -> Any:
        raise NotImplementedError(
            f"the derivative for 'inplace version of {name}' is not implemented."
        )

    return formula


_unary = partial(pointwise, to_float=True)
asinh_ = inplace(_unary("AsinhBackward1", input=_not_in_place("asinh"))(asinh.forward))
acosh_ = inplace(_unary("AcoshBackward1", input=_not_in_place("acosh"))(acosh.forward))


def logit_(input: Tensor, eps: float | None = None) -> Tensor:
    """`logit` in place."""
    return write(_logit.row, (input, eps), _logit.forward(input._array, eps))
