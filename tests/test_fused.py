"""Fewer launches (minigrad/fusion): what several kernels did, one does, with the same numbers.

Without a GPU the stand-in runs the text of the kernels (stand_in_kernel.py), so a fused function
must give bit by bit what its operations give one by one. What the compiler of a GPU does to the
text is not seen here.
"""

from __future__ import annotations

import gc
import subprocess
import sys
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import device_db
import numpy as np
import pytest
import stand_in

import minigrad as torch
from minigrad import gpu, nn, optim
from minigrad.autograd import node as graph
from minigrad.autograd import row as row_module
from minigrad.autograd.row import fused_ops
from minigrad.nn import functional as F

DTYPES = [torch.float16, torch.float32, torch.float64]


@pytest.fixture(autouse=True)
def cuda() -> Iterator[None]:
    with device_db.device():
        if not isinstance(torch.zeros(1, device="cuda")._array, stand_in.ndarray):
            pytest.skip("launches are counted by the stand-in")
        yield


def launched(call: Callable[[], Any]) -> list[str]:
    """The kernels that a call starts; that it never waits for them."""
    before, waited = len(stand_in.launches), len(stand_in.synchronisations)
    call()
    assert stand_in.synchronisations[waited:] == []
    return stand_in.launches[before:]


def one_by_one(call: Callable[[], Any]) -> Any:
    """A call with every operation by itself."""
    from minigrad.fusion import kernels

    kernels.enabled = False
    try:
        return call()
    finally:
        kernels.enabled = True


def same(a: Any, b: Any) -> None:
    """The same structure, dtypes, and bits (but for the sign of nan)."""
    if isinstance(a, (tuple, list)):
        assert len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            same(x, y)
    elif isinstance(a, stand_in.ndarray):
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        np.testing.assert_array_equal(a._host, b._host)
        signs = [np.signbit(x._host) & (x._host == x._host) for x in (a, b)]
        np.testing.assert_array_equal(*signs)
    else:
        assert a is b is None


# --- updates -------------------------------------------------------------------------------------

OPTIONS: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {}), ("SGD", {"lr": 0.1, "maximize": True}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.01}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    ("Adam", {}), ("Adam", {"amsgrad": True, "weight_decay": 0.1, "maximize": True}),
    ("AdamW", {}), ("RMSprop", {}), ("RMSprop", {"centered": True, "momentum": 0.9}),
    ("Adagrad", {"lr_decay": 0.1}), ("Adadelta", {"weight_decay": 0.1}), ("Adamax", {}),
    ("NAdam", {"weight_decay": 0.1, "decoupled_weight_decay": True}), ("RAdam", {}),
    ("Rprop", {}), ("Rprop", {"maximize": True}), ("ASGD", {"t0": 1}),
]  # fmt: skip


def updated(name: str, options: dict[str, Any], dtype: Any, counts: list[int]) -> Any:
    """Three parameters after eight steps: a matrix, a part of one that is not contiguous, a number."""
    rng = np.random.RandomState(0)
    values = [rng.randn(3, 4), rng.randn(4, 6), rng.randn()]
    params = [torch.tensor(v, device="cuda", dtype=dtype) for v in values]
    params[1] = params[1].t()
    params = [p.requires_grad_() for p in params]
    optimizer = getattr(optim, name)(params, **options)
    for _ in range(8):
        for p in params:
            p.grad = torch.tensor(rng.randn(*p.shape), device="cuda", dtype=dtype)
        counts.append(len(launched(optimizer.step)))
    state = [v._array for s in optimizer.state.values() for v in s.values() if torch.is_tensor(v)]
    return [p._array for p in params], [a for a in state if isinstance(a, stand_in.ndarray)]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize(("name", "options"), OPTIONS)
def test_an_update_is_one_kernel_for_each_parameter(name, options, dtype):
    counts: list[int] = []
    fused = updated(name, options, dtype, counts)
    assert counts[1:] == [3] * 7  # the first step makes the state
    plain: list[int] = []
    same(fused, one_by_one(lambda: updated(name, options, dtype, plain)))
    assert min(plain) > 3


def test_numbers_of_an_update_are_arguments_of_the_kernel():
    from minigrad.fusion.lines import compiled

    p = torch.ones(3, device="cuda", requires_grad=True)
    p.grad = torch.ones(3, device="cuda")
    optimizer = optim.Adam([p], lr=0.1)
    optimizer.step()
    before = compiled.cache_info().misses
    for lr in (0.2, 0.3):
        optimizer.param_groups[0]["lr"] = lr
        optimizer.step()
    assert compiled.cache_info().misses == before
    assert p.tolist() == pytest.approx([0.4] * 3, rel=1e-5)


def test_versions_are_raised_as_on_the_cpu():
    versions = []
    for device in ("cpu", "cuda"):
        p = torch.ones(2, device=device, requires_grad=True)
        p.grad = torch.ones(2, device=device)
        optim.AdamW([p], weight_decay=0.1).step()
        versions.append(p._version)
    assert versions[0] == versions[1]


@pytest.mark.parametrize("kind", [optim.SGD, optim.Adam])
def test_gradients_are_freed_without_the_collector_of_cycles(kind):
    layer = nn.Linear(3, 3).to("cuda")
    optimizer = kind(layer.parameters())
    gc.collect()
    gc.disable()
    try:
        for _ in range(2):  # the first traces the formulas
            layer(torch.ones(2, 3, device="cuda")).relu().sum().backward()
            optimizer.step()
            arrays = [weakref.ref(p.grad._array) for p in layer.parameters()]
            optimizer.zero_grad()
            assert all(array() is None for array in arrays)
    finally:
        gc.enable()


# --- rows ----------------------------------------------------------------------------------------


def numbers(rng: Any, shape: tuple[int, ...], dtype: str) -> Any:
    values = rng.randn(*shape) * rng.choice([0.1, 1, 10], shape)
    special = rng.choice([0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan], shape)
    return stand_in.asarray(np.where(rng.rand(*shape) < 0.3, special, values).astype(dtype))


def outcome(function: Callable[..., Any], args: list[Any]) -> Any:
    try:
        return function(*args)
    except Exception as error:  # of a dtype that the row refuses
        return type(error), str(error)


@pytest.mark.parametrize("dtype", "efd")
def test_every_pointwise_row_gives_the_same_bits(dtype):
    """Each row's forward and formulas, on numbers where slopes jump or vanish; two shapes that
    broadcast, so that the second call of a function has other steps."""
    rng = np.random.RandomState(1)
    compared = fewer = 0
    for row in [op.row for op in fused_ops]:
        functions = [(row.forward, row.parameters), *row.formulas]
        for function, names in functions:
            for shapes in ([(4, 5)] * 9, [(4, 5), (5,)] * 5):
                args = [
                    graph.array_ops if n == "xp" else numbers(rng, shape, dtype)
                    for n, shape in zip(names, shapes, strict=False)
                ]
                outcome(function, args)  # written down
                start = len(stand_in.launches)
                fused = outcome(function, args)
                middle = len(stand_in.launches)
                plain = one_by_one(lambda: outcome(function, args))  # noqa: B023
                after = len(stand_in.launches)
                if isinstance(plain, tuple) and isinstance(plain[0], type):
                    assert fused[0] is plain[0]  # a row that is for other arguments
                    continue
                same(fused, plain)
                assert middle - start <= after - middle, row.name
                compared += 1
                fewer += middle - start < after - middle
    assert compared > 400
    assert fewer > 150


LAYERS: dict[str, tuple[Callable[[], Any], int, int]] = {  # launches forward and backward, at most
    "relu": (nn.ReLU, 1, 1), "tanh": (nn.Tanh, 1, 1), "sigmoid": (nn.Sigmoid, 1, 1),
    "gelu": (nn.GELU, 1, 1), "gelu by tanh": (lambda: nn.GELU("tanh"), 1, 1),
    "silu": (nn.SiLU, 1, 1), "mish": (nn.Mish, 1, 1), "softplus": (nn.Softplus, 1, 1),
    "elu": (lambda: nn.ELU(0.5), 1, 1), "hardswish": (nn.Hardswish, 1, 1),
    "softmax": (lambda: nn.Softmax(-1), 4, 3), "log_softmax": (lambda: nn.LogSoftmax(0), 4, 3),
    "layer_norm": (lambda: nn.LayerNorm(6), 12, 18), "group_norm": (lambda: nn.GroupNorm(3, 6), 12, 18),
    "batch_norm": (lambda: nn.BatchNorm1d(6), 18, 18),
    "mse": (lambda: lambda x: F.mse_loss(x, torch.ones_like(x).detach()), 5, 3),
}  # fmt: skip


def passed(layer: Any, values: Any, dtype: Any, counts: list[int]) -> Any:
    x = torch.tensor(values, device="cuda", dtype=dtype, requires_grad=True)
    results: list[Any] = []
    for _ in range(2):  # the second time what was written down is done again
        x.grad = None
        counts.append(len(launched(lambda: results.append(layer(x)))))
        grad = torch.ones_like(results[-1])
        counts.append(len(launched(lambda: results[-1].backward(grad))))  # noqa: B023
    more = [t._array for t in layer.state_dict().values()] if isinstance(layer, nn.Module) else []
    return [results[-1]._array, x.grad._array, *more]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("name", LAYERS)
def test_layers(name, dtype):
    make, forward, backward = LAYERS[name]
    values = np.random.RandomState(2).randn(4, 6)
    layers = [make(), make()]
    if isinstance(layers[0], nn.Module):
        layers = [layer.to("cuda", dtype) for layer in layers]
    counts: list[int] = []
    plain: list[int] = []
    fused = passed(layers[0], values, dtype, counts)
    same(fused, one_by_one(lambda: passed(layers[1], values, dtype, plain)))
    more = 4 if dtype is torch.float16 else 0  # to float32 and back
    assert counts[2] <= forward + more
    assert counts[3] <= backward + more
    assert sum(counts[2:]) < sum(plain[2:]) or name == "relu"


def test_attention_is_not_a_loop_over_samples():
    q = torch.randn(4, 2, 3, 5, device="cuda", requires_grad=True)
    mask = torch.zeros(3, 3, device="cuda").masked_fill(
        torch.ones(3, 3).triu(1).bool().cuda(), -np.inf
    )
    for options in ({}, {"attn_mask": mask}):
        here = {k: v.cpu() for k, v in options.items()}
        p = q.detach().cpu().requires_grad_()
        q.grad = None
        out, expected = (
            F.scaled_dot_product_attention(t, t, t, **o) for t, o in ((q, options), (p, here))
        )
        out.sum().backward()
        expected.sum().backward()
        np.testing.assert_allclose(out.cpu().detach().numpy(), expected.detach().numpy(), atol=1e-6)
        np.testing.assert_allclose(q.grad.cpu().numpy(), p.grad.numpy(), atol=1e-5)
    F.scaled_dot_product_attention(q, q, q)
    assert len(launched(lambda: F.scaled_dot_product_attention(q, q, q))) <= 14


# --- what is no chain ----------------------------------------------------------------------------


def fused(function: Callable[..., Any]) -> Callable[..., Any]:
    return gpu.fusion.kernels.fused(function)  # type: ignore[no-any-return]


def by_part(x: Any) -> Any:
    y = x * 2 + 1
    y[1:] = 0
    return y


def by_bools(x: Any) -> Any:
    y = x * 2 + 1
    some = y[y > 1]
    return some * some.size + 1


def through_a_view(x: Any) -> Any:
    y = x * 2 + 1
    part = y.reshape(-1)
    y *= 3
    return part + 1


def of_a_view(x: Any) -> Any:
    y = x * 2 + 1
    part = y.reshape(-1)
    part *= 3
    return y + 1


def by_value(x: Any) -> Any:
    y = x * 2 + 1
    return y if y.sum().item() > 0 else -y


def by_integers(x: Any) -> Any:
    return (x * 2 + 1).astype(np.int64) * 3 + 1


def two_results(x: Any) -> Any:
    return x * 2 + 1, np.exp(x).sum(0), None


def of_one(x: Any) -> Any:
    y = np.zeros((3, 2), x.dtype, like=x)
    y += 1
    y[:, :] = y * x
    return y + np.arange(2, like=x)


@pytest.mark.parametrize(
    "function",
    [by_part, by_bools, through_a_view, of_a_view, by_value, by_integers, two_results, of_one],
)
def test_what_lines_cannot_say_is_done_as_before(function):
    call = fused(function)
    for seed in (0, 1, 2):
        x = stand_in.asarray(np.random.RandomState(seed).randn(3, 2))
        same(call(x), function(x))


def test_the_layout_of_memory_may_matter():
    call = fused(lambda x: x * 2 + 1 if x.flags.c_contiguous else x * 3 + 1)
    x = stand_in.asarray(np.ones((3, 3)))
    assert call(x)._host[0, 0] == 3
    assert call(x.T)._host[0, 0] == 4


def test_mistakes_are_told_as_before():
    with pytest.raises(RuntimeError, match="must match the size of tensor b"):
        torch.ones(2, device="cuda").atan2(torch.ones(3, device="cuda"))
    with pytest.raises(NotImplementedError, match="silu"):
        F.silu(torch.ones(2, dtype=torch.int64, device="cuda"))


def test_arguments_that_are_equal_but_not_the_same():
    call = fused(lambda x, number: (x + 1) * number)
    x = stand_in.asarray(np.array([1.0, -2.0]))
    assert np.signbit(call(x, 0.0)._host).tolist() == [False, True]
    assert np.signbit(call(x, -0.0)._host).tolist() == [True, False]
    assert call(x[::-1], 3.0)._host.tolist() == [-3.0, 6.0]


def test_a_row_that_is_loaded_after_cupy():
    """The rows of some losses come with `nn`, which a program may name after `cuda`."""
    op = row_module.pointwise("LateBackward0", input=lambda grad, input: grad * (input + 1) * 2)(
        lambda input: (input + 1) * 2
    )
    try:
        x = torch.ones(3, device="cuda", requires_grad=True)
        op(x)
        assert launched(lambda: op(x)) == ["minigrad_chain"]
        assert op(x).tolist() == [4] * 3
    finally:
        fused_ops.remove(op)


def test_a_value_that_is_kept_before_it_changes():
    """An update may assign the old value of one array to another."""
    x, before = (stand_in.asarray(np.array([v, v + 1])) for v in (1.0, 5.0))
    for p, old in gpu.fusion.in_one_kernel([x, before]):
        old[...] = p
        p += 1
    assert x._host.tolist() == [2, 3]
    assert before._host.tolist() == [1, 2]


def test_what_the_first_arguments_did_says_nothing_about_others():
    """With integers, and with an exponent of 2, there is no chain; with others there is."""
    whole = stand_in.asarray(np.array([1, 2]))
    x = stand_in.asarray(np.array([1.0, 2.0]))
    call = fused(lambda x: -(x * 2 + 1))
    for array in (whole, x):
        call(array)
    assert len(launched(lambda: call(x))) == 1
    power = fused(lambda x, exponent: x * x if exponent == 2 else x * x * x)
    for exponent in (2, 3):
        power(x, exponent)
    assert len(launched(lambda: power(x, 3))) == 1


def test_second_derivatives_do_not_wait():
    """Formulas of recorded backward passes get Tensors, whose text is not asked for."""
    x = torch.ones(3, device="cuda", requires_grad=True)

    def twice() -> None:
        (grad,) = torch.autograd.grad(torch.tanh(x).softmax(0).sum(), x, create_graph=True)
        grad.sum().backward()

    launched(twice)


@pytest.mark.parametrize("layer", [nn.LayerNorm(64), nn.BatchNorm1d(64)], ids=["layer", "batch"])
def test_a_gpu_has_no_blocks(layer):
    """Large normalisations take no more launches than small ones."""
    counts = []
    for batch in (8, 8192):
        x = torch.ones(batch, 64, device="cuda", requires_grad=True)
        on_gpu = layer.to("cuda")
        on_gpu(x).sum().backward()
        counts.append(len(launched(lambda: on_gpu(x).sum().backward())))  # noqa: B023
    assert counts[0] == counts[1]


def test_a_program_without_a_gpu_has_none_of_it():
    program = (
        "import sys, minigrad as torch\n"
        "x = torch.ones(3, requires_grad=True)\n"
        "torch.tanh(x).sum().backward()\n"
        "torch.optim.Adam([x]).step()\n"
        "assert not [m for m in sys.modules if m.startswith('minigrad.fusion')]\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
