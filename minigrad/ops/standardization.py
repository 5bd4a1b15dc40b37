"""Numbers brought to mean 0 and variance 1, on arrays: what all the normalising layers compute.

Two cases cover them all:

- *rows*: each sample's groups of features on their own (layer and group normalisation). The input
  is seen as (B, G, K, S): batch, groups, channels of a group, positions; a row is a whole group.
- *channels*: each feature over the whole batch (batch and instance normalisation). The input is
  seen as (B, C, S): batch, channels, positions.

Both go through the array in blocks of about 1 MB, so that what is read several times lies in the
processor's cache; the backward pass computes the centred input again, which costs less than to
keep it. Every digit that a mean loses is lost by all elements, so sums are BLAS's dot products, which
have many partial sums and take a third of a pairwise sum's time, of pieces that are added in float64.

With c = input - mean, r = 1 / sqrt(variance + eps), and g = gradient * weight:

    gradient of the input = r * (g - mean(g) - c * r**2 * mean(g * c))
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from .. import either
from .blocks import blocks, unbuffered

Array = Any
BLOCK_ROWS = 512  # a sum of so many terms, one after the other, is still good
CHUNK = 4096  # and so is a dot product of so many
WIDE = np.float64


class Layout(NamedTuple):
    """How an input is seen: its shape, over which dimensions means are taken, the weight's shape;
    and the shape that weight and bias really have."""

    view: tuple[int, ...]
    dims: tuple[int, ...]
    weight: tuple[int, ...]
    parameter: tuple[int, ...]

    @property
    def terms(self) -> int:
        """How many numbers a mean is taken of."""
        return math.prod(self.view[d] for d in self.dims)

    @property
    def statistics(self) -> tuple[int, ...]:
        """The shape of means that broadcasts to the view."""
        return tuple(1 if d in self.dims else n for d, n in enumerate(self.view))

    @property
    def by_rows(self) -> bool:
        return len(self.view) == 4


def rows_of(
    batch: int, groups: int, channels: int, positions: int, parameter: tuple[int, ...]
) -> Layout:
    """Each group of each sample has its mean; each channel has its weight."""
    return Layout((batch, groups, channels, positions), (2, 3), (1, groups, channels, 1), parameter)


def channels_of(batch: int, channels: int, positions: int) -> Layout:
    """Each channel has its mean over the batch, and its weight."""
    return Layout((batch, channels, positions), (0, 2), (1, channels, 1), (channels,))


def computed(array: Array) -> Array:
    """In the dtype that sums are computed in: float32 for float16."""
    return array.astype(np.float32) if array.dtype == np.float16 else array


def fitted(parameter: Array | None, shape: tuple[int, ...], like: Array) -> Array | None:
    return None if parameter is None else parameter.astype(like.dtype, copy=False).reshape(shape)


def _dots(a: Array, b: Array) -> Array:
    """The dot product of each row of `a` with that of `b`, (..., n) -> (...), in float64."""
    n = a.shape[-1]
    if n <= CHUNK:
        return either.vecdot(a, b).astype(WIDE)
    spans = [slice(i, i + CHUNK) for i in range(0, n, CHUNK)]
    return either.as_array(sum(either.vecdot(a[..., s], b[..., s]).astype(WIDE) for s in spans))


def _sums(a: Array) -> Array:
    """The sum of each row, (..., n) -> (...), in float64."""
    return _dots(a, either.full(a.shape[-1], 1, a.dtype, a))


# --- rows ----------------------------------------------------------------------------------------


def standardize_rows(
    x: Array, weight: Array | None, bias: Array | None, eps: float
) -> tuple[Array, Array, Array]:
    """(B, G, K, S), (1, G, K, 1) twice -> the result; means and 1 / deviations, (B, G, 1, 1)."""
    batch, groups, channels, positions = x.shape
    n = channels * positions
    out = either.empty(x.shape, x)
    mean, rstd = (either.empty((batch, groups, 1, 1), x) for _ in range(2))
    if not n:
        mean[...], rstd[...] = 0, np.nan
        return out, mean, rstd
    with unbuffered(n):
        for at in blocks(x, batch, groups * n * x.itemsize, BLOCK_ROWS):
            block, center = x[at], out[at]
            mean[at, :, 0, 0] = _sums(block.reshape(-1, groups, n)) / n
            np.subtract(block, mean[at], out=center)
            flat = center.reshape(-1, groups, n)
            rstd[at, :, 0, 0] = 1 / np.sqrt(_dots(flat, flat) / n + eps)
            center *= rstd[at]
            if weight is not None:
                center *= weight
            if bias is not None:
                center += bias
    return out, mean, rstd


def rows_backward(
    grad: Array, x: Array, weight: Array | None, mean: Array, rstd: Array, with_input: bool
) -> tuple[Array | None, Array, Array]:
    """The gradients of input (if asked for), weight and bias: (B, G, K, S), (G, K), (G, K)."""
    batch, groups, channels, positions = x.shape
    n = channels * positions
    out = either.empty(x.shape, x) if with_input else None
    of_weight, of_bias = (either.zeros((groups, 1, channels), x, np.float64) for _ in range(2))
    factors = either.full((1, groups, channels, 1), 1, x.dtype, x) if weight is None else weight
    columns = factors.reshape(groups, channels, 1)
    with unbuffered(n):
        for at in blocks(x, batch, groups * n * x.itemsize, BLOCK_ROWS):
            g, r = grad[at], rstd[at]
            center = x[at] - mean[at]
            product = g * center
            dots, sums = _by_group(product), _by_group(g)  # (G, b, K)
            inverse = either.contiguous(r[:, :, 0, 0].T)[:, None]  # (G, 1, b)
            of_weight += inverse @ dots
            of_bias += np.ones_like(inverse) @ sums
            if out is None or not n:
                continue
            slope = (dots @ columns / n).transpose(1, 0, 2)[..., None]  # (b, G, 1, 1)
            center *= slope * (r * r)
            center += (sums @ columns / n).transpose(1, 0, 2)[..., None]
            if weight is None:
                np.subtract(g, center, out=out[at])
            else:
                np.subtract(np.multiply(g, weight, out=product), center, out=out[at])
            out[at] *= r
    return out, of_weight[:, 0], of_bias[:, 0]


def _by_group(block: Array) -> Array:
    """Summed over the positions, (b, G, K, S) -> (G, b, K)."""
    positions = block.shape[3]
    if positions == 1:
        return block[..., 0].transpose(1, 0, 2)
    return (block @ either.full(positions, 1, block.dtype, block)).transpose(1, 0, 2)


# --- channels ------------------------------------------------------------------------------------


def standardize_channels(
    x: Array, weight: Array | None, bias: Array | None, eps: float
) -> tuple[Array, Array, Array]:
    """(B, C, S), (1, C, 1) twice -> the result; means and variances (divided by n), (C,), float64."""
    batch, channels, positions = x.shape
    n = batch * positions
    out = either.empty(x.shape, x)
    mean, variance = either.empty(channels, x, np.float64), either.empty(channels, x, np.float64)
    with unbuffered(positions):
        for at in blocks(x, channels, n * x.itemsize):
            block = x[:, at].copy()  # channels lie far apart, and would fight for the cache
            mean[at] = _channel_sums(block) / n
            block -= mean[at, None].astype(x.dtype)
            variance[at] = _channel_dots(block, block) / n
            block *= _scale(1 / np.sqrt(variance[at] + eps), weight, at, x.dtype)
            if bias is None:
                out[:, at] = block
            else:
                np.add(block, bias[:, at], out=out[:, at])
    return out, mean, variance


def shift_and_scale(
    x: Array, weight: Array | None, bias: Array | None, mean: Array, rstd: Array
) -> Array:
    """The same with statistics that are given, (C,): (B, C, S) -> (B, C, S)."""
    with unbuffered(x.shape[2]):
        out: Array = x - mean[:, None].astype(x.dtype)
        out *= _scale(rstd, weight, slice(None), x.dtype)
        if bias is not None:
            out += bias
    return out


def _scale(rstd: Array, weight: Array | None, at: slice, dtype: Any) -> Array:
    scale = rstd[:, None].astype(dtype)
    return scale if weight is None else scale * weight[0, at]


def channels_backward(
    grad: Array, x: Array, weight: Array | None, mean: Array, rstd: Array, fixed: bool,
    with_input: bool,
) -> tuple[Array | None, Array, Array]:  # fmt: skip
    """The gradients of input (if asked for), weight and bias: (B, C, S), (C,), (C,).

    fixed: the statistics, (C,), were given; they do not depend on the input."""
    batch, channels, positions = x.shape
    n = batch * positions
    out = either.empty(x.shape, x) if with_input else None
    of_weight, of_bias = (
        either.empty(channels, x, np.float64),
        either.empty(channels, x, np.float64),
    )
    with unbuffered(positions):
        for at in blocks(x, channels, n * x.itemsize):
            g = grad[:, at].copy()
            center = x[:, at] - mean[at, None].astype(x.dtype)
            r = rstd[at].astype(WIDE)
            dots, of_bias[at] = _channel_dots(g, center), _channel_sums(g)
            of_weight[at] = dots * r
            if out is None:
                continue
            if not fixed:
                center *= (dots * r * r / n).astype(x.dtype)[:, None]
                center += (of_bias[at] / n).astype(x.dtype)[:, None]
                g -= center
            np.multiply(g, _scale(rstd[at], weight, at, x.dtype), out=out[:, at])
    return out, of_weight, of_bias


def _channel_sums(block: Array) -> Array:
    """(b, C, S) -> (C,), in float64."""
    if block.shape[2] == 1:
        return np.add.reduce(block[..., 0], 0, dtype=WIDE)
    return np.add.reduce(_sums(block), 0)


def _channel_dots(a: Array, b: Array) -> Array:
    """The sum of a * b for each channel, (b, C, S) -> (C,), in float64."""
    if a.shape[2] == 1:
        return np.einsum("bc,bc->c", a[..., 0].astype(WIDE), b[..., 0].astype(WIDE))
    return np.add.reduce(_dots(a, b), 0)
