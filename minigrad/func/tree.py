"""Nested arguments: dicts, lists and tuples (of such) with Tensors at the ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

Tree = Any  # a Tensor, or dicts, lists and tuples of Trees


def flatten(tree: Tree) -> tuple[list[Any], Callable[[Sequence[Any]], Tree]]:
    """The leaves of nested dicts, lists and tuples, and how to nest other values the same way."""
    if isinstance(tree, dict):
        keys, children = list(tree), list(tree.values())
    elif isinstance(tree, (list, tuple)):
        keys, children = None, list(tree)
    else:
        return [tree], lambda values: values[0]
    parts = [flatten(child) for child in children]

    def rebuild(values: Sequence[Any]) -> Tree:
        built, start = [], 0
        for leaves, nest in parts:
            built.append(nest(values[start : start + len(leaves)]))
            start += len(leaves)
        if keys is not None:
            return dict(zip(keys, built, strict=True))
        return type(tree)(*built) if hasattr(tree, "_fields") else type(tree)(built)

    return [leaf for leaves, _ in parts for leaf in leaves], rebuild


def spec(tree: Tree) -> str:
    """The structure of a tree, with a star for each leaf."""
    if isinstance(tree, dict):
        return "{" + ", ".join(f"{key!r}: {spec(child)}" for key, child in tree.items()) + "}"
    if isinstance(tree, list):
        return "[" + ", ".join(map(spec, tree)) + "]"
    if isinstance(tree, tuple):
        return "(" + ", ".join(map(spec, tree)) + ("," if len(tree) == 1 else "") + ")"
    return "*"
