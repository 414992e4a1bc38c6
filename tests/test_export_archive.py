"""The archive of an incident: signed, and verified without Soar; whatever is changed in it is found."""

from __future__ import annotations

import ast
import hashlib
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.db import connection

from cases.actions import evidence, incidents
from cases.actions.signing import rotate
from cases.actors import Actor
from cases.models import Evidence, SigningKey
from cases.reporting import archive, verify
from cases.reporting.archive_names import name_of
from cases.signing import active_key
from soar.accounts.models import User
from tests.evidence_files import store
from tests.rich_incident import rich_incident, told

pytestmark = pytest.mark.django_db
VERIFIER = Path(verify.__file__)
Files = dict[str, bytes]


@pytest.fixture
def exported(admin: User, tmp_path: Path) -> Path:
    """The zip of a rich incident."""
    path = tmp_path / "INC.zip"
    path.write_bytes(b"".join(archive.render(told(admin, rich_incident(admin)))))
    return path


def verified(path: Path, *more: str) -> tuple[int, str]:
    """What the stand-alone script says, run with nothing of ours: -I leaves out this folder and the environment."""
    done = subprocess.run(
        [sys.executable, "-I", str(VERIFIER), str(path), *more], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def files_of(path: Path) -> Files:
    """Everything in a zip."""
    with zipfile.ZipFile(path) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def written(path: Path, files: Files) -> Path:
    """A zip of these."""
    made = path.with_name("changed.zip")
    with zipfile.ZipFile(made, "w") as opened:
        for name, body in files.items():
            opened.writestr(name, body)
    return made


def changed(path: Path, change: Callable[[Any], Any]) -> Path:
    """The archive with another incident.json and a manifest that goes with it: only the signature is the old one."""
    files = files_of(path)
    document = json.loads(files["incident.json"])
    change(document["timeline"])
    files["incident.json"] = json.dumps(document, ensure_ascii=False).encode()
    manifest = json.loads(files["manifest.json"])
    manifest["files"]["incident.json"]["sha256"] = hashlib.sha256(files["incident.json"]).hexdigest()
    files["manifest.json"] = json.dumps(manifest).encode()
    return written(path, files)


def test_it_verifies_with_the_key_of_the_settings(exported: Path) -> None:
    code, out = verified(exported, "--key", active_key().public_key)
    assert (code, out) == (0, "Whole, and signed with this key.\n")
    code, out = verified(exported)
    assert code == 0 and "--key" in out


def test_it_verifies_from_the_folder_it_was_unpacked_to(exported: Path, tmp_path: Path) -> None:
    folder = tmp_path / "unpacked"
    zipfile.ZipFile(exported).extractall(folder)
    assert verified(folder, "--key", active_key().public_key)[0] == 0
    (folder / "evidence" / "planted.txt").write_text("found it")
    assert "evidence/planted.txt: added" in verified(folder)[1]


def test_the_verifier_is_short_and_needs_nothing() -> None:
    source = VERIFIER.read_text()
    assert len(source.splitlines()) < 100
    tree = ast.parse(source)
    named = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    named |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in named} <= set(sys.stdlib_module_names)


def test_the_signature_is_ed25519_by_another_library_too(exported: Path) -> None:
    files = files_of(exported)
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(active_key().public_key))
    key.verify(bytes.fromhex(files["manifest.sig"].decode()), files["manifest.json"])
    with pytest.raises(InvalidSignature):
        key.verify(bytes.fromhex(files["manifest.sig"].decode()), files["manifest.json"] + b" ")


def test_every_changed_file_is_found(exported: Path) -> None:
    files = files_of(exported)
    assert {"incident.json", "timeline.csv", "stix.json", "misp.json", "report.html", "verify.py"} <= files.keys()
    for name in files.keys() - {"manifest.json", "manifest.sig"}:
        code, out = verified(written(exported, {**files, name: files[name] + b" "}))
        assert code == 1 and f"{name}: changed" in out
    for name in ("manifest.json", "manifest.sig"):
        assert verified(written(exported, {**files, name: files[name].replace(b"0", b"1")}))[0] == 1


def test_a_missing_an_added_and_a_doubled_file_are_found(exported: Path) -> None:
    files = files_of(exported)
    gone = next(one for one in files if one.startswith("evidence/"))
    del files[gone]
    code, out = verified(written(exported, files | {"planted.txt": b"x"}))
    assert code == 1 and f"{gone}: missing" in out and "planted.txt: added" in out
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(exported, "a") as opened:
        opened.writestr("timeline.csv", files["timeline.csv"])
    assert "timeline.csv: added" in verified(exported)[1]


@pytest.mark.parametrize("name", ["manifest.json", "manifest.sig"])
def test_a_second_manifest_is_found_wherever_it_stands(exported: Path, name: str) -> None:
    files = files_of(exported)
    with zipfile.ZipFile(exported, "w") as opened:
        for one, body in files.items():
            if one != name:
                opened.writestr(one, body)
        opened.writestr(name, b"{}")  # what a program that takes the first of two shows
        with pytest.warns(UserWarning, match="Duplicate"):
            opened.writestr(name, files[name])
    assert verified(exported, "--key", active_key().public_key) == (1, f"{name}: added\n")


def test_a_way_out_of_the_folder_is_found(exported: Path, tmp_path: Path) -> None:
    folder = tmp_path / "unpacked"
    zipfile.ZipFile(exported).extractall(folder)
    (folder / "more").symlink_to(tmp_path, target_is_directory=True)
    assert verified(folder) == (1, "more: added\n")


def _text(entries: Any) -> None:
    next(one for one in entries if one["kind"] == "comment")["text"] = "Something else was said"


def _time(entries: Any) -> None:
    entries[2]["occurred_at"] = "2020-01-01T00:00:00Z"


def _actor(entries: Any) -> None:
    entries[2]["actor"]["name"] = "Somebody else"


def _drop(entries: Any) -> None:
    del entries[[one["kind"] for one in entries].index("comment")]


def _swap(entries: Any) -> None:
    own = [number for number, one in enumerate(entries) if one["subject"].startswith("INC")]
    entries[own[1]], entries[own[2]] = entries[own[2]], entries[own[1]]


def test_a_tampered_timeline_is_found_even_if_the_manifest_was_made_to_fit(exported: Path) -> None:
    for tamper in (_text, _time, _actor, _drop, _swap):
        code, out = verified(changed(exported, tamper))
        assert code == 1
        assert "changed, or what stood before it is missing or in another order" in out, tamper
        assert "manifest.json: changed, or not signed with this key" in out


def test_a_cut_tail_and_entries_of_another_subject_are_found(exported: Path) -> None:
    code, out = verified(changed(exported, lambda entries: entries.pop()))
    assert code == 1 and "or not to the end that was signed" in out

    def add(entries: Any) -> None:
        entries.append({**entries[-1], "subject": "INC-999999"})

    assert "INC-999999: entries of what the manifest does not name" in verified(changed(exported, add))[1]


def test_another_key_is_found(exported: Path) -> None:
    old = active_key().public_key
    rotate(Actor.system())
    code, out = verified(exported, "--key", active_key().public_key)
    assert code == 1 and "not signed with this key" in out
    assert verified(exported, "--key", old)[0] == 0, "what the old key signed can still be checked"


@pytest.mark.parametrize("body", [b"", b"PK\x03\x04", b"no zip"])
def test_what_is_no_archive_is_told_in_a_sentence(tmp_path: Path, body: bytes) -> None:
    (tmp_path / "x.zip").write_bytes(body)
    code, out = verified(tmp_path / "x.zip")
    assert code == 1 and "cannot be read as an exported incident" in out and "Traceback" not in out


def test_a_key_that_is_none_is_told(exported: Path) -> None:
    for key in ("zz", "00" * 31, "ff" * 32):
        code, out = verified(exported, "--key", key)
        assert code == 1 and "Traceback" not in out


def test_a_timeline_that_was_changed_in_the_database_is_found_in_its_export(admin: User, tmp_path: Path) -> None:
    incident = rich_incident(admin)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE cases_timelineentry DISABLE TRIGGER USER")
        cursor.execute("UPDATE cases_timelineentry SET text = 'nothing' WHERE kind = 'comment'")
        cursor.execute("ALTER TABLE cases_timelineentry ENABLE TRIGGER USER")
    path = tmp_path / "x.zip"
    path.write_bytes(b"".join(archive.render(told(admin, incident))))
    code, out = verified(path, "--key", active_key().public_key)
    assert code == 1 and f"{incident.number}, entry " in out and "manifest.json" not in out


def test_what_the_exporter_may_not_see_is_withheld_and_the_rest_still_verifies(admin: User, tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(b"".join(archive.render(told(admin, rich_incident(admin), notes=False))))
    assert verified(path, "--key", active_key().public_key)[0] == 0
    assert b"calc" not in files_of(path)["incident.json"]


def test_evidence_is_in_it_byte_for_byte_under_a_harmless_name(exported: Path) -> None:
    files = files_of(exported)
    names = [name for name in files if name.startswith("evidence/")]
    piece = Evidence.objects.get(removed_at=None)
    assert names == [f"evidence/{piece.pk}-mail ünder.eml"]
    assert hashlib.sha256(files[names[0]]).hexdigest() == piece.sha256
    about = json.loads(files["manifest.json"])["files"][names[0]]["evidence"]
    assert about == {"id": piece.pk, "name": "mail ünder.eml", "sha256": piece.sha256}


@pytest.mark.parametrize("name", ["../../etc/passwd", "/x", "C:\\x", "a\u202eb", "..", "", "a\nb", "x" * 300, "con.",
                                  "証" * 250, "🐟é" * 120])  # fmt: skip
def test_names_from_hell_stay_in_the_folder(name: str) -> None:
    made = name_of(7, name)
    assert made.startswith("evidence/7-") and made.count("/") == 1
    assert "\\" not in made and "\u202e" not in made and made.isprintable()
    assert len(f"{made}.zip".removeprefix("evidence/").encode()) < 255  # what a file system takes


def test_evidence_with_a_long_name_of_wide_letters_can_be_unpacked(admin: User, tmp_path: Path) -> None:
    incident, path = rich_incident(admin), tmp_path / "x.zip"
    evidence.add_bytes(Actor.of(admin), incident.pk, "証" * 250 + ".eml", b"wide")
    path.write_bytes(b"".join(archive.render(told(admin, incident))))
    zipfile.ZipFile(path).extractall(tmp_path / "unpacked")
    assert verified(tmp_path / "unpacked", "--key", active_key().public_key)[0] == 0
    assert [one.read_bytes() for one in (tmp_path / "unpacked" / "evidence").glob("*証.eml")] == [b"wide"]


def test_sealed_evidence_is_encrypted(admin: User, tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(b"".join(archive.render_sealed(told(admin, rich_incident(admin)))))
    files = files_of(path)
    sealed = next(name for name in files if name.startswith("evidence/"))
    assert sealed.endswith(".eml.zip") and b"hello" not in files[sealed]
    assert zipfile.ZipFile(io.BytesIO(files[sealed])).infolist()[0].flag_bits & 1
    assert verified(path, "--key", active_key().public_key)[0] == 0


def test_evidence_that_is_missing_or_damaged_on_disk_is_told(admin: User, tmp_path: Path) -> None:
    incident = rich_incident(admin)
    piece = Evidence.objects.get(removed_at=None)
    kept = store() / piece.sha256[:2] / piece.sha256
    path = tmp_path / "x.zip"
    for render in (archive.render, archive.render_sealed):
        kept.write_bytes(b"x" * piece.size)
        path.write_bytes(b"".join(render(told(admin, incident))))
        assert json.loads(files_of(path)["manifest.json"])["missing"][0]["damaged"].startswith("evidence/")
        assert lost(path, piece)
        kept.unlink()
        path.write_bytes(b"".join(render(told(admin, incident))))
        assert json.loads(files_of(path)["manifest.json"])["missing"][0]["name"] == piece.name
        assert lost(path, piece)


def lost(path: Path, piece: Evidence) -> bool:
    """Whether the verifier names this piece, and nothing else."""
    code, out = verified(path, "--key", active_key().public_key)
    return (code, out) == (1, f"evidence {piece.name!r}: damaged or missing at its export\n")


def test_keys_are_kept_encrypted_and_a_retired_one_signs_no_more(admin: User) -> None:
    first = active_key()
    with connection.cursor() as cursor:
        cursor.execute("SELECT private_key FROM cases_signingkey")
        assert cursor.fetchone()[0].startswith("fernet:")
    second = rotate(Actor.of(admin))
    first = SigningKey.objects.get(pk=first.pk)
    assert (first.active, first.private_key, second.active) == (False, None, True)
    assert second.public_key != first.public_key and active_key().pk == second.pk


def test_a_long_timeline_of_odd_texts_verifies(admin: User, tmp_path: Path) -> None:
    actor = Actor.of(admin)
    incident = incidents.open_incident(actor, title="Odd")
    for text in ('"quotes"', "\\ back", "\u2028 line", "🐟", "é", "tab\tend", "a\nb", "\x7f", "0.10", "null"):
        incidents.comment(actor, incident.pk, text)
    incidents.update(actor, incident.pk, changes={"tags": ["ü", "b"], "summary": "x" * 4000})
    path = tmp_path / "x.zip"
    path.write_bytes(b"".join(archive.render(told(admin, incident))))
    assert verified(path, "--key", active_key().public_key)[0] == 0
