"""Quantiles: what lies at a fraction of the way through the sorted elements.

Written as PyTorch writes it: sort, gather the elements on either side, go between them; so the
gradient reaches both, and the fraction.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd import node as graph
from ..autograd.node import wrap
from ..autograd.out import into
from ..autograd.row import op
from .arithmetic import mul, sub
from .dims import wrap_dim
from .numpy_names import numpy_names
from .reduction import _array
from .scan import gather_along
from .shape import _view, flatten, squeeze_product, transpose, unsqueeze
from .sorting import sort

Array = Any
Tensor = Any


@op(
    "LerpBackward1",
    input=lambda grad, weight: grad * (1 - weight),
    end=lambda grad, weight: grad * weight,
    weight=lambda grad, input, end: grad * (end - input),
)
def _between(input: Array, end: Array, weight: Array) -> Array:
    near = input + weight * (end - input)
    return np.where(weight < 0.5, near, end - (end - input) * (1 - weight))


@op("UnsqueezeBackward1", input=lambda grad, input_shape, xp: xp.reshape(grad, input_shape))
def _with_first(input: Array) -> Array:
    return input[None]


@op("TransposeBackward1", input=lambda grad, xp: xp.transpose(grad, 0, -1))
def _swapped_ends(input: Array) -> Array:
    return input.swapaxes(0, -1)


@numpy_names
def quantile(
    input: Tensor, q: Any, dim: int | None = None, keepdim: bool = False, *,
    interpolation: str = "linear", out: Any = None) -> Tensor:  # fmt: skip
    """The values below which the fractions `q` of the elements lie; nan where there is a nan.

    q: a number or a 1-d Tensor within [0, 1]; of several, the first dimension of the result.
    interpolation: "linear", "lower", "higher", "midpoint" or "nearest", between two elements.
    """
    if out is not None:
        return into(out, quantile, input, q, dim, keepdim, interpolation=interpolation, exact=True)
    return _quantile("quantile", input, q, dim, keepdim, interpolation, False)


@numpy_names
def nanquantile(
    input: Tensor, q: Any, dim: int | None = None, keepdim: bool = False, *,
    interpolation: str = "linear", out: Any = None) -> Tensor:  # fmt: skip
    """`quantile` of what is not nan."""
    if out is not None:
        return into(
            out, nanquantile, input, q, dim, keepdim, interpolation=interpolation, exact=True
        )
    return _quantile("nanquantile", input, q, dim, keepdim, interpolation, True)


def _quantile(
    name: str, input: Tensor, q: Any, dim: Any, keepdim: bool, interpolation: str, ignore_nan: bool
) -> Tensor:
    array = _array(name, input)
    fractions = _checked_fractions(name, array, q, interpolation)
    at = None if dim is None else wrap_dim(dim, array.ndim)
    kept = _reduced_shape(array.shape, at, keepdim)
    ordered = _view(
        sort(_lines(input, at)).values, (*kept, array.size if at is None else _length(array, at))
    )
    values = _at_fractions(ordered, fractions, ignore_nan, interpolation)
    if fractions._array.ndim:
        values = _swapped_ends(_with_first(values))
    return squeeze_product(values, values._array.ndim - 1)


def _length(array: Array, dim: int) -> int:
    return int(array.shape[dim]) if array.ndim else 1


def _checked_fractions(name: str, array: Array, q: Any, interpolation: str) -> Tensor:
    names = ("linear", "lower", "higher", "midpoint", "nearest")
    if not array.size:
        raise RuntimeError("quantile() input tensor must be non-empty")
    if array.dtype not in (np.float32, np.float64):
        raise RuntimeError(f"{name}() input tensor must be either float or double dtype")
    if interpolation not in names:
        raise RuntimeError(
            f"{name}() interpolation must be one of linear, lower, higher, midpoint or nearest, but got "
            f"{interpolation}"
        )
    given = isinstance(q, graph.Tensor)
    fractions = q if given else wrap(np.asarray(q, array.dtype, like=array))
    if fractions._array.ndim > 1:
        raise RuntimeError(f"{name}() q must be a scalar or 1D tensor")
    if fractions._array.dtype is not array.dtype:
        raise RuntimeError(f"{name}() q tensor must be same dtype as the input tensor")
    if not np.all((fractions._array >= 0) & (fractions._array <= 1)):
        what = "values must be in the range [0, 1]"
        raise RuntimeError(
            f"{name}() q {what}" if given else f"{name}() q must be in the range [0, 1] but got {q}"
        )
    return fractions


def _reduced_shape(shape: tuple[int, ...], dim: int | None, keepdim: bool) -> tuple[int, ...]:
    if dim is None:
        return (1,) * len(shape) if keepdim else ()
    return tuple(1 if i == dim else s for i, s in enumerate(shape) if keepdim or i != dim)


def _lines(input: Tensor, dim: int | None) -> Tensor:
    """What the quantiles are of, in the last dimension."""
    ndim = input._array.ndim
    if dim is None or not ndim:
        return flatten(input)
    return input if dim == ndim - 1 else transpose(unsqueeze(input, -1), dim, -1)


def _spans(ordered: Array, ignore_nan: bool) -> Array:
    """The rank of the last element of each line: of the last number, if nan is ignored."""
    numbers = np.add.reduce(ordered == ordered, axis=-1, dtype=np.int64, keepdims=True)
    last = np.maximum(numbers - 1, 0) if ignore_nan else ordered.shape[-1] - 1
    return (np.zeros_like(numbers) + last).astype(ordered.dtype)


ROUNDINGS: dict[str, Any] = {"lower": np.floor, "higher": np.ceil, "nearest": np.round}


def _at_fractions(ordered: Tensor, q: Tensor, ignore_nan: bool, interpolation: str) -> Tensor:
    """What lies at the rank `q` times the last rank of each line: between two elements, as a rule."""
    array = ordered._array
    spans = _spans(array, ignore_nan)
    ranks = q._array * spans
    if not ignore_nan:  # a line with nan, which is its last element, has no other quantile
        ranks = np.where(array[..., -1:] != array[..., -1:], spans, ranks)
    if interpolation in ROUNDINGS:
        ranks = ROUNDINGS[interpolation](ranks)
    below, above = (f(ranks).astype(np.int64) for f in (np.floor, np.ceil))
    values = gather_along(ordered, wrap(below), array.ndim - 1)
    if interpolation in ROUNDINGS:
        return values
    next_values = gather_along(ordered, wrap(above), array.ndim - 1)
    if interpolation == "midpoint":
        return _between(values, next_values, wrap(np.full_like(ranks, 0.5)))
    if not q._requires_grad:
        return _between(values, next_values, wrap(ranks - np.floor(ranks)))
    weight = sub(mul(q, wrap(spans)), wrap(np.floor(ranks)))
    return _between(values, next_values, weight)
