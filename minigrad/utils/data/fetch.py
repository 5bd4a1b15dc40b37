"""From an index to a batch: the same reading in the main process and in a worker.

A `Reading` is all that this takes: the dataset, how to collate, and whether indices come in
batches. It can be pickled if its parts can, so it is what a worker process is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

__all__ = ["Fetch", "Reading"]

Fetch = Callable[[Any], Any]


@dataclass(frozen=True)
class Reading:
    """How a loader reads. `batched` says that an index is a list of them; in a stream (an iterable
    dataset) only its length counts."""

    dataset: Any
    is_iterable: bool
    batched: bool
    collate: Callable[[Any], Any]
    drop_last: bool

    def start(self) -> Fetch:
        """A function for one epoch that turns an index into a batch.

        Over a stream it raises StopIteration when there is no further batch.
        """
        read = _Stream(self).read if self.is_iterable else self._read
        return lambda index: self.collate(read(index))

    def _read(self, index: Any) -> Any:
        dataset = self.dataset
        if not self.batched:
            return dataset[index]
        many = getattr(dataset, "__getitems__", None)
        return many(index) if many else [dataset[i] for i in index]


class _Stream:
    """One pass over an iterable dataset, which is not asked again once it has ended."""

    def __init__(self, reading: Reading) -> None:
        self._batched, self._drop_last = reading.batched, reading.drop_last
        self._samples = iter(reading.dataset)
        self._ended = False

    def read(self, places: Any) -> Any:
        if not self._batched:
            return next(self._samples)
        batch = list(self._some(places))
        if not batch or (self._drop_last and len(batch) < len(places)):
            raise StopIteration
        return batch

    def _some(self, places: Any) -> Iterator[Any]:
        for _ in places:
            if self._ended:
                return
            try:
                yield next(self._samples)
            except StopIteration:
                self._ended = True
