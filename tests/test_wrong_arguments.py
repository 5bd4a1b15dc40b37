"""Every function with one argument at a time that does not fit: the mistake that PyTorch finds.

The lines are those of `op_lines.py` and `wrong_argument_lines.py`. In each, one tensor at a time
is replaced by what is none, by one of another dtype, and by one of another shape; one number or
word at a time by others. What comes of it, an exception (its class and its text) or a result (its
dtype and shape), is PyTorch's.
Functions for which it is not are listed in `wrong_argument_differences.py`.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from op_calls import Call
from op_lines import CALLS
from oracle import LIBRARIES, Raised, flat, without_library
from test_op_forms import largest
from wrong_argument_differences import DIFFERENCES
from wrong_argument_lines import FURTHER

REPLACED = {
    "no tensor": ["1.5", "[1.5]", "None", "{{}}", "'a'"],
    "dtype": [f"{{0}}.to(torch.{d})" for d in ("bool", "int64", "int32", "float32", "float16")],
    "shape": ["{0}.sum()", "{0}[None]", "{0}[..., :-1]", "{0}[:0]", "torch.cat(({0}, {0}))",
              "{0}.flatten()", "{0}[None, None, None]", "{0}.T"],
}  # fmt: skip
NUMBERS = {"number": [-7, 12], "no number": [2.5, "a", None]}
# Of these only the class of the exception is compared: PyTorch's texts are about C++ types.
CLASS_ALONE = {"no number"}
LISTING = "received an invalid combination of arguments"  # of C++ signatures


def name_of(call: Call) -> str:
    """The function of a line: "torch.add", or "x.fill_" for methods."""
    if call.template.startswith(("torch.", "F.")):
        return call.template.partition("(")[0].replace("torch.nn.functional.", "F.")
    methods = re.findall(r"^x(?:\.clone\(\))?\.(\w+)\(", call.template)
    return f"x.{methods[0]}" if methods else "operators"


FUNCTIONS: dict[str, list[Call]] = defaultdict(list)
for each in [*CALLS, *FURTHER]:
    FUNCTIONS[re.sub(r"\{.*?\}", "_", name_of(each))].append(each)


_lines: dict[int, list[str]] = {}  # of the program of each call: they take a while to be made


def scopes_of(call: Call) -> tuple[list[dict[str, Any]], str]:
    """The tensors of a call in both libraries, and its line."""
    if id(call) not in _lines:
        _lines[id(call)] = largest(call)[0].lines
    *given, line = _lines[id(call)]
    scopes = []
    for library in LIBRARIES:
        scope = {"torch": library, "F": library.nn.functional}
        exec("\n".join(given).replace(".requires_grad_()", ""), scope)
        scopes.append(scope)
    return scopes, line.removeprefix("r = ")


def outcome(code: Any, scope: dict[str, Any]) -> tuple[str, str]:
    """The class of an exception and its text, or "" and the dtypes and shapes of the results."""
    try:
        result = eval(code, scope)
    except Exception as error:
        raised = Raised(error)
        text = raised.text.partition("\nException raised from")[0]
        return raised.kind, re.sub(r" \(position \d+\)|^special_", "", text)
    found = [(str(t.dtype), tuple(t.shape)) for t in flat(result) if hasattr(t, "dtype")]
    return "", without_library(str(found))


def other_tensors(call: Call, scopes: list[dict[str, Any]]) -> Iterator[tuple[str, str, Any]]:
    """What is replaced, the text that it is replaced with, and the scopes then."""
    for kind, texts in REPLACED.items():
        for name in call.names:
            for text in texts:
                new = [dict(scope) for scope in scopes]
                try:
                    for scope in new:
                        scope[name] = eval(text.format(name), scope)
                except (IndexError, RuntimeError):
                    continue  # a tensor without dimensions cannot be cut
                yield kind, f"{name} = {text.format(name)}", new


def other_numbers(line: str) -> Iterator[tuple[str, str]]:
    """What is replaced, and the line then."""
    for kind, values in NUMBERS.items():
        for number, old in enumerate(constants(ast.parse(line))):
            for value in values if not isinstance(old.value, str) else ["a", 2.5][: len(values)]:
                tree = ast.parse(line)
                constants(tree)[number].value = value
                yield kind, ast.unparse(tree)


def constants(tree: ast.AST) -> list[ast.Constant]:
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    return [node for node in found if type(node.value) in (int, float, str)]


def differences(name: str) -> Iterator[tuple[str, str, str]]:
    """Where minigrad's outcome is not PyTorch's: the kind of difference, the function with the
    argument that was replaced ("torch.add[y]"), and both outcomes."""
    for call in FUNCTIONS[name]:
        scopes, line = scopes_of(call)
        code = compile(line, line, "eval")
        tried = [(kind, what, code, new) for kind, what, new in other_tensors(call, scopes)]
        for kind, text in other_numbers(line):
            tried.append((kind, text, compile(text, text, "eval"), [dict(s) for s in scopes]))
        for kind, what, changed, new in tried:
            theirs, ours = (outcome(changed, scope) for scope in new)
            difference = compared(kind, theirs, ours)
            if difference:
                place = name if kind in NUMBERS else f"{name}[{what[0]}]"
                said = f"{line} with {what}:\n  PyTorch  {theirs}\n  minigrad {ours}"
                yield f"{kind}: {difference}", place, said


def compared(kind: str, theirs: tuple[str, str], ours: tuple[str, str]) -> str:
    """The kind of difference, or "" if there is none."""
    if ours[0] != theirs[0]:
        return f"{ours[0] or 'no error'} for {theirs[0] or 'no error'}"
    duck = kind == "no tensor" and theirs[0] == "AttributeError"  # the attribute is a detail
    if ours[1] == theirs[1] or duck or kind in CLASS_ALONE or LISTING in theirs[1]:
        return ""
    return "text" if ours[0] else "result"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_one_argument_does_not_fit(name: str) -> None:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        found = list(differences(name))
    known = {
        (kind, place)
        for kind, places in DIFFERENCES.items()
        for place in places.split()
        if place.partition("[")[0] == name
    }
    new = [f"{kind}: {said}" for kind, place, said in found if (kind, place) not in known]
    assert not new, "\n".join(new)
    left = known - {(kind, place) for kind, place, _ in found}
    assert not left, "no difference is left: take it off the list"


def test_listed_functions_exist() -> None:
    places = {place for names in DIFFERENCES.values() for place in names.split()}
    assert {place.partition("[")[0] for place in places} <= set(FUNCTIONS)
