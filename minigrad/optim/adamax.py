"""AdaMax (Kingma and Ba 2015, section 7.1): Adam with the largest gradient in place of a mean.

m <- beta1 * m + (1 - beta1) * g
u <- max(beta2 * u, |g| + eps)
p <- p - lr / (1 - beta1^t) * m / u
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..tensor import Tensor
from .optimizer import Group
from .rule import (
    Rule,
    State,
    check_betas,
    check_lr,
    check_not_negative,
    count,
    loss_gradient,
    number,
    scalar,
    zeros,
)  # fmt: skip

__all__ = ["Adamax"]


class Adamax(Rule):
    """Adam based on the infinity norm.

    Args:
        params, lr, betas, eps, weight_decay, maximize, differentiable: as in `Adam`.
        foreach, capturable: accepted for PyTorch's sake.

    Raises ValueError for numbers out of range. State: `step`, `exp_avg` (m), `exp_inf` (u).
    """

    def __init__(
        self, params: Iterable[Any], lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8, weight_decay: float = 0,
        foreach: bool | None = None, *, maximize: bool = False, differentiable: bool = False,
        capturable: bool = False,
    ) -> None:  # fmt: skip
        check_lr(lr)
        check_not_negative(epsilon=eps)
        check_betas(betas)
        check_not_negative(weight_decay=weight_decay)
        super().__init__(
            params,
            {
                "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay,
                "foreach": foreach, "maximize": maximize, "differentiable": differentiable,
                "capturable": capturable,
            },
        )  # fmt: skip

    def _start(self, param: Tensor, group: Group) -> State:
        return {"step": scalar(0), "exp_avg": zeros(param), "exp_inf": zeros(param)}

    def _update(self, xp: Any, param: Tensor, group: Group, state: State) -> None:
        beta1, beta2 = group["betas"]
        step_size = number(group["lr"]) / (1 - beta1 ** count(state))
        changed = param, state["exp_avg"], state["exp_inf"]
        for g, p, m, u in xp.pieces(param._grad, *changed):
            g = loss_gradient(xp, g, p, group)
            xp.lerp_(m, g, 1 - beta1)
            xp.scale_(u, beta2)
            xp.maximum_(u, xp.add_number(xp.magnitude(g), group["eps"]))
            xp.addcdiv_(p, m, u, -step_size)
