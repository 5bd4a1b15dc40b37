"""Blocks of images as columns (`im2col`, `F.unfold`), and columns summed to images (`F.fold`).

Each is the adjoint of the other, so each is the other's gradient.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, NamedTuple

from .. import either
from ..autograd.row import op

Array = Any
Pair = tuple[int, int]


class Blocks(NamedTuple):
    """How the blocks lie in an image, by height and width."""

    kernel_size: Pair
    dilation: Pair
    padding: Pair
    stride: Pair

    def counts(self, size: Pair) -> Pair:
        """How many there are along each dimension."""
        rows, columns = (
            (n + 2 * p - d * (k - 1) - 1) // s + 1
            for n, k, d, p, s in zip(size, *self, strict=True)
        )
        return rows, columns

    def taps(self, count: Pair) -> Iterator[tuple[Any, Any]]:
        """For each place in a block: its part of the columns, and of the padded image."""
        for tap in itertools.product(*map(range, self.kernel_size)):
            where = (
                slice(i * d, i * d + s * (n - 1) + 1, s)
                for i, d, s, n in zip(tap, self.dilation, self.stride, count, strict=True)
            )
            yield (slice(None), slice(None), *tap), (..., *where)

    def padded(self, shape: tuple[int, ...], like: Array) -> tuple[Array, Array]:
        """Zeros for images with their padding, and the view of the images in them."""
        sizes = [n + 2 * p for n, p in zip(shape[2:], self.padding, strict=True)]
        room = either.zeros((*shape[:2], *sizes), like)
        inside: Any = (slice(p, p + n) for n, p in zip(shape[2:], self.padding, strict=True))
        return room, room[(..., *inside)]


@op(
    "Im2ColBackward0",
    input=lambda grad, input_shape, blocks, xp: xp.col2im(grad, tuple(input_shape[-2:]), blocks),
)
def im2col(input: Array, blocks: Blocks) -> Array:
    """(B, C, H, W) to (B, C * kernel elements, blocks); also without the batch."""
    if input.ndim == 3:
        return im2col.forward(input[None], blocks)[0]
    count = blocks.counts(input.shape[2:])
    padded, inside = blocks.padded(input.shape, input)
    inside[...] = input
    columns = either.empty((*input.shape[:2], *blocks.kernel_size, *count), input)
    for part, where in blocks.taps(count):
        columns[part] = padded[where]
    elements = blocks.kernel_size[0] * blocks.kernel_size[1]
    return columns.reshape(len(input), input.shape[1] * elements, count[0] * count[1])


@op("Col2ImBackward0", input=lambda grad, blocks, xp: xp.im2col(grad, blocks))
def col2im(input: Array, size: Pair, blocks: Blocks) -> Array:
    """(B, C * kernel elements, blocks) to (B, C, *size): what overlaps is added."""
    if input.ndim == 2:
        return col2im.forward(input[None], size, blocks)[0]
    count, batch = blocks.counts(size), len(input)
    channels = input.shape[1] // (blocks.kernel_size[0] * blocks.kernel_size[1])
    padded, inside = blocks.padded((batch, channels, *size), input)
    columns = input.reshape(batch, channels, *blocks.kernel_size, *count)
    for part, where in blocks.taps(count):
        padded[where] += columns[part]
    return either.contiguous(inside)
