"""Averages of the parameters over a training, which often predict better than the last ones.

Stochastic weight averaging (Izmailov et al. 2018) takes the mean of all; an exponential moving
average (EMA; Polyak averaging) forgets old ones. `AveragedModel` keeps the average, `SWALR` brings
the learning rate to the constant that the method wants, and `update_bn` computes the statistics of
batch normalisation anew, since those of the training do not fit averaged parameters.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from itertools import chain
from typing import Any

from .. import ops
from ..autograd.grad_mode import no_grad
from ..dtypes import int64
from ..nn.modules.module import Module
from ..tensor import Tensor
from ..warn import warn
from .arithmetic import lerp_, pieces
from .lr_scheduler.base import LRScheduler, Rates, value_for_each_group
from .optimizer import Optimizer

__all__ = [
    "SWALR", "AveragedModel", "get_ema_avg_fn", "get_ema_multi_avg_fn", "get_swa_avg_fn",
    "get_swa_multi_avg_fn", "update_bn",
]  # fmt: skip

Average = Callable[[Tensor, Tensor, Any], Tensor]
MultiAverage = Callable[[Sequence[Tensor], Sequence[Tensor], Any], None]


# -- averages -------------------------------------------------------------------------------------


def _check_decay(decay: float) -> None:
    if not 0.0 <= decay <= 1.0:
        raise ValueError(
            f"Invalid decay value {decay} provided. Please provide a value in [0,1] range."
        )


def get_ema_avg_fn(decay: float = 0.999) -> Average:
    """The function that returns decay * average + (1 - decay) * newest, of two tensors."""
    _check_decay(decay)

    def ema_update(ema_param: Tensor, current_param: Tensor, num_averaged: Any) -> Tensor:
        with no_grad():
            return decay * ema_param + (1 - decay) * current_param

    return ema_update


def get_swa_avg_fn() -> Average:
    """The function that returns the mean of `num_averaged + 1` tensors, of which the average so
    far and the newest are given."""

    def swa_update(averaged: Tensor, current_param: Tensor, num_averaged: Any) -> Tensor:
        with no_grad():
            return averaged + (current_param - averaged) / (num_averaged + 1)

    return swa_update


def get_ema_multi_avg_fn(decay: float = 0.999) -> MultiAverage:
    """The function that does what `get_ema_avg_fn(decay)` says to a list of tensors, in place."""
    _check_decay(decay)

    def ema_update(
        ema_params: Sequence[Tensor], current_params: Sequence[Tensor], _: Any
    ) -> None:  # fmt: skip
        with no_grad():
            for average, newest in zip(ema_params, current_params, strict=True):
                if average.is_floating_point():
                    _lerp(average, newest, 1 - decay)
                else:
                    average.copy_(average * decay + newest * (1 - decay))

    return ema_update


def get_swa_multi_avg_fn() -> MultiAverage:
    """The function that does what `get_swa_avg_fn()` says to a list of tensors, in place."""

    def swa_update(
        averaged: Sequence[Tensor], current_params: Sequence[Tensor], num_averaged: Any
    ) -> None:
        with no_grad():
            for average, newest in zip(averaged, current_params, strict=True):
                if average.is_floating_point():
                    _lerp(average, newest, float(1 / (num_averaged + 1)))
                else:
                    average.copy_(average + (newest - average) / (num_averaged + 1))

    return swa_update


def _lerp(average: Tensor, newest: Tensor, weight: float) -> None:
    """average += weight * (newest - average), rounded once."""
    for new, old in pieces(newest, average):
        lerp_(old, new, weight)


class AveragedModel(Module):
    """A copy of a model whose parameters are the average of those that the model has had.

    Args:
        model: the model; `update_parameters` takes its parameters into the average.
        device: where the copy is (the CPU).
        avg_fn: a function (average, newest, number averaged so far) -> new average.
        multi_avg_fn: the same for lists of tensors, changing the averages in place.
        use_buffers: average buffers too; if False they are copied.

    The first parameters are copied. Without a function the average is the mean of all (SWA).
    The buffer `n_averaged` counts. Raises AssertionError if both functions are given.
    """

    n_averaged: Tensor

    def __init__(
        self, model: Module, device: Any = None, avg_fn: Average | None = None,
        multi_avg_fn: MultiAverage | None = None, use_buffers: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise AssertionError("Only one of avg_fn and multi_avg_fn should be provided")
        self.module = deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        self.register_buffer("n_averaged", ops.tensor(0, dtype=int64, device=device))
        self.avg_fn = avg_fn
        self.multi_avg_fn = multi_avg_fn
        self.use_buffers = use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the averaged model returns."""
        return self.module(*args, **kwargs)

    def update_parameters(self, model: Module) -> None:
        """Takes the parameters that `model` has now into the average."""
        averages, newest = (
            [t.detach() for t in self._averaged_tensors(m)] for m in (self.module, model)
        )
        if self.n_averaged == 0:
            for average, new in zip(averages, newest, strict=True):
                average.copy_(new)
        elif self.multi_avg_fn is not None:
            for kind in {t.dtype for t in averages}:
                pairs = [(a, n) for a, n in zip(averages, newest, strict=True) if a.dtype == kind]
                self.multi_avg_fn([a for a, _ in pairs], [n for _, n in pairs], self.n_averaged)
        else:
            average_of = self.avg_fn or get_swa_avg_fn()
            for average, new in zip(averages, newest, strict=True):
                average.copy_(average_of(average, new, self.n_averaged))
        if not self.use_buffers:
            for old, buffer in zip(self.module.buffers(), model.buffers(), strict=True):
                old.detach().copy_(buffer.detach())
        self.n_averaged += 1

    def _averaged_tensors(self, model: Module) -> Iterable[Tensor]:
        if self.use_buffers:
            return chain(model.parameters(), model.buffers())
        return model.parameters()


def update_bn(loader: Iterable[Any], model: Module, device: Any = None) -> None:
    """Computes running means and variances of all BatchNorm layers anew, in one pass.

    Args:
        loader: gives batches: tensors, or lists or tuples of which the first item is one.
        model: the model; only these buffers change.
        device: where batches are moved first.
    """
    from ..nn.modules.batchnorm import _BatchNorm

    layers: list[Any] = [m for m in model.modules() if isinstance(m, _BatchNorm)]
    if not layers:
        return
    momenta, was_training = [layer.momentum for layer in layers], model.training
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # the mean of all batches
    model.train()
    with no_grad():
        for batch in loader:
            input = batch[0] if isinstance(batch, (list, tuple)) else batch
            model(input if device is None else input.to(device))
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum
    model.train(was_training)


# -- the learning rate ----------------------------------------------------------------------------


class SWALR(LRScheduler):
    """From the present learning rate to `swa_lr` in `anneal_epochs` epochs, then constant.

    Args:
        optimizer, last_epoch: see `LRScheduler`.
        swa_lr: the last rate, a number or a list with one for each group.
        anneal_epochs: how long it takes; 0: at once.
        anneal_strategy: "cos" or "linear".

    Raises ValueError for another strategy or a negative number of epochs.
    """

    def __init__(
        self, optimizer: Optimizer, swa_lr: Any, anneal_epochs: int = 10,
        anneal_strategy: str = "cos", last_epoch: int = -1,
    ) -> None:  # fmt: skip
        rates = value_for_each_group("swa_lr", optimizer, swa_lr)
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["swa_lr"] = rate
        if anneal_strategy not in ["cos", "linear"]:
            raise ValueError(
                f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}"
            )
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(
                f"anneal_epochs must be equal or greater than 0, got {anneal_epochs}"
            )  # fmt: skip
        self._anneal_strategy, self.anneal_epochs = anneal_strategy, anneal_epochs
        super().__init__(optimizer, last_epoch)

    def anneal_func(self, t: float) -> float:
        """The part of the way that lies behind after the part `t` of the time."""
        return (1 - math.cos(math.pi * t)) / 2 if self._anneal_strategy == "cos" else t

    def get_lr(self) -> Rates:
        if not self._get_lr_called_within_step:
            warn(
                "To get the last learning rate computed by the scheduler, please use "
                "`get_last_lr()`.",
                UserWarning,
            )
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        before, now = (
            self.anneal_func(max(0, min(1, s / max(1, self.anneal_epochs))))
            for s in (step - 1, step)
        )
        rates = []
        for group in self.optimizer.param_groups:
            last = group["swa_lr"]
            lr = last if before == 1 else (group["lr"] - before * last) / (1 - before)
            rates.append(last * now + lr * (1 - now))
        return rates
