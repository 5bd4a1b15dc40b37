"""What long-running and unusual programs meet: threads, forks, interruptions, limits."""

from __future__ import annotations

import gc
import os
import resource
import threading
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import minigrad

BOTH = pytest.mark.parametrize("library", [torch, minigrad], ids=["torch", "minigrad"])


def in_threads(*calls: Callable[[], None]) -> None:
    """Run all at the same time; what one of them raises is raised here."""
    errors: list[BaseException] = []
    start = threading.Barrier(len(calls))

    def body(call: Callable[[], None]) -> None:
        start.wait()
        try:
            call()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=body, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


# --- threads -------------------------------------------------------------------------------------


def test_two_threads_build_and_walk_graphs_of_their_own() -> None:
    """x -> x * 1.5 + 1, fifty times, has the slope 1.5 ** 50 in both."""
    slopes: list[float] = []

    def work() -> None:
        for _ in range(40):
            x = minigrad.tensor(1.0, dtype=minigrad.float64, requires_grad=True)
            y = x
            for _ in range(50):
                y = y * 1.5 + 1
            y.backward()
            slopes.append(x.grad.item())

    in_threads(work, work)
    assert len(slopes) == 80
    np.testing.assert_allclose(slopes, 1.5**50, rtol=1e-12)


def test_grad_mode_belongs_to_a_thread() -> None:
    inside, checked = threading.Event(), threading.Event()
    x = minigrad.ones(2, requires_grad=True)

    def without() -> None:
        with minigrad.no_grad():
            inside.set()
            assert checked.wait(10)
            assert not (x * 2).requires_grad
        assert minigrad.is_grad_enabled()

    def with_gradients() -> None:
        assert inside.wait(10)
        assert minigrad.is_grad_enabled()
        assert (x * 2).requires_grad
        checked.set()

    in_threads(without, with_gradients)


@BOTH
def test_a_new_thread_starts_with_gradients_on(library: Any) -> None:
    modes: list[bool] = []
    with library.no_grad():
        in_threads(lambda: modes.append(library.is_grad_enabled()))
    assert modes == [True]


def test_one_leaf_accumulates_from_two_threads() -> None:
    leaf = minigrad.zeros(1000, requires_grad=True)
    leaf.grad = minigrad.zeros(1000)

    def work() -> None:
        for _ in range(300):
            (leaf * 2).sum().backward()

    in_threads(work, work)
    assert leaf.grad.tolist() == [1200.0] * 1000


def test_two_threads_walk_one_retained_graph() -> None:
    x = minigrad.ones(3, requires_grad=True)
    y = (x * x).sum()
    found: list[Any] = []

    def work() -> None:
        for _ in range(100):
            found.append(minigrad.autograd.grad(y, x, retain_graph=True)[0].tolist())

    in_threads(work, work)
    assert found == [[2.0, 2.0, 2.0]] * 200


# --- memory --------------------------------------------------------------------------------------


def trainer() -> Callable[[], None]:
    """One training step with a view, an in-place write, a hook and an optimizer."""
    model = minigrad.nn.Sequential(
        minigrad.nn.Linear(3, 4), minigrad.nn.Tanh(), minigrad.nn.Linear(4, 1)
    )
    optimizer = minigrad.optim.Adam(model.parameters(), lr=0.01)
    x, y = minigrad.ones(5, 3), minigrad.zeros(5, 1)

    def step() -> None:
        optimizer.zero_grad()
        hidden = model(x) * 1
        hidden[0].mul_(0.5)
        hidden.register_hook(lambda g: None)
        hidden.retain_grad()
        ((hidden - y) ** 2).mean().backward()
        optimizer.step()

    return step


def test_ten_thousand_steps_do_not_grow() -> None:
    """Neither in objects nor in bytes, and without help from the collector of cycles."""
    step = trainer()
    gc.collect()
    gc.disable()
    try:
        for _ in range(3_000):  # until the bounded caches of constants are full
            step()
        objects = len(gc.get_objects())
        tracemalloc.start()
        for _ in range(3_000):  # until all that was cached before has been replaced
            step()
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(4_000):
            step()
        grown = tracemalloc.get_traced_memory()[0] - before
        tracemalloc.stop()
        assert len(gc.get_objects()) - objects < 100
    finally:
        gc.enable()
    assert grown < 10_000


# --- forks and interruptions ---------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_fork_after_use_computes_and_draws_as_its_parent_would() -> None:
    minigrad.manual_seed(3)
    x = minigrad.ones(4, requires_grad=True)
    y = (x * x).sum()
    read, write = os.pipe()
    child = os.fork()
    if not child:
        y.backward(retain_graph=True)
        os.write(write, repr((x.grad.tolist(), minigrad.rand(3).tolist())).encode())
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    seen = os.read(read, 4096).decode()
    os.close(read), os.close(write)
    assert x.grad is None
    y.backward()
    assert seen == repr((x.grad.tolist(), minigrad.rand(3).tolist()))


@BOTH
@pytest.mark.parametrize("retain", [False, True])
def test_a_backward_pass_after_an_interrupted_one(library: Any, retain: bool) -> None:
    """A hook stands for Ctrl-C; the newest node ran already when it comes."""
    interrupt = [True]

    def hook(grad: Any) -> None:
        if interrupt.pop() if interrupt else False:
            raise KeyboardInterrupt

    x = library.ones(3, requires_grad=True)
    middle = x * 3
    middle.register_hook(hook)
    loss = (middle + 1).sum()
    with pytest.raises(KeyboardInterrupt):
        loss.backward(retain_graph=retain)
    assert library.is_grad_enabled()
    assert x.grad is None
    loss.backward(retain_graph=retain)
    assert x.grad.tolist() == [3.0] * 3
    x.grad = None
    (x * x).sum().backward()
    assert x.grad.tolist() == [2.0] * 3


def test_an_interrupted_optimizer_step_leaves_grad_mode_as_it_was() -> None:
    weight = minigrad.ones(2, requires_grad=True)

    def closure() -> Any:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        minigrad.optim.SGD([weight], lr=0.1).step(closure)
    assert minigrad.is_grad_enabled()


# --- sizes ---------------------------------------------------------------------------------------

HUGE = 1 << 46  # float32 numbers: 256 TiB, more than an address space of 47 bits


@pytest.mark.parametrize(
    "call",
    [
        lambda t: t.zeros(HUGE), lambda t: t.empty(HUGE), lambda t: t.randn(HUGE),
        lambda t: t.full((HUGE,), 1.0), lambda t: t.arange(HUGE), lambda t: t.eye(1 << 23),
        lambda t: t.zeros(1).expand(HUGE) + 1, lambda t: t.zeros(1).expand(HUGE).clone(),
        lambda t: t.zeros(1).expand(HUGE).contiguous(), lambda t: t.zeros(2).repeat(HUGE),
        lambda t: t.zeros(1 << 23, 1) @ t.zeros(1, 1 << 23),
        lambda t: t.zeros(1 << 23, 1) + t.zeros(1, 1 << 23), lambda t: t.nn.Linear(1 << 23, 1 << 23),
        lambda t: t.ones(1 << 40, 1 << 40), lambda t: t.zeros(1, 1).expand(1 << 40, 1 << 40),
    ],
)  # fmt: skip
def test_more_than_memory_holds_is_refused_before_it_is_allocated(call: Any) -> None:
    """PyTorch: RuntimeError with the number of bytes. Here: NumPy's, with the shape."""
    with pytest.raises(RuntimeError):
        call(torch)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(
        (MemoryError, ValueError), match=r"Unable to allocate .* with shape|too (big|large)"
    ):
        call(minigrad)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1 << 18


def test_a_huge_expanded_tensor_costs_nothing_until_it_is_written_out() -> None:
    for library in (torch, minigrad):
        x = library.zeros(1, requires_grad=True).expand(1 << 45)
        part = x[5:][:: 1 << 40]
        assert (x.numel(), part.shape[0], x.stride(), part.stride()) == (1 << 45, 32, (0,), (0,))
        assert x[7].item() == 0
        assert tuple(x.view(1 << 20, 1 << 25).t().shape) == (1 << 25, 1 << 20)


@BOTH
def test_64_dimensions(library: Any) -> None:
    x = library.ones((1,) * 63 + (2,), requires_grad=True)
    assert x.dim() == 64
    y = x.permute(*range(63, -1, -1)) * 3
    assert y.shape[0] == 2
    assert y.stride()[0] == x.permute(*range(63, -1, -1)).stride()[0]
    y.sum((0, 5)).sum().backward()
    assert x.grad.flatten().tolist() == [3.0, 3.0]


def test_65_dimensions_are_more_than_numpy_has() -> None:
    for call in (lambda: minigrad.zeros((1,) * 65), lambda: minigrad.zeros((1,) * 64)[None]):
        with pytest.raises(ValueError, match="64, found 65"):
            call()


@BOTH
def test_empty_shapes_train(library: Any) -> None:
    """A batch of nothing: zeros arrive, nothing is nan but the mean."""
    layer = library.nn.Linear(3, 2)
    out = layer(library.zeros(0, 3))
    assert tuple(out.shape) == (0, 2)
    out.sum().backward()
    assert layer.weight.grad.tolist() == [[0.0] * 3] * 2
    assert layer.bias.grad.tolist() == [0.0] * 2
    assert out.mean().isnan().item()
    assert library.zeros(2, 0).sum(1).tolist() == [0.0, 0.0]
    assert (library.zeros(2, 0) @ library.zeros(0, 3)).tolist() == [[0.0] * 3] * 2
    assert library.cat([library.zeros(0), library.ones(1, 2)]).tolist() == [[1.0, 1.0]]
    assert tuple(library.zeros(1 << 20, 0, 1 << 20).transpose(0, 1).shape) == (0, 1 << 20, 1 << 20)
