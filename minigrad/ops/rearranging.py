"""The same elements in another order, or several times: `flip`, `roll`, `repeat` and their like."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import either, promotion
from ..autograd import node as graph
from ..autograd.node import wrap
from ..autograd.row import op
from .dims import infer_size, size_of, wrap_dim
from .indexed import index_select
from .numpy_names import numpy_names
from .shape import _clone_contiguous, _permute, alias, expand, flatten, transpose, unsqueeze, view
from .summation import empty_as

Array = Any
Tensor = Any

# --- dimensions ----------------------------------------------------------------------------------


def unflatten(input: Tensor, dim: int, sizes: Any) -> Tensor:
    """Dimension `dim` made several, of these sizes; one of them may be -1."""
    shape, wanted = input._array.shape, size_of([sizes])
    at = wrap_dim(dim, len(shape))
    if not wanted:
        raise RuntimeError("unflatten: sizes must be non-empty")
    try:
        parts = infer_size(wanted, shape[at] if shape else 1)
    except RuntimeError:
        raise RuntimeError(
            f"unflatten: Provided sizes {list(wanted)} don't multiply up to the size of dim {at} "
            f"({shape[at] if shape else 1}) in the input tensor"
        ) from None
    return view(input, shape[:at] + parts + shape[at + 1 :])


def movedim(input: Tensor, source: Any, destination: Any) -> Tensor:
    """The dimensions `source` moved to the places `destination`; the others keep their order."""
    a, b = ([d] if isinstance(d, int) else list(d) for d in (source, destination))
    if len(a) != len(b):
        raise RuntimeError(
            "movedim: Invalid source or destination dims: source "
            f"({a} dims) should contain the same number of dims as destination ({b} dims)"
        )
    ndim = input._array.ndim
    moved, places = [wrap_dim(d, ndim) for d in a], [wrap_dim(d, ndim) for d in b]
    for name, dims, given in (("source", moved, a), ("destination", places, b)):
        if len(set(dims)) != len(dims):
            raise RuntimeError(f"movedim: repeated dim in `{name}` ({given})")
    if not ndim:
        return alias(input)
    others = iter(d for d in range(ndim) if d not in moved)
    at = dict(zip(places, moved, strict=True))
    return _permute(input, tuple(at[d] if d in at else next(others) for d in range(ndim)))


moveaxis = movedim


def swapdims(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Two dimensions exchanged: another name of `transpose`."""
    return transpose(input, dim0, dim1)


def swapaxes(input: Tensor, axis0: int, axis1: int) -> Tensor:
    """Two dimensions exchanged: another name of `transpose`."""
    return transpose(input, axis0, axis1)


def adjoint(input: Tensor) -> Tensor:
    """The last two dimensions exchanged. A number is returned as it is."""
    if not input._array.ndim:
        return input
    if input._array.ndim < 2:
        raise RuntimeError(
            "tensor.adjoint() is only supported on matrices or batches of matrices. Got "
            f"{input._array.ndim}-D tensor."
        )
    return transpose(input, -2, -1)


def hermitian(input: Tensor) -> Tensor:
    """A matrix transposed: the attribute `H`."""
    if input._array.ndim not in (0, 2):
        raise RuntimeError(
            "tensor.H is only supported on matrices (2-D tensors). Got "
            f"{input._array.ndim}-D tensor."
            + (
                " For batches of matrices, consider using tensor.mH"
                if input._array.ndim > 2
                else ""
            )
        )
    return transpose(input, 0, -1) if input._array.ndim else input


# --- another order -------------------------------------------------------------------------------


@op("FlipBackward0", input=lambda grad, dims, xp: xp.flip(grad, dims))
def _flip(input: Array, dims: tuple[int, ...]) -> Array:
    out = empty_as(input, input.dtype)
    out[...] = np.flip(input, dims)
    return out


def flip(input: Tensor, *args: Any, dims: Any = ()) -> Tensor:
    """A copy in which the order of the elements along `dims` is reversed."""
    promotion.check_tensors("flip", input=input)
    chosen = [wrap_dim(d, input._array.ndim) for d in size_of(args or [dims])]
    for d in chosen:
        if chosen.count(d) > 1:
            raise RuntimeError(f"dim {d} appears multiple times in the list of dims")
    return _flip(input, tuple(chosen) if input._array.ndim else ())


def fliplr(input: Tensor) -> Tensor:
    """`flip` of dimension 1."""
    if input._array.ndim < 2:
        raise RuntimeError("Input must be >= 2-d.")
    return flip(input, 1)


def flipud(input: Tensor) -> Tensor:
    """`flip` of dimension 0."""
    if input._array.ndim < 1:
        raise RuntimeError("Input must be >= 1-d.")
    return flip(input, 0)


@op(
    "RollBackward0",
    input=lambda grad, shifts, dims, xp: xp.roll(grad, tuple(-s for s in shifts), dims),
)
def _roll(input: Array, shifts: tuple[int, ...], dims: tuple[int, ...]) -> Array:
    return roll_array(input, shifts, dims)


def roll_array(input: Array, shifts: tuple[int, ...], dims: tuple[int, ...]) -> Array:
    rolled = np.roll(input, shifts, dims) if dims else np.roll(input, shifts[0])
    return either.contiguous(rolled) if input.ndim else rolled


def roll(input: Tensor, shifts: Any, dims: Any = ()) -> Tensor:
    """The elements moved on along `dims`; what leaves at the end comes in at the start. Without
    `dims`, along all elements in a row."""
    promotion.check_tensors("roll", input=input)
    by, along = size_of([shifts]), size_of([() if dims is None else dims])
    if not by:
        raise RuntimeError("`shifts` required")
    if len(by) != len(along) and not (len(by) == 1 and not along):
        raise RuntimeError(
            f"shifts and dimensions must align. shifts: {len(by)}, dims:{len(along)}"
        )
    if along and not input._array.ndim:
        raise IndexError(f"Dimension specified as {along[0]} but tensor has no dimensions")
    return _roll(input, by, tuple(wrap_dim(d, input._array.ndim) for d in along))


@op("Rot90Backward0", input=lambda grad, k, dims, xp: xp.rot90(grad, -k, dims))
def _rot90(input: Array, k: int, dims: tuple[int, int]) -> Array:
    turned = np.rot90(input, k, dims)
    return turned.swapaxes(*dims).copy("C").swapaxes(*dims) if k % 2 else turned.copy("C")


def rot90(input: Tensor, k: int = 1, dims: Any = (0, 1)) -> Tensor:
    """The plane of two dimensions turned `k` times by 90 degrees, from the first to the second."""
    promotion.check_tensors("rot90", input=input)
    plane, ndim = size_of([dims]), input._array.ndim
    if len(plane) != 2:
        raise RuntimeError(f"expected total rotation dims == 2, but got dims = {len(plane)}")
    if ndim < 2:
        raise RuntimeError(f"expected total dims >= 2, but got total dims = {ndim}")
    first, second = (wrap_dim(d, ndim) for d in plane)
    if first == second:
        raise RuntimeError(
            f"expected rotation dims to be different, but got dim0 = {plane[0]} and dim1 = {plane[1]}"
        )
    return _rot90(input, operator.index(k), (first, second))


# --- repetition ----------------------------------------------------------------------------------


def _repeat_formula(grad: Any, input_shape: Any, repeats: tuple[int, ...], xp: Any) -> Any:
    """Each dimension is taken apart into (repetition, position), and the repetitions are added."""
    if not repeats:
        return grad
    sizes = (1,) * (len(repeats) - len(input_shape)) + tuple(input_shape)
    split = [n for pair in zip(repeats, sizes, strict=True) for n in pair]
    return xp.sum(xp.reshape(grad, tuple(split)), tuple(range(0, len(split), 2)))


@op("RepeatBackward0", input=_repeat_formula)
def _repeat(input: Array, repeats: tuple[int, ...]) -> Array:
    return np.tile(input, repeats)


def repeat(input: Tensor, *args: Any, repeats: Any = ()) -> Tensor:
    """A copy that repeats `input` so many times along each dimension; more numbers than dimensions
    make new ones in front."""
    promotion.check_tensors("repeat", input=input)
    times = size_of(args or [repeats])
    if len(times) < input._array.ndim:
        raise RuntimeError(
            "Number of dimensions of repeat dims can not be smaller than number of dimensions of "
            "tensor"
        )
    sizes = (1,) * (len(times) - input._array.ndim) + input._array.shape
    shape = [n * size for n, size in zip(times, sizes, strict=True)]
    if min(shape, default=0) < 0:
        negative = next(n for n in shape if n < 0)
        raise RuntimeError(f"Trying to create tensor with negative dimension {negative}: {shape}")
    return _repeat(input, times)


def tile(input: Tensor, *args: Any, dims: Any = ()) -> Tensor:
    """`repeat`, where fewer numbers than dimensions count from the last dimension."""
    promotion.check_tensors("tile", input=input)
    times = size_of(args or [dims])
    return repeat(input, (1,) * (input._array.ndim - len(times)) + times)


@numpy_names
def repeat_interleave(
    input: Tensor, repeats: Any = None, dim: int | None = None, *, output_size: int | None = None
) -> Tensor:
    """Each element (each slice of `dim`) repeated in place: `repeats` times, or as many times as a
    vector says. With one argument, the numbers 0, 1, ... each as often as it says."""
    promotion.check_tensors("repeat_interleave", input=input)
    if repeats is None:
        return wrap(_interleaved(input._array))
    if dim is None:
        input, dim = (input if input._array.ndim == 1 else flatten(input)), 0
    at = wrap_dim(dim, input._array.ndim)
    if isinstance(repeats, graph.Tensor):
        return index_select(input, at, wrap(_interleaved(_counts(repeats._array, input, at))))
    return _interleave_evenly(input, operator.index(repeats), at)


def _interleave_evenly(input: Tensor, times: int, at: int) -> Tensor:
    if times < 0:
        raise RuntimeError("Repeats must be non-negative")
    apart = unsqueeze(input, at + 1)
    shape = apart._array.shape
    copied = _clone_contiguous(expand(apart, shape[: at + 1] + (times,) + shape[at + 2 :]))
    return flatten(copied, at, at + 1)


def _counts(repeats: Array, input: Tensor, dim: int) -> Array:
    size = input._array.shape[dim] if input._array.ndim else 1
    if repeats.ndim > 1:
        raise RuntimeError("repeats must be 0-dim or 1-dim tensor")
    if repeats.size == 1:
        return np.broadcast_to(repeats.reshape(1), (size,))
    if repeats.size != size:
        raise RuntimeError(
            "repeats must have the same size as input along dim, but got repeats.size(0) = "
            f"{repeats.size} and input.size({dim}) = {size}"
        )
    return repeats


def _interleaved(repeats: Array) -> Array:
    if repeats.ndim != 1:
        raise RuntimeError("repeat_interleave only accept 1D vector as repeat")
    if repeats.dtype.name not in ("int64", "int32"):
        raise RuntimeError("repeats has to be Long or Int tensor")
    if (repeats < 0).any():
        raise RuntimeError("repeats can not be negative")
    return either.counted(repeats).astype(repeats.dtype, copy=False)


# --- broadcasting --------------------------------------------------------------------------------


def broadcast_to(input: Tensor, size: Any) -> Tensor:
    """`input` expanded to the shape `size`."""
    promotion.check_tensors("broadcast_to", input=input)
    return expand(input, size)


def broadcast_shapes(*shapes: int | Sequence[int]) -> Any:
    """The shape in which tensors of these shapes meet; RuntimeError if they do not."""
    sizes = [(s,) if isinstance(s, int) else tuple(s) for s in shapes]
    if any(n < 0 for size in sizes for n in size):
        raise ValueError("Attempting to broadcast a dimension with negative length!")
    met = [1] * max(map(len, sizes), default=0)
    for number, size in enumerate(sizes):
        for i in range(-1, -len(size) - 1, -1):
            if size[i] not in (1, met[i]) and met[i] != 1:
                given = size if isinstance(shapes[number], int) else shapes[number]
                raise RuntimeError(
                    f"Attempting to broadcast a dimension of length {size[i]} at {i}! Mismatching "
                    f"argument at index {number} had {given}; but expected shape should be "
                    f"broadcastable to {met}"
                )
            met[i] = met[i] if size[i] == 1 else size[i]
    return wrap(np.broadcast_to(np.zeros(()), met)).shape


def broadcast_tensors(*tensors: Any) -> tuple[Tensor, ...]:
    """The tensors, expanded to the shape in which they meet."""
    several = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)) else tensors
    arrays = [t._array for t in several]
    try:
        shape = np.broadcast_shapes(*[a.shape for a in arrays])
    except ValueError:
        raise promotion.broadcast_error(arrays) from None
    return tuple(t if t._array.shape == shape else expand(t, shape) for t in several)
