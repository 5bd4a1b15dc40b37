"""What a result is measured in, where that is not its own ULP: one table of the operations.

`products.py` has the matrix products, `convolutions.py` the convolutions, `cancelling.py` what
subtracts. `compare.py` says why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import cancelling, convolutions, products

if TYPE_CHECKING:
    from .record import Arrays, Side


def result_units(side: Side, name: str, args: Any, kwargs: Any) -> Arrays:
    """The units of an operation's result; nothing for most operations."""
    if name in products.PRODUCTS:
        return products.product_units(side, name, args, kwargs)
    if name in convolutions.CONVOLUTIONS:
        return convolutions.result_units(side, name, args, kwargs)
    if name in cancelling.RESULTS:
        return (cancelling.RESULTS[name](side, *args, **kwargs),)
    return ()


def gradient_units(side: Side, node: Any, grad_inputs: Any, grad_outputs: Any) -> Arrays:
    """The units of the gradients that a node hands on; nothing for most nodes."""
    name = node.name()
    if not grad_outputs or grad_outputs[0] is None:
        return ()
    if name in products.SAVED:
        return products.gradient_units(side, node, grad_inputs, grad_outputs)
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
