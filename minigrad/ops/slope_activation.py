"""Activation functions whose slope is an input itself: learned, drawn, or half of the input.

`prelu` learns the slope below zero, `rrelu` draws it, and `glu` multiplies one half of its input
by a gate made of the other half.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import either, gpu, random
from ..autograd import node as graph
from ..autograd.inplace import write
from ..autograd.row import Row, op
from ..dtypes import scalar_name
from ..promotion import check_tensors, floats_only
from .dims import wrap_dim
from .recorded import on
from .sampling import floats
from .shape import reshape

Array = Any
Tensor = Any

# --- half of the input is a gate -----------------------------------------------------------------


def _halves(input: Any, dim: int, xp: Any) -> tuple[Any, Any]:
    half = input.shape[dim] // 2
    return xp.slice(input, dim, slice(0, half)), xp.slice(input, dim, slice(half, 2 * half))


def _glu_gradient(grad: Any, input: Any, dim: int, xp: Any) -> Any:
    return on(glu_backward, xp)(grad, input, dim)


@op(
    "GluBackward0",
    input=_glu_gradient,
)
def _glu(input: Array, dim: int) -> Array:
    xp = graph.array_ops
    values, gate = _halves(input, dim, xp)
    return values * xp.sigmoid(gate)


def _glu_along(grad: Any, input: Any, dim: int, xp: Any) -> Any:
    """How `glu` changes when its input does by `grad`: the adjoint of `glu_backward`."""
    values, gate = _halves(input, dim, xp)
    of_values, of_gate = _halves(grad, dim, xp)
    step = xp.sigmoid(gate)
    return of_values * step + of_gate * values * step * (1 - step)


def _glu_bend(grad: Any, grad0: Any, input: Any, dim: int, xp: Any) -> Any:
    values, gate = _halves(input, dim, xp)
    of_values, of_gate = _halves(grad, dim, xp)
    step = xp.sigmoid(gate)
    slope = step * (1 - step) * grad0
    return xp.cat([of_gate * slope, (of_values + of_gate * values * (1 - step * 2)) * slope], dim)


@op("GluBackwardBackward0", grad0=_glu_along, input=_glu_bend)
def glu_backward(grad0: Array, input: Array, dim: int) -> Array:
    """The gradient of `glu`."""
    values, gate = _halves(input, dim, graph.array_ops)
    step = graph.array_ops.sigmoid(gate)
    passed = grad0 * step
    return np.concatenate([passed, passed * (1 - step) * values], dim)


def glu(input: Tensor, dim: int = -1) -> Tensor:
    """The first half of `input` along `dim`, times the sigmoid of the second half.

    Dauphin and others, "Language modeling with gated convolutional networks", 2017. RuntimeError
    for an odd size, or for no dimensions."""
    check_tensors("glu", input=input)
    shape = input._array.shape
    if not shape:
        raise RuntimeError("glu does not support scalars because halving size must be even")
    at = wrap_dim(dim, len(shape))
    if shape[at] % 2:
        raise RuntimeError(
            f"Halving dimension must be even, but dimension {at} is size {shape[at]}"
        )
    floats_only("glu_cpu", input._array)
    return _glu(input, at)


# --- a learned slope -----------------------------------------------------------------------------


@op(
    "PreluKernelBackward0",
    fused=True,
    input=lambda grad, input, weight, xp: grad * xp.where(input > 0, 1.0, weight),
    weight=lambda grad, input, xp: xp.where(input > 0, 0.0, input * grad),
)
def _prelu(input: Array, weight: Array) -> Array:
    floats_only("prelu_cpu", input)
    return np.where(input > 0, input, input * weight)


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """`input`, and `weight * input` below zero; `weight` is one number, or one for each channel,
    which dimension 1 counts. He and others, "Delving deep into rectifiers", 2015."""
    check_tensors("prelu", input=input, weight=weight)
    array, slopes = input._array, weight._array
    if array.dtype is not slopes.dtype:
        raise RuntimeError(
            f"prelu: Type promoting not supported. Got {scalar_name(array.dtype)} and "
            f"{scalar_name(slopes.dtype)}"
        )
    if slopes.size != 1:
        _check_channels(array, slopes)
    if slopes.ndim > 1:
        raise RuntimeError(
            f"prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = {slopes.ndim}"
        )
    if array.ndim != slopes.ndim:
        shape = tuple(slopes.size if d == 1 else 1 for d in range(array.ndim))
        weight = reshape(weight, shape)
    return _prelu(input, weight)


def _check_channels(input: Array, weight: Array) -> None:
    if not input.ndim:
        raise RuntimeError("Not allow zero-dim input tensor.")
    channels = input.shape[1] if input.ndim > 1 else 1
    if channels != weight.size and weight.ndim < 2:
        raise RuntimeError(
            "Mismatch of parameter numbers and input channel size. Found parameter numbers = "
            f"{weight.size} and channel size = {channels}."
        )


# --- a drawn slope -------------------------------------------------------------------------------


def _drawn_gradient(grad: Any, input: Any, slopes: Any, xp: Any) -> Any:
    return on(rrelu_backward, xp)(grad, input, slopes)


@op(
    "RreluWithNoiseBackward0",
    input=_drawn_gradient,
)
def _rrelu(input: Array, slopes: Array) -> Array:
    return either.contiguous(np.where(input > 0, input, input * slopes))


@op(
    "RreluWithNoiseBackwardBackward0",
    grad0=_drawn_gradient,
    input=lambda grad, xp: xp.zeros_like(grad),
)
def rrelu_backward(grad0: Array, input: Array, slopes: Array) -> Array:
    """The gradient of `rrelu`: the slopes that it used."""
    return grad0 * np.where(input > 0, input.dtype.type(1), slopes)


_rrelu_in_place = Row("RreluWithNoiseBackward1", _rrelu.forward, {"input": _drawn_gradient})


def _slopes(input: Tensor, lower: float, upper: float, training: bool, generator: Any) -> Array:
    """In training a number from [lower, upper) for each element that is not positive, in order,
    and 1 for the others; else the middle of the interval for all."""
    check_tensors("rrelu", input=input)
    array = input._array
    if lower > upper:
        raise RuntimeError("Lower bound should be less than or equal to the upper bound")
    if array.dtype not in (np.float32, np.float64):
        kernel = "rrelu_with_noise_out_cpu" if training else "leaky_relu_cpu"
        if training or array.dtype.kind != "f":
            kind = scalar_name(array.dtype)
            raise NotImplementedError(f"\"{kernel}\" not implemented for '{kind}'")
    if not training:
        return np.asarray((lower + upper) / 2, array.dtype, like=array)
    slopes = either.full(array.shape, 1, array.dtype, array)
    below = array <= 0
    drawn = floats(gpu.index_of(array)).uniform(
        (int(np.count_nonzero(below)),), np.float64, generator
    )
    start, end = float(array.dtype.type(lower)), float(array.dtype.type(upper))
    slopes[below] = drawn * (end - start) + start
    return slopes


def rrelu(
    input: Tensor, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False,
    generator: random.Generator | None = None,
) -> Tensor:  # fmt: skip
    """`input`, and below zero `input` times a slope: in training one drawn from [lower, upper) for
    each element, else the middle. Xu and others, "Empirical evaluation of rectified activations"."""
    return _rrelu(input, _slopes(input, lower, upper, training, generator))


def rrelu_(
    input: Tensor, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False,
    generator: random.Generator | None = None,
) -> Tensor:  # fmt: skip
    """`rrelu` in place."""
    slopes = _slopes(input, lower, upper, training, generator)
    return write(_rrelu_in_place, (input, slopes), _rrelu.forward(input._array, slopes))
