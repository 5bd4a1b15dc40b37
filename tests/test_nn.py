"""`minigrad.nn` beside `torch.nn`: each program below runs with either library, and everything that
it returns, prints, warns or raises must be the same."""

import copy
import gc
import pickle
import warnings
import weakref
from collections import OrderedDict

import numpy as np
import on_device
import pytest
import torch

import minigrad


def plain(value):
    """`value` without its library: tensors by dtype, shape and bits, modules by their text."""
    if isinstance(value, (torch.Tensor, minigrad.Tensor)):
        array = value.detach().numpy()
        return str(array.dtype), array.shape, on_device.bits(array), value.requires_grad
    if isinstance(value, dict):
        return {key: plain(v) for key, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, (str, torch.nn.Module, minigrad.nn.Module)):
        return without_library(str(value))
    return value


def without_library(text):
    """Our classes live in `minigrad.nn.modules.container`, PyTorch's in `torch.nn.modules.container`."""
    text = on_device.neutral(text.replace("minigrad", "torch"))
    return text.replace("torch.nn.modules.", "torch.nn.")


def outcome(program, library):
    library.manual_seed(3)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = plain(program(library))
        except Exception as error:
            result = Failure(without_library(f"{type(error).__name__}: {error}"))
    return result, [plain(str(w.message)) for w in caught]


class Failure(str):
    """What a program ended with that raised."""


def fails(program):
    """Marks a program that is expected to raise."""
    program.fails = True
    return program


def same(program, either=False):
    """Runs `program` with both libraries; returns the outcome if it is the same."""
    ours, theirs = outcome(program, minigrad), outcome(program, torch)
    assert ours == theirs
    failed = isinstance(ours[0], Failure)
    assert either or failed == getattr(program, "fails", False), ours[0]
    return ours


def check(*programs):
    return pytest.mark.parametrize("program", programs, ids=lambda p: p.__name__)


def net(t):
    class Net(t.nn.Module):
        def __init__(self):
            super().__init__()
            self.first = t.nn.Linear(3, 4)
            self.act = t.nn.ReLU()
            self.blocks = t.nn.ModuleList([t.nn.Linear(4, 4), t.nn.Linear(4, 4)])
            self.named = t.nn.ModuleDict({"out": t.nn.Linear(4, 1, bias=False)})
            self.scale = t.nn.Parameter(t.ones(1))
            self.register_buffer("mean", t.zeros(4))
            self.register_buffer("cache", t.zeros(2), persistent=False)

        def forward(self, x):
            x = self.act(self.first(x))
            for block in self.blocks:
                x = block(x) - self.mean
            return self.named["out"](x) * self.scale

    return exact(t, Net())


def exact(t, module):
    """Fills the parameters with multiples of 1/8, so that no sum of products is ever rounded (in
    which order a matrix product adds is the BLAS library's choice)."""
    with t.no_grad():
        for p in module.parameters():
            p.copy_(t.arange(p.numel()).reshape(p.shape) / 8 - 1)
    return module


# -- initial values and printing ------------------------------------------------------------------


@pytest.mark.parametrize("sizes", [(1, 1), (2, 3), (10, 5), (1, 16), (17, 40), (784, 30)])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_linear_starts_with_the_same_values(sizes, bias, dtype):
    def program(t):
        layer = t.nn.Linear(*sizes, bias=bias, dtype=getattr(t, dtype))
        return [layer, dict(layer.named_parameters()), t.nn.Linear(2, 2).weight]

    same(program)


def test_linear_of_the_tutorials():
    minigrad.manual_seed(1)
    layer = minigrad.nn.Linear(1, 1)
    assert [layer.weight.item(), layer.bias.item()] == [0.5152631998062134, -0.44137823581695557]


INITS = {
    "uniform": lambda t, x: t.nn.init.uniform_(x, -2.0, 3.0),
    "normal": lambda t, x: t.nn.init.normal_(x, 1.0, 0.1),
    "constant": lambda t, x: t.nn.init.constant_(x, 0.3),
    "ones": lambda t, x: t.nn.init.ones_(x),
    "zeros": lambda t, x: t.nn.init.zeros_(x),
    "eye": lambda t, x: t.nn.init.eye_(x),
    "xavier_uniform": lambda t, x: t.nn.init.xavier_uniform_(x, gain=2.0),
    "xavier_normal": lambda t, x: t.nn.init.xavier_normal_(x),
    "kaiming_uniform": lambda t, x: t.nn.init.kaiming_uniform_(x, mode="fan_out"),
    "kaiming_normal": lambda t, x: t.nn.init.kaiming_normal_(x, a=0.2, nonlinearity="relu"),
    "bad_mode": lambda t, x: t.nn.init.kaiming_normal_(x, mode="fan"),
    "generator": lambda t, x: t.nn.init.uniform_(x, generator=t.Generator().manual_seed(9)),
}


@pytest.mark.parametrize("shape", [(3, 5), (2, 3, 4), (4,), (0, 2)], ids=str)
@pytest.mark.parametrize("name", INITS)
def test_init(name, shape):
    def program(t):
        parameter = t.nn.Parameter(t.empty(*shape))
        result = INITS[name](t, parameter)
        return [result is parameter, parameter.grad_fn, result, t.rand(1)]

    same(program, either=True)


def test_gains():
    names = ["linear", "conv2d", "sigmoid", "tanh", "relu", "leaky_relu", "selu", "swish"]
    for name in names:
        for param in (None, 0.3, True, "a"):
            same(
                lambda t, name=name, param=param: t.nn.init.calculate_gain(name, param), either=True
            )


def test_fans_of_a_kernel():
    same(lambda t: t.nn.init._calculate_fan_in_and_fan_out(t.ones(2, 3, 5, 7)))


def test_texts():
    def program(t):
        nn = t.nn
        return [
            net(t),
            nn.Sequential(),
            nn.Sequential(nn.Linear(1, 2), nn.ReLU(True), nn.Sigmoid()),
            nn.Sequential(OrderedDict(a=nn.Flatten(), b=nn.Sequential(nn.Tanh()))),
            nn.ModuleList(),
            nn.ModuleList([nn.ReLU(), nn.ReLU(), nn.Linear(1, 1), nn.Sequential(nn.ReLU())]),
            nn.ModuleDict({"x": nn.Identity(3, a=4)}),
            nn.MSELoss(),
            nn.Module(),
            nn.Flatten(0, 2),
            repr(nn.Parameter(t.tensor([1.5, 2.0]))),
            repr(nn.Parameter(t.tensor(3.0), False)),
            str(nn.Parameter(t.ones(2, 2))),
            repr(nn.Buffer(t.ones(2))),
            f"{nn.Linear(2, 2).bias}",
        ]

    same(program)


def test_print_of_parameters():
    same(lambda t: [str(list(net(t).parameters())), str(net(t).state_dict())])


# -- the attribute protocol -----------------------------------------------------------------------


def held(module):
    """Everything a module holds now, by registry, and as attributes."""
    registries = [module._parameters, module._buffers, module._modules]
    names = [name for registry in registries for name in registry]
    attributes = {name: getattr(module, name) for name in names}
    return plain([*registries, attributes, sorted(module.state_dict())])


def assign_in_turn(t):
    module, log = t.nn.Module(), []
    for value in (
        3,
        t.nn.Parameter(t.ones(2)),
        None,
        t.nn.Parameter(t.zeros(1)),
        t.ones(2),
        t.nn.ReLU(),
        "text",
    ):
        try:
            module.x = value
        except Exception as error:
            log.append(f"{type(error).__name__} {error}")
        log.append([held(module), module.x])
    del module.x
    module.x = t.nn.Buffer(t.ones(3), persistent=False)
    log.append(held(module))
    module.x = t.zeros(1)
    log.append(held(module))
    module.x = t.nn.Linear(1, 1)
    log.append(held(module))
    module.x = t.nn.Parameter(t.ones(1))
    log.append(held(module))
    return log


def replace_module(t):
    module = net(t)
    module.first = t.nn.Identity()
    module.act = None
    log = [held(module)]
    module.act = t.nn.Tanh()
    return [*log, held(module), [n for n, _ in module.named_modules()]]


def change_registries(t):
    module = t.nn.Linear(2, 2)
    log = []
    module._parameters["bias"] = None
    log += [module.bias, held(module)]
    del module._parameters["weight"]
    log += [hasattr(module, "weight"), held(module)]
    module.weight = t.ones(2, 2)
    log += [held(module), module(t.ones(2))]
    module._modules["extra"] = t.nn.ReLU()
    log += [module.extra, module._modules.pop("extra"), hasattr(module, "extra")]
    module._buffers.update(a=t.ones(1))
    module._buffers.setdefault("b", t.zeros(1))
    module._buffers.setdefault("b", t.ones(1))
    log += [module.a, module.b, module._buffers.popitem()[0], hasattr(module, "b")]
    module._modules = OrderedDict(z=t.nn.Tanh())
    log += [module.z, held(module)]
    module._buffers.clear()
    return [*log, hasattr(module, "a"), held(module)]


@fails
def delete(t):
    module = net(t)
    del module.scale, module.mean, module.act
    log = [held(module), hasattr(module, "scale")]
    del module.nothing
    return log


def bias_none(t):
    module = t.nn.Linear(2, 2)
    module.bias = None
    return [module, held(module), module(t.ones(1, 2))]


@fails
def non_leaf_parameter(t):
    module = t.nn.Module()
    parameter = t.nn.Parameter(t.ones(1))
    module.register_parameter("x", parameter * 2)


def before_init(kind):
    def program(t):
        class Early(t.nn.Module):
            def __init__(self):
                self.x = {
                    "parameter": lambda: t.nn.Parameter(t.ones(1)),
                    "module": t.nn.ReLU,
                    "buffer": lambda: t.nn.Buffer(t.ones(1)),
                    "missing": lambda: self.y,
                }[kind]()

        Early()

    program.__name__ = f"{kind}_before_init"
    return fails(program)


def directory(t):
    return sorted(n for n in dir(net(t)) if n in {"first", "scale", "mean", "forward", "0"})


@check(
    assign_in_turn,
    replace_module,
    change_registries,
    delete,
    bias_none,
    non_leaf_parameter,
    before_init("parameter"),
    before_init("module"),
    before_init("buffer"),
    before_init("missing"),
    directory,
)
def test_attributes(program):
    same(program)


REFUSED = [
    lambda m, t: m.register_parameter("a.b", None),
    lambda m, t: m.register_parameter("", None),
    lambda m, t: m.register_parameter(3, None),
    lambda m, t: m.register_parameter("x", t.ones(1)),
    lambda m, t: m.register_parameter("forward", None),
    lambda m, t: m.register_buffer("a.b", None),
    lambda m, t: m.register_buffer("", None),
    lambda m, t: m.register_buffer(None, None),
    lambda m, t: m.register_buffer("x", 3),
    lambda m, t: m.register_buffer("weight", t.ones(1)),
    lambda m, t: m.add_module("a.b", t.nn.ReLU()),
    lambda m, t: m.add_module("", t.nn.ReLU()),
    lambda m, t: m.add_module(1, t.nn.ReLU()),
    lambda m, t: m.add_module("x", 3),
    lambda m, t: m.add_module("weight", t.nn.ReLU()),
    lambda m, t: setattr(m, "weight", 3),
    lambda m, t: setattr(m, "weight", t.ones(1)),
    lambda m, t: setattr(m, "weight", [1]),
    lambda m, t: m.nothing,
    lambda m, t: m.get_submodule("a.b"),
    lambda m, t: m.get_submodule("bias"),
    lambda m, t: m.get_parameter("training"),
    lambda m, t: m.get_buffer("weight"),
    lambda m, t: m.set_submodule("", t.nn.ReLU()),
    lambda m, t: m.set_submodule("bias", t.nn.ReLU()),
    lambda m, t: m.set_submodule("x", t.nn.ReLU(), strict=True),
    lambda m, t: m.set_submodule("x", 3),
    lambda m, t: m.train(1),
    lambda m, t: m.to(t.int32),
    lambda m, t: t.nn.Module()(1),
    lambda m, t: m.load_state_dict([1]),
    lambda m, t: t.nn.Parameter(t.tensor([1])),
    lambda m, t: t.nn.Sequential(3),
    lambda m, t: t.nn.Module().forward(),
    lambda m, t: m.weight.zero_(),
]


@pytest.mark.parametrize("number", range(len(REFUSED)))
def test_refusals(number):
    same(fails(lambda t: REFUSED[number](t.nn.Linear(2, 2), t)))


def test_reading_a_parameter_does_not_ask_getattr():
    module = net(minigrad)
    assert module.__dict__["scale"] is module._parameters["scale"]
    assert module.__dict__["first"] is module._modules["first"]
    assert module.__dict__["mean"] is module._buffers["mean"]
    module.float().to(minigrad.float64)
    assert module.__dict__["scale"] is module._parameters["scale"]
    assert module.__dict__["mean"] is module._buffers["mean"]
    assert module.mean.dtype == minigrad.float64


def test_a_module_is_freed_without_the_collector():
    gc.disable()
    try:
        module = net(minigrad)
        references = [weakref.ref(module), weakref.ref(module.first), weakref.ref(module.scale)]
        del module
        assert [r() for r in references] == [None, None, None]
    finally:
        gc.enable()


def shared(t):
    module = t.nn.Module()
    module.a, module.b = t.nn.Linear(2, 2), t.nn.Linear(2, 2)
    module.b.weight = module.a.weight
    module.c = module.a
    log = [[n for n, _ in module.named_parameters(remove_duplicate=d)] for d in (True, False)]
    log += [[n for n, _ in module.named_modules(remove_duplicate=d)] for d in (True, False)]
    module.double()
    with t.no_grad():
        module.a.weight.fill_(2.0)
    return [*log, module.b.weight, module.b.weight is module.a.weight, len(list(module.children()))]


def copied(how):
    def program(t):
        module = net(t)
        module.tied = module.first
        other = how(module)
        with t.no_grad():
            other.first.weight.fill_(1.0)
            other.mean.fill_(2.0)
        other.scale = t.nn.Parameter(t.zeros(1))
        other.train(False)
        return [
            held(module),
            held(other),
            other,
            other.tied is other.first,
            module.training,
            other(t.ones(2, 3)),
            [type(p) is t.nn.Parameter for p in other.parameters()],
        ]

    program.__name__ = how.__name__
    return program


def pickled_parameter(t):
    parameter = t.nn.Parameter(t.ones(2), requires_grad=False)
    other = pickle.loads(pickle.dumps(parameter))
    return [type(other) is t.nn.Parameter, other, copy.deepcopy(parameter)]


@check(shared, copied(copy.deepcopy), pickled_parameter)
def test_sharing_and_copies(program):
    same(program)


def test_pickle_of_a_module():
    layer = minigrad.nn.Sequential(minigrad.nn.Linear(2, 3), minigrad.nn.ReLU())
    other = pickle.loads(pickle.dumps(layer))
    assert plain(other.state_dict()) == plain(layer.state_dict())
    other[0].weight = None
    assert other[0].weight is None
    assert layer[0].weight is not None


# -- walking and changing -------------------------------------------------------------------------


def walks(t):
    module = net(t)
    return [
        [n for n, _ in module.named_parameters()],
        [n for n, _ in module.named_parameters("p")],
        [n for n, _ in module.named_parameters(recurse=False)],
        len(list(module.parameters())),
        [n for n, _ in module.named_buffers()],
        list(module.buffers()),
        list(module.modules()),
        [n for n, _ in module.named_modules(prefix="q")],
        [n for n, _ in module.named_children()],
        module.get_submodule("blocks.1"),
        module.get_parameter("named.out.weight"),
        module.get_buffer("mean"),
        module.get_submodule("") is module,
    ]


def conversions(t):
    module = net(t)
    module.register_buffer("count", t.tensor(3))
    module(t.ones(2, 3)).sum().backward()
    parameters = list(module.parameters())
    log = []
    for change in (
        lambda m: m.double(),
        lambda m: m.half(),
        lambda m: m.float(),
        lambda m: m.to("cpu"),
        lambda m: m.to(t.float64),
        lambda m: m.to(t.ones(1, dtype=t.float16)),
        lambda m: m.cpu(),
        lambda m: m.to("cpu", t.float32),
        lambda m: m.type(t.float64),
    ):
        log.append(change(module) is module)
        log.append([module.state_dict(), [p.grad for p in module.parameters()]])
        log.append(all(p is q for p, q in zip(parameters, module.parameters(), strict=True)))
    return log


def modes(t):
    module = net(t)
    log = [module.eval() is module, [m.training for m in module.modules()]]
    module.blocks.train()
    log.append([m.training for m in module.modules()])
    module.requires_grad_(False)
    log.append([p.requires_grad for p in module.parameters()])
    return log


def gradients(t):
    module = net(t)
    module(t.ones(2, 3)).sum().backward()
    log = [[p.grad for p in module.parameters()]]
    module.zero_grad(set_to_none=False)
    log.append([p.grad for p in module.parameters()])
    module.zero_grad()
    return [*log, [p.grad for p in module.parameters()]]


def applied(t):
    seen = []

    def fill(module):
        seen.append(type(module).__name__)
        if isinstance(module, t.nn.Linear):
            t.nn.init.ones_(module.weight)

    module = net(t).apply(fill)
    return [seen, module.state_dict()]


@check(walks, conversions, modes, gradients, applied)
def test_whole_modules(program):
    same(program)


# -- state dicts ----------------------------------------------------------------------------------


def saved(t):
    module = net(t)
    state = module.state_dict()
    with t.no_grad():
        module.scale.fill_(7.0)  # the state shares memory
    kept = module.state_dict(keep_vars=True, prefix="m.")
    return [
        type(state).__name__,
        dict(state),
        dict(state._metadata),
        dict(kept),
        kept["m.scale"] is module.scale,
        module.state_dict(destination={}, prefix="x."),
    ]


def positional(t):
    return dict(net(t).state_dict({}, "a.", True))


def loaded(t):
    module = net(t)
    state = {k: v + 1 for k, v in module.state_dict().items()}
    return [str(module.load_state_dict(state)), module.state_dict(), module.scale.requires_grad]


def assigned(t):
    module = net(t)
    state = {k: (v + 1).double() for k, v in module.state_dict().items()}
    module.scale.requires_grad_(False)
    result = module.load_state_dict(state, assign=True)
    return [
        result,
        module.state_dict(),
        [type(p).__name__ for p in module.parameters()],
        held(module),
    ]


def mismatched(strict):
    def program(t):
        module = net(t)
        state = module.state_dict()
        del state["first.bias"], state["mean"]
        state["first.weight"] = t.ones(2, 2)
        state["nothing"] = t.ones(1)
        state["blocks.7.weight"] = t.ones(1)
        state["scale"] = 3
        module.load_state_dict(state, strict=strict)

    program.__name__ = f"mismatched_{strict}"
    return fails(program)


def not_strict(t):
    module = t.nn.Linear(2, 2)
    result = module.load_state_dict({"weight": t.ones(2, 2), "more": t.ones(1)}, strict=False)
    return [str(result), repr(result), result.missing_keys, list(result), module.weight]


@fails
def missing_all(t):
    t.nn.Sequential(t.nn.Linear(1, 1), t.nn.Linear(1, 1)).load_state_dict({})


def old_scalar(t):
    module = t.nn.Module()
    module.x = t.nn.Parameter(t.tensor(1.0))
    module.load_state_dict({"x": t.tensor([5.0])})
    return module.x


@fails
def none_entries(t):
    module = t.nn.Linear(1, 1, bias=False)
    return [
        dict(module.state_dict()),
        module.load_state_dict({"weight": t.ones(1, 1), "bias": t.ones(1)}),
    ]


@fails
def extra_state(t):
    class Counting(t.nn.Module):
        count = 3

        def get_extra_state(self):
            return {"count": self.count}

        def set_extra_state(self, state):
            self.count = state["count"]

    module = t.nn.Sequential(Counting(), t.nn.Linear(1, 1))
    state = module.state_dict()
    state["0._extra_state"] = {"count": 9}
    module.load_state_dict(state)
    log = [list(state), module[0].count]
    del state["0._extra_state"]
    state["1._extra_state"] = 1
    log.append(list(module.load_state_dict(state, strict=False)))
    module.load_state_dict(state)
    return log


def state_hooks(t):
    module, log = t.nn.Sequential(t.nn.Linear(1, 1)), []
    module.register_state_dict_pre_hook(lambda m, prefix, keep: log.append((prefix, keep)))
    module[0].register_state_dict_post_hook(lambda m, d, prefix, meta: d.pop(prefix + "bias"))
    module.register_load_state_dict_pre_hook(lambda m, d, *rest: d.update({"0.bias": t.ones(1)}))
    module.register_load_state_dict_post_hook(lambda m, keys: log.append(list(keys)))
    try:
        module.state_dict()
    except RuntimeError as error:
        log.append(str(error))
    log.append(module.load_state_dict({"0.weight": t.ones(1, 1)}))
    handle = module.register_load_state_dict_post_hook(lambda m, keys: 1)
    try:
        module.load_state_dict({"0.weight": t.ones(1, 1)})
    except AssertionError as error:
        log.append(str(error))
    handle.remove()
    module.load_state_dict({"0.weight": t.ones(1, 1)})
    return log


@check(
    saved,
    positional,
    loaded,
    assigned,
    mismatched(True),
    mismatched(False),
    not_strict,
    missing_all,
    old_scalar,
    none_entries,
    extra_state,
    state_hooks,
)
def test_state_dicts(program):
    same(program)


# -- calling, and hooks ---------------------------------------------------------------------------


def order_of_hooks(t):
    layer, log = exact(t, t.nn.Linear(1, 1)), []

    def note(name, result=None):
        def hook(*arguments):
            log.append([name, *map(str, arguments[1:])])
            return result

        return hook

    layer.register_forward_pre_hook(note("pre"))
    layer.register_forward_pre_hook(note("pre first"), prepend=True)
    layer.register_forward_pre_hook(note("pre kwargs", ((t.ones(1, 1),), {})), with_kwargs=True)
    layer.register_forward_pre_hook(note("pre replaced", t.zeros(2, 1)))
    layer.register_forward_hook(note("post"))
    layer.register_forward_hook(note("post first", t.ones(1)), prepend=True, always_call=True)
    handle = layer.register_forward_hook(note("post kwargs"), with_kwargs=True)
    log.append(layer(input=t.ones(1, 1)))
    handle.remove()
    handle.remove()
    log.append(layer(t.ones(3, 1)))
    with layer.register_forward_hook(note("once")):
        layer(t.ones(1, 1))
    layer(t.ones(1, 1))
    return log


def always_called(t):
    layer, log = t.nn.Linear(1, 1), []
    layer.register_forward_hook(lambda *a: log.append(["always", a[2]]), always_call=True)
    layer.register_forward_hook(lambda *a: log.append("never"))
    layer.register_forward_hook(lambda *a: 1 / 0, always_call=True)
    layer.register_forward_pre_hook(lambda m, a: 1 if 0 else (a[0] + "x",))
    try:
        layer(t.ones(1))
    except TypeError:
        log.append("TypeError")
    return log


@fails
def bad_pre_hook(t):
    layer = t.nn.Identity()
    layer.register_forward_pre_hook(lambda m, a, k: 3, with_kwargs=True)
    layer(t.ones(1))


@check(order_of_hooks, always_called, bad_pre_hook)
def test_hooks(program):
    same(program)


def test_hooks_for_all_modules():
    def program(t):
        from importlib import import_module

        module = import_module(
            "torch.nn.modules.module" if t is torch else "minigrad.nn.modules.module"
        )
        log = []
        pre = module.register_module_forward_pre_hook(lambda m, a: log.append(["pre", m]))
        post = module.register_module_forward_hook(lambda m, a, r: log.append([m, r]))
        t.nn.Sequential(t.nn.Identity(), t.nn.ReLU())(t.ones(1))
        pre.remove(), post.remove()
        t.nn.ReLU()(t.ones(1))
        return log

    same(program)


# -- containers -----------------------------------------------------------------------------------


def sequential(t):
    nn = t.nn
    s = nn.Sequential(nn.Linear(1, 1), nn.ReLU(), nn.Linear(1, 2), nn.Tanh())
    log = [s[0] is s[-4], s[1:3], s[::2], len(s), list(s), exact(t, s)(t.ones(2, 1)).shape]
    s[1] = nn.Sigmoid()
    log.append([s, [n for n, _ in s.named_parameters()]])
    del s[0]
    log.append([s, list(s._modules)])
    del s[:2]
    log.append(s.append(nn.Identity()) is s)
    log.append(s.insert(0, nn.Flatten()) is s)
    s.insert(-1, nn.ReLU())
    log += [s, s.extend([nn.Tanh(), nn.ReLU()]), s.pop(1), s, s.pop(slice(0, 2)), s]
    log += [s + nn.Sequential(nn.ReLU()), s * 2, 2 * s]
    s *= 2
    s += nn.Sequential(nn.Identity())
    return [*log, s, list(s._modules)]


def named_sequential(t):
    s = t.nn.Sequential(OrderedDict(a=t.nn.Linear(1, 1), b=t.nn.ReLU(), c=t.nn.Tanh()))
    log = [s.a is s[0], s[1:], list(s.state_dict()), s(t.ones(1)).shape]
    del s[1]
    return [*log, s]


def module_list(t):
    nn = t.nn
    m = nn.ModuleList([nn.ReLU(), nn.Tanh()])
    m.append(nn.Linear(1, 1)).extend(nn.ModuleList([nn.Identity()]))
    m.insert(1, nn.Sigmoid())
    log = [m, m[1:3], m[-1], len(m), list(m), m + [nn.ReLU()], m.pop(0), list(m._modules)]
    m += [nn.Flatten()]
    m[0] = nn.Tanh()
    del m[1:3]
    return [*log, m, nn.Linear in map(type, m)]


def module_dict(t):
    nn = t.nn
    m = nn.ModuleDict({"a": nn.ReLU(), "b": nn.Linear(1, 1)})
    m["c"] = nn.Tanh()
    m.update([("d", nn.Flatten()), ["a", nn.Sigmoid()]])
    m.update(nn.ModuleDict({"e": nn.Identity()}))
    log = [m, "a" in m, "z" in m, len(m), list(m), list(m.keys()), [k for k, _ in m.items()]]
    log += [list(m.values()), m.pop("b"), m.a, m["a"] is m.a]
    del m["c"]
    log += [m, hasattr(m, "c")]
    m.clear()
    return [*log, m]


def container_error(name):
    errors = {
        "index": lambda t, s: s[5],
        "insert_range": lambda t, s: s.insert(5, t.nn.ReLU()),
        "insert_type": lambda t, s: s.insert(0, 3),
        "add": lambda t, s: s + [t.nn.ReLU()],
        "times": lambda t, s: s * 1.5,
        "times_0": lambda t, s: s * 0,
        "list_extend": lambda t, s: t.nn.ModuleList().extend(3),
        "list_index": lambda t, s: t.nn.ModuleList()[0],
        "dict_update": lambda t, s: t.nn.ModuleDict(3),
        "dict_pair": lambda t, s: t.nn.ModuleDict([3]),
        "dict_long_pair": lambda t, s: t.nn.ModuleDict([(1, 2, 3)]),
        "dict_key": lambda t, s: t.nn.ModuleDict()["a"],
        "dict_method": lambda t, s: t.nn.ModuleDict({"pop": t.nn.ReLU()}),
        "append": lambda t, s: s.append(3),
        "call": lambda t, s: t.nn.ModuleList()(1),
    }

    def program(t):
        errors[name](t, t.nn.Sequential(t.nn.ReLU()))

    program.__name__ = name
    return fails(program)


@check(
    sequential,
    named_sequential,
    module_list,
    module_dict,
    *map(
        container_error,
        [
            "index",
            "insert_range",
            "insert_type",
            "add",
            "times",
            "times_0",
            "list_extend",
            "list_index",
            "dict_update",
            "dict_pair",
            "dict_long_pair",
            "dict_key",
            "dict_method",
            "append",
            "call",
        ],
    ),
)
def test_containers(program):
    same(program)


# -- functions and losses -------------------------------------------------------------------------

LOSS_CALLS = {
    "mean": {},
    "sum": {"reduction": "sum"},
    "none": {"reduction": "none"},
    "bad": {"reduction": "x"},
    "old_name": {"reduction": "elementwise_mean"},
    "old_sum": {"size_average": False},
    "old_none": {"reduce": False},
    "old_mean": {"size_average": True, "reduce": True},
}


@pytest.mark.parametrize(
    "shapes", [((4, 1), (4, 1)), ((4, 1), (4,)), ((3, 4), (4,)), ((3,), ()), ((2,), (3,))], ids=str
)
@pytest.mark.parametrize("name", LOSS_CALLS)
def test_mse_loss(name, shapes):
    values = np.random.default_rng(0).standard_normal((2, 12)).astype(np.float32)

    def program(t):
        x, y = (
            t.tensor(v[: int(np.prod(s))].tolist()).reshape(s)
            for v, s in zip(values, shapes, strict=True)
        )
        x.requires_grad_()
        loss = t.nn.functional.mse_loss(x, y, **LOSS_CALLS[name])
        loss.sum().backward()
        inputs = [node and node.name() for node, _ in loss.grad_fn.next_functions]
        return [loss, x.grad, loss.grad_fn.name(), inputs]

    same(program, either=True)


@pytest.mark.parametrize("name", LOSS_CALLS)
def test_mse_loss_module(name):
    def program(t):
        loss = t.nn.MSELoss(**LOSS_CALLS[name])
        return [loss.reduction, loss, loss(t.ones(3), t.zeros(3))]

    same(program, either=True)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none", "bad"])
def test_weighted_mse_loss(reduction):
    def program(t):
        x = t.tensor([1.0, 2.0, 4.0], requires_grad=True)
        weight = t.tensor([0.5, 1.5, 3.0])
        loss = t.nn.functional.mse_loss(x, t.zeros(3), reduction=reduction, weight=weight)
        loss.sum().backward()
        return [loss, x.grad]

    same(program, either=True)
    same(fails(lambda t: t.nn.functional.mse_loss(t.ones(2), t.ones(2), weight=t.ones(3))))


def test_layers():
    def program(t):
        nn = t.nn
        x = t.tensor([[1.0, -2.0], [0.5, 3.0]])
        layers = [
            nn.ReLU(),
            nn.Flatten(0),
            nn.Identity(5),
            exact(t, nn.Linear(2, 3)),
            exact(t, nn.Linear(2, 1, bias=False)),
        ]
        outputs = [layer(x) for layer in layers]
        inplace = nn.ReLU(inplace=True)(x)
        functional = [nn.functional.relu(x), nn.functional.linear(x, t.ones(1, 2), t.ones(1))]
        return [
            outputs,
            inplace is x,
            x,
            functional,
            [o.grad_fn and o.grad_fn.name() for o in outputs],
        ]

    same(program)


@pytest.mark.parametrize("name", ["Sigmoid", "Tanh"])
def test_smooth_activations(name):
    values = np.linspace(-6, 6, 50).tolist()
    ours, theirs = (getattr(t.nn, name)()(t.tensor(values)).numpy() for t in (minigrad, torch))
    np.testing.assert_array_max_ulp(ours, theirs, 2)
