"""Shifts of the bits of integers."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.inplace import inplace
from ..autograd.row import pointwise
from ..promotion import whole_only

Array = Any
Tensor = Any


@pointwise()
def bitwise_left_shift(input: Array, other: Array) -> Array:
    """`input << other` on integers: `input * 2**other`, without the bits that do not fit."""
    whole_only("lshift_cpu", input)
    bits = input.dtype.itemsize * 8
    fits = (other >= 0) & (other < bits)
    return np.where(fits, np.left_shift(input, np.where(fits, other, 0)), 0).astype(input.dtype)


@pointwise()
def bitwise_right_shift(input: Array, other: Array) -> Array:
    """`input >> other` on integers: `input / 2**other` rounded down."""
    whole_only("rshift_cpu", input)
    last = input.dtype.itemsize * 8 - (input.dtype.kind == "i")
    amount = np.where((other < 0) | (other > last), last, other).astype(other.dtype)
    if input.dtype.kind == "u":
        return np.where(amount == last, 0, np.right_shift(input, amount % last)).astype(input.dtype)
    return np.right_shift(input, amount)


def left_shifted_by(input: Tensor, other: Any) -> Tensor:
    """`other << input`: what the operator does with a number on the left."""
    return bitwise_left_shift(other, input)


def right_shifted_by(input: Tensor, other: Any) -> Tensor:
    """`other >> input`: what the operator does with a number on the left."""
    return bitwise_right_shift(other, input)


bitwise_left_shift_, bitwise_right_shift_ = (
    inplace(bitwise_left_shift), inplace(bitwise_right_shift)
)  # fmt: skip
