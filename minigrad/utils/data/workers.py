"""One epoch over a loader's batches, read by worker processes.

Tasks are numbered in the order of the sampler and dealt out to the workers in turn, a few ahead of
what the program has asked for (`prefetch_factor` for each worker). Answers arrive in any order:

    sampler -> (number, index) -> worker 0 -> (number, batch) -+
                                  worker 1 -> (number, batch) -+-> reorder buffer -> the program

A batch that comes before its turn waits in the reorder buffer. For each batch that is handed to the
program the next task goes out. Which worker reads which batch hence depends on nothing but the
sampler, and so do the random numbers that a worker draws. `pool.py` has the processes, `worker.py`
what they do.
"""

from __future__ import annotations

import itertools
import multiprocessing
import weakref
from typing import TYPE_CHECKING, Any

from .iteration import _BaseDataLoaderIter
from .pool import Pool
from .worker import EXHAUSTED, RESUME, Failure, Job

if TYPE_CHECKING:
    from .dataloader import DataLoader

__all__ = ["WorkersIter", "context_of"]


def context_of(option: Any) -> Any:
    """The context that the option `multiprocessing_context` names or is.

    Raises ValueError for an unknown start method, TypeError for what is no context.
    """
    if isinstance(option, str):
        methods = multiprocessing.get_all_start_methods()
        if option not in methods:
            raise ValueError(
                "multiprocessing_context option should specify a valid start method in "
                f"{methods!r}, but got multiprocessing_context={option!r}"
            )
        return multiprocessing.get_context(option)
    if not isinstance(option, multiprocessing.context.BaseContext):
        raise TypeError(
            "multiprocessing_context option should be a valid context object or a string "
            f"specifying the start method, but got multiprocessing_context={option}"
        )
    return option


class WorkersIter(_BaseDataLoaderIter):
    """The batches of an epoch; with persistent workers, of one epoch after the other."""

    def __init__(self, loader: DataLoader) -> None:
        super().__init__(loader)
        if not loader.prefetch_factor:
            raise AssertionError(
                "prefetch_factor must be greater than 0 for MultiProcessingDataLoaderIter"
            )
        self._count = loader.num_workers
        self._tasks_ahead = loader.prefetch_factor * loader.num_workers
        self._in_order, self._timeout = loader.in_order, loader.timeout
        self._persistent = loader.persistent_workers
        job = Job(loader._reading(), self._base_seed, loader.num_workers, loader.worker_init_fn)
        context = loader.multiprocessing_context or multiprocessing.get_context()
        self._pool = Pool(context, job)
        # However the iterator ends, and if the whole program ends, the workers do.
        self._end = weakref.finalize(self, self._pool.shut_down)
        self._begin(loader)

    @property
    def is_closed(self) -> bool:
        """Whether the workers are gone."""
        return self._pool.closed

    def restart(self, loader: DataLoader) -> None:
        """Begin another epoch with the same workers; what they still read of the last is dropped."""
        for worker in range(self._count):
            self._pool.send(worker, RESUME)
        waiting = self._count
        while waiting:
            number, _ = self._pool.receive(self._timeout)
            waiting -= number == RESUME
        self._begin(loader)

    def _begin(self, loader: DataLoader) -> None:
        self._indices = iter(self._index_sampler)
        self._promised, self._num_yielded = loader._reported_length, 0
        self._sent = self._next = 0  # the numbers of the next task to send and to hand out
        self._reader: dict[int, int] = {}  # task -> the worker that reads it
        self._early: dict[int, Any] = {}  # the reorder buffer: task -> its answer
        self._load = [0] * self._count  # tasks that each worker has
        self._active = [True] * self._count  # False once its part of an iterable dataset has ended
        self._turns = itertools.cycle(range(self._count))
        for _ in range(self._tasks_ahead):
            self._send_task()

    def _send_task(self) -> None:
        """Give the next index to the worker whose turn it is, if there is one of either."""
        try:
            index = next(self._indices)
        except StopIteration:
            return
        worker = self._choose()
        if worker is None:
            return
        self._pool.send(worker, (self._sent, index))
        self._reader[self._sent] = worker
        self._load[worker] += 1
        self._sent += 1

    def _choose(self) -> int | None:
        """The next active worker; where order does not matter, one that is not behind."""
        turns = itertools.islice(self._turns, self._count)
        active = (worker for worker in turns if self._active[worker])
        if not self._in_order:
            most = self._tasks_ahead // max(1, sum(self._active))
            active = (worker for worker in active if self._load[worker] < most)
        return next(active, None)

    def _next_batch(self) -> Any:
        while True:
            self._skip_unreadable()
            if self._next == self._sent:
                if not self._persistent:
                    self._end()
                raise StopIteration
            if self._next in self._early:
                return self._hand_out(self._next, self._early.pop(self._next))
            if self._pool.closed:
                raise AssertionError(
                    "Invalid iterator state: shutdown or no outstanding tasks when fetching next data"
                )
            number, answer = self._pool.receive(self._timeout)
            if answer == EXHAUSTED:
                self._retire(self._reader[number])
            elif number == self._next or not self._in_order:
                return self._hand_out(number, answer)
            else:
                self._early[number] = answer

    def _skip_unreadable(self) -> None:
        """Pass over tasks that were handed out, or whose reader had nothing left to read."""
        while self._next < self._sent and self._next not in self._early:
            reader = self._reader.get(self._next)
            if reader is not None and self._active[reader]:
                return
            self._reader.pop(self._next, None)
            self._next += 1

    def _retire(self, worker: int) -> None:
        self._active[worker] = False
        if not self._persistent:
            self._pool.retire(worker)
        self._send_task()

    def _hand_out(self, number: int, answer: Any) -> Any:
        self._load[self._reader.pop(number)] -= 1
        self._next += number == self._next
        self._send_task()
        if isinstance(answer, Failure):
            answer.raise_again()
        return answer[0]
