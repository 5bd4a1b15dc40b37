"""The places where programs written for PyTorch look for `collate` and `worker`."""

from . import collate, worker

__all__ = ["collate", "worker"]
