"""Choices between values: `maximum`, `clamp`, `where`.

What was not chosen gets the gradient 0, whatever came in, also inf or nan: see `keep`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import gpu, promotion
from ..autograd import node as graph
from ..autograd.inplace import inplace, write
from ..autograd.node import unwrap, wrap
from ..autograd.out import into
from ..autograd.row import op, pointwise
from ..dtypes import FLOAT16, FLOAT32, FLOAT64, scalar_name
from ..promotion import no_bools

Array = Any
Tensor = Any

_BITS = {FLOAT16: np.int16, FLOAT32: np.int32, FLOAT64: np.int64}


def keep(input: Tensor, mask: Tensor) -> Tensor:
    """`input` where `mask` holds, else 0."""
    return where(mask, input, 0.0)


def keep_array(array: Array, mask: Array) -> Array:
    """Floats where `mask` holds, else 0: their bits times 1 or 0.

    Times the floats themselves it would be nan for inf; `np.where` takes ten times as long."""
    if gpu.fusion is not None and gpu.on_gpu(array):
        return np.where(mask, array, array.dtype.type(0))
    return (array.view(_BITS[array.dtype]) * mask).view(array.dtype)


def at_least(array: Array, least: Any) -> Array:
    """`array`, or the number `least` where that is larger.

    `clip` is three times as fast as `np.maximum` with a number, and keeps a -0.0, as PyTorch does.
    """
    if array.dtype.kind != "f":
        return np.maximum(array, least)
    return array.clip(least, np.inf)


def at_most(array: Array, most: Any) -> Array:
    """`array`, or the number `most` where that is smaller."""
    if array.dtype.kind != "f":
        return np.minimum(array, most)
    return array.clip(-np.inf, most)


@pointwise(
    "MaximumBackward0",
    input=lambda grad, input, other, xp: _shared(grad, input < other, input == other, xp),
    other=lambda grad, input, other, xp: _shared(grad, other < input, input == other, xp),
)
def _maximum(input: Array, other: Array) -> Array:
    return np.maximum(input, other)


@pointwise(
    "MinimumBackward0",
    input=lambda grad, input, other, xp: _shared(grad, input > other, input == other, xp),
    other=lambda grad, input, other, xp: _shared(grad, other > input, input == other, xp),
)
def _minimum(input: Array, other: Array) -> Array:
    return np.minimum(input, other)


def maximum(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The larger of the two; where they are equal, the gradient is shared. nan wins."""
    if out is not None:
        return into(out, maximum, input, other)
    promotion.check_tensors("maximum", input=input, other=other)
    return _maximum(input, other)


def minimum(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The smaller of the two; where they are equal, the gradient is shared. nan wins."""
    if out is not None:
        return into(out, minimum, input, other)
    promotion.check_tensors("minimum", input=input, other=other)
    return _minimum(input, other)


def _shared(grad: Any, loses: Any, ties: Any, xp: Any) -> Any:
    """All of the gradient for the winner, half of it where both are equal."""
    return xp.keep(grad * (1 - 0.5 * xp.as_float(ties, grad)), ~loses)


@pointwise(
    "ClampBackward1",
    input=lambda grad, input, min, max, xp: xp.keep(grad, (input >= min) & (input <= max)),
)
def _clamp_numbers(input: Array, min: Array, max: Array) -> Array:
    no_bools("clamp_scalar_cpu", input)
    return input.clip(min, max)


@pointwise("ClampBackward1", input=lambda grad, input, min, xp: xp.keep(grad, input >= min))
def _clamp_at_least(input: Array, min: Array) -> Array:
    no_bools("clamp_min_scalar_cpu", input)
    return at_least(input, min)


@pointwise("ClampBackward1", input=lambda grad, input, max, xp: xp.keep(grad, input <= max))
def _clamp_at_most(input: Array, max: Array) -> Array:
    return at_most(input, max)


@pointwise("ClampMinBackward0", input=lambda grad, input, min, xp: xp.keep(grad, input >= min))
def _clamp_min(input: Array, min: Array) -> Array:
    return at_least(input, min)


@pointwise(
    "ClampMinBackward1",
    input=lambda grad, input, min, xp: xp.keep(grad, input >= min),
    min=lambda grad, input, min, xp: xp.keep(grad, input < min),
)
def _clamp_min_tensor(input: Array, min: Array) -> Array:
    return np.maximum(input, min)


@pointwise("ClampMaxBackward0", input=lambda grad, input, max, xp: xp.keep(grad, input <= max))
def _clamp_max(input: Array, max: Array) -> Array:
    return at_most(input, max)


@pointwise(
    "ClampMaxBackward1",
    input=lambda grad, input, max, xp: xp.keep(grad, input <= max),
    max=lambda grad, input, max, xp: xp.keep(grad, input > max),
)
def _clamp_max_tensor(input: Array, max: Array) -> Array:
    return np.minimum(input, max)


def _passes(input: Any, min: Any, max: Any) -> Any:
    if min is None or max is None:
        return input <= max if min is None else input >= min
    return (input >= min) & (input <= max)


@op(
    "ClampBackward0",
    input=lambda grad, input, min, max, xp: xp.keep(grad, _passes(input, min, max)),
    min=lambda grad, input, min, max, xp: xp.keep(
        grad, (input < min) if max is None else (input < min) & (min < max)
    ),
    max=lambda grad, input, min, max, xp: xp.keep(
        grad, (input > max) if min is None else (input > max) | (max < min)
    ),
)
def _clamp_tensors(input: Array, min: Array | None, max: Array | None) -> Array:
    arrays = promotion.promoted([a for a in (input, min, max) if a is not None])
    if len(arrays) == 3:
        no_bools("clamp_cpu", *arrays)
    try:
        out = arrays[0] if min is None else np.maximum(arrays[0], arrays[1])
        return out if max is None else np.minimum(out, arrays[-1])
    except ValueError:
        raise promotion.broadcast_error(arrays) from None


def clamp(input: Tensor, min: Any = None, max: Any = None, *, out: Tensor | None = None) -> Tensor:
    """`input` limited to [min, max]; either bound may be left out. Bounds: numbers or Tensors."""
    if out is not None:
        return into(out, clamp, input, min, max)
    row = _clamp_row(min, max)
    if row is _clamp_tensors:
        return row(*_bounds(input, min, max))
    return row(*[a for a in (input, min, max) if a is not None])


def _bounds(input: Tensor, min: Any, max: Any) -> list[Any]:
    tensors = iter(
        promotion.operands(clamp, [a for a in (input, min, max) if a is not None], False)
    )
    return [None if a is None else next(tensors) for a in (input, min, max)]


def _clamp_row(min: Any, max: Any) -> Any:
    if min is None and max is None:
        raise RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")
    if not all(b is None or isinstance(b, promotion.NUMBERS) for b in (min, max)):
        return _clamp_tensors
    return _clamp_at_most if min is None else _clamp_at_least if max is None else _clamp_numbers


def clamp_min(input: Tensor, min: Any, *, out: Tensor | None = None) -> Tensor:
    """`input`, but nowhere below `min`."""
    if out is not None:
        return into(out, clamp_min, input, min)
    if not isinstance(input, graph.Tensor):
        raise promotion.not_a_tensor("clamp_min", "input", 1, input)
    return (_clamp_min if isinstance(min, promotion.NUMBERS) else _clamp_min_tensor)(input, min)


def clamp_max(input: Tensor, max: Any, *, out: Tensor | None = None) -> Tensor:
    """`input`, but nowhere above `max`."""
    if out is not None:
        return into(out, clamp_max, input, max)
    if not isinstance(input, graph.Tensor):
        raise promotion.not_a_tensor("clamp_max", "input", 1, input)
    return (_clamp_max if isinstance(max, promotion.NUMBERS) else _clamp_max_tensor)(input, max)


@op(
    "WhereBackward0",
    input=lambda grad, condition, xp: xp.where(condition, grad, 0.0),
    other=lambda grad, condition, xp: xp.where(condition, 0.0, grad),
)
def _where(condition: Array, input: Array, other: Array) -> Array:
    if condition.dtype not in (bool, np.uint8):
        raise RuntimeError(
            "where expected condition to be a boolean tensor, but got a tensor with dtype "
            f"{scalar_name(condition.dtype)}"
        )
    arrays = promotion.promoted((input, other))
    try:
        return np.where(condition, *arrays)
    except ValueError:
        raise promotion.broadcast_error((condition, *arrays)) from None


def where(
    condition: Tensor, input: Any = None, other: Any = None, *, out: Tensor | None = None
) -> Any:
    """`input` where `condition` holds, else `other`; with `condition` alone, its nonzero indices."""
    if out is not None:
        return into(out, where, condition, input, other)
    if not isinstance(condition, graph.Tensor) or (input is None) != (other is None):
        kinds = ", ".join(type(a).__name__ for a in (condition, input, other) if a is not None)
        raise TypeError(
            f"where() received an invalid combination of arguments - got ({kinds}), but expected a bool "
            "Tensor, and two Tensors or numbers to choose from"
        )
    if input is None:
        return tuple(wrap(i) for i in np.nonzero(condition._array))
    return _where(condition, *promotion.operands(_where.forward, (input, other), False))


# --- in place ------------------------------------------------------------------------------------

_in_place = {f: inplace(f) for f in (_clamp_numbers, _clamp_at_least, _clamp_at_most)}


_clamp_min_, _clamp_max_ = inplace(_clamp_min), inplace(_clamp_max)
_clamp_min_tensor_, _clamp_max_tensor_ = inplace(_clamp_min_tensor), inplace(_clamp_max_tensor)


def clamp_min_(input: Tensor, min: Any) -> Tensor:
    """`clamp_min` in place."""
    return (_clamp_min_ if isinstance(min, promotion.NUMBERS) else _clamp_min_tensor_)(input, min)


def clamp_max_(input: Tensor, max: Any) -> Tensor:
    """`clamp_max` in place."""
    return (_clamp_max_ if isinstance(max, promotion.NUMBERS) else _clamp_max_tensor_)(input, max)


def clamp_(input: Tensor, min: Any = None, max: Any = None) -> Tensor:
    """`input`, limited to [min, max] in place."""
    row = _clamp_row(min, max)
    if row is _clamp_tensors:
        args = _bounds(input, min, max)
        return write(row.row, args, row.forward(*[unwrap(a) for a in args]))
    return _in_place[row](*[a for a in (input, min, max) if a is not None])
