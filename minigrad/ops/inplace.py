"""In-place ops that have no out-of-place twin: filling and copying."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import either, promotion
from ..autograd import node as graph
from ..autograd.inplace import write
from ..autograd.row import op
from .conversion import cast, number_as, to

Array = Any
Tensor = Any


@op(
    "torch::autograd::CopyBackwards",
    input=lambda grad, xp: xp.zeros_like(grad),
    src=lambda grad: grad,
)
def _copy(input: Array, src: Array) -> Array:
    return np.broadcast_to(cast(src, input.dtype), input.shape)


@op("FillBackward2", input=lambda grad, xp: xp.zeros_like(grad))
def _fill(input: Array, value: Any) -> Array:
    return either.full(input.shape, number_as(value, input.dtype)[()], input.dtype, input)


@op(
    "FillBackward3", input=lambda grad, xp: xp.zeros_like(grad), value=lambda grad, xp: xp.sum(grad)
)
def _fill_tensor(input: Array, value: Array) -> Array:
    return np.broadcast_to(cast(value, input.dtype), input.shape)


@op("ZeroBackward0", input=lambda grad, xp: xp.zeros_like(grad))
def _zero(input: Array) -> Array:
    return np.zeros_like(input)


def copy_(input: Tensor, src: Tensor, non_blocking: bool = False) -> Tensor:
    """Overwrite `input` with `src`, which broadcasts and is cast."""
    src = (
        src
        if isinstance(src, graph.Tensor)
        else graph.wrap(number_as(src, input._array.dtype, input._array))
    )
    a, b = input._array, src._array
    if type(a) is not np.ndarray or type(b) is not np.ndarray:
        src = to(src, device=input.device)
        b = src._array
    try:
        out = _copy.forward(a, b)
    except ValueError:
        raise _does_not_fit(a, b) from None
    return write(_copy.row, (input, src), out)


def copy(src: Tensor) -> Tensor:
    """A copy with a history: what the engine puts into an empty `.grad` when it is recorded."""
    return copy_(graph.wrap(np.empty_like(src._array)), src)


def _does_not_fit(target: Array, source: Array) -> RuntimeError:
    try:
        shape = np.broadcast_shapes(target.shape, source.shape)
    except ValueError:
        return promotion.broadcast_error((target, source))
    return RuntimeError(
        f"output with shape {list(target.shape)} doesn't match the broadcast shape {list(shape)}"
    )


def _does_not_expand(target: tuple[int, ...], source: tuple[int, ...]) -> RuntimeError:
    if len(source) > len(target):
        return RuntimeError(
            f"The number of sizes provided ({len(target)}) must be greater or equal to the number of "
            f"dimensions in the tensor ({len(source)})"
        )
    offset = len(target) - len(source)
    at = next(i for i, s in enumerate(source) if s not in (1, target[i + offset])) + offset
    return RuntimeError(
        f"The expanded size of the tensor ({target[at]}) must match the existing size "
        f"({source[at - offset]}) at non-singleton dimension {at}.  Target sizes: {list(target)}.  "
        f"Tensor sizes: {list(source)}"
    )


def fill_(input: Tensor, value: Any) -> Tensor:
    """Set every element to `value`, a number or a 0-d Tensor."""
    if isinstance(value, graph.Tensor):
        if value._array.ndim:
            raise RuntimeError(
                "fill_ only supports 0-dimension value tensor but got tensor with "
                f"{value._array.ndim} dimensions."
            )
        filled = _fill_tensor.forward(input._array, value._array)
        return write(_fill_tensor.row, (input, value), filled, uniform=True)
    if not isinstance(value, promotion.NUMBERS):
        raise TypeError(
            f"fill_(): argument 'value' (position 1) must be Number, not {type(value).__name__}"
        )
    return write(_fill.row, (input, value), _fill.forward(input._array, value), uniform=True)


@op("FillBackward0", input=lambda grad, xp: xp.zeros_like(grad))
def _filled(input: Array, value: Any) -> Array:
    return np.full_like(input, number_as(value, input.dtype)[()])


@op(
    "FillBackward1", input=lambda grad, xp: xp.zeros_like(grad), value=lambda grad, xp: xp.sum(grad)
)
def _filled_with(input: Array, value: Array) -> Array:
    return np.full_like(input, cast(value, input.dtype))


def fill(input: Tensor, value: Any) -> Tensor:
    """A copy of `input` in which every element is `value`, a number or a 0-d Tensor."""
    promotion.check_tensors("fill", input=input)
    if isinstance(value, graph.Tensor):
        if value._array.ndim:
            raise RuntimeError(
                "fill only supports 0-dimension value tensor but got tensor with "
                f"{value._array.ndim} dimensions."
            )
        return _filled_with(input, value)
    return _filled(input, value)


def zero_(input: Tensor) -> Tensor:
    """Set every element to 0."""
    return write(_zero.row, (input,), _zero.forward(input._array), uniform=True)
