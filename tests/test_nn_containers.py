"""Containers and the methods of whole modules, each program run with both libraries."""

import copy
import pickle
from collections import OrderedDict
from typing import Any

import pytest
import torch
from both import on_both

import minigrad


def parameters(torch: Any, *sizes: int) -> list[Any]:
    return [torch.nn.Parameter(torch.arange(float(n))) for n in sizes]


# --- lists and dicts of parameters ---------------------------------------------------------------


@on_both
def test_parameter_list(torch: Any, log: Any) -> None:
    values = torch.nn.ParameterList([torch.ones(2), *parameters(torch, 3), "text", 4])
    log(repr(values), len(values), values[0], values[-2], list(values)[2:], values[1:3][0])
    log([n for n, _ in values.named_parameters()], list(values.state_dict()))
    log.error(lambda: values[4])
    log.error(lambda: values[-5])
    log.error(lambda: values["0"])
    values[0] = torch.zeros(2, 3)
    values[-1] = 5
    log(values[0], values[3], type(values[0]).__name__)
    log(values.append(torch.ones(1)) is values, values.extend([torch.zeros(1)]) is values)
    values += parameters(torch, 1)
    log(len(values), repr(values), dir(values) == [n for n in dir(values) if not n.isdigit()])
    log.error(values.extend, torch.ones(2))
    log.error(values.extend, 3)
    log.error(values)
    log.error(torch.nn.ParameterList, 3)
    log(repr(torch.nn.ParameterList()), len(torch.nn.ParameterList()))
    log(repr(copy.deepcopy(values)), repr(pickle.loads(pickle.dumps(values))))
    log(repr(values.double()), repr(values[:2].requires_grad_(False)))


@on_both
def test_parameter_dict(torch: Any, log: Any) -> None:
    values = torch.nn.ParameterDict({"right": torch.ones(2), "left": parameters(torch, 3)[0]})
    log(repr(values), list(values), len(values), "left" in values, "up" in values, values["left"])
    values["name"] = "text"
    log(list(values.keys()), list(values.items()), list(values.values()), list(reversed(values)))
    log([n for n, _ in values.named_parameters()], list(values.state_dict()))
    log(values.get("up"), values.get("up", 3), values.setdefault("up", torch.zeros(1)))
    log(values.setdefault("up", 4), values.pop("name"), values.popitem(), list(values))
    log.error(lambda: values["nothing"])
    log.error(values.pop, "nothing")
    log.error(values.__delitem__, "nothing")
    log.error(values.__setitem__, 3, torch.ones(1))
    log.error(values.update, 3)
    log.error(values.update, [3])
    log.error(values.update, [(1, 2, 3)])
    log.error(values)
    log.error(torch.nn.ParameterDict().__setitem__, "items", torch.ones(1))
    values = torch.nn.ParameterDict({"a": torch.ones(1)})
    other = values.copy()
    log(other["a"] is values["a"], other is values)
    other.update(OrderedDict(z=torch.ones(1), b=torch.zeros(1)))
    other.update([("c", torch.ones(1))])
    log(list(other), list(values | other), list(other | values))
    values |= other
    log(list(values), list(values.fromkeys(["x", "y"], torch.ones(1))))
    values.clear()
    log(repr(values), len(values))
    log.error(values.popitem)
    log(repr(copy.deepcopy(other)), repr(pickle.loads(pickle.dumps(other))))


# --- lists and dicts of modules ------------------------------------------------------------------


@on_both
def test_module_list(torch: Any, log: Any) -> None:
    nn = torch.nn
    layers = nn.ModuleList([nn.Identity(), nn.Linear(1, 2), nn.Linear(1, 2)])
    log(repr(layers), len(layers), repr(layers[1:]), repr(layers[-1]), type(layers[:1]).__name__)
    layers.insert(1, nn.ReLU())
    layers.insert(3, nn.Tanh())
    log(repr(layers.append(nn.Sigmoid())), list(layers._modules))
    del layers[0]
    del layers[1:3]
    log(repr(layers), list(layers._modules), repr(layers.pop(0)), repr(layers.pop(-1)))
    layers[0] = nn.ReLU()
    layers += [nn.Tanh()]
    log(
        repr(layers),
        repr(layers + [nn.Identity()]),
        repr(layers.extend(nn.ModuleList([nn.Tanh()]))),
    )
    log.error(lambda: layers[9])
    log.error(layers.__setitem__, 9, nn.ReLU())
    log.error(layers.append, 3)
    log.error(layers.extend, 3)
    log.error(layers.extend, [3])
    log.error(layers.pop, 9)
    log.error(layers)
    log(nn.Tanh() in layers, layers[0] in layers, repr(nn.ModuleList()), bool(nn.ModuleList()))


@on_both
def test_module_dict(torch: Any, log: Any) -> None:
    nn = torch.nn
    layers = nn.ModuleDict({"b": nn.ReLU(), "a": nn.Tanh()})
    log(repr(layers), list(layers), len(layers), "a" in layers, "c" in layers, repr(layers["a"]))
    layers.update([("c", nn.Sigmoid())])
    layers.update(nn.ModuleDict({"d": nn.Identity()}))
    layers.update({"f": nn.Identity(), "e": nn.Identity()})
    log(list(layers.keys()), [repr(m) for m in layers.values()], [k for k, _ in layers.items()])
    log(repr(layers.pop("b")), list(layers))
    layers["a"] = nn.ReLU()
    del layers["c"]
    log(repr(layers))
    for call in (
        lambda: layers["x"], lambda: layers.pop("x"), lambda: layers.__delitem__("x"),
        lambda: layers.__setitem__("x", 3), lambda: layers.__setitem__(3, nn.ReLU()),
        lambda: layers.__setitem__("keys", nn.ReLU()), lambda: layers.update(3), lambda: layers.update([3]),
        lambda: layers.update([("x", nn.ReLU(), 3)]), lambda: layers(3),
    ):  # fmt: skip
        log.error(call)
    layers.clear()
    log(len(layers), repr(layers))


@on_both
def test_sequential(torch: Any, log: Any) -> None:
    nn = torch.nn
    net = nn.Sequential(OrderedDict(first=nn.ReLU(), second=nn.Tanh()))
    log(repr(net), repr(net.first), repr(net[0]), repr(net[1:]), repr(net[-1]), len(net))
    log(repr(net.append(nn.Identity())), list(net._modules))
    plain = nn.Sequential(nn.ReLU(), nn.Tanh())
    log(repr(plain + net), repr(plain * 2), repr(2 * plain))
    plain += nn.Sequential(nn.Sigmoid())
    plain *= 2
    log(repr(plain), repr(plain.insert(1, nn.Identity())), repr(plain.insert(-1, nn.Identity())))
    log(repr(plain.extend([nn.Tanh()])), repr(plain.pop(0)), repr(plain), list(plain._modules))
    del plain[1:3]
    plain[0] = nn.Sigmoid()
    log(repr(plain), list(plain._modules), plain(torch.ones(2)), nn.Sequential()(3))
    for call in (
        lambda: plain[20], lambda: plain.insert(20, nn.ReLU()), lambda: plain.insert(0, 3),
        lambda: plain + [nn.ReLU()], lambda: plain * 1.5, lambda: plain * 0, lambda: nn.Sequential(3),
        lambda: plain.append(3), lambda: plain.extend(3), lambda: plain.pop(20), lambda: plain(1, 2),
        lambda: plain.__delitem__(20), lambda: plain.__imul__(-1),
    ):  # fmt: skip
        log.error(call)


# --- data parallelism on one device --------------------------------------------------------------


@on_both
def test_data_parallel_is_its_module(torch: Any, log: Any) -> None:
    torch.manual_seed(0)
    inner = torch.nn.Linear(2, 1)
    model = torch.nn.DataParallel(inner)
    log(repr(model), list(model.state_dict()), model.module is inner, model.device_ids)
    out = model(torch.ones(3, 2))
    log(out)
    out.sum().backward()
    log(inner.weight.grad)
    log(torch.nn.parallel.DataParallel is torch.nn.DataParallel)


# --- methods of a module -------------------------------------------------------------------------


def tied(torch: Any) -> Any:
    torch.manual_seed(0)
    nn = torch.nn
    shared = nn.Linear(2, 2)
    net = nn.Sequential(shared, nn.Tanh(), shared)
    net.other = nn.Linear(2, 2)
    net.other.weight = shared.weight
    net.register_buffer("count", torch.zeros(1, dtype=torch.int64))
    net.register_buffer("scratch", torch.ones(1), persistent=False)
    net.other.register_buffer("again", net.scratch)
    net.register_parameter("absent", None)
    return net


@on_both
@pytest.mark.parametrize("remove_duplicate", [True, False])
def test_walks(torch: Any, log: Any, remove_duplicate: bool) -> None:
    net = tied(torch)
    walks = {"remove_duplicate": remove_duplicate}
    log([n for n, _ in net.named_parameters(**walks)], [n for n, _ in net.named_buffers(**walks)])
    log([n for n, _ in net.named_modules(**walks)], [n for n, _ in net.named_children()])
    log([n for n, _ in net.named_modules(prefix="p", **walks)])
    log([n for n, _ in net.named_parameters("q", recurse=False, **walks)])
    log([n for n, _ in net.named_buffers("q", False, **walks)])
    log(len(list(net.parameters())), len(list(net.buffers())), len(list(net.modules())))
    log(list(net.state_dict()), len(list(net.children())))


@on_both
def test_access_by_name(torch: Any, log: Any) -> None:
    net = tied(torch)
    log(repr(net.get_submodule("other")), repr(net.get_submodule("")), net.get_buffer("count"))
    log(net.get_parameter("0.weight") is net.get_parameter("other.weight"))
    net.set_submodule("other.inner", torch.nn.ReLU())
    net.set_submodule("1", torch.nn.Sigmoid(), strict=True)
    log(repr(net))
    for call in (
        lambda: net.get_submodule("nothing"), lambda: net.get_submodule("other.weight"),
        lambda: net.get_parameter("other.nothing"), lambda: net.get_parameter("other"),
        lambda: net.get_parameter("count"), lambda: net.get_buffer("0.weight"),
        lambda: net.get_buffer("nothing"), lambda: net.set_submodule("", torch.nn.ReLU()),
        lambda: net.set_submodule("nothing", torch.nn.ReLU(), strict=True),
        lambda: net.set_submodule("nothing.more", torch.nn.ReLU()),
        lambda: net.set_submodule("1", 3), lambda: net.set_submodule("count", torch.nn.ReLU()),
    ):  # fmt: skip
        log.error(call)


@on_both
def test_conversions(torch: Any, log: Any) -> None:
    net = tied(torch)
    weight = net.other.weight
    net(torch.ones(2)).sum().backward()
    calls = (
        lambda: net.double(), lambda: net.half(), lambda: net.float(), lambda: net.to(torch.float64),
        lambda: net.to("cpu"), lambda: net.to("cpu", torch.float32), lambda: net.cpu(),
        lambda: net.to(torch.ones(1, dtype=torch.float64)), lambda: net.to(dtype=torch.float16),
        lambda: net.to(torch.float32, non_blocking=True), lambda: net.to(device="cpu", dtype=torch.float64),
    )  # fmt: skip
    for call in calls:
        same = call() is net
        log(same, [str(t.dtype) for t in net.state_dict().values()], str(net.scratch.dtype))
        log(
            net.other.weight is weight, str(weight.grad.dtype), weight.is_leaf, weight.requires_grad
        )
    log.error(net.to, torch.int64)
    log(torch.nn.Identity().cuda() is not None)
    log(str(torch.nn.Linear(1, 1).type(torch.float64).weight.dtype))
    image = torch.nn.Module()
    image.weight = torch.nn.Parameter(torch.ones(2, 3, 4, 5))
    image.bias = torch.nn.Parameter(torch.ones(2))
    image.to(memory_format=torch.channels_last)
    log(image.weight.stride(), image.bias.stride())


@on_both
def test_to_empty(torch: Any, log: Any) -> None:
    net = tied(torch)
    weight = net.other.weight
    log(net.to_empty(device="cpu") is net, [tuple(t.shape) for t in net.state_dict().values()])
    log(net.other.weight is weight, weight.requires_grad)
    log.error(net.to_empty)


@on_both
def test_gradients_of_a_module(torch: Any, log: Any) -> None:
    net = tied(torch)
    net(torch.ones(2)).sum().backward()
    net.zero_grad(set_to_none=False)
    log([p.grad for p in net.parameters()])
    net.zero_grad()
    log([p.grad for p in net.parameters()])
    log(net.requires_grad_(False) is net, [p.requires_grad for p in net.parameters()])
    log(net.requires_grad_()[0].bias.requires_grad)
    log(net.eval().training, net[0].training, net.train()[0].training, net.train(False).training)
    log.error(net.train, 1)
    names: list[str] = []
    log(net.apply(lambda m: names.append(type(m).__name__)) is net, names)
    log(net.compile(backend="eager"))


@on_both
def test_assignments(torch: Any, log: Any) -> None:
    net = tied(torch)
    for name, value in (
        ("other", 3), ("other", None), ("count", 3), ("count", None), ("absent", 3), ("absent", None),
        ("scratch", torch.ones(3)), ("number", 3), ("number", torch.nn.ReLU()), ("tensor", torch.ones(1)),
        ("tensor", torch.nn.Parameter(torch.ones(1))), ("tensor", torch.ones(1)), ("a.b", torch.nn.ReLU()),
    ):  # fmt: skip
        log.error(setattr, net, name, value)
        log(list(net._parameters), list(net._buffers), list(net._modules), list(net.state_dict()))
    log.error(delattr, net, "nothing")
    del net.count, net.tensor, net.number
    log(hasattr(net, "count"), hasattr(net, "tensor"), hasattr(net, "number"))
    log.error(lambda: net.nothing)

    class Early(torch.nn.Module):
        def __init__(self, value: Any) -> None:
            self.value = value

    for value in (
        torch.nn.Parameter(torch.ones(1)),
        torch.nn.ReLU(),
        torch.nn.Buffer(torch.ones(1)),
    ):
        log.error(Early, value)
    log.error(lambda: Early(3).weight)
    log.error(torch.nn.Tanh, 3)
    log.error(torch.nn.Tanh, slope=3)


@on_both
def test_cooperative_constructors(torch: Any, log: Any) -> None:
    class Other:
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            log(args, list(kwargs.items()))

    class Both(torch.nn.Module, Other):
        call_super_init = True

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)

    Both(1, name=2)


# --- state ---------------------------------------------------------------------------------------


@on_both
@pytest.mark.parametrize("assign", [False, True])
@pytest.mark.parametrize("strict", [False, True])
def test_load_state_dict(torch: Any, log: Any, strict: bool, assign: bool) -> None:
    good = {"weight": torch.ones(2, 2), "bias": torch.zeros(2)}
    for given in (
        good, {}, {"weight": good["weight"]}, {**good, "more": torch.ones(1), "and.more": torch.ones(1)},
        {**good, "bias": torch.zeros(3)}, {**good, "bias": 3}, {**good, "bias": torch.zeros(2).double()},
        {**good, "bias": torch.nn.Parameter(torch.zeros(2), requires_grad=False)},
        {"weight": torch.ones(3, 2), "bias": torch.ones(1), "x": torch.ones(1)},
    ):  # fmt: skip
        torch.manual_seed(0)
        layer = torch.nn.Linear(2, 2)
        weight, bias = layer.weight, layer.bias
        log.error(lambda d=given, x=layer: str(x.load_state_dict(d, strict=strict, assign=assign)))
        log(layer.weight is weight, layer.bias is bias, layer.weight, layer.bias, list(given))


@on_both
def test_loading_into_a_tree(torch: Any, log: Any) -> None:
    net = tied(torch)
    state = net.state_dict()
    log(list(state._metadata), net.state_dict(prefix="p.")._metadata == {})
    del state["0.bias"]
    state["2.nothing"] = torch.ones(1)
    state["nobody.weight"] = torch.ones(1)
    log.error(net.load_state_dict, state)
    log(str(net.load_state_dict(state, strict=False)))
    log.error(net.load_state_dict, [1])
    with torch.no_grad():
        kept = net.state_dict(keep_vars=True)
        log(kept["other.weight"] is net.other.weight, state["other.weight"].requires_grad)


@on_both
def test_extra_state(torch: Any, log: Any) -> None:
    class Counting(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.count = 0

        def get_extra_state(self) -> Any:
            return {"count": self.count}

        def set_extra_state(self, state: Any) -> None:
            self.count = state["count"]

    one, other = torch.nn.Sequential(Counting()), torch.nn.Sequential(Counting())
    one[0].count = 5
    log(list(one.state_dict().items()) == [("0._extra_state", {"count": 5})])
    log(str(other.load_state_dict(one.state_dict())), other[0].count)
    log.error(other.load_state_dict, {})
    log.error(torch.nn.Sequential(torch.nn.Identity()).load_state_dict, one.state_dict())


def test_public_methods() -> None:
    """Every public method of PyTorch's Module, but those for devices that it never has."""
    absent = {"ipu", "mtia", "xpu", "T_destination"}
    theirs = {name for name in dir(torch.nn.Module) if not name.startswith("_")}
    assert theirs - absent <= set(dir(minigrad.nn.Module))
    names = ("Sequential", "ModuleList", "ModuleDict", "ParameterList", "ParameterDict")
    for name in names:
        theirs = {n for n in dir(getattr(torch.nn, name)) if not n.startswith("__")}
        ours = set(dir(getattr(minigrad.nn, name)))
        assert {n for n in theirs if not n.startswith("_")} - absent <= ours, name


@on_both
def test_joined_dictionaries_leave_theirs_alone(torch: Any, log: Any) -> None:
    one = torch.nn.ParameterDict({"a": torch.ones(1), "b": torch.ones(2)})
    other = torch.nn.ParameterDict({"b": torch.zeros(3), "c": torch.zeros(1)})
    for joined in (one | other, one | {"d": torch.ones(4)}, other.copy()):
        log(list(joined), type(joined).__name__, joined is one, list(one), list(other))
    plain = {"d": torch.ones(4)}
    log(list(plain | one), list(plain), list(one))
    log([tuple(v.shape) for v in one.values()], [tuple(v.shape) for v in (one | other).values()])
    one |= other
    log(list(one), [tuple(v.shape) for v in one.values()], list(other))


@on_both
def test_a_deleted_buffer_is_kept_when_it_comes_back(torch: Any, log: Any) -> None:
    module = torch.nn.Module()
    module.register_buffer("mean", torch.ones(1), persistent=False)
    log(list(module.state_dict()))
    del module.mean
    module.mean = torch.nn.Buffer(torch.zeros(2))
    log(list(module.state_dict()), list(dict(module.named_buffers())))
    module.register_buffer("mean", torch.ones(1), persistent=False)
    module._buffers.pop("mean")
    module.mean = torch.nn.Parameter(torch.zeros(2))
    log(list(module.state_dict()))
