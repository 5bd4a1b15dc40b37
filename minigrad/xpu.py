"""Intel's GPUs: there are none that tensors can be on."""

from __future__ import annotations


def is_available() -> bool:
    """Whether tensors can be on one."""
    return False


def device_count() -> int:
    """How many tensors can be on."""
    return 0


def manual_seed(seed: int) -> None:
    """Seed its generator: nothing to do."""
