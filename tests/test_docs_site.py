"""The documentation builds as a site, and what is wrong in it does not get through."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CONFIG = "scripts/mkdocs.yml"


def build(root: Path, target: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mkdocs", "build", "-f", CONFIG, "-d", str(target)]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)


def test_it_builds_without_a_broken_link(tmp_path: Path) -> None:
    done = build(ROOT, tmp_path)
    assert done.returncode == 0, done.stderr
    overview = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert 'href="start.html"' in overview and 'href="contributing.html"' in overview
    assert (tmp_path / "files" / "benchmarks" / "__main__.py.txt").is_file()


def test_nothing_in_it_is_fetched_from_another_host(tmp_path: Path) -> None:
    build(ROOT, tmp_path)
    pages = [page.read_text(encoding="utf-8") for page in tmp_path.glob("*.html")]
    assert pages
    for mark in ('src="http', 'src="//', 'rel="stylesheet" href="http', 'href="//'):
        assert not any(mark in page for page in pages), mark


@pytest.mark.parametrize("wrong", ["[a](nowhere.md)", "[a](analysts.md#no-such-part)", "![a](images/none.png)"])
def test_a_link_that_leads_nowhere_is_refused(tmp_path: Path, wrong: str) -> None:
    (tmp_path / "scripts").mkdir()
    for name in ("mkdocs.yml", "docs_hook.py"):
        (tmp_path / "scripts" / name).write_text((ROOT / "scripts" / name).read_text(encoding="utf-8"))
    config = (tmp_path / CONFIG).read_text().split("nav:\n  - Overview")[0]
    (tmp_path / CONFIG).write_text(config)
    for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/README.md", "docs/analysts.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("# A page\n")
    assert build(tmp_path, tmp_path / "site").returncode == 0
    (tmp_path / "docs" / "README.md").write_text(f"# A page\n\n{wrong}\n")
    assert build(tmp_path, tmp_path / "site").returncode != 0
