"""The largest and the smallest elements, where they are, and how their gradient is shared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import either, return_types
from ..autograd.node import wrap
from ..autograd.noted import noted
from ..autograd.out import into
from ..autograd.row import op
from .dims import wrap_dim, wrap_dims
from .numpy_names import numpy_names
from .reduction import _array, _reduced, _spread

Array = Any
Tensor = Any


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
    return either.reduce(np.maximum, input)


@op(
    "MinBackward1",
    input=_shared_all,
)
def _min_all(input: Array) -> Array:
    return either.reduce(np.minimum, input)


@op("AmaxBackward0", input=_shared)
def _amax(input: Array, dims: tuple[int, ...], keepdim: bool) -> Array:
    return _reduced(np.maximum, input, dims, keepdim)


@op("AminBackward0", input=_shared)
def _amin(input: Array, dims: tuple[int, ...], keepdim: bool) -> Array:
    return _reduced(np.minimum, input, dims, keepdim)


def _to_the_first(
    grad: Any, input_shape: Any, result1: Any, dim: int, keepdim: bool, xp: Any
) -> Any:
    """The whole gradient goes to the element that was chosen."""
    return xp.at_index(grad, input_shape, result1, dim, keepdim)


def _first_extreme(input: Array, dim: int, keepdim: bool, arg: Any) -> tuple[Array, Array]:
    if not input.ndim:
        return input.copy(), either.zeros((), input, np.int64)
    at = np.expand_dims(arg(input, axis=dim), dim)
    values = np.take_along_axis(input, at, dim)
    return (values, at) if keepdim else (values.squeeze(dim), at.squeeze(dim))


@op("MaxBackward0", input=_to_the_first)
def _max_dim(input: Array, dim: int, keepdim: bool) -> tuple[Array, Array]:
    return _first_extreme(input, dim, keepdim, np.argmax)


@op("MinBackward0", input=_to_the_first)
def _min_dim(input: Array, dim: int, keepdim: bool) -> tuple[Array, Array]:
    return _first_extreme(input, dim, keepdim, np.argmin)


@op(
    "ValueSelectingReductionBackward0",
    grad=lambda grad, index, dim, keepdim, xp: xp.from_index(grad, index, dim, keepdim),
)
def at_index(grad: Array, shape: tuple[int, ...], index: Array, dim: int, keepdim: bool) -> Array:
    """Zeros of `shape` with `grad` where `index` points along `dim`."""
    out = either.zeros(shape, grad)
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


@numpy_names
def max(input: Tensor, dim: Any = None, keepdim: bool = False, *, out: Any = None) -> Any:
    """The largest element; along `dim` (values, indices); with another Tensor the larger of both."""
    if out is not None:
        return into(out, max, input, dim, keepdim, exact=True)
    return _extreme("max", input, dim, keepdim, _max_all, _max_dim, return_types.max)


@numpy_names
def min(input: Tensor, dim: Any = None, keepdim: bool = False, *, out: Any = None) -> Any:
    """The smallest element; along `dim` (values, indices); with another Tensor the smaller of both."""
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


@numpy_names
def amax(input: Tensor, dim: Any = (), keepdim: bool = False, *, out: Any = None) -> Tensor:
    """The largest elements over `dim`; the gradient is shared among equals."""
    if out is not None:
        return into(out, amax, input, dim, keepdim, exact=True)
    return _amax(input, _extreme_dims("amax", input, dim), keepdim)


@numpy_names
def amin(input: Tensor, dim: Any = (), keepdim: bool = False, *, out: Any = None) -> Tensor:
    """The smallest elements over `dim`; the gradient is shared among equals."""
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


@noted
@numpy_names
def argmax(
    input: Tensor, dim: int | None = None, keepdim: bool = False, *, out: Any = None
) -> Tensor:
    """The index of the largest element, over all or along `dim` (int64); the first one if equal."""
    if out is not None:
        return into(out, argmax, input, dim, keepdim, exact=True)
    return _arg("argmax", np.argmax, input, dim, keepdim)


@noted
@numpy_names
def argmin(
    input: Tensor, dim: int | None = None, keepdim: bool = False, *, out: Any = None
) -> Tensor:
    """The index of the smallest element, over all or along `dim` (int64); the first one if equal."""
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
    return wrap(
        either.as_array(arg(array, axis=axis, keepdims=keepdim)).astype(np.int64, copy=False)
    )
