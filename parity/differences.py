"""The first place where two runs part, in words that lead to the cause."""

from __future__ import annotations

import linecache
import re
import sys
from dataclasses import dataclass
from types import FrameType
from typing import Any

import numpy as np

from .record import Event

_MODULE = re.compile(r"\bminigrad(?=\.\w)")


@dataclass(frozen=True)
class Difference:
    """The first place where the two part."""

    what: str
    step: int
    epoch: Any
    file: str
    line: int
    operation: str
    ours: str
    theirs: str

    @property
    def source(self) -> str:
        """The text of the program's line."""
        return linecache.getline(self.file, self.line).strip()

    def __str__(self) -> str:
        epoch = "" if self.epoch is None else f"epoch {self.epoch}, "
        return (
            f"{self.what} in {self.operation}, {epoch}after {self.step} backward passes\n"
            f"  {self.file}:{self.line}: {self.source}\n"
            f"  minigrad  {self.ours}\n"
            f"  PyTorch   {self.theirs}"
        )


def as_torch(text: str) -> str:
    """What prints with its module's name, `minigrad.float64`, under PyTorch's: `torch.float64`."""
    return _MODULE.sub("torch", text)


def epoch_of(file: str) -> Any:
    """The value of the program's variable `epoch`, where it has one; called while it runs."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_filename == file and "epoch" in frame.f_locals:
            return frame.f_locals["epoch"]
        frame = frame.f_back
    return None


def structures(ours: Event, theirs: Event) -> tuple[str, str]:
    """What differs between two events that should be equal: the smallest part that says it."""
    if (ours.kind, ours.name) != (theirs.kind, theirs.name):
        return _happened(ours), _happened(theirs)
    if ours.place != theirs.place:
        return tuple(f"line {event.place[1]} of {event.place[0]}" for event in (ours, theirs))  # type: ignore[return-value]
    return _parts(ours.text, theirs.text)


def _happened(event: Event) -> str:
    if event.kind in ("error", "line", "warning"):
        return f"{event.kind} {event.name.rpartition(' ')[2]}: {event.text}"
    return f"{event.kind} {event.name}"


def _parts(ours: Any, theirs: Any) -> tuple[str, str]:
    """Descend where the two are tuples of one length, down to a node or a plain value."""
    while (
        isinstance(ours, tuple | list)
        and isinstance(theirs, tuple | list)
        and len(ours) == len(theirs)
        and not _is_node(theirs)
    ):
        pairs = zip(ours, theirs, strict=True)
        ours, theirs = next((a, b) for a, b in pairs if a != b)
    return _part(ours), _part(theirs)


def _is_node(part: Any) -> bool:
    """A row of `Graph.describe`: (number, name, edges)."""
    return isinstance(part, tuple) and len(part) == 3 and isinstance(part[1], str)


def _part(part: Any) -> str:
    if _is_node(part):
        number, name, edges = part
        ends = ["None" if edge is None else f"#{edge[0]} output {edge[1]}" for edge in edges]
        return f"{name} #{number}, next: {', '.join(ends) or 'nothing'}"
    if isinstance(part, tuple) and any(_is_node(item) for item in part):
        return " | ".join(_part(item) for item in part if _is_node(item))
    return repr(part)


def shown(array: Any) -> str:
    """An array in few characters."""
    return "None" if array is None else np.array2string(array, threshold=8)


def worst_pair(ours: Any, theirs: Any) -> tuple[str, str]:
    """The pair of values that is furthest apart, with its index and all digits."""
    with np.errstate(all="ignore"):
        apart = np.abs(ours.astype(np.longdouble) - theirs)
    both = np.isnan(ours) & np.isnan(theirs) if ours.dtype.kind == "f" else False
    apart = np.where(np.isnan(apart), np.where(both, 0, np.inf), apart)
    index = np.unravel_index(int(np.argmax(apart)), theirs.shape)
    where = f" at {[int(i) for i in index]}" if index else ""
    return f"{ours[index]!s}{where}", f"{theirs[index]!s}{where}"
