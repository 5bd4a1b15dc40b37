"""Threads by OpenMP: not used here (the BLAS library has its own)."""

from __future__ import annotations


def is_available() -> bool:
    """Whether it is used."""
    return False
