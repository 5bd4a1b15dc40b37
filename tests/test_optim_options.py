"""Optimizers and schedules beside PyTorch's, with what is seldom given: learning rates that are
part of a graph, groups that differ in every option, odd sizes of float16, state of other types."""

import copy
import pickle

import numpy as np
import pytest
import torch
from test_optim import same
from test_optim_rules import CASES, LIBRARIES, assert_close, drawn, everything, trained

import minigrad
from minigrad.optim import arithmetic

# -- float16 --------------------------------------------------------------------------------------

OF_HALVES = {
    "scale_": ([0.999, -3.0, 1e-4], lambda x, a, b, n: x.mul_(n)),
    "scale": ([0.999, 1.0], lambda x, a, b, n: x.mul(n)),
    "divide_": ([0.27, -7.0], lambda x, a, b, n: x.div_(n)),
    "divide": ([0.27, 1.0], lambda x, a, b, n: x.div(n)),
    "add_number": ([0.1, 1e-3], lambda x, a, b, n: x.add(n)),
    "lerp_": ([0.1, 0.5, 0.9, 0.4999], lambda x, a, b, n: x.lerp_(a, n)),
    "add_scaled_": ([0.1, 1.0, -1.0], lambda x, a, b, n: x.add_(a, alpha=n)),
    "add_scaled": ([0.1, 1.0, -1.0], lambda x, a, b, n: x.add(a, alpha=n)),
    "addcmul_": ([0.1, 1.0, -2.0], lambda x, a, b, n: x.addcmul_(a, b, value=n)),
    "addcmul": ([0.1, 1.0, -2.0], lambda x, a, b, n: x.addcmul(a, b, value=n)),
    "addcdiv_": ([0.1, 1.0, -2.0], lambda x, a, b, n: x.addcdiv_(a, b, value=n)),
}
ONE = ("scale_", "scale", "divide_", "divide", "add_number")
TWO = ("lerp_", "add_scaled_", "add_scaled")


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("name", OF_HALVES)
def test_every_function_of_the_arithmetic(name, dtype):
    """Bit-equal to PyTorch in whole vectors, and in place where the name ends with "_"."""
    numbers, theirs = OF_HALVES[name]
    for i, n in enumerate(numbers):
        x, a, b = (drawn([k, i], 192, dtype) for k in range(3))
        expected = theirs(*(torch.from_numpy(v.copy()) for v in (x, a, b)), n).numpy()
        used = (x,) if name in ONE else (x, a) if name in TWO else (x, a, b)
        before = [v.copy() for v in used]
        result = getattr(arithmetic, name)(*used, n)
        result = x if name.endswith("_") else result
        assert result.dtype == x.dtype
        assert result.tobytes() == expected.tobytes(), n
        for now, then in zip(used[name.endswith("_") :], before[name.endswith("_") :], strict=True):
            assert now.tobytes() == then.tobytes()


@pytest.mark.parametrize(("name", "options"), CASES, ids=str)
def test_half_precision_in_odd_sizes(name, options):
    """There PyTorch rounds twice: some units in the last place of the largest number."""
    if "eps" in trained(torch, name, {}, [torch.ones(1)], 0).defaults:
        options = options | {"eps": 1e-2}
    found = []
    for t in LIBRARIES:
        params = [
            t.from_numpy(drawn(5, s, "float16")).requires_grad_() for s in ((), (7,), (3, 11))
        ]
        found.append(everything(params, trained(t, name, options, params, 5, "float16")))
    assert_close(*found, 6)


# -- learning rates in the graph ------------------------------------------------------------------


def with_a_learning_rate(t, name, options, lr, steps):
    """The parameters after some steps, and the derivatives of the sum of their squares."""
    w = t.tensor([1.0, -2.0, 0.5], dtype=t.float64, requires_grad=True)
    p = w.clone()
    optimizer = getattr(t.optim, name)([p], lr=lr, differentiable=True, **options)
    gradients = [t.tensor([k, -2 * k, k / 2], dtype=t.float64) for k in (0.7, 0.4)[:steps]]
    for gradient in gradients:
        p.grad = gradient.requires_grad_() * 1
        optimizer.step()
    loss = (p**2).sum()
    loss.backward()
    found = [w.grad, *(g.grad for g in gradients)]
    return loss, [p.tolist(), *([0.0] * 3 if v is None else v.tolist() for v in found)]


WITHOUT_SLOPE = ("Rprop", "ASGD")  # keep the rate as a number in their state
WITH_MOMENTUM = {"momentum": 0.9, "weight_decay": 0.1}


@pytest.mark.parametrize("steps", [1, 2])
@pytest.mark.parametrize(
    ("name", "options"), [c for c in CASES if c[0] not in WITHOUT_SLOPE], ids=str
)
def test_gradient_of_every_learning_rate(name, options, steps):
    """As the slope of a secant, and the same step as with a number."""
    if name == "SGD" and not options.get("nesterov"):
        options = {}  # see below
    lr = minigrad.tensor(0.1, dtype=minigrad.float64, requires_grad=True)
    _, ours = with_a_learning_rate(minigrad, name, options, lr, steps)
    losses = [
        with_a_learning_rate(minigrad, name, options, 0.1 + h, steps)[0].item()
        for h in (1e-6, -1e-6)
    ]
    np.testing.assert_allclose(lr.grad.item(), (losses[0] - losses[1]) / 2e-6, rtol=1e-5)
    _, plain = with_a_learning_rate(minigrad, name, options, 0.1, steps)
    np.testing.assert_allclose(ours, plain, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("options", [WITH_MOMENTUM, {**WITH_MOMENTUM, "nesterov": True}], ids=str)
@pytest.mark.parametrize("steps", [1, 2])
def test_gradient_of_the_learning_rate_of_sgd(options, steps):
    """Each step changes the momentum and the parameter, which the one before may have saved."""

    def program(t):
        lr = t.tensor(0.25, dtype=t.float64, requires_grad=True)
        _, found = with_a_learning_rate(t, "SGD", options, lr, steps)
        return np.round([*np.ravel(found), lr.grad.item()], 12).tolist()

    result, _ = same(program, either=True)
    assert isinstance(result, list) or "inplace operation" in result


# -- groups and state -----------------------------------------------------------------------------

OPTIMIZERS = ("SGD", "Adam", "AdamW", "NAdam", "RAdam", "Adamax", "Adagrad", "Adadelta", "RMSprop",
              "Rprop", "ASGD", "Adafactor", "LBFGS")  # fmt: skip


def made(t, name, shapes=((2, 3), (4,)), **options):
    params = [t.from_numpy(drawn([4, i], shape)) for i, shape in enumerate(shapes)]
    return trained(t, name, options, [p.requires_grad_() for p in params], 0)


def options_of(name):
    return [key for key in made(torch, name).param_groups[0] if key != "params"]


READ_WHEN_NEEDED = (("SGD", "dampening"), ("RAdam", "eps"), ("LBFGS", "history_size"))


@pytest.mark.parametrize(
    ("name", "key"), [(n, k) for n in OPTIMIZERS for k in options_of(n)], ids=str
)
def test_a_checkpoint_without_an_option(name, key):
    """Options that came later get a default; the next step misses others."""

    def program(t):
        optimizer = made(t, name, foreach=False) if name != "LBFGS" else made(t, name)
        state = optimizer.state_dict()
        del state["param_groups"][0][key]
        optimizer.load_state_dict(state)
        group = {k: v for k, v in optimizer.param_groups[0].items() if k != "params"}
        for p in optimizer.param_groups[0]["params"]:
            p.grad = t.ones_like(p)
        if (name, key) in READ_WHEN_NEEDED:  # PyTorch's miss these in every step
            return group
        try:
            optimizer.step(lambda: t.ones(()))
        except KeyError as error:
            return [group, str(error)]
        return group

    same(program)


@pytest.mark.parametrize("name", [n for n in OPTIMIZERS if n != "LBFGS"])
def test_pickles_have_all_options(name):
    def program(t):
        optimizer = made(t, name)
        for key in ("foreach", "maximize", "capturable", "differentiable", "fused"):
            optimizer.param_groups[0].pop(key, None)
            optimizer.defaults.pop(key, None)
        again = pickle.loads(pickle.dumps(optimizer))
        del again.param_groups[0]["params"]
        return [again.param_groups, again.defaults, len(again._optimizer_step_pre_hooks)]

    same(program)


@pytest.mark.parametrize("name", ["SGD", "Adam", "Adagrad"])
def test_state_of_other_types(name):
    """Loading casts tensors in lists, tuples and dicts, but not `step`, and not numbers."""

    def program(t):
        optimizer = made(t, name, foreach=False)
        state = optimizer.state_dict()
        wide, whole = t.ones(2, dtype=t.float64), t.tensor([1, 2])
        state["state"] = {
            0: {"step": wide, "a": [wide, whole], "b": (wide, 2), "c": {"step": wide, "d": wide}},
            1: {"step": t.zeros(()), "text": None, "number": 3.5, "e": wide, "whole": whole},
            "own": wide,
        }
        optimizer.load_state_dict(state)
        p, q = optimizer.param_groups[0]["params"]
        return [
            optimizer.state[p],
            optimizer.state[q],
            optimizer.state["own"],
            len(optimizer.state),
        ]

    same(program)


def test_loading_into_whole_numbers():
    """The state of a parameter that is no floating-point number keeps its dtype."""

    def program(t):
        p = t.tensor([1, 2])
        optimizer = t.optim.SGD([p], lr=0.1)
        state = optimizer.state_dict()
        state["state"] = {0: {"momentum_buffer": t.ones(2, dtype=t.float64)}}
        optimizer.load_state_dict(state)
        return optimizer.state[p]

    same(program)


def test_loading_changes_neither_side():
    """The saved groups are copied; the tensors of the state are those of both."""

    def program(t):
        optimizer = made(t, "SGD", momentum=0.9)
        params = optimizer.param_groups[0]["params"]
        for p in params:
            p.grad = t.ones_like(p)
        optimizer.step()
        saved = optimizer.state_dict()
        before = copy.deepcopy(saved)
        other = t.optim.SGD(params, lr=3.0)
        other.load_state_dict(saved)
        other.param_groups[0]["lr"] = 5.0
        other.state[params[0]]["new"] = 1
        shared = other.state[params[1]]["momentum_buffer"] is saved["state"][1]["momentum_buffer"]
        return [saved, before, shared, optimizer.param_groups[0]["lr"]]

    same(program)


@pytest.mark.parametrize("name", [n for n in OPTIMIZERS if n != "LBFGS"])
def test_groups_that_differ(name):
    """Each group has its own options, also those that a group was added with later."""

    def program(t):
        params = [t.from_numpy(drawn([4, i], (32,))).requires_grad_() for i in range(3)]
        groups = [
            {"params": params[:1], "lr": 0.5},
            {"params": params[1:2], "maximize": True, "note": "mine"},
        ]
        optimizer = getattr(t.optim, name)(groups, lr=0.1)
        optimizer.add_param_group({"params": params[2], "weight_decay": 0.5, "t0": 1})
        before = [p.tolist() for p in params]
        for _ in range(2):
            for p in params:
                p.grad = t.ones_like(p)
            optimizer.step()
        moved = [
            np.sign(np.subtract(p.tolist(), b)).tolist()
            for p, b in zip(params, before, strict=True)
        ]
        for group in optimizer.param_groups:
            del group["params"]
        return [moved[:2], optimizer.param_groups]

    same(program)


@pytest.mark.parametrize("differentiable", [False, True])
@pytest.mark.parametrize(("name", "options"), CASES, ids=str)
def test_gradients_are_only_read(name, options, differentiable):
    """No step changes a gradient, and what the state holds is no view of one."""
    w = minigrad.tensor([1.0, -2.0, 0.5], requires_grad=True)
    p = w.clone() if differentiable else w
    optimizer = getattr(minigrad.optim, name)([p], differentiable=differentiable, **options)
    gradients = [minigrad.tensor([0.5, -1.0, k]) for k in (1.0, 2.0, -1.0)]
    for gradient in gradients:
        p.grad = gradient
        optimizer.step()
    assert [g.tolist() for g in gradients] == [[0.5, -1.0, k] for k in (1.0, 2.0, -1.0)]
    assert [g._version for g in gradients] == [0, 0, 0]


def test_hooks_see_a_copy_of_what_is_loaded():
    def program(t):
        optimizer = made(t, "Adam")
        state = optimizer.state_dict()

        def hook(optimizer, state_dict):
            state_dict["more"] = 1
            state_dict["param_groups"] = copy.deepcopy(state_dict["param_groups"])
            state_dict["param_groups"][0]["lr"] = 0.5

        optimizer.register_load_state_dict_pre_hook(hook)
        optimizer.load_state_dict(state)
        return [sorted(state), state["param_groups"], optimizer.param_groups[0]["lr"]]

    same(program)
