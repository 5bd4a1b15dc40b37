"""The figures of document 002 (`python -m parity gd_vs_sgd --plot DIR`), trained by minigrad.

Loss curves, fits, training paths and contours with matplotlib; the parameter space as a surface,
with the paths on it, with plotly. Both come with the extra `viz`, and are imported only here.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np

from .program import Program

Runs = dict[str, Any]


def draw(folder: str, program: Program) -> None:
    """Train once more with minigrad and write all figures to `folder`."""
    plt, go = _imported()
    runs = _trained(program)
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    figures: dict[str, Callable[[Any, Runs], None]] = {
        "data": _data, "loss": _loss, "fits": _fits, "paths": _paths, "contours": _contours,
    }  # fmt: skip
    for name, figure in figures.items():
        canvas, axes = plt.subplots(figsize=(8, 8 if name == "contours" else 5))
        figure(axes, runs)
        canvas.savefig(target / f"{name}.png", dpi=120, bbox_inches="tight")
        plt.close(canvas)
    _parameter_space(go, runs).write_html(target / "parameter_space.html")
    _space_with_paths(go, runs).write_html(target / "space_with_paths.html")
    print(f"7 figures are in {folder}")


def _trained(program: Program) -> Runs:
    """The data, and the losses and parameters of each training by its name."""
    import minigrad

    with redirect_stdout(StringIO()):
        names = program.run(minigrad)  # what `examples/gd_vs_sgd.py` has defined at its end
    trainings = names["runs"].items()
    return {
        "x": names["x"],
        "y": names["y"],
        "loss": {name: losses for name, (losses, _) in trainings},
        "params": {name: path for name, (_, path) in trainings},
    }


def _imported() -> tuple[Any, Any]:
    try:
        matplotlib = importlib.import_module("matplotlib")
        matplotlib.use("Agg")
        return (importlib.import_module("matplotlib.pyplot"),
                importlib.import_module("plotly.graph_objects"))  # fmt: skip
    except ImportError as error:
        raise SystemExit(
            f'--plot needs {error.name}, which is not installed: pip install -e ".[parity,viz]"'
        ) from None


def _data(axes: Any, runs: Runs) -> None:
    axes.scatter(runs["x"], runs["y"])
    axes.set_title("Data")


def _loss(axes: Any, runs: Runs) -> None:
    for name, losses in runs["loss"].items():
        axes.plot(np.linspace(0, 1, len(losses)), losses, label=f"{name}, {len(losses)} steps")
    axes.set(title="Loss", xlabel="share of the epochs", yscale="log")
    axes.legend()


def _fits(axes: Any, runs: Runs) -> None:
    x, order = runs["x"], np.argsort(runs["x"])
    axes.plot(x, runs["y"], ".", label="data")
    for name, params in runs["params"].items():
        b, a, c = params[-1]
        axes.plot(x[order], (a * x**2 + b * x + c)[order], label=name)
    axes.set_title("Data and what was learned")
    axes.legend()


def _draw_paths(axes: Any, runs: Runs) -> None:
    for name, params in runs["params"].items():
        axes.plot(params[:, 1], params[:, 0], label=name)
    axes.set(xlabel="a", ylabel="b")
    axes.legend()


def _paths(axes: Any, runs: Runs) -> None:
    """The paths in the plane of a and b; the red points are at a sixth of the epochs (50)."""
    _draw_paths(axes, runs)
    for params in runs["params"].values():
        point = params[len(params) // 6]
        axes.plot(point[1], point[0], "ro")
    axes.set_title("Training paths")


def _contours(axes: Any, runs: Runs) -> None:
    a, b, errors = _errors(runs)
    axes.contourf(a, b, errors.T, levels=100)
    _draw_paths(axes, runs)
    axes.set_title("Parameter space and training paths")


def _mse(a: Any, b: Any, c: float, x: Any, y: Any) -> Any:
    """The error of each pair of a and b, of shape (len(a), len(b))."""
    predicted = a[:, None, None] * x**2 + b[None, :, None] * x + c
    return np.mean((y - predicted) ** 2, axis=-1)


def _errors(runs: Runs) -> tuple[Any, Any, Any]:
    """The document's grid around all three paths, at the c that SGD random has reached."""
    a, b = np.arange(-0.5, 3.5, 0.1), np.arange(-1, 11, 0.2)
    c = runs["params"]["SGD random"][-1][2]
    return a, b, 0.5 * _mse(a, b, c, runs["x"], runs["y"])


def _parameter_space(go: Any, runs: Runs) -> Any:
    """The error around the true a and b, of all data and of each of the four batches."""
    a, b = np.arange(2.5, 3.5, 0.025), np.arange(9, 11, 0.05)
    x, y = runs["x"], runs["y"]
    surfaces = [go.Surface(z=_mse(a, b, -2.0, x, y).T, x=a, y=b, name="all data")]
    for k in range(4):
        batch = slice(k * 25, (k + 1) * 25)
        errors = _mse(a, b, -2.0, x[batch], y[batch])
        surfaces.append(go.Surface(z=errors.T, x=a, y=b, showscale=False, opacity=0.5))
    return go.Figure(surfaces).update_layout(title="Parameter space, all data and four batches")


def _space_with_paths(go: Any, runs: Runs) -> Any:
    a, b, errors = _errors(runs)
    parts = [go.Surface(z=errors.T, x=a, y=b, opacity=0.6, showscale=False)]
    for name, params in runs["params"].items():
        parts.append(go.Scatter3d(
            x=params[:, 1], y=params[:, 0], z=0.5 * np.array(runs["loss"][name]),
            mode="lines+markers", marker={"size": 2}, name=name,
        ))  # fmt: skip
    return go.Figure(parts).update_layout(title="Parameter space with training paths")
