"""A formula that calls another row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..autograd import node as graph
from ..autograd.row import Op


def on(row: Op, xp: Any) -> Callable[..., Any]:
    """The row on arrays, or on Tensors when the backward pass is recorded: `xp` tells which.

    It is for rows that only one file uses; the others are names of `xp`."""
    return row if xp is graph.tensor_ops else row.forward
