"""The pages in docs/ and the README: their programs print what stands there, on both libraries;
what they quote or name is in the source; links and pictures lead somewhere."""

from __future__ import annotations

import html
import importlib.util
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from parity.suites import programs as suites

ROOT = Path(__file__).resolve().parent.parent


def _load(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


snippets, pictures = _load("snippets"), _load("pictures")
PAGES = snippets.pages()
PROGRAMS = [
    pytest.param(program, library, id=f"{page.stem}-{number}-{library}")
    for page in PAGES
    for number, program in enumerate(snippets.programs(page), 1)
    for library in program.libraries
]
pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)


@pytest.mark.parametrize(("program", "library"), PROGRAMS)
def test_a_program_prints_what_the_page_says(program: Any, library: str) -> None:
    importlib.import_module(library)
    for snippet, printed in zip(program.snippets, program.run(library), strict=True):
        assert printed == snippet.output, f"{program.page.name}:\n{snippet.code}"


def test_programs_are_found() -> None:
    """The text of a page, counted in another way."""
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert sum(len(p.values[0].snippets) for p in PROGRAMS if p.values[1] == "minigrad") == len(
        re.findall(r"^```python$", text, re.MULTILINE)
    )
    assert {p.values[1] for p in PROGRAMS} == {"torch", "minigrad"}


# ---- pictures ------------------------------------------------------------------------------------


def in_drawing(svg: str) -> set[tuple[str, str]]:
    """(element, text) for each node and edge, without spaces."""
    groups = re.findall(r'<g id="\w+" class="\w+">\n<title>(.*?)</title>(.*?)</g>', svg, re.DOTALL)
    return {
        (html.unescape(title), re.sub(r"\s", "", html.unescape("".join(_texts(body)))))
        for title, body in groups
    }


def _texts(body: str) -> list[str]:
    return re.findall(r"<text[^>]*>(.*?)</text>", body)


def in_source(dot: str) -> set[tuple[str, str]]:
    """The same of the text that Graphviz is given."""
    lines = re.findall(r"^  (\w+(?: -> \w+)?) \[(.*)\]$", dot, re.MULTILINE)
    found = set()
    for element, attributes in lines:
        label = re.search(r'label="(.*?)"', attributes)
        text = label[1].replace("\\n", "") if label else ""
        found.add((element.replace(" ", ""), re.sub(r"\s", "", text)))
    return {pair for pair in found if pair[0] not in ("graph", "node", "edge")}


@pages
def test_pictures_are_those_of_the_programs(page: Path) -> None:
    for file, dot in pictures.drawn(page):
        drawing = in_drawing(file.read_text(encoding="utf-8"))
        assert drawing == in_source(dot), f"{file.name}: run python docs/pictures.py"


def test_no_picture_is_left_over() -> None:
    used = {
        (page.parent / picture).resolve()
        for page in PAGES
        for program in snippets.programs(page)
        for snippet in program.snippets
        for picture in snippet.pictures
    }
    assert used == set((ROOT / "docs" / "pictures").glob("*.svg"))
    assert len(used) >= 16


# ---- what pages say of the source ----------------------------------------------------------------

FILE = r"`((?:minigrad|parity|examples|tests|benchmarks|docs)/[\w./]*)`"


@pages
def test_files_and_names_are_there(page: Path) -> None:
    text = re.sub(r"\s+", " ", page.read_text(encoding="utf-8"))
    for file in re.findall(FILE, text):
        assert (ROOT / file).exists(), file
    for name, file in re.findall(rf"`(\w+)` (?:in|of) {FILE}", text):
        source = (ROOT / file).read_text(encoding="utf-8")
        assert re.search(rf"\b(def|class) {name}\b|^{name}\b", source, re.MULTILINE), (name, file)


@pages
def test_quotations_are_literal(page: Path) -> None:
    """A block marked `py` quotes a file: the one that its first line names."""
    for token in MarkdownIt().parse(page.read_text(encoding="utf-8")):
        if token.type == "fence" and token.info == "py":
            first, quoted = token.content.split("\n", 1)
            source = (ROOT / first.removeprefix("# ")).read_text(encoding="utf-8")
            assert quoted.strip() in source, quoted


@pages
def test_links_lead_to_files(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_page_is_in_the_navigation() -> None:
    named = re.findall(r"^ +- ([\w/]+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE)
    docs = ROOT / "docs"
    assert sorted(named) == sorted(str(p.relative_to(docs)) for p in docs.rglob("*.md"))


def test_the_suites_of_the_documents_exist() -> None:
    for page in (ROOT / "docs" / "documents").glob("0*.md"):
        text = page.read_text(encoding="utf-8")
        lines = re.findall(r"[Ss]uites? ?:? ?((?:`\w+`(?:, )?)+)", text.replace("\n", " "))
        names = [name for line in lines for name in re.findall(r"`(\w+)`", line)]
        assert names, page.name
        assert set(names) <= set(suites()), page.name
