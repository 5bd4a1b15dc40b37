"""minigrad's side: for as long as a program runs, recording wrappers stand in for public calls.

The engine knows nothing of it and pays nothing for it. Replaced are the functions of `minigrad`
and `minigrad.nn.functional` and `minigrad.nn.init`, by name and wherever a module of minigrad has
imported them, and the methods of `minigrad.Tensor`. A call from inside another recorded call is
not recorded (`Recorder.busy`), as PyTorch's mode does not see it either.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from types import FrameType
from typing import Any

import numpy as np

import minigrad
from minigrad import gpu
from minigrad.optim.optimizer import (
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)
from minigrad.tensor import Tensor

from .program import Program, aliased, chosen_device
from .record import Array, Recorder
from .stand_ins import CONSTRUCTORS, constructors_and_loaders, replaced

_PROPERTIES = ("T", "mT", "H", "mH", "data")
# They tell about a tensor or a mode, or are called by Python itself all the time.
_PASSED = frozenset(
    "__init__ __new__ __del__ __repr__ __str__ __format__ __hash__ __len__ __iter__ "  # noqa: SIM905
    "__array__ "
    "__reduce__ __reduce_ex__ __getattr__ __setattr__ __getattribute__ __init_subclass__ "
    "__class_getitem__ __contains__ __dir__ __copy__ __deepcopy__ __index__ __subclasshook__ "
    "size dim numel stride is_tensor manual_seed get_rng_state set_rng_state set_printoptions "
    "register_hook register_post_accumulate_grad_hook is_grad_enabled is_inference_mode_enabled "
    "seed initial_seed compile".split()
)


class MinigradSide:
    """The adapter for minigrad."""

    def __init__(self) -> None:
        self.torch = minigrad

    def run(self, program: Program) -> None:
        """Run a program; a script finds minigrad under the name `torch`."""
        with named_torch(), chosen_device(minigrad):
            program.run(minigrad)

    def values(self, tensor: Any) -> Array:
        """The tensor's own memory (a GPU's copied): the comparison looks at it at once."""
        return gpu.to_host(tensor._array)

    def overwrite(self, tensor: Any, array: Array) -> None:
        """Write into the memory itself: no version is counted, nothing is recorded."""
        memory = tensor._array
        if isinstance(memory, np.ndarray) and memory.flags.writeable:
            memory[...] = array
        else:
            tensor._array = array.copy()

    @contextmanager
    def installed(self, recorder: Recorder) -> Iterator[None]:
        """Record what is called while this is entered."""
        with ExitStack() as stack:
            for stand_in in constructors_and_loaders(recorder):
                stack.enter_context(stand_in)
            stack.callback(register_optimizer_step_pre_hook(recorder.before_step).remove)
            stack.callback(register_optimizer_step_post_hook(recorder.step).remove)
            for owner, name, original in _functions():
                stack.enter_context(replaced(owner, name, _wrapped(recorder, original, name)))
            for name, member in _methods():
                wrapper = _wrapped(recorder, member, name)
                stack.enter_context(replaced(Tensor, name, wrapper))
            yield


def _wrapped(recorder: Recorder, original: Any, name: str) -> Any:
    """A function of the same name that reports the call; a property stays a property."""
    if isinstance(original, property):
        getter = _wrapped(recorder, original.fget, name)
        return property(getter, original.fset, original.fdel, original.__doc__)

    def recording(*args: Any, **kwargs: Any) -> Any:
        return recorder.call(name, original, args, kwargs, _caller(sys._getframe(1)))

    recording.__name__, recording.__doc__ = name, original.__doc__
    return recording


def _caller(frame: FrameType | None) -> FrameType | None:
    """`for row in tensor` calls `unbind` through `Tensor.__iter__`: the program's own call."""
    if frame is not None and frame.f_code is Tensor.__iter__.__code__:
        return frame.f_back
    return frame


def _functions() -> Iterator[tuple[Any, str, Callable[..., Any]]]:
    """Public functions, at every place in minigrad's modules where their name is bound."""
    public: dict[int, Callable[..., Any]] = {}
    for face in (minigrad, minigrad.nn.functional, minigrad.nn.init):
        for name, value in vars(face).items():
            hidden = name.startswith("_") or name in _PASSED or name in CONSTRUCTORS
            ours = str(getattr(value, "__module__", "")).startswith("minigrad")
            if inspect.isroutine(value) and ours and not hidden:
                public[id(value)] = value
    for walk in (minigrad.autograd.backward, minigrad.autograd.grad):
        public[id(walk)] = walk
    for module in modules():
        for name, value in list(vars(module).items()):
            if id(value) in public:
                yield module, name, value


def _methods() -> Iterator[tuple[str, Any]]:
    """Public methods and operators of `Tensor`, and the properties that give tensors."""
    for name in dir(Tensor):
        member = inspect.getattr_static(Tensor, name)
        private = name.startswith("_") and not name.endswith("__")
        if private or name in _PASSED or member is getattr(object, name, None):
            continue
        if inspect.isfunction(member) or (isinstance(member, property) and name in _PROPERTIES):
            yield name, member


def modules() -> list[Any]:
    """All modules of minigrad, imported."""
    names = [info.name for info in pkgutil.walk_packages(minigrad.__path__, "minigrad.")]
    found = [minigrad]
    for name in names:
        if not name.endswith("__main__"):
            found.append(importlib.import_module(name))
    return found


def named_torch() -> AbstractContextManager[None]:
    """`import torch` and `import torch.nn` give minigrad and `minigrad.nn`, for a while."""
    return aliased(
        "torch", {module.__name__.removeprefix("minigrad"): module for module in modules()}
    )
