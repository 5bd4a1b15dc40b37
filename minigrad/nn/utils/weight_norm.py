"""Weight normalisation (Salimans and Kingma, 2016): a weight as g * v / |v|, length times direction.

A forward pre-hook computes the weight from the parameters `weight_g` and `weight_v` at each call.
"""

from __future__ import annotations

from typing import Any, TypeVar

from ...ops import norm
from ...ops.weight_normalization import weight_norm as _weight_norm_op
from ...tensor import Tensor
from ...warn import warn
from ..modules.module import Module
from ..parameter import Parameter

__all__ = ["WeightNorm", "norm_except_dim", "remove_weight_norm", "weight_norm", "weight_of"]

M = TypeVar("M", bound=Module)


def norm_except_dim(v: Tensor, dim: int) -> Tensor:
    """The norm over all dimensions but `dim`, which keep size 1; with -1 over all, as a 0-d tensor."""
    if dim == -1:
        return norm(v)
    return norm(v, 2, [d for d in range(v.dim()) if d != dim], True)


def weight_of(v: Tensor, g: Tensor, dim: int) -> Tensor:
    """g * v / |v|; one node of the graph where PyTorch has one, for the first and last dimension."""
    if dim in (0, v.dim() - 1):
        return _weight_norm_op(v, g, dim)
    return v * (g / norm_except_dim(v, dim))


class WeightNorm:
    """The hook, for the parameter `name` of a module."""

    def __init__(self, name: str, dim: int | None) -> None:
        self.name = name
        self.dim = -1 if dim is None else dim

    def compute_weight(self, module: Module) -> Tensor:
        """The weight for the module's present parameters."""
        v, g = getattr(module, self.name + "_v"), getattr(module, self.name + "_g")
        return weight_of(v, g, self.dim)

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self.name, self.compute_weight(module))

    def enter(self, module: Module) -> None:
        """Puts the two parameters in the place of the one."""
        weight = getattr(module, self.name)
        if type(weight).__name__ == "UninitializedParameter":
            raise ValueError(
                "The module passed to `WeightNorm` can't have uninitialized parameters. Make sure to run the "
                "dummy forward before applying weight normalization"
            )
        del module._parameters[self.name]
        length = Parameter(norm_except_dim(weight.data, self.dim))
        module.register_parameter(self.name + "_g", length)
        module.register_parameter(self.name + "_v", Parameter(weight.data))
        self(module, None)
        module.register_forward_pre_hook(self)

    def remove(self, module: Module) -> None:
        """Puts the weight that the two parameters make in their place."""
        weight = self.compute_weight(module)
        delattr(module, self.name)
        del module._parameters[self.name + "_g"]
        del module._parameters[self.name + "_v"]
        setattr(module, self.name, Parameter(weight.data))


def weight_norm(module: M, name: str = "weight", dim: int | None = 0) -> M:
    """Replaces the parameter `name` by `name_g`, its norms over all dimensions but `dim` (over all
    with None), and `name_v`, its direction. Returns the module.

    Raises RuntimeError if it was done before.
    """
    warn(
        "`torch.nn.utils.weight_norm` is deprecated in favor of "
        "`torch.nn.utils.parametrizations.weight_norm`.",
        FutureWarning,
    )
    if _number_of_hook(module, name) is not None:
        raise RuntimeError(f"Cannot register two weight_norm hooks on the same parameter {name}")
    WeightNorm(name, dim).enter(module)
    return module


def remove_weight_norm(module: M, name: str = "weight") -> M:
    """Makes the weight a parameter again; ValueError if it is not normalised."""
    number = _number_of_hook(module, name)
    if number is None:
        raise ValueError(f"weight_norm of '{name}' not found in {module}")
    hook: Any = module._forward_pre_hooks.pop(number)
    hook.remove(module)
    return module


def _number_of_hook(module: Module, name: str) -> int | None:
    for number, hook in module._forward_pre_hooks.items():
        if isinstance(hook, WeightNorm) and hook.name == name:
            return number
    return None
