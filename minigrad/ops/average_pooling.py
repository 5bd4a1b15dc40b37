"""Average pooling: the sum of each window, divided by the number of its elements.

The taps are added in row-major order, one after the other, so that the last bit is PyTorch's.
"""

from __future__ import annotations

import itertools
import math
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from .. import either
from ..autograd.row import Op, op
from ..dtypes import FLOAT16
from .windows import Adaptive, Axes, Sliding, on_axes, plan

Array = Any
Tensor = Any


class Divisor(NamedTuple):
    """What the sums are divided by: `override`, or the elements of the window with or without
    those in the padding."""

    include_pad: bool = True
    override: int | None = None


ELEMENTS = Divisor()


@lru_cache(maxsize=256)
def _counts(axes: Axes, divisor: Divisor) -> list[Any]:
    """The divisors, which are divided by one after the other: an array of the outputs' shape, or,
    for adaptive windows, as in PyTorch, one for each axis."""
    if divisor.override is not None:
        return [divisor.override]
    sizes = [_lengths(axis, divisor.include_pad) for axis in axes]
    shaped = [s.reshape((-1,) + (1,) * (len(axes) - i - 1)) for i, s in enumerate(sizes)]
    if isinstance(axes[0], Adaptive):
        return shaped
    total: Any = math.prod(shaped)  # broadcasts
    same = total.size and (total == total.flat[0]).all()
    return [int(total.flat[0]) if same else total]


def _lengths(axis: Any, include_pad: bool) -> Array:
    """How many elements each window has; the padding ends where it does, for `ceil_mode` too."""
    if isinstance(axis, Sliding) and include_pad:
        starts = np.arange(axis.out) * axis.stride
        return np.minimum(starts + axis.kernel, axis.size + 2 * axis.padding) - starts
    return (plan(axis).table >= 0).sum(0)


def _divided(array: Array, axes: Axes, divisor: Divisor) -> Array:
    for count in _counts(axes, divisor):
        number = np.asarray(count, array.dtype, like=array)
        array = array / number if array.dtype.kind == "f" else _truncated(array, number)
    return array


def _truncated(array: Array, number: Array) -> Array:
    """The quotient of integers as C++ has it: towards zero."""
    return np.sign(array) * np.sign(number) * (np.abs(array) // np.abs(number))


def _steps(axes: Axes, like: Array) -> list[tuple[Any, Any]]:
    """(outputs, inputs) for each combination of taps, in row-major order."""
    return [
        (on_axes([o for _, o, _ in taps], like), on_axes([i for _, _, i in taps], like))
        for taps in itertools.product(*(plan(axis).taps for axis in axes))
    ]


def average_array(input: Array, axes: Axes, divisor: Divisor) -> Array:
    wide = np.float32 if input.dtype is FLOAT16 else input.dtype
    total = either.zeros((*input.shape[: -len(axes)], *(a.out for a in axes)), input, wide)
    for outputs, inputs in _steps(axes, input):
        total[outputs] += input[inputs]
    return _divided(total, axes, divisor).astype(input.dtype, copy=False)


def average_backward_array(grad: Array, input: Array, axes: Axes, divisor: Divisor) -> Array:
    """Each gradient shared among the elements of its window."""
    share = _divided(grad, axes, divisor)
    out = either.zeros(input.shape, grad)
    if all(plan(axis).disjoint for axis in axes):
        for outputs, inputs in _steps(axes, grad):
            out[inputs] = share[outputs]
        return out
    for outputs, inputs in reversed(_steps(axes, grad)):  # so that windows add in their own order
        out[inputs] += share[outputs]
    return out


def _pooling_rows(name: str) -> tuple[Op, Op]:
    """The rows of one kind of average pooling: forward, and its gradient."""
    forward = op(
        name + "Backward0",
        input=lambda grad, input, axes, divisor, xp: xp.average_pool_backward(
            grad, input, axes, divisor
        ),
    )(average_array)
    backward = op(
        name + "BackwardBackward0",
        grad=lambda grad, axes, divisor, xp: xp.average_pool(grad, axes, divisor),
        input=lambda grad, input_shape, xp: xp.zeros_shaped(input_shape, grad),
    )(average_backward_array)
    return forward, backward


ROWS = {  # by the number of pooled dimensions, and whether the windows are adaptive
    (2, False): _pooling_rows("AvgPool2D"),
    (3, False): _pooling_rows("AvgPool3D"),
    (2, True): _pooling_rows("AdaptiveAvgPool2D"),
    (3, True): _pooling_rows("AdaptiveAvgPool3D"),
}


def average_pool(input: Tensor, axes: Axes, divisor: Divisor = ELEMENTS) -> Tensor:
    """The average of each window."""
    return ROWS[len(axes), isinstance(axes[0], Adaptive)][0](input, axes, divisor)


def average_pool_backward(grad: Tensor, input: Tensor, axes: Axes, divisor: Divisor) -> Tensor:
    """The gradient of `average_pool` as an op."""
    return ROWS[len(axes), isinstance(axes[0], Adaptive)][1](grad, input, axes, divisor)
