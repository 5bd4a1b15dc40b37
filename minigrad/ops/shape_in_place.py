"""Shapes changed in place: the Tensor stays the same, what it shows of its memory changes."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.inplace import (
    _before_write,
    _move_retained,
    begin_write,
)
from ..autograd.node import record
from ..autograd.row import Op, op
from .dims import wrap_dim
from .shape import _drop_ones, _put_back

Array = Any
Tensor = Any


def _changed(change: Op, input: Tensor, *args: Any) -> Tensor:
    """`input` itself in another shape: its memory stays, its version rises."""
    recording = begin_write(input)
    before, edge = _before_write(change.row, input), input._edge
    input._array = change.forward(input._array, *args)
    if recording:
        record(change.row, [before, *args], [input])
        _move_retained(edge, input)
    input._bump_version()
    if recording and input._view is not None:
        input._view.version = input._version_counter[0]  # else a piece of its base from now on
    return input


@op(
    "SqueezeBackward3",
    input=lambda grad, input_shape, xp: _put_back(grad, input_shape, range(len(input_shape)), xp),
)
def _squeeze_all(input: Array) -> Array:
    return _drop_ones(input, range(input.ndim))


@op(
    "SqueezeBackward4",
    input=lambda grad, input_shape, dim, xp: _put_back(grad, input_shape, [dim], xp),
)
def _squeeze_dim(input: Array, dim: int) -> Array:
    return _drop_ones(input, [dim])


@op(
    "SqueezeBackward5",
    input=lambda grad, input_shape, dims, xp: _put_back(grad, input_shape, dims, xp),
)
def _squeeze_dims(input: Array, dims: tuple[int, ...]) -> Array:
    return _drop_ones(input, dims)


@op("UnsqueezeBackward1", input=lambda grad, dim, xp: xp.squeeze(grad, dim))
def _unsqueeze(input: Array, dim: int) -> Array:
    return np.expand_dims(input, dim)


@op("TBackward1", input=lambda grad, xp: xp.t(grad))
def _t(input: Array) -> Array:
    return input.T


@op(
    "TransposeBackward1",
    input=lambda grad, dim0, dim1, xp: xp.transpose(grad, dim0, dim1) if grad.ndim else grad,
)
def _transpose(input: Array, dim0: int, dim1: int) -> Array:
    return input.swapaxes(dim0, dim1) if input.ndim else input


def squeeze_(input: Tensor, dim: Any = None) -> Tensor:
    """`squeeze` in place."""
    begin_write(input)  # here and below: that it may be changed at all comes before its dimensions
    ndim = input._array.ndim
    if dim is None:
        return _changed(_squeeze_all, input)
    if isinstance(dim, (list, tuple)):
        return _changed(_squeeze_dims, input, tuple(wrap_dim(d, ndim) for d in dim))
    return _changed(_squeeze_dim, input, wrap_dim(dim, ndim))


def unsqueeze_(input: Tensor, dim: int) -> Tensor:
    """`unsqueeze` in place."""
    begin_write(input)
    return _changed(_unsqueeze, input, wrap_dim(dim, input._array.ndim + 1))


def t_(input: Tensor) -> Tensor:
    """`t` in place."""
    begin_write(input)
    ndim = input._array.ndim
    if ndim > 2:
        raise RuntimeError(f"t_() expects a tensor with <= 2 dimensions, but self is {ndim}D")
    return _changed(_t, input)


def transpose_(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """`transpose` in place."""
    begin_write(input)
    ndim = input._array.ndim
    return _changed(_transpose, input, wrap_dim(dim0, ndim), wrap_dim(dim1, ndim))


def swapdims_(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """`swapdims` in place."""
    return transpose_(input, dim0, dim1)


def swapaxes_(input: Tensor, axis0: int, axis1: int) -> Tensor:
    """`swapaxes` in place."""
    return transpose_(input, axis0, axis1)
