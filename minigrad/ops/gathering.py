"""Elements picked and scattered along one dimension: `gather`, `scatter` and their family.

In all of them `index` has as many dimensions as `input`, and its element at `(i, j, k)` stands in
for `i` (with `dim=0`), so that `gather` reads `input[index[i, j, k], j, k]` and `scatter` writes
there. Each is the gradient of another: what was gathered comes back by `scatter_add`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import promotion
from ..autograd import node as graph
from ..autograd.inplace import OVERLAP, write
from ..autograd.node import unwrap
from ..autograd.out import into
from ..autograd.row import Op, op
from ..dtypes import scalar_name
from .conversion import number_as
from .dims import wrap_dim
from .numpy_names import numpy_names
from .shape import expand, reshape

Array = Any
Tensor = Any


def _grid(index: Array, dim: int) -> tuple[Array, ...]:
    """NumPy's index expression for the elements that `index` means."""
    index = np.atleast_1d(index)
    where: list[Array] = list(np.ogrid[tuple([slice(n) for n in index.shape])])
    where[dim] = index
    return tuple(where)


def _used(src: Array, index: Array) -> Array:
    """The part of `src` that is as large as `index`."""
    return np.atleast_1d(src[tuple([slice(n) for n in index.shape])])


def gather_array(input: Array, dim: int, index: Array) -> Array:
    if not index.size:
        return np.zeros(index.shape, input.dtype)
    return np.atleast_1d(input)[_grid(index, dim)].reshape(index.shape)


def scatter_array(input: Array, dim: int, index: Array, src: Any) -> Array:
    out = np.array(input, order="C")
    if index.size:
        value = _used(src, index) if isinstance(src, np.ndarray) and src.ndim else src
        np.atleast_1d(out)[_grid(index, dim)] = value
    return out


def scatter_add_array(input: Array, dim: int, index: Array, src: Array) -> Array:
    return _accumulated(np.add, input, dim, index, src)


def _accumulated(ufunc: Any, input: Array, dim: int, index: Array, src: Array) -> Array:
    out = np.array(input, order="C")
    if index.size:
        ufunc.at(np.atleast_1d(out), _grid(index, dim), _used(src, index))
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


# --- scatter_reduce ------------------------------------------------------------------------------

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
    start = np.full(shape, int(include_self), np.int64)
    return np.maximum(scatter_add_array(start, dim, index, np.ones(index.shape, np.int64)), 1)


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


SHARED = (
    "unsupported operation: some elements of the input tensor and the written-to tensor refer to a "
    "single memory location. Please clone() the tensor before performing the operation."
)


def written(row: Op, input: Tensor, *args: Any) -> Tensor:
    """The in-place form of an op: its result written over its first argument."""
    return write(row.row, (input, *args), row.forward(*unwrap([input, *args])))


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
    number = number_as(src, input._array.dtype)
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


# --- checks --------------------------------------------------------------------------------------


def _checked_reduce(
    name: str, input: Tensor, dim: int, index: Tensor, src: Tensor, reduce: str
) -> int:
    _check_src(name, src)
    if reduce not in UFUNCS:
        raise RuntimeError(
            f"reduce argument must be either sum, prod, mean, amax or amin, got {reduce}"
        )
    return _checked(input, dim, index, src)


def _check_src(name: str, src: Any) -> None:
    if not isinstance(src, graph.Tensor):
        raise promotion.not_a_tensor(name, "src", 3, src)


def _checked(input: Tensor, dim: int, index: Tensor, src: Tensor | None = None) -> int:
    """The dimension from the front, once it is certain that the call makes sense."""
    at = wrap_dim(dim, input._array.ndim)
    if index._array.size:
        _check_kind("scatter", index)
    if src is not None:
        wrap_dim(at, src._array.ndim)
    if src is not None and src._array.dtype != input._array.dtype:
        raise RuntimeError("scatter(): Expected self.dtype to be equal to src.dtype")
    if not index._array.size:
        return at
    _check_rank(index, input, "self")
    if src is not None:
        _check_rank(index, src, "src")
    too_large = _larger(index, input, at) is not None
    if too_large or (src is not None and _larger(index, src, -1) is not None):
        beside = "" if src is None else f" and to be no larger size than src {_sizes(src)}"
        raise RuntimeError(
            f"Expected index {_sizes(index)} to be no larger than self {_sizes(input)} apart from "
            f"dimension {at}{beside}"
        )
    _check_bounds(index, input, at)
    return at


def _check_kind(name: str, index: Tensor) -> None:
    if index._array.dtype.name not in ("int64", "int32"):
        raise RuntimeError(f"{name}(): Expected dtype int32/int64 for index")


def _check_rank(index: Tensor, tensor: Tensor, what: str) -> None:
    if max(index._array.ndim, 1) != max(tensor._array.ndim, 1):
        raise RuntimeError(f"Index tensor must have the same number of dimensions as {what} tensor")


def _larger(index: Tensor, tensor: Tensor, dim: int) -> int | None:
    """The first dimension, beside `dim`, in which `index` is larger."""
    pairs = zip(index._array.shape, tensor._array.shape, strict=False)
    return next((d for d, (a, b) in enumerate(pairs) if d != dim and a > b), None)


def _check_bounds(index: Tensor, input: Tensor, dim: int) -> None:
    check_bounds(index, input._array.shape[dim] if input._array.ndim else 1, dim)


def check_bounds(
    index: Tensor, size: int, dim: int, error: Callable[..., Any] = RuntimeError
) -> None:
    """An exception unless all elements of `index` are between 0 and `size`."""
    array = index._array
    outside = (array < 0) | (array >= size)
    if outside.any():
        first = np.atleast_1d(array)[np.atleast_1d(outside)][0]
        raise error(f"index {first} is out of bounds for dimension {dim} with size {size}")


def _sizes(tensor: Tensor) -> list[int]:
    return list(tensor._array.shape)
