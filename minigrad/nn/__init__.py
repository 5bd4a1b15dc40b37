"""Modules: layers with parameters, and what is made of them.

Read `module.py` first, with its parts `registry.py`, `attributes.py` and `state_dict.py`; then
`parameter.py`, `init.py` (initial values), `linear.py` and `container.py`. The functions without
parameters are in `functional.py`; `activation.py`, `flatten.py` and `loss.py` wrap them.
"""

from . import functional, init, parameter
from .activation import ReLU, Sigmoid, Tanh
from .container import ModuleDict, ModuleList, Sequential
from .flatten import Flatten
from .linear import Identity, Linear
from .loss import MSELoss
from .module import Module
from .parameter import Buffer, Parameter

__all__ = [
    "Buffer",
    "Flatten",
    "Identity",
    "Linear",
    "MSELoss",
    "Module",
    "ModuleDict",
    "ModuleList",
    "Parameter",
    "ReLU",
    "Sequential",
    "Sigmoid",
    "Tanh",
    "functional",
    "init",
    "parameter",
]
