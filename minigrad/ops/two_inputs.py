"""Functions of two or three variables beyond arithmetic: remainders, distances, mixtures.

The inputs broadcast and are brought to one dtype, as everywhere.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import either, promotion
from ..autograd.inplace import begin_write, check_overlap, inplace, write
from ..autograd.out import into
from ..autograd.row import op, pointwise
from ..promotion import NUMBERS, floats_only
from .arithmetic import _no_whole_division_by_zero, _not_for_bools, pow, pow_
from .conversion import number_as

Array = Any
Tensor = Any

# --- remainders ----------------------------------------------------------------------------------


def _fmod_array(input: Array, other: Array) -> Array:
    _not_for_bools("fmod_cpu", input)
    _no_whole_division_by_zero(input, other)
    return np.fmod(input, other)


@pointwise("FmodBackward0", input=lambda grad: grad)
def _fmod_number(input: Array, other: Array) -> Array:
    return _fmod_array(input, other)


@pointwise(
    "FmodBackward1",
    input=lambda grad: grad,
    other=lambda grad, input, other, xp: -grad * xp.trunc(input / other),
)
def _fmod(input: Array, other: Array) -> Array:
    return _fmod_array(input, other)


def fmod(input: Tensor, other: Any, *, out: Tensor | None = None) -> Tensor:
    """The rest of the division that is rounded towards zero; its sign is that of `input`."""
    if out is not None:
        return into(out, fmod, input, other)
    promotion.check_tensors("fmod", input=input)
    return (_fmod_number if isinstance(other, NUMBERS) else _fmod)(input, other)


def fmod_(input: Tensor, other: Any) -> Tensor:
    """`fmod` in place."""
    return (_fmod_number_ if isinstance(other, NUMBERS) else _fmod_)(input, other)  # type: ignore[no-any-return]


# --- the larger and the smaller, nan ignored -----------------------------------------------------


@pointwise(
    "FmaxBackward0",
    input=lambda grad, input, other, xp: xp.keep(grad, ((input >= other) | (other != other))),
    other=lambda grad, input, other, xp: xp.keep(grad, ~((input >= other) | (other != other))),
)
def _fmax(input: Array, other: Array) -> Array:
    return np.fmax(input, other)


@pointwise(
    "FminBackward0",
    input=lambda grad, input, other, xp: xp.keep(grad, ((input <= other) | (other != other))),
    other=lambda grad, input, other, xp: xp.keep(grad, ~((input <= other) | (other != other))),
)
def _fmin(input: Array, other: Array) -> Array:
    return np.fmin(input, other)


def fmax(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The larger of the two; a number wins over nan."""
    if out is not None:
        return into(out, fmax, input, other)
    promotion.check_tensors("fmax", input=input, other=other)
    return _fmax(input, other)


def fmin(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The smaller of the two; a number wins over nan."""
    if out is not None:
        return into(out, fmin, input, other)
    promotion.check_tensors("fmin", input=input, other=other)
    return _fmin(input, other)


# --- lengths and sums of exponentials ------------------------------------------------------------


@pointwise(
    "HypotBackward0",
    input=lambda grad, input, result: grad * input / result,
    other=lambda grad, other, result: grad * other / result,
)
def _hypot(input: Array, other: Array) -> Array:
    floats_only("hypot_cpu", input)
    return np.hypot(input, other)


def hypot(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """`sqrt(input**2 + other**2)`."""
    if out is not None:
        return into(out, hypot, input, other)
    promotion.check_tensors("hypot", input=input, other=other)
    return _hypot(input, other)


@pointwise(
    "LogaddexpBackward0",
    input=lambda grad, input, other, xp: grad / (xp.exp(other - input) + 1),
    other=lambda grad, input, other, xp: grad / (xp.exp(input - other) + 1),
)
def _logaddexp(input: Array, other: Array) -> Array:
    floats_only("logaddexp_cpu", input)
    return np.logaddexp(input, other)


@pointwise(
    "Logaddexp2Backward0",
    input=lambda grad, input, other, xp: grad / (xp.exp2(other - input) + 1),
    other=lambda grad, input, other, xp: grad / (xp.exp2(input - other) + 1),
)
def _logaddexp2(input: Array, other: Array) -> Array:
    floats_only("logaddexp2_cpu", input)
    return np.logaddexp2(input, other)


def logaddexp(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """`log(exp(input) + exp(other))`, without overflow."""
    if out is not None:
        return into(out, logaddexp, input, other)
    promotion.check_tensors("logaddexp", input=input, other=other)
    return _logaddexp(input, other)


def logaddexp2(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """`log2(2**input + 2**other)`, without overflow."""
    if out is not None:
        return into(out, logaddexp2, input, other)
    promotion.check_tensors("logaddexp2", input=input, other=other)
    return _logaddexp2(input, other)


# --- x log y -------------------------------------------------------------------------------------


def xlogy_array(input: Array, other: Array) -> Array:
    """`input * log(other)`, on arrays of floats; 0 where `input` is, unless `other` is nan."""
    value = input * np.log(other)
    return np.where((input == 0) & ~np.isnan(other), value.dtype.type(0), value)


def _xlogy_gradient(grad: Any, input: Any, other: Any, xp: Any) -> Any:
    return xp.where((input == 0) & (other <= 0), 0.0, xp.xlogy(grad, other))


@pointwise(
    "XlogyBackward0",
    to_float=True,
    input=_xlogy_gradient,
    other=lambda grad, input, other: grad * input / other,
)
def _xlogy(input: Array, other: Array) -> Array:
    return xlogy_array(input, other)


@pointwise("XlogyBackward1", to_float=True, other=lambda grad, input, other: grad * input / other)
def _xlogy_of_number(input: Array, other: Array) -> Array:
    return xlogy_array(input, other)


@pointwise("XlogyBackward2", to_float=True, input=_xlogy_gradient)
def _xlogy_by_number(input: Array, other: Array) -> Array:
    return xlogy_array(input, other)


def xlogy(input: Any, other: Any, *, out: Tensor | None = None) -> Tensor:
    """`input * log(other)`, and 0 where `input` is 0; one of the two may be a number."""
    if out is not None:
        return into(out, xlogy, input, other)
    if isinstance(input, NUMBERS):
        promotion.check_tensors("xlogy", other=other)
        return _xlogy_of_number(input, other)
    return (_xlogy_by_number if isinstance(other, NUMBERS) else _xlogy)(input, other)


def xlogy_(input: Tensor, other: Any) -> Tensor:
    """`xlogy` in place."""
    return (_xlogy_by_number_ if isinstance(other, NUMBERS) else _xlogy_)(input, other)  # type: ignore[no-any-return]


# --- mixtures ------------------------------------------------------------------------------------


def _mixed(input: Array, end: Array, weight: Any) -> Array:
    """From the nearer end, so that a weight of 1 gives just `end`."""
    if input.dtype != end.dtype:
        raise RuntimeError(f"expected dtype {_plain(input)} for `end` but got dtype {_plain(end)}")
    if input.dtype.kind != "f":
        np.broadcast_shapes(input.shape, end.shape, np.shape(weight))  # raises first
    floats_only("lerp_kernel_tensor" if np.ndim(weight) else "lerp_kernel_scalar", input)
    apart = end - input
    return np.where(abs(weight) < 0.5, input + weight * apart, end - apart * (1 - weight))


def _plain(array: Array) -> str:
    return {"float32": "float", "float64": "double", "int64": "long int"}.get(
        array.dtype.name, array.dtype.name
    )


@op(
    "LerpBackward0",
    input=lambda grad, weight: grad * (1 - weight),
    end=lambda grad, weight: grad * weight,
)
def _lerp_number(input: Array, end: Array, weight: float) -> Array:
    return _fitted(_mixed, input, end, input.dtype.type(weight))


@op(
    "LerpBackward1",
    input=lambda grad, weight: grad * (1 - weight),
    end=lambda grad, weight: grad * weight,
    weight=lambda grad, input, end: grad * (end - input),
)
def _lerp(input: Array, end: Array, weight: Array) -> Array:
    if weight.dtype != input.dtype:
        raise RuntimeError(
            f"expected dtype {_plain(input)} for `weight` but got dtype {_plain(weight)}"
        )
    return _fitted(_mixed, input, end, weight)


def _fitted(forward: Any, *arrays: Array) -> Array:
    try:
        return forward(*arrays)
    except ValueError:
        raise promotion.broadcast_error([a for a in arrays if either.is_array(a)]) from None


def lerp(input: Tensor, end: Tensor, weight: Any, *, out: Tensor | None = None) -> Tensor:
    """`input + weight * (end - input)`; `weight` is a number or a Tensor."""
    if out is not None:
        return into(out, lerp, input, end, weight)
    promotion.check_tensors("lerp", input=input, end=end)
    return (_lerp_number if isinstance(weight, NUMBERS) else _lerp)(input, end, weight)


def lerp_(input: Tensor, end: Tensor, weight: Any) -> Tensor:
    """`lerp` in place."""
    begin_write(input, end, weight)
    check_overlap(input, (end, weight))
    row = _lerp_number if isinstance(weight, NUMBERS) else _lerp
    arrays = [getattr(a, "_array", a) for a in (input, end, weight)]
    return write(row.row, (input, end, weight), row.forward(*arrays))


@op(
    "AddcmulBackward0",
    input=lambda grad: grad,
    tensor1=lambda grad, tensor2, value: grad * (tensor2 * value),
    tensor2=lambda grad, tensor1, value: grad * (tensor1 * value),
)
def _addcmul(input: Array, tensor1: Array, tensor2: Array, value: float) -> Array:
    input, tensor1, tensor2 = promotion.promoted((input, tensor1, tensor2))
    if input.dtype == bool:
        floats_only("addcmul_cpu_out", input)
    scale = number_as(value, input.dtype)[()]
    return _fitted(lambda a, b, c: a + scale * b * c, input, tensor1, tensor2)


@op(
    "AddcdivBackward0",
    input=lambda grad: grad,
    tensor1=lambda grad, tensor2, value: grad * (value / tensor2),
    tensor2=lambda grad, tensor1, tensor2, value: -grad * (tensor1 * value / (tensor2 * tensor2)),
)
def _addcdiv(input: Array, tensor1: Array, tensor2: Array, value: float) -> Array:
    if tensor1.dtype.kind != "f" and tensor2.dtype.kind != "f":
        raise RuntimeError(WHOLE_ADDCDIV)
    input, tensor1, tensor2 = promotion.promoted((input, tensor1, tensor2))
    scale = input.dtype.type(value)
    return _fitted(lambda a, b, c: a + scale * b / c, input, tensor1, tensor2)


WHOLE_ADDCDIV = (
    "Integer division with addcdiv is no longer supported, and in a future  release addcdiv will "
    "perform a true division of tensor1 and tensor2. The historic addcdiv behavior can be "
    "implemented as (input + value * torch.trunc(tensor1 / tensor2)).to(input.dtype) for integer "
    "inputs and as (input + value * tensor1 / tensor2) for float inputs. The future addcdiv "
    "behavior is just the latter implementation: (input + value * tensor1 / tensor2), for all "
    "dtypes."
)


def addcmul(
    input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Any = 1, out: Tensor | None = None
) -> Tensor:
    """`input + value * tensor1 * tensor2`."""
    if out is not None:
        return into(out, addcmul, input, tensor1, tensor2, value=value)
    promotion.check_tensors("addcmul", input=input, tensor1=tensor1, tensor2=tensor2)
    return _addcmul(input, tensor1, tensor2, value)


def addcdiv(
    input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Any = 1, out: Tensor | None = None
) -> Tensor:
    """`input + value * tensor1 / tensor2`, of floats."""
    if out is not None:
        return into(out, addcdiv, input, tensor1, tensor2, value=value)
    promotion.check_tensors("addcdiv", input=input, tensor1=tensor1, tensor2=tensor2)
    return _addcdiv(input, tensor1, tensor2, value)


def addcmul_(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Any = 1) -> Tensor:
    """`addcmul` in place."""
    return _write(_addcmul, input, tensor1, tensor2, value)


def addcdiv_(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Any = 1) -> Tensor:
    """`addcdiv` in place."""
    return _write(_addcdiv, input, tensor1, tensor2, value)


def _write(row: Any, *args: Any) -> Tensor:
    return write(row.row, args, row.forward(*[getattr(a, "_array", a) for a in args]))


# --- powers in float64 ---------------------------------------------------------------------------


def float_power(input: Any, exponent: Any, *, out: Tensor | None = None) -> Tensor:
    """`input ** exponent`, computed in float64 whatever the dtypes."""
    if out is not None:
        return into(out, float_power, input, exponent, exact=True)
    return pow(_double(input), _double(exponent))


def float_power_(input: Tensor, exponent: Any) -> Tensor:
    """`float_power` in place: `input` must be of float64."""
    if input._array.dtype != np.float64:
        raise RuntimeError(
            "the base given to float_power_ has dtype "
            f"{input.dtype!r} but the operation's result requires dtype Double"
        )
    return pow_(input, _double(exponent))


def _double(value: Any) -> Any:
    return float(value) if isinstance(value, NUMBERS) else value.double()


# --- in place ------------------------------------------------------------------------------------

_fmod_, _fmod_number_, hypot_ = inplace(_fmod), inplace(_fmod_number), inplace(_hypot)
_xlogy_, _xlogy_by_number_ = inplace(_xlogy), inplace(_xlogy_by_number)
