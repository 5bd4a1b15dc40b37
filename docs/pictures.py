"""The pictures of these pages: each is the graph of the program that stands above it.

    python docs/pictures.py

runs the programs on minigrad while a tape records, and draws what it saw. It needs the package
graphviz (`pip install -e ".[viz]"`) and Graphviz' program `dot`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from snippets import Program, pages, programs

import minigrad


def drawn(page: Path) -> Iterator[tuple[Path, str]]:
    """Of each picture of a page: its file, and its graph in Graphviz' language."""
    for program in programs(page):
        for count, snippet in enumerate(program.snippets, 1):
            for source in snippet.pictures:
                with minigrad.autograd.graph.record() as tape:
                    Program(page, program.snippets[:count]).run("minigrad")
                yield page.parent / source, tape.to_dot()


def small(svg: str) -> str:
    """The drawing without what depends on the version of Graphviz: its header and comments."""
    svg = re.sub(r"<!--.*?-->\n?", "", svg, flags=re.DOTALL)
    return svg[svg.index("<svg") :]


def main() -> None:
    from minigrad.tape.drawing import draw

    for page in pages():
        for file, dot in drawn(page):
            file.parent.mkdir(exist_ok=True)
            file.write_text(small(draw(dot, "svg").decode()), encoding="utf-8")


if __name__ == "__main__":
    main()
