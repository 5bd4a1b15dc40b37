"""Where functions begin to refuse, to warn or to do something else: each argument just inside and
just outside of what is allowed, and what a refused call leaves behind."""

import contextlib
from importlib import import_module
from typing import Any

import numpy as np
import pytest
from both import on_both

import minigrad


@on_both
@pytest.mark.parametrize("ndim", range(7))
@pytest.mark.parametrize(
    "name", ["dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_alpha_dropout"]
)
def test_dropout_of_tensors_of_every_dimension(torch: Any, log: Any, name: str, ndim: int) -> None:
    """The texts of warnings, and which elements vanish together."""
    function = getattr(torch.nn.functional, name)
    for inplace in (False, True):
        x = torch.ones((2,) * ndim)
        log.error(function, x, 0.5, True, inplace)
        log.error(function, x, 0.5, False, inplace)
        log(x)


SINGULAR = [
    "inv", "inv_ex", "det", "slogdet", "lu_factor", "lu_factor_ex", "lu", "cholesky", "cholesky_ex",
    "matrix_rank", "pinv", "eigvalsh", "svdvals", "qr", "cond",
]  # fmt: skip


@pytest.mark.parametrize("name", [*SINGULAR, "solve", "solve_ex", "lstsq"])
@pytest.mark.parametrize("rows", [[[0, 1], [0, 4]], [[1, 1], [1, 1]], [[2, 1], [4, 2]]], ids=str)
def test_singular_matrices_stay_as_they_are(name: str, rows: list[list[int]]) -> None:
    """Whether a function computes something of them or raises."""
    single = np.array(rows, np.float64)
    for array in (single, np.stack([np.eye(2), single])):
        matrix = minigrad.tensor(array)
        right = (minigrad.ones(*array.shape),) if name in ("solve", "solve_ex", "lstsq") else ()
        with contextlib.suppress(RuntimeError):
            getattr(minigrad.linalg, name)(matrix, *right)
        assert matrix.tolist() == array.tolist()
        assert all(bool((tensor == 1).all()) for tensor in right)


# The number just inside and the number just outside, where there is a bound.
BOUNDS = {
    "F.triplet_margin_loss(x, y, z, margin={})": (1e-3, 0.0),
    "F.dropout(x, {})": (1.0, 1.001),
    "F.dropout(x, -{})": (0.0, 0.001),
    "F.celu(x, {})": (0.5, 0.0),
    "F.multi_margin_loss(x, c, p={})": (2, 3),
    "F.huber_loss(x, y, delta={})": (0.1, 0.0),
    "F.smooth_l1_loss(x, y, beta={})": (0.0, -0.1),
    "F.cross_entropy(x, c, label_smoothing={})": (1.0, 1.001),
    "F.gaussian_nll_loss(x, y, z.abs(), eps={})": (1e-9, 0.0),
    "F.gaussian_nll_loss(x, y, {} * z.abs())": (0.0, -1.0),
    "F.embedding(c, x, padding_idx={})": (2, 3),
    "F.embedding(c, x, padding_idx=-{})": (3, 4),
    "F.one_hot(c, {})": (4, 2),
    "F.glu(x, {})": (1, 2),
    "F.pixel_shuffle(x, {})": (1, 0),
    "F.local_response_norm(w, {})": (1, 0),
    "F.group_norm(w, {})": (2, 3),
    "F.unfold(v, {})": (2, 9),
    "F.fold(v[0], (2, 2), {})": (1, 3),
    "F.avg_pool2d(v, 2, padding={})": (1, 2),
    "F.max_pool2d(v, 2, padding={})": (1, 2),
    "F.max_pool1d(v[0], {})": (4, 5),
    "F.avg_pool1d(v[0], {})": (4, 5),
    "F.avg_pool2d(v, 2, divisor_override={})": (1, 0),
    "F.conv2d(v, v, padding={})": (0, -1),
    "F.conv2d(v, v, stride={})": (1, 0),
    "F.conv2d(v, v, dilation={})": (1, 2),
    "F.conv2d(v, v[:, :1], groups={})": (2, 3),
    "F.pad(x, ({}, 0), 'reflect')": (3, 4),
    "F.pad(x, ({}, 0), 'circular')": (4, 5),
    "F.pad(x, (-{}, 0))": (4, 5),
    "F.interpolate(v, size=({}, 1))": (1, 0),
    "F.rrelu(x, {}, 0.3)": (0.3, 0.31),
    "F.hardtanh(x, {}, 0.5)": (0.4, 0.6),
    "F.gumbel_softmax(x * 0, dim={}).sum()": (1, 2),
    "F.adaptive_avg_pool2d(v, {})": (1, -1),
    "F.normalize(x, p={})": (0.5, 0.0),
    "F.layer_norm(x, ({},))": (4, 3),
    "F.pdist(x, {})": (0.0, -1.0),
    "torch.cdist(x, y, {})": (0.0, -1.0),
    "torch.renorm(x, {}, 0, 1.0)": (0.5, 0.0),
    "torch.renorm(x, 2, 0, {})": (0.0, -1.0),
    "torch.topk(x, {})": (4, 5),
    "torch.topk(x, -{})": (0, 1),
    "torch.kthvalue(x, {})": (4, 5),
    "torch.kthvalue(x, 1 - {})": (0, 1),
    "torch.quantile(x, {})": (1.0, 1.01),
    "torch.quantile(x, -{})": (0.0, 0.01),
    "torch.histc(x, {})": (1, 0),
    "torch.narrow(x, 1, {}, 1)": (3, 5),
    "torch.narrow(x, 1, -{}, 1)": (4, 5),
    "torch.narrow(x, 1, 1, {})": (3, 4),
    "torch.narrow(x, 1, 1, -{})": (0, 1),
    "torch.select(x, 1, {})": (3, 4),
    "torch.select(x, 1, -{})": (4, 5),
    "torch.diagonal(x, {})": (4, 5),
    "torch.diagonal(x, -{})": (3, 5),
    "torch.split(x, {})": (1, 0),
    "torch.split(x, [1, {}])": (2, 1),
    "torch.chunk(x, {})": (1, 0),
    "torch.tensor_split(x, {})": (1, 0),
    "torch.unfold_copy(x, 1, {}, 1)": (4, 5),
    "x.unfold(1, 2, {})": (1, 0),
    "x.unflatten(1, (2, {}))": (2, 3),
    "x.view(3, {})": (4, 5),
    "x.reshape(-1, {})": (4, 5),
    "x.expand(3, {})": (4, 5),
    "x.expand({}, 3, 4)": (0, -1),
    "x.repeat({})": ("2, 1", "2"),
    "x.as_strided((2,), ({},))": (11, 12),
    "x.as_strided((2,), (1,), {})": (10, 11),
    "torch.repeat_interleave(x, {})": (0, -1),
    "torch.roll(x, 1, {})": (1, 2),
    "torch.flip(x, ({},))": (1, 2),
    "torch.rot90(x, 1, (0, {}))": (1, 0),
    "torch.permute(x, (0, {}))": (1, 0),
    "torch.cat((x, y), {})": (1, 2),
    "torch.stack((x, y), {})": (2, 3),
    "torch.unsqueeze(x, {})": (2, 3),
    "torch.unsqueeze(x, -{})": (3, 4),
    "torch.squeeze(x, {})": (1, 2),
    "torch.gather(x, 0, c[None] - 2 + {})": (2, 3),
    "torch.gather(x, 0, c[None] - {})": (0, 1),
    "torch.index_select(x, 0, c + {})": (0, 1),
    "torch.index_select(x, 0, c - {})": (0, 1),
    "torch.index_add(x, 0, c, y[:{}])": (3, 2),
    "torch.take(x, c + {})": (9, 10),
    "torch.take(x, -c - {})": (10, 11),
    "torch.linspace(0, 1, {})": (0, -1),
    "torch.arange(0, 1, {})": (1, 0),
    "torch.arange(0, {}, 1)": (0, -1),
    "torch.eye({})": (0, -1),
    "torch.zeros({})": (0, -1),
    "torch.full(({},), 1.0)": (0, -1),
    "torch.randperm({})": (1, -1),
    "torch.randint({}, (2,)) * 0": (1, 0),
    "torch.bernoulli(x * 0 + {}) * 0": (1.0, 1.1),
    "torch.multinomial(x.abs(), {}).shape": (4, 5),
    "torch.normal(0.0, {}, (2,)) * 0": (0.0, -1.0),
    "torch.zeros(2).exponential_({}) * 0": (0.1, 0.0),
    "torch.zeros(2).geometric_({}) * 0": (0.9, 1.0),
    "torch.zeros(2).uniform_(0, {}) * 0": (0.0, -1.0),
    "torch.zeros(2).cauchy_(0, {}) * 0": (0.1, 0.0),
    "torch.zeros(2).log_normal_(0, {}) * 0": (0.1, 0.0),
    "torch.polygamma({}, x.abs())": (0, -1),
    "torch.mvlgamma(x.abs() + 3, {})": (1, 0),
    "torch.logit(x.sigmoid(), {})": (0.5, 1.5),
    "torch.linalg.vander(x[0], N={})": (2, 1),
    "torch.combinations(x[0], {})": (1, -1),
    "torch.cov(x, correction={})": (3, 4),
    "torch.var(x, correction={})": (10, 11),
    "torch.bincount(c, minlength={})": (0, -1),
    "torch.nn.functional.embedding_bag(c, x, torch.tensor([0, {}]))": (3, 4),
    "torch.nn.utils.clip_grad_norm_([x], {})": (0.0, -1.0),
    "torch.nn.Linear({}, 1).weight.shape": (1, -1),
    "torch.nn.LSTM(1, {}).hidden_size": (1, 0),
    "torch.nn.LSTM(1, 1, {}).num_layers": (1, 0),
    "torch.nn.GRU(1, 1, 2, dropout={}).dropout": (1.0, 1.1),
    "torch.nn.Embedding(3, 2, padding_idx={}).padding_idx": (2, 3),
    "torch.nn.Embedding(3, 2, padding_idx=-{}).padding_idx": (3, 4),
    "torch.nn.Conv2d(4, 4, 1, groups={}).weight.shape": (4, 3),
    "torch.nn.GroupNorm({}, 4).num_groups": (2, 3),
    "torch.nn.MultiheadAttention(4, {}).head_dim": (2, 3),
    "torch.nn.Dropout({}).p": (1.0, 1.1),
    "torch.nn.PReLU({}).weight": (1, 0),
}


@on_both
@pytest.mark.parametrize("call", BOUNDS)
def test_bounds(torch: Any, log: Any, call: str) -> None:
    """What a call gives at its bound, and the error beyond it."""
    x = torch.arange(12.0).reshape(3, 4).sin()
    y, z, w, v = x.cos(), x + 0.5, x.reshape(1, 4, 3), torch.arange(32.0).reshape(2, 2, 4, 2).mT
    scope = {"torch": torch, "F": torch.nn.functional, "x": x, "y": y, "z": z, "w": w, "v": v}
    scope["c"] = torch.tensor([0, 2, 1])
    for value in BOUNDS[call]:
        log.error(eval, call.format(value), scope)


# Tensors beside the input that may have a gradient, or must not.
BESIDE = [
    "F.binary_cross_entropy(u, t, weight=g)", "F.binary_cross_entropy(u, g.sigmoid())",
    "F.binary_cross_entropy_with_logits(x, t, weight=g)",
    "F.binary_cross_entropy_with_logits(x, t, pos_weight=g)",
    "F.binary_cross_entropy_with_logits(x, g)", "F.binary_cross_entropy_with_logits(x, t, 2.0)",
    "F.binary_cross_entropy_with_logits(x, t, None, pos_weight=2.0)",
    "F.binary_cross_entropy_with_logits(x, t, t, pos_weight=u.detach())",
    "F.nll_loss(x, c, weight=g[0])", "F.cross_entropy(x, c, weight=g[0])",
    "F.cross_entropy(x, t, weight=g[0])", "F.cross_entropy(x, g)",
    "F.multi_margin_loss(x, c, weight=g[0])", "F.multilabel_soft_margin_loss(x, t, weight=g)",
    "F.mse_loss(x, t, weight=g)", "F.l1_loss(x, t, weight=g)", "F.huber_loss(x, t, weight=g)",
    "F.smooth_l1_loss(x, g)", "F.soft_margin_loss(x, g)", "F.kl_div(x, g)",
    "F.kl_div(x, g, log_target=True)", "F.poisson_nll_loss(x, g)", "F.gaussian_nll_loss(x, t, g * g)",
    "F.hinge_embedding_loss(x, g)", "F.margin_ranking_loss(x, t, g)", "F.prelu(x, g[0])",
    "F.batch_norm(x, g[0], g[0] * g[0])", "F.batch_norm(x, None, None, g[0], g[1], training=True)",
    "F.layer_norm(x, (4,), g[0], g[1])", "F.group_norm(x, 2, g[0], g[1])",
    "F.embedding(c, g)", "F.linear(x, g, g[:, 0])", "F.bilinear(x, t, g[None].expand(2, 3, 4)[..., :4])",
    "torch.addcmul(x, t, g)", "torch.lerp(x, t, g)", "torch.where(x > 0, x, g)", "torch.clamp(x, g, t)",
    "torch.index_add(x, 0, c, g)", "torch.renorm(g, 2, 0, 1.0)", "torch.searchsorted(g[0], x)",
    "torch.bucketize(x, g[0])", "torch.heaviside(x, g)", "torch.polygamma(1, g)", "torch.hypot(x, g)",
    "torch.nextafter(x, g)", "torch.bernoulli(g.sigmoid()) * 0", "torch.normal(x, g.abs()) * 0",
    "torch.multinomial(g.abs(), 1) * 0", "torch.histc(g, 3)",
    "torch.quantile(x, g[0].sigmoid().detach())", "torch.quantile(x, g[0].sigmoid())",
]  # fmt: skip


@on_both
@pytest.mark.parametrize("call", BESIDE)
def test_gradients_of_what_stands_beside_the_input(torch: Any, log: Any, call: str) -> None:
    values = torch.arange(12.0, dtype=torch.float64).reshape(3, 4)
    x, g, v = (values.mul(k).sin().requires_grad_() for k in (1.3, 0.7, 2.1))
    scope = {"torch": torch, "F": torch.nn.functional, "x": x, "g": g, "u": v.sigmoid()}
    scope |= {"t": values.cos().abs(), "c": torch.tensor([0, 2, 1])}
    log.error(eval, call, scope)
    with contextlib.suppress(RuntimeError, NotImplementedError, TypeError):
        log.error(eval(call, scope).sum().backward)
    log([t.grad for t in (x, g, v)])


@on_both
@pytest.mark.parametrize("given", [None, True, False])
def test_which_masks_are_causal(torch: Any, log: Any, given: bool | None) -> None:
    """Only the very mask that `generate_square_subsequent_mask` makes, of the right size."""
    transformer = import_module(f"{torch.__name__}.nn.modules.transformer")
    causal = torch.nn.Transformer.generate_square_subsequent_mask
    masks = [None, causal(4), causal(4).double(), causal(3), torch.zeros(4, 4), causal(4).mT]
    masks += [causal(4) * 2, causal(4)[None], torch.zeros(1, 1), torch.full((4, 4), float("-inf"))]
    for mask in masks:
        log(transformer._detect_is_causal_mask(mask, given, 4))
