"""Optimizers: they change parameters by the gradients that `backward()` left in `.grad`.

`optimizer.py` is what all have in common (groups, state, hooks, saving), `rule.py` what those have
that update each parameter by itself; then one file for each rule, which reads like the formula of
its paper; `arithmetic.py` holds the roundings they need. `lr_scheduler` changes learning rates
while a training runs, `swa_utils` averages parameters over it.
"""

from . import lr_scheduler, swa_utils
from .adadelta import Adadelta
from .adafactor import Adafactor
from .adagrad import Adagrad
from .adam import Adam
from .adamax import Adamax
from .adamw import AdamW
from .asgd import ASGD
from .lbfgs import LBFGS
from .muon import Muon
from .nadam import NAdam
from .optimizer import Optimizer
from .radam import RAdam
from .rmsprop import RMSprop
from .rprop import Rprop
from .sgd import SGD
from .sparse_adam import SparseAdam

__all__ = [
    "ASGD", "LBFGS", "SGD", "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "Muon",
    "NAdam", "Optimizer", "RAdam", "RMSprop", "Rprop", "SparseAdam", "lr_scheduler",
    "swa_utils",
]  # fmt: skip
