"""Playbook folders: loaded, broken, doubled, reloaded, gone (python-playbooks.md 2)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from cases.actors import Actor
from cases.errors import Conflict, Forbidden, Missing
from playbooks import catalog
from playbooks.actions import disable, enable, reload, run_by_hand
from playbooks.models import LoadError, Playbook, PlaybookVersion, Run
from playbooks.sweeper import sweep
from soar.accounts.models import AuditEntry, User
from tests.factories import make_alert
from tests.playbook_files import Folder, folder, named, work

__all__ = ["folder"]
pytestmark = pytest.mark.django_db(transaction=True)
SYSTEM = Actor.system()
ONE = "@playbook(order=7, conditions={'tags': ['x']})\nasync def one(alert):\n    'What it does.'\n    return 1\n"


def test_what_the_decorator_says_is_in_the_row(folder: Folder) -> None:
    folder.load(ONE, "deep/er/one.py")
    row = named("one")
    assert (row.order, row.conditions, row.description, row.trigger) == (7, {"tags": ["x"]}, "What it does.", "webhook")
    assert (row.module, row.enabled, row.hindrance) == ("deep/er/one.py", True, "")
    assert "async def one" in row.versions.get().source


def test_files_with_an_underscore_are_neighbours_and_no_playbooks(folder: Folder) -> None:
    folder.write("@playbook()\nasync def hidden(alert):\n    pass\nWORD = 'first'\n", "_shared.py")
    folder.load("from _shared import WORD, hidden\n" + ONE.replace("return 1", "return WORD"))
    assert [row.name for row in Playbook.objects.all()] == ["one"]
    run = run_by_hand(SYSTEM, "one", alert=make_alert())
    work()
    assert Run.objects.get(pk=run.pk).result == "first"
    folder.write("@playbook()\nasync def hidden(alert):\n    pass\nWORD = 'second'\n", "_shared.py")
    reload(SYSTEM)
    again = run_by_hand(SYSTEM, "one", alert=make_alert())
    work()
    assert Run.objects.get(pk=again.pk).result == "second"


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("def broken(:\n", "SyntaxError"),
        ("import there_is_no_such_module\n", "ModuleNotFoundError"),
        ("raise SystemExit('bye')\n", "SystemExit"),
        ("@playbook(trigger='banana')\nasync def x(alert):\n    pass\n", "banana"),
        ("@playbook(conditions=['x'])\nasync def x(alert):\n    pass\n", "must be a dict"),
        ("@playbook(order='first')\nasync def x(alert):\n    pass\n", "whole number"),
        ("@playbook(on_failure='explode')\nasync def x(alert):\n    pass\n", "continue, stop"),
        ("@playbook(trigger='schedule')\nasync def x(alert):\n    pass\n", "go together"),
        ("@playbook(trigger='schedule', cron='every day')\nasync def x(alert):\n    pass\n", "cron text"),
        ("@playbook()\nasync def x():\n    pass\n", "one argument"),
        ("@action(timeout=0)\nasync def x():\n    pass\n", "number of seconds"),
        ("@action(retries=-1)\nasync def x():\n    pass\n", "at least 0"),
    ],
)
def test_a_file_that_fails_is_shown_and_breaks_nothing_else(folder: Folder, source: Any, told: Any) -> None:
    folder.write(source, "bad.py")
    folder.load(ONE)
    error = LoadError.objects.get()
    assert told in error.message + error.traceback
    assert error.path.endswith("bad.py")
    run = run_by_hand(SYSTEM, "one", alert=make_alert())
    work()
    assert Run.objects.get(pk=run.pk).status == "successful"


def test_a_file_that_is_no_text_is_shown(folder: Folder) -> None:
    (folder.path / "bad.py").write_bytes(b"\xff\xfe\x00x")
    folder.load(ONE)
    assert "UnicodeDecodeError" in LoadError.objects.get().message


def test_a_folder_that_is_not_there_is_shown(folder: Folder, settings: Any, tmp_path: Path) -> None:
    settings.PLAYBOOK_DIRS = [folder.path, tmp_path / "nowhere"]
    folder.load(ONE)
    assert "does not exist" in LoadError.objects.get().message


def test_two_of_one_name_are_both_refused(folder: Folder) -> None:
    folder.load(ONE)
    folder.write(ONE.replace("async def one", "async def ONE"), "two.py")
    folder.load("@playbook()\nasync def good(alert):\n    pass\n", "good.py")
    messages = [error.message for error in LoadError.objects.all()]
    assert len(messages) == 2
    assert all("2 playbooks are called" in message and "None of them is used" in message for message in messages)
    assert named("one").load_error
    assert [entry.row.name for entry in catalog.current().entries.values()] == ["good"]


def test_two_of_one_name_in_one_file_are_refused(folder: Folder) -> None:
    folder.load(ONE + "\n" + ONE)
    assert LoadError.objects.count() == 2
    assert not Playbook.objects.exists()


def test_what_a_playbook_that_no_longer_loads_would_run_waits_until_it_is_mended(folder: Folder) -> None:
    folder.load(ONE)
    folder.load(ONE + "\nraise ValueError('half written')\n")
    assert "half written" in named("one").load_error
    make_alert(tags=["x"])
    work()
    assert Run.objects.get().status == "queued"
    with pytest.raises(Conflict, match="cannot be loaded"):
        run_by_hand(SYSTEM, "one", alert=make_alert())
    folder.load(ONE)
    assert named("one").hindrance == ""
    Run.objects.update(rung_at="2000-01-01T00:00Z")
    sweep()
    work()
    assert Run.objects.get().status == "successful"


def test_a_file_that_is_gone_is_said_to_be_gone(folder: Folder) -> None:
    folder.load(ONE)
    (folder.path / "one.py").unlink()
    reload(SYSTEM)
    assert named("one").hindrance == "It is no longer in the files."
    make_alert(tags=["x"])
    work()
    assert not Run.objects.exists()


def test_every_text_is_a_version_and_runs_say_which(folder: Folder) -> None:
    folder.load(ONE)
    first = run_by_hand(SYSTEM, "one", alert=make_alert())
    work()
    folder.load(ONE.replace("return 1", "return 2"))
    second = run_by_hand(SYSTEM, "one", alert=make_alert())
    work()
    folder.load(ONE)
    runs = Run.objects.order_by("pk").select_related("version")
    assert [(run.version and run.version.number, run.result) for run in runs] == [(1, 1), (2, 2)]
    assert [run.pk for run in runs] == [first.pk, second.pk]
    assert PlaybookVersion.objects.count() == 2


def test_a_reload_reaches_a_worker_in_another_process_without_a_restart(folder: Folder) -> None:
    """The worker has loaded the first text, waits, and must run the second."""
    folder.load(ONE.replace("return 1", "return 'old'"))
    flag = folder.path.parent / "flag"
    ready = folder.path.parent / "ready"
    runs = [run_by_hand(SYSTEM, "one", alert=make_alert(), ring=False) for _ in range(2)]
    code = (
        "import django; django.setup()\nfrom pathlib import Path\nimport time\n"
        "from django.conf import settings\n"
        f"settings.PLAYBOOK_DIRS = [Path({str(folder.path)!r})]\n"
        "from playbooks import engine\n"
        f"engine.execute({runs[0].pk}); Path({str(ready)!r}).touch()\n"
        f"while not Path({str(flag)!r}).exists(): time.sleep(0.02)\n"
        f"engine.execute({runs[1].pk})\n"
    )
    from tests.playbook_files import _environment, until

    worker = subprocess.Popen([sys.executable, "-c", code], env=_environment(), cwd=Path(__file__).parents[1])
    until(ready.exists)
    folder.load(ONE.replace("return 1", "return 'new'"))
    flag.touch()
    assert worker.wait(60) == 0
    assert list(Run.objects.order_by("pk").values_list("result", flat=True)) == ["old", "new"]


def test_a_new_process_brings_the_rows_in_line_with_the_files(folder: Folder) -> None:
    folder.write(ONE)
    assert not Playbook.objects.exists()
    catalog.current()
    assert named("one").order == 7


def test_who_may_reload_enable_and_disable(
    folder: Folder, analyst: User, author: User, stranger: User, viewer: User, nobody: User
) -> None:
    folder.load(ONE)
    for user in (analyst, stranger, viewer):
        with pytest.raises(Forbidden, match="permission"):
            reload(Actor.of(user))
        with pytest.raises(Forbidden, match="permission"):
            disable(Actor.of(user), "one")
        with pytest.raises(Forbidden, match="permission"):
            enable(Actor.of(user), "one")
    with pytest.raises(Missing):
        disable(Actor.of(nobody), "one")
    assert named("one").enabled
    disable(Actor.of(author), "one")
    assert (named("one").enabled, named("one").modified_by) == (False, author)
    disable(Actor.of(author), "one")
    enable(Actor.of(author), "one")
    assert reload(Actor.of(author))["playbooks"] == ["one"]
    verbs = list(AuditEntry.objects.filter(actor_id=author.pk).order_by("id").values_list("verb", flat=True))
    assert verbs == ["playbook.disabled", "playbook.enabled", "playbook.reloaded"]
    with pytest.raises(Missing):
        enable(Actor.of(author), "no such")


def test_loading_leaves_nothing_beside_the_files(folder: Folder) -> None:
    folder.write("WORD = 1\n", "_shared.py")
    folder.load("from _shared import WORD\n" + ONE)
    assert sorted(path.name for path in folder.path.rglob("*")) == ["_shared.py", "one.py"]


def test_the_public_names_need_no_django() -> None:
    code = "import playbooks, sys; from playbooks.testing import run; assert 'django' not in sys.modules, 'django'"
    environment = {key: value for key, value in os.environ.items() if not key.startswith("DJANGO")}
    done = subprocess.run([sys.executable, "-c", code], env=environment, cwd=Path(__file__).parents[1], check=False)
    assert done.returncode == 0
    assert connection.vendor == "postgresql"
