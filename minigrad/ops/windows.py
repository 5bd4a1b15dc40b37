"""Where pooling looks: for each axis, the windows of input elements that the outputs summarise.

An axis is described by a `Sliding` window, which moves on by a stride, or an `Adaptive` one, whose
windows are chosen so that there are `out` of them. `plan` turns that into taps. Tap number t is the
element t of each window; it reads with one index expression, for all outputs at once. What would
lie in the padding is left out. Plans depend on sizes alone, and are kept.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from .. import either
from .axis_maps import _as_slice, occurrences

Array = Any
Index = Any  # what selects elements of one axis: a slice where possible, else an array


class Sliding(NamedTuple):
    """One axis of ordinary pooling."""

    size: int
    out: int
    kernel: int
    stride: int
    padding: int
    dilation: int

    def table(self) -> Array:
        """(kernel, out): where each tap of each window lies; negative if in the padding."""
        starts = np.arange(self.out) * self.stride - self.padding
        places = starts + np.arange(self.kernel)[:, None] * self.dilation
        return np.where(places < self.size, places, -1)


class Adaptive(NamedTuple):
    """One axis of adaptive pooling: window i is [i * size / out, (i + 1) * size / out), with the
    start rounded down and the end up."""

    size: int
    out: int

    def table(self) -> Array:
        i = np.arange(self.out)
        starts, ends = i * self.size // self.out, -(-(i + 1) * self.size // self.out)
        places = starts + np.arange((ends - starts).max(initial=1))[:, None]
        return np.where(places < ends, places, -1)


Axis = Sliding | Adaptive
Axes = tuple[Axis, ...]


class Plan(NamedTuple):
    """The taps of one axis."""

    table: Array  # (taps, out)
    taps: tuple[tuple[int, Index, Index], ...]  # (tap, outputs, inputs); no input occurs twice
    first: Index  # each output's first input,
    first_tap: Array  # and which tap that is
    rest: tuple[tuple[int, Index | None, Index], ...]  # the taps after the first; None: all outputs
    clipped: bool  # some windows begin in the padding
    disjoint: bool  # no input belongs to two windows


@lru_cache(maxsize=256)
def plan(axis: Axis) -> Plan:
    table = axis.table()
    inside = table >= 0
    first_tap = inside.argmax(0)
    first = np.take_along_axis(table, first_tap[None], 0)[0] if table.size else table[:0]
    used = table[inside]
    later = np.where(np.arange(len(table))[:, None] > first_tap, table, -1)
    return Plan(
        table, _taps(table), _as_slice(first.tolist()) if first.size else slice(0, 0), first_tap,
        _rest(later), bool(first_tap.any()), len(np.unique(used)) == used.size,
    )  # fmt: skip


def _taps(table: Array) -> tuple[tuple[int, Index, Index], ...]:
    found = []
    for tap, places in enumerate(table):
        outputs = np.flatnonzero(places >= 0)
        for inputs, positions in occurrences(tuple(places[outputs].tolist())):
            found.append((tap, _as_slice(np.atleast_1d(outputs[positions]).tolist()), inputs))
    return tuple(found)


def _rest(table: Array) -> tuple[tuple[int, Index | None, Index], ...]:
    every = slice(0, table.shape[1], 1)
    return tuple(
        (tap, None if isinstance(o, slice) and o == every else o, i) for tap, o, i in _taps(table)
    )


@lru_cache(maxsize=64)
def flat_places(axes: Axes) -> tuple[Array, Array, Array | None]:
    """(taps, outputs): each tap's place in the flattened input, when the taps of all axes are
    numbered in row-major order, as the outputs are; then the places of the first tap, and how far
    the others are from it, if that is the same for all outputs (else None)."""
    total: Any = 0
    for at, axis in enumerate(axes):
        table = np.maximum(plan(axis).table, 0) * math.prod(a.size for a in axes[at + 1 :])
        after = len(axes) - at - 1
        total = total + table.reshape(
            (1,) * at + (len(table),) + (1,) * (len(axes) - 1) + (axis.out,) + (1,) * after
        )
    taps = math.prod(len(plan(axis).table) for axis in axes)
    table = total.reshape(taps, math.prod(a.out for a in axes))
    apart = table - table[:1]
    same = table.size > 0 and bool((apart == apart[:, :1]).all())
    return table, table[0], apart[:, 0] if same else None


def on_axis(index: Index, axis: int, like: Array) -> tuple[Any, ...]:
    """Select by `index` on the axis `axis` < 0, and everything on the others."""
    return (..., either.on(index, like)) + (slice(None),) * (-axis - 1)


def on_axes(indices: Sequence[Index], like: Array) -> tuple[Any, ...]:
    """Select on the last axes: all combinations of what the indices select."""
    if all(isinstance(i, slice) for i in indices):
        return (..., *indices)
    arrays = [np.r_[i] if isinstance(i, slice) else i for i in indices]
    return (..., *[np.asarray(a, like=like) for a in np.ix_(*arrays)])
