"""Rprop (Riedmiller and Braun 1993): only the signs of the gradients count.

Each element has a step size. It grows by eta+ while the gradient keeps its sign; when the sign
changes a minimum was passed, so it shrinks by eta-, and the element rests for one step.

    c <- sign(g * g of the step before)
    s <- s * (eta+ if c > 0, eta- if c < 0, else 1), between the smallest and largest step size
    g <- 0 where c < 0
    p <- p - s * sign(g)
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..tensor import Tensor
from .optimizer import Group
from .rule import Rule, State, check_lr, count, filled, scalar, zeros

__all__ = ["Rprop"]


class Rprop(Rule):
    """Resilient backpropagation, for gradients of the whole data set.

    Args:
        params: tensors, pairs (name, tensor), or groups.
        lr: the first step size, a number or a tensor with one element.
        etas: (eta-, eta+), with 0 < eta- < 1 < eta+.
        step_sizes: the smallest and the largest step size.
        maximize, differentiable: as in `Adam`.
        foreach, capturable: accepted for PyTorch's sake.

    Raises ValueError for numbers out of range. State: `step`, `prev` (the gradient of the step
    before), `step_size` (s).
    """

    def __init__(
        self, params: Iterable[Any], lr: float | Tensor = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2), step_sizes: tuple[float, float] = (1e-6, 50), *,
        capturable: bool = False, foreach: bool | None = None, maximize: bool = False,
        differentiable: bool = False,
    ) -> None:  # fmt: skip
        check_lr(lr)
        if not 0.0 < etas[0] < 1.0 < etas[1]:
            raise ValueError(f"Invalid eta values: {etas[0]}, {etas[1]}")
        super().__init__(
            params,
            {
                "lr": lr, "etas": etas, "step_sizes": step_sizes, "foreach": foreach,
                "maximize": maximize, "differentiable": differentiable, "capturable": capturable,
            },
        )  # fmt: skip

    def _start(self, param: Tensor, group: Group) -> State:
        first = filled(param._grad, float(group["lr"]))  # type: ignore[arg-type]
        return {"step": scalar(0), "prev": zeros(param), "step_size": first}

    def _update(self, xp: Any, param: Tensor, group: Group, state: State) -> None:
        count(state)
        shrink, grow = group["etas"]
        changed = param, state["prev"], state["step_size"]
        for g, p, previous, s in xp.pieces(param._grad, *changed):
            if group["maximize"]:
                g = xp.negative(g)
            change = g * previous
            xp.multiply_(s, xp.choose(change > 0, grow, xp.choose(change < 0, shrink, 1.0, g), g))
            xp.limit_(s, *group["step_sizes"])
            g = xp.choose(change < 0, 0.0, g, g)
            xp.addcmul_(p, xp.sign(g), s, -1)
            xp.assign_(previous, g)
