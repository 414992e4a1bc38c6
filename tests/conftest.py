"""The ground for all tests: a database of their own, fixtures if there are any, and no test left out unseen."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Generator
from pathlib import Path

import django
import pluggy
import pytest

from tests.cluster import prepare_environment
from tests.restore import restore_after_transactions

prepare_environment()  # before anything reads the settings
django.setup()  # before fixtures and tests import models

pytest_plugins = ["tests.fixtures"] if importlib.util.find_spec("tests.fixtures") else []
restore_after_transactions()
CHAOS = Path(__file__).parent / "chaos"


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Kill tests are run by name (`make chaos`), never with the others."""
    asked = any(Path(argument.split("::")[0]).resolve().is_relative_to(CHAOS) for argument in config.args)
    return True if collection_path == CHAOS and not asked else None


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pluggy.Result[pytest.TestReport], None]:
    """With CI=true a skipped test is a failed one: what was not run was not shown to work."""
    outcome = yield
    report = outcome.get_result()
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("CI", "").lower() in ("1", "true"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped: {report.longrepr}"
