"""Names of ATT&CK techniques: the release that Soar brings, and MITRE's own file in its place (casework.md 6)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from cases.attack import stored
from cases.attack.catalog import Catalog
from cases.attack.shown import label, observable, pill
from cases.attack.stix import document_of
from cases.attack.stored import catalog, import_bundle, imported_path
from soar.accounts.models import AuditEntry


def reference(id: str) -> dict[str, Any]:
    return {"external_references": [{"source_name": "mitre-attack", "external_id": id}]}


def pattern(id: str, name: str, *phases: str, **more: Any) -> dict[str, Any]:
    chain = [{"kill_chain_name": "mitre-attack", "phase_name": phase} for phase in phases]
    return {"type": "attack-pattern", "id": f"attack-pattern--{id}", "name": name, "kill_chain_phases": chain,
            **reference(id), **more}  # fmt: skip


def tactic(id: str, slug: str, name: str) -> dict[str, Any]:
    return {"type": "x-mitre-tactic", "id": f"t--{id}", "x_mitre_shortname": slug, "name": name, **reference(id)}


def bundle(*more: Any) -> dict[str, Any]:
    """A small release: two tactics in the order of the matrix, a technique with a sub-technique, two withdrawn."""
    gone = {"type": "relationship", "id": "r--1", "relationship_type": "revoked-by",
            "source_ref": "attack-pattern--T9001", "target_ref": "attack-pattern--T9000.001"}  # fmt: skip
    return {"type": "bundle", "id": "bundle--1", "objects": [
        {"type": "x-mitre-collection", "id": "c--1", "x_mitre_version": "99.1"},
        {"type": "x-mitre-matrix", "id": "m--1", "tactic_refs": ["t--TA0002", "t--TA0001"]},
        tactic("TA0001", "first", "First"), tactic("TA0002", "second", "Second"),
        pattern("T9000", "Sneaking  about", "first", "second"),
        pattern("T9000.001", "On tiptoe", "first"),
        pattern("T9001", "Tiptoeing", "first", revoked=True), gone,
        pattern("T9002", "Flying", "second", x_mitre_deprecated=True),
        *more,
    ]}  # fmt: skip


@pytest.fixture
def data_dir(settings: Any, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path
    stored.forget()
    return tmp_path


def write(path: Path, document: Any) -> Path:
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def test_the_release_that_soar_brings() -> None:
    known = catalog()
    assert len(known.tactics) == 14
    assert (known.tactics[0].name, known.tactics[-1].name) == ("Reconnaissance", "Impact")
    assert known.name("T1566.002") == "Phishing: Spearphishing Link"
    assert known.name("t1059.001") == "Command and Scripting Interpreter: PowerShell"
    assert known.tactic_names(known.techniques["T1078"]) == [
        "Initial Access", "Persistence", "Privilege Escalation", "Defense Evasion",
    ]  # fmt: skip
    assert known.name("T1086") == "PowerShell (now T1059.001)"
    assert (known.name("T9999"), known.name("<b>"), known.name("T1" * 5000)) == ("", "", "")
    assert known.family("t1566")[:3] == ["T1566", "T1566.001", "T1566.002"]
    assert (known.family("T1566.001"), known.family("T9999")) == (["T1566.001"], ["T9999"])
    assert all(one.tactics or not one.current for one in known.techniques.values())
    notice = (Path(stored.SHIPPED).parent / "NOTICE").read_text(encoding="utf-8")
    assert "The MITRE Corporation" in notice and "royalty-free license" in notice


@pytest.mark.parametrize(
    ("text", "first"),
    [("T1566", "T1566"), ("t1566.0", "T1566.001"), ("phishing", "T1566"), ("kerberoast", "T1558.003"),
     ("spearphishing link", "T1566.002"), ("T1086", "T1086")],
)  # fmt: skip
def test_search_finds_the_best_first(text: str, first: str) -> None:
    found = catalog().search(text)
    assert found[0].id == first
    assert 0 < len(found) <= 20


@pytest.mark.parametrize("text", ["", "   ", "no such thing", "%", "\x00", "T10 86"])
def test_search_that_finds_nothing(text: str) -> None:
    assert catalog().search(text) == []


def test_parts_of_pages_tell_the_name_and_escape_the_rest() -> None:
    assert 'title="Valid Accounts"' in pill("T1078", "alert-list")
    assert label("T1078") == "T1078 Valid Accounts"
    odd = pill('<script>"', "alert-list")
    assert "<script>" not in odd and "title" not in odd
    assert "Valid Accounts" in observable("T1078", "/x/", "technique")
    assert "Valid" not in observable("T1078", "/x/", "domain")


def test_a_bundle_is_read_in_the_order_of_its_matrix() -> None:
    known = Catalog.of(document_of(bundle()))
    assert known.version == "99.1"
    assert [one.name for one in known.tactics] == ["Second", "First"]
    assert known.techniques["T9000"].tactics == ("second", "first")
    assert known.name("T9000.001") == "Sneaking about: On tiptoe"
    assert known.name("T9001") == "Tiptoeing (now T9000.001)"
    assert (known.name("T9002"), known.techniques["T9002"].current) == ("Flying", False)
    assert [[one.id for one in cells] for _tactic, cells in known.matrix()] == [["T9000"], ["T9000"]]


@pytest.mark.parametrize(
    "document",
    [[], {}, None, {"type": "bundle"}, {"type": "bundle", "objects": {}}, {"type": "bundle", "objects": [1, "x", None]},
     {"type": "bundle", "objects": [pattern("T1", "x", "first")]}, {"type": "report", "objects": []}],
)  # fmt: skip
def test_what_is_no_bundle_is_refused_in_words(document: Any) -> None:
    with pytest.raises(ValueError, match="bundle"):
        document_of(document)


def test_odd_objects_do_no_harm() -> None:
    odd = [
        {"type": "attack-pattern"}, {"type": "attack-pattern", "id": 7},
        {**pattern("T9005", "x", "first"), "external_references": "none"},
        {**pattern("T9006", "<script>alert(1)</script>", "first"), "kill_chain_phases": None},
        {"type": "relationship", "id": "r--2", "relationship_type": "revoked-by", "source_ref": "attack-pattern--T9002",
         "target_ref": "attack-pattern--T9002"},
    ]  # fmt: skip
    known = Catalog.of(document_of(bundle(*odd)))
    assert "T9005" not in known.techniques and "T9006" not in known.techniques
    assert known.techniques["T9002"].now == ""


@pytest.mark.django_db
def test_imported_names_take_the_place_of_those_brought(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("attack", "show")
    assert json.loads(capsys.readouterr().out) == {
        "version": "18.1", "tactics": 14, "techniques": 691, "imported": False,
    }  # fmt: skip
    call_command("attack", "import", str(write(data_dir / "bundle.json", bundle())))
    assert json.loads(capsys.readouterr().out) == {"version": "99.1", "tactics": 2, "techniques": 2, "imported": True}
    assert (catalog().version, catalog().name("T1566")) == ("99.1", "")
    entry = AuditEntry.objects.get(verb="attack.imported")
    assert (entry.target, entry.data) == ("99.1", {"techniques": 4})
    import_bundle(write(data_dir / "bundle.json", bundle(pattern("T9003", "Third", "first"))))
    assert catalog().name("T9003") == "Third"


@pytest.mark.django_db
@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[1]", b"[" * 100_000])
def test_a_file_that_is_none_changes_nothing(data_dir: Path, body: bytes) -> None:
    path = data_dir / "bad.json"
    path.write_bytes(body)
    with pytest.raises(CommandError):
        call_command("attack", "import", str(path))
    with pytest.raises(CommandError):
        call_command("attack", "import", str(data_dir / "not-there.json"))
    assert not imported_path().exists()
    assert catalog().version == "18.1"
    assert not AuditEntry.objects.filter(verb="attack.imported").exists()


def test_a_broken_import_falls_back_to_what_is_brought(data_dir: Path) -> None:
    imported_path().parent.mkdir()
    for body in ("{", '{"version": 1}', "[]", '{"version": "1", "tactics": [["x"]], "techniques": {}, "former": {}}'):
        imported_path().write_text(body, encoding="utf-8")
        stored.forget()
        assert catalog().version == "18.1"
