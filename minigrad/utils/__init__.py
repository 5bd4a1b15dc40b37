"""Helpers around training: removable hooks, and `minigrad.utils.data` with datasets and loaders."""

from . import data, hooks

__all__ = ["data", "hooks"]
