"""PyTorch's process: it imports torch once, runs program after program, spools what happens.

The parent asks for a program with `Worker.start` and goes on; while it compares one program with
its spool, the worker records the next.
"""

from __future__ import annotations

import multiprocessing
import pickle
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from .program import Program
from .record import Arrays, Event, Recorder

_CHUNK = 2000  # events to a pickle: fewer and larger are faster, one would not fit in memory


class Spool:
    """A sink that writes events to a file."""

    forced = False

    def __init__(self, path: str) -> None:
        self._file = open(path, "wb")  # noqa: SIM115 - closed in `close`
        self._events: list[Event] = []
        self.count = 0

    def __call__(self, event: Event, units: Arrays = ()) -> None:
        self._events.append(event)
        self.count += 1
        if len(self._events) == _CHUNK:
            self._write()

    def _write(self) -> None:
        pickle.dump([tuple(event) for event in self._events], self._file, protocol=5)
        self._events.clear()

    def close(self) -> None:
        """Write what is left."""
        self._write()
        self._file.close()


def read_spool(path: str) -> Iterator[Event]:
    """The events of a spool, in order."""
    with open(path, "rb") as file:
        while True:
            try:
                chunk = pickle.load(file)
            except EOFError:
                return
            for event in chunk:
                yield Event(*event)


def record(program: Program, path: str) -> int:
    """In PyTorch's process: run the program, spool its events, return their number."""
    from .torch_side import TorchSide

    spool = Spool(path)
    try:
        Recorder(TorchSide(), spool).run(program)
    finally:
        spool.close()
    return spool.count


class Worker:
    """The process and the folder of its spools; a context manager."""

    def __enter__(self) -> Worker:
        self._folder = TemporaryDirectory(prefix="parity-")
        context = multiprocessing.get_context("spawn")
        self._pool = ProcessPoolExecutor(max_workers=1, mp_context=context)
        return self

    def __exit__(self, *exception: Any) -> None:
        self._pool.shutdown(cancel_futures=True)
        self._folder.cleanup()

    def start(self, program: Program) -> tuple[str, Future[int]]:
        """Queue a program; the spool's path, and the number of events once it is there."""
        path = str(Path(self._folder.name) / f"{program.name.replace('/', '_')}.events")
        return path, self._pool.submit(record, program, path)
