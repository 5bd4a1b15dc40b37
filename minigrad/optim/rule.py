"""Optimizers that update each parameter by itself: all of this package but L-BFGS.

A subclass says what its state begins with (`_start`) and how one step goes (`_update`), with the
functions of `arithmetic` or `graph_arithmetic`, of which the base class hands it the right one:

    def _update(self, xp, param, group, state):
        lr = number(group["lr"])
        for g, p in xp.pieces(param._grad, param):
            xp.add_scaled_(p, g, -lr)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from ..autograd.grad_mode import enable_grad
from ..autograd.node import wrap
from ..tensor import Tensor
from . import arithmetic, graph_arithmetic
from .optimizer import Group, Optimizer

__all__ = ["Rule", "check_betas", "check_lr", "check_not_negative", "count", "filled", "loss_gradient",
           "number", "scalar", "zeros"]  # fmt: skip

State = dict[str, Any]


class Rule(Optimizer):
    """Base class of optimizers that update one parameter at a time.

    `later_options` are those that checkpoints of older versions do not have, with their defaults;
    `counters` the keys of the state that hold a 0-d float32 tensor.
    """

    later_options: ClassVar[dict[str, Any]] = {
        "foreach": None, "maximize": False, "capturable": False, "differentiable": False,
    }  # fmt: skip
    counters: ClassVar[tuple[str, ...]] = ("step",)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            for name, default in self.later_options.items():
                group.setdefault(name, default)
            for param in group["params"]:
                self._make_counters(self.state.get(param, {}))

    def _make_counters(self, state: State) -> None:
        """Old checkpoints count in numbers, newer ones in tensors."""
        for key in self.counters:
            if key in state and not isinstance(state[key], Tensor):
                state[key] = scalar(state[key])

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One update of every parameter that has a gradient; returns what `closure` returned."""
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        for group in self.param_groups:
            if group.get("differentiable"):
                self._update_in_graph(group)
                continue
            for param in group["params"]:
                if param._grad is not None:
                    state = self.state[param] or self._first(param, group)
                    self._update(arithmetic, param, group, state)
        return loss

    def _update_in_graph(self, group: Group) -> None:
        if group.get("foreach"):
            raise AssertionError("_foreach ops don't support autograd")
        with enable_grad():
            for param in group["params"]:
                if param.grad is not None:
                    state = self.state[param] or self._first(param, group)
                    self._update(graph_arithmetic, param, group, state)

    def _first(self, param: Tensor, group: Group) -> State:
        state: State = self.state[param]
        state.update(self._start(param, group))
        return state

    def _start(self, param: Tensor, group: Group) -> State:
        """The state of a parameter before its first step."""
        raise NotImplementedError

    def _update(self, xp: Any, param: Tensor, group: Group, state: State) -> None:
        """One step of one parameter, with the functions of `xp`."""
        raise NotImplementedError


def loss_gradient(xp: Any, g: Any, p: Any, group: Group) -> Any:
    """The gradient to descend: negated if `maximize`, with that of weight_decay / 2 * |p|^2."""
    if group["maximize"]:
        g = xp.negative(g)
    if group["weight_decay"]:
        g = xp.add_scaled(g, p, group["weight_decay"])
    return g


# -- state ----------------------------------------------------------------------------------------


def zeros(param: Tensor) -> Tensor:
    """Zeros in the shape, dtype and memory order of a parameter (or of its gradient)."""
    return wrap(np.zeros_like(param._array))


def filled(param: Tensor, value: float) -> Tensor:
    """The same, of another number."""
    return wrap(np.full_like(param._array, value))


def scalar(value: float) -> Tensor:
    """A 0-d float32 tensor."""
    return wrap(np.array(value, np.float32))


def count(state: State) -> float:
    """Adds 1 to `state["step"]` and returns it."""
    counter: Tensor = state["step"]
    value: float = counter._array.item() + 1
    counter._array.fill(value)
    counter._bump_version()
    return value


# -- arguments ------------------------------------------------------------------------------------


def number(value: Any) -> Any:
    """A tensor with one element as a 0-d tensor, which computes in its own dtype; else `value`."""
    return value.squeeze() if isinstance(value, Tensor) else value


def check_lr(lr: Any) -> None:
    """Raises ValueError unless `lr` is one number, and not negative."""
    if isinstance(lr, Tensor) and lr.numel() != 1:
        raise ValueError("Tensor lr must be 1-element")
    if not lr >= 0.0:
        raise ValueError(f"Invalid learning rate: {lr}")


def check_betas(betas: Any) -> None:
    """Raises ValueError unless both decay rates are in [0, 1)."""
    for i in range(2):
        if not 0.0 <= betas[i] < 1.0:
            raise ValueError(f"Invalid beta parameter at index {i}: {betas[i]}")


def check_not_negative(**values: Any) -> None:
    """Raises ValueError if one of the named values is negative."""
    for name, value in values.items():
        if not value >= 0.0:
            raise ValueError(f"Invalid {name} value: {value}")
