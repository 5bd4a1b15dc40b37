"""Convolution of arrays in any number of dimensions: matrix products of the kernel with columns.

A convolution multiplies the kernel with every window of the input. Writing out all windows (im2col)
turns it into one matrix product, but the copy is as many times larger than the input as the kernel
has elements. Here only the dimensions after the first are unfolded. For images: the width. Then the
windows of one kernel row are slices of the columns that lie in memory in one piece,

    columns (B, C * kw, H * OW),      row i of the kernel meets columns[:, :, i * OW : (i + OH) * OW],

and the convolution is the sum of kh matrix products, which are handed to BLAS without a copy. With
a stride over the rows, those that belong together (the rows of one phase: 0, s, 2s, ... or 1, s + 1,
...) are stored together, so that the slices stay in one piece.

The convolution is linear in its input and in its kernel. Its gradients are the two adjoint maps,
made of the same columns: `input_gradient` is also the transposed convolution. All three go through
the batch in blocks that stay in the cache.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from ..dtypes import FLOAT16

Array = Any
Shape = tuple[int, ...]
BLOCK_BYTES = 1 << 20  # of columns: about what the second-level cache holds


class Geometry(NamedTuple):
    """How the windows lie; one number per dimension of an image, and the number of groups."""

    stride: Shape
    padding: Shape
    dilation: Shape
    groups: int

    def output_size(self, size: Shape, kernel: Shape) -> Shape:
        """How many windows there are along each dimension."""
        return tuple(
            (n + 2 * p - d * (k - 1) - 1) // s + 1
            for n, k, s, p, d in zip(size, kernel, *self[:3], strict=True)
        )


class Plan:
    """The sizes that a convolution of this input with this kernel works with.

    A row is a slice of the first image dimension; `row` says how many windows start in one, and
    `taps` which rows a kernel row meets, as (phase, part of the columns)."""

    def __init__(self, input: Shape, kernel: Shape, geometry: Geometry) -> None:
        self.geometry, self.input, self.kernel = geometry, input, kernel
        stride, padding, dilation, groups = geometry
        self.output = geometry.output_size(input[2:], kernel[2:])
        self.groups, self.rows, self.row = groups, self.output[0], math.prod(self.output[1:])
        self.phases = stride[0]
        padded = [n + 2 * p for n, p in zip(input[2:], padding, strict=True)]
        self.phase_rows = -(-padded[0] // self.phases)
        self.padded = (self.phase_rows * self.phases, *padded[1:])
        self.taps = []
        for i in range(kernel[2]):
            start, phase = divmod(i * dilation[0], self.phases)
            self.taps.append((phase, slice(start * self.row, (start + self.rows) * self.row)))
        self.unfolds = (
            self.padded != input[2:]
            or self.phases != 1
            or any(k != 1 or s != 1 for k, s in zip(kernel[3:], stride[1:], strict=True))
        )
        self.inside = tuple(slice(p, p + n) for p, n in zip(padding, input[2:], strict=True))

    def blocks(self) -> Iterator[slice]:
        """Parts of the batch whose columns fit into the cache."""
        sample = self.input[1] * math.prod(self.kernel[3:]) * self.padded[0] * self.row * 4
        step = max(1, BLOCK_BYTES // max(sample, 1))
        for start in range(0, self.input[0], step):
            yield slice(start, min(start + step, self.input[0]))

    def weights(self, weight: Array) -> Array:
        """The kernel as a matrix per row: (kh, groups, O / groups, C / groups * kw)."""
        outputs, channels, rows = weight.shape[:3]
        split = weight.reshape(self.groups, outputs // self.groups, channels, rows, -1)
        return split.transpose(3, 0, 1, 2, 4).reshape(*split.shape[3:4], *split.shape[:2], -1)

    def unweights(self, matrices: Array) -> Array:
        """What `weights` does, undone."""
        rows, groups, outputs = matrices.shape[:3]
        split = matrices.reshape(rows, groups, outputs, self.kernel[1], -1)
        return split.transpose(1, 2, 3, 0, 4).reshape(self.kernel)

    def grouped(self, output: Array) -> Array:
        """(B, O, *output) as (B, groups, O / groups, windows)."""
        count = output.shape[1] // self.groups
        return output.reshape(len(output), self.groups, count, self.rows * self.row)

    def columns(self, batch: int, dtype: Any) -> Array:
        """Room for the columns: (B, C, *kernel after the first, phase, row, *output after it)."""
        after = self.kernel[3:], self.output[1:]
        shape = (batch, self.input[1], *after[0], self.phases, self.phase_rows, *after[1])
        return np.empty(shape, dtype)

    def as_operands(self, columns: Array) -> Array:
        """The columns as (B, groups, C / groups * kw, phase, windows of the phase's rows)."""
        channels = self.kernel[1] * math.prod(self.kernel[3:])
        per_phase = self.phase_rows * self.row
        return columns.reshape(len(columns), self.groups, channels, self.phases, per_phase)

    def windows(self, padded: Array, columns: Array) -> Iterator[tuple[Array, Array]]:
        """For each element of a kernel row: the columns' part, and the part of the input for it."""
        stride, _, dilation, _ = self.geometry
        shape = (*padded.shape[:2], self.phase_rows, self.phases, *self.padded[1:])
        by_phase = padded.reshape(shape).swapaxes(2, 3)
        for tap in itertools.product(*map(range, self.kernel[3:])):
            where = tuple(
                slice(i * d, i * d + s * (n - 1) + 1, s)
                for i, s, d, n in zip(tap, stride[1:], dilation[1:], self.output[1:], strict=True)
            )
            yield columns[(slice(None), slice(None), *tap)], by_phase[(..., *where)]

    def unfold(self, input: Array) -> Array:
        """The columns of some samples."""
        if not self.unfolds:
            return self.as_operands(input)
        if self.padded != input.shape[2:]:
            padded = np.zeros((*input.shape[:2], *self.padded), input.dtype)
            padded[(..., *self.inside)] = input
            input = padded
        columns = self.columns(len(input), input.dtype)
        for part, window in self.windows(input, columns):
            part[...] = window
        return self.as_operands(columns)

    def fold(self, columns: Array) -> Array:
        """Each column added to where in the input it came from: the adjoint of `unfold`."""
        if not self.unfolds:
            return columns.reshape(len(columns), *self.input[1:])
        padded = np.zeros((len(columns), self.input[1], *self.padded), columns.dtype)
        for part, window in self.windows(padded, columns):
            window += part
        return padded[(..., *self.inside)]


def convolution(input: Array, weight: Array, geometry: Geometry) -> Array:
    """Every window of `input` (B, C, *size) times `weight` (O, C / groups, *kernel)."""
    plan = Plan(input.shape, weight.shape, geometry)
    out = np.empty((input.shape[0], weight.shape[0], *plan.output), input.dtype)
    flat, matrices, scratch = plan.grouped(out), plan.weights(weight), None
    for block in plan.blocks():
        columns, sums = plan.unfold(input[block]), flat[block]
        for matrix, (phase, part) in zip(matrices, plan.taps, strict=True):
            if matrix is matrices[0]:
                pass
        _accumulate(sums, matrices, columns, plan)
    return out
