"""What all schedules have in common: counting epochs, and writing learning rates into groups.

A schedule has two forms. `get_lr` computes the next learning rates from the present ones, so that
several schedules can be chained and rates that a user changed are respected. `_get_closed_form_lr`,
where it exists, computes them from the initial ones and the epoch alone.
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ...tensor import Tensor
from ...warn import warn
from ..optimizer import Group, Optimizer

__all__ = ["EPOCH_DEPRECATION", "LRScheduler", "check_optimizer", "current", "set_value",
           "value_for_each_group"]  # fmt: skip

Rates = list[Any]  # one number, or tensor with one element, for each group

_HELP = "See more details at https://pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate"
EPOCH_DEPRECATION = (
    "The epoch parameter in `scheduler.step()` was not necessary and is being deprecated where "
    "possible. Please use `scheduler.step()` to step the scheduler. During the deprecation, if "
    "epoch is different from None, the closed form is used instead of the new chainable form, "
    "where available. Please open an issue if you are unable to replicate your use case: "
    "https://github.com/pytorch/pytorch/issues/new/choose."
)
_STEP_OVERRIDDEN = (
    "Seems like `optimizer.step()` has been overridden after learning rate scheduler "
    "initialization. Please, make sure to call `optimizer.step()` before `lr_scheduler.step()`. "
) + _HELP
_WRONG_ORDER = (
    "Detected call of `lr_scheduler.step()` before `optimizer.step()`. In PyTorch 1.1.0 and "
    "later, you should call them in the opposite order: `optimizer.step()` before "
    "`lr_scheduler.step()`.  Failure to do this will result in PyTorch skipping the first value "
    "of the learning rate schedule. "
) + _HELP


class LRScheduler:
    """Base class of learning rate schedules; a subclass writes `get_lr`.

    Args:
        optimizer: whose groups' `lr` is changed. Each group gets an `initial_lr`.
        last_epoch: the epoch to resume after; -1 to begin.

    Raises TypeError if `optimizer` is none, KeyError when resuming without `initial_lr`.
    """

    _get_lr_called_within_step = False
    _is_initial = False
    optimizer: Optimizer
    last_epoch: int
    base_lrs: Rates
    _last_lr: Rates

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        check_optimizer(optimizer)
        self.optimizer = optimizer
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", _copy(group["lr"]))
            elif "initial_lr" not in group:
                raise KeyError(_NO_INITIAL_LR.format(i))
        self.base_lrs = current(optimizer, "initial_lr")
        self.last_epoch = last_epoch
        _track_steps(optimizer)
        self._initial_step()

    def _initial_step(self) -> None:
        self._step_count = 0
        with _raised_flag(self, "_is_initial"):
            self.step()

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer."""
        return {key: value for key, value in self.__dict__.items() if key != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes over what `state_dict` returned."""
        self.__dict__.update(state_dict)

    def get_last_lr(self) -> Rates:
        """The learning rates of the groups that were set last."""
        return self._last_lr

    def get_lr(self) -> Rates:
        """The learning rates for `last_epoch`; called by `step`."""
        raise NotImplementedError

    def step(self, epoch: int | None = None) -> None:
        """Goes on to the next epoch (or, deprecated, to `epoch`)."""
        if self._step_count == 1:
            self._check_order()
        self._step_count += 1
        if epoch is not None:
            warn(EPOCH_DEPRECATION, UserWarning)
        self._update_lr(epoch)

    def _check_order(self) -> None:
        if not hasattr(self.optimizer.step, "_wrapped_by_lr_sched"):
            warn(_STEP_OVERRIDDEN, UserWarning)
        elif not getattr(self.optimizer, "_opt_called", False):
            warn(_WRONG_ORDER, UserWarning)

    def _update_lr(self, epoch: int | None = None) -> None:
        with _raised_flag(self, "_get_lr_called_within_step"):
            if epoch is None:
                self.last_epoch += 1
                rates = self.get_lr()
            else:
                self.last_epoch = epoch
                closed_form: Callable[[], Rates] = getattr(self, "_get_closed_form_lr", self.get_lr)
                rates = closed_form()
        self._set(rates)

    def _set(self, rates: Rates) -> None:
        for group, lr in zip(self.optimizer.param_groups, rates, strict=True):
            set_value(group, "lr", lr)
        self._last_lr = current(self.optimizer)

    # -- for subclasses --------------------------------------------------------------------------

    def _warn_unless_stepping(self) -> None:
        if not self._get_lr_called_within_step:
            warn(
                "To get the last learning rate computed by the scheduler, please use "
                "`get_last_lr()`.",
                UserWarning,
            )

    def _scaled(self, factor: float) -> Rates:
        """The present learning rates, times `factor`."""
        return [group["lr"] * factor for group in self.optimizer.param_groups]

    def _scaled_base(self, factor: float) -> Rates:
        """The initial learning rates, times `factor`."""
        return [base * factor for base in self.base_lrs]


_NO_INITIAL_LR = (
    "param 'initial_lr' is not specified in param_groups[{}] when resuming scheduler with "
    "last_epoch >= 0.\nThis typically happens when:\n1. You're trying to resume training from a "
    "checkpoint but haven't properly loaded the optimizer state\n2. You're using last_epoch >= 0 "
    "for a fresh training run (not recommended)"
)


def check_optimizer(optimizer: Any) -> None:
    """Raises TypeError unless it is an optimizer."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")


def _copy(value: Any) -> Any:
    return value.clone() if isinstance(value, Tensor) else value


def current(optimizer: Optimizer, key: str = "lr") -> Rates:
    """What the groups have under `key`; tensors are copied."""
    return [_copy(group[key]) for group in optimizer.param_groups]


def set_value(group: Group, key: str, value: Any) -> None:
    """Sets an option of a group; a tensor is filled, so that whoever holds it sees the change."""
    if isinstance(group[key], Tensor):
        group[key].fill_(float(value))
    else:
        group[key] = value


def value_for_each_group(name: str, optimizer: Optimizer, value: Any) -> Rates:
    """`value` if it is a list with as many entries as there are groups, or a list of copies."""
    groups = optimizer.param_groups
    if not isinstance(value, (list, tuple)):
        return [_copy(value) for _ in groups]
    if len(value) != len(groups):
        raise ValueError(
            f"{name} must have the same length as optimizer.param_groups. "
            f"{name} has {len(value)} values, param_groups has {len(groups)}."
        )
    return [_copy(v) for v in value]


def _track_steps(optimizer: Any) -> None:
    """Makes the optimizer note that `step` was called, to warn of a schedule that is ahead."""
    if hasattr(optimizer.step, "_wrapped_by_lr_sched"):
        return
    function, reference = optimizer.step.__func__, weakref.ref(optimizer)

    @functools.wraps(function)
    def step(*args: Any, **kwargs: Any) -> Any:
        owner: Any = reference()
        owner._opt_called = True
        return function(owner, *args, **kwargs)

    step._wrapped_by_lr_sched = True  # type: ignore[attr-defined]
    optimizer.step = step


@contextmanager
def _raised_flag(scheduler: LRScheduler, name: str) -> Iterator[None]:
    setattr(scheduler, name, True)
    try:
        yield
    finally:
        setattr(scheduler, name, False)
