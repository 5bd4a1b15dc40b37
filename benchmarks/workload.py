"""What every workload is made of.

`setup(torch)` builds data and model and returns a `Run`: `step` is what is timed, and `numbers`
what it has computed so far, which must be the same on both sides before a time is believed. A
`Run` with a `prepare` times `step(prepared)` alone, without what `prepare` does (a backward pass
without the forward that it needs). A `Run` with a `figure` measures itself: seconds or bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

Torch = Any  # minigrad or PyTorch
Tensor = Any
SAMPLE = 50  # elements of a large tensor that are compared


class Run(NamedTuple):
    """One workload, set up on one side."""

    step: Callable[..., object]
    numbers: Callable[[], list[float]]
    prepare: Callable[[], Any] | None = None
    figure: Callable[[], float] | None = None


class Workload(NamedTuple):
    """A row of the table."""

    name: str
    setup: Callable[[Torch], Run]
    bar: float | None  # minigrad's figure over PyTorch's must not be more; None: only reported
    units: int = 1  # what a figure is divided by: training steps, or nodes, in one call of `step`
    checks: int = 20  # calls of `step` after which the two sides are compared
    unit: str = "us"  # of the figures in the table: us, ms, or MB
    other: str = "PyTorch"  # what minigrad is compared with


def flat(*tensors: Tensor) -> list[float]:
    """All elements of the tensors, as Python numbers."""
    return [value for t in tensors for value in t.detach().reshape(-1).tolist()]


def sample(*tensors: Tensor) -> list[float]:
    """Some elements of each tensor, evenly spaced."""
    rows = [t.detach().reshape(-1) for t in tensors]
    return flat(*[row[:: max(1, row.numel() // SAMPLE)] for row in rows])
