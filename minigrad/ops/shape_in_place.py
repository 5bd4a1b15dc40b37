"""Shapes changed in place: the Tensor stays the same, what it shows of its memory changes."""

from __future__ import annotations

from typing import Any

from ..autograd.inplace import (
    _before_write,
    _move_retained,
    begin_write,
)
from ..autograd.node import record
from ..autograd.row import Op, op
from . import shape
from .dims import distinct_dims, wrap_dim

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


def _twin(name: str, view: Op) -> Op:
    """The row of a view's form in place: the same mathematics, whose node has another name."""
    row = view.row
    formulas: dict[str, Any] = {
        row.parameters[i]: f for i, (f, _) in zip(row.inputs, row.formulas, strict=True)
    }
    return op(name, **formulas)(view.forward)


_squeeze_all = _twin("SqueezeBackward3", shape._squeeze_all)
_squeeze_dim = _twin("SqueezeBackward4", shape._squeeze_dim)
_squeeze_dims = _twin("SqueezeBackward5", shape._squeeze_dims)
_unsqueeze = _twin("UnsqueezeBackward1", shape._unsqueeze)
_t = _twin("TBackward1", shape._t)
_transpose = _twin("TransposeBackward1", shape._transpose)


def squeeze_(input: Tensor, dim: Any = None) -> Tensor:
    """`squeeze` in place."""
    begin_write(input)  # here and below: that it may be changed at all comes before its dimensions
    ndim = input._array.ndim
    if dim is None:
        return _changed(_squeeze_all, input)
    if isinstance(dim, (list, tuple)):
        return _changed(_squeeze_dims, input, distinct_dims(dim, ndim))
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
