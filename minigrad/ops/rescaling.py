"""Layers that divide by a size without taking a mean off: `rms_norm`, `renorm`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..autograd.inplace import write
from ..autograd.out import into
from ..autograd.row import op
from ..dtypes import scalar_name
from ..layout import contiguous_format
from ..promotion import check_tensors, floats_only
from ..warn import warn
from .arithmetic import mul, pow
from .conversion import to_dtype
from .dims import wrap_dim
from .normalization import check_trailing, checked_shape
from .norms import _norm_formula, _vector_norm
from .reduction import _mean_dim
from .shape import clone
from .transcendental import rsqrt
from .with_number import plus

Array = Any
Tensor = Any


def rms_norm(
    input: Tensor, normalized_shape: Sequence[int], weight: Tensor | None = None,
    eps: float | None = None,
) -> Tensor:  # fmt: skip
    """The last dimensions, of shape `normalized_shape`, divided by the root of the mean of their
    squares, times `weight` (of that shape). Zhang & Sennrich 2019.

    eps: added to the mean; by default the dtype's machine epsilon. float16 is computed in float32.
    Raises RuntimeError if shapes do not fit, NotImplementedError for integers."""
    check_tensors("rms_norm", input=input)
    array, shape = input._array, checked_shape("rms_norm", normalized_shape)
    if weight is not None and weight._array.shape != shape:
        raise RuntimeError(
            "Expected weight to be of same shape as normalized_shape, but got weight of shape "
            f"{list(weight._array.shape)} and normalized_shape = {list(shape)}"
        )
    check_trailing(array, shape, "[*")
    floats_only("rms_norm", array)
    if weight is not None and weight._array.dtype != array.dtype and array.dtype != np.float16:
        _warn_of_dtypes(array, weight._array)
    wide = np.dtype(np.float32) if array.dtype == np.float16 else array.dtype
    x = _as(input, wide)
    dims = tuple(range(array.ndim - len(shape), array.ndim))
    machine = float(np.finfo(wide).eps)
    squares = plus(_mean_dim(pow(x, 2), dims, True), machine if eps is None else eps)
    out = mul(x, rsqrt(squares))
    out = out if weight is None else mul(out, weight)
    if not array.flags.c_contiguous:
        out = clone(out, memory_format=contiguous_format)
    return _as(out, array.dtype)


def _as(tensor: Tensor, dtype: Any) -> Tensor:
    return tensor if tensor._array.dtype == dtype else to_dtype(tensor, dtype)


def _warn_of_dtypes(input: Array, weight: Array) -> None:
    names = {
        "float32": "float", "float64": "double", "float16": "c10::Half", "int64": "long int",
        "int16": "short int", "int8": "signed char", "uint8": "unsigned char", "int32": "int", "bool": "bool",
    }  # fmt: skip
    warn(
        f"Mismatch dtype between input and weight: input dtype = {names[input.dtype.name]}, weight "
        f"dtype = {names[weight.dtype.name]}, Cannot dispatch to fused implementation."
    )


# --- renorm --------------------------------------------------------------------------------------


def _renorm_formula(grad: Any, input: Any, p: float, dim: int, maxnorm: float, xp: Any) -> Any:
    """y = x * f(|x|) with f = maxnorm / (|x| + 1e-7) where |x| is too large, else 1:
    the gradient is g f + f' * sum(g x) * d|x|/dx."""
    dims = tuple(d for d in range(input.ndim) if d != dim)
    norm = _norm(input, p, dims, xp)
    over = norm > maxnorm
    factor = xp.where(over, maxnorm / (norm + 1e-7), 1.0)
    slope = xp.where(over, -maxnorm / ((norm + 1e-7) * (norm + 1e-7)), 0.0)
    along = xp.sum_dim(grad * input, dims, True)
    return grad * factor + _norm_formula(slope * along, input, norm, p, dims, True, xp)


def _norm(input: Any, p: float, dims: tuple[int, ...], xp: Any) -> Any:
    if p == math.inf:
        return xp.amax(xp.abs(input), dims, True)
    return xp.pow(xp.sum_dim(xp.pow(xp.abs(input), p), dims, True), 1 / p)


@op("RenormBackward0", input=_renorm_formula)
def _renorm(input: Array, p: float, dim: int, maxnorm: float) -> Array:
    dims = tuple(d for d in range(input.ndim) if d != dim)
    norm = _vector_norm.forward(input, p, dims, True, None).astype(np.float64)
    factor = np.where(norm > maxnorm, maxnorm / (norm + 1e-7), 1.0)
    return input * factor.astype(input.dtype)


def renorm(input: Tensor, p: float, dim: int, maxnorm: float, *, out: Any = None) -> Tensor:
    """Each slice of dimension `dim` scaled down to a `p`-norm of `maxnorm`, where it is larger.

    RuntimeError for fewer than two dimensions, `p` <= 0, a negative `maxnorm`, or integers."""
    if out is not None:
        return into(out, renorm, input, p, dim, maxnorm)
    _check_renorm(input, p, maxnorm)
    return _renorm(input, float(p), wrap_dim(dim, input._array.ndim), float(maxnorm))


def renorm_(input: Tensor, p: float, dim: int, maxnorm: float) -> Tensor:
    """`renorm` in place."""
    _check_renorm(input, p, maxnorm)
    args = (float(p), wrap_dim(dim, input._array.ndim), float(maxnorm))
    return write(_renorm.row, (input, *args), _renorm.forward(input._array, *args))


def _check_renorm(input: Any, p: float, maxnorm: float) -> None:
    check_tensors("renorm", input=input)
    array = input._array
    if p <= 0:
        raise RuntimeError("renorm: non-positive-norm not supported")
    if maxnorm < 0:
        raise RuntimeError(f"renorm: expected maxnorm to be >= 0 but got {maxnorm:g}")
    if array.ndim < 2:
        raise RuntimeError(
            f"renorm: input needs at least 2 dimensions, got {array.ndim} dimensions"
        )
    if array.dtype.kind != "f":
        raise RuntimeError(
            "linalg.vector_norm: Expected a floating point or complex tensor as input. Got "
            f"{scalar_name(array.dtype)}"
        )
