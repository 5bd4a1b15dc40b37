"""PyTorch's side: every public call is noticed through `torch.overrides.TorchFunctionMode`.

What the mode does not see (`from_numpy`, the old constructors, the iteration of a `DataLoader`)
is replaced by a recording stand-in for as long as the program runs. Only PyTorch's process
imports this module.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from types import FrameType
from typing import Any

import numpy as np
import torch
from torch.optim.optimizer import (
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)
from torch.overrides import TorchFunctionMode

from .program import Program, aliased, chosen_device
from .record import Array, Recorder
from .stand_ins import constructors_and_loaders

# Properties that give a tensor on the same memory; all others only tell something about it.
TENSOR_PROPERTIES = frozenset({"T", "mT", "H", "mH", "data"})
# Modules of PyTorch that pass a call on: who calls is the next frame out.
PASSING_ON = frozenset(
    {"torch.overrides", "torch._tensor", "torch.functional", "torch._jit_internal"}
)


class TorchSide:
    """The adapter for PyTorch."""

    def __init__(self) -> None:
        self.torch = torch
        torch.set_num_threads(1)
        torch.set_warn_always(True)  # else a warning would come in the first program only

    def run(self, program: Program) -> None:
        """Run a program; a script that says `import minigrad as torch` gets PyTorch as well."""
        with named_minigrad(), chosen_device(torch):
            program.run(torch)

    def values(self, tensor: Any) -> Array:
        """A copy: the spool is written after the program went on."""
        return np.array(tensor.detach().cpu().numpy())

    def overwrite(self, tensor: Any, array: Array) -> None:
        """Only for PyTorch compared with itself, the comparison's own test."""
        tensor.detach().numpy()[...] = array

    @contextmanager
    def installed(self, recorder: Recorder) -> Iterator[None]:
        """Record what is called while this is entered."""
        with ExitStack() as stack:
            for stand_in in constructors_and_loaders(recorder):
                stack.enter_context(stand_in)
            stack.callback(register_optimizer_step_pre_hook(recorder.before_step).remove)
            stack.callback(register_optimizer_step_post_hook(recorder.step).remove)
            stack.enter_context(_Mode(recorder))
            yield


def named_minigrad() -> AbstractContextManager[None]:
    """`import minigrad` and `import minigrad.nn` give torch and `torch.nn`, for a while."""
    loaded = list(sys.modules.items())
    return aliased(
        "minigrad",
        {
            name.removeprefix("torch"): module
            for name, module in loaded
            if name == "torch" or name.startswith("torch.")
        },
    )


class _Mode(TorchFunctionMode):
    """Sees every call that PyTorch lets a program override, before it happens."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self._recorder = recorder

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func.__name__
        if name == "__get__":
            name = func.__self__.__name__
            if name not in TENSOR_PROPERTIES:
                return func(*args, **(kwargs or {}))
        caller = _caller(func, sys._getframe(1))
        return self._recorder.call(name, func, args, kwargs or {}, caller)


def _caller(func: Any, frame: FrameType | None) -> FrameType | None:
    """The frame that called `func`: not `func` itself, nor what passes the call on."""
    code = getattr(func, "__code__", None)
    while frame is not None and (frame.f_code is code or _passes_on(frame)):
        frame = frame.f_back
    return frame


def _passes_on(frame: FrameType) -> bool:
    """`F.max_pool2d` is two functions, chosen by an argument: private ones that pass on as well."""
    module = frame.f_globals.get("__name__")
    private = module == "torch.nn.functional" and frame.f_code.co_name.startswith("_")
    return private or module in PASSING_ON
