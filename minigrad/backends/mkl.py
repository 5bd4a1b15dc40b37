"""Intel's library for linear algebra: NumPy brings a library of its own."""

from __future__ import annotations


def is_available() -> bool:
    """Whether it is used."""
    return False
