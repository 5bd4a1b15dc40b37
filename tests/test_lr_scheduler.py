"""`minigrad.optim.lr_scheduler` beside PyTorch's: the same floats, states, warnings and errors."""

import copy
import importlib
import warnings

import on_device
import pytest
import torch

import minigrad

EPOCHS = 30


def scheduler_module(t):
    return importlib.import_module(f"{t.__name__}.optim.lr_scheduler")


def optimizer(t, lr=0.05, name="SGD", groups=1, **options):
    params = [{"params": [t.zeros(1, requires_grad=True)]} for _ in range(groups)]
    for i, group in enumerate(params[1:], 1):
        group["lr"] = lr / (i + 2)
    if name == "SGD":
        options.setdefault("momentum", 0.9)
    return getattr(t.optim, name)(params, lr=lr, **options)


def plain(value):
    """`value` without its library."""
    if isinstance(value, (torch.Tensor, minigrad.Tensor)):
        array = value.detach().numpy()
        return str(array.dtype), on_device.Near(array) if on_device.chosen else array.tolist()
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, str):
        return on_device.neutral(value.replace("minigrad", "torch"))
    return value


def observe(program, t):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = plain(program(t, scheduler_module(t)))
        except Exception as error:
            result = plain(f"{type(error).__name__}: {error}")
    return result, [(w.category.__name__, str(w.message)) for w in caught]


def same(program):
    theirs, ours = observe(program, torch), observe(program, minigrad)
    assert ours == theirs
    return ours


class Warm:
    """A function with attributes, which a state dict has."""

    def __init__(self, epochs):
        self.epochs = epochs

    def __call__(self, epoch):
        return min(1.0, (epoch + 1) / self.epochs)


SCHEDULES = {
    "LambdaLR": [
        lambda s, o: s.LambdaLR(o, lambda epoch: 0.95**epoch),
        lambda s, o: s.LambdaLR(o, [Warm(7), lambda epoch: 1 / (epoch + 1)]),
    ],
    "MultiplicativeLR": [
        lambda s, o: s.MultiplicativeLR(o, lambda epoch: 0.95),
        lambda s, o: s.MultiplicativeLR(o, [Warm(7), lambda epoch: 1.01]),
    ],
    "StepLR": [lambda s, o: s.StepLR(o, 3), lambda s, o: s.StepLR(o, step_size=10, gamma=0.3)],
    "MultiStepLR": [
        lambda s, o: s.MultiStepLR(o, [2, 5, 9]),
        lambda s, o: s.MultiStepLR(o, milestones=[20, 4, 4], gamma=0.7),
    ],
    "ConstantLR": [
        lambda s, o: s.ConstantLR(o),
        lambda s, o: s.ConstantLR(o, factor=0.7, total_iters=11),
        lambda s, o: s.ConstantLR(o, factor=1.0, total_iters=1),
    ],
    "LinearLR": [
        lambda s, o: s.LinearLR(o),
        lambda s, o: s.LinearLR(o, start_factor=1.0, end_factor=0.1, total_iters=13),
        lambda s, o: s.LinearLR(o, 0.25, 0.75, 1),
    ],
    "ExponentialLR": [lambda s, o: s.ExponentialLR(o, 0.9), lambda s, o: s.ExponentialLR(o, 1.1)],
    "PolynomialLR": [
        lambda s, o: s.PolynomialLR(o),
        lambda s, o: s.PolynomialLR(o, total_iters=20, power=0.9),
        lambda s, o: s.PolynomialLR(o, 40, 2),
    ],
    "CosineAnnealingLR": [
        lambda s, o: s.CosineAnnealingLR(o, 10),
        lambda s, o: s.CosineAnnealingLR(o, T_max=7, eta_min=1e-3),
        lambda s, o: s.CosineAnnealingLR(o, 50),
    ],
    "CosineAnnealingWarmRestarts": [
        lambda s, o: s.CosineAnnealingWarmRestarts(o, 5),
        lambda s, o: s.CosineAnnealingWarmRestarts(o, T_0=3, T_mult=2, eta_min=1e-4),
    ],
    "CyclicLR": [
        lambda s, o: s.CyclicLR(o, 0.01, 0.1, step_size_up=4),
        lambda s, o: s.CyclicLR(o, [0.01, 0.02], [0.1, 0.3], 3, 5, mode="triangular2"),
        lambda s, o: s.CyclicLR(o, 0.01, 0.1, 4, mode="exp_range", gamma=0.95),
        lambda s, o: s.CyclicLR(o, 0.01, 0.1, 4, scale_fn=lambda x: 1 / x, cycle_momentum=False),
        lambda s, o: s.CyclicLR(o, 0.01, 0.1, 4, scale_fn=Warm(9), scale_mode="iterations"),
    ],
    "OneCycleLR": [
        lambda s, o: s.OneCycleLR(o, 0.3, total_steps=31),
        lambda s, o: s.OneCycleLR(o, [0.3, 0.1], epochs=8, steps_per_epoch=4, three_phase=True),
        lambda s, o: s.OneCycleLR(o, 0.3, 40, anneal_strategy="linear", pct_start=0.5),
        lambda s, o: s.OneCycleLR(o, 0.3, 40, cycle_momentum=False, div_factor=5.0),
    ],
    "SequentialLR": [
        lambda s, o: s.SequentialLR(
            o, [s.ConstantLR(o, 0.1, 2), s.ExponentialLR(o, 0.9), s.StepLR(o, 2)], [5, 12]
        ),
        lambda s, o: s.SequentialLR(
            o, [s.LinearLR(o, total_iters=4), s.CosineAnnealingLR(o, 10)], milestones=[4]
        ),
        lambda s, o: s.SequentialLR(
            o,
            [s.ChainedScheduler([s.StepLR(o, 2), s.ConstantLR(o)]), s.ExponentialLR(o, 0.5)],
            [6],
        ),
    ],
    "ChainedScheduler": [
        lambda s, o: s.ChainedScheduler([s.ConstantLR(o, 0.5, 4), s.ExponentialLR(o, 0.9)]),
        lambda s, o: s.ChainedScheduler([s.StepLR(o, 5), s.LinearLR(o)], optimizer=o),
    ],
}
CASES = [(name, i) for name, makers in SCHEDULES.items() for i in range(len(makers))]
OPTIMIZERS = {
    "SGD": {},
    "Adam": {"name": "Adam", "lr": 1},
    "two groups": {"groups": 2},
}


def run(t, make, o, epochs=EPOCHS):
    """What shows of a schedule over some epochs."""
    scheduler = make(scheduler_module(t), o)
    log = [scheduler.get_last_lr()]
    for _ in range(epochs):
        o.step()
        scheduler.step()
        shown = [{k: v for k, v in g.items() if k != "params"} for g in o.param_groups]
        log.append([scheduler.get_last_lr(), shown])
    return log, scheduler


@pytest.mark.parametrize("options", OPTIMIZERS.values(), ids=OPTIMIZERS)
@pytest.mark.parametrize(("name", "number"), CASES)
def test_thirty_epochs(name, number, options):
    """Every learning rate and momentum, bit for bit, and what is wrong with the wrong number of
    groups."""

    def program(t, s):
        log, scheduler = run(t, SCHEDULES[name][number], optimizer(t, **options))
        return [log, scheduler.state_dict()]

    result, _ = same(program)
    assert len(result) == 2 or "ValueError" in result


@pytest.mark.parametrize(("name", "number"), CASES)
def test_learning_rates_that_are_tensors(name, number):
    """They are filled in place, so that everybody sees the change."""

    def program(t, s):
        lr = t.tensor(0.05, dtype=t.float64)
        o = t.optim.Adam([t.zeros(1, requires_grad=True)], lr=lr)
        scheduler = SCHEDULES[name][number](s, o)
        log = []
        for _ in range(12):
            o.step()
            scheduler.step()
            log.append([lr.item(), o.param_groups[0]["lr"] is lr])
        return log

    same(program)


@pytest.mark.parametrize("method", ["get_lr", "_get_closed_form_lr", "get_last_lr"])
@pytest.mark.parametrize(("name", "number"), CASES)
def test_asking_between_steps(name, number, method):
    """What is computed between two steps, and the warning that it is not the rate in use."""

    def program(t, s):
        o = optimizer(t, groups=2 if number == 1 and name in TWO_GROUPS else 1)
        scheduler = SCHEDULES[name][number](s, o)
        log = []
        for _ in range(6):
            o.step()
            scheduler.step()
            if hasattr(scheduler, method):
                log.append(getattr(scheduler, method)())
            log.append(scheduler.get_last_lr())
        return log

    same(program)


CALLING = [
    lambda s, o, f: s.LambdaLR(o, f),
    lambda s, o, f: s.MultiplicativeLR(o, f),
    lambda s, o, f: s.CyclicLR(o, 0.01, 0.1, 4, scale_fn=f),
]


@pytest.mark.parametrize("number", range(len(CALLING)))
def test_a_saved_state_stays_as_it_is(number):
    """Also when the function that the schedule calls gets other attributes."""

    def program(t, s):
        function = Warm(9)
        scheduler = CALLING[number](s, optimizer(t), function)
        saved = scheduler.state_dict()
        function.epochs = 2
        return [saved, scheduler.state_dict()]

    same(program)


BY_TENSORS = [
    lambda s, o, a, b: s.CyclicLR(o, a, b, 4),
    lambda s, o, a, b: s.CyclicLR(o, [a], [b], 4),
    lambda s, o, a, b: s.OneCycleLR(o, b, 20),
    lambda s, o, a, b: s.ReduceLROnPlateau(o, min_lr=[a]),
]


@pytest.mark.parametrize("number", range(len(BY_TENSORS)))
def test_bounds_that_are_tensors(number):
    """Whether the schedule notices that they change later."""

    def program(t, s):
        a, b = t.tensor(0.01), t.tensor(0.1)
        o = t.optim.Adam([t.zeros(1, requires_grad=True)], lr=t.tensor(0.05))
        scheduler = BY_TENSORS[number](s, o, a, b)
        a.fill_(0.5)
        b.fill_(0.75)
        log = []
        for _ in range(6):
            o.step()
            scheduler.step(*([1.0] if number == 3 else []))
            log.append([plain(scheduler.get_last_lr()), a.item(), b.item()])
        return log

    same(program)


@pytest.mark.parametrize(("name", "number"), CASES)
def test_saving_and_loading(name, number):
    """After loading, the schedule goes on as if nothing had happened."""

    def program(t, s):
        groups = 2 if number == 1 and name in TWO_GROUPS else 1
        o = optimizer(t, groups=groups)
        _, scheduler = run(t, SCHEDULES[name][number], o, 8)
        saved = copy.deepcopy([o.state_dict(), scheduler.state_dict()])
        other = optimizer(t, groups=groups)
        copied = SCHEDULES[name][number](s, other)
        other.load_state_dict(saved[0])
        copied.load_state_dict(dict(saved[1]))  # PyTorch's takes keys out
        log = []
        for one, its in ((o, scheduler), (other, copied)):
            for _ in range(8):
                one.step()
                its.step()
                log.append(its.get_last_lr())
        assert log[:8] == log[8:]
        return [saved[1], log]

    same(program)


TWO_GROUPS = ("LambdaLR", "MultiplicativeLR", "CyclicLR", "OneCycleLR")


@pytest.mark.parametrize(("name", "number"), CASES)
def test_a_given_epoch(name, number):
    """Deprecated: the closed form where there is one."""

    def program(t, s):
        groups = 2 if number == 1 and name in TWO_GROUPS else 1
        scheduler = SCHEDULES[name][number](s, optimizer(t, groups=groups))
        log = []
        for epoch in (0, 1, 5, 17, 3):
            scheduler.step(epoch)
            log.append([scheduler.get_last_lr(), scheduler.last_epoch])
        return log

    same(program)


@pytest.mark.parametrize(
    "name", [n for n in SCHEDULES if n not in ("SequentialLR", "ChainedScheduler", *TWO_GROUPS)]
)
def test_resuming_after_an_epoch(name):
    def program(t, s):
        o = optimizer(t)
        o.param_groups[0]["initial_lr"] = 0.2
        scheduler = {
            "StepLR": lambda: s.StepLR(o, 3, last_epoch=4),
            "MultiStepLR": lambda: s.MultiStepLR(o, [5, 6], last_epoch=4),
            "ConstantLR": lambda: s.ConstantLR(o, last_epoch=4),
            "LinearLR": lambda: s.LinearLR(o, last_epoch=2),
            "ExponentialLR": lambda: s.ExponentialLR(o, 0.9, last_epoch=4),
            "PolynomialLR": lambda: s.PolynomialLR(o, 9, last_epoch=4),
            "CosineAnnealingLR": lambda: s.CosineAnnealingLR(o, 9, last_epoch=4),
            "CosineAnnealingWarmRestarts": lambda: s.CosineAnnealingWarmRestarts(
                o, 9, last_epoch=4
            ),
        }[name]()
        log = [scheduler.get_last_lr()]
        for _ in range(6):
            o.step()
            scheduler.step()
            log.append(scheduler.get_last_lr())
        return log

    same(program)


def test_fractions_of_epochs_with_warm_restarts():
    def program(t, s):
        log = []
        for growth in (1, 2, 3):
            scheduler = s.CosineAnnealingWarmRestarts(optimizer(t), T_0=3, T_mult=growth)
            for epoch in (0, 0.3, 2.9, 3, 8.5, 9, 20.25):
                scheduler.step(epoch)
                log.append([scheduler.get_last_lr(), scheduler.T_cur, scheduler.T_i])
        return log

    same(program)
    wrong = same(lambda t, s: s.CosineAnnealingWarmRestarts(optimizer(t), T_0=3).step(-1))
    assert "non-negative epoch" in wrong[0]


PLATEAU = [
    {},
    {"patience": 2, "factor": 0.5},
    {"mode": "max", "patience": 1, "threshold": 0.1, "threshold_mode": "abs"},
    {"mode": "max", "patience": 1, "cooldown": 3},
    {"patience": 0, "min_lr": 1e-3, "threshold_mode": "abs"},
    {"patience": 0, "min_lr": [1e-3], "eps": 1e-3},
]


@pytest.mark.parametrize("options", PLATEAU, ids=str)
def test_plateau(options):
    def program(t, s):
        o = optimizer(t)
        scheduler = s.ReduceLROnPlateau(o, **options)
        log = []
        for epoch in range(EPOCHS):
            scheduler.step([1.0, t.tensor(0.5), 0.75, 1 / (epoch + 1)][epoch // 3 % 4])
            log.append([scheduler.get_last_lr(), scheduler.state_dict(), scheduler.in_cooldown])
        other = s.ReduceLROnPlateau(optimizer(t))
        other.load_state_dict(scheduler.state_dict())
        o.add_param_group({"params": t.zeros(2, requires_grad=True)})
        scheduler.step(1.0, 40)
        return [log, other.state_dict(), [scheduler.step(9.0) for _ in range(12)]]

    same(program)


REFUSED = {
    "no optimizer": lambda t, s, o: s.StepLR(3, 1),
    "no optimizer, plateau": lambda t, s, o: s.ReduceLROnPlateau(3),
    "no optimizer, cyclic": lambda t, s, o: s.CyclicLR(3, 1, 2),
    "no optimizer, one cycle": lambda t, s, o: s.OneCycleLR(3, 1, 2),
    "resume": lambda t, s, o: s.StepLR(o, 1, last_epoch=3),
    "lambdas": lambda t, s, o: s.LambdaLR(o, [lambda e: 1] * 3),
    "no function": lambda t, s, o: s.MultiplicativeLR(o, 3),
    "multiplicative": lambda t, s, o: s.MultiplicativeLR(o, []),
    "constant": lambda t, s, o: s.ConstantLR(o, 1.5),
    "linear start": lambda t, s, o: s.LinearLR(o, 0),
    "linear end": lambda t, s, o: s.LinearLR(o, 0.5, 2),
    "T_0": lambda t, s, o: s.CosineAnnealingWarmRestarts(o, 0),
    "T_mult": lambda t, s, o: s.CosineAnnealingWarmRestarts(o, 1, 1.5),
    "eta_min": lambda t, s, o: s.CosineAnnealingWarmRestarts(o, 1, 1, "a"),
    "cyclic mode": lambda t, s, o: s.CyclicLR(o, 1, 2, mode="x"),
    "cyclic length": lambda t, s, o: s.CyclicLR(o, [1, 2], 2),
    "cyclic momentum": lambda t, s, o: s.CyclicLR(optimizer(t, name="Adagrad"), 1, 2),
    "one cycle nothing": lambda t, s, o: s.OneCycleLR(o, 1),
    "one cycle, epochs alone": lambda t, s, o: s.OneCycleLR(o, 1, epochs=2),
    "one cycle, steps alone": lambda t, s, o: s.OneCycleLR(o, 1, steps_per_epoch=2),
    "one cycle total": lambda t, s, o: s.OneCycleLR(o, 1, 0),
    "one cycle epochs": lambda t, s, o: s.OneCycleLR(o, 1, epochs=0, steps_per_epoch=1),
    "one cycle steps": lambda t, s, o: s.OneCycleLR(o, 1, epochs=1, steps_per_epoch=1.5),
    "one cycle part": lambda t, s, o: s.OneCycleLR(o, 1, 5, pct_start=2.0),
    "one cycle strategy": lambda t, s, o: s.OneCycleLR(o, 1, 5, anneal_strategy="x"),
    "one cycle momentum": lambda t, s, o: s.OneCycleLR(optimizer(t, name="Adagrad"), 1, 5),
    "one cycle end": lambda t, s, o: [s.OneCycleLR(o, 1, 2)] and run(
        t, lambda s, o: s.OneCycleLR(o, 1, 2), o, 3
    ),
    "plateau factor": lambda t, s, o: s.ReduceLROnPlateau(o, factor=1.0),
    "plateau mode": lambda t, s, o: s.ReduceLROnPlateau(o, "x"),
    "plateau threshold mode": lambda t, s, o: s.ReduceLROnPlateau(o, threshold_mode="x"),
    "plateau min_lr": lambda t, s, o: s.ReduceLROnPlateau(o, min_lr=[1, 2]),
    "sequence of none": lambda t, s, o: s.SequentialLR(o, [], []),
    "sequence milestones": lambda t, s, o: s.SequentialLR(o, [s.StepLR(o, 1)], [1]),
    "sequence others": lambda t, s, o: s.SequentialLR(o, [s.StepLR(optimizer(t), 1)], []),
    "sequence plateau": lambda t, s, o: s.SequentialLR(o, [s.ReduceLROnPlateau(o)], []),
    "sequence no schedule": lambda t, s, o: s.SequentialLR(o, [3], []),
    "chain of none": lambda t, s, o: s.ChainedScheduler([]),
    "chain of others": lambda t, s, o: s.ChainedScheduler([s.StepLR(optimizer(t), 1)], o),
    "chain plateau": lambda t, s, o: s.ChainedScheduler([s.ReduceLROnPlateau(o)]),
    "base": lambda t, s, o: s.LRScheduler(o),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_errors(case):
    result, _ = same(lambda t, s: REFUSED[case](t, s, optimizer(t)))
    assert "Error" in result


def test_a_scheduler_that_is_ahead_of_its_optimizer():
    def program(t, s):
        o = optimizer(t)
        s.StepLR(o, 3).step()
        scheduler = s.StepLR(o, 3)
        o.step()
        scheduler.step()
        return [scheduler.get_lr()]

    _, caught = same(program)
    assert len(caught) == 2


def test_an_optimizer_whose_step_was_replaced():
    def program(t, s):
        o = optimizer(t)
        scheduler = s.StepLR(o, 3)
        o.step = lambda: None
        scheduler.step()

    _, caught = same(program)
    assert "overridden" in caught[0][1]


def test_optimizers_with_schedules_are_copied_and_collected():
    def program(t, s):
        o = optimizer(t)
        s.ExponentialLR(o, 0.5)
        other = copy.deepcopy(o)
        other.param_groups[0]["params"][0].grad = t.ones(1)
        other.step()
        return [o.param_groups[0]["params"][0], other.param_groups[0]["params"][0]]

    same(program)


def test_the_old_name():
    assert issubclass(
        scheduler_module(minigrad).StepLR, scheduler_module(minigrad)._LRScheduler
    )  # fmt: skip


def test_names():
    names = set(scheduler_module(torch).__all__)
    assert names == set(scheduler_module(minigrad).__all__)


# -- averaging ------------------------------------------------------------------------------------


def model(t):
    t.manual_seed(0)
    return t.nn.Sequential(t.nn.Linear(3, 4), t.nn.ReLU(), t.nn.Linear(4, 2))


def averaging(t):
    return importlib.import_module(f"{t.__name__}.optim.swa_utils")


@pytest.mark.parametrize(
    "options",
    [
        lambda u: {},
        lambda u: {"use_buffers": True},
        lambda u: {"avg_fn": u.get_swa_avg_fn()},
        lambda u: {"avg_fn": u.get_ema_avg_fn(0.9)},
        lambda u: {"multi_avg_fn": u.get_ema_multi_avg_fn(0.9)},
        lambda u: {"multi_avg_fn": u.get_ema_multi_avg_fn(0.3), "use_buffers": True},
        lambda u: {"multi_avg_fn": u.get_swa_multi_avg_fn()},
        lambda u: {"avg_fn": lambda a, b, n: a + b},
    ],
)
def test_averaged_model(options):
    def program(t, s):
        m = model(t)
        m.register_buffer("seen", t.tensor([1.0, 2.0]))
        averaged = averaging(t).AveragedModel(m, **options(averaging(t)))
        log = []
        for _ in range(4):
            with t.no_grad():
                for p in m.parameters():
                    p.mul_(-1.3).add_(0.1)
                m.seen.add_(1)
            averaged.update_parameters(m)
            log.append({k: v.clone() for k, v in averaged.state_dict().items()})
        return [log, averaged.n_averaged]

    same(program)


@pytest.mark.parametrize(
    "options",
    [
        {"swa_lr": 0.01},
        {"swa_lr": 0.01, "anneal_epochs": 5, "anneal_strategy": "linear"},
        {"swa_lr": 0.5, "anneal_epochs": 0},
        {"swa_lr": [0.5], "anneal_epochs": 1},
        {"swa_lr": [0.5, 1]},
        {"swa_lr": 0.5, "anneal_strategy": "x"},
        {"swa_lr": 0.5, "anneal_epochs": -1},
    ],
    ids=str,
)
def test_swalr(options):
    def program(t, s):
        return run(t, lambda s, o: averaging(t).SWALR(o, **options), optimizer(t))[0]

    same(program)


def test_errors_of_averages():
    same(lambda t, s: averaging(t).get_ema_avg_fn(2))
    same(lambda t, s: averaging(t).get_ema_multi_avg_fn(-1))
    same(lambda t, s: averaging(t).AveragedModel(model(t), avg_fn=min, multi_avg_fn=min))
