"""One step of a recurrent layer as a composition of ops, and layers that are unrolled into steps.

The cells are what `nn.LSTMCell` and its like compute, with the graph that PyTorch records. Unrolled
over time they give a layer's gradients of any order: `layer_backward` is what the rows of
`recurrent.py` call when the backward pass is itself recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..autograd.grad_mode import enable_grad
from ..autograd.interface import grad
from .arithmetic import add, mul, sub
from .indexing import narrow
from .linalg import linear, matmul
from .pieces import cat, stack, unbind, unsafe_split
from .pointwise import relu, sigmoid, tanh
from .recurrent import spans
from .shape import t, view

Tensor = Any
States = tuple[Any, ...]  # the state, for an LSTM also the cell state: (batch, hidden) each
Step = Callable[..., States]


def _lstm_step(projected: Tensor, states: States, weight_hr: Tensor | None) -> States:
    """From both products (batch, 4 hidden) and the old states the new ones."""
    i, f, g, o = unsafe_split(projected, projected._array.shape[1] // 4, 1)
    i, f, g, o = sigmoid(i), sigmoid(f), tanh(g), sigmoid(o)
    c = add(mul(f, states[1]), mul(i, g))
    h = mul(o, tanh(c))
    return (h if weight_hr is None else matmul(h, t(weight_hr))), c


def _gru_step(projected: Tensor, recurrent: Tensor, states: States) -> States:
    hidden = projected._array.shape[1] // 3
    from_input = unsafe_split(projected, hidden, 1)
    from_state = unsafe_split(recurrent, hidden, 1)
    r = sigmoid(add(from_state[0], from_input[0]))
    z = sigmoid(add(from_state[1], from_input[1]))
    n = tanh(add(from_input[2], mul(from_state[2], r)))
    return (add(mul(sub(states[0], n), z), n),)


def _step(name: str, projected: Any, states: States, weights: Sequence[Any]) -> States:
    """A step of any kind; `projected()` gives the input times `weight_ih`.

    weights: weight_hh, bias_hh, and weight_hr (hidden, projected hidden) of an LSTM that has it."""
    weight_hh, bias_hh, weight_hr = weights
    if name == "GRU":
        from_input = projected()
        return _gru_step(from_input, linear(states[0], weight_hh, bias_hh), states)
    both = add(linear(states[0], weight_hh, bias_hh), projected())
    if name == "LSTM":
        return _lstm_step(both, states, weight_hr)
    return (tanh(both) if name == "RNN_TANH" else relu(both),)


# -- single steps --------------------------------------------------------------------------------


def lstm_cell(
    input: Tensor, hx: Sequence[Tensor], w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """One step of an LSTM: input (batch, features) and states `hx` = (h, c) of (batch, hidden).

    The weights have the rows of the gates i, f, g, o one below the other: (4 hidden, features) and
    (4 hidden, hidden). Returns the new h and c.
    Raises RuntimeError for sizes that do not fit."""
    if len(hx) != 2:
        raise RuntimeError("lstm_cell expects two hidden states")
    _check_cell(input, hx, w_ih, w_hh)
    h, c = _step("LSTM", lambda: linear(input, w_ih, b_ih), tuple(hx), (w_hh, b_hh, None))
    return h, c


def gru_cell(
    input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """One step of a GRU: the new state (batch, hidden). Gates r, z, n; otherwise as `lstm_cell`."""
    return _one_state("GRU", input, hx, w_ih, w_hh, b_ih, b_hh)


def rnn_tanh_cell(
    input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """tanh(hx @ w_hh.T + b_hh + input @ w_ih.T + b_ih): the new state (batch, hidden)."""
    return _one_state("RNN_TANH", input, hx, w_ih, w_hh, b_ih, b_hh)


def rnn_relu_cell(
    input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """`rnn_tanh_cell` with max(x, 0) in place of tanh."""
    return _one_state("RNN_RELU", input, hx, w_ih, w_hh, b_ih, b_hh)


def _one_state(
    name: str, input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Any, b_hh: Any
) -> Tensor:
    _check_cell(input, [hx], w_ih, w_hh)
    return _step(name, lambda: linear(input, w_ih, b_ih), (hx,), (w_hh, b_hh, None))[0]


def _check_cell(input: Tensor, states: Sequence[Tensor], w_ih: Tensor, w_hh: Tensor) -> None:
    batch, features = input._array.shape
    expected = w_ih._array.shape[1]
    if features != expected:
        raise RuntimeError(f"input has inconsistent input_size: got {features} expected {expected}")
    for number, state in enumerate(states):
        name, (rows, *hidden) = f"hidden{number}", state._array.shape
        if rows != batch:
            raise RuntimeError(f"Input batch size {batch} doesn't match {name} batch size {rows}")
        if hidden != [w_hh._array.shape[1]]:
            raise RuntimeError(
                f"{name} has inconsistent hidden_size: got {hidden[0]}, "
                f"expected {w_hh._array.shape[1]}"
            )


# -- whole layers, step by step ------------------------------------------------------------------


def unrolled(
    name: str, tensors: Sequence[Tensor], sizes: Sequence[int], reverse: bool,
    weight_hr: Tensor | None = None,
) -> tuple[Tensor, ...]:  # fmt: skip
    """The same as the layer's row, made of ops: the outputs, and the last state(s)."""
    input, weight_ih, weight_hh, bias_ih, bias_hh = tensors[:5]
    states = tuple(tensors[5:])
    projected = linear(input, weight_ih, bias_ih)
    is_packed = input._array.ndim == 2
    pieces = list(_pieces(projected, sizes) if is_packed else unbind(projected))
    outputs = []
    times = list(enumerate(spans(sizes, False)))
    for time, (_, _, n) in times[::-1] if reverse else times:
        piece = pieces[time]
        active = states if n == len(states[0]._array) else [narrow(s, 0, 0, n) for s in states]
        new = _step(name, lambda p=piece: p, tuple(active), (weight_hh, bias_hh, weight_hr))
        outputs.append(new[0])
        states = tuple(_with_new_rows(s, rows) for s, rows in zip(states, new, strict=True))
    if reverse:
        outputs.reverse()
    return cat(outputs) if is_packed else stack(outputs), *states


def _pieces(packed: Tensor, sizes: Sequence[int]) -> list[Tensor]:
    return [narrow(packed, 0, start, n) for start, _, n in spans(sizes, False)]


def _with_new_rows(state: Tensor, rows: Tensor) -> Tensor:
    """The state after a step: its first rows are new, those of sequences without this step stay."""
    n, total = len(rows._array), len(state._array)
    return rows if n == total else cat([rows, narrow(state, 0, n, total - n)])


def layer_backward(
    name: str, grads: Any, tensors: Any, sizes: Any, reverse: bool, kept: Any, needs: Any
) -> list[Any]:
    """`recurrent.layer_backward_array` on Tensors: runs the layer again, step by step, and leaves
    the graph of its backward pass behind."""
    with enable_grad():
        # Views, so that what one of them was computed from is not counted where another leads to.
        inputs = [
            view(x, x._array.shape) if need else x for x, need in zip(tensors, needs, strict=True)
        ]
        outputs = unrolled(name, inputs, sizes, reverse)
        given = [(o, g) for o, g in zip(outputs, grads, strict=False) if g is not None]
        wanted = [x for x, need in zip(inputs, needs, strict=True) if need]
        found = grad(
            [o for o, _ in given], wanted, [g for _, g in given], create_graph=True,
            allow_unused=True,
        )  # fmt: skip
    arrived = iter(found)
    return [next(arrived) if need else None for need in needs]
