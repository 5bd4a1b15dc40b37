"""Views as copies: `squeeze_copy` is `squeeze` with a memory of its own.

The view is taken, with its checks of the arguments and its formula; then its values are copied, and
its node, which nobody else has seen, gets the name that PyTorch gives to the copy's.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from functools import cache
from typing import Any

from ..autograd.node import Node, wrap
from ..autograd.out import into
from . import diagonals, indexing, pieces, shape, strided

Tensor = Any


@cache
def _class_of_copy(view: Any) -> type[Node]:
    """The class of nodes that do what those of a view do, under the name of the copy's."""
    row = copy(view.row)
    row.name += "_copy"
    return type(row.name, (view,), {"__slots__": (), "row": row})


def _copied(out: Any, view: Callable[..., Any], input: Tensor, *args: Any) -> Any:
    """What `view` shows of `input`, copied. Into `out`, if that is given; several copies that were
    written so are not returned, as in PyTorch."""
    if out is not None:
        written = into(out, _copied, None, view, input, *args, exact=True)
        return None if isinstance(written, tuple) else written
    shown = view(input, *args)
    if isinstance(shown, tuple):
        return tuple(map(_apart, shown))
    return _apart(shown)


def _apart(view: Tensor) -> Tensor:
    result = wrap(view._array.copy("K"))
    if view._requires_grad:
        node, output_nr = view._edge
        kind: Any = type(node)
        if not kind.__name__.endswith("_copy"):
            node.__class__ = _class_of_copy(kind)
        result._edge, result._requires_grad = (node, output_nr), True
    return result


def alias_copy(input: Tensor, *, out: Any = None) -> Tensor:
    """A copy of `input`."""
    return _copied(out, shape.alias, input)


def as_strided_copy(
    input: Tensor, size: Any, stride: Any, storage_offset: int | None = None, *, out: Any = None
) -> Tensor:
    """`as_strided` as a copy."""
    return _copied(out, strided.as_strided, input, size, stride, storage_offset)


def diagonal_copy(
    input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1, *, out: Any = None
) -> Tensor:
    """`diagonal` as a copy."""
    return _copied(out, diagonals.diagonal, input, offset, dim1, dim2)


def expand_copy(input: Tensor, size: Any, *, implicit: bool = False, out: Any = None) -> Tensor:
    """`expand` as a copy."""
    return _copied(out, shape.expand, input, size)


def permute_copy(input: Tensor, dims: Any, *, out: Any = None) -> Tensor:
    """`permute` as a copy."""
    return _copied(out, shape.permute, input, dims)


def select_copy(input: Tensor, dim: int, index: int, *, out: Any = None) -> Tensor:
    """`select` as a copy."""
    return _copied(out, indexing.select, input, dim, index)


def split_copy(tensor: Tensor, split_size: int, dim: int = 0, *, out: Any = None) -> Any:
    """`split` as copies."""
    return _copied(out, pieces.split, tensor, split_size, dim)


def split_with_sizes_copy(input: Tensor, split_sizes: Any, dim: int = 0, *, out: Any = None) -> Any:
    """`split_with_sizes` as copies."""
    return _copied(out, pieces.split, input, list(split_sizes), dim)


def squeeze_copy(input: Tensor, dim: Any = None, *, out: Any = None) -> Tensor:
    """`squeeze` as a copy."""
    return _copied(out, shape.squeeze, input, dim)


def t_copy(input: Tensor, *, out: Any = None) -> Tensor:
    """`t` as a copy."""
    return _copied(out, shape.t, input)


def transpose_copy(input: Tensor, dim0: int, dim1: int, *, out: Any = None) -> Tensor:
    """`transpose` as a copy."""
    return _copied(out, shape.transpose, input, dim0, dim1)


def unbind_copy(input: Tensor, dim: int = 0, *, out: Any = None) -> Any:
    """`unbind` as copies."""
    return _copied(out, pieces.unbind, input, dim)


def unfold_copy(input: Tensor, dimension: int, size: int, step: int, *, out: Any = None) -> Tensor:
    """`unfold` as a copy."""
    return _copied(out, strided.unfold, input, dimension, size, step)


def unsqueeze_copy(input: Tensor, dim: int, *, out: Any = None) -> Tensor:
    """`unsqueeze` as a copy."""
    return _copied(out, shape.unsqueeze, input, dim)


def view_copy(input: Tensor, size: Any, *, out: Any = None) -> Tensor:
    """`view` as a copy."""
    return _copied(out, shape.view, input, size)
