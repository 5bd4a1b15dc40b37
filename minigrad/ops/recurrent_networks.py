"""Stacks of recurrent layers: `lstm`, `gru`, `rnn_tanh`, `rnn_relu`.

Layer upon layer, each in one direction or in both, dropout between them. `params` holds the weights
of layer after layer, and within a layer of its directions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .dropout import dropout as drop
from .factories import zeros
from .indexing import select
from .pieces import cat, stack, unbind
from .recurrent import LAYERS
from .recurrent_cells import unrolled
from .shape import transpose

Tensor = Any


def lstm(input: Tensor, *args: Any) -> tuple[Tensor, Tensor, Tensor]:
    """The outputs of the last layer, and the last states h and c of all layers.

    `lstm(input, hx, params, has_biases, num_layers, dropout, train, bidirectional, batch_first)`,
    or for a packed sequence `lstm(data, batch_sizes, hx, params, has_biases, num_layers, dropout,
    train, bidirectional)`. `hx` is (h, c), both (layers * directions, batch, hidden)."""
    batch_sizes, hx, params, *options = _by_kind(args)
    if len(hx) != 2:
        raise RuntimeError("lstm expects two hidden states")
    output, h, c = _network("LSTM", input, batch_sizes, tuple(hx), params, *options)
    return output, h, c


def gru(input: Tensor, *args: Any) -> tuple[Tensor, Tensor]:
    """The outputs of the last layer and the last states of all; arguments as in `lstm`, but `hx`
    is one Tensor."""
    return _one_state("GRU", input, args)


def rnn_tanh(input: Tensor, *args: Any) -> tuple[Tensor, Tensor]:
    """`gru` with plain layers, tanh(x @ weight_ih.T + bias_ih + h @ weight_hh.T + bias_hh)."""
    return _one_state("RNN_TANH", input, args)


def rnn_relu(input: Tensor, *args: Any) -> tuple[Tensor, Tensor]:
    """`rnn_tanh` with max(x, 0) in place of tanh."""
    return _one_state("RNN_RELU", input, args)


def _one_state(name: str, input: Tensor, args: Any) -> tuple[Tensor, Tensor]:
    batch_sizes, hx, params, *options = _by_kind(args)
    output, h = _network(name, input, batch_sizes, (hx,), params, *options)
    return output, h


def _by_kind(args: tuple[Any, ...]) -> tuple[Any, ...]:
    """The arguments after the first with None as `batch_sizes` of a plain input, and without its
    `batch_first` for a packed one. What follows `params` tells the two kinds apart."""
    if isinstance(args[2], bool):
        return None, *args
    return *args, False


def _network(
    name: str, input: Tensor, batch_sizes: Any, states: tuple[Tensor, ...], params: Sequence[Any],
    has_biases: bool, num_layers: int, dropout: float, train: bool, bidirectional: bool,
    batch_first: bool,
) -> tuple[Tensor, ...]:  # fmt: skip
    if batch_first:
        input = transpose(input, 0, 1)
    sizes = _sizes(input, batch_sizes)
    directions = 2 if bidirectional else 1
    has_projection = name == "LSTM" and len(params) // (num_layers * directions) % 2 == 1
    count = (4 if has_biases else 2) + has_projection
    firsts = _first_states(states, name == "LSTM" and batch_sizes is None and not has_projection)
    lasts = []
    for layer in range(num_layers):
        outputs = []
        for at in range(layer * directions, (layer + 1) * directions):
            weights = _weights(params[at * count : (at + 1) * count], has_biases)
            reverse = at % directions == 1
            output, *last = _layer(name, input, weights, firsts[at], sizes, reverse)
            outputs.append(output)
            lasts.append(last)
        input = cat(outputs, -1) if bidirectional else outputs[0]
        if dropout and train and layer < num_layers - 1:
            input = drop(input, dropout, True)
    output = transpose(input, 0, 1) if batch_first else input
    return output, *[stack(each) for each in zip(*lasts, strict=True)]


def _sizes(input: Tensor, batch_sizes: Any) -> list[int]:
    """How many sequences each step has."""
    if batch_sizes is not None:
        return [int(n) for n in batch_sizes.tolist()]
    steps, batch = input._array.shape[:2]
    if not steps:
        raise RuntimeError("Expected sequence length to be larger than 0 in RNN")
    return [batch] * steps


def _first_states(states: Sequence[Tensor], by_select: bool) -> list[tuple[Tensor, ...]]:
    """For each layer and direction its states."""
    if by_select:  # PyTorch's layers of oneDNN take theirs so
        count = len(states[0]._array)
        return [tuple(select(s, 0, at) for s in states) for at in range(count)]
    return list(zip(*[unbind(s) for s in states], strict=True))


def _weights(params: Sequence[Any], has_biases: bool) -> tuple[Any, ...]:
    """weight_ih, weight_hh, bias_ih, bias_hh, weight_hr; None for those that are not there."""
    biases = tuple(params[2:4]) if has_biases else (None, None)
    rest = params[4:] if has_biases else params[2:]
    return *params[:2], *biases, rest[0] if rest else None


def _layer(
    name: str, input: Tensor, weights: Sequence[Any], states: Sequence[Tensor],
    sizes: Sequence[int], reverse: bool,
) -> Any:  # fmt: skip
    _same_dtypes(input, weights, states)
    *weights, weight_hr = weights
    if weight_hr is not None:
        return unrolled(name, [input, *weights, *states], sizes, reverse, weight_hr)
    rows, dtype = weights[0]._array.shape[0], weights[0].dtype
    tensors = [input, *[zeros(rows, dtype=dtype) if w is None else w for w in weights], *states]
    count = 2 + (name == "LSTM")  # what follows is kept for the backward pass: no results
    results = LAYERS[name](tensors, tuple(sizes), reverse)[:count]
    if results[0]._edge is not None:
        node = results[0]._edge[0]
        node.outputs = node.outputs[:count]
    return results


def _same_dtypes(input: Tensor, weights: Sequence[Any], states: Sequence[Tensor]) -> None:
    for tensor in (input, *states):
        if tensor._array.dtype is not weights[0]._array.dtype:
            raise RuntimeError(
                f"input and hidden states must have the dtype of the weights, {weights[0].dtype}, "
                f"but one has {tensor.dtype}"
            )
