"""`utils.checkpoint`: the same gradients from values that are computed twice."""

import gc
import tracemalloc
import weakref

import numpy as np
import pytest
from both import on_both

import minigrad

BOTH_WAYS = pytest.mark.parametrize("use_reentrant", [False, True])


def leaf(torch, *values):
    return torch.tensor(values, requires_grad=True)


def tools(torch):
    import importlib

    return importlib.import_module(torch.__name__ + ".utils.checkpoint")


@BOTH_WAYS
@on_both
def test_gradients_and_number_of_runs(torch, log, use_reentrant):
    W = torch.tensor([[0.5, -0.25], [1.0, 2.0]], requires_grad=True)
    x = leaf(torch, 0.5, 1.5)
    runs = []

    def block(x):
        runs.append(torch.is_grad_enabled())
        return (W @ x * 0.1).sin().exp() * x

    y = tools(torch).checkpoint(block, x, use_reentrant=use_reentrant)
    log(y, runs)
    z = tools(torch).checkpoint(block, y, use_reentrant=use_reentrant)
    (z * z).sum().backward()
    log(x.grad, W.grad, runs)


@BOTH_WAYS
@on_both
def test_random_numbers_are_set_back(torch, log, use_reentrant):
    torch.manual_seed(3)
    for options in ({}, {"preserve_rng_state": True}, {"preserve_rng_state": False}):
        x = torch.ones(20).requires_grad_()
        y = tools(torch).checkpoint(
            lambda x: x * torch.rand(20) * x, x, use_reentrant=use_reentrant, **options
        )
        log(torch.rand(1))
        y.sum().backward()
        log(y, x.grad, torch.rand(1))


@BOTH_WAYS
@on_both
def test_arguments_and_results(torch, log, use_reentrant):
    checkpoint = tools(torch).checkpoint
    x, y = leaf(torch, 0.5, 1.5), leaf(torch, 2.0, 3.0)
    constant = torch.tensor([1.0, 2.0])

    def block(x, factor, y, constant, nothing):
        return x * factor * y, (y * constant).sum(), "text", None

    results = checkpoint(block, x, 3, y, constant, None, use_reentrant=use_reentrant)
    log(results[0].tolist(), results[1].tolist(), results[2:], type(results))
    (results[0].sum() * results[1]).backward()
    log(x.grad, y.grad, constant.grad)


@BOTH_WAYS
@on_both
def test_nested(torch, log, use_reentrant):
    checkpoint = tools(torch).checkpoint
    x = leaf(torch, 0.5, 1.5)
    runs = []

    def inner(x):
        runs.append("inner")
        return x.exp().sin()

    def outer(x):
        runs.append("outer")
        return checkpoint(inner, x * x, use_reentrant=use_reentrant).tanh()

    checkpoint(outer, x, use_reentrant=use_reentrant).sum().backward()
    log(x.grad, runs)


@on_both
def test_ways_mixed(torch, log):
    checkpoint = tools(torch).checkpoint
    x = leaf(torch, 0.5, 1.5)

    def inner(x):
        return x.exp().sin()

    for first, second in ((True, False), (False, True)):
        x.grad = None

        def outer(x, second=second):
            return checkpoint(inner, x * x, use_reentrant=second).tanh()

        checkpoint(outer, x, use_reentrant=first).sum().backward()
        log(x.grad)


@BOTH_WAYS
@on_both
def test_partial_passes(torch, log, use_reentrant):
    checkpoint = tools(torch).checkpoint
    x = leaf(torch, 0.5, 1.5)

    def loss():
        return checkpoint(lambda x: x.exp() * x, x, use_reentrant=use_reentrant).sum()

    log.error(torch.autograd.grad, loss(), x)
    log.error(loss().backward, inputs=[x])
    loss().backward()
    log(x.grad)
    log.error(torch.autograd.grad, loss(), x)


@on_both
def test_gradients_of_gradients(torch, log):
    x = leaf(torch, 0.5, 1.5)
    y = tools(torch).checkpoint(lambda x: x.exp() * x.sin(), x, use_reentrant=False)
    (first,) = torch.autograd.grad(y.sum(), x, create_graph=True)
    (second,) = torch.autograd.grad((first * first).sum(), x)
    log(first.tolist(), second)


@on_both
def test_retained_graph(torch, log):
    x = leaf(torch, 0.5, 1.5)
    runs = []

    def block(x):
        runs.append(1)
        return x.exp() * x.sin()

    y = tools(torch).checkpoint(block, x, use_reentrant=False).sum()
    y.backward(retain_graph=True)
    y.backward()
    log(x.grad, runs)
    log.error(y.backward)


@on_both
def test_part_of_a_block(torch, log):
    x, w = leaf(torch, 0.5, 1.5), leaf(torch, 2.0, 3.0)
    y, z = tools(torch).checkpoint(lambda x, w: (x.exp(), (w * w).sin()), x, w, use_reentrant=False)
    log(torch.autograd.grad(z.sum(), w, retain_graph=True))
    log(torch.autograd.grad(y.sum(), x, retain_graph=True))
    (y * z).sum().backward()
    log(x.grad, w.grad)


@on_both
def test_keyword_arguments(torch, log):
    checkpoint = tools(torch).checkpoint
    x = leaf(torch, 0.5, 1.5)

    def block(x, *, power, scale=1.0):
        return x**power * scale

    checkpoint(block, x, use_reentrant=False, power=3, scale=x).sum().backward()
    log(x.grad)
    log.error(checkpoint, block, x, use_reentrant=True, power=3, scale=2)
    log.error(checkpoint, block, x, use_reentrant=True, context_fn=lambda: (None, None))
    log.error(checkpoint, block, x, use_reentrant=True, debug=True)
    log.error(checkpoint, block, x, use_reentrant=False, determinism_check="maybe", power=2)


@on_both
def test_warnings(torch, log):
    checkpoint = tools(torch).checkpoint
    x = leaf(torch, 0.5, 1.5)
    checkpoint(lambda x: x.exp(), x).sum().backward()
    log(x.grad)
    log(checkpoint(lambda x: x.exp(), x.detach(), use_reentrant=True).requires_grad)
    log(checkpoint(lambda x: x.exp(), x.detach(), use_reentrant=False).requires_grad)
    checkpoint_sequential = tools(torch).checkpoint_sequential
    log(checkpoint_sequential([torch.exp, torch.sin], 2, x).tolist())
    log.error(checkpoint_sequential, [torch.exp], 1, x, use_reentrant=False, power=2)


@on_both
def test_without_gradients(torch, log):
    x = leaf(torch, 0.5, 1.5)
    for use_reentrant in (False, True):
        with torch.no_grad():
            y = tools(torch).checkpoint(lambda x: x.exp(), x, use_reentrant=use_reentrant)
        log(y)


@pytest.mark.parametrize("segments", [1, 2, 3, 5])
@BOTH_WAYS
@on_both
def test_sequential(torch, log, segments, use_reentrant):
    torch.manual_seed(0)
    model = torch.nn.Sequential(
        torch.nn.Linear(2, 3), torch.nn.Tanh(), torch.nn.Linear(3, 3), torch.nn.ReLU(),
        torch.nn.Linear(3, 1),
    )  # fmt: skip
    x = torch.rand(4, 2).requires_grad_()
    run = tools(torch).checkpoint_sequential
    for functions in (model, list(model)):
        y = run(functions, segments, x, use_reentrant=use_reentrant, preserve_rng_state=False)
        log(y)
        y.sum().backward()
        log(x.grad, [p.grad for p in model.parameters()])


@on_both
def test_context_function(torch, log):
    x = leaf(torch, 0.5, 1.5)
    events = []

    class Noted:
        def __init__(self, name):
            self.name = name

        def __enter__(self):
            events.append(("enter", self.name))

        def __exit__(self, *exc):
            events.append(("exit", self.name))

    y = tools(torch).checkpoint(
        lambda x: x.exp(),
        x,
        use_reentrant=False,
        context_fn=lambda: (Noted("first"), Noted("second")),
    )
    log(events)
    y.sum().backward()
    log(events)


@on_both
def test_inputs_changed_in_place(torch, log):
    for use_reentrant in (False, True):
        x = leaf(torch, 0.5, 1.5)
        y = x * 1.0
        z = tools(torch).checkpoint(lambda y: y.sin(), y, use_reentrant=use_reentrant)
        with torch.no_grad():
            y.add_(1.0)
        log.error(z.sum().backward)


@on_both
def test_a_block_that_changes(torch, log):
    def run(first, second, **options):
        x = leaf(torch, 0.5, 1.5)
        functions = iter([first, second])
        y = tools(torch).checkpoint(
            lambda x: next(functions)(x), x, use_reentrant=False, early_stop=False, **options
        )
        try:
            y.sum().backward()
        except RuntimeError as error:
            log(type(error), str(error).partition("\nTip")[0].rstrip("\n."))
        else:
            log(x.grad)

    run(lambda x: x.exp(), lambda x: x.exp().sin())
    run(lambda x: x.exp().sin(), lambda x: x.exp())
    run(lambda x: x.exp(), lambda x: x.double().exp())
    run(lambda x: x.exp(), lambda x: x.sum().exp())
    run(lambda x: x.exp(), lambda x: x[:1].exp())
    run(lambda x: x.exp(), lambda x: x[:1].exp(), determinism_check="none")


def test_reentrant_errors():
    checkpoint = minigrad.utils.checkpoint.checkpoint
    x = leaf(minigrad, 0.5, 1.5)
    y = checkpoint(lambda x: x.detach(), x, use_reentrant=True)
    with pytest.raises(RuntimeError, match="none of output has requires_grad=True"):
        y.sum().backward()


@BOTH_WAYS
def test_memory(use_reentrant):
    """Of twenty values of 1 MB that a block saves none is kept between the passes."""
    checkpoint = minigrad.utils.checkpoint.checkpoint
    x = minigrad.tensor(np.zeros(2**18, np.float32), requires_grad=True)

    def block(x):
        for _ in range(20):
            x = (x * 0.9).exp()
        return x

    tracemalloc.start()
    try:
        y = checkpoint(block, x, use_reentrant=use_reentrant)
        kept = tracemalloc.get_traced_memory()[0]
        y.sum().backward()
        after = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert kept < 2.5e6
    assert after < 3.5e6


def test_inner_arguments_are_dropped_by_the_outer_call():
    checkpoint = minigrad.utils.checkpoint.checkpoint
    x = leaf(minigrad, 0.5, 1.5)
    inner_argument = []

    def outer(x):
        y = x.exp()
        inner_argument.append(weakref.ref(y))
        z = checkpoint(lambda y: y.sin(), y, use_reentrant=False)
        return z.tanh()

    out = checkpoint(outer, x, use_reentrant=False)
    assert inner_argument[0]() is None
    out.sum().backward()
    expected = np.cos(np.exp(x.detach().numpy())) * np.exp(x.detach().numpy())
    expected = expected * (1 - np.tanh(np.sin(np.exp(x.detach().numpy()))) ** 2)
    np.testing.assert_allclose(x.grad.numpy(), expected, rtol=1e-5)


@BOTH_WAYS
def test_no_cycle(use_reentrant):
    checkpoint = minigrad.utils.checkpoint.checkpoint
    x = leaf(minigrad, 0.5, 1.5)
    checkpoint(lambda x: x.exp(), x, use_reentrant=use_reentrant).sum().backward()
    gc.collect()
    gc.disable()
    try:
        y = checkpoint(lambda x: x.exp().sin(), x, use_reentrant=use_reentrant)
        node = weakref.ref(y.grad_fn)
        y.sum().backward()
        del y
        assert node() is None
    finally:
        gc.enable()
