"""RAdam (Liu et al. 2020, algorithm 2): Adam that waits until the variance of its steps is small.

    m, v as in Adam
    rho_inf <- 2 / (1 - beta2) - 1
    rho_t   <- rho_inf - 2 * t * beta2^t / (1 - beta2^t)       how many gradients v has averaged
    if rho_t > 5:
        r <- sqrt( (rho_t - 4) (rho_t - 2) rho_inf / ((rho_inf - 4) (rho_inf - 2) rho_t) )
        p <- p - lr * (m / (1 - beta1^t)) * r * sqrt(1 - beta2^t) / (sqrt(v) + eps)
    else:
        p <- p - lr * (m / (1 - beta1^t))

With `decoupled_weight_decay` p is multiplied by 1 - lr * weight_decay first, as in AdamW.
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

__all__ = ["RAdam"]


class RAdam(Rule):
    """Rectified Adam: needs no slow start of the learning rate.

    Args:
        params, lr, betas, eps, weight_decay, maximize, differentiable: as in `Adam`.
        decoupled_weight_decay: decay as in AdamW.
        foreach, capturable: accepted for PyTorch's sake.

    Raises ValueError for numbers out of range. State: `step`, `exp_avg`, `exp_avg_sq`.
    """

    later_options = Rule.later_options | {"decoupled_weight_decay": False}

    def __init__(
        self, params: Iterable[Any], lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8, weight_decay: float = 0,
        decoupled_weight_decay: bool = False, *, foreach: bool | None = None,
        maximize: bool = False, capturable: bool = False, differentiable: bool = False,
    ) -> None:  # fmt: skip
        check_lr(lr)
        check_not_negative(epsilon=eps)
        check_betas(betas)
        check_not_negative(weight_decay=weight_decay)
        super().__init__(
            params,
            {
                "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay,
                "maximize": maximize, "foreach": foreach, "capturable": capturable,
                "decoupled_weight_decay": decoupled_weight_decay,
                "differentiable": differentiable,
            },
        )  # fmt: skip

    def _start(self, param: Tensor, group: Group) -> State:
        return {"step": scalar(0), "exp_avg": zeros(param), "exp_avg_sq": zeros(param)}

    def _update(self, xp: Any, param: Tensor, group: Group, state: State) -> None:
        beta1, beta2 = group["betas"]
        lr, decay = number(group["lr"]), group["weight_decay"]
        decoupled = bool(decay and group["decoupled_weight_decay"])
        if decoupled:
            group = group | {"weight_decay": 0}
        t = count(state)
        rectification = _rectification(beta2, t)
        changed = param, state["exp_avg"], state["exp_avg_sq"]
        for g, p, m, v in xp.pieces(param._grad, *changed, writes=1 + decoupled):
            if decoupled:
                xp.scale_(p, 1 - lr * decay)
            g = loss_gradient(xp, g, p, group)
            xp.lerp_(m, g, 1 - beta1)
            xp.scale_(v, beta2)
            xp.addcmul_(v, g, g, 1 - beta2)
            step = xp.divide(m, 1 - beta1**t)
            xp.scale_(step, lr)
            if rectification is not None:
                denominator = xp.sqrt(v)
                denominator += group["eps"]
                adaptive = xp.reciprocal(denominator)
                xp.scale_(adaptive, (1 - beta2**t) ** 0.5)
                xp.multiply_(step, adaptive)
                xp.scale_(step, rectification)
            xp.add_scaled_(p, step, -1.0)


def _rectification(beta2: float, t: float) -> float | None:
    """r of the formulas; None while the variance is infinite or too large."""
    limit = 2 / (1 - beta2) - 1
    rho = limit - 2 * t * beta2**t / (1 - beta2**t)
    if not rho > 5.0:
        return None
    return float(((rho - 4) * (rho - 2) * limit / ((limit - 4) * (limit - 2) * rho)) ** 0.5)
