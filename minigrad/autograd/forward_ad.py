"""Forward mode: how values change when the inputs move along a direction.

    with dual_level():
        x = make_dual(primal, tangent)
        value, change = unpack_dual(f(x))  # change = J tangent

PyTorch has a second set of formulas for this. Here there is one set: the operations on a dual
Tensor are recorded as for a backward pass, which gives u^T J for any u. That is linear in u, so its
gradient with respect to u, weighted by the tangent, is J tangent. So nothing in an operation knows
about forward mode and nothing is paid for it outside of a level; what it costs is the memory of a
recorded graph and two passes per `unpack_dual`, and that dual Tensors and what is computed from
them have `requires_grad=True`. Where nothing is recorded (`no_grad`) there is no tangent.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from . import node as graph
from .grad_mode import enable_grad, is_grad_enabled
from .interface import grad

Tensor = Any


class UnpackedDualTensor(NamedTuple):
    """The value of a dual Tensor and its tangent; None if nothing that it depends on has one."""

    primal: Any
    tangent: Any


class _Dual(NamedTuple):
    tensor: Tensor
    tangent: Tensor
    is_recorded: bool  # whether the primal itself needs a gradient


_levels: list[list[_Dual]] = []  # the dual Tensors of the level that is open


def enter_dual_level() -> int:
    """Open a level and return its number, 0. Levels cannot be nested."""
    if _levels:
        raise RuntimeError("Nested forward mode AD is not supported at the moment")
    _levels.append([])
    return 0


def exit_dual_level(*, level: int | None = None) -> None:
    """Close the level; all its tangents are gone."""
    if not _levels or level not in (None, 0):
        raise RuntimeError(
            "Trying to exit a forward AD level that was not the last one that was created. This is "
            "not supported."
        )
    _levels.pop()


class dual_level:
    """A level for a `with` block."""

    def __enter__(self) -> int:
        return enter_dual_level()

    def __exit__(self, *exc: object) -> None:
        exit_dual_level()


def make_dual(tensor: Tensor, tangent: Tensor, *, level: int | None = None) -> Tensor:
    """`tensor` as a new Tensor that moves along `tangent`, which has the same shape.

    Raises ValueError if one is not floating point, RuntimeError without an open level, or if the
    sizes differ, or if `tensor` has a tangent already."""
    for name, value in (("primal", tensor), ("tangent", tangent)):
        if not value.is_floating_point():
            raise ValueError(
                f"Expected {name} to be floating point or complex, but got: {value.dtype}"
            )
    if not _levels:
        raise RuntimeError(
            "Trying to create a dual Tensor for forward AD but no level exists, make sure to "
            "enter_dual_level() first."
        )
    if level not in (None, 0):
        raise RuntimeError("Invalid level given to _make_dual")
    if tensor.shape != tangent.shape:
        raise RuntimeError(
            "Trying to set a forward gradient that has a different size than that of the original "
            f"Tensor, this is not supported. Tensor is of size {list(tensor.shape)} while the given "
            f"forward gradient is of size {list(tangent.shape)}."
        )
    if _tangent(tensor) is not None:
        raise RuntimeError(
            "Making a dual Tensor based on a Tensor that already has a forward gradient at the same "
            "level 0 is not supported."
        )
    recorded = tensor.requires_grad
    with enable_grad():
        dual = tensor.view_as(tensor) if recorded else tensor.detach().requires_grad_()
    _levels[-1].append(_Dual(dual, tangent, recorded))
    return dual


def unpack_dual(tensor: Tensor, *, level: int | None = None) -> UnpackedDualTensor:
    """The value of `tensor` and its tangent in the open level (None without one).

    The tangent can be differentiated if a primal or a tangent that it depends on can."""
    if not isinstance(tensor, graph.Tensor):
        kind = type(tensor).__name__
        raise TypeError(f"_unpack_dual(): argument 'dual' (position 1) must be Tensor, not {kind}")
    tangent = _tangent(tensor)
    if tangent is None:
        return UnpackedDualTensor(tensor, None)
    if level not in (None, 0):
        raise RuntimeError("Invalid level given to _fw_primal")
    return UnpackedDualTensor(_primal(tensor), tangent)


def _tangent(tensor: Tensor) -> Tensor | None:
    """J times the tangents of the level's dual Tensors, by the double-backward trick."""
    duals = _levels[-1] if _levels else []
    if not duals or not tensor.requires_grad:
        return None
    with enable_grad():
        u = graph.tensor_ops.ones_like(tensor).requires_grad_()
        rows = grad(tensor, [d.tensor for d in duals], u, create_graph=True, allow_unused=True)
    found = [(r, d) for r, d in zip(rows, duals, strict=True) if r is not None]
    if not found:
        return None
    # rows that do not depend on u belong to operations whose derivative is zero everywhere
    linear = [(r, d) for r, d in found if r.requires_grad]
    wanted = is_grad_enabled() and any(d.is_recorded or d.tangent.requires_grad for _, d in found)
    if not linear:
        return graph.tensor_ops.zeros_like(tensor)
    (tangent,) = grad(
        [r for r, _ in linear], u, [d.tangent.to(d.tensor.dtype) for _, d in linear],
        create_graph=wanted, allow_unused=True,
    )  # fmt: skip
    return graph.tensor_ops.zeros_like(tensor) if tangent is None else tangent


def _primal(tensor: Tensor) -> Tensor:
    """The value without the tangent: a part of the graph only if a primal was one."""
    if any(d.is_recorded for d in _levels[-1]) and is_grad_enabled():
        return tensor.view_as(tensor)
    return tensor.detach()
