"""Modules: layers with parameters, and what is made of them.

Read `modules/module.py` first, then `parameter.py`, `init.py` (initial values) and the layers in
`modules/`. The functions without parameters are in `functional/`, helpers in `utils/`.
"""

from . import functional, init, modules, parameter, utils
from .modules import (
    Flatten,
    Identity,
    Linear,
    Module,
    ModuleDict,
    ModuleList,
    MSELoss,
    ReLU,
    Sequential,
    Sigmoid,
    Tanh,
)
from .parameter import Buffer, Parameter

__all__ = [
    "Buffer", "Flatten", "Identity", "Linear", "MSELoss", "Module", "ModuleDict", "ModuleList",
    "Parameter", "ReLU", "Sequential", "Sigmoid", "Tanh", "functional", "init", "modules",
    "parameter", "utils",
]  # fmt: skip
