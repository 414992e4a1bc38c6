"""``manage.py playbook import`` and ``export`` (contract: Commands)."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from playbooks.models import Playbook
from soar.accounts.models import User
from tests.drawn import graph, published, tag
from tests.factories import make_source

pytestmark = pytest.mark.django_db


def said(*arguments: str) -> Any:
    """What the command prints, as JSON."""
    out = io.StringIO()
    call_command("playbook", *arguments, stdout=out)
    return json.loads(out.getvalue())


def file_of(folder: Path, document: Any) -> str:
    """A file with this JSON."""
    path = folder / "playbook.json"
    path.write_text(json.dumps(document))
    return str(path)


@pytest.mark.parametrize(
    ("document", "words"),
    [([], "must be an object"), ({"name": "x"}, "no trigger"), (graph("x", tag("a1", "t", parent="gone")), "gone")],
)
def test_nonsense_is_refused_and_nothing_saved(tmp_path: Path, author: User, document: Any, words: str) -> None:
    with pytest.raises(CommandError, match=words):
        said("import", file_of(tmp_path, document), "--publish-as", author.username)
    assert not Playbook.objects.exists()


def test_what_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read"):
        said("import", str(tmp_path / "nowhere.json"))
    (tmp_path / "bad.json").write_text("{")
    with pytest.raises(CommandError, match="cannot be read"):
        said("import", str(tmp_path / "bad.json"))


def test_enabling_needs_somebody_whose_rights_it_has(tmp_path: Path, viewer: User) -> None:
    path = file_of(tmp_path, graph("Contain", tag("a1", "seen")))
    with pytest.raises(CommandError, match="needs --publish-as"):
        said("import", path, "--enable")
    with pytest.raises(CommandError, match="no active user"):
        said("import", path, "--publish-as", "nobody-here")
    with pytest.raises(CommandError, match="permission"):
        said("import", path, "--publish-as", viewer.username)
    assert not Playbook.objects.exists()


def test_export_and_import_again(tmp_path: Path, author: User) -> None:
    make_source()
    published(author, graph("Contain", tag("a1", "seen")))
    document = said("export", "contain")
    with pytest.raises(CommandError, match="already a playbook"):
        said("import", file_of(tmp_path, document))
    path = file_of(tmp_path, {**document, "name": "Again"})
    made = said("import", path, "--publish-as", author.username, "--enable")
    assert (made["name"], made["enabled"], made["version"], made["published_by"]) == ("Again", True, 1, "tomas")
    assert made["graph"] == {**document, "name": "Again"}
    assert said("export", "Again", "--cacao")["spec_version"] == "cacao-2.0"


def test_what_cannot_be_exported(author: User) -> None:
    Playbook.objects.create(name="file", kind="python", trigger="manual")
    with pytest.raises(CommandError, match="no playbook"):
        said("export", "nowhere")
    with pytest.raises(CommandError, match="Python playbook"):
        said("export", "file")
