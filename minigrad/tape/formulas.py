"""The formulas of a row as text: read from the source of its lambdas.

formula_text(lambda grad, other: grad * other)        "grad * other"
applied("grad * other", {"other": "W"})               "grad * W"
"""

from __future__ import annotations

import ast
import functools
import inspect
import linecache
from typing import Any


@functools.cache
def _functions(file: str) -> dict[int, list[ast.Lambda | ast.FunctionDef]]:
    """All functions of a source file, by their first line."""
    found: dict[int, list[ast.Lambda | ast.FunctionDef]] = {}
    try:
        tree = ast.parse("".join(linecache.getlines(file)))
    except SyntaxError:
        return found
    for item in ast.walk(tree):
        if isinstance(item, ast.Lambda | ast.FunctionDef):
            found.setdefault(item.lineno, []).append(item)
    return found


@functools.cache
def _text(code: Any) -> str:
    names = code.co_varnames[: code.co_argcount]
    for item in _functions(code.co_filename).get(code.co_firstlineno, []):
        if [a.arg for a in item.args.args] == list(names) and _is_at(item, code):
            if isinstance(item, ast.Lambda):
                return ast.unparse(item.body)
            returns = [s for s in item.body if isinstance(s, ast.Return)]
            rest = [s for s in item.body if not isinstance(s, ast.Return | ast.Expr)]
            if len(returns) == 1 and not rest and returns[0].value is not None:
                return ast.unparse(returns[0].value)
    return f"{code.co_name.strip('_').replace('<lambda>', 'formula')}({', '.join(names)})"


def _is_at(item: ast.Lambda | ast.FunctionDef, code: Any) -> bool:
    """Of several lambdas of one line, whether `item` is the one that was compiled to `code`."""
    if isinstance(item, ast.FunctionDef):
        return item.name == code.co_name
    body = item.body
    begin, end = (body.lineno, body.col_offset), (body.end_lineno, body.end_col_offset)
    places = [p for p in code.co_positions() if None not in p and (p[2], p[3]) != (0, 0)]
    return any((line, start) == begin and (last, stop) == end for line, last, start, stop in places)


def formula_text(function: Any) -> str:
    """The expression that a formula returns, or its call if it is more than one."""
    return _text(inspect.unwrap(function).__code__)  # on a GPU a kernel is wrapped around it


class _Renamed(ast.NodeTransformer):
    def __init__(self, names: dict[str, str]) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.Name(self.names.get(node.id, node.id).lstrip("_"), node.ctx)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        node.args = [a for a in node.args if not (isinstance(a, ast.Name) and a.id == "xp")]
        return self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if isinstance(node.value, ast.Name) and node.value.id == "xp":
            return ast.Name(node.attr, node.ctx)  # xp.cos is just cos to a reader
        return self.generic_visit(node)


def applied(text: str, names: dict[str, str]) -> str:
    """A formula with other names: those of the user's variables for those of the row."""
    return ast.unparse(_Renamed(names).visit(ast.parse(text, mode="eval")))
