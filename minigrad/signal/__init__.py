"""`minigrad.signal`: window functions, in `windows.py`."""

from . import windows

__all__ = ["windows"]
