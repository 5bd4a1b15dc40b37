"""Data parallelism as PyTorch spells it for the GPUs of one machine. There is one device here, and
with fewer than two `DataParallel` is its module."""

from __future__ import annotations

from typing import Any

from .modules.module import Module

__all__ = ["DataParallel"]


class DataParallel(Module):
    """Calls `module`, which is kept under that name: so in `state_dict`, whose keys begin with it.

    The arguments that choose devices are accepted and mean nothing.
    """

    def __init__(
        self, module: Module, device_ids: Any = None, output_device: Any = None, dim: int = 0
    ) -> None:
        super().__init__()
        self.module = module
        self.device_ids: list[int] = []

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        return self.module(*inputs, **kwargs)
