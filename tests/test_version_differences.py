"""The page of versions: what may be restored, and which words of a change differ."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from playbooks.models import Playbook, PlaybookVersion
from playbooks.views.diff_words import pieces
from tests.response_tools import action, graph, publish

pytestmark = pytest.mark.django_db


def two_versions(draft: dict[str, Any] | None = None) -> Playbook:
    """Version 2 in use; the draft is the same unless one is given."""
    playbook = publish({**graph(action("a", "isolate_endpoint")), "description": "Isolates <hosts>"}, name="Twice")
    assert playbook.current is not None
    second = {**playbook.current.definition, "description": "Isolates <hosts> at once"}
    playbook.current = PlaybookVersion.objects.create(
        playbook=playbook, number=2, digest="2" * 64, source="", definition=second
    )
    playbook.draft = draft or second
    playbook.save()
    return playbook


def restores(page: str, playbook: Playbook) -> list[int]:
    return [n for n in (1, 2) if f'action="/playbooks/{playbook.pk}/versions/{n}/restore/"' in page]


def test_the_version_in_use_is_not_offered(as_admin: Client) -> None:
    playbook = two_versions()
    page = as_admin.get(f"/playbooks/{playbook.pk}/versions/").content.decode()
    assert restores(page, playbook) == [1]
    assert "Drop the draft" not in page


def test_with_a_draft_it_is_the_way_back(as_admin: Client) -> None:
    playbook = two_versions({**graph(action("a", "scan_endpoint")), "name": "Twice"})
    page = as_admin.get(f"/playbooks/{playbook.pk}/versions/").content.decode()
    assert restores(page, playbook) == [1, 2] and "Drop the draft" in page
    as_admin.post(f"/playbooks/{playbook.pk}/versions/2/restore/")
    playbook.refresh_from_db()
    assert playbook.draft is not None
    assert playbook.draft["nodes"][0]["actions"][0]["action"] == "isolate_endpoint"


def test_only_the_words_that_differ_are_marked(as_admin: Client) -> None:
    playbook = two_versions()
    page = as_admin.get(f"/playbooks/{playbook.pk}/versions/?from=1&to=2").content.decode()
    assert "Isolates &lt;hosts&gt;<ins> at once</ins>" in page
    back = as_admin.get(f"/playbooks/{playbook.pk}/versions/?from=2&to=1").content.decode()
    assert "Isolates &lt;hosts&gt;<del> at once</del>" in back


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("", "new", ([], [("new", True)])),
        ("old", "", ([("old", True)], [])),
        ("a b c", "a x c", ([("a ", False), ("b", True), (" c", False)], [("a ", False), ("x", True), (" c", False)])),
        ("one thing", "wholly another", ([("one thing", True)], [("wholly another", True)])),
        ("w " * 3000, "w", ([("w " * 3000, True)], [("w", True)])),
    ],
)
def test_pieces(before: str, after: str, expected: Any) -> None:
    assert pieces(before, after) == expected
