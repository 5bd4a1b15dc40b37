"""Arithmetic: sums, products, quotients and powers, and the operators' in-place forms.

This is the place to see what a row of the table looks like: `mul` and `_true_divide` are a line of
a table of derivatives each. Inputs broadcast against each other and are brought to one dtype; the
engine undoes both for their gradients. Where PyTorch has an option (`alpha`, `rounding_mode`) or
another node for numbers than for Tensors, a function with PyTorch's name chooses the row.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import either, promotion
from ..autograd.inplace import inplace, write
from ..autograd.node import unwrap
from ..autograd.out import into
from ..autograd.row import op, pointwise
from ..dtypes import default_dtype
from ..promotion import NUMBERS

Array = Any
Tensor = Any

# --- sums and products ---------------------------------------------------------------------------


@pointwise("AddBackward0", input=lambda grad: grad, other=lambda grad: grad)
def _add(input: Array, other: Array) -> Array:
    return input + other


@pointwise("AddBackward0", input=lambda grad: grad, other=lambda grad, alpha: grad * alpha)
def _add_scaled(input: Array, other: Array, alpha: Array) -> Array:
    return input + other * alpha


@pointwise("SubBackward0", input=lambda grad: grad, other=lambda grad: -grad)
def _sub(input: Array, other: Array) -> Array:
    return input - other


@pointwise("SubBackward0", input=lambda grad: grad, other=lambda grad, alpha: grad * -alpha)
def _sub_scaled(input: Array, other: Array, alpha: Array) -> Array:
    return input - other * alpha


@pointwise("RsubBackward0", input=lambda grad: -grad, other=lambda grad: grad)
def _rsub(input: Array, other: Array) -> Array:
    return other - input


@pointwise("RsubBackward1", input=lambda grad: -grad)
def _rsub_number(input: Array, other: Array) -> Array:
    return other - input


@pointwise(
    "MulBackward0",
    input=lambda grad, other: grad * other,
    other=lambda grad, input: grad * input,
)
def mul(input: Array, other: Array) -> Array:
    """`input * other`, element by element."""
    return input * other


@op("MulBackward1", input=lambda grad, number, xp: xp.scale(grad, number))
def scale(input: Array, number: float) -> Array:
    """`input` times a number, in a formula: PyTorch records this as a node of its own."""
    return input * promotion.number_like(number, input)._array


@pointwise("NegBackward0", input=lambda grad: -grad)
def _neg(input: Array) -> Array:
    return -input


def add(input: Tensor, other: Tensor, *, alpha: Any = 1, out: Tensor | None = None) -> Tensor:
    """`input + alpha * other`."""
    if out is not None:
        return into(out, add, input, other, alpha=alpha)
    if type(alpha) is int and alpha == 1:
        return _add(input, other)
    return _add_scaled(input, other, _checked_alpha(input, other, alpha))


def sub(input: Tensor, other: Tensor, *, alpha: Any = 1, out: Tensor | None = None) -> Tensor:
    """`input - alpha * other`."""
    if out is not None:
        return into(out, sub, input, other, alpha=alpha)
    try:
        if input._array.dtype is not other._array.dtype:
            _no_bools(input, other)
    except AttributeError:
        _no_bools(input, other)
    if type(alpha) is int and alpha == 1:
        try:
            return _sub(input, other)
        except TypeError:  # NumPy's, which has no subtraction of bools either
            _no_bools(input, other)
            raise
    _no_bools(input, other)
    return _sub_scaled(input, other, _checked_alpha(input, other, alpha))


def rsub(input: Tensor, other: Any, *, alpha: Any = 1) -> Tensor:
    """`other - alpha * input`: for a number on the left, PyTorch has a node of its own."""
    if not hasattr(input, "_array"):
        raise promotion.not_a_tensor("rsub", "input", 1, input)
    _no_bools(input, other)
    if type(alpha) is not int or alpha != 1:
        return rsub(mul(input, _checked_alpha(input, other, alpha)), other)
    return _rsub_number(input, other) if isinstance(other, NUMBERS) else _rsub(input, other)


def _no_bools(input: Any, other: Any) -> None:
    kinds = _kinds(input, other)
    if kinds == ["b", "b"]:
        raise RuntimeError(TWO_BOOLS)
    if "b" in kinds:
        raise RuntimeError(f"Subtraction, the `-` operator, with a bool {NO_BOOL}")


def _kinds(*operands: Any) -> list[str]:
    """Of each operand, whether it is of bools ("b"), integers ("i", "u") or floats ("f")."""
    numbers = [
        either.as_array(unwrap(t))
        for t in operands
        if isinstance(t, NUMBERS) or hasattr(t, "_array")
    ]
    return [n.dtype.kind for n in numbers]


TWO_BOOLS = (
    "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or "
    "`logical_xor()` operator instead."
)
NO_BOOL = (
    "tensor is not supported. If you are trying to invert a mask, use the `~` or `logical_not()` "
    "operator instead."
)


def _checked_alpha(input: Tensor, other: Any, alpha: Any) -> Any:
    kinds = _kinds(input, other)
    if isinstance(alpha, float) and "f" not in kinds:
        raise RuntimeError(
            "For integral input tensors, argument alpha must not be a floating point number."
        )
    if isinstance(alpha, bool) and kinds != ["b", "b"]:
        raise RuntimeError("Boolean alpha only supported for Boolean results.")
    return bool(alpha) if kinds == ["b", "b"] else alpha


def neg(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """`-input`."""
    if out is not None:
        return into(out, neg, input)
    return _negated(_neg, input)


def neg_(input: Tensor) -> Tensor:
    """`neg` in place."""
    return _negated(_neg_, input)


def _negated(negate: Any, input: Any) -> Tensor:
    try:
        return negate(input)
    except TypeError:  # NumPy's, which does not negate bools either
        if "b" in _kinds(input):
            raise RuntimeError(f"Negation, the `-` operator, on a bool {NO_BOOL}") from None
        raise


def positive(input: Tensor) -> Tensor:
    """`+input`: the Tensor itself."""
    if unwrap(input).dtype == bool:
        raise RuntimeError("The `+` operator, on a bool tensor is not supported.")
    return input


# --- quotients -----------------------------------------------------------------------------------


@pointwise(
    "DivBackward0",
    to_float=True,
    input=lambda grad, other: grad / other,
    other=lambda grad, input, other: -grad * ((input / other) / other),
)
def _true_divide(input: Array, other: Array) -> Array:
    return input / other


@pointwise(
    "ReciprocalBackward0", to_float=True, input=lambda grad, result: -grad * (result * result)
)
def reciprocal(input: Array) -> Array:
    """`1 / input`."""
    return 1 / input


def _zeros(grad: Any, xp: Any) -> Any:
    return xp.zeros_like(grad)


@pointwise("DivBackward2", input=_zeros, other=_zeros)
def _floored(input: Array, other: Array) -> Array:
    return _floor_quotient(input, other)


@pointwise("DivBackward2", input=_zeros, other=_zeros)
def _truncated(input: Array, other: Array) -> Array:
    if input.dtype.kind == "f":
        return np.trunc(input / other)
    _no_whole_division_by_zero(input, other)
    return np.subtract(input, np.fmod(input, other)) // other


def _floor_quotient(input: Array, other: Array) -> Array:
    """The floor of a quotient; NumPy's own gives nan where a float is divided by zero."""
    _not_for_bools("div_floor_cpu", input)
    _no_whole_division_by_zero(input, other)
    quotient = np.floor_divide(input, other)
    if input.dtype.kind == "f" and not np.all(other):
        return np.where(other == 0, input / other, quotient)
    return quotient


def _not_for_bools(kernel: str, array: Array) -> None:
    if array.dtype == bool:
        raise NotImplementedError(f"\"{kernel}\" not implemented for 'Bool'")


def _no_whole_division_by_zero(input: Array, other: Array) -> None:
    if input.dtype.kind != "f" and not np.all(other):
        raise RuntimeError("ZeroDivisionError")


def div(
    input: Tensor, other: Tensor, *, rounding_mode: str | None = None, out: Tensor | None = None
) -> Tensor:
    """`input / other`; with `rounding_mode` "floor" or "trunc" rounded to a whole number."""
    if out is not None:
        return into(out, div, input, other, rounding_mode=rounding_mode)
    if rounding_mode is None:
        return _true_divide(input, other)
    return _rounded(rounding_mode)(input, other)


def _rounded(rounding_mode: str) -> Any:
    if rounding_mode not in ("floor", "trunc"):
        raise RuntimeError(
            f"div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '{rounding_mode}'"
        )
    return _floored if rounding_mode == "floor" else _truncated


def rdiv(input: Tensor, other: Any) -> Tensor:
    """`other / input`, as PyTorch records it: a reciprocal, then a product."""
    return mul(reciprocal(input), other)


def _not_implemented(name: str) -> Any:
    """The formula of a derivative that PyTorch does not have."""

    def formula(grad: Any) -> Any:
        raise RuntimeError(f"derivative for aten::{name} is not implemented")

    return formula


@op("torch::autograd::NotImplemented", tensors=_not_implemented("floor_divide"))
def _floor_divide(tensors: Any, input: Array, other: Array) -> Array:
    return _broadcast(_floor_quotient, input, other)


@op("torch::autograd::NotImplemented", tensors=_not_implemented("remainder"))
def _remainder_of_number(tensors: Any, input: Array, other: Array) -> Array:
    return _broadcast(_rest, input, other)


def _broadcast(forward: Any, *arrays: Array) -> Array:
    arrays = tuple(promotion.promoted(arrays))
    try:
        return forward(*arrays)
    except ValueError:
        raise promotion.broadcast_error(arrays) from None


def _rest(input: Array, other: Array) -> Array:
    _not_for_bools("remainder_cpu", input)
    _no_whole_division_by_zero(input, other)
    if input.dtype.kind != "f":
        return np.remainder(input, other)
    rest = np.fmod(input, other)  # the sign of a zero is the dividend's, unlike np.remainder's
    return np.where((rest != 0) & ((rest < 0) != (other < 0)), rest + other, rest)


@pointwise("RemainderBackward0", input=lambda grad: grad)
def _remainder_by_number(input: Array, other: Array) -> Array:
    return _rest(input, other)


@pointwise(
    "RemainderBackward1",
    input=lambda grad: grad,
    other=lambda grad, input, other, xp: -grad * xp.floor_quotient(input, other),
)
def _remainder(input: Array, other: Array) -> Array:
    return _rest(input, other)


def floor_quotient(input: Tensor, other: Tensor) -> Tensor:
    """`div(input, other, rounding_mode="floor")`, for formulas."""
    return _floored(input, other)


def floor_divide(input: Tensor, other: Any, *, out: Tensor | None = None) -> Tensor:
    """The quotient rounded towards minus infinity; PyTorch has no derivative for it."""
    if out is not None:
        return into(out, floor_divide, input, other)
    pair = promotion.operands(floor_divide, (input, other), False)
    return _floor_divide([t for t in pair if t._requires_grad], *pair)


def remainder(input: Any, other: Any, *, out: Tensor | None = None) -> Tensor:
    """The rest of floor division; its sign is the divisor's."""
    if out is not None:
        return into(out, remainder, input, other)
    if isinstance(other, NUMBERS):
        promotion.check_tensors("remainder", input=input)
        return _remainder_by_number(input, other)
    if isinstance(input, NUMBERS):
        pair = promotion.operands(remainder, (input, other), False)
        return _remainder_of_number([t for t in pair if t._requires_grad], *pair)
    return _remainder(input, other)


# --- powers --------------------------------------------------------------------------------------


def raised(input: Array, exponent: Any) -> Array:
    """`input ** exponent`; small whole exponents as products, which are far faster."""
    if either.is_array(exponent):
        return np.power(input, exponent)
    if exponent == 2:
        return input * input
    if exponent == 3:
        return input * input * input
    if exponent == 1 and input.dtype != bool:
        return np.positive(input)  # a copy that lies in memory as other results do
    if input.dtype.kind == "f" and exponent in (0.5, -0.5, -1, -2):
        if exponent == -2:
            return 1 / (input * input)
        root = input if exponent == -1 else np.sqrt(input)
        return root if exponent == 0.5 else 1 / root
    return np.power(input, exponent)


def _power_gradient(grad: Any, input: Any, exponent: Any, xp: Any) -> Any:
    if exponent == 0:
        return xp.zeros_like(grad)
    return grad * xp.scale(xp.pow(input, exponent + -1), exponent)


@op("PowBackward0", input=_power_gradient)
def _pow_number(input: Array, exponent: Any) -> Array:
    if exponent == 2 and input.dtype.kind == "f":
        return input * input
    if input.dtype.kind != "f":
        if isinstance(exponent, (float, np.floating)):
            return raised(input.astype(default_dtype()), float(exponent))
        if exponent < 0:
            raise RuntimeError("Integers to negative integer powers are not allowed.")
        if input.dtype == bool:
            input = input.astype(bool if isinstance(exponent, bool) else np.int64)
    return either.as_array(
        raised(input, input.dtype.type(exponent) if input.ndim else exponent)
    ).astype(input.dtype, copy=False)


def _exponent_gradient(grad: Any, input: Any, exponent: Any, result: Any, xp: Any) -> Any:
    return grad * xp.where((input == 0) & (exponent >= 0), 0.0, result * xp.log(input))


@pointwise(
    "PowBackward1",
    input=lambda grad, input, exponent, xp: xp.where(
        exponent == 0, 0.0, grad * (exponent * xp.pow(input, exponent + -1))
    ),
    exponent=_exponent_gradient,
)
def _pow_tensor(input: Array, exponent: Array) -> Array:
    return _whole_or_float_power(input, exponent)


@pointwise("PowBackward2", exponent=_exponent_gradient)
def _pow_of_number(input: Array, exponent: Array) -> Array:
    return _whole_or_float_power(input, exponent)


def _whole_or_float_power(input: Array, exponent: Array) -> Array:
    _not_for_bools("pow", input)
    if input.dtype.kind == "i" and np.any(exponent < 0):  # C++ truncates: only 1 and -1 are left
        unit = np.where((input == -1) & (exponent % 2 == 0), 1, np.where(abs(input) == 1, input, 0))
        whole = np.power(input, np.maximum(exponent, 0))
        return np.where(exponent < 0, unit, whole).astype(input.dtype)
    return np.power(input, exponent).astype(input.dtype, copy=False)


def pow(input: Any, exponent: Any, *, out: Tensor | None = None) -> Tensor:
    """`input ** exponent`; either may be a number."""
    if out is not None:
        return into(out, pow, input, exponent)
    if isinstance(exponent, NUMBERS):
        if not hasattr(input, "_array"):
            raise promotion.not_a_tensor("pow", "input", 1, input)
        return _pow_number(input, exponent)
    return (_pow_of_number if isinstance(input, NUMBERS) else _pow_tensor)(input, exponent)


def rpow(input: Tensor, other: Any) -> Tensor:
    """`other ** input`."""
    return pow(other, input)


def square(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """`input ** 2`."""
    if out is not None:
        return into(out, square, input)
    return pow(input, 2)


@pointwise(
    "SqrtBackward0", to_float=True, input=lambda grad, result, xp: grad / xp.scale(result, 2)
)
def sqrt(input: Array) -> Array:
    """The square root; nan below zero."""
    return np.sqrt(input)


# --- in place ------------------------------------------------------------------------------------

_add_, _sub_, _add_scaled_, _sub_scaled_ = (
    inplace(f) for f in (_add, _sub, _add_scaled, _sub_scaled)
)
mul_, _div_, _neg_, reciprocal_, sqrt_ = (
    inplace(f) for f in (mul, _true_divide, _neg, reciprocal, sqrt)
)
floor_divide_ = inplace(
    pointwise("torch::autograd::NotImplemented", input=_not_implemented("floor_divide_"))(
        _floor_quotient
    )
)
_floored_, _truncated_ = inplace(_floored), inplace(_truncated)
_remainder_by_number_, _remainder_, _pow_tensor_ = (
    inplace(_remainder_by_number), inplace(_remainder), inplace(_pow_tensor)
)  # fmt: skip


def add_(input: Tensor, other: Any, *, alpha: Any = 1) -> Tensor:
    """`input += alpha * other`."""
    if type(alpha) is int and alpha == 1:
        return _add_(input, other)
    return _add_scaled_(input, other, _checked_alpha(input, other, alpha))


def sub_(input: Tensor, other: Any, *, alpha: Any = 1) -> Tensor:
    """`input -= alpha * other`."""
    _no_bools(input, other)
    if type(alpha) is int and alpha == 1:
        return _sub_(input, other)
    return _sub_scaled_(input, other, _checked_alpha(input, other, alpha))


def div_(input: Tensor, other: Any, *, rounding_mode: str | None = None) -> Tensor:
    """`input /= other`."""
    if rounding_mode is None:
        return _div_(input, other)
    return (_floored_ if _rounded(rounding_mode) is _floored else _truncated_)(input, other)


def remainder_(input: Tensor, other: Any) -> Tensor:
    """`input %= other`."""
    return (_remainder_by_number_ if isinstance(other, NUMBERS) else _remainder_)(input, other)


def square_(input: Tensor) -> Tensor:
    """`input **= 2`."""
    return pow_(input, 2)


def pow_(input: Tensor, exponent: Any) -> Tensor:
    """`input **= exponent`."""
    if isinstance(exponent, NUMBERS):
        out = _pow_number.forward(input._array, exponent)
        return write(_pow_number.row, (input, exponent), out)
    return _pow_tensor_(input, exponent)
