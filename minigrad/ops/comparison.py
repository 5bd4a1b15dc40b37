"""Comparisons and logic: ops whose results have no gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import promotion
from ..autograd.inplace import inplace
from ..autograd.node import wrap
from ..autograd.noted import noted
from ..autograd.row import Op, pointwise
from ..dtypes import scalar_name

Array = Any
Tensor = Any


# --- comparisons ---------------------------------------------------------------------------------


@pointwise(tensors=("input",))
def eq(input: Array, other: Array) -> Array:
    """Whether elements are equal."""
    return input == other


@pointwise(tensors=("input",))
def ne(input: Array, other: Array) -> Array:
    """Whether elements differ."""
    return input != other


@pointwise(tensors=("input",))
def lt(input: Array, other: Array) -> Array:
    """`input < other`."""
    return input < other


@pointwise(tensors=("input",))
def le(input: Array, other: Array) -> Array:
    """`input <= other`."""
    return input <= other


@pointwise(tensors=("input",))
def gt(input: Array, other: Array) -> Array:
    """`input > other`."""
    return input > other


@pointwise(tensors=("input",))
def ge(input: Array, other: Array) -> Array:
    """`input >= other`."""
    return input >= other


@pointwise()
def isnan(input: Array) -> Array:
    """Whether an element is nan."""
    return np.isnan(input)


@pointwise()
def isinf(input: Array) -> Array:
    """Whether an element is infinite."""
    return np.isinf(input)


@pointwise()
def isfinite(input: Array) -> Array:
    """Whether an element is neither infinite nor nan."""
    return np.isfinite(input)


@noted
def isclose(
    input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
) -> Tensor:
    """Whether `|input - other| <= atol + rtol * |other|`, element by element."""
    promotion.check_tensors("isclose", input=input, other=other)
    a, b = input._array, other._array
    _same_dtype(a, b)
    for name, bound in (("rtol", rtol), ("atol", atol)):
        if bound < 0:
            raise RuntimeError(f"{name} must be greater than or equal to zero, but got {bound:g}")
    try:
        return wrap(np.isclose(a, b, rtol, atol, equal_nan))
    except ValueError:
        raise promotion.broadcast_error((a, b)) from None


def allclose(
    input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
) -> bool:
    """Whether `isclose` holds everywhere."""
    promotion.check_tensors("allclose", input=input, other=other)
    return bool(isclose(input, other, rtol, atol, equal_nan)._array.all())


def equal(input: Tensor, other: Tensor) -> bool:
    """Whether both have the same shape and equal elements."""
    promotion.check_tensors("equal", input=input, other=other)
    a, b = input._array, other._array
    return bool(np.array_equal(a, b))


def _same_dtype(a: Array, b: Array) -> None:
    if a.dtype != b.dtype:
        raise RuntimeError(f"{scalar_name(a.dtype)} did not match {scalar_name(b.dtype)}")


# --- logic ---------------------------------------------------------------------------------------


def _whole(name: str, array: Array) -> None:
    if array.dtype.kind == "f":
        raise NotImplementedError(
            f"\"{name}_cpu\" not implemented for '{scalar_name(array.dtype)}'"
        )


@pointwise()
def bitwise_and(input: Array, other: Array) -> Array:
    """`input & other` on integers or bools."""
    _whole("bitwise_and", input)
    return input & other


@pointwise()
def bitwise_or(input: Array, other: Array) -> Array:
    """`input | other` on integers or bools."""
    _whole("bitwise_or", input)
    return input | other


@pointwise()
def bitwise_xor(input: Array, other: Array) -> Array:
    """`input ^ other` on integers or bools."""
    _whole("bitwise_xor", input)
    return input ^ other


@pointwise()
def bitwise_not(input: Array) -> Array:
    """`~input` on integers or bools."""
    _whole("bitwise_not", input)
    return ~input


def invert(input: Tensor) -> Tensor:
    """The operator `~`, which has an error of its own."""
    if input._array.dtype.kind == "f":
        raise TypeError(
            "~ (operator.invert) is only implemented on integer and Boolean-type tensors"
        )
    return bitwise_not(input)


@pointwise()
def logical_not(input: Array) -> Array:
    """Whether an element is zero."""
    return np.logical_not(input)


@pointwise(tensors=("input", "other"))
def logical_and(input: Array, other: Array) -> Array:
    """Whether both elements are nonzero."""
    return np.logical_and(input, other)


@pointwise(tensors=("input", "other"))
def logical_or(input: Array, other: Array) -> Array:
    """Whether one of the elements is nonzero."""
    return np.logical_or(input, other)


@pointwise(tensors=("input", "other"))
def logical_xor(input: Array, other: Array) -> Array:
    """Whether just one of the elements is nonzero."""
    return np.logical_xor(input, other)


# --- in place ------------------------------------------------------------------------------------


def _zeros(grad: Any, xp: Any) -> Any:
    return xp.zeros_like(grad)


def _overwriting(name: str, op: Op) -> Callable[..., Any]:
    """The in-place form of `op`: it leaves nothing of the old values, whose gradient is zero."""
    by_number = inplace(pointwise(f"{name}Backward0", input=_zeros)(op.forward))
    by_tensor = inplace(pointwise(f"{name}Backward1", input=_zeros, other=_zeros)(op.forward))

    def overwrite(input: Tensor, other: Any) -> Tensor:
        return (by_number if isinstance(other, promotion.NUMBERS) else by_tensor)(input, other)

    return overwrite


eq_, ne_ = _overwriting("Eq", eq), _overwriting("Ne", ne)
lt_, le_ = _overwriting("Lt", lt), _overwriting("Le", le)
gt_, ge_ = _overwriting("Gt", gt), _overwriting("Ge", ge)
bitwise_and_, bitwise_or_ = (
    _overwriting("BitwiseAnd", bitwise_and),
    _overwriting("BitwiseOr", bitwise_or),
)
bitwise_xor_ = _overwriting("BitwiseXor", bitwise_xor)
logical_not_ = inplace(pointwise("LogicalNotBackward0", input=_zeros)(logical_not.forward))
logical_and_, logical_or_ = inplace(logical_and), inplace(logical_or)
logical_xor_, bitwise_not_ = inplace(logical_xor), inplace(bitwise_not)
