"""The documentation is true: what it shows runs, links lead somewhere, tables name all that there is and no more."""

from __future__ import annotations

import ast
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command, get_commands
from django.db import connection
from pytest_django.live_server_helper import LiveServer

from cases import tasks
from cases.ingest.registry import KINDS
from cases.models import Alert, AlertSource, Evidence, Incident
from cases.models.job import BulkBatch, BulkJob
from playbooks.loader import load
from soar.accounts.models import AuditEntry, User
from soar.accounts.roles import BUILTIN
from soar.connectors.models import ConnectorAccount
from tests.factories import make_alert, make_incident, make_source, make_user

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("**/*.md"))]
BLOCK = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.M | re.S)
LINK = re.compile(r"\]\(([^)\s]+)\)")
WRITTEN_FOR = "http://127.0.0.1:8000"
IMAGE_AT_MOST = 300_000
HERE = Path(sys.executable).parent  # the quickest python3


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(name: str, language: str, *, tried: bool = True) -> list[str]:
    """The fenced blocks of a page in a language, those marked as tried or all."""
    found = BLOCK.findall(page(name))
    return [body for kind, mark, body in found if kind == language and (mark.strip() == "tried" or not tried)]


def names(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in paths]


# --- what is shown runs


def run_shell(name: str, server: LiveServer) -> str:
    """Run the tried shell blocks of a page as one session against the live server. Returns what they printed."""
    given = connection.get_connection_params()
    address = " ".join(
        f"{key}='{given[key]}'" for key in ("host", "port", "user", "password", "dbname") if given.get(key)
    )
    script = "\n".join(blocks(name, "sh")).replace(WRITTEN_FOR, server.url)
    assert script, f"{name} has nothing to try"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": address, "SOAR_URL": server.url, "PATH": f"{HERE}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{name}:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


@pytest.mark.django_db(transaction=True)
def test_the_commands_of_the_readme(live_server: LiveServer) -> None:
    printed = run_shell("README.md", live_server)
    alert = Alert.objects.get()
    assert f'"number":"{alert.number}"' in printed
    assert (alert.title, alert.hostname, alert.username) == ("Word started PowerShell", "ws-042", "j.doe")
    observables = set(alert.observable_links.values_list("observable__type", "observable__value"))
    assert {("ip", "203.0.113.7"), ("url", "http://update.example.net/a.bin"), ("domain", "update.example.net")} <= (
        observables
    )
    assert ConnectorAccount.objects.get().name == "EDR"


@pytest.mark.django_db(transaction=True)
def test_the_commands_of_the_first_hour(live_server: LiveServer) -> None:
    run_shell("docs/first-hour.md", live_server)
    alert = Alert.objects.get()
    assert (alert.title, alert.username, alert.hostname) == ("Sign-in from two countries", "j.doe", "ws-042")
    assert User.objects.get(username="first-analyst").groups.filter(name="team:SOC").exists()


@pytest.mark.django_db(transaction=True)
def test_the_commands_of_the_page_on_the_demo(live_server: LiveServer) -> None:
    run_shell("docs/demo.md", live_server)
    first, second = Alert.objects.order_by("pk")
    assert (first.detection_model, first.hostname) == ("Command and Control Call-outs", "SAL-LT-0090")
    assert (first.source_ref, second.source_ref) == ("WB-PRACTICE-1", "WB-PRACTICE-2")
    highlighted = first.observable_links.filter(highlighted=True)
    assert [link.observable.value for link in highlighted] == ["cdn-sync.example.net"]


@pytest.mark.django_db(transaction=True)
def test_the_commands_of_the_page_on_ingest(live_server: LiveServer) -> None:
    run_shell("docs/ingest.md", live_server)
    assert Alert.objects.count() == 7
    assert AlertSource.objects.get(slug="mail-gateway").team.name == "SOC"  # type: ignore[union-attr]


def run_commands(name: str, server: LiveServer) -> None:
    """Run the tried shell blocks of a page that holds nothing but commands of ours and curl, which is quicker."""
    for line in "".join(blocks(name, "sh")).splitlines():
        words = shlex.split(line.replace(WRITTEN_FOR, server.url))
        if words[:2] == ["python3", "manage.py"]:
            call_command(*words[2:])
        else:
            assert words[0] == "curl", line
            subprocess.run(words, check=True, capture_output=True)


@pytest.mark.django_db(transaction=True)
def test_the_commands_of_the_pages_for_admins(live_server: LiveServer, capsys: pytest.CaptureFixture[str]) -> None:
    run_commands("docs/admins.md", live_server)
    assert User.objects.get(username="mara").groups.filter(name="Analyst").exists()
    assert User.objects.get(username="tomas").groups.filter(team__name="Platform").exists()
    assert AuditEntry.objects.filter(verb="user.created", target="mara").exists()
    assert AuditEntry.objects.filter(verb="token.created").count() == 1
    run_commands("docs/operations.md", live_server)
    assert "every chain is whole" in capsys.readouterr().out


@pytest.mark.django_db(transaction=True)
def test_the_calls_of_the_page_on_the_api(live_server: LiveServer) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT setval('cases_alert_id_seq', 1041), setval('cases_incident_id_seq', 6)")
    mara = make_user("mara", "Analyst", teams=("Blue",))
    make_user("priya", "Analyst", teams=("Blue",))
    source = make_source("EDR", team=mara.groups.get(name="team:Blue").team)
    alert = make_alert("Beacon", source=source)
    other = make_alert("Beacon again", source=source)
    noise = make_alert("Found by our scanner", source=source)
    incident = make_incident("Beacons")
    assert (alert.number, other.number, incident.number) == ("ALR-1042", "ALR-1043", "INC-7")
    run_shell("docs/api.md", live_server)
    alert.refresh_from_db()
    assert alert.owner is not None
    assert (alert.owner.username, alert.resolve_reason) == ("priya", "Our scanner")
    assert Incident.objects.get(pk=7).tags == ["apt"]
    assert list(Evidence.objects.values_list("name", "size")) == [("notes.txt", 25)]
    tasks.work_off(BulkJob.objects.get().pk)
    assert list(BulkBatch.objects.values_list("alerts", flat=True)) == [[noise.pk]]


def python(name: str, sign: str) -> dict[str, Any]:
    """What the tried Python block that contains ``sign`` defines."""
    (code,) = [block for block in blocks(name, "python") if sign in block]
    defined: dict[str, Any] = {"__name__": "shown"}
    exec(compile(code, name, "exec"), defined)
    return defined


def test_the_kind_of_source_in_the_readme() -> None:
    alert = python("README.md", "NormalAlert")["normalise"]({"what": "Odd login", "box": "ws-7", "id": "a1"})
    assert (alert.title, alert.hostname, alert.dedup_key) == ("Odd login", "ws-7", "a1")


@pytest.mark.django_db
def test_the_connector_in_the_readme() -> None:
    kind = python("README.md", "AcmeConnector")["KIND"]
    account = ConnectorAccount(kind="acme", name="Acme", settings={"url": "https://edr.example.com/api"})
    planned = kind.connector(account, dry_run=True).isolate("ws-7")
    assert planned["dry_run"] is True
    assert "hosts/ws-7/isolate" in str(planned["request"])


@pytest.mark.parametrize("name", names(PAGES))
def test_playbooks_load_and_python_compiles(name: str, tmp_path: Path) -> None:
    code = blocks(name, "python", tried=False)
    for number, block in enumerate(code):
        compile(block, f"{name} block {number}", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        if "\n@playbook(" in block:
            (tmp_path / f"block{number}.py").write_text(block, encoding="utf-8")
    loaded = load([tmp_path])
    assert loaded.problems == []
    assert len(loaded.found) == sum(block.count("\n@playbook(") for block in code)


@pytest.mark.parametrize("name", names(PAGES))
def test_commands_that_are_named_exist(name: str) -> None:
    named = set(re.findall(r"manage\.py\s+([a-z_]+)", page(name)))
    assert named <= set(get_commands())
    targets = set(re.findall(r"^([a-z-]+):", page("Makefile"), re.M))
    assert set(re.findall(r"`make ([a-z]+)", page(name))) <= targets


# --- links and pictures


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings, as they are made where the repository is read."""
    heads = re.findall(r"^#+ (.+)$", BLOCK.sub("", path.read_text(encoding="utf-8")), re.M)
    return {re.sub(r"[^\w\- ]", "", head.lower()).strip().replace(" ", "-") for head in heads}


@pytest.mark.parametrize("name", names(PAGES))
def test_links_lead_somewhere(name: str) -> None:
    for link in LINK.findall(page(name)):
        target, _, anchor = link.partition("#")
        if target.startswith(("http://", "https://")):
            continue
        path = (ROOT / name).parent / target if target else ROOT / name
        assert path.exists(), f"{name}: {link}"
        assert not anchor or anchor in anchors(path), f"{name}: {link}"


def test_every_page_is_in_the_index() -> None:
    index = {(ROOT / "docs" / link.partition("#")[0]).resolve() for link in LINK.findall(page("docs/README.md"))}
    assert {path.resolve() for path in (ROOT / "docs").glob("**/*.md")} - {ROOT / "docs/README.md"} <= index


def test_pictures_are_small_and_shown() -> None:
    shown = "".join(path.read_text(encoding="utf-8") for path in PAGES)
    for picture in (ROOT / "docs/images").iterdir():
        assert picture.stat().st_size < IMAGE_AT_MOST, picture.name
        assert picture.name in shown


# --- tables


def code_files() -> Iterator[Path]:
    for room in ("soar", "cases", "playbooks", "benchmarks"):
        yield from sorted((ROOT / room).rglob("*.py"))
    yield ROOT / "manage.py"


def is_environ(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "environ"


def read_in(tree: ast.Module) -> Iterator[ast.expr]:
    """What names the variable, wherever the environment is read."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
            of = node.func.value
            if (isinstance(of, ast.Name) and of.id == "env") or (is_environ(of) and node.func.attr == "get"):
                yield node.args[0]
        elif isinstance(node, ast.Subscript) and is_environ(node.value) and isinstance(node.ctx, ast.Load):
            yield node.slice
        elif isinstance(node, ast.Compare) and is_environ(node.comparators[0]):
            yield node.left


def variables_read() -> set[str]:
    """Names of the environment variables that the code reads; ``NAME_FILE`` goes with ``NAME``."""
    found = set()
    for path in code_files():
        code = path.read_text(encoding="utf-8")
        if "environ" not in code and "env." not in code:
            continue
        tree = ast.parse(code)
        constants = {
            target.id: node.value.value
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for name in read_in(tree):
            value = name.value if isinstance(name, ast.Constant) else constants.get(getattr(name, "id", ""))
            if isinstance(value, str) and value.isupper():
                found.add(value if value == "SOAR_AUDIT_FILE" else value.removesuffix("_FILE"))
    return found | set(re.findall(r"\$\{([A-Z_]+)[:}-]", page("scripts/bootstrap")))


def rows_of(name: str) -> set[str]:
    """What stands as code in the first cell of the rows of a page's tables."""
    return {
        found for cell in re.findall(r"^\| (`[^|]+) \|", page(name), re.M) for found in re.findall(r"`([^`]+)`", cell)
    }


def test_every_environment_variable_is_described_and_no_other() -> None:
    assert "DATABASE_URL" in variables_read()
    described = {row for row in rows_of("docs/operations.md") if re.fullmatch(r"[A-Z_]{4,}", row)}
    assert described == variables_read()


def test_the_numbers_of_the_variables_are_those_of_the_settings() -> None:
    """What the table says a number is where nobody gives one is what the settings read."""
    settings = page("soar/settings.py") + page("soar/settings_accounts.py")
    wanted = {name: int(number) for name, number in re.findall(r'env\.number\("([A-Z_]+)", ([0-9_]+)', settings)}
    told = dict(re.findall(r"^\| `([A-Z_]+)` \| `([0-9]+)` \|", page("docs/operations.md"), re.M))
    assert wanted
    assert {name: int(told[name]) for name in wanted} == wanted


def test_every_dependency_has_its_reason_and_no_other() -> None:
    project = tomllib.loads(page("pyproject.toml"))
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    assert rows_of("docs/dependencies.md") == {re.split(r"[\[><=~ ]", line)[0] for line in wanted}


def test_every_kind_of_source_is_described_and_no_other() -> None:
    part = page("docs/ingest.md").partition("## Kinds")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `([a-z]+)` \|", part, re.M)) == set(KINDS)


def test_the_table_of_roles_is_that_of_the_product() -> None:
    lines = [line.strip("|").split("|") for line in page("docs/admins.md").splitlines() if line.startswith("|")]
    (head,) = [line for line in lines if line[0].strip() == "permission"]
    rows = [line for line in lines if re.match(r" `\w+`", line[0]) and len(line) == len(head)]
    shown = {
        role.strip(): {re.findall(r"`(\w+)`", row[0])[0] for row in rows if row[column].strip() == "x"}
        for column, role in enumerate(head)
        if column
    }
    assert shown == {role: set(permissions) for role, (_text, permissions) in BUILTIN.items()}


def test_the_pages_name_no_machine() -> None:
    for path in PAGES:
        assert not re.search(r"/(?:root|home|work|tmp)/", path.read_text(encoding="utf-8")), path.name
    assert sys.version_info >= (3, 11)
