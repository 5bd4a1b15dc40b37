"""Making a module without drawing initial values, for one that will load others."""

from __future__ import annotations

import inspect
from typing import Any

from ... import random
from ..modules.module import Module

__all__ = ["skip_init"]


def skip_init(module_cls: Any, *args: Any, **kwargs: Any) -> Any:
    """`module_cls(*args, **kwargs)` with uninitialised parameters; no random number is drawn.

    Raises RuntimeError unless it is a module class whose constructor takes `device`.
    """
    if not issubclass(module_cls, Module):
        raise RuntimeError(f"Expected a Module; got {module_cls}")
    if "device" not in inspect.signature(module_cls).parameters:
        raise RuntimeError("Module must support a 'device' arg to skip initialization")
    before = random.get_rng_state()
    module = module_cls(*args, **kwargs)
    random.set_rng_state(before)
    return module.to_empty(device=kwargs.get("device", "cpu"))
