"""Modules: layers with parameters, and what is made of them.

Read `modules/module.py` first, then `parameter.py`, `init.py` (initial values) and the layers in
`modules/`. The functions without parameters are in `functional/`, helpers in `utils/`.
"""

from . import functional, init, modules, parameter, utils
from .modules import (
    GRU,
    LSTM,
    RNN,
    Bilinear,
    CircularPad1d,
    CircularPad2d,
    CircularPad3d,
    ConstantPad1d,
    ConstantPad2d,
    ConstantPad3d,
    Flatten,
    GRUCell,
    Identity,
    LazyLinear,
    Linear,
    LSTMCell,
    Module,
    ModuleDict,
    ModuleList,
    MSELoss,
    ReflectionPad1d,
    ReflectionPad2d,
    ReflectionPad3d,
    ReLU,
    ReplicationPad1d,
    ReplicationPad2d,
    ReplicationPad3d,
    RNNBase,
    RNNCell,
    RNNCellBase,
    Sequential,
    Sigmoid,
    Tanh,
    ZeroPad1d,
    ZeroPad2d,
    ZeroPad3d,
)
from .parameter import Buffer, Parameter, UninitializedBuffer, UninitializedParameter

__all__ = [
    "Bilinear", "Buffer", "CircularPad1d", "CircularPad2d", "CircularPad3d", "ConstantPad1d",
    "ConstantPad2d", "ConstantPad3d", "Flatten", "GRU", "GRUCell", "Identity", "LSTM",
    "LSTMCell", "LazyLinear", "Linear", "MSELoss", "Module", "ModuleDict", "ModuleList",
    "Parameter", "RNN", "RNNBase", "RNNCell", "RNNCellBase", "ReLU", "ReflectionPad1d",
    "ReflectionPad2d", "ReflectionPad3d", "ReplicationPad1d", "ReplicationPad2d",
    "ReplicationPad3d", "Sequential", "Sigmoid", "Tanh", "UninitializedBuffer",
    "UninitializedParameter", "ZeroPad1d", "ZeroPad2d", "ZeroPad3d", "functional", "init",
    "modules", "parameter", "utils",
]  # fmt: skip
