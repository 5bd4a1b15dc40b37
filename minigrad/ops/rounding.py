"""Rounding, signs, and the cleaning of nan and infinity: functions whose slope is 0, 1 or -1.

Where PyTorch's result for integers is the number itself, so is it here.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import either, promotion
from ..autograd.inplace import inplace, write
from ..autograd.out import into
from ..autograd.row import op, pointwise
from ..promotion import floats_only

Array = Any
Tensor = Any


def _zeros(grad: Any, xp: Any) -> Any:
    return xp.zeros_like(grad)


# --- rounding ------------------------------------------------------------------------------------


@op("RoundBackward0", input=_zeros)
def _round(input: Array) -> Array:
    if input.dtype == bool:
        floats_only("round_vml_cpu", input)
    return np.rint(input) if input.dtype.kind == "f" else input.copy()


@op("RoundBackward1", input=_zeros)
def _round_decimals(input: Array, decimals: int) -> Array:
    floats_only("round_cpu", input)
    scale = input.dtype.type(10.0 ** abs(decimals))
    return np.rint(input * scale) / scale if decimals > 0 else np.rint(input / scale) * scale


def round(input: Tensor, *, decimals: int = 0, out: Tensor | None = None) -> Tensor:
    """`input` rounded to `decimals` places (before the point, if negative); halves to even."""
    if out is not None:
        return into(out, round, input, decimals=decimals)
    promotion.check_tensors("round", input=input)
    return _round_decimals(input, decimals) if decimals else _round(input)


def special_round(input: Tensor, *, decimals: int = 0, out: Tensor | None = None) -> Tensor:
    """`special.round`: `round` for floats alone, with one node for all `decimals`."""
    if out is not None:
        return into(out, special_round, input, decimals=decimals)
    return _round_decimals(input, decimals)


def round_(input: Tensor, *, decimals: int = 0) -> Tensor:
    """`round` in place."""
    if decimals:
        out = _round_decimals.forward(input._array, decimals)
        return write(_round_decimals.row, (input, decimals), out)
    return write(_round.row, (input,), either.as_array(_round.forward(input._array)))


@pointwise("TruncBackward0", input=_zeros)
def trunc(input: Array) -> Array:
    """`input` without the digits after the point."""
    if input.dtype == bool:
        floats_only("trunc_vml_cpu", input)
    return np.trunc(input) if input.dtype.kind == "f" else input.copy()


@pointwise("FracBackward0", input=lambda grad: grad)
def frac(input: Array) -> Array:
    """The digits after the point, with the sign of `input`."""
    floats_only("frac_cpu", input)
    return input - np.trunc(input)


# --- signs ---------------------------------------------------------------------------------------


@pointwise("SgnBackward0", input=_zeros)
def sgn(input: Array) -> Array:
    """-1, 0 or 1: `sign`, under the name that PyTorch has for complex numbers too."""
    if input.dtype == bool:
        return input.copy()
    return np.subtract(input > 0, input < 0, dtype=input.dtype)


@pointwise()
def signbit(input: Array) -> Array:
    """Whether the sign is a minus, which zeros and nan have too."""
    return either.zeros(input.shape, input, bool) if input.dtype == bool else np.signbit(input)


def _copysign_gradient(grad: Any, input: Any, result: Any, xp: Any) -> Any:
    """The sign that the number was multiplied by; 0 at 0."""
    zero = input == 0
    return xp.where(zero, 0.0, grad * (result / xp.where(zero, 1.0, input)))


@pointwise("CopysignBackward0", to_float=True, input=_copysign_gradient, other=_zeros)
def _copysign(input: Array, other: Array) -> Array:
    return np.copysign(input, other)


@pointwise("CopysignBackward1", to_float=True, input=_copysign_gradient)
def _copysign_number(input: Array, other: Array) -> Array:
    return np.copysign(input, other)


def copysign(input: Tensor, other: Any, *, out: Tensor | None = None) -> Tensor:
    """The size of `input` with the sign of `other`, a Tensor or a number."""
    if out is not None:
        return into(out, copysign, input, other)
    promotion.check_tensors("copysign", input=input)
    return (_copysign_number if isinstance(other, promotion.NUMBERS) else _copysign)(input, other)


def copysign_(input: Tensor, other: Any) -> Tensor:
    """`copysign` in place."""
    in_place = _copysign_number_ if isinstance(other, promotion.NUMBERS) else _copysign_
    return in_place(input, other)  # type: ignore[no-any-return]


# --- nan and infinity ----------------------------------------------------------------------------


def _finite_only(grad: Any, input: Any) -> Any:
    return grad * (abs(input) < float("inf"))


@op("NanToNumBackward0", input=_finite_only)
def _nan_to_num(
    input: Array, nan: float | None, posinf: float | None, neginf: float | None
) -> Array:
    if input.dtype.kind != "f":
        return input.copy()
    limits = np.finfo(input.dtype)
    return np.nan_to_num(
        input,
        nan=0.0 if nan is None else nan,
        posinf=limits.max if posinf is None else posinf,
        neginf=limits.min if neginf is None else neginf,
    )


def nan_to_num(
    input: Tensor, nan: float | None = None, posinf: float | None = None,
    neginf: float | None = None, *, out: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """`input` with nan, inf and -inf replaced: by 0 and the dtype's limits, if not told."""
    if out is not None:
        return into(out, nan_to_num, input, nan, posinf, neginf)
    return _nan_to_num(input, nan, posinf, neginf)


def nan_to_num_(
    input: Tensor, nan: float | None = None, posinf: float | None = None,
    neginf: float | None = None,
) -> Tensor:  # fmt: skip
    """`nan_to_num` in place."""
    out = _nan_to_num.forward(input._array, nan, posinf, neginf)
    return write(_nan_to_num.row, (input, nan, posinf, neginf), out)


# --- steps ---------------------------------------------------------------------------------------


def _no_slope(grad: Any) -> Any:
    raise RuntimeError("derivative for aten::heaviside is not implemented")


@op("torch::autograd::NotImplemented", input=_no_slope, values=_no_slope)
def _heaviside(input: Array, values: Array) -> Array:
    if input.dtype != values.dtype:
        raise RuntimeError("heaviside is not yet implemented for tensors with different dtypes.")
    try:
        return np.where(input == 0, values, (input > 0).astype(input.dtype))
    except ValueError:
        raise promotion.broadcast_error((input, values)) from None


def heaviside(input: Tensor, values: Tensor, *, out: Tensor | None = None) -> Tensor:
    """0 below zero, 1 above, `values` at zero; nan counts as below. It has no derivative."""
    if out is not None:
        return into(out, heaviside, input, values)
    return _heaviside(input, values)


def heaviside_(input: Tensor, values: Tensor) -> Tensor:
    """`heaviside` in place."""
    return write(_heaviside.row, (input, values), _heaviside.forward(input._array, values._array))


trunc_, frac_, sgn_ = inplace(trunc), inplace(frac), inplace(sgn)
_copysign_, _copysign_number_ = inplace(_copysign), inplace(_copysign_number)
