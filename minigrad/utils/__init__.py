"""Helpers around training: `data` with datasets and loaders, `checkpoint`, removable hooks."""

from . import checkpoint, data, dlpack, hooks

__all__ = ["checkpoint", "data", "dlpack", "hooks"]
