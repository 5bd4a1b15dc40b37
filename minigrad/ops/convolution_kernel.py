"""Convolution of arrays, in any number of dimensions, as products of the kernel with columns.

A convolution multiplies its kernel with every window of the input. If all windows are written out
(im2col) that is one matrix product, but the copy is as many times larger than the input as the
kernel has elements. Here only the dimensions after the first are unfolded: of an image the width.
The windows of one kernel row are then parts of the columns that lie in memory in one piece,

    columns (B, C * kw, H * OW);      row i of the kernel meets columns[:, :, i * OW : (i + OH) * OW],

and the convolution is the sum of kh matrix products, which BLAS computes without a copy. If the
windows start at every s-th row only, the rows 0, s, 2s, ... (one phase) are stored together, then
1, s + 1, ..., so that the parts are still in one piece.

A convolution is linear in its input and in its kernel. The two adjoint maps, which give the
gradients, are made of the same columns; `input_gradient` is also the transposed convolution. All
three go through the batch in blocks whose columns stay in the cache.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from .. import either

Array = Any
Shape = tuple[int, ...]
BLOCK_BYTES = 1 << 18  # of columns: they, their products and sums share the second-level cache


class Geometry(NamedTuple):
    """How the windows lie: a number for each dimension of an image, and the number of groups.

    unused: how much there is at the end of each dimension that no window reaches, beyond what the
        stride leaves over; empty for none. Only transposed convolutions can ask for it.
    """

    stride: Shape
    padding: Shape
    dilation: Shape
    groups: int
    unused: Shape = ()

    def output_size(self, size: Shape, kernel: Shape) -> Shape:
        """How many windows there are along each dimension."""
        unused = self.unused or (0,) * len(size)
        return tuple(
            (n - u + 2 * p - d * (k - 1) - 1) // s + 1
            for n, k, u, s, p, d in zip(size, kernel, unused, *self[:3], strict=True)
        )


class Plan:
    """Where everything lies when an input of one shape meets a kernel of another.

    It is worked out once for all calls with these shapes (`plan`), whatever the batch.

    size, kernel, output: of an image, in at least two dimensions (a signal is an image of one row);
    padded: the size with its padding, and rows up to a multiple of `phases`, the stride of rows;
    row: how many windows start in one row;
    taps: for each kernel row, the part of the columns that it meets.
    """

    def __init__(self, channels: int, size: Shape, kernel: Shape, geometry: Geometry) -> None:
        stride, padding, dilation, self.groups, unused = geometry
        self.channels, self.size, self.kernel = channels, size, kernel
        if len(self.size) == 1:
            self.size, self.kernel = (1, *self.size), (1, *self.kernel)
            stride, padding, dilation = (1, *stride), (0, *padding), (1, *dilation)
            unused = (0, *unused) if unused else ()
        image = Geometry(stride, padding, dilation, self.groups, unused)
        self.output = image.output_size(self.size, self.kernel)
        self.row = math.prod(self.output[1:])
        rows, *rest = (n + 2 * p for n, p in zip(self.size, padding, strict=True))
        self.phases = stride[0]
        self.phase_rows = -(-rows // self.phases)
        self.padded = (self.phase_rows * self.phases, *rest)
        self.inside: Any = (
            ...,
            *(slice(p, p + n) for p, n in zip(padding, self.size, strict=True)),
        )
        self.windows = list(self._windows(stride[1:], dilation[1:]))
        self.taps = [self._tap(i * dilation[0]) for i in range(self.kernel[0])]
        whole = self.padded == self.size and self.padded[1:] == self.output[1:]
        self.is_unfolded = whole and self.phases == 1

    def _tap(self, row: int) -> Any:
        start, phase = divmod(row, self.phases)
        return ..., phase, slice(start * self.row, (start + self.output[0]) * self.row)

    def _windows(self, stride: Shape, dilation: Shape) -> Iterator[tuple[Any, Any]]:
        """For each element of a kernel row: its part of the columns, and that of the input."""
        for tap in itertools.product(*map(range, self.kernel[1:])):
            starts = (i * d for i, d in zip(tap, dilation, strict=True))
            where = (
                slice(start, start + s * (n - 1) + 1, s)
                for start, s, n in zip(starts, stride, self.output[1:], strict=True)
            )
            yield (slice(None), slice(None), *tap), (..., *where)

    def blocks(self, batch: int) -> Iterator[slice]:
        """Parts of the batch whose columns fit into the cache."""
        sample = self.channels * len(self.windows) * self.padded[0] * self.row * 4
        step = max(1, BLOCK_BYTES // max(sample, 1))
        return (slice(start, start + step) for start in range(0, batch, step))

    def matrices(self, weight: Array) -> Array:
        """For each row of the kernel a matrix (groups, O / groups, C / groups * kw)."""
        rows, groups, outputs, _ = shape = self.matrices_shape(weight.shape)
        split = weight.reshape(groups, outputs, weight.shape[1], rows, len(self.windows))
        return split.transpose(3, 0, 1, 2, 4).reshape(shape)

    def matrices_shape(self, weight: Shape) -> Shape:
        columns = weight[1] * len(self.windows)
        return self.kernel[0], self.groups, weight[0] // self.groups, columns

    def outputs(self, array: Array) -> Array:
        """(B, O, *output) as (B, groups, O / groups, windows)."""
        batch, channels = array.shape[:2]
        return array.reshape(batch, self.groups, channels // self.groups, self.output[0] * self.row)

    def columns(self, array: Array) -> Array:
        """Columns, or an input that needs no unfolding, as
        (B, groups, C / groups * kw, phase, windows that start in the phase's rows)."""
        count = self.channels // self.groups * len(self.windows)
        return array.reshape(
            len(array), self.groups, count, self.phases, self.phase_rows * self.row
        )

    def unfold(self, input: Array) -> Array:
        """The columns of some samples."""
        batch = len(input)
        if self.is_unfolded:
            return self.columns(input)
        image = input.reshape(batch, self.channels, *self.size)
        if self.padded != self.size:
            image = either.zeros((batch, self.channels, *self.padded), input)
            image[self.inside] = input.reshape(batch, self.channels, *self.size)
        columns = either.empty(self.columns_shape(batch), input)
        rows = self._by_phase(image)
        for part, where in self.windows:
            columns[part] = rows[where]
        return self.columns(columns)

    def fold(self, columns: Array) -> Array:
        """The adjoint of `unfold`: each column added to where in the image it comes from."""
        batch = len(columns)
        if self.is_unfolded:
            return columns.reshape(batch, self.channels, *self.size)
        image = either.zeros((batch, self.channels, *self.padded), columns)
        columns, rows = columns.reshape(self.columns_shape(batch)), self._by_phase(image)
        for part, where in self.windows:
            rows[where] += columns[part]
        return image[self.inside]

    def columns_shape(self, batch: int) -> Shape:
        rest = self.kernel[1:], self.output[1:]
        return batch, self.channels, *rest[0], self.phases, self.phase_rows, *rest[1]

    def _by_phase(self, image: Array) -> Array:
        """A view of a padded image: (B, C, phase, row, ...)."""
        split = (*image.shape[:2], self.phase_rows, self.phases, *self.padded[1:])
        return image.reshape(split).swapaxes(2, 3)


@lru_cache(maxsize=256)
def plan_of(channels: int, size: Shape, kernel: Shape, geometry: Geometry) -> Plan:
    return Plan(channels, size, kernel, geometry)


def convolution(input: Array, weight: Array, geometry: Geometry) -> Array:
    """Every window of `input` (B, C, *size) times `weight` (O, C / groups, *kernel)."""
    plan = plan_of(input.shape[1], input.shape[2:], weight.shape[2:], geometry)
    size = geometry.output_size(input.shape[2:], weight.shape[2:])
    out = either.empty((input.shape[0], weight.shape[0], *size), input)
    matrices, flat = plan.matrices(weight), plan.outputs(out)
    for block in plan.blocks(len(input)):
        columns, total = plan.unfold(input[block]), flat[block]
        np.matmul(matrices[0], columns[plan.taps[0]], out=total)
        for matrix, tap in zip(matrices[1:], plan.taps[1:], strict=True):
            total += np.matmul(matrix, columns[tap])
    return out


def input_gradient(grad: Array, weight: Array, shape: Shape, geometry: Geometry) -> Array:
    """The adjoint of `convolution` for an input of this shape: `grad` (B, O, *output) goes back
    through each window."""
    plan = plan_of(shape[1], shape[2:], weight.shape[2:], geometry)
    out = either.empty(shape, grad)
    matrices, flat = plan.matrices(weight).swapaxes(-1, -2), plan.outputs(grad)
    for block in plan.blocks(len(grad)):
        part = flat[block]
        columns = plan.columns(either.zeros(plan.columns_shape(len(part)), grad))
        np.matmul(matrices[0], part, out=columns[plan.taps[0]])
        for matrix, tap in zip(matrices[1:], plan.taps[1:], strict=True):
            columns[tap] += np.matmul(matrix, part)
        out[block] = plan.fold(columns).reshape(len(part), *shape[1:])
    return out


def weight_gradient(grad: Array, input: Array, shape: Shape, geometry: Geometry) -> Array:
    """The adjoint of `convolution` for a kernel of this shape."""
    plan = plan_of(input.shape[1], input.shape[2:], shape[2:], geometry)
    flat = plan.outputs(grad)
    total = either.zeros(plan.matrices_shape(shape), grad)
    for block in plan.blocks(len(grad)):
        columns, part = plan.unfold(input[block]), flat[block]
        of_each = either.empty((len(part), *total.shape), grad)
        for row, tap in enumerate(plan.taps):
            np.matmul(part, columns[tap].swapaxes(-1, -2), out=of_each[:, row])
        total += np.add.reduce(of_each, axis=0)
    split = (*total.shape[:3], shape[1], len(plan.windows))
    return total.reshape(split).transpose(1, 2, 3, 0, 4).reshape(shape)
