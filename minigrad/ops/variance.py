"""Variance and standard deviation: squared deviations from the mean, computed in float64."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import either
from ..autograd.out import into
from ..autograd.row import op
from ..warn import warn
from .dims import wrap_dims
from .numpy_names import numpy_names
from .reduction import _array, _count, _spread

Array = Any
Tensor = Any


def _var_formula(grad: Any, input: Any, dims: Any, correction: Any, keepdim: Any, xp: Any) -> Any:
    shape = tuple(input.shape)
    count = _count(shape, dims)
    center = xp.expand(xp.sum_dim(input, dims, True) / count, shape)
    return _spread(grad, shape, dims, keepdim, xp) * (
        (input - center) * _over(2.0, count - correction)
    )


def _over(a: float, b: float) -> float:
    return a / b if b > 0 else math.nan if b == 0 else math.inf


@op("VarBackward0", fused=True, input=_var_formula)
def _var(input: Array, dims: tuple[int, ...], correction: float, keepdim: bool) -> Array:
    count = _count(input.shape, dims)
    wide = input.astype(np.float64)
    center = (
        wide.mean(axis=dims, keepdims=True)
        if input.size
        else wide.sum(axis=dims, keepdims=True) * np.nan
    )
    squares = ((wide - center) ** 2).sum(axis=dims, keepdims=keepdim)
    return either.as_array(squares / np.maximum(count - correction, 0)).astype(
        input.dtype, order="C"
    )


@op(
    "StdBackward0",
    fused=True,
    input=lambda grad, input, result, dims, correction, keepdim, xp: _var_formula(
        xp.where(result == 0, 0.0, grad / (result * 2)), input, dims, correction, keepdim, xp
    ),
)
def _std(input: Array, dims: tuple[int, ...], correction: float, keepdim: bool) -> Array:
    return np.sqrt(_var.forward(input, dims, correction, keepdim))


@numpy_names
def var(
    input: Tensor,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: Any = None,
    out: Any = None,
) -> Tensor:
    """The variance: squared deviations from the mean, divided by n - `correction` (default 1)."""
    if out is not None:
        return into(out, var, input, dim, unbiased, keepdim, correction=correction)
    return _moment("var", _var, input, dim, unbiased, keepdim, correction)


@numpy_names
def std(
    input: Tensor,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: Any = None,
    out: Any = None,
) -> Tensor:
    """The standard deviation: the square root of `var`."""
    if out is not None:
        return into(out, std, input, dim, unbiased, keepdim, correction=correction)
    return _moment("std", _std, input, dim, unbiased, keepdim, correction)


def _moment(
    name: str, row: Any, input: Tensor, dim: Any, unbiased: Any, keepdim: bool, correction: Any
) -> Tensor:
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    array = _array(name, input)
    if array.dtype.kind != "f":
        raise RuntimeError("std and var only support floating point and complex dtypes")
    if correction is None:
        correction = 1 if unbiased is None else int(unbiased)
    dims = wrap_dims(dim, array.ndim)
    kept = [size for i, size in enumerate(array.shape) if i not in dims]
    if 0 in kept or _count(array.shape, dims) <= correction:
        warn(f"{name}(): {NO_FREEDOM}")
    return row(input, dims, correction, keepdim)


NO_FREEDOM = (
    "degrees of freedom is <= 0. Correction should be strictly less than the reduction factor "
    "(input numel divided by output numel)."
)
