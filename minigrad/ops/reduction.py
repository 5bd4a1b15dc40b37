"""Reductions: sums, products, extremes and moments over some or all dimensions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from .. import dtypes, promotion, return_types
from ..autograd.node import unwrap, wrap
from ..autograd.out import into
from ..autograd.row import op
from ..dtypes import BOOL, scalar_name
from .conversion import cast, to_dtype
from .dims import wrap_dim, wrap_dims
from .numpy_names import renamed
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
    return _row_major(np.asarray(ufunc.reduce(input, axis=dims, keepdims=keepdim)))


@op("SumBackward0", input=lambda grad, input_shape, xp: xp.expand(grad, input_shape))
def _sum_as(input: Array, dtype: Any) -> Array:
    return sum_array(cast(input, dtype), dtype=dtype)


@op("SumBackward1", input=_spread)
def _sum_dim_as(input: Array, dims: tuple[int, ...], keepdim: bool, dtype: Any) -> Array:
    return _row_major(sum_array(cast(input, dtype), dims, keepdim, dtype))


def sum_to_size_array(array: Array, shape: tuple[int, ...]) -> Array:
    """An array summed over what broadcasting from `shape` had added."""
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
    dims, keepdims = _added_dims(input._array.shape, shape)
    out = sum_dim(input, dims, True) if dims else input
    return out if keepdims else reshape(out, shape)


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


def sum(
    input: Tensor,
    dim: Dims = None,
    keepdim: bool = False,
    *,
    dtype: Any = None,
    out: Any = None,
    **names: Any,
) -> Tensor:
    """The sum over all elements or over `dim`; integers and bools are added as int64."""
    if names:
        return renamed(sum, names, input=input, dim=dim, keepdim=keepdim, dtype=dtype, out=out)
    if out is not None:
        return into(out, sum, input, dim, keepdim, dtype=dtype)
    array = _array("sum", input)
    whole = dim is None and not keepdim
    if dtype is not None:
        if whole:
            return _sum_as(input, dtype.numpy)
        return _sum_dim_as(input, wrap_dims(dim, array.ndim), keepdim, dtype.numpy)
    return _sum(input) if whole else sum_dim(input, wrap_dims(dim, array.ndim), keepdim)


def mean(
    input: Tensor,
    dim: Dims = None,
    keepdim: bool = False,
    *,
    dtype: Any = None,
    out: Any = None,
    **names: Any,
) -> Tensor:
    """The mean over all elements or over `dim`; of floating-point tensors only."""
    if names:
        return renamed(mean, names, input=input, dim=dim, keepdim=keepdim, dtype=dtype, out=out)
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


# --- variance ------------------------------------------------------------------------------------


def _var_formula(grad: Any, input: Any, dims: Any, correction: Any, keepdim: Any, xp: Any) -> Any:
    shape = tuple(input.shape)
    count = _count(shape, dims)
    center = xp.expand(xp.sum_dim(input, dims, True) / count, shape)
    return _spread(grad, shape, dims, keepdim, xp) * (
        (input - center) * _over(2.0, count - correction)
    )


def _over(a: float, b: float) -> float:
    return a / b if b > 0 else math.nan if b == 0 else math.inf


@op("VarBackward0", input=_var_formula)
def _var(input: Array, dims: tuple[int, ...], correction: float, keepdim: bool) -> Array:
    count = _count(input.shape, dims)
    wide = input.astype(np.float64)
    center = (
        wide.mean(axis=dims, keepdims=True)
        if input.size
        else wide.sum(axis=dims, keepdims=True) * np.nan
    )
    squares = ((wide - center) ** 2).sum(axis=dims, keepdims=keepdim)
    return np.asarray(squares / np.maximum(count - correction, 0)).astype(input.dtype, order="C")


@op(
    "StdBackward0",
    input=lambda grad, input, result, dims, correction, keepdim, xp: _var_formula(
        xp.where(result == 0, 0.0, grad / (result * 2)), input, dims, correction, keepdim, xp
    ),
)
def _std(input: Array, dims: tuple[int, ...], correction: float, keepdim: bool) -> Array:
    return np.sqrt(_var.forward(input, dims, correction, keepdim))


def var(
    input: Tensor,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: Any = None,
    out: Any = None,
    **names: Any,
) -> Tensor:
    """The variance: squared deviations from the mean, divided by n - `correction` (default 1)."""
    if names:
        return renamed(
            var,
            names,
            input=input,
            dim=dim,
            unbiased=unbiased,
            keepdim=keepdim,
            correction=correction,
            out=out,
        )
    if out is not None:
        return into(out, var, input, dim, unbiased, keepdim, correction=correction)
    return _moment("var", _var, input, dim, unbiased, keepdim, correction)


def std(
    input: Tensor,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: Any = None,
    out: Any = None,
    **names: Any,
) -> Tensor:
    """The standard deviation: the square root of `var`."""
    if names:
        return renamed(
            std,
            names,
            input=input,
            dim=dim,
            unbiased=unbiased,
            keepdim=keepdim,
            correction=correction,
            out=out,
        )
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
    return row(input, wrap_dims(dim, array.ndim), correction, keepdim)


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
    from .shape import stack, unbind

    if not input._array.ndim:
        return wrap(np.ones_like(input._array))
    parts = unbind(input, -1)
    products = []
    for i in range(len(parts)):
        product: Any = wrap(np.ones(parts[0]._array.shape, parts[0]._array.dtype))
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
        return np.logical_and.reduce(input, axis=None)
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


def prod(
    input: Tensor,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    dtype: Any = None,
    out: Any = None,
    **names: Any,
) -> Tensor:
    """The product of all elements or of those along `dim`; integers are multiplied as int64."""
    if names:
        return renamed(prod, names, input=input, dim=dim, keepdim=keepdim, dtype=dtype, out=out)
    if out is not None:
        return into(out, prod, input, dim, keepdim, dtype=dtype)
    array = _array("prod", input)
    input = _converted(input, dtype or (None if array.dtype.kind == "f" else dtypes.int64))
    return _prod(input) if dim is None else _prod_dim(input, wrap_dim(dim, array.ndim), keepdim)


# --- extremes ------------------------------------------------------------------------------------


def _shared_all(grad: Any, input: Any, result: Any, xp: Any) -> Any:
    """The gradient of the one extreme, divided among the elements that attain it; nan equals nan."""
    mask = (input == result) | ((input != input) & (result != result))
    shape = tuple(input.shape)
    return xp.expand(grad, shape) * (mask / xp.sum(xp.as_float(mask, grad)))


def _shared(grad: Any, input: Any, result: Any, dims: Any, keepdim: Any, xp: Any) -> Any:
    """As `_shared_all` along dimensions, but, as in PyTorch, nan where the extreme is nan."""
    shape = tuple(input.shape)
    mask = input == _spread(result, shape, dims, keepdim, xp)
    share = mask / xp.sum_dim(xp.as_float(mask, grad), dims, True)
    return _spread(grad, shape, dims, keepdim, xp) * share


@op(
    "MaxBackward1",
    input=_shared_all,
)
def _max_all(input: Array) -> Array:
    return np.maximum.reduce(input, axis=None)


@op(
    "MinBackward1",
    input=_shared_all,
)
def _min_all(input: Array) -> Array:
    return np.minimum.reduce(input, axis=None)


@op("AmaxBackward0", input=_shared)
def _amax(input: Array, dims: tuple[int, ...], keepdim: bool) -> Array:
    return _reduced(np.maximum, input, dims, keepdim)


@op("AminBackward0", input=_shared)
def _amin(input: Array, dims: tuple[int, ...], keepdim: bool) -> Array:
    return _reduced(np.minimum, input, dims, keepdim)


def _first_extreme(input: Array, dim: int, keepdim: bool, arg: Any) -> tuple[Array, Array]:
    if not input.ndim:
        return input.copy(), np.zeros((), np.int64)
    at = np.expand_dims(arg(input, axis=dim), dim)
    values = np.take_along_axis(input, at, dim)
    return (values, at) if keepdim else (values.squeeze(dim), at.squeeze(dim))


@op(
    "MaxBackward0",
    input=lambda grad, input_shape, result1, dim, keepdim, xp: xp.at_index(
        grad, input_shape, result1, dim, keepdim
    ),
)
def _max_dim(input: Array, dim: int, keepdim: bool) -> tuple[Array, Array]:
    return _first_extreme(input, dim, keepdim, np.argmax)


@op(
    "MinBackward0",
    input=lambda grad, input_shape, result1, dim, keepdim, xp: xp.at_index(
        grad, input_shape, result1, dim, keepdim
    ),
)
def _min_dim(input: Array, dim: int, keepdim: bool) -> tuple[Array, Array]:
    return _first_extreme(input, dim, keepdim, np.argmin)


@op(
    "ValueSelectingReductionBackward0",
    grad=lambda grad, index, dim, keepdim, xp: xp.from_index(grad, index, dim, keepdim),
)
def at_index(grad: Array, shape: tuple[int, ...], index: Array, dim: int, keepdim: bool) -> Array:
    """Zeros of `shape` with `grad` where `index` points along `dim`."""
    out = np.zeros(shape, grad.dtype)
    if not shape:
        return grad.copy()
    if not keepdim:
        grad, index = np.expand_dims(grad, dim), np.expand_dims(index, dim)
    np.put_along_axis(out, index, grad, dim)
    return out


@op(
    "GatherBackward0",
    input=lambda grad, input_shape, index, dim, keepdim, xp: xp.at_index(
        grad, input_shape, index, dim, keepdim
    ),
)
def from_index(input: Array, index: Array, dim: int, keepdim: bool) -> Array:
    """The elements to which `index` points along `dim`."""
    if not input.ndim:
        return input.copy()
    out = np.take_along_axis(input, index if keepdim else np.expand_dims(index, dim), dim)
    return out if keepdim else out.squeeze(dim)


def max(
    input: Tensor, dim: Any = None, keepdim: bool = False, *, out: Any = None, **names: Any
) -> Any:
    """The largest element; along `dim` (values, indices); with another Tensor the larger of both."""
    if names:
        return renamed(max, names, input=input, dim=dim, keepdim=keepdim, out=out)
    if out is not None:
        return into(out, max, input, dim, keepdim, exact=True)
    return _extreme("max", input, dim, keepdim, _max_all, _max_dim, return_types.max)


def min(
    input: Tensor, dim: Any = None, keepdim: bool = False, *, out: Any = None, **names: Any
) -> Any:
    """The smallest element; along `dim` (values, indices); with another Tensor the smaller of both."""
    if names:
        return renamed(min, names, input=input, dim=dim, keepdim=keepdim, out=out)
    if out is not None:
        return into(out, min, input, dim, keepdim, exact=True)
    return _extreme("min", input, dim, keepdim, _min_all, _min_dim, return_types.min)


def _extreme(
    name: str, input: Tensor, dim: Any, keepdim: bool, whole: Any, along: Any, result: Any
) -> Any:
    from .choosing import maximum, minimum

    array = _array(name, input)
    if hasattr(dim, "_array"):
        return (maximum if name == "max" else minimum)(input, dim)
    if dim is None:
        if not array.size:
            raise _no_extreme(name, RuntimeError)
        return whole(input)
    at = wrap_dim(dim, array.ndim)
    _not_empty(name, array, (at,))
    return result(*along(input, at, keepdim))


def _not_empty(name: str, array: Array, dims: Sequence[int]) -> None:
    for d in dims:
        if array.ndim and array.shape[d] == 0:
            raise IndexError(f"{name}(): Expected reduction dim {d} to have non-zero size.")


def amax(
    input: Tensor, dim: Any = (), keepdim: bool = False, *, out: Any = None, **names: Any
) -> Tensor:
    """The largest elements over `dim`; the gradient is shared among equals."""
    if names:
        return renamed(amax, names, input=input, dim=dim, keepdim=keepdim, out=out)
    if out is not None:
        return into(out, amax, input, dim, keepdim, exact=True)
    return _amax(input, _extreme_dims("amax", input, dim), keepdim)


def amin(
    input: Tensor, dim: Any = (), keepdim: bool = False, *, out: Any = None, **names: Any
) -> Tensor:
    """The smallest elements over `dim`; the gradient is shared among equals."""
    if names:
        return renamed(amin, names, input=input, dim=dim, keepdim=keepdim, out=out)
    if out is not None:
        return into(out, amin, input, dim, keepdim, exact=True)
    return _amin(input, _extreme_dims("amin", input, dim), keepdim)


def _extreme_dims(name: str, input: Tensor, dim: Any) -> tuple[int, ...]:
    array = _array(name, input)
    if dim == () and not array.size:
        raise _no_extreme(name, RuntimeError)
    dims = wrap_dims(dim, array.ndim)
    _not_empty(name, array, dims)
    return dims


def _no_extreme(name: str, kind: Any) -> Any:
    return kind(
        f"{name}(): Expected reduction dim to be specified for input.numel() == 0. Specify the "
        "reduction dim with the 'dim' argument."
    )


def argmax(
    input: Tensor, dim: int | None = None, keepdim: bool = False, *, out: Any = None, **names: Any
) -> Tensor:
    """The index of the largest element, over all or along `dim` (int64); the first one if equal."""
    if names:
        return renamed(argmax, names, input=input, dim=dim, keepdim=keepdim, out=out)
    if out is not None:
        return into(out, argmax, input, dim, keepdim, exact=True)
    return _arg("argmax", np.argmax, input, dim, keepdim)


def argmin(
    input: Tensor, dim: int | None = None, keepdim: bool = False, *, out: Any = None, **names: Any
) -> Tensor:
    """The index of the smallest element, over all or along `dim` (int64); the first one if equal."""
    if names:
        return renamed(argmin, names, input=input, dim=dim, keepdim=keepdim, out=out)
    if out is not None:
        return into(out, argmin, input, dim, keepdim, exact=True)
    return _arg("argmin", np.argmin, input, dim, keepdim)


def _arg(name: str, arg: Any, input: Tensor, dim: int | None, keepdim: bool) -> Tensor:
    array = _array(name, input)
    if array.dtype == bool:
        raise RuntimeError(f"{name}(): does not support bool input")
    if dim is None and not array.size:
        raise IndexError(
            f"{name}(): Expected reduction dim to be specified for input.numel() == 0."
        )
    axis = None if dim is None or not array.ndim else wrap_dim(dim, array.ndim)
    if axis is not None:
        _not_empty(name, array, (axis,))
    return wrap(np.asarray(arg(array, axis=axis, keepdims=keepdim), np.int64))


# --- truth ---------------------------------------------------------------------------------------


def all(
    input: Tensor, dim: Dims = None, keepdim: bool = False, *, out: Any = None, **names: Any
) -> Tensor:
    """Whether all elements are nonzero."""
    if names:
        return renamed(all, names, input=input, dim=dim, keepdim=keepdim, out=out)
    if out is not None:
        return into(out, all, input, dim, keepdim)
    return _truth(np.logical_and, input, dim, keepdim)


def any(
    input: Tensor, dim: Dims = None, keepdim: bool = False, *, out: Any = None, **names: Any
) -> Tensor:
    """Whether one of the elements is nonzero."""
    if names:
        return renamed(any, names, input=input, dim=dim, keepdim=keepdim, out=out)
    if out is not None:
        return into(out, any, input, dim, keepdim)
    return _truth(np.logical_or, input, dim, keepdim)


def _truth(ufunc: Any, input: Tensor, dim: Dims, keepdim: bool) -> Tensor:
    array = unwrap(input)
    out = ufunc.reduce(array, axis=wrap_dims(dim, array.ndim), keepdims=keepdim)
    return wrap(np.asarray(out).astype(array.dtype if array.dtype == np.uint8 else BOOL))


def as_float(mask: Tensor, like: Tensor) -> Tensor:
    """A mask as numbers of the dtype of `like`."""
    return wrap(mask._array.astype(like._array.dtype))
