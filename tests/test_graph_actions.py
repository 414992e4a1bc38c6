"""Response playbooks made, drawn, published, enabled, copied, put away (response-playbooks.md 1, 15, 28)."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cases.actors import Actor
from cases.errors import Conflict, Forbidden, Missing, Refused
from playbooks import catalog
from playbooks.actions import disable, enable, graph_files, graphs, publishing
from playbooks.graph.schema import read, write
from playbooks.models import Playbook, PlaybookVersion, Run
from soar.accounts.models import AuditEntry, User
from tests.drawn import action, condition, drawn, graph, published, tag
from tests.factories import make_alert, make_source

pytestmark = pytest.mark.django_db
SHIPPED = graph_files.FOLDER


def nodes_of(row: Playbook) -> list[dict[str, Any]]:
    """The nodes of the draft as it is saved."""
    row.refresh_from_db()
    draft: dict[str, Any] = row.draft or {}
    return list(draft["nodes"])


def tags_of(row: Playbook) -> list[str]:
    """The tags that the draft's first node adds."""
    return list(nodes_of(row)[0]["actions"][0]["params"]["tags"])


def test_1_a_name_is_taken_without_upper_and_lower_case(author: User) -> None:
    drawn(author, graph("Contain"))
    with pytest.raises(Refused) as refused:
        drawn(author, graph("  cONTAIN "))
    assert refused.value.field == "name"
    assert "already a playbook" in refused.value.message
    assert Playbook.objects.count() == 1


@pytest.mark.parametrize("name", ["", "   ", "x" * 201, "two\x07bells"])
def test_1_a_name_that_is_none(author: User, name: str) -> None:
    with pytest.raises(Refused) as refused:
        graphs.create_blank(Actor.of(author), name)
    assert refused.value.field == "name"


def test_only_authors(analyst: User, responder: User, nobody: User, author: User) -> None:
    row = drawn(author, graph())
    for user, error in ((analyst, Forbidden), (responder, Forbidden), (nobody, Missing)):
        with pytest.raises((error, Forbidden)):
            graphs.create_blank(Actor.of(user), "Mine")
        with pytest.raises(error):
            publishing.publish(Actor.of(user), row)
        with pytest.raises(error):
            graphs.delete(Actor.of(user), row)
    assert Playbook.objects.get().draft_number == 1


def test_publishing_an_illegal_graph_names_node_and_field(author: User) -> None:
    row = drawn(author, graph("Bad", condition("c1", "object_risk", "highly_suspicious")))
    with pytest.raises(Refused) as refused:
        publishing.publish(Actor.of(author), row)
    errors = refused.value.extra["errors"]
    assert any(one["node"] == "c1" and "conditions.0" in one["field"] for one in errors)
    assert not PlaybookVersion.objects.exists()


def test_publishing_makes_a_version_and_the_same_content_makes_none(author: User) -> None:
    row = published(author, graph("Contain", tag("a1", "seen")))
    assert row.current is not None
    assert (row.current.number, row.published_by, row.enabled) == (1, author, False)
    again = publishing.publish(Actor.of(author), row)
    assert again.pk == row.current.pk
    graphs.save_draft(Actor.of(author), row, read(graph("Contain", tag("a1", "other")))[0], number=1)
    second = publishing.publish(Actor.of(author), row)
    assert second.number == 2
    first = PlaybookVersion.objects.get(playbook=row, number=1)
    assert first.definition["nodes"][0]["actions"][0]["params"] == {"tags": ["seen"]}
    assert list(AuditEntry.objects.filter(verb="playbook.published").values_list("data__version", flat=True))


def test_two_people_draw_at_once_and_the_second_is_told(author: User, admin: User) -> None:
    row = drawn(author, graph())
    graphs.save_draft(Actor.of(admin), row, read(graph("Contain", tag("a1", "hers")))[0], number=1)
    with pytest.raises(Conflict) as conflict:
        graphs.save_draft(Actor.of(author), row, read(graph("Contain", tag("a1", "his")))[0], number=1)
    assert "Ada Admin changed this draft" in conflict.value.message
    with pytest.raises(Conflict):
        publishing.publish(Actor.of(author), row, number=1)
    assert tags_of(row) == ["hers"]


def test_1_enabling_needs_a_publication_and_a_source_that_delivers(author: User) -> None:
    row = drawn(author, graph("Contain", tag("a1", "seen")))
    with pytest.raises(Conflict, match="never published"):
        enable(Actor.of(author), row)
    publishing.publish(Actor.of(author), row)
    make_source(kind="generic", delivers="other")
    make_source(kind="generic", delivers="email", enabled=False)
    with pytest.raises(Conflict, match="source that delivers") as conflict:
        enable(Actor.of(author), row)
    assert conflict.value.extra["url"] == "/sources/"
    make_source(kind="generic", delivers="email")
    assert enable(Actor.of(author), row).enabled


def test_15_an_action_without_connector_can_be_published_but_not_enabled(author: User) -> None:
    make_source()
    row = published(author, graph("Isolate", action("a1", "isolate_endpoint", risk=("unrated",))))
    with pytest.raises(Conflict, match="Isolate endpoint is not available") as conflict:
        enable(Actor.of(author), row)
    assert conflict.value.extra["errors"][0]["node"] == "a1"
    row.refresh_from_db()
    assert not row.enabled


def test_15_what_is_enabled_cannot_be_published_without_its_connector(author: User) -> None:
    make_source()
    row = published(author, graph("Contain", tag("a1", "seen")), on=True)
    made = read(graph("Contain", action("a1", "isolate_endpoint", risk=("unrated",))))[0]
    graphs.save_draft(Actor.of(author), row, made, number=None)
    with pytest.raises(Refused, match="not available"):
        publishing.publish(Actor.of(author), row)


def test_workers_see_what_is_enabled_and_no_longer_what_is_not(author: User) -> None:
    make_source()
    row = published(author, graph("Contain", tag("a1", "seen")), on=True)
    listed = catalog.current().response
    assert [(one.row.name, one.version, one.graph.nodes[0].id) for one in listed] == [("Contain", row.current_id, "a1")]
    disable(Actor.of(author), row)
    assert catalog.current().response == []


def test_a_draft_changes_nothing_of_what_runs(author: User) -> None:
    make_source()
    row = published(author, graph("Contain", tag("a1", "seen")), on=True)
    graphs.save_draft(Actor.of(author), row, read(graph("Contain", tag("b1", "other")))[0], number=None)
    assert catalog.current().response[0].graph.nodes[0].id == "a1"


def test_renaming_keeps_the_name_unique_and_reaches_the_row(author: User) -> None:
    row = drawn(author, graph("One"))
    drawn(author, graph("Two"))
    with pytest.raises(Refused):
        graphs.change_draft(Actor.of(author), row, lambda drawn: replace(drawn, name="two"), number=None)
    renamed = graphs.change_draft(Actor.of(author), row, lambda drawn: replace(drawn, name="Three"), number=None)
    assert renamed.name == "Three"
    assert Playbook.objects.filter(pk=row.pk, draft__name="Three").exists()


def test_28_a_copy_is_a_draft_of_its_own(author: User) -> None:
    row = published(author, graph("Contain", tag("a1", "seen")))
    first, second = graphs.duplicate(Actor.of(author), row), graphs.duplicate(Actor.of(author), row)
    assert [first.name, second.name] == ["Contain, copy", "Contain, copy (2)"]
    assert (first.enabled, first.current_id) == (False, None)
    assert nodes_of(first) == nodes_of(row)


def test_28_restoring_brings_an_old_graph_back_as_a_draft(author: User) -> None:
    row = published(author, graph("Contain", tag("a1", "old")))
    graphs.save_draft(Actor.of(author), row, read(graph("Renamed", tag("a1", "new")))[0], number=None)
    publishing.publish(Actor.of(author), row)
    with pytest.raises(Missing):
        graphs.restore(Actor.of(author), row, 9)
    back = graphs.restore(Actor.of(author), row, 1)
    assert tags_of(back) == ["old"]
    assert graph_files.export(back)["name"] == "Renamed"
    row.refresh_from_db()
    assert row.current is not None and row.current.number == 2


def test_one_that_ran_is_put_away_instead_of_deleted(author: User) -> None:
    make_source()
    row = published(author, graph("Contain", tag("a1", "seen")), on=True)
    Run.objects.create(playbook=row, alert=make_alert(), trigger="manual", cause="11111111-1111-1111-1111-111111111111")
    with pytest.raises(Conflict, match="Put it away"):
        graphs.delete(Actor.of(author), row)
    away = graphs.archive(Actor.of(author), row)
    assert (away.present, away.enabled) == (False, False)
    assert catalog.current().response == []
    with pytest.raises(Conflict, match="put away"):
        enable(Actor.of(author), row)
    assert graphs.unarchive(Actor.of(author), row).present


def test_one_that_never_ran_is_deleted_with_its_versions(author: User) -> None:
    row = published(author, graph("Contain", tag("a1", "seen")))
    graphs.delete(Actor.of(author), row)
    assert not Playbook.objects.filter(pk=row.pk).exists()
    assert AuditEntry.objects.filter(verb="playbook.deleted", target="Contain").exists()


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        "text",
        {"name": "x"},
        graph("x", {"id": "a1", "type": "notify", "parent": "nowhere", "side": "right"}),
        graph("x", *[tag(f"a{n}", "t") for n in range(10_000)]),
    ],
)
def test_importing_what_is_no_graph(author: User, document: Any) -> None:
    with pytest.raises(Refused):
        graph_files.import_graph(Actor.of(author), document)
    assert not Playbook.objects.exists()


def test_28_export_and_import_give_the_same_graph(author: User) -> None:
    row = drawn(author, graph("Contain", tag("a1", "seen", name="Say so")))
    exported = json.loads(json.dumps(graph_files.export(row)))
    with pytest.raises(Refused, match="already a playbook"):
        graph_files.import_graph(Actor.of(author), exported)
    other = graph_files.import_graph(Actor.of(author), exported, rename_if_taken=True)
    assert other.name == "Contain (2)"
    assert {**graph_files.export(other), "name": "Contain"} == exported


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.json")), ids=lambda path: path.stem)
def test_28_a_shipped_template_needs_only_to_be_told_whom_to_tell(author: User, path: Path) -> None:
    document = json.loads(path.read_text())
    row = graph_files.from_template(Actor.of(author), path.stem, name="Mine", tell=["soc@example.com"])
    made, wrong = read(row.draft)
    assert not wrong
    assert write(made)["nodes"] and document["description"]
    version = publishing.publish(Actor.of(author), row)
    assert version.number == 1
