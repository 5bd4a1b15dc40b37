"""The checks that `gather`, `scatter` and their family share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import gpu, promotion
from ..autograd import node as graph
from .dims import wrap_dim

Array = Any
Tensor = Any


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
    if not gpu.on_gpu(outside) and outside.any():
        first = np.atleast_1d(array)[np.atleast_1d(outside)][0]
        raise error(f"index {first} is out of bounds for dimension {dim} with size {size}")


def _sizes(tensor: Tensor) -> list[int]:
    return list(tensor._array.shape)
