"""What a result is measured in, where that is not its own ULP: one table of the operations.

`products.py` has the matrix products, `convolutions.py` the convolutions, `cancelling.py` what
subtracts. `compare.py` says why.

An LSTM's layer is one operation with one node, and what its gates hold at each step is not seen.
Its results are products of products: they are measured in ULPs of the largest value in the array,
the usual measure of an algorithm whose steps are not looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from . import cancelling, convolutions, products

if TYPE_CHECKING:
    from .record import Arrays, Side


LAYERS = frozenset({"lstm"})
LAYER_NODES = frozenset({"MkldnnRnnLayerBackward0"})


def result_units(side: Side, name: str, args: Any, kwargs: Any, results: Any) -> Arrays:
    """The units of an operation's results; nothing for most operations."""
    if name in products.PRODUCTS:
        return products.product_units(side, name, args, kwargs)
    if name in convolutions.CONVOLUTIONS:
        return convolutions.result_units(side, name, args, kwargs)
    if name in cancelling.RESULTS:
        return (cancelling.RESULTS[name](side, *args, **kwargs),)
    if name in LAYERS:
        return tuple(_of_the_largest(side, result) for result in results)
    return ()


def gradient_units(side: Side, node: Any, grad_inputs: Any, grad_outputs: Any) -> Arrays:
    """The units of the gradients that a node hands on; nothing for most nodes."""
    name = node.name()
    if not grad_outputs or grad_outputs[0] is None:
        return ()
    if name in products.SAVED:
        return products.gradient_units(side, node, grad_inputs, grad_outputs)
    if name in LAYER_NODES:
        return tuple(_of_the_largest(side, gradient) for gradient in grad_inputs)
    grad = abs(side.values(grad_outputs[0]))
    if name in convolutions.NODES:
        units = convolutions.gradient_units(side, node, grad)
    elif name in cancelling.GRADIENTS:
        units = cancelling.GRADIENTS[name](side, node, grad)
    else:
        return ()
    return tuple(
        None if g is None else u for g, u in zip(grad_inputs, (*units, None, None, None))  # noqa: B905
    )


def _of_the_largest(side: Side, tensor: Any) -> Any:
    if tensor is None:
        return None
    values = np.abs(side.values(tensor))
    return products.unit(np.full_like(values, values.max(initial=0)))
