"""Elements picked and scattered along one dimension: `gather`, `scatter` and their family.

In all of them `index` has as many dimensions as `input`, and its element at `(i, j, k)` stands in
for `i` (with `dim=0`), so that `gather` reads `input[index[i, j, k], j, k]` and `scatter` writes
there. Each is the gradient of another: what was gathered comes back by `scatter_add`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import either, promotion
from ..autograd import node as graph
from ..autograd.inplace import OVERLAP, SHARED, write
from ..autograd.node import unwrap
from ..autograd.out import into
from ..autograd.row import Op, op
from ..dtypes import scalar_name
from .conversion import number_as
from .dims import wrap_dim
from .gather_checks import (
    _check_bounds,
    _check_kind,
    _check_rank,
    _check_src,
    _checked,
    _larger,
    _sizes,
)
from .numpy_names import numpy_names
from .shape import expand, reshape

Array = Any
Tensor = Any


def _grid(index: Array, dim: int) -> tuple[Array, ...]:
    """NumPy's index expression for the elements that `index` means."""
    index = np.atleast_1d(index)
    where = either.grid(index.shape, index)
    where[dim] = index
    return tuple(where)


def _used(src: Array, index: Array) -> Array:
    """The part of `src` that is as large as `index`."""
    return np.atleast_1d(src[tuple([slice(n) for n in index.shape])])


def gather_array(input: Array, dim: int, index: Array) -> Array:
    if not index.size:
        return either.zeros(index.shape, input)
    return np.atleast_1d(input)[_grid(index, dim)].reshape(index.shape)


def scatter_array(input: Array, dim: int, index: Array, src: Any) -> Array:
    out = either.copied(input)
    if index.size:
        value = _used(src, index) if either.is_array(src) and src.ndim else src
        np.atleast_1d(out)[_grid(index, dim)] = value
    return out


def scatter_add_array(input: Array, dim: int, index: Array, src: Array) -> Array:
    return _accumulated(np.add, input, dim, index, src)


def _accumulated(ufunc: Any, input: Array, dim: int, index: Array, src: Array) -> Array:
    out = either.copied(input)
    if index.size:
        either.at(ufunc, np.atleast_1d(out), _grid(index, dim), _used(src, index))
    return out


def _zeros_plus(grad: Any, input_shape: Any, dim: int, index: Any, xp: Any) -> Any:
    return xp.scatter_add(xp.zeros_shaped(input_shape, grad), dim, index, grad)


@op("GatherBackward0", input=_zeros_plus)
def _gather(input: Array, dim: int, index: Array) -> Array:
    return gather_array(input, dim, index)


def _cleared(grad: Any, dim: int, index: Any, xp: Any) -> Any:
    return xp.scatter(grad, dim, index, 0.0)


def _gathered(grad: Any, dim: int, index: Any, xp: Any) -> Any:
    return xp.gather(grad, dim, index)


@op("ScatterBackward0", input=_cleared, src=_gathered)
def _scatter(input: Array, dim: int, index: Array, src: Array) -> Array:
    return scatter_array(input, dim, index, src)


@op("ScatterBackward1", input=_cleared)
def _scatter_value(input: Array, dim: int, index: Array, value: Array) -> Array:
    return scatter_array(input, dim, index, value)


def _not_implemented(grad: Any) -> Any:
    raise RuntimeError("derivative for aten::scatter is not implemented")


@op("torch::autograd::NotImplemented", input=_not_implemented, src=_not_implemented)
def _scatter_with(input: Array, dim: int, index: Array, src: Array, ufunc: Any) -> Array:
    return _accumulated(
        ufunc, input, dim, index, np.broadcast_to(src, index.shape) if not src.ndim else src
    )


@op("ScatterAddBackward0", input=lambda grad: grad, src=_gathered)
def _scatter_add(input: Array, dim: int, index: Array, src: Array) -> Array:
    return scatter_add_array(input, dim, index, src)


# --- the public functions ------------------------------------------------------------------------


def gather(
    input: Tensor, dim: int, index: Tensor, *, sparse_grad: bool = False, out: Any = None
) -> Tensor:
    """`input[index[i, j], j]` for `dim=0`, and so on: a result of the shape of `index`.

    Raises RuntimeError for an index out of bounds, or larger than `input` in another dimension."""
    if out is not None:
        return into_other(out, gather, input, dim, index)
    promotion.check_tensors("gather", input=input)
    if not isinstance(index, graph.Tensor):
        raise promotion.not_a_tensor("gather", "index", 2, index)
    at = wrap_dim(dim, input._array.ndim)
    if index._array.size:
        _check_kind("gather", index)
        _check_rank(index, input, "input")
        larger = _larger(index, input, at)
        if larger is not None:
            raise RuntimeError(
                f"Size does not match at dimension {larger} expected index {_sizes(index)} to be no "
                f"larger than self {_sizes(input)} apart from dimension {at}"
            )
        _check_bounds(index, input, at)
    return _gather(input, at, index)


@numpy_names
def take_along_dim(
    input: Tensor, indices: Tensor, dim: int | None = None, *, out: Any = None
) -> Tensor:
    """`gather` whose other dimensions broadcast, and whose indices are taken modulo the size;
    without `dim`, from all elements in a row."""
    if out is not None:
        return into_other(out, take_along_dim, input, indices, dim)
    name = "torch.take_along_dim()"
    if indices._array.dtype != np.int64:
        kind = scalar_name(indices._array.dtype)
        raise RuntimeError(f"{name}: dtype of indices should be Long but got {kind}")
    if dim is None:
        input, indices = reshape(input, -1), reshape(indices, -1)
        return gather(input, 0, _around(indices, input._array.size))
    rank, ranks = input._array.ndim, indices._array.ndim
    if rank != ranks:
        raise RuntimeError(
            f"{name}: input and indices should have the same number of dimensions, but got {rank} "
            f"dimensions for input, and {ranks} dimensions for indices"
        )
    at = wrap_dim(dim, rank)
    size = input._array.shape[at] if rank else 1
    around = _broadcast(_around(indices, size), input, at)
    return gather(_broadcast(input, indices, at), at, around)


def _around(indices: Tensor, size: int) -> Tensor:
    """The indices modulo the size."""
    return graph.wrap(indices._array % size) if size else indices


def _broadcast(tensor: Tensor, other: Tensor, dim: int) -> Tensor:
    """`tensor` expanded to `other` in all dimensions but one."""
    have = tensor._array.shape
    wanted = have[:dim] + (1,) * bool(have) + have[dim + 1 :]
    beside = other._array.shape[:dim] + (1,) * bool(have) + other._array.shape[dim + 1 :]
    try:
        shape = list(np.broadcast_shapes(wanted, beside))
    except ValueError:
        raise promotion.broadcast_error((np.empty(wanted), np.empty(beside))) from None
    if have:
        shape[dim] = have[dim]
    return expand(tensor, shape)


def scatter(
    input: Tensor,
    dim: int,
    index: Tensor,
    src: Any = None,
    *,
    value: Any = None,
    reduce: Any = None,
    out: Any = None,
) -> Tensor:
    """`input` with `src` (a Tensor, or a number) written where `index` points along `dim`.

    `reduce`: "add" or "multiply" combines instead of overwriting, without a gradient."""
    if out is not None:
        return into(out, scatter, input, dim, index, src, value=value, reduce=reduce, exact=True)
    row, args = _scattering("scatter", input, dim, index, src if value is None else value, reduce)
    return row(*args)


def scatter_(
    input: Tensor,
    dim: int,
    index: Tensor,
    src: Any = None,
    *,
    value: Any = None,
    reduce: Any = None,
) -> Tensor:
    """`scatter` in place."""
    row, args = _scattering("scatter_", input, dim, index, src if value is None else value, reduce)
    return written(row, *args)


def into_other(out: Any, function: Callable[..., Tensor], *args: Any) -> Tensor:
    """`function` written into `out`, which must not lie in the memory of an argument."""
    arrays = [a._array for a in args if isinstance(a, graph.Tensor)]
    if isinstance(out, graph.Tensor):
        target = out._array
        repeats = [s == 0 < n - 1 for s, n in zip(target.strides, target.shape, strict=True)]
        if target.size and any(repeats):
            raise RuntimeError(OVERLAP)
        if any(np.may_share_memory(out._array, a) for a in arrays):
            raise RuntimeError(SHARED)
    return into(out, function, *args, exact=True)


def written(row: Op, input: Tensor, *args: Any, sharing: str = "none") -> Tensor:
    """The in-place form of an op: its result written over its first argument."""
    return write(row.row, (input, *args), row.forward(*unwrap([input, *args])), sharing)


def _scattering(
    name: str, input: Tensor, dim: int, index: Tensor, src: Any, reduce: Any
) -> tuple[Op, list[Any]]:
    """The row that a call of `scatter` means, and its arguments."""
    if not isinstance(src, (graph.Tensor, *promotion.NUMBERS)):
        kinds = ", ".join(type(a).__name__ for a in (dim, index, src) if a is not None)
        raise TypeError(f"{name}() received an invalid combination of arguments - got ({kinds})")
    if reduce not in (None, "add", "multiply"):
        raise RuntimeError("reduce argument must be either add or multiply.")
    ufunc = None if reduce is None else np.add if reduce == "add" else np.multiply
    if isinstance(src, graph.Tensor):
        at = _checked(input, dim, index, src)
        return (_scatter, [input, at, index, src]) if ufunc is None else (
            _scatter_with, [input, at, index, src, ufunc]
        )  # fmt: skip
    at = _checked(input, dim, index)
    number = number_as(src, input._array.dtype, input._array)
    if ufunc is None:
        return _scatter_value, [input, at, index, number]
    return _scatter_with, [input, at, index, graph.wrap(number), ufunc]


def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor, *, out: Any = None) -> Tensor:
    """`input` with `src` added where `index` points along `dim`, once per occurrence."""
    if out is not None:
        return into(out, scatter_add, input, dim, index, src, exact=True)
    _check_src("scatter_add", src)
    return _scatter_add(input, _checked(input, dim, index, src), index, src)


def scatter_add_(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """`scatter_add` in place."""
    _check_src("scatter_add_", src)
    return written(_scatter_add, input, _checked(input, dim, index, src), index, src)
