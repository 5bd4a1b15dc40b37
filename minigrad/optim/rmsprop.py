"""RMSprop (Hinton 2012, lecture 6e; centered: Graves 2013, equations 38-45).

v <- alpha * v + (1 - alpha) * g^2                   a mean of squared gradients
h <- alpha * h + (1 - alpha) * g                     if centered: a mean of gradients,
r <- sqrt(v) + eps,   or sqrt(v - h^2) + eps         so that r estimates a deviation
p <- p - lr * g / r                                  without momentum
b <- momentum * b + g / r;   p <- p - lr * b         with momentum
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

__all__ = ["RMSprop"]


class RMSprop(Rule):
    """RMSprop.

    Args:
        params, lr, weight_decay, maximize, differentiable: as in `Adam`.
        alpha, eps, momentum, centered: see the formulas of this module.
        foreach, capturable: accepted for PyTorch's sake.

    Raises ValueError for numbers out of range. State: `step`, `square_avg` (v),
    `momentum_buffer` (b) if there is momentum, `grad_avg` (h) if `centered`.
    """

    later_options = Rule.later_options | {"momentum": 0, "centered": False}

    def __init__(
        self, params: Iterable[Any], lr: float | Tensor = 1e-2, alpha: float = 0.99,
        eps: float = 1e-8, weight_decay: float = 0, momentum: float = 0, centered: bool = False,
        capturable: bool = False, foreach: bool | None = None, maximize: bool = False,
        differentiable: bool = False,
    ) -> None:  # fmt: skip
        check_lr(lr)
        check_not_negative(
            epsilon=eps, momentum=momentum, weight_decay=weight_decay, alpha=alpha
        )  # fmt: skip
        super().__init__(
            params,
            {
                "lr": lr, "momentum": momentum, "alpha": alpha, "eps": eps, "centered": centered,
                "weight_decay": weight_decay, "capturable": capturable, "foreach": foreach,
                "maximize": maximize, "differentiable": differentiable,
            },
        )  # fmt: skip

    def _start(self, param: Tensor, group: Group) -> State:
        state = {"step": scalar(0), "square_avg": zeros(param)}
        if group["momentum"] > 0:
            state["momentum_buffer"] = zeros(param)
        if group["centered"]:
            state["grad_avg"] = zeros(param)
        return state

    def _update(self, xp: Any, param: Tensor, group: Group, state: State) -> None:
        count(state)
        lr, alpha, momentum = number(group["lr"]), group["alpha"], group["momentum"]
        centered = group["centered"]
        changed = [param, state["square_avg"]]
        changed += [state["grad_avg"]] if centered else []
        changed += [state["momentum_buffer"]] if momentum > 0 else []
        for g, p, v, *more in xp.pieces(param._grad, *changed):
            g = loss_gradient(xp, g, p, group)
            xp.scale_(v, alpha)
            xp.addcmul_(v, g, g, 1 - alpha)
            variance = v
            if centered:
                h = more[0]
                xp.lerp_(h, g, 1 - alpha)
                variance = xp.addcmul(v, h, h, -1)
            r = xp.add_number(xp.sqrt(variance), group["eps"])
            if momentum > 0:
                b = more[-1]
                xp.scale_(b, momentum)
                xp.addcdiv_(b, g, r)
                xp.add_scaled_(p, b, -lr)
            else:
                xp.addcdiv_(p, g, r, -lr)
