"""NAdam (Dozat 2016): Adam with Nesterov's momentum.

    mu_t <- beta1 * (1 - 0.96^(t * momentum_decay) / 2)      a momentum that grows to beta1
    m, v as in Adam
    p <- p - lr * [ (1 - mu_t) * g / (1 - mu_1 ... mu_t)
                    + mu_(t+1) * m / (1 - mu_1 ... mu_(t+1)) ] / (sqrt(v / (1 - beta2^t)) + eps)

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

__all__ = ["NAdam"]


class NAdam(Rule):
    """Adam with Nesterov's momentum.

    Args:
        params, lr, betas, eps, weight_decay, maximize, differentiable: as in `Adam`.
        momentum_decay: how fast the momentum grows to `betas[0]`.
        decoupled_weight_decay: decay as in AdamW.
        foreach, capturable: accepted for PyTorch's sake.

    Raises ValueError for numbers out of range. State: `step`, `mu_product`, `exp_avg`,
    `exp_avg_sq`.
    """

    later_options = Rule.later_options | {"decoupled_weight_decay": False}
    counters = ("step", "mu_product")

    def __init__(
        self, params: Iterable[Any], lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8, weight_decay: float = 0,
        momentum_decay: float = 4e-3, decoupled_weight_decay: bool = False, *,
        foreach: bool | None = None, maximize: bool = False, capturable: bool = False,
        differentiable: bool = False,
    ) -> None:  # fmt: skip
        check_lr(lr)
        check_not_negative(epsilon=eps)
        check_betas(betas)
        check_not_negative(weight_decay=weight_decay, momentum_decay=momentum_decay)
        super().__init__(
            params,
            {
                "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay,
                "momentum_decay": momentum_decay,
                "decoupled_weight_decay": decoupled_weight_decay, "maximize": maximize,
                "foreach": foreach, "capturable": capturable, "differentiable": differentiable,
            },
        )  # fmt: skip

    def _start(self, param: Tensor, group: Group) -> State:
        return {
            "step": scalar(0), "mu_product": scalar(1), "exp_avg": zeros(param),
            "exp_avg_sq": zeros(param),
        }  # fmt: skip

    def _update(self, xp: Any, param: Tensor, group: Group, state: State) -> None:
        beta1, beta2 = group["betas"]
        lr, decay, growth = number(group["lr"]), group["weight_decay"], group["momentum_decay"]
        decoupled = bool(decay and group["decoupled_weight_decay"])
        if decoupled:
            group = group | {"weight_decay": 0}
        t = count(state)
        mu, mu_next = (beta1 * (1.0 - 0.5 * 0.96 ** (s * growth)) for s in (t, t + 1))
        state["mu_product"].mul_(mu)
        product = state["mu_product"].item()
        of_gradient = -lr * (1.0 - mu) / (1.0 - product)
        of_mean = (-lr * mu_next) / (1.0 - product * mu_next)
        changed = param, state["exp_avg"], state["exp_avg_sq"]
        for g, p, m, v in xp.pieces(param._grad, *changed, writes=2 + decoupled):
            if decoupled:
                xp.scale_(p, 1 - lr * decay)
            g = loss_gradient(xp, g, p, group)
            xp.lerp_(m, g, 1 - beta1)
            xp.scale_(v, beta2)
            xp.addcmul_(v, g, g, 1 - beta2)
            denominator = xp.sqrt(xp.divide(v, 1 - beta2**t))
            denominator += group["eps"]
            xp.addcdiv_(p, g, denominator, of_gradient)
            xp.addcdiv_(p, m, denominator, of_mean)
