"""What runs in a worker process of a `DataLoader`.

A worker is told what to read by its end of a connection, and answers over the same:

    (number, index)  ->  (number, batch), (number, Failure) or (number, EXHAUSTED)
    RESUME           ->  (RESUME, None): a new epoch begins, for workers that persist

It ends when the other end is closed, be it on purpose or because the main process has died; there
is nothing else to clean up. Ctrl-C in a terminal reaches the workers too, and they go quietly: the
main process has a KeyboardInterrupt of its own.
"""

from __future__ import annotations

import contextlib
import os
import queue
import random as python_random
import signal
import threading
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ... import random, settings
from . import worker_info
from .shared import Parcel, pack, send

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from .fetch import Fetch, Reading

__all__ = ["EXHAUSTED", "RESUME", "Failure", "Job", "work"]

RESUME = "resume"
EXHAUSTED = "exhausted"
"""An answer: the worker's part of an iterable dataset has ended. (A batch is sent in a tuple.)"""

CHECK_INTERVAL = 5.0
"""Seconds after which a worker that waits looks whether it still has a parent. Normally it learns
that at once, as the connection ends; not if another process has inherited the main process's end."""


@dataclass(frozen=True)
class Job:
    """What all workers of a loader are given when they start."""

    reading: Reading
    base_seed: int
    num_workers: int
    init_fn: Callable[[int], Any] | None


class Failure:
    """An exception on its way to the main process: its type and its traceback as text."""

    def __init__(self, error: Exception, worker_id: int) -> None:
        text = "".join(traceback.format_exception(error))
        self.kind = type(error)
        self.message = (
            f"Caught {self.kind.__name__} in DataLoader worker process {worker_id}.\n"
            f"Original {text}"
        )

    def raise_again(self) -> None:
        """Raise an exception of the same type, or RuntimeError where that takes more than a text."""
        message = _Verbatim(self.message) if self.kind is KeyError else self.message
        if getattr(self.kind, "message", None):
            raise self.kind(message=message)  # type: ignore[call-arg]
        try:
            error = self.kind(message)
        except Exception:
            raise RuntimeError(message) from None
        raise error


class _Verbatim(str):
    """A KeyError shows the `repr` of its argument, which would turn lines into backslashes."""

    def __repr__(self) -> str:
        return str(self)


def work(worker_id: int, job: Job, connection: Connection) -> None:
    """The life of a worker: seed, prepare, answer one task after the other.

    Ctrl-C is held back while the process comes up and while it goes down, and never interrupts the
    thread that takes the tasks: it can be dealt with in one place.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    tasks = _tasks(connection)
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError, ConnectionResetError):
        try:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
            _introduce(worker_id, job)
            _answer(tasks, _Reader(worker_id, job), connection)
        finally:
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])


def _answer(tasks: Iterator[Any], reader: _Reader, connection: Connection) -> None:
    for task in tasks:
        if task == RESUME:
            reader.start()
            send(connection, reader.packed(RESUME, None))
        elif not reader.exhausted:
            number, index = task
            send(connection, reader.packed(number, reader.read(index)))


def _introduce(worker_id: int, job: Job) -> None:
    """Seed Python's, NumPy's and minigrad's generators as PyTorch does, then say who we are."""
    seed = job.base_seed + worker_id
    python_random.seed(seed)
    random.manual_seed(seed)
    entropy = [worker_id, job.base_seed & 0xFFFFFFFF, job.base_seed >> 32, 0]
    np.random.seed(np.random.SeedSequence(entropy).generate_state(4))
    settings.set_num_threads(1)
    worker_info.set_worker_info(
        worker_info.WorkerInfo(worker_id, job.num_workers, seed, job.reading.dataset)
    )


class _Reader:
    """Reads one batch after the other; whatever goes wrong becomes the answer."""

    def __init__(self, worker_id: int, job: Job) -> None:
        self._id, self._reading = worker_id, job.reading
        self.start(job.init_fn)

    def start(self, init_fn: Callable[[int], Any] | None = None) -> None:
        """Begin an epoch; before the first one call `init_fn`."""
        self.exhausted = False
        self._fetch: Fetch | Failure
        try:
            if init_fn is not None:
                init_fn(self._id)
            self._fetch = self._reading.start()
        except Exception as error:
            self._fetch = Failure(error, self._id)

    def read(self, index: Any) -> Any:
        """(batch,), EXHAUSTED, or a Failure."""
        if isinstance(self._fetch, Failure):
            return self._fetch
        try:
            return (self._fetch(index),)
        except Exception as error:
            if isinstance(error, StopIteration) and self._reading.is_iterable:
                self.exhausted = True
                return EXHAUSTED
            return Failure(error, self._id)

    def packed(self, number: Any, answer: Any) -> Parcel:
        """The answer ready to be sent, or the failure to pickle it."""
        try:
            return pack((number, answer))
        except Exception as error:
            failure = answer if isinstance(answer, Failure) else Failure(error, self._id)
            failure.kind = RuntimeError  # the exception's own type may be what cannot be pickled
            return pack((number, failure))


def _tasks(connection: Connection) -> Iterator[Any]:
    """What the main process sends, until the connection ends.

    A thread takes it from the connection, so that the main process can always send: otherwise
    both could wait for each other, each with a message that does not fit into the pipe.
    """
    tasks: queue.SimpleQueue[Any] = queue.SimpleQueue()
    parent = os.getppid()

    def forward() -> None:
        try:
            while os.getppid() == parent:
                if connection.poll(CHECK_INTERVAL):
                    tasks.put(connection.recv())
        except (EOFError, OSError):
            pass
        finally:
            tasks.put(None)

    threading.Thread(target=forward, daemon=True).start()
    return iter(tasks.get, None)
