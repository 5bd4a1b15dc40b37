"""Recurrent networks and their cells, and packed sequences, held against PyTorch's."""

import copy
import io
import warnings
from typing import Any

import numpy as np
import pytest
import torch as pytorch
from both import on_both
from oracle import reals, same

import minigrad

LIBRARIES = (pytorch, minigrad)


def networks(torch: Any, kind: str, dtype: Any, **options: Any) -> Any:
    """A network in both libraries starts with the same weights."""
    torch.manual_seed(3)
    nonlinearity = {"nonlinearity": "relu"} if kind == "RNN_RELU" else {}
    net = getattr(torch.nn, kind.partition("_")[0])(3, 4, **nonlinearity, **options)
    return net.to(dtype)


def as_numpy(value: Any) -> list[Any]:
    if isinstance(value, (tuple, list)):
        return [array for item in value for array in as_numpy(item)]
    return [] if value is None else [value.detach().numpy()]


def both(program: Any, rtol: float = 1e-10, atol: float = 1e-12) -> None:
    """Run `program(torch)` with both libraries; all Tensors that it returns must be close."""
    want, got = (as_numpy(program(torch)) for torch in LIBRARIES)
    assert len(want) == len(got) > 0
    for a, b in zip(want, got, strict=True):
        assert a.shape == b.shape
        assert a.dtype == b.dtype
        np.testing.assert_allclose(b, a, rtol=rtol, atol=atol)


def derivatives(torch: Any, outputs: Any, leaves: Any) -> Any:
    """First derivatives of a weighted sum of squares, then those of a weighted sum of them."""
    flat = [outputs[0], *(outputs[1] if isinstance(outputs[1], tuple) else [outputs[1]])]
    loss = sum((o * o * (k + 1)).sum() for k, o in enumerate(flat))
    first = torch.autograd.grad(loss, leaves, create_graph=True)
    slope = sum((g * g).sum() * (k + 1) for k, g in enumerate(first))
    return [*flat, *first, *torch.autograd.grad(slope, leaves)]


KINDS = ["LSTM", "GRU", "RNN", "RNN_RELU"]
OPTIONS = [
    {}, {"bias": False}, {"bidirectional": True}, {"num_layers": 2, "batch_first": True},
    {"num_layers": 2, "bidirectional": True},
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("with_state", [False, True])
def test_values_and_two_orders_of_gradients(
    kind: str, options: dict[str, Any], with_state: bool
) -> None:
    layers = options.get("num_layers", 1) * (2 if options.get("bidirectional") else 1)

    def program(torch: Any) -> Any:
        net = networks(torch, kind, torch.float64, **options)
        x = torch.tensor(reals(5, 2, 3), requires_grad=True)
        batch = 5 if options.get("batch_first") else 2
        h = torch.tensor(reals(layers, batch, 4), requires_grad=True)
        c = torch.tensor(reals(layers, batch, 4, seed=1), requires_grad=True)
        states = [h, c] if kind == "LSTM" else [h]
        leaves = [x, *net.parameters(), *(states if with_state else [])]
        hx = (tuple(states) if kind == "LSTM" else h) if with_state else None
        return derivatives(torch, net(x, hx), leaves)

    both(program)


@pytest.mark.parametrize("kind", KINDS)
def test_a_first_state_that_depends_on_the_input(kind: str) -> None:
    """The layer's inputs are then not independent: each has still its own partial derivative."""

    def program(torch: Any) -> Any:
        net = networks(torch, kind, torch.float64)
        x = torch.tensor(reals(5, 2, 3), requires_grad=True)
        h = (x.sum(0, keepdim=True) @ net.weight_ih_l0[:4].T).sin()
        output = net(x, (h, h * h) if kind == "LSTM" else h)
        return derivatives(torch, output, [x, *net.parameters()])

    both(program)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("options", OPTIONS[:3], ids=str)
@pytest.mark.parametrize("lengths", [[2, 5, 5, 1], [5, 3, 3, 1]], ids=str)
def test_packed_sequences(kind: str, options: dict[str, Any], lengths: list[int]) -> None:
    layers = 2 if options.get("bidirectional") else 1

    def program(torch: Any) -> Any:
        net = networks(torch, kind, torch.float64, **options)
        x = torch.tensor(reals(5, 4, 3), requires_grad=True)
        rnn = torch.nn.utils.rnn
        packed = rnn.pack_padded_sequence(x, lengths, enforce_sorted=lengths[0] == 5)
        h = torch.tensor(reals(layers, 4, 4), requires_grad=True)
        output, hidden = net(packed, (h, h * 2) if kind == "LSTM" else h)
        padded, sizes = rnn.pad_packed_sequence(output)
        found = derivatives(torch, (padded, hidden), [x, h, *net.parameters()])
        return [output.data, output.batch_sizes, sizes, found, h]

    both(program)


def test_projected_states() -> None:
    def program(torch: Any) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            net = networks(torch, "LSTM", torch.float64, proj_size=2, bidirectional=True)
            x = torch.tensor(reals(5, 2, 3), requires_grad=True)
            return derivatives(torch, net(x), [x, *net.parameters()])

    both(program)


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
def test_float32_and_dropout_between_layers(kind: str) -> None:
    """The same elements are dropped for the same seed, none in eval."""

    def program(torch: Any) -> Any:
        net = networks(torch, kind, torch.float32, num_layers=3, dropout=0.4)
        x = torch.tensor(reals(6, 2, 3, dtype=np.float32))
        torch.manual_seed(1)
        out, _ = net(x)
        out.sum().backward()
        return [out, net.eval()(x), [p.grad for p in net.parameters()]]

    both(program, 2e-5, 2e-6)


@pytest.mark.parametrize("kind", ["RNNCell", "LSTMCell", "GRUCell"])
@on_both
def test_cells(torch, log, kind):
    torch.manual_seed(0)
    for bias in (True, False):
        cell = getattr(torch.nn, kind)(3, 4, bias=bias, dtype=torch.float64)
        x = torch.tensor(reals(2, 3), requires_grad=True)
        h = torch.tensor(reals(2, 4), requires_grad=True)
        for hx in (None, (h, h * 2) if kind == "LSTMCell" else h):
            out = cell(x, hx)
            log(repr(cell), out, list(cell.state_dict()))
            new = out[0] if kind == "LSTMCell" else out
            log.graph(new)
            log(*torch.autograd.grad(new.sum(), [x, *cell.parameters()]))
        log(cell(x[0]), cell(x[0], (h[0], h[1]) if kind == "LSTMCell" else h[0]))
        bad = torch.zeros(2, 5).double()
        log.error(cell, bad)
        log.error(cell, torch.zeros(2, 2, 2).double())
        for shape in ((2, 5), (3, 4), (4,), (1, 2, 4)):
            wrong = torch.zeros(shape).double()
            log.error(cell, x, (wrong, wrong) if kind == "LSTMCell" else wrong)


@on_both
def test_relu_cell_and_unknown_nonlinearity(torch, log):
    torch.manual_seed(0)
    cell = torch.nn.RNNCell(3, 4, nonlinearity="relu")
    log(repr(cell), cell(torch.ones(2, 3)))
    log.error(torch.nn.RNNCell(3, 4, nonlinearity="cube"), torch.ones(2, 3))
    log.error(torch.nn.RNN, 3, 4, nonlinearity="cube")
    log(torch.nn.RNN(3, 4, 1, "relu").mode)


@on_both
def test_the_graph_of_an_lstm(torch, log):
    """One node for a layer; where PyTorch has it too: float32, not packed."""
    torch.manual_seed(0)
    net = torch.nn.LSTM(3, 4, 2, bidirectional=True)
    out, (h, c) = net(torch.ones(5, 2, 3))
    log.graph(out)
    log.graph(h)
    log.graph(c)
    state = torch.zeros(1, 2, 4, requires_grad=True)
    out, _ = torch.nn.LSTM(3, 4, bias=False, batch_first=True)(torch.ones(2, 5, 3), (state, state))
    log.graph(out)
    log(out.stride())


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
@on_both
def test_networks_of_both_libraries_look_the_same(torch, log, kind):
    torch.manual_seed(0)
    network = getattr(torch.nn, kind)
    for options in (*OPTIONS, {"num_layers": 2, "dropout": 0.5}, {"dropout": 0.5}):
        net = network(3, 4, **options)
        log(repr(net), [list(p.shape) for p in net.parameters()])
        log(*net.state_dict().items())
        log([len(names) for names in net.all_weights], net.flatten_parameters())
    x = torch.ones(5, 3)
    out, h = network(3, 4)(x)
    log(out.shape, [s.shape for s in h] if kind == "LSTM" else h.shape)


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
@on_both
def test_mistakes(torch, log, kind):
    network = getattr(torch.nn, kind)
    net = network(3, 4)

    def states(*shape):
        return (torch.zeros(shape), torch.zeros(shape)) if kind == "LSTM" else torch.zeros(shape)

    for x in (torch.ones(2, 2, 5), torch.ones(2), torch.ones(1, 1, 1, 3), torch.ones(0, 2, 3)):
        log.error(net, x)
    log.error(net, torch.ones(2, 2, 3).double())
    for shape in ((1, 2, 5), (2, 4), (2, 2, 4), (1, 3, 4)):
        log.error(net, torch.ones(2, 2, 3), states(*shape))
    log.error(net, torch.ones(2, 3), states(1, 2, 4))
    log.error(net, torch.ones(2, 3), states(2, 4))
    for options in (
        {"dropout": 2}, {"dropout": True}, {"num_layers": 0}, {"bias": 2}, {"batch_first": 1},
        {"proj_size": 5}, {"proj_size": -1},
    ):  # fmt: skip
        log.error(network, 3, 4, **options)
    for sizes in ((0, 4), (3, 0), (3.5, 4), (3, 4.5)):
        log.error(network, *sizes)


def test_a_network_is_saved_and_copied() -> None:
    net = minigrad.nn.LSTM(3, 4, 2)
    x = minigrad.ones(2, 2, 3)
    file = io.BytesIO()
    minigrad.save(net.state_dict(), file)
    file.seek(0)
    other = minigrad.nn.LSTM(3, 4, 2)
    other.load_state_dict(minigrad.load(file))
    for twin in (copy.deepcopy(net), other):
        assert twin(x)[0].equal(net(x)[0])


def test_a_changed_weight_is_noticed_before_the_backward_pass() -> None:
    net = minigrad.nn.LSTM(3, 4)
    out, _ = net(minigrad.ones(2, 2, 3))
    with minigrad.no_grad():
        net.weight_hh_l0.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        out.sum().backward()


def test_the_backward_pass_runs_once_unless_the_graph_is_kept() -> None:
    net = minigrad.nn.GRU(3, 4)
    out, _ = net(minigrad.ones(2, 2, 3))
    out.sum().backward(retain_graph=True)
    first = net.weight_ih_l0.grad.clone()
    out.sum().backward()
    assert net.weight_ih_l0.grad.equal(first * 2)
    with pytest.raises(RuntimeError, match="second time"):
        out.sum().backward()


@on_both
def test_top_level_functions(torch, log):
    torch.manual_seed(0)
    x, h = torch.randn(5, 2, 3).double(), torch.randn(1, 2, 4).double()
    for name, gates in (("gru", 3), ("rnn_tanh", 1), ("rnn_relu", 1), ("lstm", 4)):
        rows = gates * 4
        shapes = ((rows, 3), (rows, 4), (rows,), (rows,))
        params = [torch.randn(*shape).double() for shape in shapes]
        hx = (h, h) if name == "lstm" else h
        log(*getattr(torch, name)(x, hx, params, True, 1, 0.0, False, False, False))
        sizes = torch.tensor([2, 1])
        packed = getattr(torch, name)(x[:3, 0], sizes, hx, params, True, 1, 0.0, False, False)
        log(*packed)


# -- packing -------------------------------------------------------------------------------------


@on_both
def test_packing(torch, log):
    rnn = torch.nn.utils.rnn
    x = torch.arange(12.0).reshape(3, 2, 2).requires_grad_()
    for lengths, options in (
        ([3, 1], {}), ([1, 3], {}), ([1, 3], {"enforce_sorted": False}), ([3, 0], {}),
        ([3, 2, 1], {}), (torch.tensor([2.0, 1.0], device="cpu"), {}),
        (torch.tensor([[2, 1]], device="cpu"), {}),
        ([2, 1, 1], {"batch_first": True}), ([2, 2], {"batch_first": True}),
    ):  # fmt: skip
        log.error(rnn.pack_padded_sequence, x, lengths, **options)
    packed = rnn.pack_padded_sequence(x, [1, 3], enforce_sorted=False)
    log(repr(packed), packed.data.grad_fn, packed.double().data.dtype, packed.to("cpu") is packed)
    for options in (
        {},
        {"batch_first": True},
        {"padding_value": -1.0, "total_length": 5},
        {"total_length": 3},
    ):
        padded, lengths = rnn.pad_packed_sequence(packed, **options)
        log(padded, lengths, padded.stride())
        log.graph(padded)
        log(torch.autograd.grad((padded * padded).sum(), x, create_graph=True))
    log.error(rnn.pad_packed_sequence, packed, total_length=2)
    log(rnn.unpack_sequence(packed))
    log(rnn.invert_permutation(torch.tensor([2, 0, 1])), rnn.invert_permutation(None))
    log.error(rnn.PackedSequence, x)


@on_both
def test_padding(torch, log):
    rnn = torch.nn.utils.rnn
    x = torch.arange(12.0).reshape(3, 2, 2).requires_grad_()
    items = [x[0], x[0, :1], x[:, 0]]
    for options in ({}, {"batch_first": True, "padding_value": 7.0}, {"padding_side": "left"}):
        padded = rnn.pad_sequence(items, **options)
        log(padded)
        log.graph(padded)
    log.error(rnn.pad_sequence, [])
    log.error(rnn.pad_sequence, items, padding_side="middle")
    log(rnn.pad_sequence(x))
    log(rnn.unpad_sequence(x, torch.tensor([2, 1, 2]), True))
    log(repr(rnn.pack_sequence([x[:, 0], x[:2, 1]])))
    log.error(rnn.pack_sequence, [x[:2, 0], x[:, 1]])
    log(repr(rnn.pack_sequence([x[:2, 0], x[:, 1]], enforce_sorted=False)))


def test_packing_is_differentiable_twice() -> None:
    same(
        "torch.nn.utils.rnn.pack_padded_sequence(x, [3, 2], True).data ** 3",
        x=reals(2, 3, 2),
    )


def test_lengths_beyond_the_padded_sequence_are_an_error() -> None:
    """PyTorch returns a sequence whose sizes do not fit its data."""
    with pytest.raises(RuntimeError, match="at most the number of steps, 3, but found 4"):
        minigrad.nn.utils.rnn.pack_padded_sequence(minigrad.ones(3, 2), [4, 1])


@pytest.mark.parametrize("kind", [*KINDS, *(f"{kind}Cell" for kind in KINDS)])
@pytest.mark.parametrize("size", [0, 1, 2])
@on_both
def test_first_values(torch, log, kind, size):
    torch.manual_seed(0)
    if kind.endswith("Cell") or size:
        log(list(getattr(torch.nn, kind)(2, size).parameters()), torch.rand(1))
    else:
        log.error(getattr(torch.nn, kind), 2, size)


@pytest.mark.parametrize("kind", KINDS)
@on_both
def test_arguments_by_position(torch, log, kind):
    nonlinearity = ["relu"] if kind == "RNN" else []
    for options in ([False], [False, True], [True, True, 0.5], [False, True, 0.5, True]):
        net = getattr(torch.nn, kind)(3, 4, 2, *nonlinearity, *options)
        log(repr(net), [tuple(p.shape) for p in net.parameters()], net.dropout, net.batch_first)
