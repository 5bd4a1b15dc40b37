"""The layers and losses, one file for each family, named as PyTorch names them.

Read `module.py` first, with its parts `registry.py`, `attributes.py` and `state_dict.py`; then
`linear.py` and `container.py`.
"""

from .activation import ReLU, Sigmoid, Tanh
from .container import ModuleDict, ModuleList, Sequential
from .flatten import Flatten
from .linear import Identity, Linear
from .loss import MSELoss
from .module import Module

__all__ = [
    "Flatten", "Identity", "Linear", "MSELoss", "Module", "ModuleDict", "ModuleList", "ReLU",
    "Sequential", "Sigmoid", "Tanh",
]  # fmt: skip
