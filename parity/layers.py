"""The unit of rounding in an LSTM's layer, which is one operation with one node.

What its gates hold at each step is not seen from outside. Each is a sigmoid or tanh, with a slope
of at most 1, of a sum of products, so the results are measured in ULPs of the largest such sum (of
magnitudes), times sqrt(k) for k steps. The gradients are sums over all steps and samples, which
cancel once the network has learned: their terms come from minigrad's own backward pass, run once
more on magnitudes. All its factors are then positive, so nothing cancels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.ops.recurrent import layer_backward_array

from .products import unit

if TYPE_CHECKING:
    from .record import Arrays, Side

LAYERS = frozenset({"lstm"})
NODES = frozenset({"MkldnnRnnLayerBackward0"})


def result_units(side: Side, args: Any, results: Any) -> Arrays:
    """Of the outputs and the last states."""
    output, state = results[:2]  # (steps * batch, hidden) in some shape; one for each layer
    steps = output.numel() // state[0].numel()
    largest = _largest_sum(side, args)
    return tuple(unit(np.full_like(side.values(r), largest), steps) for r in results)


def _largest_sum(side: Side, args: Any) -> float:
    """The largest |input| @ |weight_ih|.T + |weight_hh|.T in the first layer: a state is within 1."""
    input, _, weights = args[:3]
    of_input, of_state = (np.abs(side.values(weight)) for weight in weights[:2])
    terms = np.abs(side.values(input)) @ of_input.T + of_state.sum(axis=1)
    return float(terms.max())


def gradient_units(side: Side, node: Any, grad_outputs: Any) -> Arrays:
    """Of the gradients of input, weights, biases and first states."""
    if not hasattr(node, "_saved_sizes"):
        return ()  # PyTorch keeps them elsewhere

    def sizes(tensors: Any) -> list[Any]:
        return [None if t is None else np.abs(side.values(t)) for t in tensors]

    kept = sizes([node._saved_result, node._saved_result3, node._saved_result4])
    tensors = sizes(node._saved_tensors)
    steps, needs = node._saved_sizes, [True] * len(tensors)
    terms = layer_backward_array(
        "LSTM", sizes(grad_outputs), tensors, steps, node._saved_reverse, kept, needs
    )
    return tuple(unit(term) for term in terms)
