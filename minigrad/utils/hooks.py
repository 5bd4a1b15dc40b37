"""The handle that registering a hook returns, under PyTorch's import path."""

from ..autograd.hooks import RemovableHandle, add_hook

__all__ = ["RemovableHandle", "add_hook"]
