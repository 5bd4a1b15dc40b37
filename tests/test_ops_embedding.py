"""Lookups in tables: values and gradients bit-equal to PyTorch's, and its errors."""

import numpy as np
import pytest
import torch
from both import on_both
from oracle import same

import minigrad

RNG = np.random.default_rng(0)
TABLE = RNG.standard_normal((7, 5)).astype(np.float32)
NUMBERS = np.array([[1, 2, 2], [0, 6, 2]])
FLAT = np.array([1, 2, 2, 0, 6, 2, 2])
OFFSETS = np.array([0, 0, 2, 5])


@pytest.mark.parametrize("options", ["", "padding_idx=2", "padding_idx=-1", "max_norm=1.0"])
@pytest.mark.parametrize(
    "numbers", [NUMBERS, NUMBERS[0], np.array(3), NUMBERS.astype(np.int32), NUMBERS[:0]]
)
def test_embedding(numbers: np.ndarray, options: str) -> None:
    same(f"torch.nn.functional.embedding(ci, w, {options})", ci=numbers, w=TABLE, grad_ulps=0)


def test_embedding_scaled_by_frequency() -> None:
    for padding in ("", ", padding_idx=2"):
        call = f"torch.nn.functional.embedding(ci, w, scale_grad_by_freq=True{padding})"
        same(call, ci=NUMBERS, w=TABLE, order=1)


@pytest.mark.parametrize("different", [1, 3, 50, 4000])
def test_gradients_are_added_in_the_order_of_occurrence(different: int) -> None:
    numbers = np.random.default_rng(1).integers(0, different, 600)
    table = np.random.default_rng(2).standard_normal((different, 3)).astype(np.float32)
    weights = np.random.default_rng(3).standard_normal((600, 3)).astype(np.float32)
    program = "(torch.nn.functional.embedding(ci, w) * cg).sum()"
    same(program, ci=numbers, w=table, cg=weights, order=1, grad_ulps=0, ulps=20)


@on_both
def test_norms_are_limited_in_place(torch, log):
    for norm_type in (1.0, 2.0, 3.0):
        w = torch.tensor(TABLE.tolist(), requires_grad=True)
        i = torch.tensor(NUMBERS.tolist())
        torch.nn.functional.embedding(i, w, max_norm=0.3, norm_type=norm_type).sum().backward()
        log(w, w.grad, w._version)
        torch.nn.functional.embedding_bag(i, w, max_norm=0.1, norm_type=norm_type).sum().backward()
        log(w, w.grad)
    log(torch.embedding_renorm_(torch.ones(4, 3), torch.tensor([1, 1, 2]), 0.1, 2.0))


@pytest.mark.parametrize(
    "call",
    [
        "embedding(torch.tensor([4, 9]), w)", "embedding(torch.tensor([-1]), w)",
        "embedding(torch.tensor([1.0]), w)", "embedding(torch.tensor([True]), w)",
        "embedding(torch.tensor([1]), w[0])", "embedding([1], w)",
        "embedding(torch.tensor([1]), w, padding_idx=9)",
    ],
)  # fmt: skip
def test_errors_of_embedding(call: str) -> None:
    same(f"torch.nn.functional.{call}", w=TABLE)


def test_sparse_gradients_are_refused() -> None:
    weight, numbers = minigrad.ones(4, 3), minigrad.tensor([[1, 2]])
    for call in (minigrad.nn.functional.embedding, minigrad.nn.functional.embedding_bag):
        with pytest.raises(NotImplementedError, match="with sparse=False the gradient is a dense"):
            call(numbers, weight, sparse=True)


@pytest.mark.parametrize("options", ["", "padding_idx=2", "padding_idx=-5", "max_norm=1.0"])
@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
def test_embedding_bag(mode: str, options: str) -> None:
    bag = "torch.nn.functional.embedding_bag"
    kept = {"w": TABLE, "ulps": 1, "order": 1}
    same(f"{bag}(ci, w, co, mode='{mode}', {options})", ci=FLAT, co=OFFSETS, **kept)
    same(f"{bag}(ci, w, mode='{mode}', {options})", ci=NUMBERS, **kept)
    last = np.array([0, 0, 2, 5, 7])
    program = f"{bag}(ci, w, co, mode='{mode}', include_last_offset=True, {options})"
    same(program, ci=FLAT, co=last, **kept)


def test_what_torch_embedding_bag_returns_beside_the_bags() -> None:
    for mode in range(3):
        same(
            f"torch.embedding_bag(w, ci, co, False, {mode})[0]",
            ci=FLAT,
            co=OFFSETS,
            w=TABLE,
            order=1,
        )
    same("torch.embedding_bag(w, ci, co, False, 1)[2]", ci=FLAT, co=OFFSETS, w=TABLE)
    same("torch.embedding_bag(w, ci, co, False, 2)[3]", ci=FLAT, co=OFFSETS, w=TABLE)


@pytest.mark.parametrize("options", ["", "padding_idx=2"])
def test_weights_of_samples(options: str) -> None:
    p = RNG.standard_normal(7).astype(np.float32)
    bag = "torch.nn.functional.embedding_bag"
    call = f"{bag}(ci, w, co, mode='sum', per_sample_weights=p, {options})"
    same(call, ci=FLAT, co=OFFSETS, w=TABLE, p=p, ulps=16, order=1)
    call = f"{bag}(ci, w, mode='sum', per_sample_weights=p, {options})"
    same(call, ci=NUMBERS, w=TABLE, p=p[:6].reshape(2, 3), ulps=16, order=1)


@pytest.mark.parametrize(
    "arguments",
    [
        "torch.tensor([1]), w", "torch.tensor([[[1]]]), w", "torch.tensor([[1]]), w, mode='x'",
        "torch.tensor([1, 2]), w, torch.tensor([1])", "torch.tensor([1, 2]), w, torch.tensor([0, 5])",
        "torch.tensor([1, 7]), w, torch.tensor([0, 1]), mode='max'",
        "torch.tensor([[1, 2]]), w, padding_idx=9", "torch.tensor([[1, 2]]), w[0]",
        "torch.tensor([1.0, 2]), w, torch.tensor([0])", "torch.tensor([1, 2]), w, torch.tensor([0.0])",
        "torch.tensor([[1, 2]]), w.long()",
        "torch.tensor([], dtype=torch.int64), w, torch.tensor([0, 0])",
        "torch.tensor([[1]]), w, per_sample_weights=torch.ones(1, 1)",
        "torch.tensor([[1]]), w, mode='sum', per_sample_weights=torch.ones(1)",
        "torch.tensor([[1]]), w, mode='sum', per_sample_weights=torch.ones(1, 1).double()",
        "torch.tensor([[1, 2]]), w, mode='max', scale_grad_by_freq=True",
    ],
)  # fmt: skip
def test_errors_of_embedding_bag(arguments: str) -> None:
    same(f"torch.nn.functional.embedding_bag({arguments})", w=TABLE, order=1)


@pytest.mark.parametrize("library", [torch, minigrad])
def test_an_embedding_bag_refuses_an_index_beyond_the_table(library) -> None:
    """PyTorch's sentence depends on the kernel that it picks; ours names index and range."""
    table = library.tensor(TABLE.tolist())
    with pytest.raises(RuntimeError, match=r"index_size|not in the valid range"):
        library.nn.functional.embedding_bag(library.tensor([1, 99]), table, library.tensor([0, 1]))


@pytest.mark.parametrize(
    "arguments",
    [
        "[[1, 2], [0, 1]]", "2", "[1, 2], 5", "[1, 2], num_classes=5", "[-1]", "[1, 5], 3", "[1.0]",
        "[1], 0", "[1], -2", "[]",
    ],
)  # fmt: skip
def test_one_hot(arguments: str) -> None:
    split = arguments.rfind("]") + 1 or 1
    numbers, rest = arguments[:split], arguments[split:]
    same(f"torch.nn.functional.one_hot(torch.tensor({numbers}){rest})")


@on_both
def test_modules(torch, log):
    torch.manual_seed(0)
    module = torch.nn.Embedding(5, 3, padding_idx=-1)
    log(repr(module), module.weight)
    numbers = torch.tensor([[1, 4], [1, 0]])
    out = module(numbers)
    out.pow(2).sum().backward()
    log(out, module.weight.grad)
    bag = torch.nn.EmbeddingBag(5, 3, mode="max", padding_idx=1)
    log(repr(bag), bag.weight, bag(numbers))
    frozen = torch.nn.Embedding.from_pretrained(torch.eye(3), padding_idx=0)
    log(repr(frozen), frozen.weight, frozen(torch.tensor([0, 2])))
    log.error(torch.nn.Embedding, 3, 2, 7)
    log.error(torch.nn.Embedding.from_pretrained, torch.ones(3))
    log.error(torch.nn.Embedding, 3, 2, _weight=torch.ones(2, 2))
    print_options = torch.nn.Embedding(3, 2, max_norm=1.0, norm_type=1.0, scale_grad_by_freq=True)
    log(repr(print_options))
