"""Keeping gradients small before an optimizer's step: by their common norm, or each number by itself.

Only the gradients are changed, in place. `foreach` is accepted everywhere and means nothing here.
"""

from __future__ import annotations

import types
from collections.abc import Iterable

from ... import ops
from ...autograd.grad_mode import no_grad
from ...tensor import Tensor
from ...warn import warn

__all__ = [
    "clip_grad_norm", "clip_grad_norm_", "clip_grad_value_", "clip_grads_with_norm_",
    "get_total_norm",
]  # fmt: skip

Tensors = Tensor | Iterable[Tensor]


def get_total_norm(
    tensors: Tensors, norm_type: float = 2.0, error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:  # fmt: skip
    """The `norm_type`-norm of all numbers of all tensors, as a 0-d tensor: the norm of their norms.

    `error_if_nonfinite`: RuntimeError if it is infinite or NaN.
    """
    order = float(norm_type)
    listed = _listed(tensors)
    if not listed:
        return ops.tensor(0.0)
    with no_grad():
        norms = [ops.linalg_vector_norm(tensor, order) for tensor in listed]
        total = ops.linalg_vector_norm(ops.stack(norms), order)
    if error_if_nonfinite and not ops.isfinite(total):
        raise RuntimeError(
            f"The total norm of order {order} for gradients from `parameters` is non-finite, so it cannot be "
            "clipped. To disable this error and scale the gradients by the non-finite norm anyway, set "
            "`error_if_nonfinite=False`"
        )
    return total


def clip_grads_with_norm_(
    parameters: Tensors, max_norm: float, total_norm: Tensor, foreach: bool | None = None
) -> None:
    """Scales all gradients by max_norm / total_norm, if that is less than 1."""
    grads, limit = _gradients(_listed(parameters)), float(max_norm)
    with no_grad():
        # The small number keeps the quotient finite. Always multiplying, by 1 if need be, is PyTorch's way.
        factor = ops.clamp(limit / (total_norm + 1e-6), max=1.0)
        for grad in grads:
            grad.mul_(factor)


def clip_grad_norm_(
    parameters: Tensors, max_norm: float, norm_type: float = 2.0, error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:  # fmt: skip
    """Scales the gradients of `parameters` in place so that the norm of all of them together is at
    most `max_norm`; returns the norm that they had."""
    listed = _listed(parameters)
    if isinstance(parameters, types.GeneratorType) and not listed:
        warn("`parameters` is an empty generator, no gradient clipping will occur.")
    total = get_total_norm(_gradients(listed), norm_type, error_if_nonfinite, foreach)
    clip_grads_with_norm_(listed, max_norm, total, foreach)
    return total


def clip_grad_norm(
    parameters: Tensors, max_norm: float, norm_type: float = 2.0, error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:  # fmt: skip
    """The old name of `clip_grad_norm_`."""
    warn(
        "`torch.nn.utils.clip_grad_norm` is now deprecated in favor of `torch.nn.utils.clip_grad_norm_`.",
        FutureWarning,
    )
    return clip_grad_norm_(parameters, max_norm, norm_type, error_if_nonfinite, foreach)


def clip_grad_value_(parameters: Tensors, clip_value: float, foreach: bool | None = None) -> None:
    """Limits each number of each gradient to [-clip_value, clip_value], in place."""
    limit = float(clip_value)
    with no_grad():
        for grad in _gradients(_listed(parameters)):
            grad.clamp_(min=-limit, max=limit)


def _listed(tensors: Tensors) -> list[Tensor]:
    return [tensors] if isinstance(tensors, Tensor) else list(tensors)


def _gradients(parameters: list[Tensor]) -> list[Tensor]:
    return [param.grad for param in parameters if param.grad is not None]
