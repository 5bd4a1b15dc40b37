"""Optimizers: they change parameters by the gradients that `backward()` left in `.grad`.

`optimizer.py` is what all have in common (groups, state, hooks, saving); then one file for each
rule, which reads like the formula; `arithmetic.py` holds the roundings they need.
"""

from .optimizer import Optimizer
from .sgd import SGD

__all__ = ["SGD", "Optimizer"]
