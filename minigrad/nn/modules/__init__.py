"""The layers and losses, one file for each family, named as PyTorch names them.

Read `module.py` first, with its parts `registry.py`, `attributes.py` and `state_dict.py`; then
`linear.py` and `container.py`.
"""

from .activation import ReLU, Sigmoid, Tanh
from .container import ModuleDict, ModuleList, Sequential
from .flatten import Flatten
from .linear import Bilinear, Identity, LazyLinear, Linear
from .loss import MSELoss
from .module import Module
from .padding import (
    CircularPad1d,
    CircularPad2d,
    CircularPad3d,
    ConstantPad1d,
    ConstantPad2d,
    ConstantPad3d,
    ReflectionPad1d,
    ReflectionPad2d,
    ReflectionPad3d,
    ReplicationPad1d,
    ReplicationPad2d,
    ReplicationPad3d,
    ZeroPad1d,
    ZeroPad2d,
    ZeroPad3d,
)
from .rnn import GRU, LSTM, RNN, GRUCell, LSTMCell, RNNBase, RNNCell, RNNCellBase

__all__ = [
    "Bilinear", "CircularPad1d", "CircularPad2d", "CircularPad3d", "ConstantPad1d",
    "ConstantPad2d", "ConstantPad3d", "Flatten", "GRU", "GRUCell", "Identity", "LSTM",
    "LSTMCell", "LazyLinear", "Linear", "MSELoss", "Module", "ModuleDict", "ModuleList", "RNN",
    "RNNBase", "RNNCell", "RNNCellBase", "ReLU", "ReflectionPad1d", "ReflectionPad2d",
    "ReflectionPad3d", "ReplicationPad1d", "ReplicationPad2d", "ReplicationPad3d", "Sequential",
    "Sigmoid", "Tanh", "ZeroPad1d", "ZeroPad2d", "ZeroPad3d",
]  # fmt: skip
