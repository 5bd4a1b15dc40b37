"""Branches that ordinary programs do not take: sizes of one, memory that begins elsewhere, equal
inputs of attention, one of two arguments alone, one thing nested in itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from both import on_both
from oracle import LIBRARIES, reals, same

import minigrad


@on_both
@pytest.mark.parametrize("begin", [0, 3])
@pytest.mark.parametrize("index", ["[2:5]", "[1]", "[::2]", "[0:0]", "[-2:]"])
def test_a_base_that_begins_inside_of_its_memory(
    torch: Any, log: Any, begin: int, index: str
) -> None:
    base = torch.from_numpy(np.arange(12.0)[begin:])
    view = eval(f"base{index}", {"base": base})
    w = torch.ones(view.shape, dtype=torch.float64, requires_grad=True)
    view.mul_(w * 3)
    log(base, view, view.storage_offset(), base.storage_offset() - view.storage_offset())
    (base * torch.arange(len(base))).sum().backward()
    log(w.grad)
    log.graph(base)


# -- attention -----------------------------------------------------------------------------------


def inputs_of_attention() -> dict[str, Any]:
    made = {"cq": reals(4, 2, 6), "ck": reals(5, 2, 6, seed=1), "cv": reals(5, 2, 6, seed=2)}
    made |= {"same": reals(4, 2, 6, seed=3), "w": reals(18, 6, seed=4), "b": reals(18, seed=5)}
    return made | {"o": reals(6, 6, seed=6), "bk": reals(1, 1, 6), "bv": reals(1, 1, 6, seed=1)}


INPUTS = (
    "cq, cq, cq",
    "cq, ck, ck",
    "cq, ck, cv",
    "cq, cq, same",
    "same, cq, same",
    "same, same, same",
)
BIASES = ("None, None", "bk, bv", "bk, None", "None, bv")


@pytest.mark.parametrize("inputs", INPUTS)
@pytest.mark.parametrize("biases", BIASES)
def test_attention_of_equal_inputs_and_with_one_bias(inputs: str, biases: str) -> None:
    """Values, gradients and nodes: equal inputs share one product of matrices."""
    for zeros, bias, weights in ((False, "b", True), (True, "None", False), (False, "b", False)):
        program = (
            f"torch.nn.functional.multi_head_attention_forward({inputs}, 6, 2, w, {bias}, {biases}, "
            f"{zeros}, 0.0, o, None, need_weights={weights})"
        )
        same(program, ulps=1 << 20, order=1, grad_ulps=1 << 12, **inputs_of_attention())


@on_both
@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("shape", [(3, 4, 2), (4, 3, 2), (4, 4, 2), (4, 2), (3, 2)])
def test_which_size_says_whether_a_mask_is_causal(
    torch: Any, log: Any, batch_first: bool, shape: tuple[int, ...]
) -> None:
    """A layer that only notes what it is told."""

    class Layer(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.self_attn = torch.nn.MultiheadAttention(2, 1, batch_first=batch_first)

        def forward(self, x: Any, *memory: Any, **given: Any) -> Any:
            log(
                len(memory),
                [(k, v if isinstance(v, bool) else v is None) for k, v in sorted(given.items())],
            )
            return x

    x, transformer = torch.ones(shape), torch.nn.Transformer
    for size in (3, 4):
        mask = transformer.generate_square_subsequent_mask(size)
        for given in (None, True, False):
            encoder = torch.nn.TransformerEncoder(Layer(), 1, enable_nested_tensor=False)
            encoder(x, mask, is_causal=given)
            decoder = torch.nn.TransformerDecoder(Layer(), 1)
            decoder(x, x, tgt_mask=mask, tgt_is_causal=given)


# -- sizes of one, of none, and what is alone ----------------------------------------------------

PROGRAMS = [
    *(f"F.multilabel_margin_loss(x[:, :1], torch.tensor({t}), reduction='{r}')"
      for t in ("[[-1], [0], [-1]]", "[[0], [0], [0]]") for r in ("none", "mean")),
    "F.multilabel_margin_loss(x[0, :1], torch.tensor([-1]))",
    "torch.kthvalue(x[0, 0], 1)", "torch.kthvalue(x[0, 0], 2)", "torch.kthvalue(x[0, 0], 0)",
    "torch.topk(x[0, 0], 2)", "torch.topk(x[0, 0], 1)", "torch.topk(x[0, 0], 0)",
    *(f"F.instance_norm(w, {mean}, {var}, use_input_stats={use})" for mean in ("None", "cm")
      for var in ("None", "cm.abs()") for use in (True, False)),
    *(f"torch.instance_norm(w, None, None, {mean}, {var}, {use}, 0.1, 1e-5, False)" for mean in ("None", "cm")
      for var in ("None", "cm.abs()") for use in (True, False)),
    *(f"F.batch_norm(w, {mean}, {var}, training={use})" for mean in ("None", "cm")
      for var in ("None", "cm.abs()") for use in (True, False)),
    *(f"torch.linalg.cond(torch.tensor({rows}), {p})" for rows in ("[[1.0, 2], [2, 4]]", "[[0.0, 1], [0, 4]]")
      for p in ("1", "-1", "float('inf')", "-float('inf')", "'fro'")),
    *(f"torch.linalg.{name}(a[{i}], b[{j}])" for name in ("solve", "lstsq") for i, j in (
      ("0, 0", "0, 0"), ("0, 0", "0, 0, :, 0"), ("0", "0, :, :, 0"), ("0", "0"), ("0", "0, :, :2, 0"),
      ("0:0", "0:0"), ("0, 0", "0, 0, :2"), ("0", "0, :, 0"))),
    *(f"torch.linalg.solve(a[{i}], b[{j}].mT, left=False)" for i, j in (
      ("0, 0", "0, 0"), ("0", "0, :, :, 0"), ("0", "0"))),
    "x[[0, 1], [0, 1, 2]].sum()", "x.detach()[[0, 1], [0, 1, 2]].sum()",
    "x.detach()[:, [0, 1], [0, 1, 2]]", "torch.histogram(m.detach())", "torch.histogram(m.detach(), density=True)",
]  # fmt: skip


@pytest.mark.parametrize("program", PROGRAMS)
def test_sizes_of_one_and_one_of_two_arguments(program: str) -> None:
    inputs = {"x": reals(3, 4), "w": reals(2, 3, 4, seed=1), "m": reals(3, seed=2), "cm": reals(3)}
    inputs |= {"ca": reals(2, 2, 3, 3) + 4 * np.eye(3), "cb": reals(2, 2, 3, 2, seed=3)}
    line = program.replace("F.", "torch.nn.functional.")
    line = line.replace("a[", "ca[").replace("b[", "cb[")
    same(line, ulps=1 << 8, order=1, grad_ulps=1 << 10, **inputs)


@on_both
def test_what_is_wrong_first_in_a_write(torch: Any, log: Any) -> None:
    """That the leaf may not be written comes before what does not fit."""
    x = torch.ones(3, 3, requires_grad=True)
    for index in (([0, 1], [0, 1, 2]), ([5], [0]), [0, 1], [True, False]):
        log.error(x.__setitem__, index, 1.0)
        log.error(x.detach().__setitem__, index, 1.0)


# -- nested blocks -------------------------------------------------------------------------------


@on_both
def test_nested_caches_of_parametrizations(torch: Any, log: Any) -> None:
    """What was computed is forgotten behind the outermost block, not before and not later."""
    parametrize = __import__(f"{torch.__name__}.nn.utils.parametrize", fromlist=["x"])

    class Twice(torch.nn.Module):
        calls = 0

        def forward(self, x: Any) -> Any:
            Twice.calls += 1
            return 2 * x

    layer = torch.nn.Linear(1, 1)
    parametrize.register_parametrization(layer, "weight", Twice())
    original = layer.parametrizations.weight.original
    for value in (3.0, 5.0):
        torch.nn.init.constant_(original, value)
        with parametrize.cached():
            log(layer.weight, Twice.calls)
            with parametrize.cached():
                log(layer.weight, Twice.calls)
                torch.nn.init.constant_(original, value + 1)
            log(layer.weight, Twice.calls)
        log(layer.weight, Twice.calls)


@on_both
def test_a_module_that_is_there_twice(torch: Any, log: Any) -> None:
    shared = torch.nn.Linear(1, 1)
    net = torch.nn.Sequential(shared, torch.nn.Sequential(shared), shared)
    log([name for name, _ in net.named_modules()], len(list(net.modules())))
    for name in ("named_modules", "named_parameters", "named_buffers"):
        for choice in (True, False):
            log([path for path, _ in getattr(net, name)(remove_duplicate=choice)])
            log([path for path, _ in getattr(net, name)(prefix="p", remove_duplicate=choice)])
    log([name for name, _ in net.named_children()], len(list(net.children())))


# -- rounding, and a gradient that PyTorch has not -------------------------------------------------


def test_evenly_spaced_numbers_to_the_last_bit() -> None:
    """PyTorch counts the first half from the start and the second from the end."""
    for start, end in ((0.1, 0.7), (-1 / 3, 5.1), (2.3, -7.7), (-5, 9), (100, 7)):
        for steps in range(1, 24):
            theirs, ours = (
                library.linspace(start, end, steps, dtype=library.float32).tolist()
                for library in LIBRARIES
            )
            assert ours == theirs, (start, end, steps)


def test_the_backward_of_an_embedding_scales_its_own_gradient() -> None:
    """Linear in what comes in: its derivative has the same factors (PyTorch leaves them out)."""
    index = minigrad.tensor([[2, 0], [2, 2]])
    weight = minigrad.tensor(reals(3, 2), requires_grad=True)
    out = minigrad.nn.functional.embedding(index, weight, scale_grad_by_freq=True)
    grad = minigrad.tensor(reals(2, 2, 2), requires_grad=True)
    (found,) = minigrad.autograd.grad(out, weight, grad, create_graph=True)
    u = minigrad.tensor(reals(3, 2, seed=1))
    (back,) = minigrad.autograd.grad(found, grad, u)
    share = np.array([1.0, 1.0, 1 / 3])[:, None] * u.numpy()
    np.testing.assert_allclose(back.numpy(), share[index.numpy()], rtol=1e-12)


@pytest.mark.parametrize("weight", [np.inf, -1.0, np.nan])
def test_prelu_at_zero(weight: float) -> None:
    same("torch.nn.functional.prelu(x, w)", order=1, x=np.zeros(2), w=np.array([weight]))


@on_both
def test_which_buffers_are_not_saved(torch: Any, log: Any) -> None:
    module = torch.nn.Module()
    for step in (
        "register_buffer('a', None, persistent=False)",
        "register_buffer('b', torch.ones(1), persistent=False)",
        "register_buffer('b', torch.ones(2))",
        "register_buffer('c', torch.ones(1), persistent=False)",
        "__delattr__('a')",
        "__setattr__('c', torch.ones(3))",
        "__delattr__('c')",
        "register_parameter('a', torch.nn.Parameter(torch.ones(1)))",
        "__delattr__('b')",
    ):
        eval(f"module.{step}", {"module": module, "torch": torch})
        log(step, list(module.state_dict()), sorted(module._non_persistent_buffers_set))
