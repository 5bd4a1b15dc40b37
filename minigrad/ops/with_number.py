"""Arithmetic with a Python number where PyTorch's own C++ does it.

`tensor + 1` in a script is recorded as `AddBackward0`, for the number becomes a Tensor first. A
function that PyTorch composes in C++ adds the number itself, and leaves `AddBackward1`; likewise
for differences and quotients (`scale`, in `arithmetic.py`, is the product). The functions here
serve those compositions: the losses.
"""

from __future__ import annotations

from typing import Any

from ..autograd.row import pointwise

Array = Any


@pointwise("AddBackward1", input=lambda grad: grad)
def plus(input: Array, number: Array) -> Array:
    """`input + number`."""
    return input + number


@pointwise("SubBackward1", input=lambda grad: grad)
def minus(input: Array, number: Array) -> Array:
    """`input - number`."""
    return input - number


@pointwise("DivBackward1", input=lambda grad, number: grad / number)
def over(input: Array, number: Array) -> Array:
    """`input / number`."""
    return input / number
