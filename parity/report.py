"""What the terminal shows: a progress bar while it runs, a table, and the first differences.

A terminal gets colours and the bar; anywhere else the same text comes out plain.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from .lockstep import Result

COLUMNS = ("suite", "steps", "values", "bit-equal", "max ULP", "units", "drift", "lines",
           "graph", "draws", "verdict")  # fmt: skip
LEGEND = (
    "steps: backward passes.  max ULP: per step, each operation given PyTorch's own inputs.\n"
    "units: the same for products and other sums that cancel, in units of their terms' rounding\n"
    "  (parity/compare.py).\n"
    "drift: ULPs between the parameters at the end, when minigrad runs freely."
)


def row(result: Result) -> tuple[str, ...]:
    """A result's line in the table, as text."""
    found = result.stepwise
    share = 100.0 if not found.values else 100 * found.bit_equal / found.values
    free = "-" if result.free is None else _number(result.free.drift)
    return (
        result.name, f"{found.steps:,}", f"{found.values:,}", f"{_floored(share)}%",
        _number(found.largest), _number(found.largest_product), free,
        f"{found.lines_equal}/{found.lines}",
        f"{found.nodes:,} equal" if found.graph_equal else "differs",
        f"{found.draws} equal" if found.draws_equal else "differ",
        "passed" if result.passed else "FAILED",
    )  # fmt: skip


def _floored(share: float) -> str:
    """100 only where it is 100."""
    return "100" if share == 100 else f"{min(share, 99.99):.2f}"


def _number(ulps: float) -> str:
    if ulps == 0:
        return "0"
    return f"{ulps:.3g}" if ulps < 1e6 else f"{ulps:.1e}"


def show(results: Sequence[Result]) -> None:
    """Print table and differences."""
    _table([row(result) for result in results])
    print(LEGEND)
    for result in results:
        if result.difference is not None:
            print(f"\n{result.name}: first difference\n{result.difference}")
        elif result.stepwise.ended:
            print(f"\n{result.name}: both runs ended with {result.stepwise.ended}")
    failed = sum(not result.passed for result in results)
    print(f"\n{len(results) - failed} passed, {failed} failed")


def _table(rows: Sequence[tuple[str, ...]]) -> None:
    """Aligned text; only a terminal gets colours."""
    lines = [COLUMNS, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(COLUMNS))]
    styles = {"verdict": "bold", "passed": "green", "FAILED": "bold red"}
    console = Console(highlight=False)
    for line in lines:
        cells = [line[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True)]
        console.print("  ".join(cells), style=styles[line[-1]], soft_wrap=True, markup=False)


class Bar:
    """The progress bar's two callbacks for `runner.compare_all`."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task: Any = None
        self._name = ""
        self._waiting = 0

    def begin(self, name: str, events: int | None) -> None:
        """Another program; its events are known once PyTorch has run it."""
        self._flush()
        if name != self._name:
            if self._task is not None:
                self._progress.remove_task(self._task)
            self._name, self._task = name, self._progress.add_task(f"{name}: PyTorch", total=None)
        elif events is not None:
            self._progress.update(self._task, description=f"{name}: comparing", total=events)

    def advance(self) -> None:
        """One more event was compared."""
        self._waiting += 1
        if self._waiting == 500:  # drawing is dearer than comparing
            self._flush()

    def _flush(self) -> None:
        if self._waiting:
            self._progress.advance(self._task, self._waiting)
            self._waiting = 0


@contextmanager
def progress_bar() -> Iterator[Bar]:
    """A bar on standard error; nothing if that is no terminal."""
    console = Console(file=sys.stderr)
    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(
        TextColumn("{task.description}"), *columns, console=console, transient=True,
        disable=not console.is_terminal, redirect_stdout=False, redirect_stderr=False,
    ) as progress:  # fmt: skip
        yield Bar(progress)
