"""Sequences of different lengths in one batch: padded with zeros, or packed without them.

A recurrent network takes a `PackedSequence` and does nothing for steps that do not exist.
`pack_sequence` makes one from a list, `pad_packed_sequence` fills it up again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from ... import ops
from ...dtypes import int64
from ...ops import packing
from ...tensor import Tensor

__all__ = [
    "PackedSequence", "invert_permutation", "pack_padded_sequence", "pack_sequence",
    "pad_packed_sequence", "pad_sequence", "unpack_sequence", "unpad_sequence",
]  # fmt: skip


class _Fields(NamedTuple):
    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None
    unsorted_indices: Tensor | None


class PackedSequence(_Fields):
    """Sequences of different lengths, step after step without padding.

    data: (all steps of all sequences, ...): the first step of every sequence, then the second, ...
    batch_sizes: int64, how many sequences have a first step, a second, ...
    sorted_indices, unsorted_indices: the order in which the longest sequence is the first, and its
        inverse; None if the sequences came in that order.
    """

    __slots__ = ()

    def __new__(
        cls, data: Any, batch_sizes: Tensor | None = None, sorted_indices: Tensor | None = None,
        unsorted_indices: Tensor | None = None,
    ) -> PackedSequence:  # fmt: skip
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        if batch_sizes is None:
            if not (isinstance(data, (list, tuple)) and len(data) == 2):
                raise AssertionError("Expected data to be a list or tuple of length 2")
            data, batch_sizes = data
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def to(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """With `data` in another dtype or, beside the indices, on another device; itself if nothing
        changes. `batch_sizes` stays in the host's memory."""
        data = self.data.to(*args, **kwargs)
        if data is self.data:
            return self
        indices = (self.sorted_indices, self.unsorted_indices)
        there = [None if order is None else order.to(data.device) for order in indices]
        return type(self)(data, self.batch_sizes, *there)

    def cpu(self, *args: Any, **kwargs: Any) -> PackedSequence:
        return self.to("cpu", *args, **kwargs)

    def cuda(self, *args: Any, **kwargs: Any) -> PackedSequence:
        return self.to("cuda", *args, **kwargs)

    def double(self) -> PackedSequence:
        return type(self)(self.data.double(), *self[1:])

    def float(self) -> PackedSequence:
        return type(self)(self.data.float(), *self[1:])

    def half(self) -> PackedSequence:
        return type(self)(self.data.half(), *self[1:])

    def long(self) -> PackedSequence:
        return type(self)(self.data.long(), *self[1:])

    def int(self) -> PackedSequence:
        return type(self)(self.data.int(), *self[1:])

    def pin_memory(self) -> PackedSequence:
        return type(self)(self.data.pin_memory(), *self[1:])

    def is_pinned(self) -> bool:
        return bool(self.data.is_pinned())

    @property
    def is_cuda(self) -> bool:
        return bool(self.data.is_cuda)


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """The permutation that undoes this one, (n,) int64; None of None."""
    if permutation is None:
        return None
    places = ops.arange(permutation.numel(), device=permutation.device)
    return ops.empty_like(permutation).scatter_(0, permutation, places)


def pack_padded_sequence(
    input: Tensor, lengths: Tensor | Sequence[int], batch_first: bool = False,
    enforce_sorted: bool = True,
) -> PackedSequence:  # fmt: skip
    """Packs padded sequences: (steps, batch, ...), or (batch, steps, ...) with `batch_first`.

    lengths: how many steps of each are no padding, (batch,), in the host's memory.
    enforce_sorted: the longest come first already; otherwise they are sorted here.

    Raises RuntimeError for lengths below 1, out of order, or of another number than sequences.
    """
    if isinstance(lengths, Tensor):
        lengths = lengths.to(dtype=int64)
    else:
        lengths = ops.tensor(lengths, dtype=int64, device="cpu")
    order = None
    if not enforce_sorted:
        lengths, order = ops.sort(lengths, descending=True)
        order = order.to(input.device)
        input = ops.index_select(input, 0 if batch_first else 1, order)
    data, batch_sizes = packing.pack_padded_sequence(input, lengths, batch_first)
    return PackedSequence(data, batch_sizes, order)


def pad_packed_sequence(
    sequence: PackedSequence, batch_first: bool = False, padding_value: float = 0.0,
    total_length: int | None = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """The padded sequences in their original order, and their lengths: undoes the packing.

    The first has shape (steps, batch, ...), or (batch, steps, ...) with `batch_first`.
    Raises ValueError if `total_length`, the number of steps, is less than the longest sequence's.
    """
    longest = sequence.batch_sizes.size(0)
    if total_length is not None and total_length < longest:
        raise ValueError(
            "Expected total_length to be at least the length of the longest sequence in input, but "
            f"got total_length={total_length} and max sequence length being {longest}"
        )
    sizes = [int(n) for n in sequence.batch_sizes.tolist()]
    padded = _padded(sequence.data, sizes, padding_value, total_length or longest)
    if batch_first:
        padded = padded.transpose(0, 1)
    lengths = ops.tensor([sum(n > i for n in sizes) for i in range(sizes[0])], device="cpu")
    order = sequence.unsorted_indices
    if order is None:
        return padded, lengths
    return ops.index_select(padded, 0 if batch_first else 1, order), lengths[order.cpu()]


def _padded(data: Tensor, sizes: list[int], value: float, steps: int) -> Tensor:
    """(steps, batch, ...): consecutive steps with equally many sequences are copied together."""
    rest = tuple(data.shape[1:])
    out = ops.full((steps, sizes[0], *rest), value, dtype=data.dtype, device=data.device)
    row = start = 0
    while start < len(sizes):
        n, stop = sizes[start], start
        while stop < len(sizes) and sizes[stop] == n:
            stop += 1
        block = data[row : row + n * (stop - start)].view(stop - start, n, *rest)
        out[start:stop, :n] = block
        row, start = row + n * (stop - start), stop
    return out


def pad_sequence(
    sequences: Tensor | Iterable[Tensor], batch_first: bool = False, padding_value: float = 0.0,
    padding_side: str = "right",
) -> Tensor:  # fmt: skip
    """Stacks sequences of shapes (length, ...) with padding behind (or, "left", before) them.

    The result is (longest, batch, ...), or (batch, longest, ...) with `batch_first`.
    Raises RuntimeError for no sequences, or another `padding_side`.
    """
    if not isinstance(sequences, Iterable):
        raise RuntimeError(
            "pad_sequence: Expected iterable for input sequences, but got arg of type: "
            f"{type(sequences)}"
        )
    items = tuple(sequences)
    if not items:
        raise RuntimeError("received an empty list of sequences")
    if padding_side not in ("left", "right"):
        raise RuntimeError(
            f"Expected padding_side to be one of left or right, but got {padding_side}."
        )
    longest = max(s.size(0) for s in items)
    shape = (len(items), longest) if batch_first else (longest, len(items))
    out = ops.full(
        (*shape, *items[0].shape[1:]), padding_value, dtype=items[0].dtype, device=items[0].device
    )
    for i, sequence in enumerate(items):
        start = longest - sequence.size(0) if padding_side == "left" else 0
        row = out.select(0 if batch_first else 1, i)
        row.narrow(0, start, sequence.size(0)).copy_(sequence)
    return out


def unpad_sequence(
    padded_sequences: Tensor, lengths: Tensor, batch_first: bool = False
) -> list[Tensor]:
    """The sequences of a padded batch without the padding behind them.

    As in PyTorch, a batch that is not `batch_first` is transposed in place."""
    if not batch_first:
        padded_sequences.transpose_(0, 1)
    steps = ops.arange(padded_sequences.shape[1], device=padded_sequences.device)
    return [s[steps < n] for s, n in zip(padded_sequences, lengths, strict=True)]


def pack_sequence(sequences: Sequence[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Packs a list of sequences of shapes (length, ...); the longest first, if `enforce_sorted`."""
    lengths = [s.size(0) for s in sequences]
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """The list of sequences that were packed."""
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)
