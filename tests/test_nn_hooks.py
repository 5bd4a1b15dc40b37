"""The hooks of modules, each program run with both libraries: what they see, when, and what they change."""

import copy
import pickle
import sys
from collections import namedtuple
from itertools import pairwise
from typing import Any

import pytest
from both import on_both

import minigrad

Pair = namedtuple("Pair", "first second")


def net(torch: Any, *sizes: int) -> Any:
    torch.manual_seed(0)
    layers = [torch.nn.Linear(a, b) for a, b in pairwise(sizes)]
    return torch.nn.Sequential(*layers)


def watch(log: Any, name: str) -> Any:
    def hook(*args: Any) -> None:
        log(name, *(type(a).__name__ if hasattr(a, "training") else a for a in args))

    return hook


# --- backward hooks ------------------------------------------------------------------------------


@on_both
def test_a_full_backward_hook_sees_both_gradients(torch: Any, log: Any) -> None:
    model = net(torch, 2, 3, 1)
    for layer in model:
        layer.register_full_backward_hook(watch(log, "hook"))
    x = torch.ones(4, 2, requires_grad=True)
    out = model(x)
    log.graph(out)
    out.sum().backward()
    log(x.grad, [p.grad for p in model.parameters()])


@on_both
def test_order_of_all_kinds_of_hooks(torch: Any, log: Any) -> None:
    model = net(torch, 2, 2, 2)
    for name, layer in model.named_children():
        layer.register_full_backward_hook(watch(log, f"{name} first"))
        layer.register_full_backward_hook(watch(log, f"{name} in front"), prepend=True)
        layer.register_full_backward_pre_hook(watch(log, f"{name} pre"))
        layer.register_full_backward_pre_hook(watch(log, f"{name} pre in front"), prepend=True)
        layer.register_forward_hook(watch(log, f"{name} forward"))
        layer.register_forward_hook(watch(log, f"{name} forward in front"), prepend=True)
        layer.register_forward_pre_hook(watch(log, f"{name} before"))
        layer.register_forward_pre_hook(watch(log, f"{name} before in front"), prepend=True)
    model(torch.ones(1, 2, requires_grad=True)).sum().backward()


@on_both
def test_backward_hooks_change_gradients(torch: Any, log: Any) -> None:
    model = net(torch, 2, 2)
    x = torch.ones(1, 2, requires_grad=True)
    model[0].register_full_backward_pre_hook(lambda m, grad: (grad[0] * 10,))
    model[0].register_full_backward_hook(lambda m, grad, out: (grad[0] + 1,))
    model[0].register_full_backward_hook(watch(log, "second"))
    model(x).sum().backward()
    log(x.grad, model[0].weight.grad, model[0].bias.grad)


@on_both
def test_a_backward_hook_returns_too_many(torch: Any, log: Any) -> None:
    for register in ("register_full_backward_hook", "register_full_backward_pre_hook"):
        model = net(torch, 2, 2)
        getattr(model, register)(lambda m, *grads: (grads[0][0], None))
        x = torch.ones(1, 2, requires_grad=True)
        log.error(model(x).sum().backward)


@on_both
def test_a_backward_hook_without_a_gradient_of_the_input(torch: Any, log: Any) -> None:
    model = net(torch, 2, 2)
    model.register_full_backward_hook(watch(log, "hook"))
    model(torch.ones(1, 2)).sum().backward()
    log(model[0].weight.grad)
    with torch.no_grad():
        log(model(torch.ones(1, 2)))
    model = net(torch, 2, 2)
    model.register_full_backward_hook(lambda m, grad, out: (torch.ones(1, 2),))
    log.error(model(torch.ones(1, 2)).sum().backward)
    model = net(torch, 2, 2)
    model.register_full_backward_hook(lambda m, grad, out: (None,))
    model(torch.ones(1, 2)).sum().backward()


@on_both
def test_backward_hooks_with_several_inputs_and_outputs(torch: Any, log: Any) -> None:
    class Both(torch.nn.Module):
        def forward(self, a: Any, number: Any, b: Any) -> Any:
            return a * b, number, a + 1, b.detach()

    module = Both()
    module.register_full_backward_hook(watch(log, "hook"))
    module.register_full_backward_pre_hook(watch(log, "pre"))
    a, b = torch.tensor([2.0, 3.0], requires_grad=True), torch.tensor([5.0, 7.0])
    product, number, more, plain = module(a, 4, b)
    log(product, number, more, plain)
    (product * 2).sum().backward(retain_graph=True)
    more.sum().backward()
    log(a.grad)


@on_both
def test_a_named_tuple_stays_one(torch: Any, log: Any) -> None:
    class Twice(torch.nn.Module):
        def forward(self, x: Any) -> Any:
            return Pair(x * 2, x * 3)

    module = Twice()
    module.register_full_backward_hook(watch(log, "hook"))
    x = torch.ones(2, requires_grad=True)
    result = module(x)
    log(type(result).__name__, result.first, result.second)
    result.second.sum().backward()
    log(x.grad)


@on_both
def test_a_result_that_is_neither_tensor_nor_tuple(torch: Any, log: Any) -> None:
    class Names(torch.nn.Module):
        def forward(self, x: Any) -> Any:
            return {"twice": x * 2}

    module = Names()
    module.register_full_backward_hook(watch(log, "hook"))
    x = torch.ones(2, requires_grad=True)
    module(x)["twice"].sum().backward()
    log(x.grad)


@on_both
def test_inputs_behind_a_backward_hook_cannot_be_changed_in_place(torch: Any, log: Any) -> None:
    class InPlace(torch.nn.Module):
        def forward(self, x: Any) -> Any:
            return x.mul_(2)

    module = InPlace()
    x = torch.ones(2, requires_grad=True) * 1
    log(module(x))
    module.register_full_backward_hook(watch(log, "hook"))
    log.error(module, torch.ones(2, requires_grad=True) * 1)


@on_both
def test_second_derivatives_through_a_hooked_module(torch: Any, log: Any) -> None:
    class Cube(torch.nn.Module):
        def forward(self, x: Any) -> Any:
            return x * x * x

    module = Cube()
    module.register_full_backward_hook(watch(log, "hook"))
    x = torch.tensor([2.0], requires_grad=True)
    (first,) = torch.autograd.grad(module(x), x, torch.ones(1), create_graph=True)
    log(first)
    first.sum().backward()
    log(x.grad)


@on_both
def test_removed_hooks_are_silent(torch: Any, log: Any) -> None:
    model = net(torch, 2, 2)
    handles = [
        model.register_full_backward_hook(watch(log, "backward")),
        model.register_full_backward_pre_hook(watch(log, "backward pre")),
        model.register_forward_hook(watch(log, "forward"), with_kwargs=True, always_call=True),
        model.register_forward_pre_hook(watch(log, "pre"), with_kwargs=True),
    ]
    for handle in handles:
        handle.remove()
        handle.remove()
    out = model(torch.ones(1, 2, requires_grad=True))
    log.graph(out)
    log(len(model._forward_hooks_with_kwargs), len(model._forward_hooks_always_called))
    with model.register_forward_hook(watch(log, "inside")):
        model(torch.ones(1, 2))
    model(torch.ones(1, 2))


@on_both
def test_the_older_backward_hook(torch: Any, log: Any) -> None:
    model = net(torch, 2, 2)
    model[0].register_backward_hook(watch(log, "older"))
    model(torch.ones(1, 2, requires_grad=True)).sum().backward()
    log.error(model[0].register_full_backward_hook, watch(log, "full"))
    other = net(torch, 2, 2)
    other.register_full_backward_hook(watch(log, "full"))
    log.error(other.register_backward_hook, watch(log, "older"))

    class Steps(torch.nn.Module):
        def forward(self, x: Any, kind: str) -> Any:
            many = {
                "many": (x * 2, x * 3),
                "nested": [x * 2],
                "dict": {"a": x * 2},
                "one": x * 2 + 1,
            }
            return many[kind]

    module = Steps()
    module.register_backward_hook(watch(log, "steps"))
    for kind in ("many", "nested", "dict", "one"):
        module(torch.ones(1, requires_grad=True), kind)

    class Sum(torch.nn.Module):
        def forward(self, x: Any) -> Any:
            return (x * 2 + 1).sum()

    module = Sum()
    module.register_backward_hook(watch(log, "sum"))
    module(torch.ones(2, requires_grad=True)).backward()


# --- forward hooks -------------------------------------------------------------------------------


@on_both
def test_keyword_arguments_in_forward_hooks(torch: Any, log: Any) -> None:
    class Scale(torch.nn.Module):
        def forward(self, x: Any, *, factor: float = 1.0) -> Any:
            return x * factor

    module = Scale()
    module.register_forward_pre_hook(
        lambda m, args, kwargs: (args, {"factor": kwargs["factor"] + 1}), with_kwargs=True
    )
    module.register_forward_hook(
        lambda m, args, kwargs, out: log(args, list(kwargs.items()), out), with_kwargs=True
    )
    module.register_forward_hook(lambda m, args, out: out + 100)
    log(module(torch.ones(2), factor=3.0))
    module.register_forward_pre_hook(lambda m, args, kwargs: args, with_kwargs=True)
    log.error(module, torch.ones(2), factor=3.0)


@on_both
def test_a_pre_hook_returns_one_value(torch: Any, log: Any) -> None:
    model = net(torch, 2, 2)
    model.register_forward_pre_hook(lambda m, args: args[0] * 2)
    log(model(torch.ones(2)))


@on_both
def test_hooks_that_are_always_called(torch: Any, log: Any) -> None:
    class Broken(torch.nn.Module):
        def forward(self, x: Any) -> Any:
            raise ValueError("broken")

    def failing(*args: Any) -> None:
        raise KeyError("hook")

    module = Broken()
    module.register_forward_hook(watch(log, "never"))
    module.register_forward_hook(watch(log, "always"), always_call=True)
    module.register_forward_hook(failing, always_call=True)
    module.register_forward_hook(watch(log, "once more"), always_call=True)
    log.error(module, torch.ones(1))
    fine = torch.nn.Identity()
    fine.register_forward_hook(watch(log, "called once"), always_call=True)
    fine.register_forward_hook(failing)
    fine.register_forward_hook(watch(log, "after a failing hook"), always_call=True)
    log.error(fine, torch.ones(1))


@on_both
def test_hooks_of_all_modules(torch: Any, log: Any) -> None:
    everywhere = torch.nn.modules.module
    model = net(torch, 2, 2, 1)
    model[0].register_forward_hook(watch(log, "own"))
    handles = [
        everywhere.register_module_forward_pre_hook(watch(log, "pre")),
        everywhere.register_module_forward_hook(watch(log, "forward")),
        everywhere.register_module_forward_hook(
            lambda m, args, kwargs, out: log("names", args, list(kwargs), out), with_kwargs=True
        ),
        everywhere.register_module_full_backward_pre_hook(watch(log, "backward pre")),
        everywhere.register_module_full_backward_hook(watch(log, "backward")),
    ]
    model(torch.ones(1, 2, requires_grad=True)).sum().backward()
    log.error(everywhere.register_module_backward_hook, watch(log, "older"))

    class Broken(torch.nn.Module):
        def forward(self, x: Any) -> Any:
            raise ValueError("broken")

    handles.append(everywhere.register_module_forward_hook(watch(log, "always"), always_call=True))
    log.error(Broken(), 1)
    for handle in handles:
        handle.remove()
    log(model(torch.ones(1, 2)))


@on_both
def test_hooks_of_registration(torch: Any, log: Any) -> None:
    everywhere = torch.nn.modules.module
    handles = [
        everywhere.register_module_parameter_registration_hook(watch(log, "parameter")),
        everywhere.register_module_buffer_registration_hook(watch(log, "buffer")),
        everywhere.register_module_module_registration_hook(
            lambda m, name, child: log("module", name, type(child).__name__)
        ),
    ]
    module = torch.nn.Module()
    module.weight = torch.nn.Parameter(torch.ones(1))
    module.register_buffer("mean", torch.zeros(1))
    module.mean = torch.ones(1)
    module.child = torch.nn.Identity()
    module.add_module("other", torch.nn.Sequential(torch.nn.Identity()))
    for handle in handles:
        handle.remove()
    with everywhere.register_module_parameter_registration_hook(
        lambda m, name, p: torch.nn.Parameter(p.detach() * 5)
    ):
        module.weight = torch.nn.Parameter(torch.ones(1))
    log(module.weight, module._parameters["weight"])


# --- hooks of the state --------------------------------------------------------------------------


@on_both
def test_hooks_of_the_state_dict(torch: Any, log: Any) -> None:
    model = net(torch, 1, 1)
    model[0].register_state_dict_pre_hook(lambda m, prefix, keep: log("before", prefix, keep))
    model[0].register_state_dict_post_hook(
        lambda m, state, prefix, meta: log("after", list(state), prefix, list(meta.items()))
    )
    log(list(model.state_dict(prefix="a.", keep_vars=True)))
    model.register_state_dict_post_hook(lambda m, state, prefix, meta: state)
    log.error(model.state_dict)
    other = net(torch, 1, 1)
    other._register_state_dict_hook(lambda m, state, prefix, meta: {"only": state["0.bias"]})
    log(list(other.state_dict().items()))


@on_both
def test_hooks_of_loading(torch: Any, log: Any) -> None:
    def rename(module: Any, state: Any, prefix: str, *rest: Any) -> None:
        log(type(module).__name__, prefix, list(state), rest[1:])
        if "old" in state:
            state[prefix + "weight"] = state.pop("old")

    def rename_without_module(state: Any, prefix: str, *rest: Any) -> None:
        log(prefix, list(state))

    model = torch.nn.Linear(1, 1)
    model.register_load_state_dict_pre_hook(rename)
    model._register_load_state_dict_pre_hook(rename_without_module)
    model._register_load_state_dict_pre_hook(rename, with_module=True)
    given = {"old": torch.tensor([[3.0]]), "bias": torch.tensor([4.0])}
    log(str(model.load_state_dict(given)), model.weight, list(given))
    model.register_load_state_dict_post_hook(
        lambda m, keys: (
            (log(keys.missing_keys, keys.unexpected_keys), keys.missing_keys.clear())[2:] or None
        )
    )
    log(str(model.load_state_dict({"bias": torch.ones(1)})))
    model.register_load_state_dict_post_hook(lambda m, keys: keys)
    log.error(model.load_state_dict, {"bias": torch.ones(1)})


# --- copies --------------------------------------------------------------------------------------


def double(module: Any, args: Any, out: Any) -> Any:
    return out * 2


@on_both
def test_copies_keep_their_hooks(torch: Any, log: Any) -> None:
    model = net(torch, 2, 2)
    model.register_forward_hook(double)
    x = torch.ones(2)
    log(model(x))
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model)), copy.copy(model)):
        log(other(x), len(other._forward_hooks))


def test_a_hooked_module_is_freed_without_the_collector() -> None:
    model = net(minigrad, 2, 2)
    model.register_full_backward_hook(lambda *args: None)
    model.register_forward_hook(double)
    out = model(minigrad.ones(1, 2, requires_grad=True))
    out.sum().backward()
    before = sys.getrefcount(model)
    del out
    assert sys.getrefcount(model) <= before


@pytest.mark.parametrize("name", ["cuda", "bfloat16", "share_memory"])
def test_what_a_module_refuses(name: str) -> None:
    with pytest.raises((AssertionError, NotImplementedError)):
        getattr(minigrad.nn.Linear(1, 1), name)()
