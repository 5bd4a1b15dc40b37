"""Apple's GPU: not used."""

from __future__ import annotations


def is_available() -> bool:
    """Whether tensors can be on it."""
    return False


def is_built() -> bool:
    """Whether there is code for it."""
    return False
