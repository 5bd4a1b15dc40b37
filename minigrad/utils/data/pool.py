"""The worker processes of a loader, seen from the main process.

Each worker sits at the other end of a connection of its own: tasks go out, answers come back.
Nothing is shared between workers, no lock and no queue, so one that dies can block nobody, and its
death shows at once as the end of its connection. To stop a worker, the connection is closed.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing import connection as connections
from multiprocessing import util
from pickle import PicklingError
from typing import TYPE_CHECKING, Any

from ...warn import warn
from .shared import receive
from .worker import CHECK_INTERVAL, Job, work

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

__all__ = ["Pool"]

PATIENCE = 5.0
"""Seconds in which workers may finish the batch that they are reading; then they are killed."""


@dataclass(eq=False)
class _Worker:
    process: Any
    connection: Connection


class Pool:
    """The workers that do a job; `context` is one of multiprocessing's."""

    def __init__(self, context: Any, job: Job) -> None:
        self._owner = os.getpid()
        self._workers: list[_Worker] = []
        self.closed = False
        try:
            with _no_interrupts():
                for worker_id in range(job.num_workers):
                    self._workers.append(_start(context, worker_id, job))
        except BaseException:
            self.shut_down()
            raise

    @property
    def pids(self) -> list[int]:
        """The process ids of all workers."""
        return [worker.process.pid for worker in self._workers]

    def send(self, worker_id: int, message: Any) -> None:
        """Hand a worker a message; that it has died is for `receive` to report."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._workers[worker_id].connection.send(message)

    def receive(self, timeout: float) -> Any:
        """The next answer of any worker, waited for `timeout` seconds at most (0: for ever).

        Raises RuntimeError when time is up, and when a worker has died. After any exception but the
        former the pool is shut down, since half an answer may have been read.
        """
        try:
            worker = self._wait(timeout)
            answer = None if worker is None else _read(worker)
        except BaseException:
            self.shut_down()
            raise
        if worker is None:
            raise RuntimeError(f"DataLoader timed out after {timeout} seconds")
        return answer

    def _wait(self, timeout: float) -> _Worker | None:
        """A worker whose connection has something to read; None when time is up."""
        listening = {w.connection: w for w in self._workers if not w.connection.closed}
        while not (ready := connections.wait(list(listening), timeout or CHECK_INTERVAL)):
            dead = [w for w in listening.values() if not w.process.is_alive()]
            if dead:  # and a process that it has started keeps its end of the connection open
                raise _died(dead) from _how(dead[0].process)
            if timeout:
                return None
        return listening[ready[0]]  # type: ignore[index]

    def retire(self, worker_id: int) -> None:
        """Let a worker end that has nothing more to do."""
        self._workers[worker_id].connection.close()

    def shut_down(self) -> None:
        """End all workers. In a copy of the process that started them this does nothing."""
        if self.closed or os.getpid() != self._owner:
            return
        self.closed = True
        for worker in self._workers:
            worker.connection.close()
        deadline = time.monotonic() + PATIENCE
        try:
            for worker in self._workers:
                worker.process.join(max(0.0, deadline - time.monotonic()))
        finally:  # also when a second Ctrl-C has ended the patience
            for worker in self._workers:
                worker.process.kill()
                worker.process.join()


@contextlib.contextmanager
def _no_interrupts() -> Iterator[None]:
    """Ctrl-C waits: all workers are started, and each has come to where it can end quietly."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _start(context: Any, worker_id: int, job: Job) -> _Worker:
    ours, theirs = context.Pipe()
    # A process that is forked later, such as the next worker, must not keep our end open.
    util.register_after_fork(ours, type(ours).close)
    process = context.Process(target=work, args=(worker_id, job, theirs), daemon=True)
    try:
        with theirs, warnings.catch_warnings():
            # Of threads other than ours, such as those of a BLAS, which prepare for a fork.
            warnings.filterwarnings("ignore", ".*use of fork", DeprecationWarning)
            process.start()
    except (TypeError, AttributeError, PicklingError):
        warn(_NOT_PICKLABLE)
        raise
    return _Worker(process, ours)


_NOT_PICKLABLE = (
    "Got pickle error when attempting to start a worker Process. "
    "This might be because the worker Process arguments are not picklable. "
    "Python 3.14+ changed the multiprocessing start method in non-Mac POSIX platforms "
    "to 'forkserver', which requires the worker Process arguments to be picklable. "
    "You can also try multiprocessing.set_start_method('fork')."
)


def _read(worker: _Worker) -> Any:
    try:
        return receive(worker.connection)
    except (EOFError, ConnectionResetError):
        worker.process.join(PATIENCE)
        raise _died([worker]) from _how(worker.process)


def _died(workers: list[_Worker]) -> RuntimeError:
    pids = ", ".join(str(worker.process.pid) for worker in workers)
    return RuntimeError(f"DataLoader worker (pid(s) {pids}) exited unexpectedly")


def _how(process: Any) -> RuntimeError:
    """What the system knows about the end of a process."""
    code = process.exitcode
    if code is not None and code < 0:
        name = signal.strsignal(-code)
        return RuntimeError(f"DataLoader worker (pid {process.pid}) is killed by signal: {name}. ")
    return RuntimeError(
        f"DataLoader worker (pid {process.pid}) exited unexpectedly with exit code {code}. Details "
        "are lost due to multiprocessing. Rerunning with num_workers=0 may give better error trace."
    )
