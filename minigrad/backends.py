"""Switches of numeric libraries that PyTorch uses; scripts set them, and here they change nothing."""

from __future__ import annotations


class cudnn:
    """Flags of NVIDIA's cuDNN: on a CPU every run is deterministic anyway."""

    enabled = True
    deterministic = False
    benchmark = False


class mps:
    """Apple's GPU."""

    @staticmethod
    def is_available() -> bool:
        return False
