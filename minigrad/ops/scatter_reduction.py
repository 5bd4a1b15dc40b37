"""`scatter_reduce`: elements that meet in one place are added, multiplied, or compared."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import either
from ..autograd import node as graph
from ..autograd.node import unwrap
from ..autograd.out import into
from ..autograd.row import op
from .gather_checks import (
    _check_src,
    _checked,
)
from .gathering import _accumulated, scatter_add_array, scatter_array, written

Array = Any
Tensor = Any


UFUNCS = {
    "sum": np.add, "mean": np.add, "prod": np.multiply, "amax": np.maximum, "amin": np.minimum,
}  # fmt: skip


def reduced_array(
    input: Array, dim: int, index: Array, src: Array, reduce: str, include_self: bool
) -> Array:
    """The elements of `src` reduced into `input` (or, without `include_self`, over it)."""
    out = input
    if not include_self:
        out = scatter_array(input, dim, index, _neutral(reduce, input.dtype))
    out = _accumulated(UFUNCS[reduce], out, dim, index, src)
    if reduce == "mean":
        count = _counts(out.shape, dim, index, include_self)
        out = (out / count if out.dtype.kind == "f" else out // count).astype(input.dtype)
    return out


def _neutral(reduce: str, dtype: Any) -> Any:
    if reduce == "prod":
        return 1
    if reduce in ("sum", "mean"):
        return 0
    if dtype.kind == "f":
        return np.inf if reduce == "amin" else -np.inf
    if dtype.kind == "b":
        return reduce == "amin"
    return np.iinfo(dtype).max if reduce == "amin" else np.iinfo(dtype).min


def _counts(shape: tuple[int, ...], dim: int, index: Array, include_self: bool) -> Array:
    """How many elements met at each place: at least 1."""
    start = either.full(shape, int(include_self), np.int64, index)
    ones = either.full(index.shape, 1, np.int64, index)
    return np.maximum(scatter_add_array(start, dim, index, ones), 1)


def _of_sum(grad: Any, dim: int, index: Any, xp: Any) -> tuple[Any, Any]:
    return grad, xp.gather(grad, dim, index)


def _of_mean(grad: Any, dim: int, index: Any, include_self: bool, xp: Any) -> tuple[Any, Any]:
    count = _counts(tuple(grad.shape), dim, unwrap(index), include_self)
    divisor = count.astype(unwrap(grad).dtype)
    each = grad / (divisor if xp is graph.array_ops else graph.wrap(divisor))
    return each, xp.gather(each, dim, index)


def _of_extreme(
    grad: Any, input: Any, dim: int, index: Any, src: Any, result: Any, xp: Any
) -> tuple[Any, Any]:
    """Shared equally by all that attain the extreme."""
    own = xp.as_float(input == result, grad)
    theirs = xp.as_float(src == xp.gather(result, dim, index), grad)
    each = grad / xp.scatter_add(own, dim, index, theirs)
    return own * each, theirs * xp.gather(each, dim, index)


def _of_product(
    grad: Any, input: Any, dim: int, index: Any, src: Any, result: Any, include_self: bool, xp: Any
) -> tuple[Any, Any]:
    """The product of the others; a factor of zero is left out of it, and is counted instead."""
    own = xp.where(input == 0, 1.0, input)
    others = xp.scatter_reduce(own, dim, index, src, "prod", include_self=include_self)
    zero = src == 0
    zeros = xp.scatter_add(
        xp.zeros_shaped(tuple(input.shape), grad), dim, index, xp.as_float(zero, grad)
    )
    single = zero & (xp.gather(zeros, dim, index) == 1)
    without = xp.scatter_reduce(
        input, dim, index, xp.where(single, 1.0, src), "prod", include_self=include_self
    )
    of_zero = xp.gather(grad * without, dim, index)
    of_rest = xp.gather(grad * result, dim, index) / xp.where(zero, 1.0, src)
    return grad * others / own, xp.where(single, of_zero, of_rest)


def _reduce_gradients(
    grad: Any, input: Any, dim: int, index: Any, src: Any, reduce: str, include_self: bool,
    result: Any, xp: Any,
) -> tuple[Any, Any]:  # fmt: skip
    if reduce == "sum":
        own, theirs = _of_sum(grad, dim, index, xp)
    elif reduce == "mean":
        own, theirs = _of_mean(grad, dim, index, include_self, xp)
    elif reduce == "prod":
        own, theirs = _of_product(grad, input, dim, index, src, result, include_self, xp)
    else:
        own, theirs = _of_extreme(grad, input, dim, index, src, result, xp)
    return own if include_self else xp.scatter(own, dim, index, 0.0), theirs


def reduce_formula_input(
    grad: Any, input: Any, dim: int, index: Any, src: Any, reduce: str, include_self: bool,
    result: Any, xp: Any,
) -> Any:  # fmt: skip
    return _reduce_gradients(grad, input, dim, index, src, reduce, include_self, result, xp)[0]


def reduce_formula_src(
    grad: Any, input: Any, dim: int, index: Any, src: Any, reduce: str, include_self: bool,
    result: Any, xp: Any,
) -> Any:  # fmt: skip
    return _reduce_gradients(grad, input, dim, index, src, reduce, include_self, result, xp)[1]


@op("ScatterReduceBackward0", input=reduce_formula_input, src=reduce_formula_src)
def _scatter_reduce(
    input: Array, dim: int, index: Array, src: Array, reduce: str, include_self: bool
) -> Array:
    return reduced_array(input, dim, index, src, reduce, include_self)


def scatter_reduce_array(
    input: Array, dim: int, index: Array, src: Array, reduce: str, *, include_self: bool = True
) -> Array:
    return reduced_array(input, dim, index, src, reduce, include_self)


def scatter_reduce(
    input: Tensor,
    dim: int,
    index: Tensor,
    src: Tensor,
    reduce: str,
    *,
    include_self: bool = True,
    out: Any = None,
) -> Tensor:
    """`src` reduced into `input` where `index` points along `dim`: by its `reduce`, which is "sum",
    "prod", "mean", "amax" or "amin". Without `include_self` the old elements do not count."""
    if out is not None:
        return into(
            out,
            scatter_reduce,
            input,
            dim,
            index,
            src,
            reduce,
            include_self=include_self,
            exact=True,
        )
    at = _checked_reduce("scatter_reduce", input, dim, index, src, reduce)
    return _scatter_reduce(input, at, index, src, reduce, include_self)


def scatter_reduce_(
    input: Tensor, dim: int, index: Tensor, src: Tensor, reduce: str, *, include_self: bool = True
) -> Tensor:
    """`scatter_reduce` in place."""
    at = _checked_reduce("scatter_reduce_", input, dim, index, src, reduce)
    return written(_scatter_reduce, input, at, index, src, reduce, include_self)


def _checked_reduce(
    name: str, input: Tensor, dim: int, index: Tensor, src: Tensor, reduce: str
) -> int:
    _check_src(name, src)
    if reduce not in UFUNCS:
        raise RuntimeError(
            f"reduce argument must be either sum, prod, mean, amax or amin, got {reduce}"
        )
    return _checked(input, dim, index, src)
