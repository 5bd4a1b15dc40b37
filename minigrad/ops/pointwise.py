"""Pointwise ops: each element of the result depends on one element of each input.

Inputs broadcast against each other and are brought to one dtype; the engine undoes both for their
gradients, so that a row reads like a line of a table of derivatives.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import promotion
from ..autograd.inplace import inplace, write

from ..autograd.node import op, pointwise, unwrap, wrap

Array = Any
Tensor = Any

# --- arithmetic ----------------------------------------------------------------------------------


@pointwise("AddBackward0", input=lambda grad: grad, other=lambda grad: grad)
def _add(input: Array, other: Array) -> Array:
    return input + other if input.dtype != bool else input | other


@pointwise("SubBackward0", input=lambda grad: grad, other=lambda grad: -grad)
def _sub(input: Array, other: Array) -> Array:
    return input - other


@pointwise("RsubBackward1", input=lambda grad: -grad)
def _rsub(input: Array, other: Array) -> Array:
    return other - input


@pointwise(
    "MulBackward0",
    input=lambda grad, other: grad * other,
    other=lambda grad, input: grad * input,
)
def mul(input: Array, other: Array) -> Array:
    """`input * other`, element by element."""
    return input * other


@pointwise(
    "DivBackward0",
    to_float=True,
    input=lambda grad, other: grad / other,
    other=lambda grad, input, other: -grad * ((input / other) / other),
)
def _true_divide(input: Array, other: Array) -> Array:
    return input / other


@pointwise("NegBackward0", input=lambda grad: -grad)
def _neg(input: Array) -> Array:
    return -input


def add(input: Tensor, other: Tensor, *, alpha: Any = 1) -> Tensor:
    """`input + alpha * other`."""
    return _add(input, other if alpha == 1 else mul(other, alpha))


def sub(input: Tensor, other: Tensor, *, alpha: Any = 1) -> Tensor:
    """`input - alpha * other`."""
    if _both_bool(input, other):
        raise RuntimeError(
            "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or "
            "`logical_xor()` operator instead."
        )
    return _sub(input, other if alpha == 1 else mul(other, alpha))


def rsub(input: Tensor, other: Any) -> Tensor:
    """`other - input`: with a number on the left, PyTorch records one node of its own."""
    return _rsub(input, other) if isinstance(other, promotion.NUMBERS) else sub(other, input)


def div(input: Tensor, other: Tensor, *, rounding_mode: str | None = None) -> Tensor:
    """`input / other`; with `rounding_mode` "floor" or "trunc" rounded to a whole number."""
    if rounding_mode is None:
        return _true_divide(input, other)
    if rounding_mode == "floor":
        return floor_divide(input, other)
    if rounding_mode == "trunc":
        return _trunc_divide(input, other)
    raise RuntimeError(
        "div expected rounding_mode to be one of None, 'trunc', or 'floor' but found "
        f"'{rounding_mode}'"
    )


def neg(input: Tensor) -> Tensor:
    """`-input`."""
    if unwrap(input).dtype == bool:
        raise RuntimeError(
            "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to "
            "invert a mask, use the `~` or `logical_not()` operator instead."
        )
    return _neg(input)


def _both_bool(input: Any, other: Any) -> Any:
    return all(getattr(unwrap(t), "dtype", None) == bool or isinstance(t, bool) for t in (input, other))


@pointwise("ReciprocalBackward0", to_float=True, input=lambda grad, result: -grad * (result * result))
def reciprocal(input: Array) -> Array:
    """`1 / input`."""
    return 1 / input


def rdiv(input: Tensor, other: Any) -> Tensor:
    """`other / input`, as PyTorch records it: a reciprocal, then a product."""
    return mul(reciprocal(input), other)


def _whole_division_by_zero(input: Array, other: Array) -> None:
    if input.dtype.kind != "f" and not np.all(other):
        raise RuntimeError("ZeroDivisionError")


@pointwise("NotImplemented")
def floor_divide(input: Array, other: Array) -> Array:
    """The quotient rounded towards minus infinity."""
    _whole_division_by_zero(input, other)
    return np.floor_divide(input, other)


@pointwise("DivBackward1")
def _trunc_divide(input: Array, other: Array) -> Array:
    if input.dtype.kind == "f":
        return np.trunc(input / other)
    _whole_division_by_zero(input, other)
    return (np.sign(input) * np.sign(other) * (np.abs(input) // np.abs(other))).astype(input.dtype)


@pointwise(
    "RemainderBackward0",
    input=lambda grad: grad,
    other=lambda grad, input, other, xp: -grad * xp.floor(input / other),
)
def remainder(input: Array, other: Array) -> Array:
    """The rest of floor division; its sign is the divisor's."""
    _whole_division_by_zero(input, other)
    return np.remainder(input, other)


# --- powers --------------------------------------------------------------------------------------


def raised(input: Array, exponent: Any) -> Array:
    """`input ** exponent`; small whole exponents as products, which are far faster."""
    if exponent == 2:
        return input * input
    if exponent == 3:
        return input * input * input
    if exponent == 1:
        return input.copy()
    if exponent == 0.5 and input.dtype.kind == "f":
        return np.sqrt(input)
    return np.power(input, exponent)


def _power_gradient(grad: Any, input: Any, exponent: Any, xp: Any) -> Any:
    if exponent == 0:
        return xp.zeros_like(grad)
    if exponent == 2:
        return grad * (input + input)
    return grad * (xp.pow(input, exponent - 1) * exponent)


@op("PowBackward0", input=_power_gradient)
def _pow_number(input: Array, exponent: Any) -> Array:
    if input.dtype.kind != "f":
        if isinstance(exponent, float):
            return raised(input.astype(promotion.default_dtype()), exponent)
        if exponent < 0:
            raise RuntimeError("Integers to negative integer powers are not allowed.")
        if input.dtype == bool:
            input = input.astype(np.int64)
    return np.asarray(raised(input, input.dtype.type(exponent) if input.ndim else exponent)).astype(
        input.dtype, copy=False
    )


@pointwise(
    "PowBackward1",
    input=lambda grad, input, exponent, xp: xp.where(
        exponent == 0, 0.0, grad * (exponent * xp.pow(input, exponent - 1))
    ),
    exponent=lambda grad, input, exponent, result, xp: grad
    * xp.where((input == 0) & (exponent >= 0), 0.0, result * xp.log(input)),
)
def _pow_tensor(input: Array, exponent: Array) -> Array:
    if input.dtype.kind in "iu" and np.any(exponent < 0):
        raise RuntimeError("Integers to negative integer powers are not allowed.")
    return np.power(input, exponent)


@pointwise(
    "PowBackward2",
    exponent=lambda grad, input, exponent, result, xp: grad
    * xp.where((input == 0) & (exponent >= 0), 0.0, result * xp.log(input)),
)
def _pow_of_number(input: Array, exponent: Array) -> Array:
    return np.power(input, exponent)


def pow(input: Any, exponent: Any) -> Tensor:  # noqa: A001  (PyTorch's name)
    """`input ** exponent`; either may be a number."""
    if isinstance(exponent, promotion.NUMBERS):
        return _pow_number(input, exponent)
    return (_pow_of_number if isinstance(input, promotion.NUMBERS) else _pow_tensor)(input, exponent)


def rpow(input: Tensor, other: Any) -> Tensor:
    """`other ** input`."""
    return pow(other, input)


def square(input: Tensor) -> Tensor:
    """`input ** 2`."""
    return pow(input, 2)


@pointwise("SqrtBackward0", to_float=True, input=lambda grad, result: grad / (result * 2))
def sqrt(input: Array) -> Array:
    """The square root; nan below zero."""
    return np.sqrt(input)


# --- functions of one variable -------------------------------------------------------------------


@pointwise("ExpBackward0", to_float=True, input=lambda grad, result: grad * result)
def exp(input: Array) -> Array:
    """e to the power of `input`."""
    return np.exp(input)


@pointwise("LogBackward0", to_float=True, input=lambda grad, input: grad / input)
def log(input: Array) -> Array:
    """The natural logarithm; -inf at zero, nan below."""
    return np.log(input)


@pointwise("SinBackward0", to_float=True, input=lambda grad, input, xp: grad * xp.cos(input))
def sin(input: Array) -> Array:
    """The sine of an angle in radians."""
    return np.sin(input)


@pointwise("CosBackward0", to_float=True, input=lambda grad, input, xp: grad * -xp.sin(input))
def cos(input: Array) -> Array:
    """The cosine of an angle in radians."""
    return np.cos(input)


@pointwise("AbsBackward0", input=lambda grad, input, xp: grad * xp.sign(input))
def abs(input: Array) -> Array:  # noqa: A001  (PyTorch's name)
    """The absolute value; its gradient at zero is zero."""
    return np.abs(input)


@pointwise("SignBackward0", input=lambda grad, xp: xp.zeros_like(grad))
def sign(input: Array) -> Array:
    """-1, 0 or 1."""
    return np.sign(input) if input.dtype != bool else input.copy()


@pointwise("FloorBackward0", input=lambda grad, xp: xp.zeros_like(grad))
def floor(input: Array) -> Array:
    """The largest whole number that is not above `input`."""
    return np.floor(input) if input.dtype.kind == "f" else input.copy()


@pointwise("CeilBackward0", input=lambda grad, xp: xp.zeros_like(grad))
def ceil(input: Array) -> Array:
    """The smallest whole number that is not below `input`."""
    return np.ceil(input) if input.dtype.kind == "f" else input.copy()


@pointwise("SigmoidBackward0", to_float=True, input=lambda grad, result: grad * ((1 - result) * result))
def sigmoid(input: Array) -> Array:
    """1 / (1 + exp(-input))."""
    return 1 / (1 + np.exp(-input))


@pointwise("TanhBackward0", to_float=True, input=lambda grad, result: grad * (1 - result * result))
def tanh(input: Array) -> Array:
    """The hyperbolic tangent."""
    return np.tanh(input)


@pointwise("ReluBackward0", input=lambda grad, result: grad * (result > 0))
def relu(input: Array) -> Array:
    """`input` where it is positive, else 0."""
    return np.maximum(input, input.dtype.type(0))


# --- choosing ------------------------------------------------------------------------------------


@pointwise(
    "MaximumBackward0",
    input=lambda grad, input, other, xp: grad * _first_wins(input > other, input == other, xp),
    other=lambda grad, input, other, xp: grad * _first_wins(other > input, input == other, xp),
)
def maximum(input: Array, other: Array) -> Array:
    """The larger of the two; where they are equal, the gradient is shared. nan wins."""
    return np.maximum(input, other)


@pointwise(
    "MinimumBackward0",
    input=lambda grad, input, other, xp: grad * _first_wins(input < other, input == other, xp),
    other=lambda grad, input, other, xp: grad * _first_wins(other < input, input == other, xp),
)
def minimum(input: Array, other: Array) -> Array:
    """The smaller of the two; where they are equal, the gradient is shared. nan wins."""
    return np.minimum(input, other)


def _first_wins(wins: Any, ties: Any, xp: Any) -> Any:
    return xp.where(ties, 0.5, xp.where(wins, 1.0, 0.0))


@pointwise(
    "ClampBackward1",
    input=lambda grad, input, min, max: grad * ((input >= min) & (input <= max)),
)
def _clamp_numbers(input: Array, min: Array, max: Array) -> Array:
    return np.minimum(np.maximum(input, min), max)


@pointwise("ClampMinBackward0", input=lambda grad, input, min: grad * (input >= min))
def _clamp_min(input: Array, min: Array) -> Array:
    return np.maximum(input, min)


@pointwise(
    "ClampMinBackward1",
    input=lambda grad, input, min: grad * (input >= min),
    min=lambda grad, input, min: grad * (input < min),
)
def _clamp_min_tensor(input: Array, min: Array) -> Array:
    return np.maximum(input, min)


@pointwise(
    "ClampMaxBackward1",
    input=lambda grad, input, max: grad * (input <= max),
    max=lambda grad, input, max: grad * (input > max),
)
def _clamp_max_tensor(input: Array, max: Array) -> Array:
    return np.minimum(input, max)


@pointwise(
    "ClampBackward0",
    input=lambda grad, input, min, max: grad * ((input >= min) & (input <= max)),
    min=lambda grad, input, min, max: grad * ((input < min) & (min < max)),
    max=lambda grad, input, min, max: grad * ((input > max) | (max < min)),
)
def _clamp_tensors(input: Array, min: Array, max: Array) -> Array:
    return np.minimum(np.maximum(input, min), max)


def clamp(input: Tensor, min: Any = None, max: Any = None) -> Tensor:
    """`input` limited to [min, max]; either bound may be left out. Bounds: numbers or Tensors."""
    return _clamp_row(min, max)(*[a for a in (input, min, max) if a is not None])


def _clamp_row(min: Any, max: Any) -> Any:
    if min is None and max is None:
        raise RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")
    bounds = [b for b in (min, max) if b is not None]
    if any(not isinstance(b, promotion.NUMBERS) for b in bounds):
        return _clamp_tensors if len(bounds) == 2 else _clamp_max_tensor if min is None else _clamp_min_tensor
    return _clamp_numbers if len(bounds) == 2 else _clamp_at_most if min is None else _clamp_at_least


@pointwise("ClampBackward1", input=lambda grad, input, min: grad * (input >= min))
def _clamp_at_least(input: Array, min: Array) -> Array:
    return np.maximum(input, min)


@pointwise("ClampBackward1", input=lambda grad, input, max: grad * (input <= max))
def _clamp_at_most(input: Array, max: Array) -> Array:
    return np.minimum(input, max)


def clamp_min(input: Tensor, min: Any) -> Tensor:
    """`input`, but nowhere below `min`."""
    return (_clamp_min if isinstance(min, promotion.NUMBERS) else _clamp_min_tensor)(input, min)


@op(
    "WhereBackward0",
    input=lambda grad, condition, xp: xp.where(condition, grad, 0.0),
    other=lambda grad, condition, xp: xp.where(condition, 0.0, grad),
)
def _where(condition: Array, input: Array, other: Array) -> Array:
    if condition.dtype != bool:
        condition = condition != 0
    arrays = promotion.promoted((input, other))
    try:
        return np.where(condition, *arrays)
    except ValueError:
        raise promotion.broadcast_error((condition, *arrays)) from None


def where(condition: Tensor, input: Any = None, other: Any = None) -> Any:
    """`input` where `condition` holds, else `other`; with `condition` alone, its nonzero indices."""
    if input is None and other is None:
        return tuple(wrap(i) for i in np.nonzero(condition._array))
    return _where(condition, *promotion.operands(_where.forward, (input, other), False))


# --- comparisons and logic -----------------------------------------------------------------------


@pointwise("EqBackward0")
def eq(input: Array, other: Array) -> Array:
    """Whether elements are equal."""
    return input == other


@pointwise("NeBackward0")
def ne(input: Array, other: Array) -> Array:
    """Whether elements differ."""
    return input != other


@pointwise("LtBackward0")
def lt(input: Array, other: Array) -> Array:
    """`input < other`."""
    return input < other


@pointwise("LeBackward0")
def le(input: Array, other: Array) -> Array:
    """`input <= other`."""
    return input <= other


@pointwise("GtBackward0")
def gt(input: Array, other: Array) -> Array:
    """`input > other`."""
    return input > other


@pointwise("GeBackward0")
def ge(input: Array, other: Array) -> Array:
    """`input >= other`."""
    return input >= other


def _whole(name: str, array: Array) -> None:
    if array.dtype.kind == "f":
        from ..dtypes import scalar_name

        raise NotImplementedError(f"\"{name}_cpu\" not implemented for '{scalar_name(array.dtype)}'")


@pointwise("BitwiseAndBackward0")
def bitwise_and(input: Array, other: Array) -> Array:
    """`input & other` on integers or bools."""
    _whole("bitwise_and", input)
    return input & other


@pointwise("BitwiseOrBackward0")
def bitwise_or(input: Array, other: Array) -> Array:
    """`input | other` on integers or bools."""
    _whole("bitwise_or", input)
    return input | other


@pointwise("BitwiseXorBackward0")
def bitwise_xor(input: Array, other: Array) -> Array:
    """`input ^ other` on integers or bools."""
    _whole("bitwise_xor", input)
    return input ^ other


@pointwise("BitwiseNotBackward0")
def bitwise_not(input: Array) -> Array:
    """`~input` on integers or bools."""
    _whole("bitwise_not", input)
    return ~input


@pointwise("LogicalNotBackward0")
def logical_not(input: Array) -> Array:
    """Whether an element is zero."""
    return np.logical_not(input)


@pointwise("LogicalAndBackward0")
def logical_and(input: Array, other: Array) -> Array:
    """Whether both elements are nonzero."""
    return np.logical_and(input, other)


@pointwise("LogicalOrBackward0")
def logical_or(input: Array, other: Array) -> Array:
    """Whether one of the elements is nonzero."""
    return np.logical_or(input, other)


@pointwise("IsnanBackward0")
def isnan(input: Array) -> Array:
    """Whether an element is nan."""
    return np.isnan(input)


@pointwise("IsinfBackward0")
def isinf(input: Array) -> Array:
    """Whether an element is infinite."""
    return np.isinf(input)


@pointwise("IsfiniteBackward0")
def isfinite(input: Array) -> Array:
    """Whether an element is neither infinite nor nan."""
    return np.isfinite(input)


def isclose(
    input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
) -> Tensor:
    """Whether `|input - other| <= atol + rtol * |other|`, element by element."""
    a, b = _same_dtype("isclose", input, other)
    return wrap(np.isclose(a, b, rtol, atol, equal_nan))


def allclose(
    input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
) -> bool:
    """Whether `isclose` holds everywhere."""
    return bool(isclose(input, other, rtol, atol, equal_nan)._array.all())


def equal(input: Tensor, other: Tensor) -> bool:
    """Whether both have the same shape and equal elements."""
    a, b = _same_dtype("equal", input, other)
    return bool(np.array_equal(a, b))


def _same_dtype(name: str, input: Tensor, other: Tensor) -> tuple[Array, Array]:
    from ..dtypes import scalar_name

    a, b = input._array, other._array
    if a.dtype != b.dtype:
        raise RuntimeError(f"{scalar_name(a.dtype)} did not match {scalar_name(b.dtype)}")
    return a, b


# --- in place ------------------------------------------------------------------------------------

_add_, _sub_ = inplace(_add), inplace(_sub)
mul_, _div_, neg_, reciprocal_ = inplace(mul), inplace(_true_divide), inplace(_neg), inplace(reciprocal)
sqrt_, exp_, log_, abs_, sign_ = inplace(sqrt), inplace(exp), inplace(log), inplace(abs), inplace(sign)
floor_, ceil_, sin_, cos_ = inplace(floor), inplace(ceil), inplace(sin), inplace(cos)
sigmoid_, tanh_, relu_ = inplace(sigmoid), inplace(tanh), inplace(relu)
floor_divide_, remainder_ = inplace(floor_divide), inplace(remainder)
logical_not_, bitwise_and_, bitwise_or_, bitwise_xor_ = (
    inplace(logical_not), inplace(bitwise_and), inplace(bitwise_or), inplace(bitwise_xor)
)  # fmt: skip
eq_, ne_, lt_, le_, gt_, ge_ = (inplace(f) for f in (eq, ne, lt, le, gt, ge))
_pow_tensor_ = inplace(_pow_tensor)


def add_(input: Tensor, other: Any, *, alpha: Any = 1) -> Tensor:
    """`input += alpha * other`."""
    return _add_(input, other if alpha == 1 else mul(other, alpha))


def sub_(input: Tensor, other: Any, *, alpha: Any = 1) -> Tensor:
    """`input -= alpha * other`."""
    return _sub_(input, other if alpha == 1 else mul(other, alpha))


def div_(input: Tensor, other: Any, *, rounding_mode: str | None = None) -> Tensor:
    """`input /= other`."""
    if rounding_mode is None:
        return _div_(input, other)
    row = floor_divide.row if rounding_mode == "floor" else _trunc_divide.row
    return write(row, (input, other), div(input, other, rounding_mode=rounding_mode)._array)


def pow_(input: Tensor, exponent: Any) -> Tensor:
    """`input **= exponent`."""
    if isinstance(exponent, promotion.NUMBERS):
        return write(_pow_number.row, (input, exponent), _pow_number.forward(input._array, exponent))
    return _pow_tensor_(input, exponent)


def clamp_(input: Tensor, min: Any = None, max: Any = None) -> Tensor:
    """`input`, limited to [min, max] in place."""
    return inplace(_clamp_row(min, max))(*[a for a in (input, min, max) if a is not None])
