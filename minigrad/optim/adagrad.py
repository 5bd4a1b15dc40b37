"""Adagrad (Duchi, Hazan and Singer 2011): steps shrink with the sum of all squared gradients.

s <- s + g^2
p <- p - lr / (1 + (t - 1) * lr_decay) * g / (sqrt(s) + eps)
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
    filled,
    loss_gradient,
    number,
    scalar,
)  # fmt: skip

__all__ = ["Adagrad"]


class Adagrad(Rule):
    """Adagrad.

    Args:
        params, lr, weight_decay, maximize, differentiable: as in `Adam`.
        lr_decay, eps: see the formulas of this module.
        initial_accumulator_value: what s starts with.
        foreach, fused: accepted for PyTorch's sake.

    Raises ValueError for numbers out of range, RuntimeError for `fused` with `foreach` or
    `differentiable`. State, made with the optimizer: `step`, `sum` (s).
    """

    later_options = {
        "foreach": None, "maximize": False, "differentiable": False, "fused": None,
    }  # fmt: skip

    def __init__(
        self, params: Iterable[Any], lr: float | Tensor = 1e-2, lr_decay: float = 0,
        weight_decay: float = 0, initial_accumulator_value: float = 0, eps: float = 1e-10,
        foreach: bool | None = None, *, maximize: bool = False, differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:  # fmt: skip
        check_lr(lr)
        check_not_negative(
            lr_decay=lr_decay, weight_decay=weight_decay,
            initial_accumulator_value=initial_accumulator_value, epsilon=eps,
        )  # fmt: skip
        super().__init__(
            params,
            {
                "lr": lr, "lr_decay": lr_decay, "eps": eps, "weight_decay": weight_decay,
                "initial_accumulator_value": initial_accumulator_value, "foreach": foreach,
                "maximize": maximize, "differentiable": differentiable, "fused": fused,
            },
        )  # fmt: skip
        if fused and differentiable:
            raise RuntimeError("`fused` does not support `differentiable`")
        if fused and foreach:
            raise RuntimeError("`fused` and `foreach` cannot be `True` together.")
        for group in self.param_groups:
            for param in group["params"]:
                self._first(param, group)

    def _start(self, param: Tensor, group: Group) -> State:
        initial = self.defaults["initial_accumulator_value"]
        return {"step": scalar(0), "sum": filled(param, initial)}

    def share_memory(self) -> None:
        """Moves the sums to memory that processes share."""
        for state in self.state.values():
            state["sum"].share_memory_()

    def _update(self, xp: Any, param: Tensor, group: Group, state: State) -> None:
        step_size = number(group["lr"]) / (1 + (count(state) - 1) * group["lr_decay"])
        for g, p, s in xp.pieces(param._grad, param, state["sum"]):
            g = loss_gradient(xp, g, p, group)
            xp.addcmul_(s, g, g)
            deviation = xp.add_number(xp.sqrt(s), group["eps"])
            xp.addcdiv_(p, g, deviation, -step_size)
