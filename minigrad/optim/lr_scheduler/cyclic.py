"""Schedules that go up and down, and momentum down and up: cyclical rates, the one-cycle policy."""

from __future__ import annotations

import math
import types
from collections.abc import Callable
from functools import partial
from typing import Any

from ..optimizer import Group, Optimizer
from .base import LRScheduler, Rates, check_optimizer, set_value, value_for_each_group

__all__ = ["CyclicLR", "OneCycleLR"]


class _WithMomentum(LRScheduler):
    """A schedule that may change the momentum too, or beta1 of optimizers that have betas."""

    cycle_momentum: bool
    use_beta1: bool

    def _init_momentum(
        self, optimizer: Optimizer, base: Any, largest: Any, last_epoch: int
    ) -> tuple[Rates, Rates]:
        if "momentum" not in optimizer.defaults and "betas" not in optimizer.defaults:
            raise ValueError(
                "optimizer must support momentum or beta1 with `cycle_momentum` option enabled"
            )
        self.use_beta1 = "betas" in optimizer.defaults
        bases = value_for_each_group("base_momentum", optimizer, base)
        tops = value_for_each_group("max_momentum", optimizer, largest)
        if last_epoch == -1:
            for group, low, high in zip(optimizer.param_groups, bases, tops, strict=True):
                self._set_momentum(group, high)
                group["max_momentum"], group["base_momentum"] = high, low
        return bases, tops

    def _set_momentum(self, group: Group, value: Any) -> None:
        if self.use_beta1:
            group["betas"] = (value, *group["betas"][1:])
        else:
            group["momentum"] = value


class CyclicLR(_WithMomentum):
    """From `base_lr` up to `max_lr` and down again, after every batch (Smith 2017).

    Args:
        optimizer, last_epoch: see `LRScheduler`; here an epoch is a batch.
        base_lr, max_lr: the lowest and the highest rate, numbers or lists with one for each group.
        step_size_up, step_size_down: batches of the rise and of the fall (None: the same).
        mode: "triangular": all cycles alike; "triangular2": each half as high as the one before;
            "exp_range": after n batches as high as gamma^n.
        scale_fn, scale_mode: a function of one's own for the height, of the number of the "cycle"
            or of the "iterations".
        cycle_momentum, base_momentum, max_momentum: whether the momentum goes the other way.

    Raises ValueError for an unknown mode, or an optimizer without momentum.
    """

    def __init__(
        self, optimizer: Optimizer, base_lr: float | list[float], max_lr: float | list[float],
        step_size_up: int = 2000, step_size_down: int | None = None, mode: str = "triangular",
        gamma: float = 1.0, scale_fn: Callable[[float], float] | None = None,
        scale_mode: str = "cycle", cycle_momentum: bool = True, base_momentum: float = 0.8,
        max_momentum: float = 0.9, last_epoch: int = -1,
    ) -> None:  # fmt: skip
        check_optimizer(optimizer)
        self.optimizer = optimizer
        base_lrs = value_for_each_group("base_lr", optimizer, base_lr)
        if last_epoch == -1:
            for group, lr in zip(optimizer.param_groups, base_lrs, strict=True):
                set_value(group, "lr", lr)
        self.max_lrs = value_for_each_group("max_lr", optimizer, max_lr)
        up = float(step_size_up)
        self.total_size = up + (up if step_size_down is None else float(step_size_down))
        self.step_ratio = up / self.total_size
        if mode not in _HEIGHTS and scale_fn is None:
            raise ValueError("mode is invalid and scale_fn is None")
        self.mode, self.gamma = mode, gamma
        self._scale_fn_ref: Any
        self._scale_fn_custom: Any = scale_fn
        self.scale_mode = scale_mode
        self._init_scale_fn()
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self.base_momentums, self.max_momentums = self._init_momentum(
                optimizer, base_momentum, max_momentum, last_epoch
            )
        super().__init__(optimizer, last_epoch)
        self.base_lrs = base_lrs

    def _init_scale_fn(self) -> None:
        if self._scale_fn_custom is None:
            height, self.scale_mode = _HEIGHTS[self.mode]
            self._scale_fn_ref = partial(height, self.gamma)

    def scale_fn(self, x: float) -> float:
        """The height of a cycle, of which `x` is the number (or that of the batch)."""
        custom = self._scale_fn_custom
        return float(self._scale_fn_ref(x)) if custom is None else custom(x)

    def get_lr(self) -> Rates:
        self._warn_unless_stepping()
        cycle = math.floor(1 + self.last_epoch / self.total_size)
        x = 1.0 + self.last_epoch / self.total_size - cycle
        rising = x <= self.step_ratio
        part = x / self.step_ratio if rising else (x - 1) / (self.step_ratio - 1)
        at = cycle if self.scale_mode == "cycle" else self.last_epoch
        if self.cycle_momentum:
            bounds = zip(self.base_momentums, self.max_momentums, strict=True)
            momenta = [high - (high - low) * part * self.scale_fn(at) for low, high in bounds]
            for group, momentum in zip(self.optimizer.param_groups, momenta, strict=True):
                self._set_momentum(group, momentum)
        bounds = zip(self.base_lrs, self.max_lrs, strict=True)
        return [low + (high - low) * part * self.scale_fn(at) for low, high in bounds]

    def state_dict(self) -> dict[str, Any]:
        state = super().state_dict()
        state.pop("_scale_fn_ref", None)
        function = state.pop("_scale_fn_custom")
        savable = function is not None and not isinstance(function, types.FunctionType)
        return state | {"_scale_fn_custom": function.__dict__.copy() if savable else None}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        attributes = state_dict["_scale_fn_custom"]
        super().load_state_dict(
            {k: v for k, v in state_dict.items() if k != "_scale_fn_custom"}
        )  # fmt: skip
        if attributes is not None:
            self._scale_fn_custom.__dict__.update(attributes)
        self._init_scale_fn()


def _constant(gamma: float, cycle: float) -> float:
    return 1.0


def _halved(gamma: float, cycle: float) -> float:
    return float(1 / 2.0 ** (cycle - 1))


def _exponential(gamma: float, batch: float) -> float:
    return float(gamma**batch)


_HEIGHTS = {
    "triangular": (_constant, "cycle"),
    "triangular2": (_halved, "cycle"),
    "exp_range": (_exponential, "iterations"),
}


class OneCycleLR(_WithMomentum):
    """One rise and one long fall over the whole training, after every batch (Smith and Topin 2018).

    Args:
        optimizer, last_epoch: see `LRScheduler`; here an epoch is a batch.
        max_lr: the highest rate, a number or a list with one for each group.
        total_steps: batches of the training; if None, epochs * steps_per_epoch.
        pct_start: the part of the training that the rise takes.
        anneal_strategy: "cos" or "linear".
        cycle_momentum, base_momentum, max_momentum: whether the momentum goes the other way.
        div_factor: the first rate is max_lr / div_factor,
        final_div_factor: and the last one that by this.
        three_phase: fall as fast as the rise, then on to the last rate.

    Raises ValueError for impossible numbers, an optimizer without momentum, or a step too many.
    """

    def __init__(
        self, optimizer: Optimizer, max_lr: float | list[float], total_steps: int | None = None,
        epochs: int | None = None, steps_per_epoch: int | None = None, pct_start: float = 0.3,
        anneal_strategy: str = "cos", cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85, max_momentum: float | list[float] = 0.95,
        div_factor: float = 25.0, final_div_factor: float = 1e4, three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:  # fmt: skip
        check_optimizer(optimizer)
        self.optimizer = optimizer
        self.total_steps = _total_steps(total_steps, epochs, steps_per_epoch)
        self._schedule_phases = _phases(pct_start, self.total_steps, three_phase)
        if not 0 <= pct_start <= 1 or not isinstance(pct_start, float):
            raise ValueError(f"Expected float between 0 and 1 pct_start, but got {pct_start}")
        if anneal_strategy not in _ANNEALING:
            raise ValueError(
                "anneal_strategy must be one of 'cos' or 'linear', instead got "
                f"{anneal_strategy}"
            )  # fmt: skip
        self._anneal_func_type = anneal_strategy
        max_lrs = value_for_each_group("max_lr", optimizer, max_lr)
        if last_epoch == -1:
            for group, highest in zip(optimizer.param_groups, max_lrs, strict=True):
                group["initial_lr"] = highest / div_factor
                group["max_lr"] = highest
                group["min_lr"] = group["initial_lr"] / final_div_factor
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self._init_momentum(optimizer, base_momentum, max_momentum, last_epoch)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> Rates:
        self._warn_unless_stepping()
        step = self.last_epoch
        if step > self.total_steps:
            raise ValueError(
                f"Tried to step {step} times. The specified number of total steps is "
                f"{self.total_steps}"
            )
        phases, start = self._schedule_phases, 0.0
        while step > phases[0]["end_step"] and len(phases) > 1:
            start, phases = phases[0]["end_step"], phases[1:]
        phase, anneal = phases[0], _ANNEALING[self._anneal_func_type]
        part = (step - start) / (phase["end_step"] - start)
        rates = []
        for group in self.optimizer.param_groups:
            rates.append(anneal(group[phase["start_lr"]], group[phase["end_lr"]], part))
            if self.cycle_momentum:
                ends = group[phase["start_momentum"]], group[phase["end_momentum"]]
                self._set_momentum(group, anneal(*ends, part))
        return rates


def _total_steps(total_steps: Any, epochs: Any, steps_per_epoch: Any) -> int:
    given = {"total_steps": total_steps}
    if total_steps is None:
        if epochs is None or steps_per_epoch is None:
            raise ValueError(
                "You must define either total_steps OR (epochs AND steps_per_epoch)"
            )  # fmt: skip
        given = {"epochs": epochs, "steps_per_epoch": steps_per_epoch}
    for name, value in given.items():
        if value <= 0 or not isinstance(value, int):
            raise ValueError(f"Expected positive integer {name}, but got {value}")
    return math.prod(given.values())


def _phases(pct_start: float, total_steps: int, three: bool) -> list[dict[str, Any]]:
    """Where each phase ends, and from which to which of a group's values it goes."""

    def phase(end: float, lr: str, end_lr: str, momentum: str, end_momentum: str) -> dict[str, Any]:
        return {
            "end_step": end, "start_lr": lr, "end_lr": end_lr, "start_momentum": momentum,
            "end_momentum": end_momentum,
        }  # fmt: skip

    low, high = "base_momentum", "max_momentum"
    rise = phase(float(pct_start * total_steps) - 1, "initial_lr", "max_lr", high, low)
    if not three:
        return [rise, phase(total_steps - 1, "max_lr", "min_lr", low, high)]
    return [
        rise,
        phase(float(2 * pct_start * total_steps) - 2, "max_lr", "initial_lr", low, high),
        phase(total_steps - 1, "initial_lr", "min_lr", high, high),
    ]


def _cosine(start: Any, end: Any, part: float) -> Any:
    return end + (start - end) / 2.0 * (math.cos(math.pi * part) + 1)


def _linear(start: Any, end: Any, part: float) -> Any:
    return (end - start) * part + start


_ANNEALING = {"cos": _cosine, "linear": _linear}
