"""Intel's library for neural networks: not used."""

from __future__ import annotations

enabled = False


def is_available() -> bool:
    """Whether it is used."""
    return False
