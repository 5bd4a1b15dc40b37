"""The CUDA device, held by a stand-in for CuPy (stand_in.py): the same results as on the CPU, on the
right device, without a copy between devices that nobody asked for. What only a GPU can show is
listed in docs/gpu.md; on a machine that has one these tests run on it instead."""

from __future__ import annotations

import copy
import io
import pickle
from collections.abc import Callable, Iterator
from typing import Any

import device_db
import numpy as np
import op_db
import pytest
import stand_in

import minigrad as torch
from minigrad import gpu, nn, optim
from minigrad.nn import functional as F

Model = Callable[[], nn.Module]
CUDA = "cuda"


@pytest.fixture(autouse=True)
def cuda() -> Iterator[None]:
    with device_db.device():
        yield


def tensor(*values: float, **options: Any) -> Any:
    return torch.tensor(list(values), device=CUDA, **options)


def waits(call: Callable[[], Any]) -> list[str]:
    """What the host waited for during a call."""
    before = len(stand_in.synchronisations)
    call()
    return stand_in.synchronisations[before:]


# --- the stand-in itself -------------------------------------------------------------------------


@pytest.mark.skipif(bool(gpu.cupy()), reason="a GPU is there, and CuPy itself answers")
@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.asarray(x),
        lambda x: x + np.ones(3),
        lambda x: np.ones(3) + x,
        lambda x: x + np.array(1.0),
        lambda x: np.concatenate([x, np.ones(3)]),
        lambda x: np.add(x, x, out=np.ones(3)),
        lambda x: x[np.array([0])],
        lambda x: np.ones(3)[x.astype(np.int64)],
        lambda x: np.maximum.reduce(x),
        lambda x: np.sum(x, initial=1.0),
        lambda x: x.max(where=x > 0),
        lambda x: np.ones(3, like=x),
        lambda x: np.lib.stride_tricks.as_strided(x, (1,), (8,)),
        lambda x: x.sum(where=x > 0),
        lambda x: x.item(0),
        lambda x: np.bitwise_or(x, x),
    ],
)
def test_what_cupy_refuses_the_stand_in_refuses(call):
    x = stand_in.asarray(np.arange(3.0))
    with pytest.raises((TypeError, NotImplementedError, AttributeError)):
        call(x)


def test_results_without_dimensions_are_arrays():
    x = stand_in.asarray(np.arange(3.0))
    assert isinstance(x.sum(), stand_in.ndarray)
    assert isinstance(np.add.reduce(x), stand_in.ndarray)
    assert isinstance(x[0], stand_in.ndarray)
    assert x[1:].base is x


# --- devices -------------------------------------------------------------------------------------


def test_there_is_a_device():
    assert torch.cuda.is_available()
    assert torch.cuda.device_count() >= 1
    assert str(torch.device(CUDA)) == "cuda"
    assert str(tensor(1.0).device) == "cuda:0"
    assert torch.accelerator.current_accelerator().type == CUDA
    with pytest.raises(RuntimeError, match="invalid device ordinal"):
        torch.ones(1, device="cuda:99")


def test_moving():
    x = torch.ones(2, requires_grad=True)
    y = x.to(CUDA)
    assert y.is_cuda
    assert y.get_device() == 0
    assert y.grad_fn.name() == "ToCopyBackward0"
    assert y.cuda() is y
    assert y.to("cuda:0") is y
    assert x.cpu() is x
    assert y.type() == "torch.cuda.FloatTensor"
    (y * 3).sum().backward()
    assert x.grad.device.type == "cpu"
    assert x.grad.tolist() == [3.0, 3.0]
    half = y.detach().to("cpu", torch.float16)
    assert (half.device.type, half.dtype) == ("cpu", torch.float16)
    assert torch.zeros(2).copy_(y).device.type == "cpu"


def test_numpy_has_to_be_asked_for_on_the_cpu():
    with pytest.raises(TypeError, match="can't convert cuda:0 device type tensor to numpy"):
        tensor(1.0).numpy()
    assert tensor(1.0).numpy(force=True).tolist() == [1.0]


@pytest.mark.parametrize(
    "call",
    [
        lambda a, b: a + b,
        lambda a, b: b * a,
        lambda a, b: a @ b,
        lambda a, b: b @ a,
        lambda a, b: torch.cat([a, b]),
        lambda a, b: F.linear(a, b),
        lambda a, b: F.mse_loss(a, b),
        lambda a, b: torch.where(a > 0, a, b),
        lambda a, b: a.add_(b),
        lambda a, b: torch.stack([b, a]),
        lambda a, b: torch.maximum(a, b),
    ],
)
def test_mixed_devices_are_an_error_in_pytorchs_words(call):
    with pytest.raises(
        RuntimeError, match="same device, but found at least two devices, cuda:0 and cpu!"
    ):
        call(torch.ones(2, 2, device=CUDA), torch.ones(2, 2))


def test_numbers_of_the_cpu_may_meet_a_gpus_tensors():
    s = torch.tensor(2.0, requires_grad=True)
    x = tensor(1.0, 2.0, requires_grad=True)
    y = (x * s + s).sum()
    y.backward()
    assert y.device.type == CUDA
    assert x.grad.device.type == CUDA
    assert s.grad.device.type == "cpu"
    assert s.grad.item() == 5.0
    assert x.grad.tolist() == [2.0, 2.0]
    assert x[torch.tensor([1])].tolist() == [2.0]  # an index of the CPU too


def test_printing():
    x = torch.tensor([[1.0, 2.5]], device=CUDA, requires_grad=True)
    assert repr(x) == "tensor([[1.0000, 2.5000]], device='cuda:0', requires_grad=True)"
    assert repr(x.sum()) == "tensor(3.5000, device='cuda:0', grad_fn=<SumBackward0>)"
    assert f"{x.sum():.2f}" == "3.50"


FACTORIES = [
    lambda **k: torch.zeros(2, **k),
    lambda **k: torch.ones(2, **k),
    lambda **k: torch.empty(2, **k),
    lambda **k: torch.full((2,), 3.0, **k),
    lambda **k: torch.eye(2, **k),
    lambda **k: torch.arange(3, **k),
    lambda **k: torch.linspace(0, 1, 3, **k),
    lambda **k: torch.tensor([1.0], **k),
    lambda **k: torch.as_tensor(np.ones(2), **k),
    lambda **k: torch.as_tensor(torch.ones(2), **k),
    lambda **k: torch.asarray([1.0], **k),
    lambda **k: torch.tril_indices(2, 2, **k),
    lambda **k: torch.triu_indices(2, 2, **k),
    lambda **k: torch.zeros_like(torch.ones(2), **k),
    lambda **k: torch.rand(2, **k),
    lambda **k: torch.randn(2, **k),
    lambda **k: torch.randint(0, 5, (2,), **k),
    lambda **k: torch.randperm(4, **k),
    lambda **k: nn.Linear(2, 2, **k).weight,
    lambda **k: nn.Parameter(torch.ones(2, **k)),
]


@pytest.mark.parametrize("make", FACTORIES)
def test_factories(make):
    assert str(make(device=CUDA).device) == "cuda:0"
    assert make().device.type == "cpu"


def test_new_tensors_are_beside_theirs():
    x = tensor(1.0, 2.0)
    made = [
        x.new_zeros(2),
        x.new_tensor([1.0]),
        x.new_full((1,), 2.0),
        torch.ones_like(x),
        x.clone(),
    ]
    assert all(t.is_cuda for t in [*made, torch.rand_like(x), copy.deepcopy(x[1:])])


def test_saving_keeps_the_device_and_may_be_told_another():
    x = torch.arange(4, device=CUDA)
    file = io.BytesIO()
    torch.save({"x": x, "part": x[1:]}, file)
    file.seek(0)
    loaded = torch.load(file)
    assert loaded["x"].is_cuda
    assert loaded["part"].tolist() == [1, 2, 3]
    loaded["x"][1] = 9
    assert loaded["part"][0].item() == 9  # one memory, as before
    file.seek(0)
    assert torch.load(file, map_location="cpu")["x"].device.type == "cpu"
    assert pickle.loads(pickle.dumps(x)).is_cuda


def test_pinned_memory():
    x = torch.arange(4).pin_memory()
    assert x.is_pinned()
    assert not torch.arange(4).is_pinned()
    assert x.tolist() == [0, 1, 2, 3]
    data = torch.utils.data.TensorDataset(torch.arange(4))
    loader = torch.utils.data.DataLoader(data, batch_size=2, pin_memory=True)
    assert all(batch.is_pinned() for (batch,) in loader)


# --- random numbers ------------------------------------------------------------------------------


def test_seeds():
    draws = []
    for seed in (torch.manual_seed, torch.cuda.manual_seed, torch.cuda.manual_seed_all):
        seed(5)
        draws.append(torch.rand(4, device=CUDA).tolist())
    assert draws[0] == draws[1] == draws[2]
    state = torch.cuda.get_rng_state()
    then = torch.randn(3, device=CUDA)
    torch.cuda.set_rng_state(state)
    assert torch.equal(torch.randn(3, device=CUDA), then)
    assert state.shape == (16,)
    assert torch.cuda.initial_seed() == 5


def test_the_numbers_are_philox_s():
    """The first numbers of `torch.rand` after seed 0 on a GPU, as published (test_random_philox.py)."""
    from minigrad.random_philox import PhiloxGenerator

    torch.cuda.manual_seed(0)
    philox = PhiloxGenerator(0)
    assert torch.rand(5, device=CUDA).tolist() == philox.uniform(5).tolist()
    assert torch.randn(5, device=CUDA).tolist() == philox.normal(5).tolist()
    assert torch.randint(0, 9, (5,), device=CUDA).tolist() == philox.integers(5, 0, 9).tolist()
    assert torch.randperm(7, device=CUDA).tolist() == philox.permutation(7).tolist()
    flips = torch.zeros(5, device=CUDA).bernoulli_(0.3)
    assert flips.tolist() == philox.bernoulli(5, 0.3).astype(float).tolist()


def test_generators():
    g = torch.Generator(CUDA).manual_seed(3)
    assert isinstance(g, torch.Generator)
    assert str(g.device) == "cuda:0"
    a = torch.rand(2, device=CUDA, generator=g)
    assert torch.equal(a, torch.rand(2, device=CUDA, generator=g.manual_seed(3)))
    with pytest.raises(RuntimeError, match="generator"):
        torch.rand(2, device=CUDA, generator=torch.Generator())


@pytest.mark.parametrize("draw", ["exponential_", "cauchy_", "log_normal_", "normal_", "uniform_"])
def test_distributions_lie_where_the_cpus_do(draw):
    torch.manual_seed(1)
    there, here = torch.empty(4000, device=CUDA), torch.empty(4000)
    getattr(there, draw)(), getattr(here, draw)()
    a, b = there.cpu().median().item(), here.median().item()
    assert there.is_cuda
    assert abs(a - b) < 0.2 * (1 + abs(b))


# --- training ------------------------------------------------------------------------------------


class Recurrent(nn.Module):
    def __init__(self, cell: Any) -> None:
        super().__init__()
        self.embedding, self.head = nn.Embedding(10, 6), nn.Linear(5, 3)
        self.cell = cell(6, 5, batch_first=True)

    def forward(self, x: Any) -> Any:
        return self.head(self.cell(self.embedding(x))[0][:, -1])


IMAGES = "images", (4, 3, 8, 8)
ROWS, WORDS, SEQUENCES = ("rows", (8, 4)), ("words", (8, 5)), ("sequences", (8, 5, 4))
MODELS: dict[str, tuple[Model, tuple[str, tuple[int, ...]]]] = {
    "linear": (lambda: nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 3)), ROWS),
    "smooth": (lambda: nn.Sequential(nn.LayerNorm(4), nn.GELU(), nn.Linear(4, 3)), ROWS),
    "convolutions": (lambda: nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(64, 3)), IMAGES),
    "strides": (lambda: nn.Sequential(
        nn.Conv2d(3, 4, 3, stride=2), nn.LeakyReLU(), nn.AvgPool2d(2), nn.ConvTranspose2d(4, 2, 2),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 3)), IMAGES),
    "groups": (lambda: nn.Sequential(
        nn.Conv2d(3, 4, 1), nn.GroupNorm(2, 4), nn.SiLU(), nn.Flatten(), nn.Linear(256, 3)), IMAGES),
    "rnn": (lambda: Recurrent(nn.RNN), WORDS), "lstm": (lambda: Recurrent(nn.LSTM), WORDS),
    "gru": (lambda: Recurrent(nn.GRU), WORDS),
    "transformer": (lambda: nn.Sequential(
        nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, batch_first=True), nn.Flatten(),
        nn.Linear(20, 3)), SEQUENCES),
}  # fmt: skip
OPTIMIZERS: dict[str, Callable[..., Any]] = {
    "SGD": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
    "Adam": lambda p: optim.Adam(p, lr=0.01), "AdamW": lambda p: optim.AdamW(p, lr=0.01),
    "RMSprop": lambda p: optim.RMSprop(p, lr=0.01, momentum=0.5),
    "Adagrad": lambda p: optim.Adagrad(p, lr=0.01), "Adadelta": lambda p: optim.Adadelta(p),
    "Adamax": lambda p: optim.Adamax(p), "NAdam": lambda p: optim.NAdam(p),
    "RAdam": lambda p: optim.RAdam(p), "Rprop": lambda p: optim.Rprop(p),
    "ASGD": lambda p: optim.ASGD(p),
}  # fmt: skip


def trained(model: nn.Module, optimizer: Any, x: Any, y: Any, device: str) -> nn.Module:
    """A copy of the model after three steps of training on a device."""
    model = copy.deepcopy(model).to(device)
    x, y = x.to(device), y.to(device)
    steps = optimizer(model.parameters())
    for _ in range(3):
        steps.zero_grad()
        F.cross_entropy(model(x), y).backward()
        steps.step()
    assert all(p.device.type == p.grad.device.type == device for p in model.parameters())
    return model


def agree(one: nn.Module, other: nn.Module, rtol: float) -> None:
    for (name, a), b in zip(one.state_dict().items(), other.state_dict().values(), strict=True):
        np.testing.assert_allclose(
            b.cpu().numpy(), a.numpy(), rtol=rtol, atol=rtol / 10, err_msg=name
        )


def same_training(model: nn.Module, optimizer: Any, kind: tuple[str, Any]) -> None:
    torch.manual_seed(0)
    name, shape = kind
    x = torch.randint(0, 10, shape) if name == "words" else torch.randn(*shape)
    y = torch.randint(0, 3, shape[:1])
    here = trained(model, optimizer, x, y, "cpu")
    there: list[nn.Module] = []
    waited = waits(lambda: there.append(trained(model, optimizer, x, y, CUDA)))
    assert waited == [], "forward, backward and step never wait for the GPU"
    agree(here, there[0], 2e-4)


@pytest.mark.parametrize("name", MODELS)
def test_training_is_the_same(name):
    torch.manual_seed(3)
    make, kind = MODELS[name]
    same_training(make(), OPTIMIZERS["SGD"], kind)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers_are_the_same(name):
    torch.manual_seed(3)
    make, kind = MODELS["linear"]
    same_training(make(), OPTIMIZERS[name], kind)


def test_dropout_and_state_live_on_the_device():
    layer = nn.Sequential(nn.Linear(3, 3), nn.Dropout(0.5), nn.BatchNorm1d(3)).to(CUDA)
    out = layer(torch.ones(4, 3, device=CUDA))
    out.sum().backward()
    assert out.is_cuda
    assert layer[2].num_batches_tracked.is_cuda
    assert layer[2].running_mean.is_cuda
    layer.cpu()
    assert not layer[2].num_batches_tracked.is_cuda
    assert not layer[0].weight.grad.is_cuda
    layer.cuda().load_state_dict(layer.cpu().state_dict())


def test_what_waits_and_what_does_not():
    x = tensor(1.0, 2.0, requires_grad=True)
    assert waits(lambda: (x * 2 + 1).exp().mean().backward()) == []
    assert waits(lambda: torch.where(x > 1, x, 0.0).clamp(0, 1).softmax(0)) == []
    if isinstance(x._array, stand_in.ndarray):
        assert waits(lambda: x.sum().item()) == ["item"]
        assert waits(lambda: repr(x)) == ["get"]


def test_second_derivatives():
    x = tensor(2.0, 3.0, requires_grad=True)
    (first,) = torch.autograd.grad((x**3).sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), x)
    assert second.is_cuda
    assert second.tolist() == [12.0, 18.0]


def test_views_and_writing_in_place():
    x = torch.zeros(2, 3, device=CUDA, requires_grad=True)
    y = x.clone()
    y[0] = 5.0
    y.T[1].mul_(2)
    y.view(-1)[1:3].add_(1)
    y.sum().backward()
    assert y.tolist() == [[5.0, 11.0, 6.0], [0.0, 0.0, 0.0]]
    assert x.grad.tolist() == [[0.0, 0.0, 0.0], [1.0, 2.0, 1.0]]


# --- PyTorch's operator database -----------------------------------------------------------------

EVERYWHERE = [
    "add", "mul", "sub", "div", "pow", "exp", "log", "sqrt", "tanh", "sigmoid",
    "nn.functional.relu", "nn.functional.gelu", "sum", "mean", "prod", "amax", "var", "std",
    "cumsum", "cummax", "logsumexp", "sort", "topk", "argmax", "matmul", "mm", "bmm", "addmm",
    "linalg.inv", "linalg.solve", "linalg.qr", "linalg.svd", "linalg.eigh", "einsum", "reshape",
    "permute", "cat", "stack", "index_select", "gather", "scatter_add", "index_put",
    "masked_fill", "where", "softmax", "log_softmax", "nn.functional.cross_entropy",
    "nn.functional.conv2d", "nn.functional.conv_transpose2d", "nn.functional.max_pool2d",
    "nn.functional.avg_pool2d", "nn.functional.layer_norm", "nn.functional.batch_norm",
    "nn.functional.embedding", "nn.functional.mse_loss", "nn.functional.nll_loss",
    "nn.functional.interpolate", "nn.functional.pad", "nn.functional.ctc_loss",
    "nn.functional.scaled_dot_product_attention", "unfold", "as_strided", "diagonal",
    "__getitem__", "unique", "nonzero", "repeat_interleave", "histogram", "quantile",
]  # fmt: skip


@pytest.mark.parametrize("name", EVERYWHERE)
def test_ops_give_on_the_device_what_they_give_on_the_cpu(name):
    entries = op_db.wanted([name])
    assert entries
    for entry in entries:
        passed, failed = device_db.run(entry)
        assert passed
        assert not failed, f"{entry}: {failed[0]}"


# --- found by the ordinary tests on a device (`pytest --device cuda`) -----------------------------


def test_a_data_loader_over_a_gpus_tensors():
    data = torch.utils.data.TensorDataset(torch.arange(6.0, device=CUDA))
    batches = [batch for (batch,) in torch.utils.data.DataLoader(data, batch_size=4)]
    assert [b.tolist() for b in batches] == [[0, 1, 2, 3], [4, 5]]
    assert all(b.is_cuda for b in batches)


def test_packed_sequences():
    x = torch.arange(12.0).reshape(3, 2, 2)
    rnn = nn.utils.rnn
    here, there = (rnn.pack_padded_sequence(v, [1, 3], enforce_sorted=False) for v in (x, x.cuda()))
    for packed in (there, here.to(CUDA)):
        assert packed.data.tolist() == here.data.tolist()
        assert [t.device.type for t in packed] == [CUDA, "cpu", CUDA, CUDA]
    padded, lengths = rnn.pad_packed_sequence(there)
    assert (padded.is_cuda, lengths.is_cuda, lengths.tolist()) == (True, False, [1, 3])
    with pytest.raises(RuntimeError, match="1D CPU int64 tensor, but got 1D cuda Long tensor"):
        rnn.pack_padded_sequence(x.cuda(), torch.tensor([3, 1], device=CUDA))


def test_gradcheck_and_gradients_that_are_missing():
    class Product(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx, grad):
            return 2 * grad * ctx.saved_tensors[0]

    x = tensor(1.0, 2.0, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(Product.apply, x)


def test_the_default_device_does_not_move_what_is_made_like_a_tensor():
    x = torch.ones(2)
    with torch.device(CUDA):
        like = torch.zeros_like(x), x.new_zeros(2), torch.rand_like(x), torch.FloatTensor([1.0])
        assert not any(t.is_cuda for t in like)
        assert torch.as_tensor(np.ones(2)).is_cuda
        assert torch.as_tensor(x).is_cuda
        assert not torch.as_tensor([1.0], device="cpu").is_cuda
        assert torch.as_tensor(x, device="cpu") is x
    assert torch.zeros(2, out=tensor(1.0, 1.0)).is_cuda


def test_storages_and_rates_that_are_tensors():
    x = tensor(1.0, 2.0, 3.0)
    assert (x[1:].untyped_storage().nbytes(), str(x.untyped_storage().device)) == (12, "cuda:0")
    x.requires_grad_().sum().backward()
    optim.SGD([x], lr=tensor(0.5)[0]).step()
    optim.Adafactor([x], eps=(None, 1e-3)).step()
    assert x.is_cuda
