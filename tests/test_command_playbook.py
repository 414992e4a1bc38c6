"""``manage.py playbook list | check | run``: JSON alone on standard output (rulings 26)."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from cases.choices import Severity
from cases.models import Alert
from tests.factories import make_alert
from tests.playbook_files import Folder, folder

__all__ = ["folder"]
pytestmark = pytest.mark.django_db(transaction=True)
SOURCE = """
@action
async def look(host):
    return {"seen": host}

@playbook(conditions={"title": "never"})
async def it(alert):
    await update_current_alert(severity="high")
    return await look(alert["hostname"])
"""


def command(*args: str) -> str:
    out = io.StringIO()
    call_command("playbook", *args, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def test_list(folder: Folder) -> None:
    folder.load(SOURCE)
    (row,) = json.loads(command("list"))
    assert (row["name"], row["enabled"], row["trigger"], row["state"]) == ("it", True, "webhook", "")


def test_check_names_what_loads_and_fails_for_what_does_not(folder: Folder) -> None:
    folder.write(SOURCE)
    assert "it  webhook  one.py" in command("check")
    folder.write("import nothing_of_this_name\n", "bad.py")
    with pytest.raises(CommandError, match="1 cannot be loaded"):
        command("check")


def test_run_executes_here_and_prints_the_run(folder: Folder) -> None:
    folder.load(SOURCE)
    alert = make_alert(hostname="h1")
    run = json.loads(command("run", "it", "--alert", alert.number))
    assert (run["status"], run["result"], run["alert"]) == ("successful", {"seen": "h1"}, alert.number)
    assert [step["name"] for step in run["steps"]] == ["update_current_alert", "look"]
    assert Alert.objects.get(pk=alert.pk).severity == Severity.HIGH


def test_a_dry_run_changes_nothing(folder: Folder) -> None:
    folder.load(SOURCE)
    alert = make_alert()
    run = json.loads(command("run", "it", "--alert", str(alert.pk), "--dry-run"))
    assert (run["dry_run"], run["status"]) == (True, "successful")
    assert Alert.objects.get(pk=alert.pk).severity == Severity.MEDIUM


@pytest.mark.parametrize("args", [("run", "nothing"), ("run", "it"), ("run", "it", "--alert", "ALR-999999")])
def test_what_cannot_be_run_is_said(folder: Folder, args: Any) -> None:
    folder.load(SOURCE)
    with pytest.raises(CommandError):
        command(*args)


def test_a_run_that_fails_prints_itself_and_fails(folder: Folder, capsys: Any) -> None:
    folder.load(SOURCE.replace("return {", "raise ValueError('no') or {"))
    with pytest.raises(CommandError, match="unsuccessful"):
        call_command("playbook", "run", "it", alert=str(make_alert().pk))
    assert json.loads(capsys.readouterr().out)["status"] == "unsuccessful"
