"""The modules around convolutions, and lazy modules, in both libraries."""

import copy
import pickle
from typing import Any

import numpy as np
import pytest
from both import on_both

LAYERS = [
    "Conv1d(3, 4, 3)", "Conv2d(4, 6, (3, 2), stride=2, padding=(1, 0), groups=2)",
    "Conv2d(3, 4, 2, padding='same', bias=False)", "Conv2d(3, 4, 3, padding='valid', dilation=2)",
    "Conv3d(2, 2, (1, 2, 3), padding=1)", "ConvTranspose1d(3, 4, 3, stride=2, output_padding=1)",
    "ConvTranspose2d(4, 6, 3, stride=(2, 1), groups=2, dilation=2, bias=False)",
    "ConvTranspose3d(2, 2, 2, padding=1)", "Bilinear(3, 4, 5)", "Bilinear(3, 4, 5, bias=False)",
    "Fold((4, 5), kernel_size=(2, 2))", "Unfold(kernel_size=3, padding=1)",
    "Conv1d(2, 2, 3, padding=2, padding_mode='circular', dtype=torch.float64)",
]  # fmt: skip


def made(torch: Any, text: str) -> Any:
    torch.manual_seed(5)
    return eval(f"nn.{text}", {"nn": torch.nn, "torch": torch})


@pytest.mark.parametrize("text", LAYERS)
@on_both
def test_parameters_start_with_the_same_bits(torch: Any, log: Any, text: str) -> None:
    layer = made(torch, text)
    log(repr(layer), sorted(layer.state_dict()))
    for value in layer.state_dict().values():
        log(value.numpy().tobytes().hex(), tuple(value.shape))
    log(torch.rand(1).item())  # as many numbers were drawn


def numbers(torch: Any, *shape: int) -> Any:
    values = np.random.default_rng(sum(shape)).standard_normal(shape)
    return torch.tensor(values, requires_grad=True)


def logged_call(torch: Any, log: Any, layer: Any, *args: Any, **kwargs: Any) -> None:
    out = layer.double()(*args, **kwargs)
    log(out)
    log.graph(out)
    out.square().sum().backward()
    log([a.grad for a in args], [p.grad for p in layer.parameters()])


@pytest.mark.parametrize("mode", ["zeros", "reflect", "replicate", "circular"])
@pytest.mark.parametrize("padding", [(1, 2), "same"], ids=str)
@on_both
def test_padding_modes(torch: Any, log: Any, mode: str, padding: Any) -> None:
    layer = made(torch, f"Conv2d(2, 3, 3, padding={padding!r}, padding_mode={mode!r})")
    log(layer._reversed_padding_repeated_twice)
    logged_call(torch, log, layer, numbers(torch, 2, 2, 4, 5))
    logged_call(torch, log, layer, numbers(torch, 2, 4, 5))


@on_both
def test_output_size(torch: Any, log: Any) -> None:
    layer = made(torch, "ConvTranspose2d(2, 3, 3, stride=2, padding=1)")
    x = numbers(torch, 1, 2, 4, 5)
    logged_call(torch, log, layer, x, output_size=(8, 9))
    log(layer(x, output_size=(1, 3, 7, 10)).shape, layer(x[0], output_size=(3, 7, 10)).shape)
    log.error(layer, x, output_size=(9, 9))
    log.error(layer, x, output_size=(6, 9))
    log.error(layer, x, output_size=(8, 8, 9))


@on_both
def test_blocks_and_bilinear(torch: Any, log: Any) -> None:
    logged_call(torch, log, made(torch, "Unfold((2, 3), 1, 1, 2)"), numbers(torch, 2, 2, 5, 6))
    logged_call(torch, log, made(torch, "Fold((4, 5), 2, stride=(2, 1))"), numbers(torch, 1, 8, 8))
    layer = made(torch, "Bilinear(3, 4, 5)")
    logged_call(torch, log, layer, numbers(torch, 2, 2, 3), numbers(torch, 2, 2, 4))


@pytest.mark.parametrize(
    "text",
    [
        "Conv2d(3, 4, 3, groups=2)", "Conv2d(4, 3, 3, groups=2)", "Conv2d(4, 4, 3, groups=0)",
        "Conv2d(4, 4, 3, padding='same', stride=2)", "Bilinear(0, 2, 3)",
        "ConvTranspose2d(4, 4, 3, padding_mode='reflect')", "Conv2d(4, 4)",
    ],
)  # fmt: skip
@on_both
def test_mistakes(torch: Any, log: Any, text: str) -> None:
    try:
        made(torch, text)
        log("no error")
    except TypeError as error:  # which names the class in the text
        log(type(error))
    except Exception as error:
        log(error)


@pytest.mark.parametrize("text", ["Conv2d(4, 4, 3, padding='foo')", "Conv2d(4, 4, 3, padding_mode='foo')"])  # fmt: skip
@on_both
def test_names_of_padding(torch: Any, log: Any, text: str) -> None:
    try:
        made(torch, text)
    except ValueError as error:  # which lists a set, in any order
        log(str(error).partition("{")[0])


# --- lazy modules --------------------------------------------------------------------------------

LAZY = {
    "LazyLinear(3)": (2, 5),
    "LazyLinear(3, bias=False, dtype=torch.float64)": (2, 4, 5),
    "LazyConv1d(4, 2)": (2, 3, 5),
    "LazyConv2d(4, 2, padding=1, groups=2)": (2, 6, 5, 5),
    "LazyConv3d(2, 2, bias=False)": (2, 3, 3, 4),
    "LazyConvTranspose1d(4, 2, stride=2)": (3, 5),
    "LazyConvTranspose2d(4, 2, groups=2)": (2, 6, 5, 5),
    "LazyConvTranspose3d(2, 2)": (1, 2, 3, 3, 4),
}


@pytest.mark.parametrize("text", LAZY)
@on_both
def test_lazy_layer_becomes_the_ordinary_one(torch: Any, log: Any, text: str) -> None:
    layer = made(torch, text)
    log(repr(layer), repr(layer.state_dict()), layer.has_uninitialized_params())
    log([type(p).__name__ for p in layer.parameters()])
    params = list(layer.parameters())
    x = torch.ones(LAZY[text], dtype=layer.weight.dtype)
    log(layer(x))
    log(repr(layer), type(layer).__name__, layer.state_dict()["weight"])
    log([p is q for p, q in zip(params, layer.parameters(), strict=True)])
    log([type(p).__name__ for p in params], [p.requires_grad for p in params])
    log(layer(x), len(layer._forward_pre_hooks), len(layer._load_state_dict_pre_hooks))


@on_both
def test_uninitialized_parameter(torch: Any, log: Any) -> None:
    parameter = torch.nn.UninitializedParameter(dtype=torch.float64)
    log(repr(parameter), parameter.dtype, parameter.requires_grad, parameter.is_leaf)
    log(parameter.ndim, parameter.data, parameter.grad, parameter.is_floating_point())
    log.error(lambda: parameter.shape)
    log.error(parameter.share_memory_)
    log(torch.nn.parameter.is_lazy(parameter), torch.nn.parameter.is_lazy(torch.ones(1)))
    parameter.materialize((2, 3))
    log(type(parameter).__name__, tuple(parameter.shape), parameter.dtype)
    buffer = torch.nn.UninitializedBuffer()
    log(repr(buffer), buffer.requires_grad, isinstance(buffer, torch.nn.Buffer))
    buffer.materialize((4,))
    log(type(buffer).__name__, tuple(buffer.shape))


@pytest.mark.parametrize(
    "use",
    ["p + 1", "p.numel()", "torch.relu(p)", "p.detach()", "len(p)", "p.tolist()",
     "torch.nn.init.zeros_(p)", "p.view(2)", "p.sum()"],
)  # fmt: skip
@on_both
def test_an_uninitialized_parameter_has_no_values(torch: Any, log: Any, use: str) -> None:
    try:
        eval(use, {"torch": torch, "p": torch.nn.UninitializedParameter()})
        log("no error")
    except ValueError as error:  # PyTorch also names its C++ function
        log(str(error).partition(" in ")[0].rstrip(".").partition(". This")[0])


@on_both
def test_casting_and_copying_before_the_first_input(torch: Any, log: Any) -> None:
    layer = torch.nn.LazyLinear(3).double()
    log(layer.weight.dtype, repr(layer.weight))
    copied = copy.deepcopy(layer)
    torch.manual_seed(1)
    log(copied(torch.ones(2, 4, dtype=torch.float64)), repr(copied), repr(layer))
    unpickled = pickle.loads(pickle.dumps(torch.nn.LazyLinear(3)))
    log(unpickled(torch.ones(2, 4)).shape, repr(unpickled))
    for module in (layer, copied, unpickled):
        log(len(module._forward_pre_hooks), len(module._load_state_dict_pre_hooks))
    net = torch.nn.Sequential(torch.nn.LazyConv2d(2, 3), torch.nn.Flatten(), torch.nn.LazyLinear(2))
    log(repr(net), net(torch.ones(1, 3, 5, 5)).shape, repr(net))


@on_both
def test_loading_into_and_from_lazy_layers(torch: Any, log: Any) -> None:
    torch.manual_seed(2)
    full, lazy = torch.nn.Linear(2, 3), torch.nn.LazyLinear(3)
    log(str(lazy.load_state_dict(torch.nn.LazyLinear(3).state_dict())), repr(lazy))
    log.error(full.load_state_dict, lazy.state_dict())
    log(str(lazy.load_state_dict(full.state_dict())), lazy.weight, repr(lazy))
    log(lazy(torch.ones(1, 2)), repr(lazy), type(lazy).__name__)
    log.error(torch.nn.LazyConv2d(3, 2), torch.zeros(2, 3))
    log.error(torch.nn.LazyConv2d(3, 2, groups=3), torch.zeros(2, 2, 4, 4))


@on_both
def test_a_lazy_module_of_ones_own(torch: Any, log: Any) -> None:
    class Scale(torch.nn.modules.lazy.LazyModuleMixin, torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.nn.UninitializedParameter()
            self.register_buffer("seen", torch.nn.UninitializedBuffer())

        def initialize_parameters(self, x: Any) -> None:
            self.weight.materialize(x.shape[-1:])
            torch.nn.init.ones_(self.weight)
            if x.shape[0] > 1:
                self.seen.materialize((1,))
                self.seen.fill_(2.0)

        def forward(self, x: Any) -> Any:
            return x * self.weight + self.seen

    log.error(Scale(), torch.ones(1, 3))
    module = Scale()
    log(repr(module.state_dict()), module(torch.ones(2, 3)), module.state_dict()["seen"])
    log(list(module.state_dict()), module.has_uninitialized_params())
