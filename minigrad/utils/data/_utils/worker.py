"""PyTorch's place for what is in `minigrad/utils/data/worker_info.py`."""

from ..worker_info import WorkerInfo, get_worker_info

__all__ = ["WorkerInfo", "get_worker_info"]
