"""Modules that learn the size of their input from the first input that they see.

A lazy module is an ordinary layer with `LazyModuleMixin` in front: its constructor leaves the
input size out, its parameters are uninitialized (`parameter.py`), and before its first `forward`
a hook calls `initialize_parameters(input)`, which materializes them. Then the hook goes away and
the module turns into the ordinary layer, `cls_to_become`. Lazy layers stand beside their ordinary
ones (`linear.py`, `conv.py`, `batchnorm.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...autograd.grad_mode import no_grad
from ..parameter import is_lazy
from .module import Module

__all__ = ["LazyModuleMixin"]

if TYPE_CHECKING:
    Base = Module
else:
    Base = object


class LazyModuleMixin(Base):
    """Goes before an ordinary layer in the list of bases.

    The class sets `cls_to_become` and defines `initialize_parameters`; its `__init__` replaces
    tensors of unknown shape by `UninitializedParameter()` and `UninitializedBuffer()`.
    """

    cls_to_become: type[Any] | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._load_hook = self.register_load_state_dict_pre_hook(_materialize_loaded)
        self._initialize_hook = self.register_forward_pre_hook(
            self._infer_parameters, with_kwargs=True
        )

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        """What is uninitialized is saved as it is, and not detached."""
        for name, tensor in self._saved_tensors().items():
            kept = keep_vars or is_lazy(tensor)
            destination[prefix + name] = tensor if kept else tensor.detach()

    def initialize_parameters(self, *args: Any, **kwargs: Any) -> None:
        """Materialize the parameters for the input that `forward` is about to get."""
        raise NotImplementedError(
            f"initialize_parameters is not implemented for {self.__class__.__name__}"
        )

    def has_uninitialized_params(self) -> bool:
        """Whether a parameter or buffer is not initialized yet."""
        return any(map(is_lazy, (*self._parameters.values(), *self._buffers.values())))

    def _infer_parameters(self, module: Any, args: Any, kwargs: Any = None) -> None:
        """The hook before the first forward."""
        module.initialize_parameters(*args, **(kwargs or {}))
        if module.has_uninitialized_params():
            raise RuntimeError(f"module {self._get_name()} has not been fully initialized")
        module._initialize_hook.remove()
        module._load_hook.remove()
        del module._initialize_hook, module._load_hook
        if module.cls_to_become is not None:
            module.__class__ = module.cls_to_become


def _materialize_loaded(module: Any, state_dict: Any, prefix: str, *_: Any) -> None:
    """Before values are loaded into an uninitialized module: give its tensors their shapes."""
    for name, tensor in (*module._parameters.items(), *module._buffers.items()):
        loaded = state_dict.get(prefix + name)
        if loaded is not None and is_lazy(tensor) and not is_lazy(loaded):
            with no_grad():
                tensor.materialize(loaded.shape)
