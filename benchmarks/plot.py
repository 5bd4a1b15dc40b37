"""The ratios of a run as a bar chart (needs the extra `viz`)."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def save(rows: list[dict[str, Any]], about: str, path: Path) -> None:
    """One bar a workload, its quartiles as a line, its bar as a tick; on a logarithmic axis."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(8, 1.2 + 0.2 * len(rows)))
    places = range(len(rows))
    ratios = [row["ratio"] for row in rows]
    spread = [
        [row["ratio"] - row["quartiles"][0] for row in rows],
        [row["quartiles"][1] - row["ratio"] for row in rows],
    ]
    colours = ["C7" if row["met"] is None else "C0" if row["met"] else "C3" for row in rows]
    axes.barh(places, ratios, xerr=spread, color=colours, ecolor="black")
    judged = [(row["bar"], at) for at, row in enumerate(rows) if row["bar"] is not None]
    axes.plot(*zip(*judged, strict=True) if judged else ([], []), "k|", markersize=9, label="bar")
    axes.axvline(1, color="black", linewidth=0.8)
    names = [
        row["name"] + ("" if row["other"] == "PyTorch" else f" / {row['other']}") for row in rows
    ]
    axes.set_yticks(places, names, fontsize=8)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.set_xlabel("minigrad's figure / PyTorch's (or a peer's): below 1 minigrad is better")
    axes.set_title(about, fontsize=6)
    figure.tight_layout()
    figure.savefig(path)
