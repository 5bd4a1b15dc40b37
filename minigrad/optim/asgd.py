"""ASGD (Polyak and Juditsky 1992): stochastic gradient descent that averages its way.

p   <- p * (1 - lambd * eta) - eta * g
ax  <- ax + mu * (p - ax)                            the average, from step t0 on
eta <- lr / (1 + lambd * lr * t)^alpha
mu  <- 1 / max(1, t - t0)
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

__all__ = ["ASGD"]


class ASGD(Rule):
    """Averaged stochastic gradient descent.

    Args:
        params, lr, weight_decay, maximize, differentiable: as in `Adam`.
        lambd, alpha, t0: see the formulas of this module.
        foreach, capturable: accepted for PyTorch's sake.

    Raises ValueError for numbers out of range. State: `step`, `eta`, `mu`, `ax` (the average; the
    optimizer leaves it to you to use it).
    """

    counters = ("step", "eta", "mu")

    def __init__(
        self, params: Iterable[Any], lr: float | Tensor = 1e-2, lambd: float = 1e-4,
        alpha: float = 0.75, t0: float = 1e6, weight_decay: float = 0,
        foreach: bool | None = None, maximize: bool = False, differentiable: bool = False,
        capturable: bool = False,
    ) -> None:  # fmt: skip
        check_lr(lr)
        check_not_negative(weight_decay=weight_decay)
        super().__init__(
            params,
            {
                "lr": lr, "lambd": lambd, "alpha": alpha, "t0": t0, "weight_decay": weight_decay,
                "foreach": foreach, "maximize": maximize, "differentiable": differentiable,
                "capturable": capturable,
            },
        )  # fmt: skip

    def _start(self, param: Tensor, group: Group) -> State:
        return {
            "step": scalar(0), "eta": scalar(float(group["lr"])), "mu": scalar(1),
            "ax": zeros(param),
        }  # fmt: skip

    def _update(self, xp: Any, param: Tensor, group: Group, state: State) -> None:
        lr, lambd, t = number(group["lr"]), group["lambd"], count(state)
        eta, mu = state["eta"].item(), state["mu"].item()
        for g, p, average in xp.pieces(param._grad, param, state["ax"], writes=2):
            g = loss_gradient(xp, g, p, group)
            xp.scale_(p, 1 - lambd * eta)
            xp.add_scaled_(p, g, -eta)
            if mu == 1:
                xp.assign_(average, p)
            else:
                xp.add_scaled_(average, xp.scale(p - average, mu), 1)
        eta = lr / ((1 + lambd * lr * t) ** group["alpha"])
        state["eta"].copy_(scalar(float(eta)))  # float32, whatever dtype loading made of it
        state["mu"].copy_(scalar(1 / max(1, t - group["t0"])))
