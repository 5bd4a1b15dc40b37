"""Adadelta (Zeiler 2012, algorithm 1): steps as long as those before, without a learning rate.

v <- rho * v + (1 - rho) * g^2                       a mean of squared gradients
d <- sqrt(u + eps) / sqrt(v + eps) * g               the step, in the unit of p
u <- rho * u + (1 - rho) * d^2                       a mean of squared steps
p <- p - lr * d
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..tensor import Tensor
from .optimizer import Group
from .rule import (
    Rule,
    State,
    check_lr,
    check_not_negative,
    count,
    loss_gradient,
    number,
    scalar,
    zeros,
)  # fmt: skip

__all__ = ["Adadelta"]


class Adadelta(Rule):
    """Adadelta.

    Args:
        params, lr, weight_decay, maximize, differentiable: as in `Adam`.
        rho, eps: see the formulas of this module.
        foreach, capturable: accepted for PyTorch's sake.

    Raises ValueError for numbers out of range. State: `step`, `square_avg` (v), `acc_delta` (u).
    """

    def __init__(
        self, params: Iterable[Any], lr: float | Tensor = 1.0, rho: float = 0.9,
        eps: float = 1e-6, weight_decay: float = 0, foreach: bool | None = None, *,
        capturable: bool = False, maximize: bool = False, differentiable: bool = False,
    ) -> None:  # fmt: skip
        check_lr(lr)
        if not 0.0 <= rho <= 1.0:
            raise ValueError(f"Invalid rho value: {rho}")
        check_not_negative(epsilon=eps, weight_decay=weight_decay)
        super().__init__(
            params,
            {
                "lr": lr, "rho": rho, "eps": eps, "weight_decay": weight_decay,
                "maximize": maximize, "capturable": capturable, "foreach": foreach,
                "differentiable": differentiable,
            },
        )  # fmt: skip

    def _start(self, param: Tensor, group: Group) -> State:
        return {"step": scalar(0), "square_avg": zeros(param), "acc_delta": zeros(param)}

    def _update(self, xp: Any, param: Tensor, group: Group, state: State) -> None:
        count(state)
        lr, rho, eps = number(group["lr"]), group["rho"], group["eps"]
        changed = param, state["square_avg"], state["acc_delta"]
        for g, p, v, u in xp.pieces(param._grad, *changed):
            g = loss_gradient(xp, g, p, group)
            xp.scale_(v, rho)
            xp.addcmul_(v, g, g, 1 - rho)
            d = xp.sqrt(xp.add_number(u, eps))
            d = d / xp.sqrt(xp.add_number(v, eps))
            d = d * g
            xp.scale_(u, rho)
            xp.addcmul_(u, d, d, 1 - rho)
            xp.add_scaled_(p, d, -lr)
