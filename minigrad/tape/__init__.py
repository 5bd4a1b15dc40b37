"""The tape: what a piece of a program did, step by step, forward and backward.

    with minigrad.autograd.graph.record() as tape:
        loss = ((x * W - y) ** 2).mean()
        loss.backward()
    print(tape)                   # a table of readable lines
    tape.save("tape.html")        # the player: a page that shows each step
    tape.save("graph.svg")        # the graph, by the graphviz package
    tape.save("tape.json")        # all of it, for other programs

An unmodified script is recorded by `python -m minigrad.tape SCRIPT.py`. The parts: what a tape
holds is in `events.py`, who listens in `recorder.py` and `backward.py`, what is
shown in `table.py`, `drawing.py` and `page.py`; `explain.py` tells about one tensor.
"""

from __future__ import annotations

import json
import linecache
import weakref
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..autograd import anomaly, engine
from .backward import RecordedPass
from .drawing import dot_source, draw
from .events import Event, NodeInfo, TensorInfo
from .page import frame, page
from .recorder import Recorder
from .table import table

FORMAT = 1  # of the JSON file; raised when a reader has to change
DRAWINGS = ("svg", "png", "pdf")
_latest: weakref.ref[Any] | None = None  # the recorder of the newest tape


class Tape:
    """The record of a block: `events` in order, and the `tensors` and `nodes` they refer to.

    A tensor's or node's `id` is its position in its list, from 1; an event's `step` likewise."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.tensors: list[TensorInfo] = []
        self.nodes: list[NodeInfo] = []
        self._recorder = Recorder(self)

    def __len__(self) -> int:
        return len(self.events)

    def __iter__(self) -> Iterator[Event]:
        return iter(self.events)

    def label(self, tensor: int) -> str:
        """What to call a tensor: by the user's variable, a constant by its value, else `t7`."""
        info = self.tensors[tensor - 1]
        if info.name is not None:
            return info.name
        if info.how == "gradient" and info.of is not None:
            return f"{self.label(info.of)}.grad"
        if info.how == "given" and not info.value.shape and not info.requires_grad:
            return str(info.value)
        return f"t{tensor}"

    def of_kind(self, kind: str) -> list[Any]:
        """The events of one kind: "op", "run", "accumulate", "write", "step" ..."""
        return [event for event in self.events if event.kind == kind]

    def id_of(self, tensor: Any) -> int | None:
        """The number of a tensor (or node) that is still alive; None if it is not on the tape."""
        return self._recorder.number(tensor)

    def __str__(self) -> str:
        return table(self)

    def __repr__(self) -> str:
        return f"<Tape: {len(self.events)} steps, {len(self.nodes)} nodes>"

    def _repr_html_(self) -> str:
        """The player, in a frame of its own, where a notebook shows the last expression."""
        return frame(self)

    def to_dict(self) -> dict[str, Any]:
        """All that the tape holds as lists, dicts, numbers and text, with the program's source."""
        files = {e.source.file for e in self.events if e.source is not None}
        return {
            "format": FORMAT,
            "events": [asdict(event) for event in self.events],
            "tensors": [asdict(info) | {"label": self.label(info.id)} for info in self.tensors],
            "nodes": [asdict(info) for info in self.nodes],
            "sources": {file: "".join(linecache.getlines(file)) for file in sorted(files)},
        }

    def to_dot(self) -> str:
        """The graph of nodes and leaves in the language of Graphviz."""
        return dot_source(self)

    def save(self, path: str | Path) -> None:
        """Write the tape to a file; its suffix says as what.

        `.html`: the player, a page that a double click opens. `.json`: everything. `.dot`, `.gv`:
        the graph as text. `.svg`, `.png`, `.pdf`: its drawing, by the graphviz package (ImportError
        without it, RuntimeError without the program `dot`). `.txt`: the table. Raises ValueError for another suffix."""
        path = Path(path)
        kind = path.suffix.removeprefix(".").lower()
        if kind in DRAWINGS:
            path.write_bytes(draw(self.to_dot(), kind))
        elif kind == "json":
            path.write_text(json.dumps(self.to_dict(), allow_nan=False), encoding="utf-8")
        elif kind in ("html", "htm"):
            path.write_text(page(self), encoding="utf-8")
        elif kind in ("dot", "gv"):
            path.write_text(self.to_dot(), encoding="utf-8")
        elif kind == "txt":
            path.write_text(f"{self}\n", encoding="utf-8")
        else:
            raise ValueError(
                f"cannot save a tape as {path.name!r}: the name must end in "
                ".html, .json, .svg, .png, .pdf, .dot, .gv or .txt"
            )


class Recording:
    """The context manager behind `graph.record()`."""

    def __init__(self) -> None:
        self.tape = Tape()

    def __enter__(self) -> Tape:
        global _latest
        if anomaly.tape is not None:
            raise RuntimeError("a tape is recording already: record() blocks cannot be nested")
        recorder = self.tape._recorder
        _latest = weakref.ref(recorder)
        anomaly.set_tape(recorder)
        engine.walk = RecordedPass
        return self.tape

    def __exit__(self, *exc: object) -> None:
        self.tape._recorder.find_names()
        engine.walk = engine._Pass
        anomaly.set_tape(None)


def latest() -> Any:
    """The tape that records now, or else the newest one that is alive; None without one."""
    recorder = None if _latest is None else _latest()
    return None if recorder is None else recorder.tape
