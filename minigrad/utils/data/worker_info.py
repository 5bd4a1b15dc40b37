"""What a dataset can learn about the process that reads it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["WorkerInfo", "get_worker_info", "set_worker_info"]


@dataclass(frozen=True, slots=True)
class WorkerInfo:
    """About a worker process: its `id` from 0 to `num_workers` - 1, the `seed` of its random
    numbers, and its own copy of the `dataset`. The other two fields are PyTorch's for threads."""

    id: int
    num_workers: int
    seed: int
    dataset: Any
    rng: Any = None
    worker_method: str | None = "multiprocessing"


_worker_info: WorkerInfo | None = None


def get_worker_info() -> WorkerInfo | None:
    """In a worker process its id, seed and dataset; None in the main process.

    An iterable dataset shares out its samples by it: `itertools.islice(samples, info.id, None,
    info.num_workers)`.
    """
    return _worker_info


def set_worker_info(info: WorkerInfo) -> None:
    """Called once, where a worker starts."""
    global _worker_info
    _worker_info = info
