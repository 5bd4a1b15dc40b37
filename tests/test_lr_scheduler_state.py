"""Schedules beside PyTorch's when they are saved, loaded into others and resumed, and where a
number is exactly at its bound."""

import copy

import pytest
from test_lr_scheduler import SCHEDULES, TWO_GROUPS, Warm, optimizer, same

PAIRS = [
    (name, i, j)
    for name, makers in SCHEDULES.items()
    for i in range(len(makers))
    for j in range(len(makers))
]


@pytest.mark.parametrize(("name", "saved", "loaded"), PAIRS)
def test_loading_into_a_schedule_with_other_options(name, saved, loaded):
    """The loaded one goes on with what the saved one had, as far as that is saved."""

    def program(t, s):
        groups = 2 if name in TWO_GROUPS else 1
        first, second = (optimizer(t, groups=groups) for _ in "ab")
        one = SCHEDULES[name][saved](s, first)
        other = SCHEDULES[name][loaded](s, second)
        for _ in range(4):
            first.step()
            one.step()
        other.load_state_dict(copy.deepcopy(one.state_dict()))
        log = [other.get_last_lr(), other.last_epoch if hasattr(other, "last_epoch") else -1]
        for _ in range(8):
            second.step()
            other.step()
            log.append(other.get_last_lr())
        return [log, other.state_dict()]

    same(program)


@pytest.mark.parametrize("name", ["LambdaLR", "MultiplicativeLR", "CyclicLR"])
def test_attributes_of_functions_are_loaded(name):
    """A callable object gets the attributes that were saved; a function stays as it is."""

    def program(t, s):
        def made(function):
            if name == "CyclicLR":
                return s.CyclicLR(optimizer(t), 0.01, 0.1, 4, scale_fn=function)
            return getattr(s, name)(optimizer(t), function)

        state, function = made(Warm(9)).state_dict(), Warm(2)
        other = made(function)
        other.load_state_dict(dict(state))
        log = [function.epochs]
        for _ in range(6):
            other.optimizer.step()
            other.step()
            log.append(other.get_last_lr())
        plain = made(lambda epoch: 0.5)
        plain.load_state_dict(dict(made(lambda epoch: 0.25).state_dict()))
        plain.optimizer.step()
        plain.step()
        return [log, plain.get_last_lr()]

    same(program)


@pytest.mark.parametrize("epoch", [0, 1, 4, 9])
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("StepLR", {"step_size": 5}), ("MultiStepLR", {"milestones": [5, 6]}), ("ConstantLR", {}),
        ("LinearLR", {}), ("ExponentialLR", {"gamma": 0.9}), ("PolynomialLR", {"total_iters": 9}),
        ("CosineAnnealingLR", {"T_max": 9}), ("CosineAnnealingLR", {"T_max": 4, "eta_min": 0.01}),
        ("CosineAnnealingWarmRestarts", {"T_0": 4, "T_mult": 2, "eta_min": 0.01}),
        ("LambdaLR", {"lr_lambda": lambda e: 0.5**e}),
        ("MultiplicativeLR", {"lr_lambda": lambda e: 0.5**e}),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(value),
)  # fmt: skip
def test_what_is_computed_when_resumed(name, options, epoch):
    """Before the first step too, when nothing was computed from the epoch before."""

    def program(t, s):
        o = optimizer(t)
        o.param_groups[0]["initial_lr"] = 0.2
        scheduler = getattr(s, name)(o, last_epoch=epoch, **options)
        log = [scheduler.get_last_lr(), scheduler.get_lr(), scheduler.state_dict()["_step_count"]]
        for _ in range(5):
            o.step()
            scheduler.step()
            log.append([scheduler.get_last_lr(), scheduler.get_lr()])
        return log

    same(program)


PLATEAU = [
    {"eps": 0.25}, {"eps": 0.2}, {"eps": 0.25, "min_lr": 0.25}, {"min_lr": 0.5}, {"min_lr": 0.375},
    {"threshold": 0.5}, {"threshold": 0.5, "threshold_mode": "abs"}, {"threshold": 0.0},
    {"threshold": 0.5, "mode": "max"}, {"threshold": 0.5, "mode": "max", "threshold_mode": "abs"},
    {"patience": 1}, {"patience": 2, "cooldown": 1}, {"cooldown": 2},
]  # fmt: skip


@pytest.mark.parametrize("options", PLATEAU, ids=str)
@pytest.mark.parametrize("metrics", [[1, 0.5, 0.5, 0.25], [1, 1.5, 2, 3], [2, 1.5, 1, 1], [0, -1]])
def test_plateau_at_its_bounds(options, metrics):
    """Metrics that are better by exactly the threshold, changes of exactly `eps`."""

    def program(t, s):
        o = optimizer(t, lr=0.5)
        scheduler = s.ReduceLROnPlateau(o, **{"factor": 0.5, "patience": 0} | options)
        log = []
        for metric in [*metrics, *metrics]:
            scheduler.step(metric)
            log.append([scheduler.get_last_lr(), scheduler.best, scheduler.num_bad_epochs,
                        scheduler.cooldown_counter, scheduler.in_cooldown])  # fmt: skip
        return log

    same(program)
