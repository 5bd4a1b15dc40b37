"""What a number is made of: exponents and fractions, signs, real parts; and membership in a set."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import either, return_types
from ..autograd.inplace import inplace
from ..autograd.node import wrap
from ..autograd.noted import noted
from ..autograd.out import into
from ..autograd.row import op, pointwise
from ..dtypes import scalar_name
from ..promotion import check_tensors, floats_only, operands

Array = Any
Tensor = Any

# --- powers of two -------------------------------------------------------------------------------


@pointwise(
    "LdexpBackward0",
    to_float=True,
    tensors=("input", "other"),
    input=lambda grad, other, xp: grad * xp.exp2(other * 1.0),
    other=lambda grad, result: grad * result * math.log(2.0),
)
def ldexp(input: Array, other: Array) -> Array:
    """`input * 2**other`."""
    with np.errstate(over="ignore"):
        return input * np.exp2(other)


@op(
    "FrexpBackward0",
    input=lambda grad, result1, xp: grad * xp.exp2(xp.as_float(-result1, grad)),
)
def _frexp(input: Array) -> tuple[Array, Array]:
    return np.frexp(input)


def frexp(input: Tensor, *, out: Any = None) -> Any:
    """(mantissa, exponent) with `input = mantissa * 2**exponent` and mantissas in [1/2, 1)."""
    if out is not None:
        return into(out, frexp, input, exact=True)
    check_tensors("frexp", input=input)
    if input._array.dtype.kind != "f":
        raise RuntimeError("torch.frexp() only supports floating-point dtypes")
    return return_types.frexp(*_frexp(input))


@pointwise(
    "NextafterBackward0",
    tensors=("input", "other"),
    input=lambda grad, input, other, xp: xp.keep(grad, input != other),
    other=lambda grad, xp: xp.zeros_like(grad),
)
def nextafter(input: Array, other: Array) -> Array:
    """The number next to `input` in the direction of `other`."""
    floats_only("nextafter_cpu", input)
    return np.nextafter(input, other)


# --- signs of infinity ---------------------------------------------------------------------------


def isposinf(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Where the elements are +inf."""
    if out is not None:
        return into(out, isposinf, input)
    check_tensors("isposinf", input=input)
    return wrap(input._array == math.inf)


def isneginf(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Where the elements are -inf."""
    if out is not None:
        return into(out, isneginf, input)
    check_tensors("isneginf", input=input)
    return wrap(input._array == -math.inf)


# --- real numbers among complex ones -------------------------------------------------------------


def isreal(input: Tensor) -> Tensor:
    """Where the elements are real numbers: everywhere, as there are no others here."""
    check_tensors("isreal", input=input)
    return wrap(either.full(input._array.shape, True, bool, input._array))


def real(input: Tensor) -> Tensor:
    """The real part: `input` itself."""
    check_tensors("real", input=input)
    return input


def conj(input: Tensor) -> Tensor:
    """The complex conjugate: `input` itself."""
    check_tensors("conj", input=input)
    return input


def conj_physical(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The complex conjugate: `input` itself."""
    if out is not None:
        return into(out, conj_physical, input)
    check_tensors("conj_physical", input=input)
    return input


def conj_physical_(input: Tensor) -> Tensor:
    """The complex conjugate in place: nothing to do, but it counts as a change."""
    input._bump_version()
    return input


def resolve_conj(input: Tensor) -> Tensor:
    """`input` itself, since there is no lazy conjugate."""
    check_tensors("resolve_conj", input=input)
    return input


def resolve_neg(input: Tensor) -> Tensor:
    """`input` itself, since there is no lazy negation."""
    check_tensors("resolve_neg", input=input)
    return input


@pointwise("AngleBackward0", to_float=True, input=lambda grad: grad * 0)
def angle(input: Array) -> Array:
    """The angle in the complex plane: 0, or pi for negative numbers."""
    half_turn = np.where(input < 0, input.dtype.type(math.pi), input.dtype.type(0))
    return np.where(np.isnan(input), input, half_turn)


# --- membership ----------------------------------------------------------------------------------


@noted
def isin(
    elements: Any, test_elements: Any, *, assume_unique: bool = False, invert: bool = False,
    out: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """Where `elements` are among `test_elements` (`invert`: are not); one may be a number."""
    if out is not None:
        return into(out, isin, elements, test_elements, assume_unique=assume_unique, invert=invert)
    a, b = (t._array for t in operands(isin, (elements, test_elements), False))
    for array in (a, b):
        if array.dtype == bool or array.dtype == np.float16:
            raise RuntimeError(
                "Unsupported input type encountered for isin(): " + scalar_name(array.dtype)
            )
    return wrap(either.as_array(np.isin(a, b, assume_unique=False, invert=invert)))


ldexp_, nextafter_ = inplace(ldexp), inplace(nextafter)
