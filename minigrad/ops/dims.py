"""Sizes and dimensions as users give them, checked and made regular."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any


def wrap_dim(dim: Any, ndim: int) -> int:
    """A dimension counted from the front; IndexError if the tensor has no such dimension."""
    try:
        number = operator.index(dim)
    except TypeError:
        kind = type(dim).__name__
        raise TypeError(f"argument 'dim' must be int, not {kind}") from None
    size = max(ndim, 1)
    if not -size <= number < size:
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-size}, {size - 1}], but got {number})"
        )
    return number % size


def wrap_dims(dim: Any, ndim: int) -> tuple[int, ...]:
    """The dimensions of a reduction in rising order; None or an empty list means all."""
    if dim is None or (isinstance(dim, (list, tuple)) and not dim):
        return tuple(range(ndim))
    dims = distinct_dims(dim if isinstance(dim, (list, tuple)) else [dim], ndim)
    return tuple(sorted(dims)) if ndim else ()


def distinct_dims(given: Sequence[Any], ndim: int) -> tuple[int, ...]:
    """Dimensions counted from the front; RuntimeError if one is named twice."""
    dims = tuple(wrap_dim(d, ndim) for d in given)
    for d in dims:
        if dims.count(d) > 1:
            raise RuntimeError(f"dim {d} appears multiple times in the list of dims")
    return dims


def size_of(args: Sequence[Any]) -> tuple[int, ...]:
    """`f(2, 3)`, `f((2, 3))` and `f([2, 3])` all mean the shape (2, 3)."""
    if len(args) == 1 and isinstance(args[0], (list, tuple)):
        args = args[0]
    return tuple([operator.index(a) for a in args])


def infer_size(shape: Sequence[int], count: int) -> tuple[int, ...]:
    """`shape` with a -1 replaced by what makes it hold `count` elements."""
    given = tuple(shape)
    if math.prod(given) == count and (not given or min(given) >= 0):
        return given
    if given.count(-1) > 1:
        raise RuntimeError("only one dimension can be inferred")
    for size in given:
        if size < -1:
            raise RuntimeError(
                f"invalid shape dimension {size} at index {given.index(size)} of shape {list(given)}"
            )
    known = math.prod(s for s in given if s != -1)
    if -1 in given:
        if known and count % known == 0:
            return tuple(count // known if s == -1 else s for s in given)
        if not known and not count:
            raise RuntimeError(
                f"cannot reshape tensor of 0 elements into shape {list(given)} because the "
                "unspecified dimension size -1 can be any value and is ambiguous"
            )
    elif known == count:
        return given
    raise RuntimeError(f"shape '{list(given)}' is invalid for input of size {count}")
