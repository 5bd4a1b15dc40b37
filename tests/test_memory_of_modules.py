"""Which memory layers, losses and optimizers put results, gradients, buffers and states in."""

from __future__ import annotations

import copy
from typing import Any

import module_db
import optim_db
import pytest
import torch
from memory import assert_own_memory, bits, memory, shared, size_of_memory, tensors_of
from module_db_checks import Case
from op_db import evenly
from oracle import LIBRARIES, Raised, flat
from test_properties import weights

import minigrad

# --- layers and losses -----------------------------------------------------------------------------


def held_by(case: Case, results: list[Any]) -> list[Any]:
    """All tensors of a module's call: the results, what was given, parameters and buffers."""
    module = case.module
    return [*results, *case.arguments.tensors.values(), *module.parameters(), *module.buffers()]


@pytest.mark.parametrize("name", module_db.present())
@pytest.mark.filterwarnings("ignore")
def test_memory_of_modules(name: str) -> None:
    entry = module_db.entries()[name]
    count = 10 if name in ("RNN", "LSTM", "GRU", "MultiheadAttention") else 2
    for training in module_db.modes(entry):
        for sample in evenly(module_db.samples(entry, torch.float64, training), count):
            if sample.is_called and not isinstance(sample.theirs.result, Raised):
                check_module(sample)


def check_module(sample: Any) -> None:
    results = [tensors_of(case.library, case.result) for case in sample]
    theirs, ours = (held_by(*pair) for pair in zip(sample, results, strict=True))
    assert [memory(t) for t in results[1]] == [memory(t) for t in results[0]], sample
    for expected, found in zip(*results, strict=True):
        assert size_of_memory(found) <= size_of_memory(expected), sample
    assert shared(ours) == shared(theirs), sample
    given = [list(case.arguments.tensors.values()) for case in sample]
    assert bits(given[1]) == bits(given[0]), sample
    check_accumulated(sample.ours, [t for t in results[1] if t.requires_grad], ours, str(sample))


def check_accumulated(case: Case, results: list[Any], held: list[Any], text: str) -> None:
    """Gradients lie apart from all else: after they are changed the next ones are the same."""
    cotangents = [weights(minigrad, t) for t in results]
    given, before = bits(cotangents), bits(held)

    def grads_of_a_pass() -> list[Any]:
        for leaf in case.leaves:
            leaf.grad = None
        try:
            minigrad.autograd.backward(results, cotangents, retain_graph=True)
        except RuntimeError:  # a node without a derivative
            return []
        return [leaf.grad for leaf in case.leaves if leaf.grad is not None]

    grads = grads_of_a_pass()
    first = bits(grads)
    assert_own_memory(grads, [*held, *cotangents], text)
    for g in grads:
        g.fill_(7)
    again = bits(grads_of_a_pass())
    assert (again, bits(held), bits(cotangents)) == (first, before, given), text


# --- optimizers ------------------------------------------------------------------------------------


def state_of(optimizer: Any, library: Any) -> list[Any]:
    """The tensors of an optimizer's state, in the order of the parameters and of the names."""
    groups = [optimizer.state[p] for group in optimizer.param_groups for p in group["params"]]
    values = [leaf for state in groups for key in sorted(state) for leaf in flat(state[key])]
    return tensors_of(library, values)


def saved(state_dict: dict[str, Any], library: Any) -> list[Any]:
    states = [state_dict["state"][number] for number in sorted(state_dict["state"])]
    values = [leaf for state in states for key in sorted(state) for leaf in flat(state[key])]
    return tensors_of(library, values)


def memory_of_training(library: Any, info: Any, kwargs: dict[str, Any]) -> Any:
    """Which tensors share memory after two steps: parameters, gradients, the state, the state of
    the saved, the loaded and the copied optimizer, and which of these have changed after a step."""
    training = optim_db.Training(library, info, kwargs, torch.float64).steps(2)
    other = optim_db.Training(library, info, kwargs, torch.float64)
    state_dict = training.optimizer.state_dict()
    other.optimizer.load_state_dict(state_dict)
    copied = copy.deepcopy(training.optimizer)
    held = [*training.params, *(p.grad for p in training.params)]
    held += state_of(training.optimizer, library)
    kept = [*held, *saved(state_dict, library), *state_of(other.optimizer, library)]
    kept += [*state_of(copied, library), *(p for g in copied.param_groups for p in g["params"])]
    before = bits(kept)
    if not info.step_requires_closure:  # L-BFGS is there by now: it moves, if at all, by rounding
        other.step()
    changed = [a != b for a, b in zip(before, bits(kept), strict=True)]
    return sorted(shared(kept)), changed, [memory(t) for t in kept]


@pytest.mark.parametrize("name", optim_db.present())
@pytest.mark.filterwarnings("ignore")
def test_memory_of_optimizers(name: str) -> None:
    info = optim_db.entries()[name]
    for given in optim_db.configurations(info, torch.float64)[::3]:
        try:
            theirs, ours = (memory_of_training(t, info, given.kwargs) for t in LIBRARIES)
        except optim_db.Outside:
            continue
        assert ours == theirs, given.kwargs
