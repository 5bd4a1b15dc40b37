"""The ratios of a run as a bar chart (needs the extra `viz`)."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def save(rows: list[dict[str, Any]], about: str, path: Path) -> None:
    """For each workload a strip from 1 to its ratio, the quartiles as a thin line, and a tick at the
    bar that it should stay under; on a logarithmic axis."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt
    from matplotlib.patches import Patch
    from matplotlib.ticker import LogLocator, NullFormatter

    figure, axes = plt.subplots(figsize=(8, 1.8 + 0.2 * len(rows)), layout="constrained")
    places = range(len(rows))
    ratios = [row["ratio"] for row in rows]
    spread = [
        [row["ratio"] - row["quartiles"][0] for row in rows],
        [row["quartiles"][1] - row["ratio"] for row in rows],
    ]
    colours = {True: "#8fbbe0", False: "#e8998d", None: "#c8c8c8"}  # pale: ticks lie over them
    axes.barh(places, [ratio - 1 for ratio in ratios], left=1,
              color=[colours[row["met"]] for row in rows])  # fmt: skip
    axes.errorbar(ratios, places, xerr=spread, fmt="none", ecolor="black", elinewidth=1)
    judged = [(row["bar"], at) for at, row in enumerate(rows) if row["bar"] is not None]
    (ticks,) = axes.plot(*zip(*judged, strict=True) if judged else ([], []), "k|", markersize=10)
    axes.axvline(1, color="black", linewidth=0.8)
    names = [
        row["name"] + ("" if row["other"] == "PyTorch" else f" / {row['other']}") for row in rows
    ]
    axes.set_yticks(places, names, fontsize=8)
    axes.invert_yaxis()
    axes.margins(y=0.01)
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.grid(axis="x", alpha=0.4)
    axes.set_axisbelow(True)
    legend = [Patch(color=colours[True]), Patch(color=colours[False]), ticks]
    figure.legend(legend, ["bar met", "bar missed", "bar"], loc="outside lower center", ncols=3,
                  fontsize=8, frameon=False)  # fmt: skip
    axes.set_xlabel("minigrad's figure / PyTorch's (or a peer's): below 1 minigrad is better")
    axes.set_title(about, fontsize=6)
    figure.savefig(path, dpi=150)
