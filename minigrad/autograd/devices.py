"""Tensors of several devices in one call: an error, or a number that is copied to the GPU.

An op's forward fails when it meets arrays of two libraries. Only then is it asked why, so that
calls on one device pay nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import gpu
from ..device import device as Device
from . import node as graph


def brought_together(args: Sequence[Any]) -> list[Any] | None:
    """The arguments of a call that failed, with 0-d Tensors of the CPU copied to the others' GPU.

    None if all Tensors are on one device: that is not why it failed. RuntimeError, in PyTorch's
    words, if other Tensors would have to move."""
    tensors = tensors_in(args)
    places = {gpu.index_of(t._array) for t in tensors}
    if len(places) < 2:
        return None
    gpus = places - {None}
    if len(gpus) > 1 or any(t._array.ndim for t in tensors if gpu.index_of(t._array) is None):
        raise mixed(places) from None
    (index,) = gpus
    return [_moved(a, index) for a in args]


def tensors_in(args: Sequence[Any]) -> list[Any]:
    """The Tensors among the arguments of a call, also those in lists."""
    found: list[Any] = []
    for arg in args:
        if isinstance(arg, graph.Tensor):
            found.append(arg)
        elif isinstance(arg, (list, tuple)):
            found += tensors_in(arg)
    return found


def mixed(places: set[int | None]) -> RuntimeError:
    """PyTorch's sentence for Tensors on several devices."""
    names = sorted((str(Device.at(i)) for i in places), reverse=True)
    return RuntimeError(
        "Expected all tensors to be on the same device, but found at least two devices, "
        f"{names[0]} and {names[1]}!"
    )


def _moved(value: Any, index: int | None) -> Any:
    """A 0-d Tensor of the CPU on GPU `index`: a recorded copy, whose gradient comes back."""
    if isinstance(value, graph.Tensor) and gpu.index_of(value._array) is None:
        return graph.tensor_ops.to(value, device=f"cuda:{index}")
    return [_moved(v, index) for v in value] if isinstance(value, list) else value
