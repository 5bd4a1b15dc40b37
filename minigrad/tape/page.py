"""The player: a tape as one page of HTML that needs nothing else, not even a network.

The page's parts are plain files in `player/`: `player.html` is the skeleton, its comments
`<!-- styles -->`, `<!-- scripts -->` and `<!-- tape -->` are the places of the rest. The tape goes
in as JSON in which a value that occurs several times is written once (`Packer`).
"""

from __future__ import annotations

import json
import linecache
from dataclasses import fields, is_dataclass
from html import escape
from importlib.resources import files
from typing import Any

import numpy as np

from .events import Source, Value
from .fit import fits

STYLES = ("player.css",)
SCRIPTS = (
    "tape.js", "timeline.js", "graphs.js", "layout.js", "text.js", "formula.js", "lists.js", "graph.js",
    "engine.js", "fit.js", "details.js", "player.js",
)  # fmt: skip
FRAME = (
    '<iframe title="minigrad tape" srcdoc="{page}" loading="lazy" '
    'style="width:100%;height:680px;border:1px solid #8884;border-radius:8px"></iframe>'
)


def page(tape: Any) -> str:
    """The whole page as text."""
    parts = {
        "styles": "".join(f"<style>\n{_part(name)}</style>\n" for name in STYLES),
        "scripts": "".join(f"<script>\n{_part(name)}</script>\n" for name in SCRIPTS),
        "tape": f'<script type="application/json" id="tape">{packed(tape)}</script>\n',
    }
    text = _part("player.html")
    for name, part in parts.items():
        before, place, after = text.partition(f"<!-- {name} -->\n")
        assert place, f"player.html has no place for {name}"
        text = before + part + after
    return text


def frame(tape: Any) -> str:
    """The page in a frame of its own, for a notebook."""
    return FRAME.format(page=escape(page(tape)))


def _part(name: str) -> str:
    return (files(__package__) / "player" / name).read_text(encoding="utf-8")


def packed(tape: Any) -> str:
    """The tape as JSON that may stand inside a script element: no `<` is left in it."""
    packer = Packer()
    data = {
        "events": packer.pack(tape.events),
        "tensors": [packer.pack(info) | {"label": tape.label(info.id)} for info in tape.tensors],
        "nodes": packer.pack(tape.nodes),
        "fits": fits(tape),
    }
    first = {"pool": packer.pool, "sources": packer.sources()}
    return json.dumps(first | data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


class Packer:
    """Turns what a tape holds into lists and dicts, without what is empty.

    A value becomes `{"v": its position in the pool}`, a line of source `[file, line, function]`."""

    def __init__(self) -> None:
        self.pool: list[dict[str, Any]] = []
        self.numbers: dict[str, int] = {}  # from a value's text to its position
        self.files: dict[str, int] = {}

    def pack(self, thing: Any) -> Any:
        if isinstance(thing, Value):
            return {"v": self.value(thing)}
        if isinstance(thing, Source):
            return [self.files.setdefault(thing.file, len(self.files)), thing.line, thing.function]
        if isinstance(thing, list):
            return [self.pack(item) for item in thing]
        return self.fields(thing) if is_dataclass(thing) else thing

    def fields(self, thing: Any) -> dict[str, Any]:
        pairs = ((f.name, self.pack(getattr(thing, f.name))) for f in fields(thing))
        return {name: item for name, item in pairs if item is not None and item is not False}

    def value(self, value: Value) -> int:
        packed = self.fields(value)
        if value.dtype == "float32":
            packed |= {k: _digits(v) for k, v in packed.items() if k in ("low", "high", "mean")}
            packed["numbers"] = [_digits(n) for n in value.numbers]
        key = json.dumps(packed)
        if key not in self.numbers:
            self.numbers[key] = len(self.pool)
            self.pool.append(packed)
        return self.numbers[key]

    def sources(self) -> list[dict[str, str]]:
        return [{"file": file, "text": "".join(linecache.getlines(file))} for file in self.files]


def _digits(number: Any) -> Any:
    """A float32 in as many digits as it needs: 0.33333334 for 0.3333333432674408."""
    return float(str(np.float32(number))) if isinstance(number, float) else number
