"""`minigrad.optim` beside `torch.optim`: the same steps bit for bit, the same state and texts."""

import copy
import importlib
import itertools
import pickle
import warnings

import numpy as np
import on_device
import pytest
import torch

import minigrad
from minigrad.optim import arithmetic

SHAPES = [(), (1,), (1, 1), (3,), (25, 1), (7, 9), (100,), (4, 3, 5)]


def plain(value):
    """`value` without its library: tensors by dtype, shape and bits."""
    if isinstance(value, (torch.Tensor, minigrad.Tensor)):
        array = value.detach().numpy()
        return str(array.dtype), array.shape, on_device.bits(array), value.requires_grad
    if isinstance(value, dict):
        return {key: plain(v) for key, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, str):
        return on_device.neutral(value.replace("minigrad", "torch"))
    return value


def outcome(program, library):
    library.manual_seed(3)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = plain(program(library))
        except Exception as error:
            result = Failure(plain(f"{type(error).__name__}: {error}"))
    texts = [str(w.message) for w in caught]  # minigrad filters NumPy's of infinities
    return result, [t for t in texts if "encountered" not in t]


class Failure(str):
    """What a program ended with that raised."""


def fails(program):
    """Marks a program that is expected to raise."""
    program.fails = True
    return program


def same(program, either=False):
    ours, theirs = outcome(program, minigrad), outcome(program, torch)
    assert ours == theirs
    failed = isinstance(ours[0], Failure)
    assert either or failed == getattr(program, "fails", False), ours[0]
    return ours


def tensors(t, dtype="float32", shapes=SHAPES, seed=0):
    """Leaves of several shapes, with the same values for both libraries."""
    rng = np.random.default_rng(seed)
    arrays = [np.asarray(rng.standard_normal(shape), dtype) for shape in shapes]
    return [t.from_numpy(array).requires_grad_() for array in arrays]


def set_gradients(t, params, step):
    for i, p in enumerate(params):
        rng = np.random.default_rng([step, i])
        p.grad = t.from_numpy(
            np.asarray(rng.standard_normal(tuple(p.shape)), p.detach().numpy().dtype)
        )


# -- the arithmetic -------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_one_rounding(dtype):
    """x + alpha * y as PyTorch's `add`, at every size from 1 to 100 (float16: whole vectors)."""
    rng = np.random.default_rng(1)
    for size in (32, 64, 320) if dtype == "float16" else range(1, 101):
        x, y = (rng.standard_normal(size).astype(dtype) for _ in "xy")
        for alpha in (-0.01337, 0.9, 1, -1, 3e-5):
            expected = torch.from_numpy(x).add(torch.from_numpy(y), alpha=alpha).numpy()
            assert arithmetic.add_scaled(x, y, alpha).tobytes() == expected.tobytes()
            inplace = x.copy()
            arithmetic.add_scaled_(inplace, y, alpha)
            assert inplace.tobytes() == expected.tobytes()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_special_values(dtype):
    values = np.array([0.0, -0.0, 1.0, np.inf, -np.inf, np.nan, 1e30, -1e30], dtype)
    x, y = (a.ravel() for a in np.meshgrid(values, values))
    with np.errstate(all="ignore"):
        ours = arithmetic.add_scaled(x.copy(), y.copy(), -0.1)
    theirs = torch.from_numpy(x.copy()).add(torch.from_numpy(y.copy()), alpha=-0.1).numpy()
    np.testing.assert_array_equal(ours, theirs)


def test_mixed_dtypes():
    """A gradient of another dtype than its parameter: computed in the wider, stored in x's."""
    rng = np.random.default_rng(2)
    for a, b in itertools.permutations(["float16", "float32", "float64"], 2):
        x, y = rng.standard_normal(64).astype(a), rng.standard_normal(64).astype(b)
        theirs = torch.from_numpy(x.copy()).add_(torch.from_numpy(y), alpha=-0.3).numpy()
        arithmetic.add_scaled_(x, y, -0.3)
        assert x.tobytes() == theirs.tobytes(), (a, b)


# -- SGD ------------------------------------------------------------------------------------------

CONFIGURATIONS = [
    {"lr": 0.1},
    {},
    {"lr": 0.0},
    {"lr": 0.01, "momentum": 0.9},
    {"lr": 0.01, "weight_decay": 0.1},
    {"lr": 0.01, "momentum": 0.9, "dampening": 0.3},
    {"lr": 0.03, "momentum": 0.9, "nesterov": True},
    {"lr": 0.01, "maximize": True},
    {"lr": 0.01, "momentum": 0.5, "weight_decay": 0.01, "maximize": True},
    {"lr": 0.01, "momentum": 0.5, "weight_decay": 0.01, "nesterov": True, "maximize": True},
    {"lr": 0.1, "momentum": 0.7, "dampening": -0.5, "weight_decay": 1},
    {"lr": 0.1, "foreach": True, "momentum": 0.9},
    {"lr": 0.1, "differentiable": False, "fused": None},
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("options", CONFIGURATIONS, ids=str)
def test_twenty_steps(options, dtype):
    def program(t):
        params = tensors(t, dtype)
        optimizer = t.optim.SGD(params, **options)
        log = []
        for step in range(20):
            set_gradients(t, params, step)
            optimizer.step()
            log.append([params, optimizer.state_dict()])
            optimizer.zero_grad()
        return log

    same(program)


@pytest.mark.parametrize("options", CONFIGURATIONS[:4], ids=str)
def test_half_precision(options):
    """float16, in sizes that are whole vectors (see `arithmetic.py`)."""

    def program(t):
        params = tensors(t, "float16", [(32,), (8, 4, 3)])
        optimizer = t.optim.SGD(params, **options)
        for step in range(20):
            set_gradients(t, params, step)
            optimizer.step()
        return params

    same(program)


def test_tensor_lr():
    def program(t):
        log = []
        for lr in (t.tensor(0.1), t.tensor([0.1]), t.tensor(0.1, dtype=t.float64)):
            params = tensors(t)
            optimizer = t.optim.SGD(params, lr=lr, momentum=0.9)
            for step in range(5):
                set_gradients(t, params, step)
                optimizer.step()
                lr.mul_(0.5)
            log.append([params, repr(optimizer)])
        return log

    same(program)


def test_changes_are_counted_and_in_place():
    def program(t):
        (p,) = tensors(t, shapes=[(3,)])
        p.grad = t.ones(3)
        values = p.detach()
        before = p._version
        t.optim.SGD([p], lr=0.5).step()
        return [values, p._version - before, p.is_leaf, p.grad_fn, p.requires_grad]

    same(program)


def test_a_step_between_forward_and_backward_is_noticed():
    @fails
    def program(t):
        (p,) = tensors(t, shapes=[(3,)])
        loss = (p * p).sum()
        p.grad = t.ones(3)
        t.optim.SGD([p], lr=0.5).step()
        loss.backward()

    result, _ = same(program)
    assert "inplace operation" in result


def test_views_and_strides():
    """Parameters that are no contiguous arrays, and gradients that are not."""

    def program(t):
        base = t.from_numpy(np.arange(12, dtype=np.float32).reshape(3, 4).copy())
        p = base.t().requires_grad_()
        p.grad = t.from_numpy(np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4)).t()
        optimizer = t.optim.SGD([p], lr=0.3, momentum=0.9, nesterov=True)
        optimizer.step()
        optimizer.step()
        return [base, p]

    same(program)


def test_params_without_gradient_are_left_alone():
    def program(t):
        params = tensors(t)
        params[1].requires_grad_(False)
        for p in params[2:]:
            p.grad = t.ones_like(p)
        optimizer = t.optim.SGD(params, lr=0.1, momentum=0.9)
        optimizer.step()
        return [params, optimizer.state_dict(), len(optimizer.state)]

    same(program)


def test_training_a_model():
    """A linear model trained with closures. Which way a matrix product is rounded differs between
    the libraries, so the values agree only nearly."""

    def program(t):
        model = t.nn.Linear(1, 1)
        x = t.tensor([[1.0], [2.0], [3.0]])
        y = t.tensor([[2.0], [4.0], [6.5]])
        optimizer = t.optim.SGD(model.parameters(), lr=0.05, momentum=0.5)

        def closure():
            optimizer.zero_grad()
            loss = t.nn.functional.mse_loss(model(x), y)
            loss.backward()
            return loss

        with t.no_grad():  # the closure records its graph all the same
            losses = [optimizer.step(closure).item() for _ in range(50)]
        assert optimizer.step() is None
        return [*losses, model.weight.item(), model.bias.item()]

    (ours, _), (theirs, _) = outcome(program, minigrad), outcome(program, torch)
    np.testing.assert_allclose(ours, theirs, rtol=1e-4)
    assert ours[49] < 0.1


def test_differentiable_step():
    """The updated parameter's gradient with respect to what its own gradient was made from:
    for p' = p - lr * (p + 0.01 p + w**2) at p = w, dp'/dw is 1 - 0.1 * 0.01 - 0.1 * 2 w."""
    w = minigrad.tensor([1.0, 2.0], requires_grad=True)
    p = w.clone()
    p.retain_grad()
    p.grad = w * w
    optimizer = minigrad.optim.SGD([p], lr=0.1, weight_decay=0.01, differentiable=True)
    optimizer.step()
    p.sum().backward()
    np.testing.assert_allclose(w.grad.numpy(), [0.799, 0.599], rtol=1e-6)


def test_overflow_is_silent():
    def program(t):
        (p,) = tensors(t, shapes=[(3,)])
        p.grad = t.tensor([1e38, float("inf"), float("nan")])
        optimizer = t.optim.SGD([p], lr=1e10, momentum=0.9)
        optimizer.step()
        optimizer.step()
        return [str(p), str(optimizer.state[p]["momentum_buffer"])]

    same(program)


# -- arguments, groups, texts ---------------------------------------------------------------------

REFUSED = [
    lambda t, p: t.optim.SGD(p, lr=-1),
    lambda t, p: t.optim.SGD(p, momentum=-0.1),
    lambda t, p: t.optim.SGD(p, weight_decay=-1),
    lambda t, p: t.optim.SGD(p, nesterov=True),
    lambda t, p: t.optim.SGD(p, momentum=0.9, dampening=0.1, nesterov=True),
    lambda t, p: t.optim.SGD(p, lr=t.ones(2)),
    lambda t, p: t.optim.SGD(p, lr=t.tensor(-1.0)),
    lambda t, p: t.optim.SGD(p[0]),
    lambda t, p: t.optim.SGD([]),
    lambda t, p: t.optim.SGD([3]),
    lambda t, p: t.optim.SGD([p[0] * 2]),
    lambda t, p: t.optim.SGD([{"params": p}, {"params": p[0]}]),
    lambda t, p: t.optim.SGD([("a", p[0]), p[1]]),
    lambda t, p: t.optim.SGD([{"params": set(p)}]),
    lambda t, p: t.optim.SGD(p).add_param_group([1]),
    lambda t, p: t.optim.SGD(p).add_param_group({}),
    lambda t, p: t.optim.SGD([p[0], p[0]]) and None,
    lambda t, p: t.optim.SGD(p, fused=True, foreach=True),
    lambda t, p: t.optim.SGD([["a"]]),
    lambda t, p: t.optim.SGD(p, fused=True, differentiable=True),
    lambda t, p: t.optim.SGD([("a", p[0])]).add_param_group({"params": p[1:]}),
    lambda t, p: t.optim.SGD(p[:1]).add_param_group({"params": [("b", p[1])]}),
    lambda t, p: t.optim.SGD(p).load_state_dict(t.optim.SGD(p[:2]).state_dict()),
    lambda t, p: t.optim.SGD(p).load_state_dict({"state": {}, "param_groups": []}),
    lambda t, p: t.optim.Optimizer(p, {}).step(),
    lambda t, p: t.optim.SGD(3),
]


@pytest.mark.parametrize("number", range(len(REFUSED)))
def test_refusals(number):
    result, caught = same(lambda t: REFUSED[number](t, tensors(t)), either=True)
    assert caught or isinstance(result, Failure)


def test_required_options():
    @fails
    def program(t):
        required = importlib.import_module(f"{t.__name__}.optim.optimizer").required

        class Plain(t.optim.Optimizer):
            pass

        log = [
            repr(required),
            Plain([{"params": tensors(t), "lr": 2}], {"lr": required}).param_groups[0]["lr"],
        ]
        Plain(tensors(t), {"lr": required})
        return log

    same(program)


def test_texts():
    def program(t):
        p = tensors(t)
        optimizer = t.optim.SGD([{"params": p[:2]}, {"params": p[2:], "lr": 0.5, "extra": "x"}])
        optimizer.add_param_group({"params": t.ones(1, requires_grad=True), "momentum": 0.9})
        return [
            repr(optimizer),
            str(t.optim.SGD(p)),
            [len(g["params"]) for g in optimizer.param_groups],
        ]

    same(program)


def test_groups_have_their_own_options():
    def program(t):
        p = tensors(t)
        optimizer = t.optim.SGD(
            [{"params": p[:3], "lr": 1.0}, {"params": iter(p[3:]), "momentum": 0.9}], lr=0.1
        )
        for step in range(3):
            set_gradients(t, p, step)
            optimizer.step()
            optimizer.param_groups[0]["lr"] *= 0.5
        return [p, optimizer.state_dict()]

    same(program)


def test_names():
    def program(t):
        model = t.nn.Linear(2, 2)
        optimizer = t.optim.SGD(model.named_parameters(), lr=0.1)
        state = optimizer.state_dict()
        del state["param_groups"][0]["param_names"]
        optimizer.load_state_dict(state)
        return [optimizer.param_groups[0]["param_names"], optimizer.state_dict(), repr(optimizer)]

    same(program)


def test_zero_grad():
    def program(t):
        p = tensors(t)
        set_gradients(t, p[:4], 0)
        optimizer = t.optim.SGD(p)
        kept = p[0].grad
        optimizer.zero_grad(set_to_none=False)
        log = [[q.grad for q in p], kept]
        optimizer.zero_grad()
        return [*log, [q.grad for q in p]]

    same(program)


# -- saving and loading ---------------------------------------------------------------------------


def trained(t, dtype="float32", **options):
    p = tensors(t, dtype)
    optimizer = t.optim.SGD(p, lr=0.1, momentum=0.9, **options)
    set_gradients(t, p, 0)
    optimizer.step()
    return p, optimizer


def test_state_dict_round_trip():
    def program(t):
        p, optimizer = trained(t)
        q = [x.detach().clone().requires_grad_() for x in p]
        other = t.optim.SGD(q, lr=7, nesterov=True, momentum=0.1)
        other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
        for params, o in ((p, optimizer), (q, other)):
            set_gradients(t, params, 1)
            o.step()
        return [plain(p) == plain(q), other.state_dict(), repr(other), optimizer.state_dict()]

    same(program)


def test_loaded_state_is_cast():
    def program(t):
        _, optimizer = trained(t, "float64")
        p = tensors(t)
        other = t.optim.SGD(p, lr=0.5)
        other.load_state_dict(optimizer.state_dict())
        return other.state_dict()

    same(program)


def test_state_dict_with_a_shared_parameter_and_own_keys():
    def program(t):
        p, optimizer = trained(t)
        optimizer.state["note"] = {"a": 1}
        state = optimizer.state_dict()
        other = t.optim.SGD(p, lr=0.5)
        other.load_state_dict(state)
        return [list(state["state"]), other.state["note"], state["param_groups"]]

    same(program)


def test_copies():
    def program(t):
        p, optimizer = trained(t)
        other = copy.deepcopy(optimizer)
        q = other.param_groups[0]["params"]
        set_gradients(t, q, 1)
        other.step()
        again = pickle.loads(pickle.dumps(optimizer))
        return [p, q, repr(other), again.state_dict()]

    same(program)


# -- hooks ----------------------------------------------------------------------------------------


def test_step_hooks():
    def program(t):
        module = importlib.import_module(f"{t.__name__}.optim.optimizer")
        p = tensors(t, shapes=[(2,)])
        optimizer = t.optim.SGD(p, lr=0.1)
        p[0].grad = t.ones(2)
        log = []

        def note(name):
            return lambda o, args, kwargs: log.append(
                [name, o is optimizer, args[1:], list(kwargs)]
            )

        handles = [
            optimizer.register_step_pre_hook(note("pre")),
            optimizer.register_step_post_hook(note("post")),
            module.register_optimizer_step_pre_hook(note("all pre")),
            module.register_optimizer_step_post_hook(note("all post")),
            optimizer.register_step_pre_hook(lambda o, a, k: (a, {"closure": lambda: 5})),
        ]
        log.append(optimizer.step())
        for handle in handles:
            handle.remove()
        log.append(optimizer.step(closure=None))
        optimizer.register_step_pre_hook(lambda o, a, k: 3)
        try:
            optimizer.step()
        except RuntimeError as error:
            log.append(str(error)[-60:])
        return log

    same(program)


def test_state_dict_hooks():
    def program(t):
        _, optimizer = trained(t)
        log = []
        optimizer.register_state_dict_pre_hook(lambda o: log.append("pre"))
        optimizer.register_state_dict_pre_hook(lambda o: log.append("first"), prepend=True)
        optimizer.register_state_dict_post_hook(lambda o, s: {**s, "more": 1})
        state = optimizer.state_dict()
        optimizer.register_load_state_dict_pre_hook(lambda o, s: log.append(sorted(s)))
        optimizer.register_load_state_dict_post_hook(lambda o: log.append("loaded"))
        optimizer.load_state_dict(state)
        return [log, sorted(state)]

    same(program)


def test_hooks_of_a_users_optimizer():
    def program(t):
        class Halving(t.optim.Optimizer):
            def __init__(self, params):
                super().__init__(params, {"factor": 0.5})

            def step(self, closure=None):
                for group in self.param_groups:
                    for p in group["params"]:
                        with t.no_grad():
                            p.mul_(group["factor"])
                return "done"

        p = tensors(t)
        optimizer = Halving(p)
        log = []
        optimizer.register_step_post_hook(lambda o, a, k: log.append("post"))
        return [optimizer.step(), log, p, repr(optimizer)]

    same(program)
