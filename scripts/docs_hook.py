"""What ``make docs`` adds to the pages of ``docs/``: those of the top folder, and files that pages link to.

A page in ``docs/`` links to ``../README.md``, which is right where the source is read. In the site that page is
``start.md``, and any other file of the project is a copy under ``files/``.
"""

from __future__ import annotations

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parent.parent
TOP = {"README.md": "start.md", "CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changes.md"}
FENCE = re.compile(r"^```(\w+)[^\n]*$", re.M)  # "sh tried" is for the tests
LINK = re.compile(r"\]\((?![a-z]+:|#|/)([^)#\s]+)(#[^)\s]*)?\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages of the top folder, and every file outside of ``docs/`` that a page links to."""
    for source, name in TOP.items():
        files.append(File.generated(config, name, content=(ROOT / source).read_text(encoding="utf-8")))
    for path in sorted({path for page in files.documentation_pages() for path in _outside(page)}):
        files.append(File.generated(config, _copy(path), content=(ROOT / path).read_bytes()))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """The page with its links as they are in the site, and its blocks without the marks for tests."""
    folder = _folder(page.file)
    plain = FENCE.sub(r"```\1", markdown)
    return LINK.sub(lambda found: f"]({_target(found[1], folder)}{found[2] or ''})", plain)


def _folder(file: File) -> str:
    """Where the source of the page lies in the project: links are relative to it."""
    return "" if file.src_uri in TOP.values() else "docs"


def _path(link: str, folder: str) -> str:
    """The file of the project that a link means, relative to the project."""
    return (ROOT / folder / link).resolve().relative_to(ROOT.resolve()).as_posix()


def _target(link: str, folder: str) -> str:
    path = _path(link, folder)
    return TOP.get(path) or (path.removeprefix("docs/") if path.startswith("docs/") else _copy(path))


def _outside(page: File) -> list[str]:
    paths = [_path(link, _folder(page)) for link, _anchor in LINK.findall(page.content_string)]
    return [path for path in paths if path not in TOP and not path.startswith("docs/") and (ROOT / path).is_file()]


def _copy(path: str) -> str:
    """``.txt`` behind it: a browser shows it, and none is taken for a page."""
    return f"files/{path}.txt"
