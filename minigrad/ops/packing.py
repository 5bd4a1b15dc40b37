"""Packing sequences of different lengths: only the steps that exist, step after step.

A padded batch of sequences is (steps, batch, ...), filled up behind the end of the shorter ones. The
packed form (all steps of all sequences, ...) has the first step of all sequences, then the second
step of those that have one, and so on: sequences are sorted, the longest first.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import gpu
from ..autograd.node import wrap
from ..autograd.row import op

Array = Any
Tensor = Any


def _spread_out(grad: Any, input_shape: Any, rows: Any, batch_first: bool, xp: Any) -> Any:
    """Each row back to its place, zeros where there was padding."""
    batch, steps = input_shape[:2] if batch_first else input_shape[1::-1]
    zeros = xp.zeros_shaped((steps * batch, *input_shape[2:]), grad)
    padded = xp.reshape(xp.index_add(zeros, 0, rows, grad), (steps, batch, *input_shape[2:]))
    return xp.transpose(padded, 0, 1) if batch_first else padded


@op("PackPaddedSequenceBackward0", input=_spread_out)
def _pack_padded(input: Array, rows: Array, batch_first: bool) -> Array:
    steps_first = input.swapaxes(0, 1) if batch_first else input
    return steps_first.reshape(-1, *input.shape[2:])[rows]


def pack_padded_sequence(input: Tensor, lengths: Tensor, batch_first: bool) -> tuple[Any, Any]:
    """The packed sequences, and how many there are at each step (int64).

    input: (steps, batch, ...), or (batch, steps, ...) with `batch_first`; lengths: (batch,) int64,
    in decreasing order and on the CPU, where the second result is too. Raises RuntimeError for
    other lengths."""
    known = lengths._array
    if known.ndim != 1 or gpu.on_gpu(known):
        raise RuntimeError(
            "'lengths' argument should be a 1D CPU int64 tensor, but got "
            f"{known.ndim}D {lengths.device.type} Long tensor"
        )
    batch = input.size(0 if batch_first else 1)
    if len(known) != batch:
        raise RuntimeError(
            f"Expected `len(lengths)` to be equal to batch_size, but got {len(known)} "
            f"(batch_size={batch})"
        )
    if (known <= 0).any():
        raise RuntimeError(
            "Length of all samples has to be greater than 0, but found an element in 'lengths' "
            "that is <= 0"
        )
    if known.max() > input.size(1 if batch_first else 0):
        raise RuntimeError(
            f"Expected all 'lengths' to be at most the number of steps, "
            f"{input.size(1 if batch_first else 0)}, but found {known.max()}"
        )
    if (known[:-1] < known[1:]).any():
        raise RuntimeError(
            "`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. You "
            "can pass `enforce_sorted=False` to pack_padded_sequence and/or pack_sequence to "
            "sidestep this requirement if you do not need ONNX exportability."
        )
    exists = np.arange(known[0])[:, None] < known  # (steps, batch)
    rows = gpu.placed(np.flatnonzero(exists), gpu.index_of(input._array))
    return _pack_padded(input, wrap(rows), batch_first), wrap(exists.sum(1))
