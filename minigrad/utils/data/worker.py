"""What a dataset can learn about the process that it is read in.

Workers come with a later issue; until then every loader reads in the main process.
"""

from __future__ import annotations

from typing import Any

__all__ = ["get_worker_info"]


def get_worker_info() -> Any | None:
    """In a worker process its id, seed and dataset; None in the main process."""
    return None
