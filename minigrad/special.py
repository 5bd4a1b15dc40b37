"""`minigrad.special`: the mathematical functions under the names that PyTorch's `special` has."""

from __future__ import annotations

from .ops import (
    erf,
    erfc,
    erfinv,
    exp2,
    expm1,
    log1p,
    log_softmax,
    logit,
    logsumexp,
    sinc,
    softmax,
    xlogy,
)  # fmt: skip
from .ops import sigmoid as expit
from .ops import special_round as round

__all__ = [
    "erf", "erfc", "erfinv", "exp2", "expit", "expm1", "log1p", "log_softmax", "logit", "logsumexp",
    "round", "sinc", "softmax", "xlogy",
]  # fmt: skip
