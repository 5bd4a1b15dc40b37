"""SparseAdam changes only the elements that a sparse gradient names; minigrad has none of these."""

from __future__ import annotations

from typing import Any

__all__ = ["SparseAdam"]


class SparseAdam:
    """Not available: raises NotImplementedError."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError(
            "SparseAdam is for sparse gradients, and minigrad has no sparse tensors: use Adam, "
            "which treats all elements alike"
        )
