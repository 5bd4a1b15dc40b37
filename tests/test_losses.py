"""The losses beside PyTorch: values, gradients, graphs, reductions, warnings and errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from both import on_both
from oracle import check_gradient, integers, reals, same

import minigrad

F = "torch.nn.functional."
REDUCTIONS = ("mean", "sum", "none")
X, Y, Z = reals(4, 5), reals(4, 5, seed=1), reals(4, 5, seed=2)
P, Q = (1 / (1 + np.exp(-reals(4, 5, seed=n))) for n in (7, 8))
SIGNS = np.sign(reals(4, 5, seed=3))
WEIGHTS = np.abs(reals(5, seed=4)) + 0.1
CLASSES = integers(4, low=0, high=5)
IGNORED = np.where(CLASSES[1] == CLASSES, -100, CLASSES)

# shapes of scores and of classes
SHAPES = [
    ((4, 5), (4,)), ((5,), ()), ((3, 5, 2), (3, 2)), ((2, 5, 3, 4), (2, 3, 4)),
    ((2, 5, 2, 3, 2), (2, 2, 3, 2)), ((40, 5), (40,)), ((0, 5), (0,)),
]  # fmt: skip
OPTIONS = ["", "weight=cw,", "ignore_index=1,"]
SMOOTH = ["label_smoothing=0.1,", "weight=cw, label_smoothing=0.2, ignore_index=2,"]
POINTWISE = [
    "mse_loss(x, y, {})", "l1_loss(x, y, {})", "smooth_l1_loss(x, y, {})",
    "smooth_l1_loss(x, y, beta=0.5, {})", "smooth_l1_loss(x, y, beta=0, {})",
    "huber_loss(x, y, {})", "huber_loss(x, y, delta=0.5, {})",
    # by both inputs the second derivatives of a difference cancel, so by one alone too
    "mse_loss(x, cs, {})", "smooth_l1_loss(x, cs, beta=2, {})", "huber_loss(x, cs, {})",
    "huber_loss(x, y, weight=z, {})", "l1_loss(x, y, weight=z, {})", "mse_loss(x, y, weight=z, {})",
    "binary_cross_entropy_with_logits(x, p, {})",
    "binary_cross_entropy_with_logits(x, p, weight=cw, pos_weight=cw, {})",
    "binary_cross_entropy(p, q, {})", "binary_cross_entropy(p, q, weight=cw, {})",
    "kl_div(x, p, {})", "kl_div(x, y, log_target=True, {})",
    "poisson_nll_loss(x, y, {})", "poisson_nll_loss(p, q, log_input=False, {})",
    "poisson_nll_loss(x, p * 4, full=True, {})", "gaussian_nll_loss(x, y, p, {})",
    "gaussian_nll_loss(x, y, p[:, 0], full=True, {})", "gaussian_nll_loss(x, y, 0.5, {})",
    "hinge_embedding_loss(x, cs, {})", "hinge_embedding_loss(x, cs, margin=0.2, {})",
    "soft_margin_loss(x, cs, {})", "margin_ranking_loss(x, y, cs, margin=0.1, {})",
    "triplet_margin_loss(x, y, z, {})", "triplet_margin_loss(x, y, z, p=3, swap=True, {})",
    "triplet_margin_with_distance_loss(x, y, z, swap=True, {})",
    "cosine_embedding_loss(x, y, cs[:, 0], margin=0.1, {})",
    "cosine_embedding_loss(x[0], y[0], cs[0, 0], {})",
    "multi_margin_loss(x, c, {})", "multi_margin_loss(x, c, p=2, margin=0.4, weight=cw, {})",
    "multi_margin_loss(x[0], c[0], {})", "multilabel_soft_margin_loss(x, p, weight=cw, {})",
    "multilabel_margin_loss(x, torch.tensor([[3, 0, -1, 1, 1]] * 4), {})",
    "multilabel_margin_loss(x[0], torch.tensor([3, 3, -1, 1, 1]), {})",
]  # fmt: skip
ARGUMENTS: dict[str, Any] = {
    "x": X, "y": Y, "z": Z, "p": P, "q": Q, "cs": SIGNS, "cw": WEIGHTS, "c": CLASSES,
}  # fmt: skip
CTC = [
    "ctc_loss(x.log_softmax(2), torch.tensor([[1, 2, 2], [3, 1, 0]]), (6, 5), (3, 2), {})",
    "ctc_loss(x.log_softmax(2), torch.tensor([1, 2, 3]), torch.tensor([6, 4]), torch.tensor([1, 2]), {})",
    "ctc_loss(x.log_softmax(2), torch.tensor([[1, 2], [0, 0]]), (6, 6), (2, 0), blank=3, {})",
    "ctc_loss(x[:, 0].log_softmax(1), torch.tensor([1, 1]), (6,), (2,), {})",
    "ctc_loss(x.log_softmax(2), torch.tensor([[1, 1], [1, 2]]), (2, 6), (2, 2), zero_infinity=True, {})",
    "ctc_loss(x.log_softmax(2), torch.tensor([[1, 1], [1, 2]]), (0, 3), (0, 2), {})",
]  # fmt: skip
MISTAKES = [
    "mse_loss(torch.ones(2), torch.ones(3))", "l1_loss(torch.ones(2), torch.ones(2), reduction='x')",
    "l1_loss(torch.ones(2), torch.ones(2), weight=torch.ones(3))",
    "mse_loss(torch.ones(2), torch.ones(2), weight=torch.ones(2), reduction='x')",
    "smooth_l1_loss(torch.ones(2), torch.ones(2), beta=-1)",
    "huber_loss(torch.ones(2), torch.ones(2), delta=0)",
    "huber_loss(torch.ones(2), torch.ones(2), weight=torch.ones(3))",
    "huber_loss(torch.arange(2), torch.arange(2))",
    "nll_loss(torch.ones(3, 5), torch.tensor([1, 2]))", "nll_loss(torch.ones(3, 5), torch.tensor(1))",
    "nll_loss(torch.ones(3, 5), torch.tensor([1, 2, 5]))",
    "nll_loss(torch.ones(3, 5), torch.tensor([1, 2, -1]))",
    "nll_loss(torch.ones(3, 5), torch.tensor([1., 2, 3]))",
    "nll_loss(torch.ones(3, 5), torch.ones(3, 5).long())",
    "nll_loss(torch.ones(5), torch.tensor([1, 2]))",
    "nll_loss(torch.ones(3, 5).long(), torch.tensor([1, 2, 3]))",
    "nll_loss(torch.ones(3, 5), torch.tensor([1, 2, 3]), weight=torch.ones(4))",
    "nll_loss(torch.ones(3, 5), torch.tensor([1, 2, 3]), weight=torch.ones(5).double())",
    "nll_loss(torch.ones(3, 5, 2), torch.ones(3, 3).long())",
    "nll_loss(torch.ones(3, 5, 2, 2), torch.ones(3, 2, 3).long())",
    "nll_loss(torch.ones(3, 5, 2, 2), torch.ones(3, 2).long())",
    "nll_loss(torch.ones(3, 5, 2), torch.ones(3, 2).long(), weight=torch.ones(5, requires_grad=True))",
    "cross_entropy(torch.ones(3, 5), torch.ones(3, 5), ignore_index=2)",
    "cross_entropy(torch.ones(3, 5), torch.ones(3, 5).long())",
    "cross_entropy(torch.ones(3, 5), torch.tensor([1, 2, 3]), label_smoothing=1.5)",
    "cross_entropy(torch.ones(3, 5), torch.ones(3, 5), weight=torch.ones(4))",
    "cross_entropy([1.0], torch.tensor(0))", "cross_entropy(torch.ones(3, 5), [1, 2, 3])",
    "cross_entropy(torch.ones(3, 5).long(), torch.tensor([1, 2, 3]))",
    "binary_cross_entropy(torch.ones(2) * 2, torch.ones(2))",
    "binary_cross_entropy(torch.ones(2), torch.ones(3))",
    "binary_cross_entropy(torch.ones(2), torch.arange(2))",
    "binary_cross_entropy(torch.ones(2), torch.ones(2), weight=torch.ones(3))",
    "binary_cross_entropy(torch.ones(2), torch.ones(2), weight=torch.ones(2, requires_grad=True))",
    "binary_cross_entropy_with_logits(torch.ones(2), torch.ones(3))",
    "binary_cross_entropy_with_logits(torch.ones(2), torch.arange(2))",
    "kl_div(torch.ones(2), torch.ones(2), reduction='x')",
    "poisson_nll_loss(torch.ones(2), torch.ones(2), reduction='x')",
    "gaussian_nll_loss(torch.ones(2), torch.ones(2), torch.ones(2), reduction='x')",
    "gaussian_nll_loss(torch.ones(2), torch.ones(2), -1.0)",
    "gaussian_nll_loss(torch.ones(3, 4), torch.ones(3, 4), torch.ones(2, 4))",
    "margin_ranking_loss(torch.ones(2), torch.ones(2, 1), torch.ones(2))",
    "triplet_margin_loss(torch.ones(3, 4), torch.ones(3, 4), torch.ones(4))",
    "triplet_margin_loss(torch.ones(3, 4), torch.ones(3, 4), torch.ones(3, 4), margin=0)",
    "triplet_margin_with_distance_loss(torch.ones(4), torch.ones(4), torch.ones(4), reduction='x')",
    "cosine_embedding_loss(torch.ones(3, 4), torch.ones(3, 4), torch.ones(1, 3))",
    "cosine_embedding_loss(torch.ones(4), torch.ones(4), torch.ones(1))",
    "multi_margin_loss(torch.ones(3, 4), torch.tensor([0, 1, 4]))",
    "multi_margin_loss(torch.ones(3, 4), torch.tensor([0, 1]))",
    "multi_margin_loss(torch.ones(3, 4), torch.tensor([0, 1, 2]), p=3)",
    "multi_margin_loss(torch.ones(3, 4), torch.tensor([0, 1, 2]), weight=torch.ones(3))",
    "multi_margin_loss(torch.ones(3, 4), torch.tensor([0, 1, 2]), weight=torch.ones(4, 1))",
    "multilabel_margin_loss(torch.ones(2, 4), torch.tensor([[1, 2, -1], [-1, 1, 1]]))",
    "multilabel_margin_loss(torch.ones(4), torch.tensor([1, 2, -1, 4]))",
    "multilabel_soft_margin_loss(torch.ones(2, 4), torch.ones(2, 4), reduction='x')",
    "soft_margin_loss(torch.ones(3, 2), torch.ones(3))",
    "ctc_loss(torch.ones(5, 2, 4), torch.ones(3).long(), (5,), (2,))",
    "ctc_loss(torch.ones(0, 2, 4), torch.ones(2, 1).long(), (0, 0), (1, 1))",
    "ctc_loss(torch.ones(5, 0, 4), torch.ones(0, 1).long(), (), ())",
    "ctc_loss(torch.ones(5, 2, 0), torch.ones(2, 1).long(), (5, 5), (1, 1))",
    "ctc_loss(torch.ones(5, 2, 0).int(), torch.ones(2, 1).long(), (5, 5), (1, 1))",
    "ctc_loss(torch.ones(5, 2, 4), torch.ones(2, 2).long(), (6, 5), (2, 2))",
    "ctc_loss(torch.ones(5, 2, 4), torch.ones(2, 2).long(), (5, -1), (2, 2))",
    "ctc_loss(torch.ones(5, 2, 4), torch.ones(2, 2).long(), (5, 5), (3, 2))",
    "ctc_loss(torch.ones(5, 2, 4), torch.ones(2, 2).long(), (5, 5), (2, 2), blank=4)",
    "ctc_loss(torch.ones(5, 2, 4), torch.ones(3).long(), (5, 5), (2, 2))",
    "ctc_loss(torch.ones(5, 2, 4).half(), torch.ones(2, 2).long(), (5, 5), (2, 2))",
    "ctc_loss(torch.ones(5, 2, 4), torch.ones(2, 2).long(), torch.ones(2), torch.ones(2))",
]  # fmt: skip


def classes(shape: tuple[int, ...], count: int) -> Any:
    return np.random.default_rng(sum(shape)).integers(0, count, shape)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize(("shape", "places"), SHAPES)
def test_classification(shape: tuple[int, ...], places: tuple[int, ...], reduction: str) -> None:
    count = shape[min(1, len(shape) - 1)]
    x, target = 2 * reals(*shape), classes(places, count)
    weight = np.abs(reals(count, seed=9))
    for options in OPTIONS:
        program = f"(x, ct, {options} reduction={reduction!r})"
        same(f"{F}nll_loss{program}", x=x, ct=target, cw=weight, ulps=2)
        same(f"{F}cross_entropy{program}", x=x, ct=target, cw=weight, ulps=64, grad_ulps=64)
    for options in SMOOTH if x.size else []:
        program = f"cross_entropy(x, ct, {options} reduction={reduction!r})"
        same(F + program, x=x, ct=target, cw=weight, ulps=64, grad_ulps=64)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("options", ["", "weight=cw,", "weight=cw, label_smoothing=0.2,"])
@pytest.mark.parametrize("shape", [(4, 5), (5,), (3, 5, 2), (0, 5)])
def test_distributions(shape: tuple[int, ...], options: str, reduction: str) -> None:
    x, p = reals(*shape), np.abs(reals(*shape, seed=3))
    program = f"cross_entropy(x, p, {options} reduction={reduction!r})"
    same(F + program, x=x, p=p, cw=WEIGHTS, ulps=64, grad_ulps=64)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_ignored_classes(reduction: str) -> None:
    for loss in ("nll_loss", "cross_entropy"):
        program = f"{F}{loss}(x, ct, reduction={reduction!r})"
        for target in (IGNORED, np.full(4, -100)):
            same(program, x=X, ct=target, ulps=32, grad_ulps=32)
        same(f"{F}{loss}(x, ct, weight=cw, ignore_index=3, reduction={reduction!r})",
             x=X, ct=CLASSES, cw=WEIGHTS, ulps=32, grad_ulps=32)  # fmt: skip


@pytest.mark.parametrize("count", [1, 2, 15, 16, 17, 18, 33, 257, 300, 5000])
def test_sums_have_the_same_bits(count: int) -> None:
    x = reals(count, 3, dtype=np.float32)
    for reduction in ("mean", "sum"):
        for weight in ("", "weight=cw,"):
            program = f"{F}nll_loss(x, ct, {weight} reduction={reduction!r})"
            same(program, x=x, ct=classes((count,), 3), cw=np.float32([0.3, 1.7, 0.9]), order=1)


def test_uint8_classes_and_images_that_are_not_contiguous() -> None:
    same(F + "cross_entropy(x, ct)", x=X, ct=CLASSES.astype(np.uint8), ulps=32, grad_ulps=32)
    x = reals(5, 4, 2)
    same(F + "nll_loss(x.transpose(0, 1), ct)", x=x, ct=classes((4, 2), 5), ulps=2)


def test_a_changed_target_is_noticed() -> None:
    for library in (torch, minigrad):
        x = library.ones(3, 5, requires_grad=True)
        target = library.tensor([1, 2, 3])
        loss = library.nn.functional.cross_entropy(x, target)
        target.add_(1)
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            loss.backward()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(400, 100), (4, 90, 300), (20000, 3)])
def test_large_softmax(shape: tuple[int, ...], dtype: type) -> None:
    """The path in blocks, beside PyTorch in float64 (its own float32 sums are less exact)."""
    x, g = (3 * reals(*shape)).astype(dtype), reals(*shape, seed=1).astype(dtype)
    for name in ("softmax", "log_softmax"):
        wide = torch.tensor(x.astype(np.float64), requires_grad=True)
        expected = getattr(wide, name)(-1)
        expected.backward(torch.tensor(g.astype(np.float64)))
        ours = minigrad.tensor(x, requires_grad=True)
        actual = getattr(ours, name)(-1)
        actual.backward(minigrad.tensor(g))
        unit = np.finfo(dtype).eps
        for a, b, size in ((actual, expected, 16), (ours.grad, wide.grad, 64)):
            np.testing.assert_allclose(
                a.numpy(force=True), b.numpy(force=True), rtol=8 * unit, atol=size * unit
            )


def test_log_softmax_backward_in_blocks_is_differentiable() -> None:
    x = reals(400, 100)
    program = "torch.autograd.grad(x.log_softmax(1)[:, 0].sum(), x, create_graph=True)[0]"
    same(program, x=x, order=1, ulps=10**6, grad_ulps=16)


@pytest.mark.parametrize("program", POINTWISE)
def test_values_and_gradients(program: str) -> None:
    for reduction in REDUCTIONS:
        text = F + program.format(f"reduction={reduction!r}")
        same(text, ulps=64, grad_ulps=256, **ARGUMENTS)


@pytest.mark.parametrize("program", POINTWISE)
def test_gradients_are_slopes(program: str) -> None:
    arguments = ARGUMENTS | {"x": X + 0.01, "y": Y - 0.02, "cp": P}
    text = F + program.format("reduction='mean'").replace("(x, p", "(x, cp")
    check_gradient(text, **{n: v for n, v in arguments.items() if n in text})


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("program", CTC)
def test_ctc(program: str, reduction: str) -> None:
    x = reals(6, 2, 4)
    text = F + program.format(f"reduction={reduction!r}")
    same(text, x=x, ulps=64, grad_ulps=64)
    same(
        text.replace(".log_softmax(2)", ""), x=x, ulps=64, grad_ulps=64
    )  # which would hide a constant
    if "zero_infinity" not in program:
        check_gradient(text, x=x)


@pytest.mark.parametrize("program", MISTAKES)
def test_mistakes(program: str) -> None:
    same(F + program)


@pytest.mark.parametrize("dtype", [np.float16, np.float64, np.int64])
@pytest.mark.parametrize("loss", ["mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"])
def test_mixed_dtypes(loss: str, dtype: Any) -> None:
    order = int(loss != "huber_loss")  # for which PyTorch has no such gradient
    x, y = X.astype(np.float32), (4 * Y).astype(dtype)
    same(f"{F}{loss}(x, cy)", x=x, cy=y, ulps=2, order=order)


@on_both
def test_warnings(torch, log):  # type: ignore[no-untyped-def]
    functional = torch.nn.functional
    x, y = torch.ones(2, 1), torch.zeros(2)
    for loss in (functional.mse_loss, functional.l1_loss, functional.smooth_l1_loss):
        log(loss(x, y))
        log(loss(x, x, size_average=False), loss(x, x, reduce=False), loss(x, x, reduce=True))
    log(functional.huber_loss(x, y), functional.kl_div(x, x))
    log(functional.l1_loss(x, x, reduction="elementwise_mean"))
    log(functional.kl_div(x, x, reduction="batchmean"), functional.kl_div(x, x, reduce=False))
    target = torch.tensor([0, 0])
    log(functional.cross_entropy(x, target, size_average=True))
    log(functional.nll_loss(x, target, reduce=False))
    log(functional.multilabel_soft_margin_loss(x, x, size_average=False))
    log(torch.nn.NLLLoss2d()(x, target), torch.nn.L1Loss(size_average=False).reduction)


@on_both
def test_modules(torch, log):  # type: ignore[no-untyped-def]
    nn = torch.nn
    for loss in (nn.MSELoss(), nn.CrossEntropyLoss(weight=torch.ones(2), label_smoothing=0.1),
                 nn.BCEWithLogitsLoss(pos_weight=torch.ones(2)), nn.TripletMarginWithDistanceLoss(),
                 nn.CTCLoss(blank=1)):  # fmt: skip
        log(repr(loss), list(loss.state_dict()), loss.reduction)
    log.error(nn.MultiMarginLoss, p=3)
    log.error(nn.MultiMarginLoss, weight=torch.ones(2, 2))
    log.error(nn.TripletMarginLoss, margin=0)
    log.error(nn.TripletMarginWithDistanceLoss, margin=-1)
    log.error(nn.HuberLoss, delta="a")
    log(nn.NLLLoss(weight=torch.ones(2)).double().weight)
