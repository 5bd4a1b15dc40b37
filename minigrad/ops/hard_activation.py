"""Activation functions made of straight pieces: `leaky_relu`, `hardtanh`, `threshold` and others.

They are written as those of `activation.py` are; their slopes are steps.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..autograd.out import into
from ..autograd.row import op
from ..promotion import floats_only
from .activation import _in_place, _slope, _through
from .arithmetic import _not_implemented
from .choosing import keep_array
from .conversion import number_as

Array = Any
Tensor = Any

SIXTH = float(np.float32(1 / 6))  # PyTorch rounds this factor to a float32 for every dtype

leaky_relu_slope = _slope(
    "LeakyReluBackwardBackward0",
    lambda input, options, xp: xp.where(input > 0, 1.0, float(options[0])),
)


@op(
    "LeakyReluBackward0",
    fused=True,
    input=lambda grad, input, negative_slope, xp: _through(
        leaky_relu_slope, xp, grad, input, negative_slope
    ),
)
def _leaky_relu(input: Array, negative_slope: float) -> Array:
    floats_only("leaky_relu_cpu", input)
    return np.where(input > 0, input, input * negative_slope)


def _step(name: str, stops: Callable[[Any, Any], Any]) -> Any:
    """The row that hands a gradient on, except where `stops` holds: nan is let through."""

    @op(
        name,
        fused=True,
        grad_output=lambda grad, input, options, xp: xp.keep(grad, ~stops(input, options)),
        input=lambda grad, xp: xp.zeros_like(grad),
    )
    def backward(grad_output: Array, input: Array, options: Any) -> Array:
        return keep_array(grad_output, ~stops(input, options))

    return backward


hardtanh_slope = _step(
    "HardtanhBackwardBackward0",
    lambda input, options: (input <= options[0]) | (input >= options[1]),
)


@op(
    "HardtanhBackward0",
    fused=True,
    input=lambda grad, input, min_val, max_val, xp: _through(
        hardtanh_slope, xp, grad, input, min_val, max_val
    ),
)
def _hardtanh(input: Array, min_val: float, max_val: float) -> Array:
    if input.dtype == bool:
        raise RuntimeError("Bool inputs not supported for hardtanh")
    if input.dtype.kind == "u":
        min_val = int(min_val)
        if min_val < 0:
            raise RuntimeError("cannot do hardtanh on an unsigned type with negative limits")
    return input.clip(number_as(min_val, input.dtype)[()], number_as(max_val, input.dtype)[()])


threshold_slope = _step("ThresholdBackwardBackward0", lambda input, options: input <= options[0])


@op(
    "ThresholdBackward0",
    fused=True,
    input=lambda grad, input, threshold, xp: _through(threshold_slope, xp, grad, input, threshold),
)
def _threshold(input: Array, threshold: float, value: float) -> Array:
    if input.dtype == bool:
        floats_only("threshold_cpu", input)
    if input.dtype.kind != "f":
        threshold = number_as(threshold, input.dtype)[()]
    return np.where(input <= threshold, number_as(value, input.dtype)[()], input)


hardshrink_slope = _step(
    "HardshrinkBackwardBackward0", lambda input, options: abs(input) <= options[0]
)
softshrink_slope = _step(
    "SoftshrinkBackwardBackward0", lambda input, options: abs(input) <= options[0]
)


@op(
    "HardshrinkBackward0",
    fused=True,
    input=lambda grad, input, lambd, xp: _through(hardshrink_slope, xp, grad, input, lambd),
)
def _hardshrink(input: Array, lambd: float) -> Array:
    floats_only("hardshrink_cpu", input)
    return np.where(abs(input) <= lambd, input.dtype.type(0), input)


@op(
    "SoftshrinkBackward0",
    fused=True,
    input=lambda grad, input, lambd, xp: _through(softshrink_slope, xp, grad, input, lambd),
)
def _softshrink(input: Array, lambd: float) -> Array:
    floats_only("softshrink_check", input)
    return input - np.minimum(np.maximum(input, -lambd), lambd)


@op(
    "torch::autograd::NotImplemented",
    fused=True,
    grad_output=_not_implemented("hardsigmoid_backward"),
    input=_not_implemented("hardsigmoid_backward"),
)
def hardsigmoid_slope(grad_output: Array, input: Array, options: tuple[Any, ...]) -> Array:
    return keep_array(grad_output * SIXTH, (input > -3) & (input < 3))


@op(
    "HardsigmoidBackward0",
    fused=True,
    input=lambda grad, input, xp: _through(hardsigmoid_slope, xp, grad, input),
)
def hardsigmoid(input: Array) -> Array:
    """The straight line from 0 at -3 to 1 at 3, and constant beyond."""
    floats_only("hardsigmoid_cpu", input)
    return np.minimum(np.maximum(input + 3, 0), 6) / 6


hardswish_slope = _slope(
    "HardswishBackwardBackward0",
    lambda input, options, xp: xp.where(
        input <= -3, 0.0, xp.where(input < 3, input / 3 + 0.5, 1.0)
    ),
    lambda input, options, xp: ((input > -3) & (input < 3)) * (1 / 3),
)


@op(
    "HardswishBackward0",
    fused=True,
    input=lambda grad, input, xp: _through(hardswish_slope, xp, grad, input),
)
def hardswish(input: Array) -> Array:
    """`input * hardsigmoid(input)`."""
    floats_only("hardswish_cpu", input)
    return input * np.minimum(np.maximum(input + 3, 0), 6) / 6


_leaky_relu_ = _in_place(_leaky_relu, "LeakyReluBackward1")
_threshold_ = _in_place(_threshold, "ThresholdBackward1")
_hardtanh_ = _in_place(_hardtanh)
hardsigmoid_, hardswish_ = _in_place(hardsigmoid), _in_place(hardswish)


def leaky_relu(input: Tensor, negative_slope: float) -> Tensor:
    """`input`, and `negative_slope * input` below zero."""
    return _leaky_relu(input, negative_slope)


def leaky_relu_(input: Tensor, negative_slope: float = 0.01) -> Tensor:
    """`leaky_relu` in place."""
    return _leaky_relu_(input, negative_slope)  # type: ignore[no-any-return]


def hardtanh(input: Tensor, min_val: float, max_val: float) -> Tensor:
    """`input` limited to [min_val, max_val]; its slope is 0 at the limits."""
    return _hardtanh(input, min_val, max_val)


def hardtanh_(input: Tensor, min_val: float = -1.0, max_val: float = 1.0) -> Tensor:
    """`hardtanh` in place."""
    return _hardtanh_(input, min_val, max_val)  # type: ignore[no-any-return]


def threshold(input: Tensor, threshold: float, value: float) -> Tensor:
    """`input` where it is over `threshold`, else `value`."""
    return _threshold(input, threshold, value)


def threshold_(input: Tensor, threshold: float, value: float) -> Tensor:
    """`threshold` in place."""
    return _threshold_(input, threshold, value)  # type: ignore[no-any-return]


def hardshrink(input: Tensor, lambd: float = 0.5, *, out: Any = None) -> Tensor:
    """`input`, but 0 in [-lambd, lambd]."""
    if out is not None:
        return into(out, hardshrink, input, lambd, exact=True)
    return _hardshrink(input, float(lambd))


def softshrink(input: Tensor, lambd: float = 0.5, *, out: Any = None) -> Tensor:
    """`input` moved towards 0 by `lambd`, and 0 in [-lambd, lambd]."""
    if out is not None:
        return into(out, softshrink, input, lambd, exact=True)
    if lambd < 0:
        raise RuntimeError(f"lambda must be greater or equal to 0, but found to be {lambd:g}.")
    return _softshrink(input, float(lambd))
