"""Padding: a tensor with more (or fewer) elements at the ends of its last dimensions.

`padding` counts as PyTorch's does, from the last dimension: (left, right, top, bottom, front,
back). The new elements are a constant, or come from the input: its mirror image (`reflect`), its
outermost elements (`replicate`), or its other end (`circular`). Negative numbers crop.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from .. import either, promotion
from ..autograd import node as graph
from ..autograd.node import wrap
from ..autograd.row import Op, op
from ..dtypes import scalar_name
from .axis_maps import Index, add_back, pick
from .conversion import number_as
from .indexing import _slice
from .inplace import copy_
from .int_tuples import int_tuple

Array = Any
Tensor = Any
Padding = tuple[int, ...]


def pairs(padding: Sequence[int]) -> list[tuple[int, int]]:
    """(before, after) for each padded dimension, the last dimension first."""
    return list(zip(padding[::2], padding[1::2], strict=True))


# --- a constant ----------------------------------------------------------------------------------


@op(
    "ConstantPadNdBackward0",
    input=lambda grad, padding, xp: xp.pad_constant(grad, tuple(-n for n in padding), 0),
)
def pad_constant(input: Array, padding: Padding, value: Any) -> Array:
    """`input` within an array that is filled with `value`."""
    shape = list(input.shape)
    inner, kept = [slice(None)] * input.ndim, [slice(None)] * input.ndim
    for dim, (before, after) in enumerate(pairs(padding), 1):
        size = shape[-dim]
        shape[-dim] = before + size + after
        inner[-dim] = slice(max(before, 0), shape[-dim] - max(after, 0))
        kept[-dim] = slice(max(-before, 0), size - max(-after, 0))
    out = either.full(shape, number_as(value, input.dtype)[()], input.dtype, input)
    out[tuple(inner)] = input[tuple(kept)]
    return out


def constant_pad_nd(input: Tensor, pad: Sequence[int], value: Any = 0) -> Tensor:
    """`input` with `value` at the ends of its last dimensions; negative numbers of `pad` crop.

    Raises RuntimeError if there are more numbers than two for each dimension, or an odd count of
    them, or if more is cropped than there is."""
    name = "constant_pad_nd"
    promotion.check_tensors(name, input=input)
    padding = int_tuple(name, "pad", 2, pad)
    if not isinstance(value, (*promotion.NUMBERS, graph.Tensor)):
        kind = type(value).__name__
        raise TypeError(f"{name}(): argument 'value' (position 3) must be Number, not {kind}")
    shape = input._array.shape
    if len(padding) % 2:
        raise RuntimeError(f"Length of pad must be even but instead it equals {len(padding)}")
    if len(padding) > 2 * len(shape):
        raise RuntimeError(
            "Length of pad should be no more than twice the number of dimensions of the input. "
            f"Pad length is {len(padding)}while the input has {len(shape)}dimensions."
        )
    for dim, (before, after) in enumerate(pairs(padding), 1):
        size = shape[-dim] + min(before, 0)
        if size < 0 or size + min(after, 0) < 0:
            raise RuntimeError("narrow(): length must be non-negative.")
    return pad_constant(input, padding, value.item() if hasattr(value, "item") else value)


# --- from the input ------------------------------------------------------------------------------


@lru_cache(maxsize=512)
def _sources(mode: str, size: int, before: int, after: int) -> Index:
    """Which element of a dimension of `size` stands at each place of the padded one."""
    places = range(-before, size + after)
    if mode == "replicate":
        return tuple(min(max(i, 0), size - 1) for i in places)
    return tuple(-i if i < 0 else 2 * (size - 1) - i if i >= size else i for i in places)


def _maps(mode: str, sizes: Sequence[int], padding: Padding) -> list[Index]:
    """`_sources` of each padded dimension, the outermost first."""
    around = reversed(pairs(padding))
    return [_sources(mode, n, *ends) for n, ends in zip(sizes, around, strict=True)]


def pad_boundary_array(input: Array, padding: Padding, mode: str) -> Array:
    """The input with its own elements around it: `mode` is "reflect" or "replicate"."""
    if not input.size:
        shape = list(input.shape)
        for dim, (before, after) in enumerate(pairs(padding), 1):
            shape[-dim] += before + after
        return either.empty(shape, input)
    out = pick(input, _maps(mode, input.shape[-len(padding) // 2 :], padding))
    return out.copy("C") if out is input else out


def pad_boundary_backward_array(grad: Array, input: Array, padding: Padding, mode: str) -> Array:
    """Each element of `grad` added to the element of the input that was copied there."""
    if not grad.size:
        return either.zeros(input.shape, grad)
    sizes = input.shape[-len(padding) // 2 :]
    return add_back(grad, _maps(mode, sizes, padding), sizes)


def _padding_rows(name: str) -> tuple[Op, Op]:
    """The rows of one kind of padding: forward, and its gradient, which has a gradient too."""
    forward = op(
        name + "Backward0",
        input=lambda grad, input, padding, mode, xp: xp.pad_boundary_backward(
            grad, input, padding, mode
        ),
    )(pad_boundary_array)
    backward = op(
        name + "BackwardBackward0",
        grad=lambda grad, padding, mode, xp: xp.pad_boundary(grad, padding, mode),
        input=lambda grad, input_shape, xp: xp.zeros_shaped(input_shape, grad),
    )(pad_boundary_backward_array)
    return forward, backward


ROWS = {  # by mode and number of padded dimensions
    ("reflect", 1): _padding_rows("ReflectionPad1D"),
    ("reflect", 2): _padding_rows("ReflectionPad2D"),
    ("reflect", 3): _padding_rows("ReflectionPad3D"),
    ("replicate", 1): _padding_rows("ReplicationPad1D"),
    ("replicate", 2): _padding_rows("ReplicationPad2D"),
    ("replicate", 3): _padding_rows("ReplicationPad3D"),
}


def pad_boundary(input: Tensor, padding: Padding, mode: str) -> Tensor:
    """`input` with its own elements around it, once it is certain that there are enough."""
    dims = len(padding) // 2
    _check_boundary(input._array, padding, mode, dims)
    return ROWS[mode, dims][0](input, padding, mode)


def pad_boundary_backward(grad: Tensor, input: Tensor, padding: Padding, mode: str) -> Tensor:
    """The gradient of `pad_boundary` as an op."""
    return ROWS[mode, len(padding) // 2][1](grad, input, padding, mode)


def _check_boundary(array: Array, padding: Padding, mode: str, dims: int) -> None:
    shape = array.shape
    inner = shape[1:] if array.ndim == dims + 2 else shape
    if 0 in inner:
        raise RuntimeError(
            f"Expected {dims + 1}D or {dims + 2}D (batch mode) tensor with possibly 0 batch size and "
            f"other non-zero dimensions for input, but got: {list(shape)}"
        )
    out = list(shape)
    for dim, (before, after) in enumerate(pairs(padding), 1):
        if mode == "reflect" and max(before, after) >= shape[-dim]:
            raise RuntimeError(
                f"Argument #{2 * dim + 2}: Padding size should be less than the corresponding input "
                f"dimension, but got: padding ({before}, {after}) at dimension {array.ndim - dim} of "
                f"input {list(shape)}"
            )
        out[-dim] += before + after
    if dims == 1 and out[-1] < 1:
        raise RuntimeError(f"input (W: {shape[-1]}) is too small. Calculated output W: {out[-1]}")
    if min(out) < 0:
        raise RuntimeError(
            f"Trying to create tensor with negative dimension {_first_negative(out)}: {out}"
        )
    if array.dtype.kind == "b":
        kernel = "reflection" if mode == "reflect" else "replication"
        kind = scalar_name(array.dtype)
        raise NotImplementedError(f"\"{kernel}_pad{dims}d\" not implemented for '{kind}'")


def _first_negative(sizes: list[int]) -> int:
    return next(n for n in sizes if n < 0)


# --- from the other end --------------------------------------------------------------------------


def pad_circular(input: Tensor, padding: Padding) -> Tensor:
    """`input` as if it went on periodically: copies of slices, so that the graph is theirs."""
    shape = list(input._array.shape)
    for dim, (before, after) in enumerate(pairs(padding), 1):
        size = shape[-dim]
        if max(before, after) > size:
            raise RuntimeError("Padding value causes wrapping around more than once.")
        shape[-dim] += before + after
        if shape[-dim] < 0:
            raise RuntimeError("Negative padding value is resulting in an empty dimension")
    out = wrap(either.empty(shape, input._array))
    _copy_inside(out, input, padding)
    for dim, (before, after) in zip(range(len(shape) - 1, -1, -1), pairs(padding), strict=False):
        end = shape[dim] - max(after, 0)
        if before > 0:
            copy_(_part(out, dim, 0, before), _part(out, dim, end - before, end))
        if after > 0:
            start = max(before, 0)
            copy_(_part(out, dim, end, shape[dim]), _part(out, dim, start, start + after))
    return out


def _copy_inside(out: Tensor, input: Tensor, padding: Padding) -> None:
    """Write `input`, as far as it is not cropped, to its place in `out`."""
    target, ndim = out, input._array.ndim
    for dim, (before, after) in zip(range(ndim - 1, -1, -1), pairs(padding), strict=False):
        size = input._array.shape[dim]
        input = _part(input, dim, max(-before, 0), size - max(-after, 0))
        target = _part(target, dim, max(before, 0), out._array.shape[dim] - max(after, 0))
    copy_(target, input)


def _part(tensor: Tensor, dim: int, start: int, stop: int) -> Tensor:
    return _slice(tensor, dim, slice(start, max(start, stop), 1))
