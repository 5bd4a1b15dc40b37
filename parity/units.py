"""What a result is measured in, where that is not its own ULP: one table of the operations.

`products.py` has the matrix products, `convolutions.py` the convolutions, `cancelling.py` what
subtracts, `layers.py` an LSTM's layer. `compare.py` says why.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from . import cancelling, convolutions, layers, products

if TYPE_CHECKING:
    from .record import Arrays, Side


def result_units(side: Side, name: str, args: Any, kwargs: Any, results: Any) -> Arrays:
    """The units of an operation's results; nothing for most operations."""
    if name in products.PRODUCTS:
        return products.product_units(side, name, args, kwargs)
    if name in convolutions.CONVOLUTIONS:
        return convolutions.result_units(side, name, args, kwargs)
    if name in cancelling.RESULTS:
        return (cancelling.RESULTS[name](side, *args, **kwargs),)
    if name == "batch_norm":
        return cancelling.batch_norm(side, *args, **kwargs)
    if name in layers.LAYERS and isinstance(args[2], list | tuple):  # not of a packed sequence
        return layers.result_units(side, args, results)
    return ()


def gradient_units(side: Side, node: Any, grad_inputs: Any, grad_outputs: Any) -> Arrays:
    """The units of the gradients that a node hands on; nothing for most nodes."""
    name = node.name()
    if not grad_outputs or grad_outputs[0] is None:
        return ()
    if name in products.SAVED:
        return products.gradient_units(side, node, grad_inputs, grad_outputs)
    if name in layers.NODES:
        return layers.gradient_units(side, node, grad_outputs)
    grad = abs(side.values(grad_outputs[0]))
    if name in convolutions.NODES:
        units = convolutions.gradient_units(side, node, grad)
    elif name in cancelling.GRADIENTS:
        units = cancelling.GRADIENTS[name](side, node, grad)
    else:
        return ()
    return units


def step_units(side: Side, before: Sequence[Any], after: Sequence[Any]) -> Arrays:
    """Of what an optimizer writes: an old value and its change, which may cancel."""
    return tuple(
        _unit_of_change(old, side.values(new)) for old, new in zip(before, after, strict=True)
    )


def _unit_of_change(old: Any, new: Any) -> Any:
    if old is None or new.dtype.kind != "f":
        return None
    return products.unit(np.abs(old) + np.abs(new - old))
