"""Exponentials that sum to one: `softmax`, its logarithm, and `logsumexp` beneath both.

The largest element is subtracted first, which changes nothing in the quotient and keeps `exp` from
overflowing.

NumPy's `exp` of a float32 is up to 2 ULPs off, PyTorch's 1. So it is computed in float64, which
takes seven times as long; but in their own dtype for arrays of `LARGE` elements and more. Of these
the rows are computed in blocks that stay in the processor's cache from one step to the next.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from .. import either
from ..autograd.node import wrap
from ..autograd.out import into
from ..autograd.row import op
from ..dtypes import FLOAT16, default_dtype, scalar_name
from .blocks import blocks, unbuffered
from .dims import wrap_dim, wrap_dims
from .numpy_names import numpy_names
from .recorded import on
from .reduction import _array, _converted, _row_major, _spread

Array = Any
Tensor = Any
REGISTER_BYTES = 64
LARGE = 1 << 15  # elements


def _computed(array: Array) -> Array:
    """float16 is computed as float32, and rounded once at the end."""
    return array.astype(np.float32) if array.dtype is FLOAT16 else array


def _shifted(input: Array, dims: tuple[int, ...]) -> tuple[Array, Array, Array]:
    """`input` minus its maximum over `dims` (at most one), the exponentials, and their sum."""
    if not isinstance(input, np.ndarray) or not dims or _by_register(input, dims[0]):
        shifted = input - either.reduce(np.maximum, input, dims, True)
        powers = _exp(shifted)
        return shifted, powers, _sum_in_order(powers, dims)
    first, back = _orders(dims[0], input.ndim)
    front = np.ascontiguousarray(input.transpose(first))  # NumPy's inner loop is over the samples
    shifted = front - np.maximum.reduce(front, 0)
    powers = _exp(shifted)
    total = _one_by_one(powers)[None]
    return shifted.transpose(back), powers.transpose(back), total.transpose(back)


def _exp(x: Array) -> Array:
    if x.size >= LARGE or not isinstance(x, np.ndarray):
        return np.exp(x)
    return np.exp(x.astype(np.float64)).astype(x.dtype, copy=False)


def _by_register(array: Array, dim: int) -> bool:
    """Whether PyTorch adds along `dim` register by register."""
    return dim == array.ndim - 1 and array.shape[dim] * array.itemsize >= REGISTER_BYTES


def _is_slow(array: Array, dim: int) -> bool:
    """Whether another dimension is the fastest in memory: then NumPy adds term after term."""
    return dim < array.ndim - 1 and array.shape[-1] > 1 and array.flags.c_contiguous


@lru_cache(maxsize=64)
def _orders(dim: int, ndim: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The order of `ndim` dimensions with `dim` in front, and the order that undoes it."""
    before, after = range(dim), range(dim + 1, ndim)
    return (dim, *before, *after), (*range(1, dim + 1), 0, *after)


def _sum_in_order(terms: Array, dims: tuple[int, ...]) -> Array:
    """The sum over `dims`, which are kept with size 1: with PyTorch's last bit on a CPU with
    registers of 512 bits.

    The last dimension is added register by register, and the numbers of the register at the end:
    float32 by halves, float64 one after the other. Everything else is added term after term.
    """
    on_gpu = not isinstance(terms, np.ndarray)  # which adds in an order of its own
    if on_gpu or not dims or not terms.size or _is_slow(terms, dims[0]):
        return np.add.reduce(terms, axis=dims, keepdims=True)
    if not _by_register(terms, dims[0]):
        first, back = _orders(dims[0], terms.ndim)
        return _one_by_one(terms.transpose(first))[None].transpose(back)
    lanes = REGISTER_BYTES // terms.itemsize
    size = terms.shape[-1]
    full = size // lanes * lanes
    register = np.add.reduce(terms[..., :full].reshape(*terms.shape[:-1], -1, lanes), -2)
    register[..., : size - full] += terms[..., full:]
    if terms.itemsize == 8:
        return np.add.accumulate(register, -1)[..., -1:]
    while lanes > 1:
        lanes //= 2
        register = register[..., :lanes] + register[..., lanes:]
    return register


def _one_by_one(terms: Array) -> Array:
    """The sum over the first axis in order, which `np.add.reduce` keeps on a slow axis."""
    if terms.ndim == 1 or terms.size < 2 * len(terms):
        return np.add.accumulate(terms, axis=0)[-1]
    return np.add.reduce(np.ascontiguousarray(terms), axis=0)


# --- large arrays, row by row --------------------------------------------------------------------


def _in_rows(array: Array, dims: tuple[int, ...]) -> bool:
    """Whether an array is large, and `dims` are its rows."""
    if not isinstance(array, np.ndarray):
        return False
    return array.size >= LARGE and dims == (array.ndim - 1,) and array.flags.c_contiguous


def _by_rows(fill: Callable[..., None], *arrays: Array) -> Array:
    """An array like the last one, that `fill` fills, given some rows of each at a time: (rows,
    length) of `arrays`, of the result, and a column of ones, the product with which is a sum."""
    out, length = np.empty_like(arrays[-1]), arrays[-1].shape[-1]
    ones = np.ones(length, out.dtype)
    flat = [a.reshape(-1, length) for a in (*arrays, out)]
    with unbuffered(length):
        for at in blocks(out, len(flat[0]), length * out.itemsize):
            fill(*(a[at] for a in flat), ones)
    return out


def _softmax_rows(x: Array, out: Array, ones: Array) -> None:
    np.subtract(x, np.maximum.reduce(x, axis=1, keepdims=True), out=out)
    np.exp(out, out=out)
    out *= (1 / (out @ ones))[:, None]


def _log_softmax_rows(x: Array, out: Array, ones: Array) -> None:
    np.subtract(x, np.maximum.reduce(x, axis=1, keepdims=True), out=out)
    out -= np.log(np.exp(out) @ ones)[:, None]


def _softmax_backward_rows(g: Array, output: Array, out: Array, ones: Array) -> None:
    np.subtract(g, np.vecdot(g, output)[:, None], out=out)
    out *= output


def _log_softmax_backward_rows(g: Array, logs: Array, out: Array, ones: Array) -> None:
    np.exp(logs, out=out)
    out *= (g @ ones)[:, None]
    np.subtract(g, out, out=out)


# --- rows of the table ---------------------------------------------------------------------------


@op(
    "SoftmaxBackward0",
    fused=True,
    input=lambda grad, result, dims, xp: xp.softmax_backward(grad, result, dims),
)
def _softmax(input: Array, dims: tuple[int, ...]) -> Array:
    if not input.size:
        return input.copy()
    wide = _computed(input)
    if _in_rows(wide, dims):
        return _by_rows(_softmax_rows, wide).astype(input.dtype, copy=False)
    _, powers, total = _shifted(wide, dims)
    last = dims == (input.ndim - 1,)  # there PyTorch multiplies by the reciprocal
    return _row_major(either.as_array(powers * (1 / total) if last else powers / total)).astype(
        input.dtype, copy=False
    )


def _log_softmax_gradient(grad: Any, result: Any, dims: Any, xp: Any) -> Any:
    return on(log_softmax_backward, xp)(grad, result, dims)


@op(
    "LogSoftmaxBackward0",
    fused=True,
    input=_log_softmax_gradient,
)
def _log_softmax(input: Array, dims: tuple[int, ...]) -> Array:
    if not input.size:
        return input.copy()
    wide = _computed(input)
    if _in_rows(wide, dims):
        return _by_rows(_log_softmax_rows, wide).astype(input.dtype, copy=False)
    shifted, _, total = _shifted(wide, dims)
    out = shifted - np.log(total)
    return _row_major(either.as_array(out)).astype(input.dtype, copy=False)


def _softmax_twice(grad: Any, grad0: Any, output: Any, dims: Any, xp: Any) -> Any:
    """How `softmax_backward` changes with the output of `softmax`; `grad0` is what it was called with."""
    mean = xp.sum_dim(output * grad, dims, True)
    return grad0 * grad - mean * grad0 - grad * xp.sum_dim(output * grad0, dims, True)


@op(
    "SoftmaxBackwardDataBackward0",
    fused=True,
    grad0=lambda grad, output, dims, xp: xp.softmax_backward(grad, output, dims),
    output=_softmax_twice,
)
def softmax_backward(grad0: Array, output: Array, dims: tuple[int, ...]) -> Array:
    """Each gradient minus the mean of all with the outputs as weights, times the output."""
    g, y = _computed(grad0), _computed(output)
    if _in_rows(y, dims) and g.flags.c_contiguous:
        return _by_rows(_softmax_backward_rows, g, y).astype(output.dtype, copy=False)
    return either.as_array((g - _sum_in_order(g * y, dims)) * y).astype(output.dtype, copy=False)


@op(
    "LogSoftmaxBackwardDataBackward0",
    fused=True,
    grad0=lambda grad, output, dims, xp: grad - xp.sum_dim(grad * xp.exp(output), dims, True),
    output=lambda grad, grad0, output, dims, xp: (
        -grad * xp.exp(output) * xp.sum_dim(grad0, dims, True)
    ),
)
def log_softmax_backward(grad0: Array, output: Array, dims: tuple[int, ...]) -> Array:
    """Each gradient minus the sum of all times the softmax."""
    g, logs = _computed(grad0), _computed(output)
    if _in_rows(logs, dims) and g.flags.c_contiguous:
        return _by_rows(_log_softmax_backward_rows, g, logs).astype(output.dtype, copy=False)
    wide = logs if logs.size >= LARGE else logs.astype(np.float64)
    share = np.exp(wide) * _sum_in_order(g, dims)  # rounded once, with the difference
    return either.as_array(g - share).astype(output.dtype, copy=False)


@numpy_names
def softmax(input: Tensor, dim: Any = None, dtype: Any = None, *, out: Any = None) -> Tensor:
    """exp(input) divided by its sum along `dim`; of floating-point tensors only."""
    if out is not None:
        return into(out, softmax, input, dim, dtype)
    return _normalized("softmax", _softmax, input, dim, dtype)


@numpy_names
def log_softmax(input: Tensor, dim: Any = None, dtype: Any = None, *, out: Any = None) -> Tensor:
    """The logarithm of `softmax`, exact where that is so small that it would be rounded to 0."""
    if out is not None:
        return into(out, log_softmax, input, dim, dtype)
    return _normalized("log_softmax", _log_softmax, input, dim, dtype)


def _normalized(name: str, row: Any, input: Tensor, dim: int, dtype: Any) -> Tensor:
    ndim = _array(name, input).ndim
    input = _converted(input, dtype)
    at = wrap_dim(dim, ndim)
    array = input._array
    if array.dtype.kind != "f":
        if not array.size:
            return wrap(array.copy())
        kernel = f"{name}_lastdim" if at >= ndim - 1 else name
        kind = scalar_name(array.dtype)
        raise NotImplementedError(f"\"{kernel}_kernel_impl\" not implemented for '{kind}'")
    return row(input, (at,) if ndim else ())


@op(
    "LogsumexpBackward0",
    fused=True,
    input=lambda grad, input, result, dims, keepdim, xp: (
        _spread(grad, tuple(input.shape), dims, keepdim, xp)
        * xp.exp(input - _spread(result, tuple(input.shape), dims, keepdim, xp))
    ),
)
def _logsumexp(input: Array, dims: tuple[int, ...], keepdim: bool) -> Array:
    wide = input.astype(np.float64)
    top = either.greatest(wide, dims, -np.inf, keepdims=True)
    top = np.where(np.isinf(top), 0.0, top)  # inf - inf is nan
    total = np.add.reduce(np.exp(wide - top), axis=dims, keepdims=True)
    out = np.log(total) + top
    kept = out if keepdim else out.squeeze(dims)
    return either.as_array(kept).astype(input.dtype, order="C")


@numpy_names
def logsumexp(input: Tensor, dim: Any = None, keepdim: bool = False, *, out: Any = None) -> Tensor:
    """log(sum(exp(input))) over `dim`; integers are computed as the default float."""
    if dim is None:
        raise TypeError('logsumexp() missing 1 required positional arguments: "dim"')
    if out is not None:
        return into(out, logsumexp, input, dim, keepdim)
    from .conversion import to_dtype

    array = _array("logsumexp", input)
    if array.dtype.kind != "f":
        input = to_dtype(input, default_dtype())
    return _logsumexp(input, wrap_dims(dim, array.ndim), keepdim)
