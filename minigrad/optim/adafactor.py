"""Adafactor (Shazeer and Stern 2018, algorithms 4 and 5): Adam whose memory is a row and a column.

Of a matrix, only the means of the squared gradients along its rows and columns are kept; their
outer product, divided by the mean of all, stands for v.

    rho <- min(lr, 1 / sqrt(t)),   alpha <- max(eps2, rms(p)) * rho,   beta <- 1 - t^beta2_decay
    p <- p - lr * weight_decay * p
    r <- beta * r + (1 - beta) * mean of g^2 along each row
    c <- beta * c + (1 - beta) * mean of g^2 along each column
    v <- r c / max(mean(r), eps1)                 (vectors: v <- beta * v + (1 - beta) * g^2)
    u <- g / max(sqrt(v), eps1)
    p <- p - alpha * u / max(1, rms(u) / d)

rms is the root of the mean square. Where eps1 comes in, and that `lr` bounds rho, is PyTorch's way.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..autograd.grad_mode import no_grad
from ..tensor import Tensor
from .optimizer import Group
from .rule import Rule, State, count, number, scalar, zeros

__all__ = ["Adafactor"]


class Adafactor(Rule):
    """Adafactor.

    Args:
        params: tensors, pairs (name, tensor), or groups.
        lr: the largest relative step, and the factor of weight decay.
        beta2_decay, d, weight_decay: see the formulas of this module.
        eps: (eps1, eps2); an eps1 of None is the spacing of the dtype's numbers at 1.
        foreach: accepted for PyTorch's sake.
        maximize: go up instead of down.

    Raises ValueError for numbers out of range. State: `step`, and `row_var` (r) and `col_var` (c)
    or, for vectors, `variance` (v).
    """

    later_options = {"foreach": None}

    def __init__(
        self, params: Iterable[Any], lr: float | Tensor = 1e-2, beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3), d: float = 1.0, weight_decay: float = 0.0,
        *, foreach: bool | None = None, maximize: bool = False,
    ) -> None:  # fmt: skip
        if isinstance(lr, Tensor) and lr.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
        for value, name in (
            (lr, "Learning rate"), (eps[0], "epsilon1"), (eps[1], "epsilon2"),
            (weight_decay, "weight_decay"),
        ):  # fmt: skip
            if value is not None and not value >= 0.0:
                raise ValueError(f"{name} should be >= 0 but is: {value}")
        if not beta2_decay <= 0.0:
            raise ValueError(f"beta2_decay should be <= 0 but is: {beta2_decay}")
        if not d >= 1.0:
            raise ValueError(f"Clipping threshold d should be >= 1 but is: {d}")
        super().__init__(
            params,
            {
                "lr": lr, "beta2_decay": beta2_decay, "eps": eps, "d": d,
                "weight_decay": weight_decay, "foreach": foreach, "maximize": maximize,
            },
        )  # fmt: skip

    def _start(self, param: Tensor, group: Group) -> State:
        if param.dim() < 2:
            return {"step": scalar(0), "variance": zeros(param)}
        *outer, rows, columns = param.shape
        return {
            "step": scalar(0),
            "row_var": param.new_zeros((*outer, rows, 1)),
            "col_var": param.new_zeros((*outer, 1, columns)),
        }

    def _update(self, xp: Any, param: Tensor, group: Group, state: State) -> None:
        with no_grad():
            grad: Any = -param.grad if group["maximize"] else param.grad  # type: ignore[operator]
            p: Any = param.detach()
            lr, d, (eps1, eps2) = number(group["lr"]), group["d"], group["eps"]
            eps1 = float(np.finfo(p._array.dtype).eps) if eps1 is None else eps1
            t = count(state)
            forget = t ** group["beta2_decay"]
            alpha = max(eps2, _root_mean_square(p)) * min(lr, 1 / t**0.5)
            if group["weight_decay"]:
                p.mul_(1 - lr * group["weight_decay"])
            update = _variance(state, grad, forget, eps1).clamp_(min=eps1 * eps1).rsqrt_()
            update.mul_(grad)
            p.add_(update, alpha=float(-alpha / max(1.0, _root_mean_square(update) / d)))


def _variance(state: State, grad: Any, forget: float, eps1: float) -> Any:
    """An estimate of the mean of grad^2, in new memory; `forget` is 1 - beta."""
    if grad.dim() < 2:
        return state["variance"].lerp_(grad * grad, forget).clone()
    for key, dim in (("row_var", -1), ("col_var", -2)):
        mean = grad.norm(dim=dim, keepdim=True).square().div_(grad.size(dim))
        state[key].lerp_(mean, forget)
    rows, columns = state["row_var"], state["col_var"]
    return (rows @ columns).div_(rows.mean(dim=-2, keepdim=True).clamp_(min=eps1))


def _root_mean_square(x: Any) -> float:
    return float(x.norm(2).item() / x.numel() ** 0.5)
