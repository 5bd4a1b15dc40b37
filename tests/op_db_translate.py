"""From PyTorch to minigrad: the samples of PyTorch's operator database, and the functions in it.

An entry of the database holds callables (`torch.add`, `lambda x, shape: x.view(shape)`) and makes
sample arguments (Tensors, lists of them, dtypes). Here each gets its counterpart in minigrad: a
Tensor one with the same memory layout, `torch.add` the function of the same name, and a lambda
itself, with `torch` standing for minigrad.
"""

from __future__ import annotations

import functools
import operator
import types
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch.testing._utils import wrapper_set_seed

import minigrad


class Absent(Exception):
    """A name that minigrad does not have."""


class Outside(Exception):
    """An argument that minigrad does not claim to know: complex numbers, sparse tensors, devices."""


def at(root: Any, path: str) -> Any:
    """The object at a dotted path, or None."""
    for name in path.split("."):
        root = getattr(root, name, None)
    return root


# --- samples -------------------------------------------------------------------------------------


class Arguments:
    """Fresh copies of a sample's arguments for one of the libraries.

    A Tensor keeps its sizes, strides, offset and `requires_grad` and becomes a leaf; one that occurs
    twice is one Tensor. `leaves` lists those that require a gradient. `double`: float32 Tensors and
    dtypes become float64."""

    def __init__(
        self, library: Any, sample: Any, requires_grad: bool = True, double: bool = False
    ) -> None:
        self.library, self.requires_grad, self.double = library, requires_grad, double
        self.tensors: dict[int, Any] = {}
        self.input, self.args, self.kwargs = (
            self.copy(v) for v in (sample.input, tuple(sample.args), sample.kwargs)
        )

    @property
    def leaves(self) -> list[Any]:
        return [t for t in self.tensors.values() if t.requires_grad]

    def copy(self, value: Any) -> Any:
        if isinstance(value, torch.Tensor):
            if id(value) not in self.tensors:
                self.tensors[id(value)] = self._tensor(value)
            return self.tensors[id(value)]
        if isinstance(value, torch.Size):
            return self.library.Size(value)
        if isinstance(value, (tuple, list)):
            items = [self.copy(v) for v in value]
            return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
        if isinstance(value, dict):
            return {k: self.copy(v) for k, v in value.items()}
        if isinstance(value, slice):
            return slice(self.copy(value.start), self.copy(value.stop), self.copy(value.step))
        if self.double and value is torch.float32:
            return torch.float64
        return value if self.library is torch else constant(value)

    def _tensor(self, value: torch.Tensor) -> Any:
        whole = memory(value)
        if self.double and whole.dtype == np.float32:
            whole = whole.astype(np.float64)
        made = (resizable if self.library is torch else shown)(whole, value)
        if value.requires_grad and self.requires_grad:
            made.requires_grad_()
        return made


def memory(tensor: torch.Tensor) -> Any:
    """A copy of all the memory behind a Tensor, as a 1-D array."""
    if tensor.is_complex() or tensor.dtype == torch.bfloat16:
        raise Outside(f"a Tensor of {tensor.dtype}")
    if tensor.layout != torch.strided or tensor.device.type != "cpu":
        raise Outside(f"a Tensor with layout {tensor.layout} on {tensor.device}")
    if tensor.ndim > 64:
        raise Outside("more dimensions than NumPy has")
    storage = tensor.detach().untyped_storage()
    return torch.empty(0, dtype=tensor.dtype).set_(storage).numpy().copy()


def resizable(whole: Any, like: torch.Tensor) -> torch.Tensor:
    """PyTorch's Tensor on a memory, which is PyTorch's own, so that an `out=` may resize it."""
    borrowed = torch.from_numpy(whole)
    storage = borrowed.untyped_storage().clone()
    empty = torch.empty(0, dtype=borrowed.dtype)
    made = empty.set_(storage, like.storage_offset(), like.shape, like.stride())
    return made.data  # which is at version 0


def shown(whole: Any, like: torch.Tensor) -> Any:
    """minigrad's Tensor on a memory."""
    steps = tuple(s * whole.itemsize for s in like.stride())
    start = whole[like.storage_offset() :]
    return minigrad.from_numpy(np.lib.stride_tricks.as_strided(start, tuple(like.shape), steps))


def constant(value: Any) -> Any:
    """What stands in minigrad for an argument that is no Tensor."""
    if isinstance(value, torch.dtype):
        found = getattr(minigrad, str(value).removeprefix("torch."), None)
        if found is None:
            raise Outside(str(value))
        return found
    if isinstance(value, torch.device):
        if value.type != "cpu":
            raise Outside(f"device {value}")
        return minigrad.device("cpu")
    if isinstance(value, complex):
        raise Outside("a complex number")
    if isinstance(value, (torch.memory_format, torch.layout)):
        found = getattr(minigrad, str(value).removeprefix("torch."), None)
        if found is None:
            raise Absent(str(value))
        return found
    return function(value) if callable(value) and not isinstance(value, type) else value


# --- functions -----------------------------------------------------------------------------------


def function(call: Any) -> Any:
    """The counterpart of a callable that the database holds; raises Absent if there is none."""
    name = getattr(call, "__name__", "")
    if name and getattr(torch.Tensor, name, None) is call:
        return method(name)
    if getattr(operator, name.strip("_"), None) is call or getattr(operator, name, None) is call:
        return call
    if isinstance(call, functools.partial):
        return functools.partial(function(call.func), *call.args, **call.keywords)
    if call is wrapper_set_seed:
        return with_seed
    if isinstance(call, torch.nn.PairwiseDistance):
        return minigrad.nn.PairwiseDistance(call.norm, call.eps, call.keepdim)
    path = public_path(call)
    if path is not None:
        found = at(minigrad, path)
        if not callable(found):
            raise Absent(f"torch.{path}")
        return found
    if isinstance(call, types.FunctionType) and call.__module__.startswith("torch.testing."):
        return on_minigrad(call)
    raise Absent(getattr(call, "__qualname__", repr(call)))


def method(name: str) -> Callable[..., Any]:
    found = getattr(minigrad.Tensor, name, None)
    if found is None:
        raise Absent(f"Tensor.{name}")
    return found


def public_path(call: Any) -> str | None:
    """The dotted path below `torch` at which a function is found."""
    return public_paths().get(id(call))


@functools.cache
def public_paths() -> dict[int, str]:
    spaces = ["", "nn.functional", "linalg", "special", "fft", "signal.windows", "_C._nn"]
    found: dict[int, str] = {}
    for space in spaces:
        owner = at(torch, space) if space else torch
        for name in dir(owner):
            value = getattr(owner, name, None)
            if callable(value) and not isinstance(value, type):
                found.setdefault(id(value), f"{space}.{name}".lstrip("."))
    return found


def on_minigrad(call: types.FunctionType) -> types.FunctionType:
    """The same function with `torch` meaning minigrad, and so for the functions that it encloses."""
    names = call.__globals__ | {"torch": minigrad, "wrapper_set_seed": with_seed}
    cells = tuple(types.CellType(_enclosed(c.cell_contents)) for c in call.__closure__ or ())
    made = types.FunctionType(call.__code__, names, call.__name__, call.__defaults__, cells)
    made.__kwdefaults__ = call.__kwdefaults__
    return made


def _enclosed(value: Any) -> Any:
    return function(value) if isinstance(value, types.FunctionType) else value


def with_seed(call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """What the database wraps around a random op, so that it draws the same numbers each time."""
    minigrad.manual_seed(42)
    return call(*args, **kwargs)
