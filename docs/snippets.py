"""The snippets of these pages: found, run on both libraries, and their outputs put in.

A block marked `python` is run; the block marked `text` right after it is what it prints. A block
that imports torch or minigrad starts a new program, the blocks after it go on with it. Every
program runs on PyTorch and on minigrad, unless it says `import minigrad` without another name:
then it shows what minigrad alone has. `tests/test_docs.py` compares; to write all outputs anew:

    python docs/snippets.py

Outputs are taken from PyTorch where a program runs on it.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import linecache
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt

DOCS = Path(__file__).resolve().parent
NAMES = {"minigrad": "torch", "torch": "minigrad"}
START = re.compile(r"^(import|from) (torch|minigrad)\b", re.MULTILINE)


@dataclass
class Snippet:
    """A block of Python and what it prints; `lines` is where that stands in the page."""

    code: str
    output: str = ""
    lines: tuple[int, int] | None = None
    pictures: list[str] = field(default_factory=list)  # what stands between it and the next block


@dataclass
class Program:
    """Blocks of one page that continue each other."""

    page: Path
    snippets: list[Snippet] = field(default_factory=list)

    @property
    def libraries(self) -> list[str]:
        ours = any(re.search(r"^import minigrad$", s.code, re.MULTILINE) for s in self.snippets)
        return ["minigrad"] if ours else ["torch", "minigrad"]

    def run(self, library: str) -> list[str]:
        """Run block after block, and return what each printed."""
        scope: dict[str, Any] = {"__name__": "__main__"}
        whole, printed = "", []
        for snippet in self.snippets:
            code = translated(snippet.code, library)
            before, whole = whole.count("\n"), whole + code
            file = f"{self.page.stem}.py"
            linecache.cache[file] = (len(whole), None, whole.splitlines(True), file)
            with contextlib.redirect_stdout(io.StringIO()) as out, warnings.catch_warnings():
                warnings.simplefilter("ignore")  # both libraries warn: the pages say where
                exec(compile("\n" * before + code, file, "exec"), scope)
            printed.append(out.getvalue())
        return printed


def translated(code: str, library: str) -> str:
    """The program as it is written for `library`."""
    other = NAMES[library]
    if library == "minigrad":
        code = re.sub(r"^import torch$", "import minigrad as torch", code, flags=re.MULTILINE)
    else:
        code = re.sub(r"^import minigrad as torch$", "import torch", code, flags=re.MULTILINE)
    return re.sub(rf"^(import|from) {other}\.", rf"\1 {library}.", code, flags=re.MULTILINE)


def pages() -> list[Path]:
    """All pages, and the README."""
    return [DOCS.parent / "README.md", *sorted(DOCS.rglob("*.md"))]


def programs(page: Path) -> list[Program]:
    """The programs of a page, in order."""
    found: list[Program] = []
    last: Snippet | None = None  # the block of Python that ends where we are
    for token in MarkdownIt().parse(page.read_text(encoding="utf-8")):
        if token.type == "fence" and token.info == "python":
            last = Snippet(token.content)
            if START.search(token.content) or not found:
                found.append(Program(page))
            found[-1].snippets.append(last)
        elif token.type == "fence" and token.info == "text" and last is not None:
            last.output, last.lines = token.content, (token.map[0] + 1, token.map[1] - 1)
            last = None
        else:
            last = None
            for source in _images(token):
                found[-1].snippets[-1].pictures.append(source)
    return found


def _images(token: Any) -> Iterator[str]:
    for child in token.children or ():
        if child.type == "image" and child.attrs["src"].endswith(".svg"):
            yield child.attrs["src"]


def rewrite(page: Path) -> None:
    """Put what the programs print into the page. A block of output has to be there already."""
    lines = page.read_text(encoding="utf-8").splitlines(True)
    changes = []
    for program in programs(page):
        for library in program.libraries:
            importlib.import_module(library)
        for snippet, printed in zip(
            program.snippets, program.run(program.libraries[0]), strict=True
        ):
            if snippet.lines is not None:
                changes.append((snippet.lines, printed))
            elif printed:
                raise ValueError(f"{page.name}: no block for the output\n{printed}")
    for (start, end), printed in reversed(changes):
        lines[start:end] = [printed]
    page.write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    for each in pages():
        rewrite(each)
