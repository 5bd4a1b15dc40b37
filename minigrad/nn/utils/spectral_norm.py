"""Spectral normalisation (Miyato et al., 2018): a weight divided by its largest singular value.

The singular value is followed by the power method: each call in training mode improves the two
singular vectors, which the module keeps as buffers, by a step or more.
"""

from __future__ import annotations

from typing import Any, TypeVar

from ... import ops
from ...autograd.grad_mode import no_grad
from ...tensor import Tensor
from ..modules.module import Module
from ..parameter import Parameter

__all__ = [
    "SpectralNorm", "as_matrix", "normalized", "output_dim", "remove_spectral_norm", "rows_first",
    "spectral_norm",
]  # fmt: skip

M = TypeVar("M", bound=Module)


def normalized(vector: Tensor, eps: float) -> Tensor:
    """The vector divided by its length, or by `eps` if that is larger."""
    return vector / ops.linalg_vector_norm(vector).clamp_min(eps)


def rows_first(weight: Tensor, dim: int) -> Tensor:
    """The weight with `dim` as its first dimension."""
    if dim == 0:
        return weight
    return weight.permute(dim, *[d for d in range(weight.dim()) if d != dim])


def as_matrix(weight: Tensor, dim: int) -> Tensor:
    """The weight with `dim` as its rows and all other dimensions as its columns."""
    rows = rows_first(weight, dim)
    return rows.reshape(rows.shape[0], -1)


def output_dim(module: Module) -> int:
    """The dimension of a weight that belongs to the outputs."""
    return 1 if type(module).__name__.startswith("ConvTranspose") else 0


class SpectralNorm:
    """The forward pre-hook, for the parameter `name` of a module."""

    _version = 1

    def __init__(
        self, name: str = "weight", n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12
    ) -> None:
        if n_power_iterations <= 0:
            raise ValueError(
                "Expected n_power_iterations to be positive, but got "
                f"n_power_iterations={n_power_iterations}"
            )
        self.name, self.dim, self.eps = name, dim, eps
        self.n_power_iterations = n_power_iterations

    def compute_weight(self, module: Module, do_power_iteration: bool) -> Tensor:
        """The weight divided by u^T W v, where u and v are the singular vectors so far."""
        weight, u, v = (getattr(module, self.name + end) for end in ("_orig", "_u", "_v"))
        matrix = as_matrix(weight, self.dim)
        if do_power_iteration:
            with no_grad():
                for _ in range(self.n_power_iterations):
                    v.copy_(normalized(ops.mv(matrix.t(), u), self.eps))
                    u.copy_(normalized(ops.mv(matrix, v), self.eps))
                u, v = u.clone(), v.clone()  # the next call changes the buffers
        return weight / ops.dot(u, ops.mv(matrix, v))

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self.name, self.compute_weight(module, module.training))

    def enter(self, module: Module) -> None:
        """Makes the weight `weight_orig`, and draws the two vectors."""
        weight = module._parameters[self.name]
        if weight is None:
            raise ValueError(f"`SpectralNorm` cannot be applied as parameter `{self.name}` is None")
        if type(weight).__name__ == "UninitializedParameter":
            raise ValueError(
                "The module passed to `SpectralNorm` can't have uninitialized parameters. Make sure to run "
                "the dummy forward before applying spectral normalization"
            )
        with no_grad():
            rows, columns = as_matrix(weight, self.dim).shape
            u, v = (
                normalized(weight.new_empty(size).normal_(0, 1), self.eps)
                for size in (rows, columns)
            )
        delattr(module, self.name)
        module.register_parameter(self.name + "_orig", weight)
        setattr(module, self.name, weight.data)  # seen before the first call; no parameter
        module.register_buffer(self.name + "_u", u)
        module.register_buffer(self.name + "_v", v)
        module.register_forward_pre_hook(self)
        module._register_state_dict_hook(_NotesVersion(self))

    def remove(self, module: Module) -> None:
        """Makes the normalised weight a parameter again."""
        with no_grad():
            weight = self.compute_weight(module, do_power_iteration=False)
        for name in (self.name, self.name + "_u", self.name + "_v", self.name + "_orig"):
            delattr(module, name)
        module.register_parameter(self.name, Parameter(weight.detach()))


class _NotesVersion:
    """Notes in a state dict that it has both vectors."""

    def __init__(self, norm: SpectralNorm) -> None:
        self.norm = norm

    def __call__(self, module: Module, state_dict: Any, prefix: str, metadata: Any) -> None:
        metadata.setdefault("spectral_norm", {})[self.norm.name + ".version"] = self.norm._version


def spectral_norm(
    module: M, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12,
    dim: int | None = None,
) -> M:  # fmt: skip
    """Divides the parameter `name` by its largest singular value at each call; returns the module.

    `dim` counts as the rows of the matrix: by default the dimension of the outputs. Raises
    RuntimeError if it was done before, ValueError unless `n_power_iterations` is positive.
    """
    if _number_of_hook(module, name) is not None:
        raise RuntimeError(f"Cannot register two spectral_norm hooks on the same parameter {name}")
    rows = output_dim(module) if dim is None else dim
    SpectralNorm(name, n_power_iterations, rows, eps).enter(module)
    return module


def remove_spectral_norm(module: M, name: str = "weight") -> M:
    """Makes the normalised weight a parameter again; ValueError if it is not normalised."""
    number = _number_of_hook(module, name)
    if number is None:
        raise ValueError(f"spectral_norm of '{name}' not found in {module}")
    hook: Any = module._forward_pre_hooks.pop(number)
    hook.remove(module)
    for number, other in module._state_dict_hooks.items():
        if isinstance(other, _NotesVersion) and other.norm is hook:
            del module._state_dict_hooks[number]
            break
    return module


def _number_of_hook(module: Module, name: str) -> int | None:
    for number, hook in module._forward_pre_hooks.items():
        if isinstance(hook, SpectralNorm) and hook.name == name:
            return number
    return None
