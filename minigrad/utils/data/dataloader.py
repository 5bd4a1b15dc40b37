"""The loop over batches: `for x, y in DataLoader(dataset, batch_size=16, shuffle=True)`.

A loader only holds what was asked for; the reading is done by an iterator, a new one for each
epoch: `iteration.py` in this process, `workers.py` with worker processes.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ...warn import warn
from .collate import default_collate, default_convert
from .dataset import IterableDataset
from .fetch import Reading
from .iteration import SamplesIter, TensorRowsIter, cuts_tensors
from .sampler import BatchSampler, RandomSampler, SequentialSampler
from .worker_info import get_worker_info

if TYPE_CHECKING:
    from ...random import Generator
    from .workers import WorkersIter

__all__ = ["DataLoader", "default_collate", "default_convert", "get_worker_info"]

T_co = TypeVar("T_co", covariant=True)

_FIXED = {
    "batch_size",
    "batch_sampler",
    "sampler",
    "drop_last",
    "dataset",
    "persistent_workers",
}


class DataLoader(Generic[T_co]):
    """Batches of a dataset, in order or shuffled.

    Args:
        dataset: map-style or iterable.
        batch_size: samples in a batch; None gives single samples, not collated.
        shuffle: a new random order in every epoch (map-style only).
        sampler: yields indices instead; excludes `shuffle`.
        batch_sampler: yields lists of indices; excludes `batch_size`, `shuffle`, `sampler` and
            `drop_last`.
        num_workers: processes that read ahead; 0 reads in the main process.
        collate_fn: makes a batch from a list of samples; by default `default_collate`.
        pin_memory: accepted; warns, as there is no accelerator to pin memory for.
        drop_last: leaves out a last batch that is shorter.
        timeout: seconds to wait for a worker, then RuntimeError; 0 waits as long as it takes.
        worker_init_fn: called in each worker with its number, after seeding.
        multiprocessing_context: a start method ("fork", "spawn", "forkserver") or a context of
            multiprocessing; by default that of multiprocessing itself.
        generator: draws the shuffled order and the base seed; by default the global one. Worker i
            seeds Python's, NumPy's and the global generator with base seed + i.
        prefetch_factor: batches that each worker reads ahead, by default 2.
        persistent_workers: keeps the workers from one epoch to the next.
        in_order: False hands out batches as they arrive.

    Raises:
        ValueError: for arguments that exclude each other, with PyTorch's text.
    """

    _initialized = False

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Iterable[Any] | None = None,
        batch_sampler: Iterable[Any] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[Any], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], None] | None = None,
        multiprocessing_context: Any = None,
        generator: Generator | None = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        _check_workers(num_workers, timeout, prefetch_factor, persistent_workers)
        self._is_iterable = isinstance(dataset, IterableDataset)
        if self._is_iterable:
            _check_iterable(shuffle, sampler, batch_sampler)
        _check_batching(batch_size, shuffle, sampler, batch_sampler, drop_last)
        self.dataset = dataset
        self.num_workers = num_workers
        self.multiprocessing_context = multiprocessing_context
        if num_workers > 0 and prefetch_factor is None:
            prefetch_factor = 2
        self.prefetch_factor = prefetch_factor
        self.pin_memory = pin_memory
        self.pin_memory_device = pin_memory_device
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.in_order = in_order
        self.generator = generator
        self.persistent_workers = persistent_workers

        if sampler is None:
            sampler = self._default_sampler(bool(shuffle))
        if batch_sampler is not None:
            batch_size = None
        elif batch_size is not None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.sampler = sampler
        self.batch_sampler = batch_sampler
        self.batch_size = batch_size
        self.drop_last = drop_last
        if collate_fn is None:
            collate_fn = default_convert if batch_sampler is None else default_collate
        self.collate_fn = collate_fn
        self._reported_length: int | None = None
        self._iterator: WorkersIter | None = None
        self._initialized = True
        _warn_of_many_workers(num_workers)

    def _default_sampler(self, shuffle: bool) -> Iterable[Any]:
        if self._is_iterable:
            return _Forever()
        if shuffle:
            return RandomSampler(self.dataset, generator=self.generator)
        return SequentialSampler(self.dataset)

    @property
    def multiprocessing_context(self) -> Any:
        return self._multiprocessing_context

    @multiprocessing_context.setter
    def multiprocessing_context(self, context: Any) -> None:
        if context is not None and self.num_workers == 0:
            raise ValueError(
                "multiprocessing_context can only be used with multi-process loading "
                f"(num_workers > 0), but got num_workers={self.num_workers}"
            )
        if context is not None:
            from .workers import context_of

            context = context_of(context)
        self._multiprocessing_context = context

    def __setattr__(self, attr: str, value: Any) -> None:
        if self._initialized and attr in _FIXED:
            raise ValueError(
                f"{attr} attribute should not be set after {type(self).__name__} is initialized"
            )
        super().__setattr__(attr, value)

    @property
    def _index_sampler(self) -> Any:
        return self.sampler if self.batch_sampler is None else self.batch_sampler

    def __iter__(self) -> Iterator[Any]:
        if self.num_workers > 0:
            return self._workers_iter()
        return TensorRowsIter(self) if cuts_tensors(self) else SamplesIter(self)

    def _workers_iter(self) -> WorkersIter:
        from .workers import WorkersIter  # multiprocessing is imported only by who needs it

        if self._iterator is not None and not self._iterator.is_closed:
            self._iterator.restart(self)
            return self._iterator
        _warn_of_many_workers(self.num_workers)
        iterator = WorkersIter(self)
        if self.persistent_workers:
            self._iterator = iterator
        return iterator

    def _reading(self) -> Reading:
        batched = self.batch_sampler is not None
        return Reading(self.dataset, self._is_iterable, batched, self.collate_fn, self.drop_last)

    def __len__(self) -> int:
        """Batches in an epoch; for an iterable dataset, as many as its own `len` promises."""
        if not self._is_iterable:
            return len(self._index_sampler)
        length = self._reported_length = len(self.dataset)
        if self.batch_size is None:
            return length
        return length // self.batch_size if self.drop_last else math.ceil(length / self.batch_size)


def _warn_of_many_workers(num_workers: int) -> None:
    processors = len(os.sched_getaffinity(0)) if _HAS_AFFINITY else os.cpu_count()
    if num_workers <= (processors or num_workers):
        return
    note = "" if _HAS_AFFINITY else " (`cpuset` is not taken into account)"
    warn(
        f"This DataLoader will create {num_workers} worker processes in total. Our suggested max "
        f"number of worker in current system is {processors}{note}, which is smaller than what this "
        "DataLoader is going to create. Please be aware that excessive worker creation might get "
        "DataLoader running slow or even freeze, lower the worker number to avoid potential "
        "slowness/freeze if necessary."
    )


_HAS_AFFINITY = hasattr(os, "sched_getaffinity")


class _Forever:
    """The sampler of an iterable dataset, which has no indices and ends when it likes."""

    def __iter__(self) -> Iterator[None]:
        while True:
            yield None


def _check_workers(
    num_workers: int, timeout: float, prefetch_factor: int | None, persistent_workers: bool
) -> None:
    if num_workers < 0:
        raise ValueError(
            "num_workers option should be non-negative; use num_workers=0 to disable "
            "multiprocessing."
        )
    if timeout < 0:
        raise ValueError("timeout option should be non-negative")
    if num_workers == 0 and prefetch_factor is not None:
        raise ValueError(
            "prefetch_factor option could only be specified in multiprocessing."
            "let num_workers > 0 to enable multiprocessing, otherwise set prefetch_factor to None."
        )
    if prefetch_factor is not None and prefetch_factor < 0:
        raise ValueError("prefetch_factor option should be non-negative")
    if persistent_workers and num_workers == 0:
        raise ValueError("persistent_workers option needs num_workers > 0")


def _check_iterable(shuffle: Any, sampler: Any, batch_sampler: Any) -> None:
    text = "DataLoader with IterableDataset: expected unspecified {0} option, but got {0}={1}"
    if shuffle not in (False, None):
        raise ValueError(text.format("shuffle", shuffle))
    if sampler is not None:
        raise ValueError(text.format("sampler", sampler))
    if batch_sampler is not None:
        raise ValueError(text.format("batch_sampler", batch_sampler))


def _check_batching(
    batch_size: int | None, shuffle: Any, sampler: Any, batch_sampler: Any, drop_last: bool
) -> None:
    if sampler is not None and shuffle:
        raise ValueError("sampler option is mutually exclusive with shuffle")
    if batch_sampler is not None:
        if batch_size != 1 or shuffle or sampler is not None or drop_last:
            raise ValueError(
                "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, "
                "and drop_last"
            )
    elif batch_size is None and drop_last:
        raise ValueError(
            "batch_size=None option disables auto-batching and is mutually exclusive with drop_last"
        )
