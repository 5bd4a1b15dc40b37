"""Batch normalisation, and instance normalisation, which is the same with each sample for itself.

While training, a channel's mean and variance are those of the batch, and the running ones follow
them; afterwards the running ones are used, and do not depend on the input.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import either
from ..autograd.node import wrap
from ..autograd.out import into
from ..autograd.row import op
from ..promotion import check_tensors, floats_only
from .normalization import alone, check_dtypes, gathered, statistic
from .standardization import (
    WIDE,
    Layout,
    channels_of,
    computed,
    fitted,
    shift_and_scale,
    standardize_channels,
)

Array = Any
Tensor = Any
Parameters = list[Any]  # input, weight, bias; None where one is missing


@op(
    "NativeBatchNormBackward0",
    fused=True,
    tensors=lambda grad, input, weight, result1, result2, layout, eps, needs, xp: (
        xp.normalization_backward(
            "batch", grad, input, weight, result1, result2, layout, eps, needs
        )
    ),
)
def _batch_norm(
    tensors: Parameters, input: Array, weight: Any, layout: Layout, eps: float, running: Any
) -> tuple[Array, Array, Array]:
    """The result; mean and 1 / deviation of the batch. `running`: its statistics, updated, and the
    momentum."""
    x, bias = computed(input).reshape(layout.view), tensors[2]
    w, b = (fitted(p, layout.weight, x) for p in (weight, bias))
    out, mean, variance = standardize_channels(x, w, b, eps)
    running_mean, running_var, momentum = running
    for kept, new in ((running_mean, mean), (running_var, _unbiased(variance, layout.terms))):
        if kept is not None:
            kept[...] = momentum * new + (1 - momentum) * kept.astype(WIDE)
    out = out.reshape(input.shape).astype(input.dtype, copy=False)
    return out, mean.astype(x.dtype), (1 / np.sqrt(variance + eps)).astype(x.dtype)


def _unbiased(variance: Array, n: int) -> Array:
    return variance * (n / (n - 1) if n > 1 else math.nan)


@op(
    "NativeBatchNormBackward0",
    fused=True,
    tensors=lambda grad, input, weight, mean, rstd, layout, needs, xp: xp.normalization_backward(
        "batch", grad, input, weight, mean, rstd, layout, None, needs
    ),
)
def _batch_norm_fixed(
    tensors: Parameters, input: Array, weight: Any, layout: Layout, mean: Array, rstd: Array
) -> Array:
    x = computed(input).reshape(layout.view)
    w, b = (fitted(p, layout.weight, x) for p in (weight, tensors[2]))
    return shift_and_scale(x, w, b, mean, rstd).reshape(input.shape).astype(input.dtype, copy=False)


def batch_norm(
    input: Tensor, weight: Tensor | None, bias: Tensor | None, running_mean: Tensor | None,
    running_var: Tensor | None, training: bool, momentum: float, eps: float,
    cudnn_enabled: bool = True,
) -> Tensor:  # fmt: skip
    """Each channel (dimension 1) brought to mean 0 and variance 1, times `weight`, plus `bias`.

    input: (B, C, ...). training: with the statistics of this batch, which also move the running
    ones by the part `momentum` of the way (the variance divided by n - 1); else with the running
    ones. Ioffe & Szegedy 2015.

    Raises RuntimeError if a parameter has not C elements or another dtype than the input, or if
    statistics are missing."""
    check_tensors("batch_norm", input=input)
    _check_channels(input._array, weight, bias, running_mean, running_var, training)
    if training and (running_mean is None) != (running_var is None):
        raise ValueError("running_mean and running_var must either both be None or neither be None")
    array = input._array
    if not array.size:
        out = input.clone()
        out = out if weight is None else out * weight[0]
        return out if bias is None else out + bias[0]
    return native_batch_norm(
        input, weight, bias, running_mean, running_var, training, momentum, eps
    )[0]


def native_batch_norm(
    input: Tensor, weight: Tensor | None, bias: Tensor | None, running_mean: Tensor | None,
    running_var: Tensor | None, training: bool, momentum: float, eps: float, *, out: Any = None,
) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
    """`batch_norm`; the batch's mean and 1 / deviation (empty, if the running ones were used)."""
    if out is not None:
        return into(
            out,
            native_batch_norm,
            input,
            weight,
            bias,
            running_mean,
            running_var,
            training,
            momentum,
            eps,
            exact=True,
        )
    array = input._array
    floats_only("batch_norm", array)
    check_dtypes(array, weight, bias, running_mean, running_var)
    layout = channels_of(array.shape[0], array.shape[1], math.prod(array.shape[2:]))
    parameters = gathered(input, weight, bias)
    kept: list[Any] = [None if t is None else t._array for t in (running_mean, running_var)]
    if training:
        running = (*kept, momentum)
        out, mean, rstd = _batch_norm(parameters, input, weight, layout, eps, running)
        return alone(out), statistic(mean, array), statistic(rstd, array)
    wide = computed(kept[0]).dtype
    rstd = wrap((1 / np.sqrt(kept[1].astype(WIDE) + eps)).astype(wide))
    out = _batch_norm_fixed(parameters, input, weight, layout, running_mean, rstd)
    none = either.empty(0, array, wide)
    return out, wrap(none), wrap(none)


def _check_channels(
    input: Array, weight: Any, bias: Any, running_mean: Any, running_var: Any, training: bool
) -> None:
    features = input.shape[1] if input.ndim > 1 else 0
    given = {
        "running_mean": running_mean, "running_var": running_var, "weight": weight, "bias": bias,
    }  # fmt: skip
    for name, tensor in given.items():
        if tensor is None:
            if name.startswith("running") and not training:
                raise RuntimeError(f"{name} must be defined in evaluation mode")
        elif tensor._array.size != features:
            raise RuntimeError(
                f"{name} should contain {features} elements not {tensor._array.size}"
            )
    for name in ("running_mean", "running_var"):
        if given[name] is not None and given[name].requires_grad:
            raise RuntimeError(
                f"The function 'native_batch_norm' is not differentiable with respect to argument "
                f"'{name}'. This input cannot have requires_grad True."
            )


# --- instance normalisation ----------------------------------------------------------------------


def instance_norm(
    input: Tensor, weight: Tensor | None, bias: Tensor | None, running_mean: Tensor | None,
    running_var: Tensor | None, use_input_stats: bool, momentum: float, eps: float,
    cudnn_enabled: bool = True,
) -> Tensor:  # fmt: skip
    """Each channel of each sample of (B, C, ...) brought to mean 0 and variance 1, times `weight`
    (C,), plus `bias` (C,); the running statistics follow the mean of the samples' ones.
    Ulyanov, Vedaldi & Lempitsky 2016."""
    check_tensors("instance_norm", input=input)
    if not use_input_stats and (running_mean is None or running_var is None):
        raise RuntimeError(
            "Expected running_mean and running_var to be defined when use_input_stats is false"
        )
    shape = tuple(input.shape)
    batch, channels = shape[:2]
    repeated = [
        None if t is None else t.repeat(batch) for t in (weight, bias, running_mean, running_var)
    ]
    seen = input.contiguous().view(1, batch * channels, *shape[2:])
    w, b, mean, var = repeated
    out = batch_norm(seen, w, b, mean, var, use_input_stats, momentum, eps, cudnn_enabled)
    if use_input_stats:
        for kept, each in ((running_mean, mean), (running_var, var)):
            if kept is not None and each is not None:
                kept._array[...] = each._array.reshape(batch, channels).mean(0)
                kept._bump_version()
    return out.view(shape)
