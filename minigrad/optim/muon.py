"""Muon orthogonalises its steps in bfloat16, a dtype that minigrad does not have."""

from __future__ import annotations

from typing import Any

__all__ = ["Muon"]


class Muon:
    """Not available: raises NotImplementedError."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError(
            "Muon computes in bfloat16, which minigrad does not have: use AdamW"
        )
