"""A tape's graph as a picture: PyTorch's names of nodes, leaves, and the edges between them.

The text for Graphviz needs nothing. To draw it, the package `graphviz` (`pip install
minigrad[viz]`) and Graphviz' own program `dot` are needed.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

LEAF, CONSTANT, NODE, RESULT = "#cfe8cf", "#eeeeee", "#dbe4f3", "#f7dfb8"
NO_PACKAGE = (
    "drawing a tape needs the package graphviz: pip install 'minigrad[viz]' (to_dot() and "
    'save("graph.dot") work without it)'
)
NO_PROGRAM = (
    "drawing a tape needs Graphviz' program `dot`, which was not found: install Graphviz (for "
    'example `apt install graphviz`), or use save("graph.dot") and draw that elsewhere'
)


def dot_source(tape: Any) -> str:
    """The graph in Graphviz' language: gradients flow along the arrows, as in `next_functions`."""
    lines = [
        "digraph tape {",
        '  graph [rankdir=TB, fontname="sans-serif"]',
        '  node [fontname="sans-serif", fontsize=11, style=filled, shape=box]',
    ]
    leaves: dict[int, None] = {}
    for node in tape.nodes:
        lines.append(
            f"  n{node.id} [label={_quoted(_node_label(node))}, fillcolor={_quoted(NODE)}]"
        )
        for edge in node.edges:
            if edge is None:
                continue
            if edge.to == "leaf":
                leaves.setdefault(edge.id)
            end = f"{'a' if edge.to == 'leaf' else 'n'}{edge.id}"
            label = edge.input + (f" : {edge.output_nr}" if edge.output_nr else "")
            lines.append(f"  n{node.id} -> {end} [label={_quoted(label)}, fontsize=9]")
    for leaf in leaves:
        name, shape = tape.label(leaf), _shape(tape.tensors[leaf - 1])
        lines += [
            f'  a{leaf} [label="AccumulateGrad", fillcolor={_quoted(NODE)}]',
            f"  t{leaf} [label={_quoted(f'{name} {shape}')}, fillcolor={_quoted(LEAF)}, shape=ellipse]",
            f"  a{leaf} -> t{leaf} [style=dashed]",
        ]
    for info in tape.tensors:  # the results to which the user gave a name
        if info.node is not None and info.name is not None:
            text = _quoted(f"{info.name} {_shape(info)}")
            lines.append(f"  t{info.id} [label={text}, fillcolor={_quoted(RESULT)}, shape=ellipse]")
            lines.append(f"  t{info.id} -> n{info.node} [style=dashed]")
    return "\n".join([*lines, "}"])


def _node_label(node: Any) -> str:
    line = "" if node.source is None else f"\nline {node.source.line}"
    return f"{node.name.rpartition('::')[2]}{line}"


def _shape(info: Any) -> str:
    return f"({', '.join(map(str, info.value.shape))})"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def draw(source: str, kind: str) -> bytes:
    """The picture as `kind`: "svg", "png" or "pdf"."""
    try:
        graphviz = import_module("graphviz")
    except ImportError:
        raise ImportError(NO_PACKAGE) from None
    try:
        return bytes(graphviz.Source(source).pipe(format=kind))
    except graphviz.ExecutableNotFound:
        raise RuntimeError(NO_PROGRAM) from None
