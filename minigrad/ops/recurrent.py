"""Recurrent layers: one row of the table runs a layer over all steps, in one direction.

A step of a recurrent layer takes the state that the step before has left. What needs no state, the
product of all inputs with `weight_ih`, is one product of matrices for all steps; so are, in the
backward pass, the gradients of the weights. Only what is left is a loop over the steps, on arrays
that are allocated once. For N = all steps of all sequences together, `gates` (N, 4 hidden) and the
like hold what the loop computed.

Sequences may be packed: the rows of a step are those sequences that are so long, and longer ones
come first. `sizes` says how many they are; a plain (steps, batch, features) input is the case that
all are of one size. The state always has a row for every sequence, of which a step changes
the first ones: so what stands there at the end is each sequence's last state.

The second derivative goes through the steps one by one (`recurrent_cells.py`).
The formulas are those of Hochreiter & Schmidhuber 1997 with the forget gate of Gers et al. 2000
(LSTM), and of Cho et al. 2014 in the form of cuDNN, where the reset gate comes after the product
with the state (GRU).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from .. import either
from ..autograd.row import op

Array = Any


def spans(sizes: Sequence[int], reverse: bool) -> list[tuple[int, int, int]]:
    """For each step in the order of time: its first row, the row after its last, their number."""
    out = []
    start = 0
    for size in sizes:
        out.append((start, start + size, size))
        start += size
    return out[::-1] if reverse else out


class _Gradients(NamedTuple):
    """What the loop backward in time leaves: gradients of both products and of the first state."""

    projected: Array  # (N, gates * hidden): of `input @ weight_ih.T + bias_ih`
    recurrent: Array  # the same of `state @ weight_hh.T + bias_hh`; mostly the same array
    before: Array  # the state before each step, (N, hidden): no gradient, but what they need
    states: Sequence[Array]  # of `hx`, and of `cx`


def layer_backward_array(
    name: str, grads: Any, tensors: Any, sizes: Any, reverse: bool, kept: Any, needs: Any
) -> list[Any]:
    """The gradients of a layer's `input, weight_ih, weight_hh, bias_ih, bias_hh, hx` (and `cx`).

    grads: of the outputs, the last state (and the last cell state); None for zero.
    kept: the outputs, and what else the loop computed."""
    input, weight_ih = tensors[:2]
    back = _LOOPS[name](grads, tensors, sizes, reverse, kept)
    outer = back.projected.T
    out = [
        (back.projected.dot(weight_ih)).reshape(input.shape) if needs[0] else None,
        outer.dot(_rows(input)) if needs[1] else None,
        back.recurrent.T.dot(back.before) if needs[2] else None,
        np.add.reduce(back.projected, 0) if needs[3] else None,
        np.add.reduce(back.recurrent, 0) if needs[4] else None,
        *(state if need else None for state, need in zip(back.states, needs[5:], strict=True)),
    ]
    if out[3] is not None and back.recurrent is back.projected:
        out[4] = out[3].copy()
    return out


def _projected(tensors: Sequence[Array], *biases: Array) -> Array:
    """The products of all inputs with `weight_ih`, and the biases: (N, gates * hidden)."""
    input, weight_ih = tensors[:2]
    out = _rows(input).dot(weight_ih.T)
    for bias in biases:
        out += bias
    return out


def _sigmoid_(array: Array) -> None:
    """1 / (1 + exp(-x)) in place."""
    np.negative(array, out=array)
    np.exp(array, out=array)
    array += 1
    np.reciprocal(array, out=array)


def _outputs(input: Array, rows: Array) -> Array:
    """The rows of all steps in the shape of the input."""
    return rows.reshape(*input.shape[:-1], rows.shape[-1])


# -- LSTM ----------------------------------------------------------------------------------------


@op(
    "MkldnnRnnLayerBackward0",
    tensors=lambda grads, tensors, sizes, reverse, result, result3, result4, needs, xp: (
        xp.layer_backward("LSTM", grads, tensors, sizes, reverse, (result, result3, result4), needs)
    ),
)
def lstm_layer(tensors: list[Array], sizes: Sequence[int], reverse: bool) -> tuple[Array, ...]:
    """`tensors`: input, weight_ih (4 hidden, features), weight_hh, bias_ih, bias_hh, hx, cx.

    Results: the outputs, the last state, the last cell state; and for the backward pass the gates
    i f g o, and the cell states after each step."""
    input, _, weight_hh, bias_ih, bias_hh, hx, cx = tensors
    gates = _projected(tensors, bias_ih + bias_hh)
    hidden = weight_hh.shape[1]
    outputs, cells = (either.empty((len(gates), hidden), gates) for _ in range(2))
    h, c, weight = hx.copy(), cx.copy(), either.contiguous(weight_hh.T)
    product, part = either.empty((len(hx), 4 * hidden), gates), np.empty_like(h)
    with np.errstate(over="ignore"):  # exp(-x) may be infinite: its reciprocal is 0, as it should
        for start, stop, n in spans(sizes, reverse):
            step, new = gates[start:stop], part[:n]  # (n, 4 hidden), (n, hidden)
            step += np.matmul(h[:n], weight, out=product[:n])
            np.tanh(step[:, 2 * hidden : 3 * hidden], out=new)
            _sigmoid_(step)
            step[:, 2 * hidden : 3 * hidden] = new
            c[:n] *= step[:, hidden : 2 * hidden]
            new *= step[:, :hidden]
            c[:n] += new
            cells[start:stop] = c[:n]
            np.tanh(c[:n], out=new)
            np.multiply(step[:, 3 * hidden :], new, out=h[:n])
            outputs[start:stop] = h[:n]
    return _outputs(input, outputs), h, c, gates, cells


def _lstm_loop(grads: Any, tensors: Any, sizes: Any, reverse: bool, kept: Any) -> _Gradients:
    """h = o tanh(c), c = f c_before + i g: the local derivatives of all steps at once, then the loop."""
    weight_hh, hx, cx = tensors[2], tensors[5], tensors[6]
    outputs, gates, cells = kept
    hidden = hx.shape[1]
    gates = gates.reshape(-1, 4, hidden)
    i, f, g, o = (gates[:, k] for k in range(4))
    # One block for all: the system gives and takes memory of its size, and page faults are dear.
    block = either.empty((7, len(gates), hidden), gates)
    slopes = block[:4].reshape(gates.shape)  # turned into the gradients of the gates step by step
    tanh_cells = np.tanh(cells, out=block[4])
    to_cell = _one_minus_square(tanh_cells, block[5])
    to_cell *= o
    _one_minus_square(g, block[6])
    block[6] *= i
    np.subtract(1, gates, out=slopes)
    slopes *= gates
    slopes[:, 0] *= g
    slopes[:, 1] *= _before(cells, cx, sizes, reverse)
    slopes[:, 2] = block[6]
    slopes[:, 3] *= tanh_cells
    dh, dc = _started(grads[1], hx), _started(grads[2], cx)
    part = np.empty_like(dh)
    flat = slopes.reshape(-1, 4 * hidden)
    for start, stop, n in spans(sizes, not reverse):
        _add_rows(dh, grads[0], start, stop)
        dc[:n] += np.multiply(dh[:n], to_cell[start:stop], out=part[:n])
        slopes[start:stop, :3] *= dc[:n, None]
        slopes[start:stop, 3] *= dh[:n]
        dc[:n] *= f[start:stop]
        np.matmul(flat[start:stop], weight_hh, out=dh[:n])
    return _Gradients(flat, flat, _before(_rows(outputs), hx, sizes, reverse), (dh, dc))


# -- GRU -----------------------------------------------------------------------------------------


@op(
    "GruLayerBackward0",
    tensors=lambda grads, tensors, sizes, reverse, result, result2, result3, needs, xp: (
        xp.layer_backward("GRU", grads, tensors, sizes, reverse, (result, result2, result3), needs)
    ),
)
def gru_layer(tensors: list[Array], sizes: Sequence[int], reverse: bool) -> tuple[Array, ...]:
    """`tensors`: input, weight_ih (3 hidden, features), weight_hh, bias_ih, bias_hh, hx.

    Results: the outputs, the last state; and for the backward pass the gates r z n, and the
    products with the state that r is multiplied with (N, hidden)."""
    input, _, weight_hh, bias_ih, bias_hh, hx = tensors
    gates = _projected(tensors, bias_ih)
    hidden = weight_hh.shape[1]
    outputs, inner = (either.empty((len(gates), hidden), gates) for _ in range(2))
    h, weight = hx.copy(), either.contiguous(weight_hh.T)
    product = either.empty((len(hx), 3 * hidden), gates)
    with np.errstate(over="ignore"):
        for start, stop, n in spans(sizes, reverse):
            step, recurrent = gates[start:stop], product[:n]  # (n, 3 hidden)
            np.matmul(h[:n], weight, out=recurrent)
            recurrent += bias_hh
            inner[start:stop] = recurrent[:, 2 * hidden :]
            step[:, : 2 * hidden] += recurrent[:, : 2 * hidden]
            _sigmoid_(step[:, : 2 * hidden])
            new = step[:, 2 * hidden :]
            new += step[:, :hidden] * inner[start:stop]
            np.tanh(new, out=new)
            h[:n] -= new
            h[:n] *= step[:, hidden : 2 * hidden]
            h[:n] += new
            outputs[start:stop] = h[:n]
    return _outputs(input, outputs), h, gates, inner


def _gru_loop(grads: Any, tensors: Any, sizes: Any, reverse: bool, kept: Any) -> _Gradients:
    """h = n + z (h_before - n), n = tanh(projected + r inner)."""
    weight_hh, hx = tensors[2], tensors[5]
    outputs, gates, inner = kept
    states = _before(_rows(outputs), hx, sizes, reverse)
    hidden = hx.shape[1]
    gates = gates.reshape(-1, 3, hidden)
    r, z, new = (gates[:, k] for k in range(3))
    slopes = np.empty_like(gates)  # (N, 3, hidden), as in the LSTM
    slopes[:, 2] = _one_minus_square(new) * (1 - z)
    slopes[:, 0] = slopes[:, 2] * inner * r * (1 - r)
    slopes[:, 1] = (states - new) * z * (1 - z)
    dh = _started(grads[1], hx)
    recurrent = slopes.copy()
    recurrent[:, 2] *= r
    flat = recurrent.reshape(-1, 3 * hidden)
    for start, stop, n in spans(sizes, not reverse):
        _add_rows(dh, grads[0], start, stop)
        slopes[start:stop] *= dh[:n, None]
        recurrent[start:stop] *= dh[:n, None]
        dh[:n] *= z[start:stop]
        dh[:n] += flat[start:stop].dot(weight_hh)
    return _Gradients(slopes.reshape(-1, 3 * hidden), flat, states, (dh,))


# -- The plain layer -----------------------------------------------------------------------------


@op(
    "RnnLayerBackward0",
    tensors=lambda grads, tensors, sizes, reverse, result, needs, xp: xp.layer_backward(
        "RNN_TANH", grads, tensors, sizes, reverse, (result,), needs
    ),
)
def rnn_tanh_layer(tensors: list[Array], sizes: Sequence[int], reverse: bool) -> tuple[Array, ...]:
    """`tensors`: input, weight_ih (hidden, features), weight_hh, bias_ih, bias_hh, hx.

    Results: the outputs and the last state."""
    return _plain_layer(tensors, sizes, reverse, np.tanh)


@op(
    "RnnLayerBackward0",
    tensors=lambda grads, tensors, sizes, reverse, result, needs, xp: xp.layer_backward(
        "RNN_RELU", grads, tensors, sizes, reverse, (result,), needs
    ),
)
def rnn_relu_layer(tensors: list[Array], sizes: Sequence[int], reverse: bool) -> tuple[Array, ...]:
    """The same as `rnn_tanh_layer` with max(x, 0) in place of tanh."""
    return _plain_layer(tensors, sizes, reverse, lambda x, out: np.maximum(x, 0, out=out))


def _plain_layer(
    tensors: list[Array], sizes: Sequence[int], reverse: bool, activation: Any
) -> tuple[Array, ...]:
    input, _, weight_hh, bias_ih, bias_hh, hx = tensors
    outputs = _projected(tensors, bias_ih + bias_hh)
    h, weight = hx.copy(), either.contiguous(weight_hh.T)
    for start, stop, n in spans(sizes, reverse):
        step = outputs[start:stop]  # (n, hidden)
        step += h[:n].dot(weight)
        activation(step, out=step)
        h[:n] = step
    return _outputs(input, outputs), h


def _tanh_loop(grads: Any, tensors: Any, sizes: Any, reverse: bool, kept: Any) -> _Gradients:
    outputs = _rows(kept[0])
    return _plain_loop(grads, tensors, sizes, reverse, outputs, _one_minus_square(outputs))


def _relu_loop(grads: Any, tensors: Any, sizes: Any, reverse: bool, kept: Any) -> _Gradients:
    outputs = _rows(kept[0])
    slopes = (outputs > 0).astype(outputs.dtype)
    return _plain_loop(grads, tensors, sizes, reverse, outputs, slopes)


def _plain_loop(
    grads: Any, tensors: Any, sizes: Any, reverse: bool, outputs: Array, slopes: Array
) -> _Gradients:
    """`slopes` (N, hidden): the activation's derivative at each step."""
    weight_hh, hx = tensors[2], tensors[5]
    dh = _started(grads[1], hx)
    for start, stop, n in spans(sizes, not reverse):
        _add_rows(dh, grads[0], start, stop)
        slopes[start:stop] *= dh[:n]
        np.matmul(slopes[start:stop], weight_hh, out=dh[:n])
    return _Gradients(slopes, slopes, _before(outputs, hx, sizes, reverse), (dh,))


# -- Parts of the loops --------------------------------------------------------------------------


def _one_minus_square(array: Array, out: Array | None = None) -> Array:
    out = np.multiply(array, array, out=out)
    return np.subtract(1, out, out=out)


def _rows(array: Array) -> Array:
    """All steps of all sequences, one below the other: (N, features)."""
    return array.reshape(-1, array.shape[-1])


def _before(after: Array, first: Array, sizes: Sequence[int], reverse: bool) -> Array:
    """From the states after each step, (N, hidden), those before it."""
    if len(set(sizes)) == 1:
        n = len(first)
        return np.concatenate([after[n:], first] if reverse else [first, after[:-n]])
    out = np.empty_like(after)
    state = first.copy()
    for start, stop, n in spans(sizes, reverse):
        out[start:stop] = state[:n]
        state[:n] = after[start:stop]
    return out


def _started(grad: Array | None, like: Array) -> Array:
    """The gradient of a last state, where the loop starts: one that it may write into."""
    return np.zeros_like(like) if grad is None else grad.copy()


def _add_rows(dh: Array, grad: Array | None, start: int, stop: int) -> None:
    """A step's output is its state: both gradients come together."""
    if grad is not None:
        dh[: stop - start] += _rows(grad)[start:stop]


_LOOPS = {
    "LSTM": _lstm_loop, "GRU": _gru_loop, "RNN_TANH": _tanh_loop, "RNN_RELU": _relu_loop,
}  # fmt: skip
LAYERS = {
    "LSTM": lstm_layer, "GRU": gru_layer, "RNN_TANH": rnn_tanh_layer, "RNN_RELU": rnn_relu_layer,
}  # fmt: skip
