"""Numbers brought to mean 0 and variance 1, on arrays: what all the normalising layers compute.

Two cases cover them all:

- *rows*: each sample's groups of features on their own (layer and group normalisation). The input
  is seen as (batch, groups, channels of a group, positions), and a row is all of one group.
- *channels*: each feature over the whole batch (batch and instance normalisation). The input is
  seen as (batch, channels, positions).

Both go through the array in blocks of about 256 KB, so that what is read several times still lies
in the processor's cache; the backward pass computes the centred input again, which costs less than
to keep it. Means are taken of pairwise sums or in float64, since every digit that the mean loses is
lost by all elements.

With c = input - mean, r = 1 / sqrt(variance + eps), n terms in a mean, and g = gradient * weight:

    gradient of the input = r * (g - mean(g) - c * r**2 * mean(g * c))
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

Array = Any
BLOCK_BYTES = 1 << 18
CHUNK = 4096  # terms that are added without a thought of rounding
WIDE = np.float64


class Layout(NamedTuple):
    """How an input is seen: its shape, over which dimensions means are taken, the weight's shape."""

    view: tuple[int, ...]
    dims: tuple[int, ...]
    weight: tuple[int, ...]

    @property
    def count(self) -> int:
        """How many numbers a mean is taken of."""
        count = 1
        for d in self.dims:
            count *= self.view[d]
        return count

    @property
    def statistics(self) -> tuple[int, ...]:
        """The shape of means that broadcasts to the view."""
        return tuple(1 if d in self.dims else n for d, n in enumerate(self.view))


def rows_of(batch: int, groups: int, channels: int, positions: int) -> Layout:
    """Each group of each sample is brought to mean 0; each channel has a weight of its own."""
    return Layout((batch, groups, channels, positions), (2, 3), (1, groups, channels, 1))


def channels_of(batch: int, channels: int, positions: int) -> Layout:
    """Each channel is brought to mean 0 over the whole batch."""
    return Layout((batch, channels, positions), (0, 2), (1, channels, 1))


def standardize(
    input: Array, weight: Array | None, bias: Array | None, layout: Layout, eps: float
) -> tuple[Array, Array, Array]:
    """(input - mean) / sqrt(variance + eps) * weight + bias; the means; variances (biased), in float64.

    All in the shape of the view. float16 is computed in float32.
    """
    x = computed(input).reshape(layout.view)
    out = np.empty(layout.view, x.dtype)
    means, variances = np.empty(layout.statistics), np.empty(layout.statistics)
    weight, bias = (_fitted(p, layout, x.dtype) for p in (weight, bias))
    by_rows = len(layout.view) == 4
    for at in _blocks(layout.view, x.itemsize, 0 if by_rows else 1):
        center = x[at] if by_rows else np.ascontiguousarray(x[at])
        mean = _row_sums(center) if by_rows else _channel_sums(center)
        means[at if by_rows else (0, at[1])] = mean / layout.count
    return out, means, variances


def computed(array: Array) -> Array:
    """In the dtype that it is computed in: float32 for float16."""
    return array.astype(np.float32) if array.dtype == np.float16 else array
