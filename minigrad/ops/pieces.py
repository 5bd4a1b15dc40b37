"""Tensors put together of pieces, and cut into pieces: `cat`, `stack`, `split`, `chunk`, `unbind`."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import either
from ..autograd import node as graph
from ..autograd.inplace import (
    MULTIPLE,
    view_op,
)
from ..autograd.node import wrap
from ..autograd.out import into
from ..autograd.row import op
from ..promotion import promoted
from .dims import wrap_dim
from .numpy_names import numpy_names
from .shape import row_major

Array = Any
Tensor = Any


def pieces(grad: Any, sizes: Sequence[int], dim: int) -> list[Any]:
    """`grad` cut along `dim`: a list of views."""
    cut, start = [], 0
    for size in sizes:
        cut.append(grad[(slice(None),) * dim + (slice(start, start + size),)])
        start += size
    return cut


@op(
    "CatBackward0",
    tensors=lambda grad, tensors_shape, dim: [
        p.reshape(s) if s == (0,) else p
        for s, p in zip(
            tensors_shape,
            pieces(
                grad, [0 if s == (0,) and grad.ndim > 1 else s[dim] for s in tensors_shape], dim
            ),
            strict=True,
        )
    ],
)
def _cat(tensors: list[Array], dim: int) -> Array:
    parts = promoted(tensors)
    try:
        return row_major(np.concatenate(parts, dim))
    except ValueError:  # PyTorch lets empty vectors pass
        return row_major(np.concatenate([p for p in parts if p.shape != (0,)], dim))


@numpy_names
def cat(tensors: Sequence[Tensor], dim: int = 0, *, out: Tensor | None = None) -> Tensor:
    """The tensors one after the other along `dim`; their other sizes must agree."""
    if out is not None:
        return into(out, cat, tensors, dim)
    tensors = _list_of_tensors("cat", tensors)
    if not tensors:
        raise ValueError("torch.cat(): expected a non-empty list of Tensors")
    shapes = [t._array.shape for t in tensors]
    first = shapes[0]
    alike = shapes.count(first) == len(shapes)
    if not alike:
        first = next(s for s in shapes if s != (0,))
    if first == ():
        raise RuntimeError("zero-dimensional tensor (at position 0) cannot be concatenated")
    at = wrap_dim(dim, len(first))
    if not alike:
        _check_sizes(shapes, first, at)
    return _cat(tensors, at)


def _check_sizes(shapes: list[tuple[int, ...]], first: tuple[int, ...], dim: int) -> None:
    """RuntimeError unless all shapes but (0,) differ from the `first` in `dim` alone."""
    for number, shape in enumerate(shapes):
        if shape == (0,):
            continue
        if len(shape) != len(first):
            raise RuntimeError(
                f"Tensors must have same number of dimensions: got {len(first)} and {len(shape)}"
            )
        for i, (a, b) in enumerate(zip(first, shape, strict=True)):
            if a != b and i != dim:
                raise RuntimeError(
                    f"Sizes of tensors must match except in dimension {dim}. Expected size {a} but got "
                    f"size {b} for tensor number {number} in the list."
                )


def _list_of_tensors(name: str, tensors: Any) -> list[Tensor]:
    if not isinstance(tensors, (list, tuple)):
        kind = type(tensors).__name__
        raise TypeError(
            f"{name}(): argument 'tensors' (position 1) must be tuple of Tensors, not {kind}"
        )
    for i, tensor in enumerate(tensors):
        if not isinstance(tensor, graph.Tensor):
            raise TypeError(
                f"expected Tensor as element {i} in argument 0, but got {type(tensor).__name__}"
            )
    return list(tensors)


@op(
    "StackBackward0",
    tensors=lambda grad, dim: [grad[(slice(None),) * dim + (i,)] for i in range(grad.shape[dim])],
)
def _stack(tensors: list[Array], dim: int) -> Array:
    return row_major(np.stack(promoted(tensors), dim))


@numpy_names
def stack(tensors: Sequence[Tensor], dim: int = 0, *, out: Any = None) -> Tensor:
    """Tensors of one shape put side by side along a new dimension."""
    if out is not None:
        return into(out, stack, tensors, dim)
    tensors = _list_of_tensors("stack", tensors)
    if not tensors:
        raise RuntimeError("stack expects a non-empty TensorList")
    first = tensors[0]._array.shape
    for number, tensor in enumerate(tensors):
        if tensor._array.shape != first:
            raise RuntimeError(
                f"stack expects each tensor to be equal size, but got {list(first)} at entry 0 and "
                f"{list(tensor._array.shape)} at entry {number}"
            )
    return _stack(tensors, wrap_dim(dim, len(first) + 1))


def _joined(grads: Sequence[Any], input_shape: Any, sizes: Sequence[int], dim: int, xp: Any) -> Any:
    """The gradient of something that was cut: unused pieces have none, which counts as zeros."""
    if all(g is None for g in grads):
        return None
    some = next(g for g in grads if g is not None)
    shape = list(input_shape)
    parts = []
    for g, size in zip(grads, sizes, strict=True):
        shape[dim] = size
        parts.append(xp.zeros_shaped(tuple(shape), some) if g is None else g)
    return xp.cat(parts, dim)


def zeros_shaped(shape: tuple[int, ...], like: Tensor) -> Tensor:
    """Zeros of any shape in the dtype of `like`."""
    return wrap(either.zeros(shape, like._array))


def _split_formula(grads: Any, input_shape: Any, sizes: Any, dim: Any, xp: Any) -> Any:
    return _joined(grads, input_shape, sizes, dim, xp)


@view_op("SplitBackward0", MULTIPLE, input=_split_formula)
def _split(input: Array, sizes: Sequence[int], dim: int) -> tuple[Array, ...]:
    return tuple(pieces(input, sizes, dim))


@view_op("SplitWithSizesBackward0", MULTIPLE, input=_split_formula)
def _split_with_sizes(input: Array, sizes: Sequence[int], dim: int) -> tuple[Array, ...]:
    return tuple(pieces(input, sizes, dim))


def split(
    tensor: Tensor, split_size_or_sections: int | Sequence[int], dim: int = 0
) -> tuple[Tensor, ...]:
    """Views of `tensor` cut along `dim`: into pieces of one size (the last may be smaller), or of
    the sizes given."""
    if not tensor._array.ndim:
        raise RuntimeError("split expects at least a 1-dimensional tensor")
    at = wrap_dim(dim, tensor._array.ndim)
    total, wanted = tensor._array.shape[at], split_size_or_sections
    if isinstance(wanted, (list, tuple)):
        if any(s < 0 for s in wanted):
            raise RuntimeError(
                "split_with_sizes expects split_sizes have only non-negative entries, but got "
                f"split_sizes={list(wanted)}"
            )
        if sum(wanted) != total:
            raise RuntimeError(
                f"split_with_sizes expects split_sizes to sum exactly to {total} (input tensor's size at "
                f"dimension {at}), but got split_sizes={list(wanted)}"
            )
        return _split_with_sizes(tensor, list(wanted), at)  # type: ignore[no-any-return]
    size = operator.index(wanted)  # type: ignore[arg-type]
    if size < 0:
        raise RuntimeError(f"split expects split_size be non-negative, but got split_size={size}")
    if not size and total:
        raise RuntimeError(
            f"split_size can only be 0 if dimension size is 0, but got dimension size of {total}"
        )
    sizes = [min(size, total - i) for i in range(0, total, size)] if total else [0]
    return _split(tensor, sizes, at)  # type: ignore[no-any-return]


@numpy_names
def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """`input` cut into at most `chunks` pieces of one size, the last of which may be smaller."""
    _check_chunks(input, chunks)
    total = input._array.shape[wrap_dim(dim, input._array.ndim)]
    return split(input, -(-total // chunks) if total else [0] * chunks, dim)


def _check_chunks(input: Tensor, chunks: int) -> None:
    if chunks <= 0:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    if not input._array.ndim:
        raise RuntimeError("chunk expects at least a 1-dimensional tensor")


@view_op(
    "UnbindBackward0",
    MULTIPLE,
    input=lambda grads, dim, xp: (
        None
        if all(g is None for g in grads)
        else xp.stack([xp.zeros_like(_some(grads)) if g is None else g for g in grads], dim)
    ),
)
def _unbind(input: Array, dim: int) -> tuple[Array, ...]:
    return tuple(input[(slice(None),) * dim + (i, ...)] for i in range(input.shape[dim]))


def _some(grads: Sequence[Any]) -> Any:
    return next(g for g in grads if g is not None)


@numpy_names
def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """The slices along `dim`, without that dimension."""
    if not input._array.ndim:
        raise IndexError("Dimension specified as 0 but tensor has no dimensions")
    dim = wrap_dim(dim, input._array.ndim)
    return _unbind(input, dim) if input._array.shape[dim] else ()  # type: ignore[no-any-return]


def _pieces_formula(grads: Any, input_shape: Any, sizes: Any, dim: int, xp: Any) -> Any:
    return _joined(grads, input_shape, sizes, dim, xp)


@op("UnsafeSplitBackward0", input=_pieces_formula)
def _unsafe_split(input: Array, sizes: Any, dim: int) -> tuple[Array, ...]:
    return tuple(pieces(input, sizes, dim))


@op("UnsafeSplitWithSizesBackward0", input=_pieces_formula)
def _unsafe_split_with_sizes(input: Array, sizes: Any, dim: int) -> tuple[Array, ...]:
    return tuple(pieces(input, sizes, dim))


def _sizes_of_split(tensor: Tensor, split_size: Any, dim: int) -> tuple[tuple[int, ...], int]:
    """The sizes of the pieces of `split`, and the dimension from the front."""
    at = wrap_dim(dim, tensor._array.ndim)
    return tuple(p._array.shape[at] for p in split(tensor.detach(), split_size, dim)), at


def unsafe_split(tensor: Tensor, split_size: int, dim: int = 0) -> tuple[Tensor, ...]:
    """`split` whose pieces count as tensors of their own: an in-place change of one of them is
    allowed, and goes unnoticed by the others."""
    return _unsafe_split(tensor, *_sizes_of_split(tensor, split_size, dim))  # type: ignore[no-any-return]


def unsafe_split_with_sizes(input: Tensor, split_sizes: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """`split_with_sizes` whose pieces count as tensors of their own."""
    return _unsafe_split_with_sizes(input, *_sizes_of_split(input, list(split_sizes), dim))  # type: ignore[no-any-return]


def unsafe_chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """`chunk` whose pieces count as tensors of their own."""
    _check_chunks(input, chunks)
    total = input._array.shape[wrap_dim(dim, input._array.ndim)]
    return unsafe_split(input, max(1, -(-total // chunks)), dim)


def split_with_sizes(input: Tensor, split_sizes: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Views of `input` cut along `dim` into pieces of these sizes."""
    return split(input, list(split_sizes), dim)
