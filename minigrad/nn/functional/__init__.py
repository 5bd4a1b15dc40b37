"""The functions behind the modules, without state: `minigrad.nn.functional`, usually called F.

One file for each family. The mathematics and its gradients are in `minigrad.ops`; what is here
checks arguments as PyTorch's F does, and chooses the op.
"""

from ...ops import linear
from .activation import (
    celu,
    elu,
    gelu,
    hardshrink,
    hardsigmoid,
    hardswish,
    hardtanh,
    leaky_relu,
    log_softmax,
    logsigmoid,
    mish,
    relu,
    relu6,
    selu,
    sigmoid,
    silu,
    softmax,
    softmin,
    softplus,
    softshrink,
    softsign,
    tanh,
    tanhshrink,
    threshold,
)
from .loss import mse_loss
from .padding import pad

__all__ = [
    "celu", "elu", "gelu", "hardshrink", "hardsigmoid", "hardswish", "hardtanh", "leaky_relu",
    "linear", "log_softmax", "logsigmoid", "mish", "mse_loss", "pad", "relu", "relu6", "selu",
    "sigmoid", "silu", "softmax", "softmin", "softplus", "softshrink", "softsign", "tanh",
    "tanhshrink", "threshold",
]  # fmt: skip
