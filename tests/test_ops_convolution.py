"""Convolutions, blocks of images and the bilinear product, held against PyTorch's and against what
they mean."""

import itertools
from typing import Any

import numpy as np
import pytest
import torch as pytorch
from both import on_both
from oracle import reals, same

import minigrad
from minigrad.ops import convolution_kernel as kernel

LIBRARIES = (pytorch, minigrad)
NAMES = {1: "conv1d", 2: "conv2d", 3: "conv3d"}


def close(want: Any, got: Any, tolerance: float = 1e-11) -> None:
    """Arrays of one shape and dtype, equal to within a part of the largest element."""
    assert want.shape == got.shape
    assert want.dtype == got.dtype
    scale = np.abs(want).max(initial=1e-300)
    np.testing.assert_allclose(got / scale, want / scale, rtol=0, atol=tolerance)


def derivatives(torch: Any, name: str, arrays: dict[str, Any], options: dict[str, Any]) -> Any:
    """The result, the first derivatives of a sum of its squares with weights, and the second."""
    tensors = {n: torch.tensor(a, requires_grad=True) for n, a in arrays.items()}
    leaves = list(tensors.values())
    out = getattr(torch.nn.functional, name)(**tensors, **options)
    weights = torch.tensor(np.cos(np.arange(out.numel())).reshape(tuple(out.shape)))
    first = torch.autograd.grad((out * out * weights).sum(), leaves, create_graph=True)
    slope = sum((g * g).sum() * (k + 1) for k, g in enumerate(first))
    second = torch.autograd.grad(slope, leaves)
    return [t.detach().numpy() for t in (out, *first, *second)]


def same_derivatives(name: str, arrays: dict[str, Any], **options: Any) -> None:
    results = [derivatives(torch, name, arrays, options) for torch in LIBRARIES]
    for want, got in zip(*results, strict=True):
        close(want, got)


def drawn_case(seed: int, transposed: bool) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """A convolution with arguments that fit, drawn by a seed."""
    rng = np.random.default_rng(seed)
    dims = int(rng.integers(1, 4))
    groups = int(rng.choice([1, 1, 2, 3]))
    kernel_size = rng.integers(1, 4, dims)
    stride, dilation = rng.integers(1, 4, dims), rng.integers(1, 3, dims)
    padding = rng.integers(0, 3, dims)
    spread = dilation * (kernel_size - 1) + 1
    size = np.maximum(spread - 2 * padding, 1) + rng.integers(0, 5, dims)
    outer, inner = groups * rng.integers(1, 4), rng.integers(1, 3)
    options = {"stride": stride, "padding": padding, "dilation": dilation}
    if transposed:
        options["output_padding"] = rng.integers(0, np.maximum(stride, dilation))
        while min((size - 1) * stride - 2 * padding + spread) < 1:
            size += 1
    channels, filters = (outer, inner * groups) if transposed else (inner * groups, outer)
    batch = [] if rng.random() < 0.2 else [int(rng.integers(1, 4))]
    arrays = {
        "input": rng.standard_normal((*batch, channels, *size)),
        "weight": rng.standard_normal((outer, inner, *kernel_size)),
    }
    if rng.random() < 0.7:
        arrays["bias"] = rng.standard_normal(filters)
    lists = {n: tuple(map(int, v)) for n, v in options.items()}
    return f"conv{'_transpose' * transposed}{dims}d", arrays, {**lists, "groups": groups}


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("transposed", [False, True], ids=["conv", "transposed"])
def test_drawn_convolutions_have_the_same_values_and_derivatives(
    seed: int, transposed: bool
) -> None:
    name, arrays, options = drawn_case(seed, transposed)
    same_derivatives(name, arrays, **options)


@pytest.mark.parametrize("seed", range(8))
def test_blocks_of_a_batch_add_up(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "BLOCK_BYTES", 1)
    name, arrays, options = drawn_case(seed, transposed=seed % 2 == 0)
    same_derivatives(name, arrays, **options)


@pytest.mark.parametrize(("dims", "taps", "dilation"), [(1, 4, 1), (2, 3, 2), (2, 2, 1), (3, 2, 3)])
@pytest.mark.filterwarnings("ignore:Using padding='same'")
def test_padding_same(dims: int, taps: int, dilation: int) -> None:
    rng = np.random.default_rng(dims)
    arrays = {
        "input": rng.standard_normal((2, 2, *[5] * dims)),
        "weight": rng.standard_normal((3, 2, *[taps] * dims)),
    }
    same_derivatives(NAMES[dims], arrays, padding="same", dilation=dilation)
    same_derivatives(NAMES[dims], arrays, padding="valid", stride=2)


def test_a_convolution_is_the_sum_over_each_window() -> None:
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((2, 3, 6, 7)), rng.standard_normal((4, 3, 3, 2))
    out = minigrad.conv2d(minigrad.tensor(x), minigrad.tensor(w), stride=(2, 1)).numpy()
    assert out.shape == (2, 4, 2, 6)
    for n, o, i, j in itertools.product(*map(range, out.shape)):
        window = x[n, :, 2 * i : 2 * i + 3, j : j + 2]
        np.testing.assert_allclose(out[n, o, i, j], (window * w[o]).sum(), rtol=1e-12)


@pytest.mark.parametrize("seed", range(6))
def test_both_gradients_are_adjoint_to_the_convolution(seed: int) -> None:
    _, arrays, options = drawn_case(seed, transposed=False)
    x, w = arrays["input"], arrays["weight"]
    x = x if x.ndim == w.ndim else x[None]
    sizes = options["stride"], options["padding"], options["dilation"]
    geometry = kernel.Geometry(*sizes, options["groups"])
    out = kernel.convolution(x, w, geometry)
    g = np.random.default_rng(seed).standard_normal(out.shape)
    product = (out * g).sum()
    back = kernel.input_gradient(g, w, x.shape, geometry)
    np.testing.assert_allclose((back * x).sum(), product, rtol=1e-11)
    back = kernel.weight_gradient(g, x, w.shape, geometry)
    np.testing.assert_allclose((back * w).sum(), product, rtol=1e-11)


def test_float32_is_about_as_exact_as_pytorch() -> None:
    rng = np.random.default_rng(1)
    x, w = rng.standard_normal((8, 16, 12, 12)), rng.standard_normal((8, 16, 5, 5))
    x, w = x.astype(np.float32), w.astype(np.float32)
    exact = derivatives(
        pytorch, "conv2d", {"input": x.astype(float), "weight": w.astype(float)}, {}
    )
    errors = []
    for torch in LIBRARIES:
        a, b = (torch.tensor(v, requires_grad=True) for v in (x, w))
        out = torch.nn.functional.conv2d(a, b)
        weights = np.cos(np.arange(out.numel())).reshape(tuple(out.shape))
        (out * out * torch.tensor(weights.astype(np.float32))).sum().backward()
        found = [t.detach().numpy() for t in (out, a.grad, b.grad)]
        errors.append([np.sqrt(np.mean((f - e) ** 2)) for f, e in zip(found, exact, strict=False)])
    for theirs, ours in zip(*errors, strict=True):
        assert ours <= 2 * theirs


@pytest.mark.parametrize("name", ["conv1d", "conv2d", "conv_transpose2d"])
def test_float16_rounds_once(name: str) -> None:
    """PyTorch rounds the terms of a transposed convolution too, so it is held against float64."""
    rng = np.random.default_rng(2)
    dims = int(name[-2])
    shapes = (2, 3, *[7] * dims), (3, 3, *[3] * dims), (3,)
    arrays = [rng.standard_normal(shape).astype(np.float16) for shape in shapes]
    exact = getattr(pytorch, name)(*[pytorch.tensor(a.astype(np.float64)) for a in arrays])
    got = getattr(minigrad, name)(*[minigrad.tensor(a) for a in arrays])
    assert got.dtype is minigrad.float16
    np.testing.assert_allclose(got.numpy(), exact.numpy(), rtol=2**-11, atol=2**-18)


@on_both
def test_integers(torch: Any, log: Any) -> None:
    F = torch.nn.functional
    x = torch.arange(2 * 4 * 5 * 5).reshape(2, 4, 5, 5) % 7
    w = torch.arange(4 * 2 * 3 * 3).reshape(4, 2, 3, 3) % 5 - 2
    for dtype in (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8):
        log(F.conv2d(x.to(dtype), w.to(dtype), padding=1, groups=2))
    log(F.conv_transpose2d(x, w, stride=2))
    log(F.conv_transpose1d(x[0], w[0].permute(1, 0, 2)[[0, 1, 2, 0, 1]], padding=1))


@on_both
def test_graph(torch: Any, log: Any) -> None:
    F = torch.nn.functional

    def leaf(*shape: int) -> Any:
        return torch.ones(shape, requires_grad=True)

    x, w, b = leaf(2, 3, 5, 5), leaf(4, 3, 3, 3), leaf(4)
    for out in (
        F.conv2d(x, w, b), F.conv2d(x.detach(), w), F.conv2d(x[0], w, b.detach()),
        F.conv2d(x, w, b, padding="same"), F.conv2d(x, w[..., :2, :], b, padding="same"),
        F.conv1d(x[0], w[0]), F.conv1d(x[0, 0], w[0, :, :1], padding=1),
        F.conv3d(x[None], w[:, :1, None].expand(4, 2, 1, 3, 3)),
        F.conv_transpose2d(leaf(2, 4, 5, 5), w), F.conv_transpose2d(leaf(4, 5, 5), w, stride=2),
        F.unfold(x, 2), F.unfold(x[0], 2), F.fold(leaf(12, 16), 5, 2),
        F.bilinear(leaf(2, 3), leaf(2, 4), leaf(5, 3, 4), leaf(5)),
        F.bilinear(leaf(2, 2, 3), leaf(2, 2, 4), leaf(5, 3, 4)),
    ):  # fmt: skip
        log(tuple(out.shape))
        log.graph(out)
    first = torch.autograd.grad(F.conv2d(x, w, b).sum(), (x, w), create_graph=True)
    for gradient in first:
        log.graph(gradient)


MISTAKES = [
    "conv2d(t(2, 3, 5, 5), t(4, 2, 3, 3))", "conv2d(t(2, 3, 5, 5), t(4, 3, 6, 3))",
    "conv2d(t(2, 3, 5, 5), t(4, 3, 6, 3), dilation=2)", "conv2d(t(3, 5), t(4, 3, 3, 3))",
    "conv2d(t(3, 5, 5), t(4, 3, 3))", "conv1d(t(2, 3, 5, 5), t(4, 3, 3))",
    "conv1d(t(2, 3, 5), t(4, 3, 3, 3))", "conv2d(t(2, 3, 5, 5), t(4, 3))",
    "conv2d(t(2, 3, 5, 5), t(4, 3, 3, 3), t(3))", "conv2d(t(2, 3, 5, 5), t(4, 3, 3, 3), t(4, 1))",
    "conv2d(t(2, 3, 5, 5), t(4, 3, 3, 3), stride=0)",
    "conv2d(t(2, 3, 5, 5), t(4, 3, 3, 3), padding=-1)",
    "conv2d(t(2, 3, 5, 5), t(4, 3, 3, 3), dilation=0)",
    "conv2d(t(2, 3, 5, 5), t(4, 3, 3, 3), groups=2)",
    "conv2d(t(2, 4, 5, 5), t(3, 2, 3, 3), groups=2)",
    "conv2d(t(2, 4, 5, 5), t(3, 2, 3, 3), groups=0)", "conv2d(t(2, 3, 5, 5), t(0, 3, 3, 3))",
    "conv2d(t(2, 3, 5, 5), t(4, 3, 3, 3), padding='same', stride=2)",
    "conv2d(t(2, 3, 5, 5), t(4, 3, 3, 3), padding='foo')",
    "conv2d(t(2, 3, 5, 5), t(4, 3, 3, 3), stride=(1, 1, 1))",
    "conv2d(t(2, 3, 5, 5), t(4, 3, 3, 3), padding=(1, 1, 1))",
    "conv2d(t(2, 3, 5, 5), t(4, 3, 3, 3), dilation=[])",
    "conv2d(t(2, 3, 5, 5), t(4, 3, 3, 3).double())",
    "conv2d(t(2, 3, 5, 5).double(), t(4, 3, 3, 3))", "conv1d(t(2, 3, 5).long(), t(4, 3, 3))",
    "conv2d(t(2, 3, 5, 5), t(4, 3, 3, 3), t(4).double())",
    "conv2d(t(2, 3, 5, 5).long(), t(4, 3, 3, 3).long(), t(4))",
    "conv2d(t(2, 3, 5, 5).bool(), t(4, 3, 3, 3).bool())", "conv2d(t(2, 3, 0, 5), t(4, 3, 3, 3))",
    "conv2d(t(2, 3, 0, 5), t(4, 3, 1, 3), padding=1)",
    "conv_transpose2d(t(2, 3, 5, 5), t(4, 3, 3, 3))",
    "conv_transpose2d(t(2, 4, 5, 5), t(4, 3, 3, 3), output_padding=1)",
    "conv_transpose1d(t(2, 4, 5), t(4, 3, 3), output_padding=1)",
    "conv_transpose3d(t(2, 4, 5, 5, 5), t(4, 3, 3, 3, 3), output_padding=1)",
    "conv_transpose2d(t(2, 4, 5, 5), t(4, 3, 3, 3), output_padding=-1)",
    "conv_transpose2d(t(2, 4, 5, 5), t(4, 3, 3, 3), t(4))",
    "conv_transpose2d(t(2, 4, 5, 5).double(), t(4, 3, 3, 3).double(), padding=4)",
    "conv_transpose2d(t(2, 4, 5, 5), t(4, 3, 3, 3), padding='same')",
    "conv_transpose2d(t(2, 4, 5, 5), t(4, 3, 3, 3), groups=3)",
    "conv_transpose1d(t(2, 4, 5).int(), t(4, 3, 3).int())",
    "unfold(t(2, 3), 2)", "unfold(t(1, 2, 4, 4), 5)", "unfold(t(1, 2, 4, 4), 2, stride=0)",
    "unfold(t(1, 2, 4, 4), 0)", "unfold(t(1, 2, 4, 4), 2, dilation=0)",
    "unfold(t(1, 2, 4, 4), 2, padding=-1)", "unfold(t(1, 2, 4, 4), (2, 2, 2))",
    "unfold(t(1, 0, 4, 4), 2)", "unfold(t(1, 2, 4, 4).long(), 2)", "unfold([1], 2)",
    "fold(t(1, 8, 9), (4, 4), 3)", "fold(t(1, 8, 8), (4, 4), 2)", "fold(t(1, 7, 9), (4, 4), 2)",
    "fold(t(8), (4, 4), 2)", "fold(t(1, 8, 9), (4, 4, 4), 2)",
    "fold(t(1, 8, 9), (4, 4), 2, stride=0)", "fold(t(1, 8, 9), (1, 1), 2)",
    "fold(t(1, 8, 9).long(), (4, 4), 2)", "bilinear(t(2, 3), t(2, 4), t(5, 3, 5))",
    "bilinear(t(2, 3), t(3, 4), t(5, 3, 4))", "bilinear(t(2, 4), t(2, 4), t(5, 3, 4))",
    "bilinear(t(2, 3), t(2, 2, 4), t(5, 3, 4))", "bilinear(t(2, 3), t(2, 4), t(5, 3, 4), t(4))",
    "bilinear(t(2, 3), t(2, 4), t(5, 3, 4).double())", "bilinear(t(2, 3), t(2, 4), t(5, 3))",
    "bilinear(t(2, 3), t(2, 4), [1])",
]  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes(mistake: str) -> None:
    same(mistake.replace("t(", "torch.ones(").replace("conv", "torch.nn.functional.conv").replace(
        "unfold(", "torch.nn.functional.un_fold(").replace("fold(", "torch.nn.functional.fold(")
        .replace("torch.nn.functional.un_torch.nn.functional.fold", "torch.nn.functional.unfold")
        .replace("bilinear(", "torch.nn.functional.bilinear("))  # fmt: skip


@pytest.mark.parametrize(
    "call",
    ["conv2d([1], w)", "conv2d(x, [1])", "conv2d(x, w, [1])", "conv2d(x, w, stride='a')",
     "conv2d(x, w, groups=1.0)", "conv2d()", "conv2d(x, w, stride=None)"],
)  # fmt: skip
def test_arguments_of_a_wrong_type(call: str) -> None:
    for torch in LIBRARIES:
        names = {"conv2d": torch.conv2d, "x": torch.ones(1, 1, 3, 3), "w": torch.ones(1, 1, 2, 2)}
        with pytest.raises(TypeError, match="conv2d"):
            eval(call, names)


@on_both
def test_empty_batch(torch: Any, log: Any) -> None:
    F = torch.nn.functional
    x = torch.ones(0, 3, 5, 5, requires_grad=True)
    w = torch.ones(4, 3, 3, 3, requires_grad=True)
    out = F.conv2d(x, w)
    log(out, *torch.autograd.grad(out.sum(), (x, w)))
    log(F.conv_transpose1d(torch.ones(0, 4, 5), torch.ones(4, 3, 2)))
    log(F.unfold(torch.ones(0, 2, 4, 4), 2), F.fold(torch.ones(0, 8, 9), 4, 2))


@pytest.mark.parametrize(
    "sizes",
    ["2", "(2, 3)", "2, dilation=2", "3, padding=1", "(3, 2), 1, (1, 0), (2, 1)", "2, 1, 0, 2"],
)
@pytest.mark.parametrize("batch", [(), (2,)], ids=["one", "batch"])
def test_unfold_and_fold(sizes: str, batch: tuple[int, ...]) -> None:
    x = reals(*batch, 2, 5, 6).astype(np.float64)
    same(f"torch.nn.functional.unfold(x, {sizes})", x=x)
    program = f"y = torch.nn.functional.unfold(x, {sizes}); torch.nn.functional.fold(y * y, (5, 6), {sizes})"
    same(program, x=x, ulps=2)


def test_unfold_of_bool() -> None:
    same("torch.nn.functional.unfold(x, 2, padding=1)", x=np.arange(32).reshape(1, 2, 4, 4) % 3 > 0)


@pytest.mark.parametrize("batch", [(), (3,), (2, 3), (0,)])
def test_bilinear(batch: tuple[int, ...]) -> None:
    rng = np.random.default_rng(3)
    shapes = {"input1": (*batch, 2), "input2": (*batch, 4), "weight": (3, 2, 4), "bias": (3,)}
    same_derivatives("bilinear", {n: rng.standard_normal(s) for n, s in shapes.items()})
