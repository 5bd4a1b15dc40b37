"""CUDA devices: there are none yet, and everything that asks is told so."""

from __future__ import annotations


def is_available() -> bool:
    """Whether tensors can be on a GPU."""
    return False


def device_count() -> int:
    """How many GPUs tensors can be on."""
    return 0


def manual_seed(seed: int) -> None:
    """Seed the current GPU's generator; without a GPU nothing is to be seeded, as in PyTorch."""


def manual_seed_all(seed: int) -> None:
    """Seed the generators of all GPUs; without a GPU nothing is to be seeded, as in PyTorch."""
