"""Dropout: elements, or whole channels, that a coin throws away while a network is trained.

What is kept is divided by the chance of being kept, so that the mean stays (Srivastava et al. 2014);
alpha dropout keeps mean and variance of what `selu` yields (Klambauer et al. 2017). The coins are
`bernoulli_(1 - p)` of PyTorch's generator, one float64 uniform number each: the same seed gives the
same masks.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import either
from ..autograd import node as graph
from ..autograd.node import wrap
from ..autograd.row import op
from ..dtypes import BOOL, scalar_name
from ..promotion import not_a_tensor
from .arithmetic import add, add_, mul, mul_
from .sampling import _trials
from .summation import empty_as

Array = Any
Tensor = Any
SELU_LIMIT = 1.7580993408473766  # scale * alpha of `selu`: what it tends to, with a minus


def _dropped(
    name: str, input: Any, p: float, train: bool, feature: bool, alpha: bool, inplace: bool
) -> Tensor:
    """All six functions; `feature`: one coin for each of the first two dimensions' places."""
    if not isinstance(input, graph.Tensor):
        raise not_a_tensor(name, "input", 1, input)
    if not 0 <= p <= 1:
        raise RuntimeError(f"dropout probability has to be between 0 and 1, but got {p:g}")
    array = input._array
    if p == 0 or not train or not array.size:
        return input
    times, plus = (mul_, add_) if inplace else (mul, add)
    if p == 1:
        return times(input, wrap(either.zeros((), array)))
    if array.dtype.kind != "f":
        kind = scalar_name(array.dtype)
        raise RuntimeError(f"result type Float can't be cast to the desired output type {kind}")
    coins = _trials(_one_per_channel(array) if feature else array, 1 - p, None)
    if not alpha:
        coins /= 1 - p
        return times(input, wrap(coins))
    a = 1 / math.sqrt((SELU_LIMIT**2 * p + 1) * (1 - p))
    shift = (coins - 1) * (SELU_LIMIT * a) + SELU_LIMIT * a * p
    return plus(times(input, wrap(coins * a)), wrap(shift))


def _one_per_channel(array: Array) -> Array:
    if array.ndim < 2:
        raise RuntimeError("Feature dropout requires at least 2 dimensions in the input")
    return either.empty((*array.shape[:2], *(1,) * (array.ndim - 2)), array)


def dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """Each element 0 with probability `p`, else divided by 1 - p; `input` itself unless `train`.

    RuntimeError unless 0 <= p <= 1, and for integers."""
    return _dropped("dropout", input, p, train, False, False, False)


def dropout_(input: Tensor, p: float, train: bool) -> Tensor:
    """`dropout` in place."""
    return _dropped("dropout_", input, p, train, False, False, True)


def feature_dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """`dropout` of whole channels: (B, C, ...), one coin for each of B x C."""
    return _dropped("feature_dropout", input, p, train, True, False, False)


def feature_dropout_(input: Tensor, p: float, train: bool) -> Tensor:
    """`feature_dropout` in place."""
    return _dropped("feature_dropout_", input, p, train, True, False, True)


def alpha_dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """Each element the limit of `selu` with probability `p`; then scaled and shifted, so that
    numbers of mean 0 and variance 1 stay such."""
    return _dropped("alpha_dropout", input, p, train, False, True, False)


def alpha_dropout_(input: Tensor, p: float, train: bool) -> Tensor:
    """`alpha_dropout` in place."""
    return _dropped("alpha_dropout_", input, p, train, False, True, True)


def feature_alpha_dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """`alpha_dropout` of whole channels."""
    return _dropped("feature_alpha_dropout", input, p, train, True, True, False)


def feature_alpha_dropout_(input: Tensor, p: float, train: bool) -> Tensor:
    """`feature_alpha_dropout` in place."""
    return _dropped("feature_alpha_dropout_", input, p, train, True, True, True)


@op("NativeDropoutBackward0", input=lambda grad, coins, scale: grad * (coins * scale))
def _native_dropout(input: Array, coins: Array, scale: float) -> Array:
    return input * coins * input.dtype.type(scale)


def native_dropout(input: Tensor, p: float, train: bool | None) -> tuple[Tensor, Tensor]:
    """`dropout`, and its mask: True where an element was kept (floats if there is no element).
    `train=None` means True."""
    array = input._array
    if array.dtype.kind != "f":
        kind = scalar_name(array.dtype)
        raise RuntimeError(f"result type Float can't be cast to the desired output type {kind}")
    if train is False or not array.size:
        coins, scale = np.ones_like(array, BOOL if array.size else array.dtype), 1.0
    else:
        coins = _trials(empty_as(array, BOOL), 1 - p, None)
        scale = 0.0 if p == 1 else 1 / (1 - p)
    mask = wrap(coins)
    return _native_dropout(input, mask, scale), mask
