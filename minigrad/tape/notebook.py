"""Tensors in a notebook as small tables of HTML, for who wants them (`graph.html_tensors()`).

A notebook asks its last expression for `_repr_html_`. A Tensor has none by default, so that it is
shown as PyTorch shows it.
"""

from __future__ import annotations

from html import escape
from typing import Any

from ..autograd import node as graph
from .events import Value, short, value_of
from .explain import explain

ROWS, COLUMNS = 8, 8
CELL = "border:1px solid #8886;padding:0 6px;text-align:right;font-family:monospace"


def html_tensors(mode: bool = True) -> None:
    """Show Tensors in notebooks as HTML: values, gradient, and what `minigrad.explain` says.

    `html_tensors(False)` goes back to plain text, which is the default. PyTorch has no such thing."""
    if mode:
        graph.Tensor._repr_html_ = _html
    elif hasattr(graph.Tensor, "_repr_html_"):
        del graph.Tensor._repr_html_


def _html(tensor: Any) -> str:
    value, gradient = value_of(tensor), value_of(tensor._grad) if tensor.is_leaf else None
    assert value is not None
    parts = [f"<b>{value.dtype} {tuple(value.shape)}</b>", _table(value)]
    if gradient is not None:
        parts += ["<b>.grad</b>", _table(gradient)]
    return f"<div>{''.join(parts)}<p>{escape(explain(tensor))}</p></div>"


def _table(value: Value) -> str:
    """The first numbers; a row for each of the last dimension."""
    width = max(value.shape[-1] if value.shape else 1, 1)
    rows = [value.numbers[i : i + width][:COLUMNS] for i in range(0, len(value.numbers), width)]
    cells = ["".join(f"<td>{escape(short(n))}</td>" for n in row) for row in rows[:ROWS]]
    shown = sum(len(row) for row in rows[:ROWS])
    more = "" if shown == value.count else f"<p>{shown} of {value.count} numbers</p>"
    style = f'<table style="{CELL}">'
    return f"{style}{''.join(f'<tr>{row}</tr>' for row in cells)}</table>{more}"
