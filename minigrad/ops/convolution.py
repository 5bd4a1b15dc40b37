"""Convolutions and transposed convolutions of signals, images and volumes.

A convolution is linear in its input and in its kernel, so three maps, whose derivatives are one
another, give derivatives of every order: `convolve`, `convolve_input` (the gradient of the input)
and `convolve_weight` (that of the kernel). How arrays are convolved is in `convolution_kernel.py`;
here are the rows, and the functions that users call, whose arguments `convolution_checks.py` reads.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..autograd.row import op
from ..dtypes import FLOAT16, FLOAT32
from . import convolution_kernel as kernel
from .convolution_checks import checked, checked_transposed, padded_same
from .convolution_kernel import Geometry, Shape
from .shape import squeeze, unsqueeze

Array = Any
Tensor = Any


@op(
    "SumBackward1",
    grad0=lambda grad, grad0_shape, xp: xp.expand(
        xp.reshape(grad, (1, -1, *[1] * (len(grad0_shape) - 2))), tuple(grad0_shape)
    ),
)
def sum_per_channel(grad0: Array) -> Array:
    """The gradient of a bias: the sum over samples and places. (`sum_dim`, which has PyTorch's
    last bit, takes four times as long; PyTorch's convolutions add in another order anyway.)"""
    rows = _wide(grad0).reshape(*grad0.shape[:2], math.prod(grad0.shape[2:]))
    out = np.add.reduce(np.add.reduce(rows, axis=2), axis=0)
    return out.astype(grad0.dtype, copy=False)


def _biased(out: Array, bias: Array | None) -> Array:
    if bias is not None:
        out += bias.reshape(-1, *[1] * (out.ndim - 2))
    return out


def _wide(array: Array) -> Array:
    """float16 is computed as float32, and rounded once at the end."""
    return array.astype(FLOAT32) if array.dtype is FLOAT16 else array


@op(
    "ConvolutionBackward0",
    input=lambda grad, input, weight, geometry, xp: xp.convolve_input(
        grad, input, weight, geometry
    ),
    weight=lambda grad, input, weight, geometry, xp: xp.convolve_weight(
        grad, input, weight, geometry
    ),
    bias=lambda grad, xp: xp.sum_per_channel(grad),
)
def _convolution(input: Array, weight: Array, bias: Array | None, geometry: Geometry) -> Array:
    out = _biased(kernel.convolution(_wide(input), _wide(weight), geometry), bias)
    return out.astype(input.dtype, copy=False)


@op(
    "ConvolutionBackward0",
    input=lambda grad, weight, geometry, xp: xp.convolve(grad, weight, geometry),
    weight=lambda grad, input, weight, geometry, xp: xp.convolve_weight(
        input, grad, weight, geometry
    ),
    bias=lambda grad, xp: xp.sum_per_channel(grad),
)
def _transposed_convolution(
    input: Array, weight: Array, bias: Array | None, shape: Shape, geometry: Geometry
) -> Array:
    """The gradient of the input of a convolution whose output is our input."""
    out = _biased(kernel.input_gradient(_wide(input), _wide(weight), shape, geometry), bias)
    return out.astype(input.dtype, copy=False)


def _not_through_here(grad: Any) -> None:
    """Each of the two gradients below is linear in what it is the gradient of, so it does not
    depend on it. It is an argument for its shape, and since PyTorch's node has an edge to it."""
    return


@op(
    "ConvolutionBackwardBackward0",
    grad0=lambda grad, weight, geometry, xp: xp.convolve(grad, weight, geometry),
    input=_not_through_here,
    weight=lambda grad, grad0, weight, geometry, xp: xp.convolve_weight(
        grad0, grad, weight, geometry
    ),
)
def convolve_input(grad0: Array, input: Array, weight: Array, geometry: Geometry) -> Array:
    """The gradient of a convolution's input; `grad0` is that of its output."""
    out = kernel.input_gradient(_wide(grad0), _wide(weight), input.shape, geometry)
    return out.astype(grad0.dtype, copy=False)


@op(
    "ConvolutionBackwardBackward0",
    grad0=lambda grad, input, geometry, xp: xp.convolve(input, grad, geometry),
    input=lambda grad, grad0, input, geometry, xp: xp.convolve_input(grad0, input, grad, geometry),
    weight=_not_through_here,
)
def convolve_weight(grad0: Array, input: Array, weight: Array, geometry: Geometry) -> Array:
    """The gradient of a convolution's kernel; `grad0` is that of its output."""
    out = kernel.weight_gradient(_wide(grad0), _wide(input), weight.shape, geometry)
    return out.astype(grad0.dtype, copy=False)


def convolve(input: Tensor, weight: Tensor, geometry: Geometry) -> Tensor:
    """A convolution without bias whose arguments are known to fit."""
    return _convolution(input, weight, None, geometry)


def convolve_array(input: Array, weight: Array, geometry: Geometry) -> Array:
    return _convolution.forward(input, weight, None, geometry)


# --- what users call -----------------------------------------------------------------------------


def conv1d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Any = 1, padding: Any = 0,
    dilation: Any = 1, groups: int = 1,
) -> Tensor:  # fmt: skip
    """A convolution (without flipping the kernel: a cross-correlation) of signals.

    Shapes (batch, channels, length) or (channels, length), weight (out_channels, channels /
    groups, kernel), bias (out_channels). `padding` is a number of zeros, "valid" (none), or "same"
    (the output is as long as the input). All of one dtype.

    Raises:
        RuntimeError: shapes or dtypes do not fit, or the kernel is larger than the padded input.
        TypeError: an argument is of the wrong type.
    """
    return _convolved("conv1d", 1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Any = 1, padding: Any = 0,
    dilation: Any = 1, groups: int = 1,
) -> Tensor:  # fmt: skip
    """`conv1d` for images: (batch, channels, height, width), with a number or a pair of numbers
    for `stride`, `padding` and `dilation`."""
    return _convolved("conv2d", 2, input, weight, bias, stride, padding, dilation, groups)


def conv3d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Any = 1, padding: Any = 0,
    dilation: Any = 1, groups: int = 1,
) -> Tensor:  # fmt: skip
    """`conv1d` for volumes: (batch, channels, depth, height, width)."""
    return _convolved("conv3d", 3, input, weight, bias, stride, padding, dilation, groups)


def _convolved(
    name: str, dims: int, input: Tensor, weight: Tensor, bias: Tensor | None, stride: Any,
    padding: Any, dilation: Any, groups: int,
) -> Tensor:  # fmt: skip
    geometry, extra = checked(name, dims, input, weight, bias, stride, padding, dilation, groups)
    single = input._array.ndim == dims + 1
    batch = unsqueeze(input, 0) if single else input
    if extra:
        batch = padded_same(batch, extra)
    out = _convolution(batch, weight, bias, geometry)
    return squeeze(out, 0) if single else out


def conv_transpose1d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Any = 1, padding: Any = 0,
    output_padding: Any = 0, groups: int = 1, dilation: Any = 1,
) -> Tensor:  # fmt: skip
    """The transposed convolution of signals: the gradient that `conv1d` with these arguments hands
    to its input. weight has shape (channels, out_channels / groups, kernel).

    Several lengths of input give `conv1d` the same length of output: `output_padding` is added to
    the shortest of them.

    Raises:
        RuntimeError: shapes or dtypes do not fit, or the output would be empty.
        TypeError: an argument is of the wrong type.
    """
    sizes = stride, padding, output_padding, dilation
    return _transposed("conv_transpose1d", 1, input, weight, bias, *sizes, groups)


def conv_transpose2d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Any = 1, padding: Any = 0,
    output_padding: Any = 0, groups: int = 1, dilation: Any = 1,
) -> Tensor:  # fmt: skip
    """`conv_transpose1d` for images."""
    sizes = stride, padding, output_padding, dilation
    return _transposed("conv_transpose2d", 2, input, weight, bias, *sizes, groups)


def conv_transpose3d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Any = 1, padding: Any = 0,
    output_padding: Any = 0, groups: int = 1, dilation: Any = 1,
) -> Tensor:  # fmt: skip
    """`conv_transpose1d` for volumes."""
    sizes = stride, padding, output_padding, dilation
    return _transposed("conv_transpose3d", 3, input, weight, bias, *sizes, groups)


def _transposed(
    name: str, dims: int, input: Tensor, weight: Tensor, bias: Tensor | None, stride: Any,
    padding: Any, output_padding: Any, dilation: Any, groups: int,
) -> Tensor:  # fmt: skip
    geometry, shape = checked_transposed(
        name, dims, input, weight, bias, stride, padding, output_padding, dilation, groups
    )
    single = input._array.ndim == dims + 1
    batch = unsqueeze(input, 0) if single else input
    out = _transposed_convolution(batch, weight, bias, shape, geometry)
    return squeeze(out, 0) if single else out
