"""Reductions: sums, means, products and truth over some or all dimensions.

Variances are in `variance.py`, the largest and smallest elements in `extremes.py`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from .. import dtypes, either, promotion
from ..autograd.node import unwrap, wrap
from ..autograd.noted import noted
from ..autograd.out import into
from ..autograd.row import op
from ..dtypes import BOOL, scalar_name
from .conversion import cast, to_dtype
from .dims import size_of, wrap_dim, wrap_dims
from .numpy_names import numpy_names
from .shape import reshape
from .summation import sum_array

Array = Any
Tensor = Any
Dims = int | Sequence[int] | None


def _spread(grad: Any, input_shape: Any, dims: tuple[int, ...], keepdim: bool, xp: Any) -> Any:
    """A reduction's gradient with the reduced dimensions put back: views of the same numbers."""
    if not keepdim:
        grad = xp.unsqueeze_dims(grad, dims)
    return xp.expand(grad, input_shape)


def _count(shape: Sequence[int], dims: Sequence[int]) -> int:
    return math.prod(shape[d] for d in dims)


# --- sums and means ------------------------------------------------------------------------------


@op("SumBackward0", input=lambda grad, input_shape, xp: xp.expand(grad, input_shape))
def _sum(input: Array) -> Array:
    return sum_array(input)


@op("SumBackward1", input=_spread)
def sum_dim(input: Array, dims: tuple[int, ...], keepdim: bool) -> Array:
    """The sum over some dimensions."""
    return _row_major(sum_array(input, dims, keepdim))


def _row_major(out: Array) -> Array:
    """Results lie in memory in row-major order whatever the order of the input."""
    return out if out.flags.c_contiguous else out.copy("C")


def _reduced(ufunc: Any, input: Array, dims: Any, keepdim: bool) -> Array:
    return _row_major(either.as_array(either.reduce(ufunc, input, dims, keepdim)))


@op("SumBackward0", input=lambda grad, input_shape, xp: xp.expand(grad, input_shape))
def _sum_as(input: Array, dtype: Any) -> Array:
    return sum_array(cast(input, dtype), dtype=dtype)


@op("SumBackward1", input=_spread)
def _sum_dim_as(input: Array, dims: tuple[int, ...], keepdim: bool, dtype: Any) -> Array:
    return _row_major(sum_array(cast(input, dtype), dims, keepdim, dtype))


def sum_to_size_array(array: Array, shape: tuple[int, ...]) -> Array:
    """An array summed over what broadcasting from `shape` had added."""
    if shape == (1,):  # as a bias of one number, in every model with one output
        return sum_array(array).reshape(shape)
    dims, keepdims = _added_dims(array.shape, shape)
    out = sum_array(array, dims, keepdims)
    return out if out.shape == shape else out.reshape(shape)


@lru_cache(maxsize=4096)
def _added_dims(shape: tuple[int, ...], source: tuple[int, ...]) -> tuple[tuple[int, ...], bool]:
    """The dimensions that broadcasting from `source` to `shape` added or stretched, and whether
    the sum over them keeps their places."""
    extra = len(shape) - len(source)
    if extra < 0 or True in (s not in (1, n) for s, n in zip(source, shape[extra:], strict=True)):
        raise RuntimeError(
            f"Function returned an invalid gradient - got {list(shape)} but expected shape compatible with "
            f"{list(source)}"
        )
    added = tuple(i for i, s in enumerate(shape) if i < extra or (source[i - extra] == 1 != s))
    return added, not extra


def sum_to_size(input: Tensor, shape: tuple[int, ...]) -> Tensor:
    """`input` summed to a shape that broadcasts to its own."""
    if not shape:
        return _sum(input)
    dims, keepdims = _added_dims(input._array.shape, shape)
    out = sum_dim(input, dims, True) if dims else input
    return out if keepdims else reshape(out, shape)


def sum_to_size_method(input: Tensor, *size: Any) -> Tensor:
    """`sum_to_size` as a method: RuntimeError for a size that does not broadcast to that of `input`."""
    wanted, have = size_of(size), input._array.shape
    extra = len(have) - len(wanted)
    if extra < 0 or False in [w in (1, n) for w, n in zip(wanted, have[extra:], strict=True)]:
        raise RuntimeError(f"size {{{list(wanted)}}} is not expandable to size {{{list(have)}}}.")
    if not wanted:
        return _sum(input)
    dims = [*range(extra), *(i + extra for i, w in enumerate(wanted) if w != have[i + extra])]
    out = sum_dim(input, tuple(dims), True) if dims else input
    return out if not extra else reshape(out, wanted)


@op(
    "MeanBackward0",
    input=lambda grad, input_shape, xp: xp.div(
        xp.expand(grad, input_shape), math.prod(input_shape)
    ),
)
def _mean(input: Array) -> Array:
    return sum_array(input) / input.dtype.type(input.size)


@op(
    "MeanBackward1",
    input=lambda grad, input_shape, dims, keepdim, xp: (
        _spread(grad, input_shape, dims, keepdim, xp) / _count(input_shape, dims)
    ),
)
def _mean_dim(input: Array, dims: tuple[int, ...], keepdim: bool) -> Array:
    return _row_major(sum_array(input, dims, keepdim) / input.dtype.type(_count(input.shape, dims)))


@op(
    "MeanBackward0",
    input=lambda grad, input_shape, xp: xp.div(
        xp.expand(grad, input_shape), math.prod(input_shape)
    ),
)
def _mean_as(input: Array, dtype: Any) -> Array:
    return _mean.forward(cast(input, dtype))


@numpy_names
def sum(
    input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None, out: Any = None
) -> Tensor:
    """The sum over all elements or over `dim`; integers and bools are added as int64."""
    if out is not None:
        return into(out, sum, input, dim, keepdim, dtype=dtype)
    array = _array("sum", input)
    whole = dim is None and not keepdim
    if dtype is not None:
        if whole:
            return _sum_as(input, dtype.numpy)
        return _sum_dim_as(input, wrap_dims(dim, array.ndim), keepdim, dtype.numpy)
    return _sum(input) if whole else sum_dim(input, wrap_dims(dim, array.ndim), keepdim)


@numpy_names
def mean(
    input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None, out: Any = None
) -> Tensor:
    """The mean over all elements or over `dim`; of floating-point tensors only."""
    if out is not None:
        return into(out, mean, input, dim, keepdim, dtype=dtype)
    array = _array("mean", input)
    if dim is None and dtype is None and array.dtype.kind == "f" and not keepdim:
        return _mean(input)
    whole = dim is None and not keepdim
    if dtype is not None and dtype.is_floating_point and whole:
        return _mean_as(input, dtype.numpy)
    input = _converted(input, dtype)
    if input._array.dtype.kind != "f":
        raise RuntimeError(
            "mean(): could not infer output dtype. Input dtype must be either a floating point or complex "
            f"dtype. Got: {scalar_name(array.dtype)}"
        )
    if whole:
        return _mean(input)
    return _mean_dim(input, wrap_dims(dim, array.ndim), keepdim)


def _converted(input: Tensor, dtype: Any) -> Tensor:
    return (
        input
        if dtype is None or dtype.numpy is input._array.dtype
        else to_dtype(input, dtype.numpy)
    )


def _array(name: str, input: Any) -> Array:
    try:
        return input._array
    except AttributeError:
        raise promotion.not_a_tensor(name, "input", 1, input) from None


# --- products ------------------------------------------------------------------------------------


def _others(input: Any, xp: Any) -> Any:
    """For each element along the last dimension the product of all others: what came before it
    times what comes after it, so that zeros are no special case."""
    return xp.product_of_others(input)


def product_of_others_array(array: Array) -> Array:
    if not array.ndim:
        return np.ones_like(array)
    before = np.ones_like(array)
    after = np.ones_like(array)
    if array.shape[-1]:
        before[..., 1:] = np.cumprod(array[..., :-1], -1)
        after[..., :-1] = np.cumprod(array[..., :0:-1], -1)[..., ::-1]
    return before * after


def product_of_others(input: Tensor) -> Tensor:
    """`product_of_others_array` made of ops, for when the gradient itself is differentiated."""
    from .pieces import stack, unbind

    if not input._array.ndim:
        return wrap(np.ones_like(input._array))
    parts = unbind(input, -1)
    products = []
    for i in range(len(parts)):
        product: Any = wrap(
            either.full(parts[0]._array.shape, 1, parts[0]._array.dtype, parts[0]._array)
        )
        for j, part in enumerate(parts):
            product = product if i == j else product * part
        products.append(product)
    return stack(products, -1) if products else input


@op(
    "ProdBackward0",
    input=lambda grad, input, xp: (
        grad * xp.reshape(xp.product_of_others(xp.reshape(input, (-1,))), tuple(input.shape))
    ),
)
def _prod(input: Array) -> Array:
    if input.dtype == BOOL:
        return either.reduce(np.logical_and, input)
    return np.multiply.reduce(input, axis=None)


def _others_along(input: Any, dim: int, xp: Any) -> Any:
    if not input.ndim:
        return xp.product_of_others(input)
    return xp.transpose(xp.product_of_others(xp.transpose(input, dim, -1)), dim, -1)


@op(
    "ProdBackward1",
    input=lambda grad, input, dim, keepdim, xp: (
        _spread(grad, tuple(input.shape), (dim,), keepdim or not input.ndim, xp)
        * _others_along(input, dim, xp)
    ),
)
def _prod_dim(input: Array, dim: int, keepdim: bool) -> Array:
    if input.dtype == BOOL and input.ndim:
        return np.all(input, axis=dim, keepdims=keepdim)
    if not input.ndim:
        return input.copy()
    return _reduced(np.multiply, input, dim, keepdim)


@numpy_names
def prod(
    input: Tensor,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    dtype: Any = None,
    out: Any = None,
) -> Tensor:
    """The product of all elements or of those along `dim`; integers are multiplied as int64."""
    if out is not None:
        return into(out, prod, input, dim, keepdim, dtype=dtype)
    array = _array("prod", input)
    input = _converted(input, dtype or (None if array.dtype.kind == "f" else dtypes.int64))
    return _prod(input) if dim is None else _prod_dim(input, wrap_dim(dim, array.ndim), keepdim)


# --- truth ---------------------------------------------------------------------------------------


@noted
@numpy_names
def all(input: Tensor, dim: Dims = None, keepdim: bool = False, *, out: Any = None) -> Tensor:
    """Whether all elements are nonzero."""
    if out is not None:
        return into(out, all, input, dim, keepdim)
    return _truth(np.logical_and, input, dim, keepdim)


@noted
@numpy_names
def any(input: Tensor, dim: Dims = None, keepdim: bool = False, *, out: Any = None) -> Tensor:
    """Whether one of the elements is nonzero."""
    if out is not None:
        return into(out, any, input, dim, keepdim)
    return _truth(np.logical_or, input, dim, keepdim)


def _truth(ufunc: Any, input: Tensor, dim: Dims, keepdim: bool) -> Tensor:
    array = unwrap(input)
    out = either.reduce(ufunc, array, wrap_dims(dim, array.ndim), keepdim)
    return wrap(either.as_array(out).astype(array.dtype if array.dtype == np.uint8 else BOOL))


def as_float(mask: Tensor, like: Tensor) -> Tensor:
    """A mask as numbers of the dtype of `like`."""
    return wrap(mask._array.astype(like._array.dtype))
