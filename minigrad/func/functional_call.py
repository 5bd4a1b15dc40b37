"""Running a module with other parameters than its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..autograd import node as graph

Tensor = Any


def functional_call(
    module: Any, parameter_and_buffer_dicts: Any, args: Any = None, kwargs: dict[str, Any] | None = None,
    *, tie_weights: bool = True, strict: bool = False,
) -> Any:  # fmt: skip
    """`module(*args, **kwargs)` with the given Tensors in place of its parameters and buffers.

    `parameter_and_buffer_dicts`: from names ("layer.weight") to Tensors, or a sequence of such
    dicts. The module has its own back afterwards. `tie_weights`: one Tensor under two names is
    replaced under both. `strict`: exactly all names have to be given (RuntimeError otherwise)."""
    given = _merged(parameter_and_buffer_dicts)
    values = _tied(module, given) if tie_weights else given
    if strict:
        _check_names(module, given, values)
    args = () if args is None else args if isinstance(args, tuple) else (args,)
    with _swapped(module, values):
        return module(*args, **(kwargs or {}))


def _merged(dicts: Any) -> dict[str, Tensor]:
    if isinstance(dicts, dict):
        return dicts
    if not isinstance(dicts, (list, tuple)):
        raise ValueError(
            f"Expected parameter_and_buffer_dicts to be a dict, or a list/tuple of dicts, but got {type(dicts)}"
        )
    names = [name for part in dicts for name in part]
    repeated = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if repeated:
        raise ValueError(
            f"{repeated} appeared in multiple dictionaries; behavior of functional call is ambiguous"
        )
    return {name: value for part in dicts for name, value in part.items()}


def _own(module: Any) -> dict[str, Tensor]:
    """All parameters and buffers, each under every name that it has."""
    return {
        **dict(module.named_parameters(remove_duplicate=False)),
        **dict(module.named_buffers(remove_duplicate=False)),
    }


def _tied(module: Any, given: dict[str, Tensor]) -> dict[str, Tensor]:
    """The given Tensors, also under the other names of those that they replace."""
    values = dict(given)
    groups: dict[int, list[str]] = {}
    for name, tensor in _own(module).items():
        groups.setdefault(id(tensor), []).append(name)
    for names in groups.values():
        found = [name for name in names if name in given]
        if len({id(given[name]) for name in found}) > 1:
            raise ValueError(
                f"functional_call got multiple values for keys {sorted(found)}, which are tied. Consider "
                "using tie_weights=False"
            )
        if found:
            values.update(dict.fromkeys(names, given[found[0]]))
    return values


def _check_names(module: Any, given: dict[str, Tensor], values: dict[str, Tensor]) -> None:
    own = _own(module)
    unexpected = sorted(n for n in given if n not in own)
    missing = sorted(n for n in own if n not in values)
    lines = []
    if unexpected:
        lines.append(f"Unexpected key(s): {', '.join(map(repr, unexpected))}.")
    if missing:
        lines.append(f"Missing key(s): {', '.join(map(repr, missing))}.")
    if lines:
        raise RuntimeError(
            f"Error(s) in reparametrizing for {type(module).__name__}:\n\t" + "\n\t".join(lines)
        )


@contextmanager
def _swapped(module: Any, values: dict[str, Tensor]) -> Iterator[None]:
    """Put `values` into the places of the module's Tensors for a while."""
    places = []
    for path, value in values.items():
        prefix, _, name = path.rpartition(".")
        owner = module.get_submodule(prefix)
        if not isinstance(value, graph.Tensor):
            raise TypeError(f"{value} is not an instance of torch.Tensor")
        held = [r for r in (owner._parameters, owner._buffers) if name in r]
        places.append(((held or [owner.__dict__])[0], name, value))
    nothing = object()
    before = [registry.get(name, nothing) for registry, name, _ in places]
    try:
        for registry, name, value in places:
            registry[name] = value
        yield
    finally:
        for (registry, name, _), value in zip(places, before, strict=True):
            if value is nothing:
                registry.pop(name, None)
            else:
                registry[name] = value
