"""Stochastic gradient descent, with momentum (Polyak 1964; Nesterov's as in Sutskever et al. 2013).

    g <- gradient of the loss at p, negated if `maximize`
    g <- g + weight_decay * p
    b <- momentum * b + (1 - dampening) * g        (in the first step: b <- g)
    g <- g + momentum * b   if nesterov,   else b
    p <- p - lr * g

Lines whose factor is 0 are left out. The arithmetic is done on the arrays, in place, and rounds
as PyTorch's does (`arithmetic.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from .. import gpu
from ..autograd.grad_mode import enable_grad
from ..tensor import Tensor
from .arithmetic import add_scaled, add_scaled_, pieces, scale_
from .optimizer import Optimizer
from .rule import zeros

__all__ = ["SGD"]

Array = np.ndarray[Any, Any]


class SGD(Optimizer):
    """Stochastic gradient descent.

    Args:
        params: tensors, pairs (name, tensor), or groups.
        lr: learning rate, a number or a tensor with one element.
        momentum, dampening, weight_decay, nesterov, maximize: see the formulas of this module.
        foreach, fused: accepted for PyTorch's sake; they choose between its implementations.
        differentiable: if True, the step itself becomes part of the graph.

    Raises:
        ValueError: for a negative number, or `nesterov` without momentum or with dampening.

    The state of a parameter is `{"momentum_buffer": tensor}` if there is momentum.
    """

    def __init__(
        self, params: Iterable[Any], lr: float | Tensor = 1e-3, momentum: float = 0,
        dampening: float = 0, weight_decay: float | Tensor = 0, nesterov: bool = False, *,
        maximize: bool = False, foreach: bool | None = None, differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:  # fmt: skip
        if isinstance(lr, Tensor) and lr.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
        if lr < 0.0:
            raise ValueError(f"Invalid learning rate: {lr}")
        if momentum < 0.0:
            raise ValueError(f"Invalid momentum value: {momentum}")
        if weight_decay < 0.0:
            raise ValueError(f"Invalid weight_decay value: {weight_decay}")
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        super().__init__(
            params,
            {
                "lr": lr, "momentum": momentum, "dampening": dampening,
                "weight_decay": weight_decay, "nesterov": nesterov, "maximize": maximize,
                "foreach": foreach, "differentiable": differentiable, "fused": fused,
            },
        )  # fmt: skip
        if fused and differentiable:
            raise RuntimeError("`fused` does not support `differentiable`")
        if fused and foreach:
            raise RuntimeError("`fused` and `foreach` cannot be `True` together.")

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            group.setdefault("nesterov", False)
            group.setdefault("maximize", False)
            group.setdefault("foreach", None)
            group.setdefault("differentiable", False)
            group.setdefault("fused", False)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One update of every parameter that has a gradient; returns what `closure` returned."""
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        for group in self.param_groups:
            update = self._update_in_graph if group["differentiable"] else self._update
            for param in group["params"]:
                if param._grad is not None:
                    update(param, group)
        return loss

    def _update(self, param: Tensor, group: dict[str, Any]) -> None:
        changed: tuple[Tensor, ...] = (param,)
        first = False
        if group["momentum"]:
            state = self.state[param]
            buffer = state.get("momentum_buffer")
            if buffer is None:
                buffer, first = zeros(param._grad), True  # type: ignore[arg-type]
                state["momentum_buffer"] = buffer
            changed = (param, buffer)
        if param._array.size == 1 and gpu.fusion is None:  # saves a microsecond on single numbers
            for tensor in changed:
                tensor._bump_version()
            _step(group, first, param._grad._array, *[t._array for t in changed])  # type: ignore[union-attr]
            return
        for arrays in pieces(param._grad, *changed):  # type: ignore[arg-type]
            _step(group, first, *arrays)

    def _update_in_graph(self, param: Tensor, group: dict[str, Any]) -> None:
        """The same formulas with operations on tensors, so that gradients flow through them."""
        grad: Any = param.grad
        if group["maximize"]:
            grad = -grad
        if group["weight_decay"]:
            grad = grad.add(param, alpha=float(group["weight_decay"]))
        if group["momentum"]:
            state = self.state[param]
            buffer = state.get("momentum_buffer")
            if buffer is None:
                buffer = state["momentum_buffer"] = grad.detach().clone()
            else:
                buffer.mul_(group["momentum"]).add_(grad, alpha=1 - group["dampening"])
            grad = grad.add(buffer, alpha=group["momentum"]) if group["nesterov"] else buffer
        lr = group["lr"]
        if isinstance(lr, Tensor) and lr.requires_grad:
            param.sub_(grad * lr)
        else:
            param.add_(grad, alpha=-float(lr))


def _step(group: dict[str, Any], first: bool, g: Array, p: Array, b: Array | None = None) -> None:
    """The formulas of this module, on arrays of one shape; `b` if there is momentum."""
    if group["maximize"]:
        g = -g
    if group["weight_decay"]:
        g = add_scaled(g, p, group["weight_decay"])
    if b is not None:
        if first:
            b[...] = g
        else:
            scale_(b, group["momentum"])
            add_scaled_(b, g, 1 - group["dampening"])
        g = add_scaled(g, b, group["momentum"]) if group["nesterov"] else b
    add_scaled_(p, g, -group["lr"])
