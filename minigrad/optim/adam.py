"""Adam (Kingma and Ba 2015, algorithm 1), with AMSGrad (Reddi et al. 2018) as an option.

    g <- gradient of the loss at p
    m <- beta1 * m + (1 - beta1) * g               a mean of gradients
    v <- beta2 * v + (1 - beta2) * g^2             a mean of their squares
    p <- p - lr * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps)

The divisions by 1 - beta^t make up for m and v having started at 0. AMSGrad takes the largest v so
far in place of v. Weight decay adds weight_decay * p to the gradient, or, if decoupled (AdamW),
multiplies p by 1 - lr * weight_decay first.
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

__all__ = ["Adam"]


class Adam(Rule):
    """Adam: steps of about the length `lr` in each coordinate.

    Args:
        params: tensors, pairs (name, tensor), or groups.
        lr: learning rate, a number or a tensor with one element.
        betas: decay rates of the two means, both numbers or both tensors with one element.
        eps, weight_decay, amsgrad, decoupled_weight_decay: see the formulas of this module.
        maximize: go up instead of down.
        foreach, fused, capturable: accepted for PyTorch's sake; here there is one implementation.
        differentiable: if True, the step itself becomes part of the graph.

    Raises ValueError for numbers out of range, RuntimeError for `fused` with `foreach` or
    `differentiable`. State: `step`, `exp_avg` (m), `exp_avg_sq` (v), `max_exp_avg_sq` if `amsgrad`.
    """

    later_options = Rule.later_options | {
        "amsgrad": False, "decoupled_weight_decay": False, "fused": None,
    }  # fmt: skip

    def __init__(
        self, params: Iterable[Any], lr: float | Tensor = 1e-3,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999), eps: float = 1e-8,
        weight_decay: float = 0, amsgrad: bool = False, *, foreach: bool | None = None,
        maximize: bool = False, capturable: bool = False, differentiable: bool = False,
        fused: bool | None = None, decoupled_weight_decay: bool = False,
    ) -> None:  # fmt: skip
        one_by_one = foreach and not capturable
        if isinstance(lr, Tensor) and one_by_one:
            raise ValueError(
                "lr as a Tensor is not supported for capturable=False and foreach=True"
            )
        check_lr(lr)
        check_not_negative(epsilon=eps)
        check_betas(betas)
        check_not_negative(weight_decay=weight_decay)
        _check_kinds(betas, bool(one_by_one))
        super().__init__(
            params,
            {
                "lr": lr, "betas": tuple(map(number, betas)), "eps": eps,
                "weight_decay": weight_decay, "amsgrad": amsgrad, "maximize": maximize,
                "foreach": foreach, "capturable": capturable, "differentiable": differentiable,
                "fused": fused, "decoupled_weight_decay": decoupled_weight_decay,
            },
        )  # fmt: skip
        if fused and differentiable:
            raise RuntimeError("`fused` does not support `differentiable`")
        if fused and foreach:
            raise RuntimeError("`fused` and `foreach` cannot be `True` together.")

    def _start(self, param: Tensor, group: Group) -> State:
        state = {"step": scalar(0), "exp_avg": zeros(param), "exp_avg_sq": zeros(param)}
        return state | ({"max_exp_avg_sq": zeros(param)} if group["amsgrad"] else {})

    def _update(self, xp: Any, param: Tensor, group: Group, state: State) -> None:
        beta1, beta2 = group["betas"]
        lr, decay, decoupled = number(group["lr"]), group["weight_decay"], False
        if decay and group["decoupled_weight_decay"]:
            group, decoupled = group | {"weight_decay": 0}, True
        t = count(state)
        step_size, spread = lr / (1 - beta1**t), (1 - beta2**t) ** 0.5
        changed = [param, state["exp_avg"], state["exp_avg_sq"]]
        if group["amsgrad"]:
            changed.append(state["max_exp_avg_sq"])
        for g, p, m, v, *largest in xp.pieces(param._grad, *changed, writes=1 + decoupled):
            if decoupled:
                xp.scale_(p, 1 - lr * decay)
            g = loss_gradient(xp, g, p, group)
            xp.lerp_(m, g, 1 - beta1)
            xp.scale_(v, beta2)
            xp.addcmul_(v, g, g, 1 - beta2)
            for top in largest:
                xp.maximum_(top, v)
            denominator = xp.sqrt(largest[0] if largest else v)
            xp.divide_(denominator, spread)
            denominator += group["eps"]
            xp.addcdiv_(p, m, denominator, -step_size)


def _check_kinds(betas: Any, one_by_one: bool) -> None:
    tensors = [isinstance(beta, Tensor) for beta in betas]
    if tensors[0] != tensors[1] or not all(isinstance(beta, (float, Tensor)) for beta in betas):
        raise ValueError("betas must be either both floats or both Tensors")
    for i, beta in enumerate(betas):
        if not tensors[i]:
            continue
        if one_by_one:
            raise ValueError(
                f"betas[{i}] as a Tensor is not supported for capturable=False and foreach=True"
            )
        if beta.numel() != 1:
            raise ValueError(f"Tensor betas[{i}] must be 1-element")
