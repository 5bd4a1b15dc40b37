"""One epoch over a loader's batches.

An iterator draws one seed from the generator (workers' seeds start from it), asks the sampler for
indices, reads those samples and collates them. All draws happen when PyTorch makes them, so
the same seed gives the same batches and leaves the generator in the same state.

`SamplesIter` reads sample by sample. `TensorRowsIter` is the same loop for the commonest case,
tensors cut into batches: it gathers the rows of many batches at once instead of stacking one
sample after the other. With worker processes it is a third one that reads (`workers.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from ... import gpu
from ...autograd.node import wrap
from ...tensor import Tensor
from ...warn import warn
from . import _random
from .collate import default_collate
from .dataset import TensorDataset
from .sampler import BatchSampler, RandomSampler, SequentialSampler

if TYPE_CHECKING:
    from .dataloader import DataLoader

__all__ = ["SamplesIter", "TensorRowsIter", "cuts_tensors"]

BLOCK_BYTES = 2**18
"""How many bytes of rows are gathered ahead: a quarter of a megabyte stays in the L2 cache."""


def cuts_tensors(loader: DataLoader) -> bool:
    """Whether the batches are rows of tensors, in the order of a sampler that gives arrays."""
    dataset, batches = loader.dataset, loader.batch_sampler
    return (
        type(dataset) is TensorDataset
        and loader.collate_fn is default_collate
        and type(batches) is BatchSampler
        and type(batches.sampler) in (SequentialSampler, RandomSampler)
        and batches.sampler.data_source is dataset  # type: ignore[union-attr]
        and all(_is_plain(t) for t in dataset.tensors)
    )


def _is_plain(tensor: Tensor) -> bool:
    """Whether a row is just its values: no gradient flows to it, and its changes are counted."""
    return (
        type(tensor) is Tensor and not tensor.requires_grad and tensor._version_counter is not None
    )


class _BaseDataLoaderIter:
    """What every epoch starts with, whoever reads the samples."""

    def __init__(self, loader: DataLoader) -> None:
        self._pins = loader.pin_memory and gpu.device_count() > 0
        if loader.pin_memory and not self._pins:
            _warn_pin_memory(loader.pin_memory_device)
        self._dataset = loader.dataset
        self._num_workers = loader.num_workers
        self._index_sampler = loader._index_sampler
        self._indices: Iterator[Any] = iter(self._index_sampler)
        self._base_seed = _random.seed(loader.generator)
        self._promised: int | None = loader._reported_length
        self._num_yielded = 0

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        batch = self._next_batch()
        batch = _pinned(batch) if self._pins else batch
        self._num_yielded += 1
        if self._promised is not None and self._num_yielded > self._promised:
            self._warn_of_length()
        return batch

    def _next_batch(self) -> Any:
        raise NotImplementedError

    def _warn_of_length(self) -> None:
        text = (
            f"Length of IterableDataset {self._dataset} was reported to be {self._promised}"
            f"(when accessing len(dataloader)), but {self._num_yielded} samples have been fetched. "
        )
        warn(text + (_REPLICAS if self._num_workers else ""))

    def __len__(self) -> int:
        return len(self._index_sampler)

    def __getstate__(self) -> Any:
        raise NotImplementedError("{} cannot be pickled", type(self).__name__)


_REPLICAS = (
    "For multiprocessing data-loading, this could be caused by not properly configuring the "
    "IterableDataset replica at each worker. Please see "
    "https://pytorch.org/docs/stable/data.html#torch.utils.data.IterableDataset for examples."
)


class SamplesIter(_BaseDataLoaderIter):
    """One epoch, read sample by sample."""

    def __init__(self, loader: DataLoader) -> None:
        super().__init__(loader)
        _refuse_timeout(loader)
        self._fetch = loader._reading().start()

    def _next_batch(self) -> Any:
        return self._fetch(next(self._indices))


class TensorRowsIter(_BaseDataLoaderIter):
    """One epoch over the rows of tensors, many batches gathered at a time.

    A block holds the rows of as many whole batches as fit into `BLOCK_BYTES`, in the sampler's
    order; each batch is a slice of it, and no two batches share a row. When an in-place op has
    changed the dataset since, the block is gathered again.
    """

    def __init__(self, loader: DataLoader) -> None:
        super().__init__(loader)
        _refuse_timeout(loader)
        self._tensors: tuple[Tensor, ...] = loader.dataset.tensors
        self._counters: list[Any] = [t._version_counter for t in self._tensors]
        self._size: int = self._index_sampler.batch_size
        self._drop_last = loader.drop_last
        row_bytes = sum(t._array[:1].nbytes for t in self._tensors)
        batches = max(1, BLOCK_BYTES // max(1, row_bytes * self._size))
        self._rows_per_block = batches * self._size
        self._chunks = self._index_sampler.sampler.index_chunks()
        self._waiting = np.empty(0, np.int64)  # indices that no block has taken yet
        self._rows = self._waiting  # the rows of the block, and how far it has been given out
        self._given = 0

    def __next__(self) -> list[Tensor]:
        start, stop = self._given, self._given + self._size
        if stop > len(self._rows):
            self._rows = self._next_rows()
            start, stop = 0, self._size
            self._gather()
        elif self._versions != [counter[0] for counter in self._counters]:
            self._gather()
        self._given = stop
        self._num_yielded += 1
        batch = [wrap(block[start:stop]) for block in self._blocks]
        return _pinned(batch) if self._pins else batch  # type: ignore[no-any-return]

    def _gather(self) -> None:
        self._versions = [counter[0] for counter in self._counters]
        arrays = [t._array for t in self._tensors]
        self._blocks = [a.take(gpu.placed(self._rows, gpu.index_of(a)), axis=0) for a in arrays]

    def _next_rows(self) -> np.ndarray[Any, Any]:
        """Indices of the next whole batches, or of the shorter last one; StopIteration at the end.

        A further chunk is drawn from the sampler only when a batch lacks indices.
        """
        waiting = self._waiting
        while len(waiting) < self._size:
            chunk = next(self._chunks, None)
            if chunk is None:
                return self._last_rows()
            self._waiting = waiting = np.concatenate([waiting, chunk])
        whole = len(waiting) - len(waiting) % self._size
        count = min(whole, self._rows_per_block)
        self._waiting = waiting[count:]
        return waiting[:count]

    def _last_rows(self) -> np.ndarray[Any, Any]:
        rows, self._waiting = self._waiting, self._waiting[:0]
        if len(rows) == 0 or self._drop_last:
            raise StopIteration
        return rows


def _refuse_timeout(loader: DataLoader) -> None:
    if loader.timeout != 0:
        raise AssertionError("_SingleProcessDataLoaderIter requires timeout == 0")


def _pinned(batch: Any) -> Any:
    """A batch with its tensors in memory that a GPU can copy from."""
    if isinstance(batch, Tensor):
        return batch.pin_memory()
    if isinstance(batch, dict):
        return {key: _pinned(value) for key, value in batch.items()}
    if isinstance(batch, (list, tuple)):
        parts = [_pinned(part) for part in batch]
        return type(batch)(*parts) if hasattr(batch, "_fields") else type(batch)(parts)
    return batch


def _warn_pin_memory(device: str) -> None:
    if device:
        warn(
            "pin_memory_device is deprecated, the current accelerator will be used as the device,"
            f"ignore pin_memory_device='{device}'."
        )
    warn(
        "'pin_memory' argument is set as true but no accelerator is found, then device pinned "
        "memory won't be used."
    )
