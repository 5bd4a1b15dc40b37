"""`nn.utils` beside PyTorch's: each program runs with both libraries and notes what it sees."""

import copy
import pickle
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from both import on_both

import minigrad
from minigrad.nn.utils.weight_norm import weight_of


def net(torch: Any, *sizes: int) -> Any:
    torch.manual_seed(0)
    layers = [torch.nn.Linear(a, b) for a, b in pairwise(sizes)]
    return torch.nn.Sequential(*layers)


def with_gradients(torch: Any, scale: float = 1.0) -> Any:
    model = net(torch, 3, 4, 2)
    x = torch.arange(6.0).reshape(2, 3)
    (model(x).pow(2).sum() * scale).backward()
    return model


# --- clipping ------------------------------------------------------------------------------------


@on_both
@pytest.mark.parametrize("order", [2, 1, 0.5, 3.0, "inf", float("inf"), float("-inf"), 0])
@pytest.mark.parametrize("limit", [0.1, 1e6, 0])
def test_clip_grad_norm(torch: Any, log: Any, order: Any, limit: float) -> None:
    model = with_gradients(torch)
    log(torch.nn.utils.clip_grad_norm_(model.parameters(), limit, order))
    log([p.grad for p in model.parameters()])
    log(torch.nn.utils.get_total_norm([p.grad for p in model.parameters()], order))


@on_both
def test_clipping_by_value(torch: Any, log: Any) -> None:
    model = with_gradients(torch)
    log(torch.nn.utils.clip_grad_value_(model.parameters(), 1.5))
    log([p.grad for p in model.parameters()])
    torch.nn.utils.clip_grad_value_(model[0].weight, 1, foreach=False)
    log(model[0].weight.grad)


@on_both
def test_clipping_one_tensor_and_none(torch: Any, log: Any) -> None:
    utils = torch.nn.utils
    weight = with_gradients(torch)[0].weight
    log(utils.clip_grad_norm_(weight, 1.0), weight.grad)
    log(utils.clip_grad_norm_(net(torch, 2, 2).parameters(), 1.0))
    log(utils.clip_grad_norm_([], 1.0), utils.clip_grad_norm_((p for p in []), 1.0))
    log(utils.get_total_norm([]), utils.get_total_norm(torch.ones(4)))
    log(utils.clip_grad_norm(with_gradients(torch).parameters(), 1.0))
    grads = with_gradients(torch)
    log(
        utils.clip_grads_with_norm_(grads.parameters(), 1.0, torch.tensor(10.0)),
        grads[0].weight.grad,
    )


@on_both
def test_norms_that_are_not_finite(torch: Any, log: Any) -> None:
    for scale in (float("inf"), float("nan")):
        model = with_gradients(torch, scale)
        log(torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0).isfinite())
        log.error(torch.nn.utils.clip_grad_norm_, model.parameters(), 1.0, error_if_nonfinite=True)


@on_both
def test_clipping_keeps_dtypes_and_objects(torch: Any, log: Any) -> None:
    model = with_gradients(torch).double()
    grads = [p.grad for p in model.parameters()]
    log(torch.nn.utils.clip_grad_norm_(model.parameters(), 0.5))
    log([p.grad is g for p, g in zip(model.parameters(), grads, strict=True)], grads)


# --- a vector of parameters ----------------------------------------------------------------------


@on_both
def test_parameters_as_a_vector(torch: Any, log: Any) -> None:
    model, utils = net(torch, 3, 2, 1), torch.nn.utils
    vector = utils.parameters_to_vector(model.parameters())
    log(vector)
    log.graph(vector)
    new = torch.arange(float(len(vector)))
    utils.vector_to_parameters(new, model.parameters())
    log(list(model.parameters()))
    new.mul_(2)
    log(model[0].weight, model[0].weight.is_leaf)
    log.error(utils.vector_to_parameters, [1.0], model.parameters())
    log.error(utils.vector_to_parameters, torch.ones(2), model.parameters())
    log.error(utils.parameters_to_vector, [])
    log.error(utils.parameters_to_vector, [torch.ones(2, 3).t()])


# --- weight normalisation ------------------------------------------------------------------------


@on_both
@pytest.mark.parametrize("dim", [0, 1, None, -1])
def test_weight_norm(torch: Any, log: Any, dim: Any) -> None:
    utils = torch.nn.utils
    layer = utils.weight_norm(net(torch, 3, 4)[0], dim=dim)
    log(list(layer.state_dict().items()), layer.weight, repr(layer))
    x = torch.arange(6.0).reshape(2, 3)
    out = layer(x).pow(2).sum()
    if dim in (0, 1):  # else the norm is a NormBackward0 there
        log.graph(out)
    out.backward()
    log([p.grad for p in layer.parameters()])
    with torch.no_grad():
        layer.weight_g.mul_(2)
    log(layer(x), layer.weight)
    log.error(utils.weight_norm, layer)
    log(repr(utils.remove_weight_norm(layer)), list(layer.state_dict().items()), layer(x))
    log.error(utils.remove_weight_norm, layer)


@pytest.mark.parametrize("dim", [0, 1, None])
def test_second_derivatives_of_weight_norm(dim: Any) -> None:
    """By finite differences: PyTorch's own, with respect to the direction, are wrong."""
    normalize = minigrad.nn.utils.parametrizations.weight_norm
    layer = normalize(net(minigrad, 3, 4)[0].double(), dim=dim)
    g, v = layer.parametrizations.weight.parameters()

    def weight(v: Any, g: Any) -> Any:
        return weight_of(v, g, -1 if dim is None else dim)

    assert minigrad.autograd.gradgradcheck(weight, (v, g))


# --- spectral normalisation ----------------------------------------------------------------------


@on_both
def test_spectral_norm(torch: Any, log: Any) -> None:
    utils = torch.nn.utils
    layer = utils.spectral_norm(net(torch, 3, 4)[0], n_power_iterations=2)
    log(list(layer.state_dict().items()), layer.weight, repr(layer))
    x = torch.arange(6.0).reshape(2, 3)
    for _ in range(3):
        out = layer(x).pow(2).sum()
        log(out, layer.weight_u, layer.weight_v)
    log.graph(out)
    out.backward()
    log([p.grad for p in layer.parameters()])
    log(layer.eval()(x), layer.weight_u)
    state = layer.state_dict()
    log(state._metadata[""]["spectral_norm"]["weight.version"])
    other = utils.spectral_norm(net(torch, 3, 4)[0])
    log(str(other.load_state_dict(state)), other.eval()(x))
    log.error(utils.spectral_norm, layer)
    log(repr(utils.remove_spectral_norm(layer)), list(layer.state_dict().items()), layer(x))
    log.error(utils.remove_spectral_norm, layer)
    log(len(layer._state_dict_hooks), len(layer._forward_pre_hooks))
    log.error(utils.spectral_norm, net(torch, 1, 1)[0], n_power_iterations=0)


@on_both
@pytest.mark.parametrize("place", ["", "parametrizations."])
def test_backward_after_another_call_of_a_spectral_norm(torch: Any, log: Any, place: str) -> None:
    utils = torch.nn.utils.parametrizations if place else torch.nn.utils
    layer = utils.spectral_norm(net(torch, 3, 4)[0].double())
    x = torch.arange(3.0, dtype=torch.float64)
    first, second = layer(x + 1), layer(x)
    (first.sum() + second.pow(2).sum()).backward()
    log([p.grad for p in layer.parameters()])


@on_both
def test_spectral_norm_along_another_dimension(torch: Any, log: Any) -> None:
    torch.manual_seed(0)
    layer = torch.nn.Module()
    layer.weight = torch.nn.Parameter(torch.randn(2, 3, 4))
    layer.forward = lambda x: layer.weight * x
    torch.nn.utils.spectral_norm(layer, dim=1)
    log(layer(1.0), layer.weight_u, layer.weight_v)


# --- parametrisations ----------------------------------------------------------------------------


def symmetric(torch: Any) -> Any:
    class Symmetric(torch.nn.Module):
        def forward(self, x: Any) -> Any:
            return x.triu() + x.triu(1).mT

        def right_inverse(self, x: Any) -> Any:
            return x.triu()

    return Symmetric()


def doubled(torch: Any) -> Any:
    class Doubled(torch.nn.Module):
        def forward(self, x: Any) -> Any:
            return x * 2

    return Doubled()


@on_both
def test_a_parametrized_weight(torch: Any, log: Any) -> None:
    parametrize = torch.nn.utils.parametrize
    layer = net(torch, 3, 3)[0]
    original = layer.weight
    log(parametrize.register_parametrization(layer, "weight", symmetric(torch)) is layer)
    log(
        repr(layer),
        layer.weight,
        [n for n, _ in layer.named_parameters()],
        list(layer.state_dict()),
    )
    log(layer.parametrizations.weight.original is original, original)
    log(parametrize.is_parametrized(layer), parametrize.is_parametrized(layer, "bias"))
    log(parametrize.type_before_parametrizations(layer).__name__, type(layer).__name__)
    out = layer(torch.arange(3.0))
    log.graph(out)
    out.sum().backward()
    log(original.grad)
    layer.weight = torch.arange(9.0).reshape(3, 3)
    log(layer.weight, original)
    log("weight" in layer.__dict__, hasattr(layer, "weight"))
    with parametrize.cached():
        log(layer.weight is layer.weight)
    log(layer.weight is layer.weight)
    copied = copy.deepcopy(layer)
    log(repr(copied), copied.weight, copied.parametrizations.weight.original is original)
    log.error(pickle.dumps, layer)
    parametrize.register_parametrization(layer, "bias", doubled(torch))
    log(layer.bias, repr(layer))
    log.error(setattr, layer, "bias", torch.ones(3))
    parametrize.remove_parametrizations(layer, "bias", leave_parametrized=False)
    log(layer.bias, type(layer).__name__)
    parametrize.remove_parametrizations(layer, "weight")
    log(layer.weight, layer.weight is original, type(layer).__name__, repr(layer))
    log([n for n, _ in layer.named_parameters()], hasattr(layer, "parametrizations"))
    log.error(parametrize.remove_parametrizations, layer, "weight")


@on_both
def test_parametrizations_on_top_of_each_other(torch: Any, log: Any) -> None:
    parametrize = torch.nn.utils.parametrize
    layer = net(torch, 2, 2)[0].eval()
    parametrize.register_parametrization(layer, "weight", doubled(torch))
    parametrize.register_parametrization(layer, "weight", symmetric(torch))
    log(layer.weight, repr(layer), len(layer.parametrizations.weight))
    log(layer.parametrizations.weight[0].training)
    layer(torch.ones(2)).sum().backward()
    log(layer.parametrizations.weight.original.grad)
    layer.double()
    log(layer.weight)
    layer.register_buffer("scale", torch.ones(1))
    parametrize.register_parametrization(layer, "scale", doubled(torch))
    log(layer.scale, [n for n, _ in layer.named_buffers()])


@on_both
def test_mistakes_with_parametrizations(torch: Any, log: Any) -> None:
    parametrize = torch.nn.utils.parametrize

    def module(forward: Any, right_inverse: Any = None) -> Any:
        made = torch.nn.Module()
        made.forward = forward
        if right_inverse is not None:
            made.right_inverse = right_inverse
        return made

    wrong = [
        module(lambda x: x.double()),
        module(lambda x: x[0]),
        module(lambda x: 3),
        module(lambda x: x, lambda x: x.double()),
        module(lambda x: x, lambda x: 3),
        module(lambda x: x, lambda x: (x, 3)),
    ]
    for one in wrong:
        log.error(parametrize.register_parametrization, net(torch, 2, 2)[0], "weight", one)
        layer = net(torch, 2, 2)[0]
        parametrize.register_parametrization(layer, "weight", doubled(torch))
        log.error(
            lambda x=layer, y=one: parametrize.register_parametrization(x, "weight", y).weight
        )
    log.error(parametrize.register_parametrization, net(torch, 2, 2)[0], "nothing", doubled(torch))
    layer = net(torch, 2, 2)[0]
    parametrize.register_parametrization(layer, "weight", wrong[0], unsafe=True)
    log(layer.weight)
    log.error(parametrize.ParametrizationList, [], layer.bias)


@on_both
@pytest.mark.parametrize("dim", [0, 1, None])
def test_parametrized_weight_norm(torch: Any, log: Any, dim: Any) -> None:
    layer = torch.nn.utils.parametrizations.weight_norm(net(torch, 3, 4)[0], dim=dim)
    log(repr(layer), list(layer.state_dict().items()), layer.weight)
    out = layer(torch.arange(3.0)).sum()
    if dim in (0, 1):
        log.graph(out)
    out.backward()
    log([p.grad for p in layer.parameters()])
    layer.weight = torch.ones(4, 3)
    log(list(layer.state_dict().items()))
    older = torch.nn.utils.weight_norm(net(torch, 3, 4)[0], dim=dim)
    log(str(layer.load_state_dict(older.state_dict())), layer.weight)
    torch.nn.utils.parametrize.remove_parametrizations(layer, "weight")
    log(layer.weight, repr(layer))


@on_both
def test_parametrized_spectral_norm(torch: Any, log: Any) -> None:
    spectral_norm = torch.nn.utils.parametrizations.spectral_norm
    layer = spectral_norm(net(torch, 3, 4)[0])
    log(repr(layer), list(layer.state_dict().items()), layer.weight, layer.weight)
    out = layer(torch.arange(3.0)).sum()
    log.graph(out)
    out.backward()
    log([p.grad for p in layer.parameters()])
    log(layer.eval().weight, layer.weight)
    log(spectral_norm(net(torch, 3, 4)[0], "bias").bias)
    log(spectral_norm(net(torch, 3, 4)[0], dim=-1, n_power_iterations=3).weight)
    log.error(spectral_norm, net(torch, 3, 4)[0], "nothing")
    log.error(spectral_norm, net(torch, 3, 4)[0], dim=2)
    log.error(spectral_norm, net(torch, 3, 4)[0], n_power_iterations=0)


# --- others --------------------------------------------------------------------------------------


@on_both
def test_skip_init(torch: Any, log: Any) -> None:
    torch.manual_seed(0)
    layer = torch.nn.utils.skip_init(torch.nn.Linear, 3, 4, dtype=torch.float64)
    log(repr(layer), layer.weight.shape == (4, 3), str(layer.weight.dtype), torch.rand(2))
    log.error(torch.nn.utils.skip_init, torch.nn.Identity().__class__.__mro__[-1])
    log.error(torch.nn.utils.skip_init, torch.nn.Sequential)


@on_both
def test_stateless_functional_call(torch: Any, log: Any) -> None:
    layer = net(torch, 2, 1)[0]
    given = {"weight": torch.ones(1, 2), "bias": torch.zeros(1)}
    log(torch.nn.utils.stateless.functional_call(layer, given, torch.tensor([3.0, 4.0])))
    log(layer.weight)


@on_both
def test_fusion_with_a_batch_norm(torch: Any, log: Any) -> None:
    class Statistics(torch.nn.Module):
        """What fusion reads of a batch normalisation."""

        def __init__(self) -> None:
            super().__init__()
            self.num_features, self.eps = 4, 1e-5
            self.register_buffer("running_mean", torch.tensor([0.5, -1.0, 2.0, 0.0]))
            self.register_buffer("running_var", torch.tensor([1.0, 4.0, 0.25, 2.0]))
            self.weight = torch.nn.Parameter(torch.tensor([1.0, 2.0, 3.0, 4.0]))
            self.bias = torch.nn.Parameter(torch.tensor([0.0, 1.0, 0.0, -1.0]))

    utils, norm, layer = torch.nn.utils, Statistics(), net(torch, 3, 4)[0]
    log.error(utils.fuse_linear_bn_eval, layer, norm)
    fused = utils.fuse_linear_bn_eval(layer.eval(), norm.eval())
    x = torch.arange(6.0).reshape(2, 3)
    scale = norm.weight / (norm.running_var + norm.eps).sqrt()
    log(list(fused.state_dict().items()), fused is layer)
    log((fused(x) - ((layer(x) - norm.running_mean) * scale + norm.bias)).abs().max() < 1e-5)
    log.error(utils.fuse_linear_bn_eval, net(torch, 3, 2)[0].eval(), norm)
    kernel = torch.arange(24.0).reshape(4, 3, 2) / 24
    given = norm.running_mean, norm.running_var, norm.eps, norm.weight, norm.bias
    log(utils.fuse_conv_bn_weights(kernel, None, *given))
    log(utils.fuse_conv_bn_weights(kernel.transpose(0, 1), norm.bias, *given, transpose=True))
    log(utils.fuse_conv_bn_weights(kernel, None, *given[:3], None, None))


def test_an_unpickled_array_is_like_any_other() -> None:
    """NumPy gives an unpickled array a dtype object of its own, and `longlong` another than int64."""
    array = pickle.loads(pickle.dumps(np.ones((2, 2), np.float32)))
    layer = pickle.loads(pickle.dumps(minigrad.nn.Linear(2, 2)))
    for make in (minigrad.from_numpy, minigrad.tensor, minigrad.as_tensor):
        assert layer(make(array)).dtype is minigrad.float32
        assert (make(np.arange(3, dtype=np.longlong)) + minigrad.arange(3)).tolist() == [0, 2, 4]


def test_all_names_but_these() -> None:
    absent = {"convert_conv2d_weight_memory_format", "convert_conv3d_weight_memory_format"}
    assert set(torch.nn.utils.__all__) - absent == set(minigrad.nn.utils.__all__)
