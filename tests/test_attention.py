"""Attention and transformers, held against PyTorch's."""

import copy
import warnings
from typing import Any

import numpy as np
import pytest
import torch as pytorch
from both import on_both
from oracle import check_gradient, reals, same
from test_rnn import both

import minigrad

SDPA = "torch.nn.functional.scaled_dot_product_attention"
MASK = np.array([[1, 0, 0, 1], [0, 0, 0, 0], [1, 1, 1, 1]], bool)


def qkv(*batch: int, keys: int = 4) -> dict[str, Any]:
    return {
        "q": reals(*batch, 3, 5), "k": reals(*batch, keys, 5, seed=1),
        "v": reals(*batch, keys, 5, seed=2),
    }  # fmt: skip


# -- the function --------------------------------------------------------------------------------


@pytest.mark.parametrize("batch", [(), (2,), (2, 3), (2, 2, 3)], ids=str)
@pytest.mark.parametrize(
    "options",
    [
        "",
        ", is_causal=True",
        ", attn_mask=mask",
        ", attn_mask=numbers",
        ", scale=0.3",
        ", scale=-1.0",
    ],
)
def test_values_and_gradients(batch: tuple[int, ...], options: str) -> None:
    """One order only: PyTorch's kernel on the CPU has no second derivative, ours has (below)."""
    order = 1 if len(batch) == 2 else 2
    program = (
        "mask = torch.tensor(where); numbers = torch.where(mask, 0.5, -1.0).double(); "
        f"{SDPA}(q, k, v{options})"
    )
    if len(batch) != 2 and ("mask" in options or "numbers" in options or "causal" in options):
        order = 1  # rows without any key, where the second derivative of softmax is 0 * inf
    same(program, ulps=1 << 12, order=order, grad_ulps=64, where=MASK, **qkv(*batch))


@pytest.mark.parametrize("options", ["", ", is_causal=True", ", attn_mask=m"])
@pytest.mark.parametrize("heads", [2, 4])
def test_second_gradients_are_those_of_the_composition(options: str, heads: int) -> None:
    """The row for (batch, heads, ...) against PyTorch's composition for (batch * heads, ...)."""
    data = qkv(1, 2, keys=3)
    data["q"] = reals(1, heads, 3, 5)

    def program(torch: Any, composed: bool) -> Any:
        leaves = [torch.tensor(a, requires_grad=True) for a in data.values()]
        q, k, v = leaves
        if heads == 4:
            k, v = (x.repeat_interleave(2, 1) for x in (k, v)) if composed else (k, v)
        m = torch.tensor(reals(3, 3))
        args = [x.squeeze(0) for x in (q, k, v)] if composed else [q, k, v]
        names = {"F": torch.nn.functional, "args": args, "m": m, "gqa": not composed}
        out = eval(f"F.scaled_dot_product_attention(*args{options}, enable_gqa=gqa)", names)
        first = torch.autograd.grad((out**2).sum(), leaves, create_graph=True)
        return [*first, *torch.autograd.grad(sum((g**3).sum() for g in first), leaves)]

    want, got = program(pytorch, True), program(minigrad, False)
    for a, b in zip(want, got, strict=True):
        np.testing.assert_allclose(b.detach().numpy(), a.detach().numpy(), rtol=1e-10, atol=1e-12)


def test_gradients_are_slopes() -> None:
    check_gradient(f"{SDPA}(q, k, v, is_causal=True) ** 2", **qkv(1, 2))


@on_both
def test_masks_dropout_and_mistakes(torch, log):
    attention = torch.nn.functional.scaled_dot_product_attention
    q, k, v = (torch.tensor(a, requires_grad=True) for a in qkv(2, 3).values())
    mask = torch.tensor(MASK)
    log(attention(q, k, v, mask))
    log(attention(q, k, v, torch.zeros(3, 4).double().masked_fill(~mask, -torch.inf)))
    log(attention(q, k, v, mask.expand(2, 1, 3, 4)), attention(q, k, v, mask.expand(3, 3, 4)))
    log(attention(q, k, v, torch.zeros(3, 4).double(), is_causal=True))
    learned = torch.ones(3, 4, dtype=torch.float64, requires_grad=True)
    log(
        attention(q, k, v, learned), torch.autograd.grad(attention(q, k, v, learned).sum(), learned)
    )
    torch.manual_seed(0)
    out = attention(q, k, v, dropout_p=0.4)
    log(out, torch.autograd.grad(out.sum(), [q, k, v]))
    log.graph(out)
    log.graph(attention(q[0], k[0], v[0], mask))
    log.error(attention, q[0], k[0], v[0], mask, is_causal=True)
    log.error(attention, q, k.float(), v)
    log.error(attention, q[0, 0, 0], k, v)
    log.error(attention, q, k, v, torch.zeros(3, 4))
    log.error(attention, q, k, v, torch.zeros(3, 4).long())
    log.error(attention, q, k, v, torch.zeros(2, 4).double())
    log.error(attention, q, k[:, :2], v[:, :2])
    log.error(attention, q, k[:, :2], v[:, :2], enable_gqa=True)
    log.error(attention, q, k[..., :2], v)
    log.error(attention, q, k, v, dropout_p=1.5)
    log.error(attention, q.long(), k.long(), v.long())
    log(attention(q, k[:, :1], v[:, :1], enable_gqa=True), attention(q, k, v[..., :2]))


@on_both
def test_the_output_lies_in_memory_as_the_query_does(torch, log):
    attention = torch.nn.functional.scaled_dot_product_attention
    x = torch.tensor(reals(2, 4, 3, 5), requires_grad=True)
    out = attention(x.transpose(1, 2), x.transpose(1, 2), x.transpose(1, 2))
    log(out, out.stride())
    log.graph(out)


def test_many_steps_are_done_in_blocks() -> None:
    both(lambda torch: _large(torch), rtol=1e-4, atol=1e-5)


def _large(torch: Any) -> Any:
    q, k, v = (
        torch.tensor(reals(2, 6, 150, 8, dtype=np.float32, seed=s), requires_grad=True)
        for s in range(3)
    )
    out = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
    return [out, *torch.autograd.grad((out * out).sum(), [q, k, v])]


# -- the module ----------------------------------------------------------------------------------

KINDS = [
    {}, {"bias": False}, {"add_bias_kv": True}, {"add_zero_attn": True}, {"batch_first": True},
    {"kdim": 4, "vdim": 5}, {"add_bias_kv": True, "add_zero_attn": True, "bias": False},
]  # fmt: skip


def made(torch: Any, name: str, *args: Any, **options: Any) -> Any:
    torch.manual_seed(5)
    return getattr(torch.nn, name)(*args, dtype=torch.float64, **options)


@pytest.mark.parametrize("options", KINDS, ids=str)
@pytest.mark.parametrize("need_weights", [True, False])
def test_multihead_attention(options: dict[str, Any], need_weights: bool) -> None:
    def program(torch: Any) -> Any:
        module = made(torch, "MultiheadAttention", 6, 2, **options)
        q = torch.tensor(reals(3, 3, 6), requires_grad=True)
        k = torch.tensor(reals(3, 3, options.get("kdim", 6), seed=1), requires_grad=True)
        v = torch.tensor(reals(3, 3, options.get("vdim", 6), seed=2), requires_grad=True)
        padding = torch.tensor([[False, False, True], [False, False, False], [False, True, False]])
        mask = torch.tensor([[False, True, True], [False, False, True], [False, False, False]])
        found: list[Any] = []
        for kind in ({}, {"key_padding_mask": padding}, {"attn_mask": mask}):
            out, weights = module(q, k, v, need_weights=need_weights, **kind)
            found += [out, weights]
            found.append(torch.autograd.grad((out**2).sum(), [q, k, v, *module.parameters()]))
        both_masks = {"key_padding_mask": padding, "attn_mask": mask.expand(6, 3, 3)}
        found += module(
            q, k, v, need_weights=need_weights, average_attn_weights=False, **both_masks
        )
        if not options.get("kdim"):
            found += module(q, q, q, need_weights=need_weights)
            found += module(q, k, k, need_weights=need_weights)
        found += module(q[0], k[0], v[0], need_weights=need_weights)
        return found

    both(program)


@on_both
def test_modules_of_both_libraries_look_the_same(torch, log):
    torch.manual_seed(0)
    for options in KINDS:
        module = torch.nn.MultiheadAttention(6, 2, **options)
        log(repr(module), [n for n, _ in module.named_parameters()])
        log(*module.state_dict().items())
    log(torch.nn.modules.activation.MultiheadAttention is torch.nn.MultiheadAttention)
    for sizes in ((0, 1), (6, 0), (6, 4)):
        log.error(torch.nn.MultiheadAttention, *sizes)
    module = torch.nn.MultiheadAttention(6, 2).double().eval()
    x, y = torch.ones(3, 2, 6).double(), torch.ones(4, 2, 6).double()
    mask = torch.zeros(3, 3, dtype=torch.bool)
    log.error(module, x, x, x, is_causal=True)
    waves = torch.arange(36).double().sin().reshape(3, 2, 6)
    for weights in (False, True):  # the hint counts, not the mask, where no weights are asked for
        log(module(waves, waves, waves, attn_mask=mask, is_causal=True, need_weights=weights)[0])
    log.error(module, x, y, x)
    log.error(module, x[..., :5], x[..., :5], x[..., :5])
    log.error(module, x, x[0], x[0])
    log.error(module, x, x, x, attn_mask=mask[:2])
    log.error(module, x, x, x, attn_mask=mask.expand(3, 3, 3))
    log.error(module, x, x, x, attn_mask=mask[0])
    log.error(module, x, x, x, attn_mask=mask.long())
    log.error(module, x, x, x, key_padding_mask=mask[0])
    log.error(module, x, x, x, key_padding_mask=mask)
    log.error(module, x[0], x[0], x[0], attn_mask=mask.expand(3, 3, 3))
    log(module(x, x, x, attn_mask=mask, key_padding_mask=torch.zeros(2, 3))[0].shape)


def test_dropout_of_weights_is_drawn_as_pytorch_draws_it() -> None:
    def program(torch: Any) -> Any:
        module = made(torch, "MultiheadAttention", 6, 2, dropout=0.5)
        x = torch.tensor(reals(3, 2, 6))
        torch.manual_seed(2)
        return [*module(x, x, x), module(x, x, x, need_weights=False)[0], *module.eval()(x, x, x)]

    both(program)


# -- transformers --------------------------------------------------------------------------------

LAYERS = [
    {}, {"batch_first": True}, {"norm_first": True}, {"activation": "gelu"}, {"bias": False},
]  # fmt: skip


@pytest.mark.parametrize("options", LAYERS, ids=str)
@pytest.mark.parametrize("training", [True, False])
def test_transformer_layers(options: dict[str, Any], training: bool) -> None:
    def program(torch: Any) -> Any:
        x = torch.tensor(reals(3, 3, 6), requires_grad=True)
        memory = torch.tensor(reals(3, 3, 6, seed=1), requires_grad=True)
        encoder = made(torch, "TransformerEncoderLayer", 6, 2, 8, dropout=0.3, **options)
        decoder = made(torch, "TransformerDecoderLayer", 6, 2, 8, dropout=0.3, **options)
        causal = torch.nn.Transformer.generate_square_subsequent_mask(3, dtype=torch.float64)
        padding = torch.tensor([[False, False, True], [False, False, False], [False, True, False]])
        torch.manual_seed(1)
        outs = [
            encoder.train(training)(x),
            encoder(x, causal, is_causal=True),
            encoder(x, src_key_padding_mask=padding),
            decoder.train(training)(x, memory),
            decoder(x, memory, causal, tgt_is_causal=True, memory_key_padding_mask=padding),
        ]
        loss = sum((o**2).sum() * (i + 1) for i, o in enumerate(outs))
        leaves = [x, memory, *encoder.parameters(), *decoder.parameters()]
        return [*outs, *torch.autograd.grad(loss, leaves)]

    both(program, 1e-9, 1e-10)


@on_both
def test_transformer(torch, log):
    torch.manual_seed(0)
    options = {"batch_first": True, "norm_first": True, "dropout": 0.1}
    net = torch.nn.Transformer(6, 2, 2, 2, 8, dtype=torch.float64, **options)
    log(repr(net), [n for n, _ in net.named_parameters()])
    log(*[p.detach() for p in net.parameters()])
    src, tgt = torch.tensor(reals(2, 3, 6)), torch.tensor(reals(2, 4, 6))
    mask = net.generate_square_subsequent_mask(4, dtype=torch.float64)
    log(mask, net.generate_square_subsequent_mask(2))
    torch.manual_seed(1)
    log(net(src, tgt, tgt_mask=mask), net(src[0], tgt[0]))
    log(net.eval()(src, tgt, tgt_mask=mask, tgt_is_causal=True))
    log.error(net, src, tgt[:1])
    log.error(net, src, tgt[..., :5])
    log.error(torch.nn.TransformerEncoderLayer, 6, 2, activation="cube")


@on_both
def test_encoders_find_the_causal_mask_and_warn_of_the_slow_path(torch, log):
    torch.manual_seed(0)
    double = {"dtype": torch.float64}
    layers = [
        torch.nn.TransformerEncoderLayer(6, 2, 8, **double),
        torch.nn.TransformerEncoderLayer(6, 2, 8, batch_first=True, norm_first=True, **double),
        torch.nn.TransformerEncoderLayer(6, 2, 8, batch_first=True, bias=False, **double),
        torch.nn.TransformerEncoderLayer(6, 3, 8, batch_first=True, **double),
        torch.nn.TransformerEncoderLayer(
            6, 2, 8, batch_first=True, activation=torch.tanh, **double
        ),
        torch.nn.TransformerEncoderLayer(6, 2, 8, batch_first=True, **double),
    ]
    x = torch.tensor(reals(3, 3, 6))
    causal = torch.nn.Transformer.generate_square_subsequent_mask(3, dtype=torch.float64)
    for layer in layers:
        encoder = torch.nn.TransformerEncoder(layer, 2, torch.nn.LayerNorm(6, **double))
        torch.manual_seed(1)
        log(encoder(x), encoder(x, causal), encoder(x, causal != 0), encoder.use_nested_tensor)
        encoder.eval()
        with torch.no_grad():
            log(encoder(x), encoder(x, causal))
    log(len(list(encoder.parameters())), encoder.num_layers)


def test_padding_is_zero_where_pytorch_leaves_it_out() -> None:
    """In evaluation without gradients: PyTorch's nested tensors, of which it warns."""

    def program(torch: Any) -> Any:
        layer = made(torch, "TransformerEncoderLayer", 6, 2, 8, batch_first=True)
        encoder = torch.nn.TransformerEncoder(layer, 2, torch.nn.LayerNorm(6).double()).eval()
        x = torch.tensor(reals(3, 3, 6))
        padding = torch.arange(3) >= torch.tensor([3, 2, 1]).unsqueeze(1)
        causal = torch.nn.Transformer.generate_square_subsequent_mask(3, dtype=torch.float64)
        outs = [encoder(x, src_key_padding_mask=padding)]
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            outs.append(encoder(x, src_key_padding_mask=padding))
            outs.append(encoder(x, src_key_padding_mask=padding.flip(1)))
            outs.append(encoder(x, causal, src_key_padding_mask=padding))
        return outs

    both(program)


def test_a_copied_transformer_computes_the_same() -> None:
    net = minigrad.nn.Transformer(6, 2, 1, 1, 8, dropout=0.0, batch_first=True)
    x = minigrad.randn(3, 2, 6)
    assert copy.deepcopy(net)(x, x).equal(net(x, x))
