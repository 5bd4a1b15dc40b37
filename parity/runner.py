"""Runs programs on both sides: while one is compared, PyTorch's process records the next."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from functools import partial

from .lockstep import Result, compare_program
from .program import Program
from .record import Side
from .worker import Worker, read_spool


def compare_all(
    programs: Iterable[Program],
    begin: Callable[[str, int | None], None] = lambda name, events: None,
    advance: Callable[[], None] = lambda: None,
    side: Side | None = None,
) -> list[Result]:
    """Compare each program; `begin` hears its name (and how many events it has, once known).

    `side` is what is held against PyTorch, minigrad if not given.
    """
    if side is None:
        from .minigrad_side import MinigradSide

        side = MinigradSide()
    results = []
    with Worker() as worker:
        queue = list(programs)
        coming = [worker.start(program) for program in queue[:1]]
        for number, program in enumerate(queue):
            path, events = coming.pop(0)
            coming += [worker.start(following) for following in queue[number + 1 : number + 2]]
            begin(program.name, None)
            begin(program.name, 2 * events.result())
            spool = partial(read_spool, path)
            results.append(compare_program(program, side, spool, advance))
            os.remove(path)
    return results
