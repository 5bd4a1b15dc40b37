"""One self-contained page: the table of the terminal, and curves per suite as inline SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from pathlib import Path

from .lockstep import Result
from .report import COLUMNS, LEGEND, row

_WIDTH, _HEIGHT, _MARGIN = 360, 200, 34
_POINTS = 300  # a curve is thinned to so many
_COLOURS = ("#1f6fb4", "#d1495b", "#2e8b57", "#8e5ea2", "#c77f1f", "#3aa6a6", "#7a7a7a", "#b0508c")

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 78rem; padding: 0 1rem }
table { border-collapse: collapse } th, td { padding: .2rem .8rem; text-align: right }
th { border-bottom: 2px solid #888 } th:first-child, td:first-child { text-align: left }
.passed { color: #1a7f37 } .FAILED { color: #c1121f; font-weight: bold }
pre { background: #f4f4f4; padding: .8rem; overflow-x: auto } figure { display: inline-block }
figcaption { font-size: .85em; color: #555; max-width: 360px }
"""


def write_page(path: str, results: Sequence[Result]) -> None:
    """Write the page to `path`."""
    body = [_table(results), f"<p>{escape(LEGEND)}</p>"]
    body += [_suite(result) for result in results]
    Path(path).write_text(
        '<!DOCTYPE html>\n<html lang="en"><meta charset="utf-8">'
        f"<title>minigrad beside PyTorch</title><style>{_STYLE}</style>\n"
        "<h1>minigrad beside PyTorch</h1>\n" + "\n".join(body) + "\n</html>\n",
        encoding="utf-8",
    )


def _table(results: Sequence[Result]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in COLUMNS)
    lines = []
    for result in results:
        name, *cells, verdict = row(result)
        middle = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
        lines.append(
            f'<tr><td><a href="#{name}">{escape(name)}</a></td>{middle}'
            f'<td class="{verdict}">{verdict}</td></tr>'
        )
    return f"<table><tr>{head}</tr>\n" + "\n".join(lines) + "</table>"


def _suite(result: Result) -> str:
    parts = [f'<h2 id="{escape(result.name)}">{escape(result.name)}</h2>']
    if result.difference is not None:
        parts.append(f"<pre>{escape(str(result.difference))}</pre>")
    curves = (result.free or result.stepwise).curves
    if len(curves.loss) > 1:
        pair = [[ours for ours, _ in curves.loss], [theirs for _, theirs in curves.loss]]
        parts.append(_figure("loss: minigrad, and PyTorch dashed", pair, pairs=True))
        parts.append(_figure(
            "parameters (the first eight): minigrad, and PyTorch dashed",
            _paths(curves.parameters), pairs=True,
        ))  # fmt: skip
        parts.append(_figure("drift of the parameters, in ULPs", [curves.drift]))
    return "\n".join(parts)


def _paths(parameters: list[tuple[list[float], list[float]]]) -> list[list[float]]:
    """Ours and theirs in turn, for each value that is there from the first step to the last."""
    count = min((len(ours) for ours, _ in parameters), default=0)
    return [
        [step[side][number] for step in parameters] for number in range(count) for side in (0, 1)
    ]


def _figure(caption: str, curves: list[list[float]], pairs: bool = False) -> str:
    """A plot of `curves` over the steps; with `pairs`, every second one is dashed."""
    finite = [value for curve in curves for value in curve if math.isfinite(value)]
    if not finite:
        return ""
    low, high = min(finite), max(finite)
    lines = []
    dashed = ' stroke-dasharray="3 4" stroke-width="3" opacity=".6"'
    for number, curve in enumerate(curves):
        colour = _COLOURS[(number // 2 if pairs else number) % len(_COLOURS)]
        dash = dashed if pairs and number % 2 else ""
        points = _points(curve, low, high)
        lines.append(f'<polyline fill="none" stroke="{colour}"{dash} points="{points}"/>')
    steps = max(len(curve) for curve in curves)
    return (
        f'<figure><svg width="{_WIDTH}" height="{_HEIGHT}" role="img" font-size="10" '
        f'aria-label="{escape(caption)}">'
        f'<rect x="{_MARGIN}" y="8" width="{_WIDTH - _MARGIN - 8}" '
        f'height="{_HEIGHT - 28}" fill="none" stroke="#ccc"/>{"".join(lines)}'
        f'<text x="2" y="16">{high:.3g}</text><text x="2" y="{_HEIGHT - 22}">{low:.3g}</text>'
        f'<text x="{_WIDTH - 8}" y="{_HEIGHT - 6}" text-anchor="end">{steps} steps</text>'
        f"</svg><figcaption>{escape(caption)}</figcaption></figure>"
    )


def _points(curve: list[float], low: float, high: float) -> str:
    """The curve in the picture's coordinates, thinned; what is not finite is left out."""
    across, down = _WIDTH - _MARGIN - 8, (_HEIGHT - 28) / ((high - low) or 1)
    last = max(len(curve) - 1, 1)
    chosen = sorted({round(i * (len(curve) - 1) / (_POINTS - 1)) for i in range(_POINTS)})
    return " ".join(
        f"{_MARGIN + across * i / last:.1f},{8 + down * (high - curve[i]):.1f}"
        for i in chosen
        if math.isfinite(curve[i])
    )
