"""Arithmetic with a Python number where PyTorch's own C++ does it.

`tensor + 1` in a script is recorded as `AddBackward0`, for the number becomes a Tensor first. A
function that PyTorch composes in C++ adds the number itself, and leaves `AddBackward1`; likewise
for differences, products and quotients. The functions here serve those compositions; `scale` in
`arithmetic.py` is the product for formulas, of floats alone.
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


@pointwise("MulBackward1", input=lambda grad, number: grad * number)
def times(input: Array, number: Array) -> Array:
    """`input * number`; integers become floats if the number is one."""
    return input * number


@pointwise("DivBackward1", input=lambda grad, number: grad / number)
def over(input: Array, number: Array) -> Array:
    """`input / number`."""
    return input / number
