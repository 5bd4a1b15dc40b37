"""How far two arrays are apart, in units in the last place (ULPs) of their type.

Zero ULPs means equal, one means neighbours among the floats of that type. Any two nans are equal,
so are infinities of one sign; a nan beside a number is infinitely far. -0.0 and 0.0 are 0 ULPs
apart, but not bit-equal. Integers and bools are equal or infinitely far apart.

Results of matrix products are measured in another unit. A product is a sum, and in which order
it is added belongs to the BLAS library (MKL on PyTorch's side, OpenBLAS on NumPy's) and to the
processor. Two orders differ by the rounding of the *terms*, not of a result in which large terms
have cancelled: one unit is one ULP of |a| @ |b|, the sum of the terms' magnitudes (in the backward
pass |grad| and the other operand; `products.py`), times sqrt(k) for k terms, since k roundings
that know nothing of each other add up to the size of sqrt(k) (Higham and Mary, "A new approach to
probabilistic rounding error analysis", 2019). Convolutions are sums of products too.

The same holds where a few terms cancel: x - mean in a normalising layer, x - max - log(sum) in a
`log_softmax`, an old value and its change in an optimizer's step. One unit is one ULP of the terms'
magnitudes, summed. A few kernels of PyTorch are several ULPs from the exact result by themselves
(`softmax`, `gelu`, the mean of a matrix in `batch_norm`); their units are larger, and
`cancelling.py` says by what that was measured. Everything else, including all other sums, is
measured at the result itself. The report shows the two in columns of their own.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, Any]

_INTEGER: dict[int, Any] = {2: np.int16, 4: np.int32, 8: np.int64}  # of a float's size in bytes


class Distance(NamedTuple):
    """Of two arrays: how many values, how many of them bit-equal, the largest distance."""

    values: int
    bit_equal: int
    ulps: float


def distance(ours: Array, theirs: Array, units: Array | None = None) -> Distance:
    """Compare two arrays of one shape and type; `units`, where given, to measure in."""
    size = theirs.size
    if ours.shape != theirs.shape or ours.dtype != theirs.dtype:
        return Distance(size, 0, np.inf)
    if ours.tobytes() == theirs.tobytes():
        return Distance(size, size, 0.0)
    if theirs.dtype.kind != "f":
        same = int((ours == theirs).sum())
        return Distance(size, same, np.inf)
    integer = _INTEGER[theirs.dtype.itemsize]
    bits = np.ascontiguousarray(ours).view(integer) == np.ascontiguousarray(theirs).view(integer)
    apart = ulps(ours, theirs) if units is None else in_units(ours, theirs, units)
    return Distance(size, int(bits.sum()), float(apart.max()))


def ulps(ours: Array, theirs: Array) -> Array:
    """The distance of each pair, as a count of floats in between."""
    apart = np.abs(_rank(ours) - _rank(theirs))
    strange = np.isnan(ours) | np.isnan(theirs)
    apart = np.where(strange, np.inf, apart)
    return np.where(np.isnan(ours) & np.isnan(theirs), 0.0, apart)


def _rank(floats: Array) -> Array:
    """A float's place in the order of all floats of its type; both zeros have 0."""
    integer = _INTEGER[floats.dtype.itemsize]
    bits = np.ascontiguousarray(floats).view(integer)
    ranks: Array = np.where(bits < 0, np.iinfo(integer).min - bits, bits)
    return ranks.astype(np.longdouble)  # 64 bits of mantissa: no overflow in the difference


def in_units(ours: Array, theirs: Array, units: Array) -> Array:
    """The distance of each pair in `units`, none of which is finer than a ULP of the value."""
    with np.errstate(all="ignore"):
        coarser = np.maximum(units, np.spacing(np.abs(theirs)))
        apart = np.abs(ours.astype(np.longdouble) - theirs) / coarser
    return np.where(np.isfinite(apart), apart, ulps(ours, theirs))
