"""How hard the property tests try: Hypothesis profiles.

    pytest                                  `fast`: the same few examples in every run
    pytest --hypothesis-profile=thorough    an hour: new examples in every run

The environment variable HYPOTHESIS_PROFILE chooses as well. A test that is worth more or fewer
examples than others asks for a multiple: `settings(max_examples=examples(4))`.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator

# One thread for PyTorch and BLAS, before they are loaded: which thread finds an error first is
# chance, so is the order in which parts are added, and the arrays here are too small to share.
os.environ["OMP_NUM_THREADS"] = "1"

import pytest
import torch
import torch.testing._internal.common_utils  # it loads a Hypothesis profile: before ours is loaded
from hypothesis import HealthCheck, Phase, settings
from hypothesis.internal.conjecture import providers

pytest_plugins = ("on_device",)  # the option --device

COMMON = {
    "deadline": None,  # a shared machine is slow at times
    "suppress_health_check": list(HealthCheck),
    "print_blob": False,
}
settings.register_profile(
    "fast",
    max_examples=5,
    derandomize=True,  # also: no database of examples
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    **COMMON,
)
settings.register_profile("thorough", max_examples=200, **COMMON)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fast"))


@pytest.hookimpl(trylast=True)
def pytest_configure() -> None:
    """Hypothesis also tries the constants of all modules that are loaded, so that what it draws
    would depend on which tests this process has run before: not if every run is to be the same."""
    if settings.default.derandomize:
        providers._get_local_constants = providers.Constants


def pytest_collection_finish() -> None:
    """Tens of thousands of tests are a million objects, at which each `gc.collect()` would look."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def no_mode_of_pytorch_is_left() -> Iterator[None]:
    """`set_default_device` leaves a mode behind in which `l1_loss` forgets its weight."""
    yield
    while torch._C._len_torch_function_stack():
        torch.overrides._pop_mode()
