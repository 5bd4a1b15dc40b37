"""Scans: what a reduction would give up to each position. `cumsum`, `cumprod`, `cummax`, `diff`.

The gradient of a running sum is a running sum from the other end, so the row that runs either way
serves as its own derivative.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import either, return_types
from ..autograd.inplace import write
from ..autograd.node import wrap
from ..autograd.out import into
from ..autograd.row import op
from ..dtypes import int64
from ..promotion import floats_only
from .arithmetic import add, div, mul, sub
from .comparison import logical_xor
from .conversion import cast
from .dims import wrap_dim
from .indexing import narrow, select
from .inplace import copy_
from .numpy_names import numpy_names
from .pieces import cat
from .reduction import _array, sum_dim
from .shape import unsqueeze
from .with_number import over, times

Array = Any
Tensor = Any


def _turned(array: Array, dim: int, reverse: bool) -> Array:
    return np.flip(array, dim) if reverse else array


def _accumulated(ufunc: Any, array: Array, dim: int, reverse: bool = False) -> Array:
    """A running total, kept with more digits than it is written with, as in PyTorch."""
    if not array.ndim:
        return array.copy()
    wide = array.astype(np.float64) if array.dtype.kind == "f" else array
    out = either.accumulate(ufunc, _turned(wide, dim, reverse), dim)
    return _turned(out, dim, reverse).astype(array.dtype, order="C")


# --- sums ----------------------------------------------------------------------------------------


@op(
    "CumsumBackward0",
    input=lambda grad, dim, reverse, xp: xp.running_sum(grad, dim, not reverse),
)
def running_sum(input: Array, dim: int, reverse: bool) -> Array:
    """The sums up to each position along `dim`, or from the end down to it."""
    return _accumulated(np.add, input, dim, reverse)


@op("CumsumBackward0", input=lambda grad, dim, xp: xp.running_sum(grad, dim, True))
def _cumsum(input: Array, dim: int, dtype: Any) -> Array:
    return _accumulated(np.add, _as_total(input, dtype), dim)


def _as_total(input: Array, dtype: Any) -> Array:
    """Integers and bools are added and multiplied as int64."""
    default = input.dtype if input.dtype.kind == "f" else int64.numpy
    return cast(input, default if dtype is None else dtype.numpy)


@numpy_names
def cumsum(input: Tensor, dim: Any = None, *, dtype: Any = None, out: Any = None) -> Tensor:
    """The sums of the elements up to each position of `dim`; integers are added as int64."""
    if out is not None:
        return into(out, cumsum, input, dim, dtype=dtype)
    return _cumsum(input, wrap_dim(dim, _array("cumsum", input).ndim), dtype)


def cumsum_(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """`cumsum` in place."""
    return _written(_cumsum, input, dim, dtype)


C_NAMES = {
    "bool": "bool", "uint8": "unsigned char", "int8": "signed char", "int16": "short int",
    "int32": "int", "int64": "long int", "float16": "c10::Half", "float32": "float",
    "float64": "double",
}  # fmt: skip


def _written(row: Any, input: Tensor, dim: int, dtype: Any) -> Tensor:
    args = (input, wrap_dim(dim, input._array.ndim), dtype)
    if dtype is not None and dtype.numpy is not input._array.dtype:
        raise RuntimeError(
            f"Bad in-place call: input tensor dtype {C_NAMES[input.dtype.numpy.name]} and output tensor "
            f"dtype {C_NAMES[dtype.numpy.name]} should match"
        )
    out = row.forward(input._array, *args[1:])
    return write(row.row, args, out.astype(input._array.dtype))


# --- products ------------------------------------------------------------------------------------


@op(
    "CumprodBackward0",
    input=lambda grad, input, result, dim, xp: xp.cumprod_backward(grad, input, result, dim),
)
def _cumprod(input: Array, dim: int, dtype: Any) -> Array:
    return _accumulated(np.multiply, _as_total(input, dtype), dim)


def cumprod_backward_array(grad: Array, input: Array, result: Array, dim: int) -> Array:
    """From position k on, every product contains x[k]: the gradient is their sum divided by x[k].

    If x[k] is the first zero of its line, the products are made without it instead; those that
    contain an earlier zero do not change with x[k].
    """
    if not input.ndim:
        return grad
    zero = input == 0
    sums = running_sum.forward(grad * result, dim, True)
    if not zero.any():
        return sums / input
    first = zero & (np.add.accumulate(zero, axis=dim, dtype=np.int64) == 1)
    without = _accumulated(np.multiply, np.where(first, 1, input).astype(input.dtype), dim)
    sums = np.where(zero, 0, sums / np.where(zero, 1, input)).astype(grad.dtype)
    return np.where(first, running_sum.forward(grad * without, dim, True), sums)


def cumprod_backward(grad: Tensor, input: Tensor, result: Tensor, dim: int) -> Tensor:
    """`cumprod_backward_array` made of ops, for when the gradient itself is differentiated.

    Among zeros every product is made anew, position by position: the derivative of the quotient
    would divide by them.
    """
    if not input._array.ndim:
        return grad * 1
    if np.all(input._array):
        return div(running_sum(mul(grad, result), dim, True), input)
    size = input._array.shape[dim]
    parts = []
    for k in range(size):
        tail = narrow(input, dim, k + 1, size - k - 1)
        one = wrap(np.ones_like(select(input, dim, k)._array))
        products = cat([unsqueeze(one, dim), _cumprod(tail, dim, None)], dim)
        total = sum_dim(mul(narrow(grad, dim, k, size - k), products), (dim,), True)
        parts.append(mul(total, narrow(result, dim, k - 1, 1)) if k else total)
    return cat(parts, dim)


@numpy_names
def cumprod(input: Tensor, dim: Any = None, *, dtype: Any = None, out: Any = None) -> Tensor:
    """The products of the elements up to each position of `dim`."""
    if out is not None:
        return into(out, cumprod, input, dim, dtype=dtype)
    return _cumprod(input, wrap_dim(dim, _array("cumprod", input).ndim), dtype)


def cumprod_(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """`cumprod` in place."""
    return _written(_cumprod, input, dim, dtype)


# --- extremes ------------------------------------------------------------------------------------


@op(
    "IndexAddBackward0",
    grad=lambda grad, index, dim, xp: xp.gather_along(grad, index, dim),
)
def add_along(grad: Array, shape: tuple[int, ...], index: Array, dim: int) -> Array:
    """Zeros of `shape` to which `grad` is added where `index` points along `dim`."""
    if not shape:
        return grad.copy()
    out = either.zeros(shape, grad)
    where = either.grid(index.shape, index)
    where[dim] = index
    either.at(np.add, out, tuple(where), grad)
    return out


@op(
    "GatherBackward0",
    input=lambda grad, input_shape, index, dim, xp: xp.add_along(grad, input_shape, index, dim),
)
def gather_along(input: Array, index: Array, dim: int) -> Array:
    """The elements to which `index` points along `dim`; an element may be taken repeatedly."""
    return np.take_along_axis(input, index, dim) if input.ndim else input.copy()


def _running_extreme(ufunc: Any, input: Array, dim: int) -> tuple[Array, Array]:
    """The extremes so far, and where the latest elements are that equal them; nan wins."""
    if not input.ndim:
        return input.copy(), either.zeros((), input, np.int64)
    values = either.accumulate(ufunc, input, dim)
    shape = [1] * input.ndim
    shape[dim] = -1
    attained = (input == values) | (input != input)
    at = np.where(attained, np.arange(input.shape[dim], like=input).reshape(shape), 0)
    return values, either.accumulate(np.maximum, at, dim)


@op(
    "CummaxBackward0",
    input=lambda grad, input_shape, result1, dim, xp: xp.add_along(grad, input_shape, result1, dim),
)
def _cummax(input: Array, dim: int) -> tuple[Array, Array]:
    return _running_extreme(np.maximum, input, dim)


@op(
    "CumminBackward0",
    input=lambda grad, input_shape, result1, dim, xp: xp.add_along(grad, input_shape, result1, dim),
)
def _cummin(input: Array, dim: int) -> tuple[Array, Array]:
    return _running_extreme(np.minimum, input, dim)


@numpy_names
def cummax(input: Tensor, dim: Any = None, *, out: Any = None) -> return_types.cummax:
    """(values, indices) of the largest element up to each position of `dim`."""
    if out is not None:
        named: return_types.cummax = into(out, cummax, input, dim, exact=True)
        return named
    return return_types.cummax(*_cummax(input, wrap_dim(dim, _array("cummax", input).ndim)))


@numpy_names
def cummin(input: Tensor, dim: Any = None, *, out: Any = None) -> return_types.cummin:
    """(values, indices) of the smallest element up to each position of `dim`."""
    if out is not None:
        named: return_types.cummin = into(out, cummin, input, dim, exact=True)
        return named
    return return_types.cummin(*_cummin(input, wrap_dim(dim, _array("cummin", input).ndim)))


# --- logarithms of sums --------------------------------------------------------------------------


def _logcumsumexp_formula(
    grad: Any, input: Any, result: Any, dim: int, reverse: bool, xp: Any
) -> Any:
    """exp(input) times the reverse running sum of grad / exp(result), computed in logarithms, in
    which nothing overflows: the positive and the negative gradients apart."""

    def part(positive: Any) -> Any:
        counts = (positive > 0) & (result != -np.inf)
        logs = xp.log(xp.where(counts, positive, 1.0)) - xp.where(counts, result, 0.0)
        logs = xp.where(counts, logs, -np.inf)
        return xp.exp(xp.running_logsumexp(logs, dim, not reverse) + input)

    return part(grad) - part(-grad)


@op("LogcumsumexpBackward0", input=_logcumsumexp_formula)
def running_logsumexp(input: Array, dim: int, reverse: bool) -> Array:
    """The logarithms of the sums of exponentials up to each position, or from the end to it."""
    return _accumulated(np.logaddexp, input, dim, reverse)


@numpy_names
def logcumsumexp(input: Tensor, dim: Any = None, *, out: Any = None) -> Tensor:
    """log(cumsum(exp(input))) along `dim`; of floating-point tensors only."""
    if out is not None:
        return into(out, logcumsumexp, input, dim, exact=True)
    array = _array("logcumsumexp", input)
    floats_only("logcumsumexp_out_cpu", array)
    return running_logsumexp(input, wrap_dim(dim, array.ndim), False)


# --- differences and areas -----------------------------------------------------------------------


@numpy_names
def diff(
    input: Tensor,
    n: int = 1,
    dim: int = -1,
    prepend: Any = None,
    append: Any = None,
    *,
    out: Any = None,
) -> Tensor:
    """The differences of neighbours along `dim`, taken `n` times; `prepend` and `append` are put
    before and behind `input` first."""
    if out is not None:
        return into(out, diff, input, n, dim, prepend, append)
    array = _array("diff", input)
    if not array.ndim:
        raise RuntimeError("diff expects input to be at least one-dimensional")
    if n < 0:
        raise RuntimeError(f"order must be non-negative but got {n}")
    at = wrap_dim(dim, array.ndim)
    if n and (prepend is not None or append is not None):
        input = cat([t for t in (prepend, input, append) if t is not None], at)
    if n == 0:
        return narrow_copy(input)
    n = min(n, input._array.shape[at])
    subtract = logical_xor if array.dtype == bool else sub
    for _ in range(n):
        size = input._array.shape[at]
        if not size:
            break
        input = subtract(narrow(input, at, 1, size - 1), narrow(input, at, 0, size - 1))
    return input


def narrow_copy(input: Tensor) -> Tensor:
    """A copy that PyTorch records as one."""
    return copy_(wrap(np.empty_like(input._array)), input)


def _halves(y: Tensor, dim: int) -> tuple[Tensor, Tensor]:
    """What comes after the first sample, and before the last one."""
    _has_dims("slice() cannot be applied to a 0-dim tensor.", y)
    size = y._array.shape[dim]
    rest = max(size - 1, 0)
    return narrow(y, dim, size - rest, rest), narrow(y, dim, 0, rest)


def _has_dims(text: str, y: Tensor) -> None:
    if not y._array.ndim:
        raise IndexError(text)


def _widths(y: Tensor, x: Tensor, dim: int) -> Tensor:
    """The distances between the sample points, in a shape that fits `y`."""
    if x._array.ndim == 1 and y._array.ndim != 1:
        after, before = _halves(x, 0)
        width = sub(after, before)
        for _ in range(y._array.ndim - 1 - dim):
            width = unsqueeze(width, -1)
        return width
    return sub(*_halves(x, wrap_dim(dim - y._array.ndim, x._array.ndim)))


def _no_bools(name: str, y: Tensor, x: Tensor | None) -> None:
    if any(t is not None and t._array.dtype == bool for t in (y, x)):
        which = "`y`" if x is None else "`x` or `y`"
        raise RuntimeError(f"{name}: received a bool input for {which}, but bool is not supported")


@numpy_names
def cumulative_trapezoid(y: Tensor, x: Any = None, *, dx: Any = 1, dim: int = -1) -> Tensor:
    """The areas under `y` up to each sample point, by the trapezoidal rule."""
    _no_bools("cumulative_trapezoid", y, x)
    at = wrap_dim(dim, y._array.ndim)
    after, before = _halves(y, at)
    if x is None:
        return cumsum(times(add(after, before), dx / 2), at)
    return over(cumsum(mul(_widths(y, x, at), add(after, before)), at), 2.0)


@numpy_names
def trapezoid(y: Tensor, x: Any = None, *, dx: Any = 1, dim: int = -1) -> Tensor:
    """The area under `y`, sampled at `x` or in steps of `dx`, by the trapezoidal rule."""
    _no_bools("trapezoid", y, x)
    at = wrap_dim(dim, y._array.ndim)
    _has_dims(f"Dimension specified as {dim if x is None else 0} but tensor has no dimensions", y)
    if y._array.shape[at] == 0:
        return sum_dim(y, (at,), False)
    if x is None:
        ends = times(add(select(y, at, 0), select(y, at, -1)), 0.5)
        return times(sub(sum_dim(y, (at,), False), ends), dx)
    after, before = _halves(y, at)
    return over(sum_dim(mul(add(before, after), _widths(y, x, at)), (at,), False), 2.0)
