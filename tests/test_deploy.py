"""What runs in production: Django's own check, the units and the container, migrations that hold nobody up."""

from __future__ import annotations

import configparser
import importlib
import os
import pwd
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from django.apps import apps
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.operations.fields import AddField, AlterField
from django.db.migrations.operations.models import AddConstraint, AddIndex, CreateModel, RemoveIndex

from soar import __version__
from tests.test_docs import variables_read

ROOT = Path(__file__).parent.parent
ANALYZE = shutil.which("systemd-analyze")
UNITS = sorted((ROOT / "deploy/systemd").glob("*.service"))
CONTAINER = (ROOT / "deploy/Containerfile").read_text(encoding="utf-8")
COMPOSE = (ROOT / "deploy/compose.yaml").read_text(encoding="utf-8")
EXAMPLE = dict(
    line.split("=", 1)
    for line in (ROOT / "deploy/soar.env.example").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
)


def production(tmp_path: Path, **more: str) -> dict[str, str]:
    """The environment of the example, with its files made here."""
    contents = {
        "DATABASE_URL_FILE": os.environ["DATABASE_URL"],
        "SECRET_KEY_FILE": os.urandom(40).hex(),
        "SOAR_ENCRYPTION_KEYS_FILE": os.urandom(40).hex(),
    }
    given = {**EXAMPLE, "SOAR_DATA": str(tmp_path / "data"), "PATH": os.environ["PATH"]}
    for name, content in contents.items():
        (tmp_path / name).write_text(content + "\n", encoding="ascii")
        given[name] = str(tmp_path / name)
    return {**given, **more}


def checked(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, ROOT / "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_check_for_production_is_clean_with_the_example(tmp_path: Path) -> None:
    done = checked(production(tmp_path))
    assert done.returncode == 0, done.stderr


def test_the_check_finds_a_portal_without_encryption(tmp_path: Path) -> None:
    done = checked(production(tmp_path, SOAR_URL="http://soar.example.com", SOAR_HTTPS_REDIRECT="0"))
    assert done.returncode == 1
    assert "security.W012" in done.stderr  # SESSION_COOKIE_SECURE


def test_a_missing_secret_is_one_line(tmp_path: Path) -> None:
    done = checked(production(tmp_path, SECRET_KEY_FILE="/nowhere/key"))
    assert done.returncode
    assert "SECRET_KEY_FILE='/nowhere/key' cannot be read" in done.stderr


def test_a_wrong_address_of_the_database_is_not_repeated(tmp_path: Path) -> None:
    """It holds the password, and what is said at a start stands in the journal."""
    (tmp_path / "address").write_text("postgres:/soar:hidden-word@db/soar", encoding="ascii")
    done = checked({**production(tmp_path), "DATABASE_URL_FILE": str(tmp_path / "address")})
    assert done.returncode
    assert "DATABASE_URL is no address of a PostgreSQL database." in done.stderr
    assert "hidden-word" not in done.stderr + done.stdout


def test_hosts_that_would_each_make_a_key_of_their_own_are_found(tmp_path: Path) -> None:
    given = production(tmp_path)
    del given["SOAR_ENCRYPTION_KEYS_FILE"]
    done = checked(given)
    assert done.returncode == 1 and "soar.W001" in done.stderr


def test_a_web_before_its_static_files_ends_with_a_sentence(tmp_path: Path) -> None:
    """It would show errors for ever, also once they are there; the unit starts it again."""
    done = subprocess.run(
        [sys.executable, "-m", "soar.up.web"],
        env={**production(tmp_path), "PORT": "0"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1 and "manage.py prepare has to come first" in done.stderr
    assert unit(ROOT / "deploy/systemd/soar-web.service")["Restart"] == "always"


def test_the_example_names_variables_that_there_are() -> None:
    named = set(EXAMPLE) | set(re.findall(r"^    ((?:SOAR_|SECRET_|DATABASE_)[A-Z_]+):", COMPOSE, re.M))
    assert {name.removesuffix("_FILE") for name in named} <= variables_read()


def unit(path: Path, section: str = "Service") -> configparser.SectionProxy:
    read = configparser.ConfigParser(strict=False, interpolation=None)
    read.optionxform = str  # type: ignore[assignment,method-assign]
    read.read(path, encoding="utf-8")
    return read[section]


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_a_unit_is_confined_and_starts_something_of_ours(path: Path) -> None:
    service = unit(path)
    assert service["User"] == "soar"
    assert service["CapabilityBoundingSet"] == ""
    for name in ("NoNewPrivileges", "ProtectHome", "PrivateTmp", "PrivateDevices", "RestrictSUIDSGID"):
        assert service[name] == "yes", name
    assert service["ProtectSystem"] == "strict"
    assert EXAMPLE["SOAR_DATA"] == f"/var/lib/{service['StateDirectory']}"
    words = service["ExecStart"].removeprefix("/opt/soar/.venv/bin/python ").split()
    assert words in (
        ["-m", "soar.up.web"],
        *(["/opt/soar/manage.py", one] for one in ("prepare", "worker", "scheduler")),
    )


@pytest.mark.parametrize("path", [one for one in UNITS if one.stem != "soar-prepare"], ids=lambda path: path.stem)
def test_an_update_prepares_while_the_parts_run(path: Path) -> None:
    """systemd stops what requires a unit when that unit is restarted; and starts it no more once that has failed."""
    section = unit(path, "Unit")
    assert section["Wants"] == section["After"] == "soar-prepare.service"
    assert not {"Requires", "Requisite", "BindsTo", "PartOf"} & set(section)


def test_the_units_are_those_of_the_parts() -> None:
    assert [path.stem for path in UNITS] == ["soar-prepare", "soar-scheduler", "soar-web", "soar-worker"]


def test_commands_run_with_the_environment_of_the_units(tmp_path: Path) -> None:
    """deploy/soar-manage, with the folders of this test in the place of those of a host."""
    given = production(tmp_path)
    lines = [f"{name}={value}" for name, value in given.items() if name != "PATH"]
    (tmp_path / "soar.env").write_text("\n".join(["# a comment", *lines, ""]), encoding="utf-8")
    script = (ROOT / "deploy/soar-manage").read_text(encoding="utf-8")
    user = pwd.getpwuid(os.getuid()).pw_name
    for there, here in (
        ("/etc/soar/soar.env", str(tmp_path / "soar.env")),
        ("-u soar ", f"-u {user} "),
        ("/opt/soar/.venv/bin/python", sys.executable),
        ("/opt/soar/", f"{ROOT}/"),
    ):
        assert there in script
        script = script.replace(there, here)
    done = subprocess.run(
        ["sh", "-c", script, "soar-manage", "check", "--deploy", "--fail-level", "WARNING"],
        env={"PATH": os.environ["PATH"]},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


if ANALYZE:  # where systemd is installed: it need not run

    def test_systemd_finds_nothing_wrong_with_the_units(tmp_path: Path) -> None:
        (tmp_path / "soar.env").touch()
        for path in UNITS:
            text = path.read_text(encoding="utf-8").replace("/opt/soar/.venv/bin/python", sys.executable)
            text = text.replace("/etc/soar", str(tmp_path)).replace("/opt/soar", str(ROOT))
            (tmp_path / path.name).write_text(text, encoding="utf-8")
        done = subprocess.run(
            [str(ANALYZE), "verify", "--recursive-errors=no", "--man=no", *tmp_path.glob("*.service")],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")


def test_what_the_container_copies_is_there_and_nothing_of_the_code_is_left_out() -> None:
    copied = re.findall(r"^COPY (\S+) \S+$", CONTAINER, re.M)
    assert all((ROOT / name).exists() for name in copied)
    assert {"manage.py", "soar/", "cases/", "playbooks/", "static/", "templates/"} <= set(copied)
    assert re.search(r"^USER soar$", CONTAINER, re.M)


def test_the_version_is_told_in_one_way() -> None:
    assert tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"] == __version__


# --- migrations: the portal of before works on while they run (docs/operations.md)

# The last ones that were made before the rule; what follows keeps to it.
BEFORE_THE_RULE = {
    "soar": "0001_queue_and_heartbeat",
    "accounts": "0007_grant_job",
    "connectors": "0009_grants",
    "cases": "0034_alert_hour_upto",
    "playbooks": "0007_minutes_saved",
}
NOT_WHILE_IN_USE = ("RenameModel", "RenameField", "AlterModelTable", "DeleteModel", "RemoveField")


def held_up(operation: Operation, fresh: set[str]) -> str:
    """Why this operation stops a portal that is in use; "" where it does not. ``fresh``: models made just before."""
    kind = type(operation).__name__
    model = str(getattr(operation, "model_name", getattr(operation, "name", ""))).lower()
    if model in fresh:
        return ""
    if kind in NOT_WHILE_IN_USE:
        return f"{kind} {model}: the version that still runs uses it; let one version go by without it"
    if type(operation) in (AddIndex, RemoveIndex):
        return f"{kind} {model} locks the table: use {kind}Concurrently"
    if isinstance(operation, AddConstraint):
        return f"AddConstraint {model} reads the table under a lock: use AddConstraintNotValid and ValidateConstraint"
    if kind in ("AddField", "AlterField") and isinstance(operation, AddField | AlterField):
        field = operation.field
        if kind == "AlterField":
            return f"AlterField {model}.{operation.name} may write the table anew: add a field instead"
        if not field.null and not field.has_db_default() and not field.many_to_many:
            return (
                f"AddField {model}.{operation.name}: the version that still runs does not fill it; give it db_default"
            )
        if getattr(field, "db_index", False) or field.unique:
            return f"AddField {model}.{operation.name} makes an index under a lock"
    return ""


def later_migrations() -> list[str]:
    names = sorted(MigrationLoader(None).disk_migrations)
    ours = {
        config.label for config in apps.get_app_configs() if config.name.split(".")[0] in ("soar", "cases", "playbooks")
    }
    return [f"{app}.{name}" for app, name in names if app in ours and name > BEFORE_THE_RULE.get(app, "")]


def test_migrations_since_the_rule_hold_nobody_up() -> None:
    found = []
    for app, name in (one.split(".") for one in later_migrations()):
        module = importlib.import_module(f"{apps.get_app_config(app).name}.migrations.{name}")
        fresh: set[str] = set()
        for operation in module.Migration.operations:
            if isinstance(operation, CreateModel):
                fresh.add(operation.name_lower)
            if why := held_up(operation, fresh):
                found.append(f"{app}.{name}: {why}")
    assert not found, "\n".join(found)


def test_the_rule_finds_what_holds_up() -> None:
    from django.contrib.postgres.operations import AddIndexConcurrently
    from django.db import migrations, models

    index = models.Index(fields=["title"], name="x")
    assert held_up(migrations.AddIndex("alert", index), set())
    assert not held_up(AddIndexConcurrently("alert", index), set())
    assert not held_up(migrations.AddIndex("alert", index), {"alert"})
    assert held_up(migrations.RemoveField("alert", "title"), set())
    assert held_up(migrations.AddField("alert", "x", models.IntegerField(default=0)), set())
    assert not held_up(migrations.AddField("alert", "x", models.IntegerField(db_default=0)), set())
    assert not held_up(migrations.AddField("alert", "x", models.IntegerField(null=True)), set())
    assert held_up(migrations.AlterField("alert", "title", models.TextField()), set())
