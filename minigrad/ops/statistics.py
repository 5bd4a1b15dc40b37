"""Reductions beside the plain ones: two moments at once, what ignores nan, both extremes, counts."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import either, return_types
from ..autograd.node import wrap
from ..autograd.noted import noted
from ..autograd.out import into
from ..autograd.row import op
from .arithmetic import div
from .conversion import cast
from .dims import wrap_dim, wrap_dims
from .extremes import _not_empty, _shared
from .numpy_names import numpy_names
from .reduction import Dims, _array, _count, _reduced, _row_major, _spread
from .reduction import sum as total
from .summation import sum_array
from .variance import _moment, _std, _var, _var_formula

Array = Any
Tensor = Any

# --- variance and mean ---------------------------------------------------------------------------


def _mean_part(grad: Any, input: Any, dims: Any, keepdim: bool, xp: Any) -> Any:
    shape = tuple(input.shape)
    return _spread(grad, shape, dims, keepdim, xp) / _count(shape, dims)


def _added(parts: list[Any]) -> Any:
    return parts[0] if len(parts) == 1 else parts[0] + parts[1]


def _var_mean_formula(
    grads: Any, input: Any, dims: Any, correction: Any, keepdim: bool, xp: Any
) -> Any:
    of_var, of_mean = grads
    parts = []
    if of_var is not None:
        parts.append(_var_formula(of_var, input, dims, correction, keepdim, xp))
    if of_mean is not None:
        parts.append(_mean_part(of_mean, input, dims, keepdim, xp))
    return _added(parts)


def _std_mean_formula(
    grads: Any, input: Any, result: Any, dims: Any, correction: Any, keepdim: bool, xp: Any
) -> Any:
    of_std, of_mean = grads
    of_var = None if of_std is None else xp.where(result == 0, 0.0, of_std / (result * 2))
    return _var_mean_formula((of_var, of_mean), input, dims, correction, keepdim, xp)


def _wide_mean(input: Array, dims: tuple[int, ...], keepdim: bool) -> Array:
    sums = np.sum(input, axis=dims, dtype=np.float64, keepdims=keepdim)
    return either.as_array(sums / np.float64(_count(input.shape, dims))).astype(
        input.dtype, order="C"
    )


@op("VarMeanBackward0", input=_var_mean_formula)
def _var_mean(
    input: Array, dims: tuple[int, ...], correction: float, keepdim: bool
) -> tuple[Array, Array]:
    return _var.forward(input, dims, correction, keepdim), _wide_mean(input, dims, keepdim)


@op("StdMeanBackward0", input=_std_mean_formula)
def _std_mean(
    input: Array, dims: tuple[int, ...], correction: float, keepdim: bool
) -> tuple[Array, Array]:
    return _std.forward(input, dims, correction, keepdim), _wide_mean(input, dims, keepdim)


@numpy_names
def var_mean(
    input: Tensor, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *,
    correction: Any = None) -> tuple[Tensor, Tensor]:  # fmt: skip
    """`var` and `mean` over `dim`."""
    _floats_only("var_mean", input)
    pair: tuple[Tensor, Tensor] = _moment(
        "var_mean", _var_mean, input, dim, unbiased, keepdim, correction
    )
    return pair


@numpy_names
def std_mean(
    input: Tensor, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *,
    correction: Any = None) -> tuple[Tensor, Tensor]:  # fmt: skip
    """`std` and `mean` over `dim`."""
    _floats_only("std_mean", input)
    pair: tuple[Tensor, Tensor] = _moment(
        "std_mean", _std_mean, input, dim, unbiased, keepdim, correction
    )
    return pair


def _floats_only(name: str, input: Tensor) -> None:
    if _array(name, input).dtype.kind != "f":
        raise RuntimeError(f"{name} only support floating point and complex dtypes")


# --- without nan ---------------------------------------------------------------------------------


@op(
    "NansumBackward0",
    input=lambda grad, input, dims, keepdim, xp: xp.where(
        input == input, _spread(grad, tuple(input.shape), dims, keepdim, xp), 0.0
    ),
)
def _nansum(input: Array, dims: tuple[int, ...], keepdim: bool, dtype: Any) -> Array:
    array = cast(input, input.dtype if dtype is None else dtype.numpy)
    numbers = np.where(np.isnan(array), array.dtype.type(0), array)
    return _row_major(either.as_array(sum_array(numbers, dims, keepdim)))


@numpy_names
def nansum(
    input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None, out: Any = None
) -> Tensor:
    """`sum` of what is not nan."""
    if out is not None:
        return into(out, nansum, input, dim, keepdim, dtype=dtype)
    array = _array("nansum", input)
    if array.dtype.kind != "f":
        return total(input, dim, keepdim, dtype=dtype)
    return _nansum(input, wrap_dims(dim, array.ndim), keepdim, dtype)


@numpy_names
def nanmean(
    input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None, out: Any = None
) -> Tensor:
    """`mean` of what is not nan; nan where nothing is."""
    if out is not None:
        return into(out, nanmean, input, dim, keepdim, dtype=dtype)
    array = _array("nanmean", input)
    if array.dtype.kind != "f":
        raise RuntimeError(
            "nanmean(): expected input to have floating point or complex dtype but got "
            f"{_scalar(array)}"
        )
    dims = wrap_dims(dim, array.ndim)
    numbers = np.sum(array == array, axis=dims, dtype=np.int64, keepdims=keepdim)
    return div(nansum(input, dim, keepdim, dtype=dtype), wrap(either.as_array(numbers)))


def _scalar(array: Array) -> str:
    from ..dtypes import scalar_name

    return scalar_name(array.dtype)


# --- extremes and counts -------------------------------------------------------------------------


def _aminmax_formula(
    grads: Any, input: Any, result: Any, result1: Any, dims: Any, keepdim: bool, xp: Any
) -> Any:
    pairs = [(g, r) for g, r in zip(grads, (result, result1), strict=True) if g is not None]
    return _added([_shared(g, input, r, dims, keepdim, xp) for g, r in pairs])


@op("AminmaxBackward0", input=_aminmax_formula)
def _aminmax(input: Array, dims: tuple[int, ...], keepdim: bool) -> tuple[Array, Array]:
    return _reduced(np.minimum, input, dims, keepdim), _reduced(np.maximum, input, dims, keepdim)


@numpy_names
def aminmax(
    input: Tensor, *, dim: int | None = None, keepdim: bool = False, out: Any = None
) -> return_types.aminmax:
    """(min, max) of all elements or along `dim`; the gradient is shared among equals."""
    if out is not None:
        named: return_types.aminmax = into(
            out, aminmax, input, dim=dim, keepdim=keepdim, exact=True
        )
        return named
    array = _array("aminmax", input)
    if dim is None:
        if not array.size:
            raise RuntimeError(
                "aminmax(): cannot compute aminmax over an empty dimension as the operation has no identity."
            )
        return return_types.aminmax(*_aminmax(input, tuple(range(array.ndim)), keepdim))
    at = wrap_dim(dim, array.ndim)
    _not_empty("aminmax", array, (at,))
    return return_types.aminmax(*_aminmax(input, (at,) if array.ndim else (), keepdim))


@noted
@numpy_names
def count_nonzero(input: Tensor, dim: Dims = None) -> Tensor:
    """How many elements are not zero (int64), over all or over `dim`."""
    array = _array("count_nonzero", input)
    dims = wrap_dims(dim, array.ndim)
    return wrap(either.as_array(np.add.reduce(array != 0, axis=dims, dtype=np.int64)))
