"""Holds the floors of docs/architecture.md: imports at the top of a module go down, never up and never in a circle."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("soar", "cases", "playbooks")

# From the ground up. The longest beginning of a module's name decides where it stands.
FLOORS: tuple[tuple[str, ...], ...] = (
    ("soar.lib", "soar.env", "soar.paths", "soar.keys", "soar.settings", "soar.models", "soar.embedded"),
    ("soar.accounts", "soar.connectors", "soar.errors", "soar.nav", "soar.problems", "soar.theme", "soar.templatetags"),
    ("cases", "cases.models", "cases.timeline", "cases.filters", "cases.ingest"),
    (
        "cases.actions",
        "cases.api.incident_representation",
        "cases.api.representation",
        "cases.reporting",
        "cases.purge",
        "cases.retention",
        "cases.permissions",
        "cases.forms",
        "cases.stats",
        "cases.dashboard",
        "cases.facets",
        "cases.hidden",
        "cases.searching",
    ),
    (
        "cases.views",
        "cases.ingest.pipeline",
        "cases.ingest.repeats",
        "cases.pulls",
        "cases.replaying",
        "cases.servicenow.agreeing",
        "cases.servicenow.considering",
        "cases.servicenow.creating",
        "cases.servicenow.holding",
        "cases.servicenow.incoming",
        "cases.servicenow.missing",
        "cases.servicenow.noting",
        "cases.servicenow.polling",
        "cases.servicenow.reconciling",
        "cases.servicenow.replacing",
        "cases.servicenow.sending",
        "cases.servicenow.taking",
        "cases.servicenow.telling",
        "cases.servicenow.trying",
    ),
    (
        "cases.api",
        "cases.urls",
        "cases.urls_alerts",
        "cases.urls_assets",
        "cases.urls_custom_fields",
        "cases.urls_evidence",
        "cases.urls_exports",
        "cases.urls_inbox",
        "cases.urls_operations",
        "cases.urls_incidents",
        "cases.urls_retention",
        "cases.urls_search",
        "cases.urls_servicenow",
        "cases.urls_sla",
        "cases.urls_signing",
        "cases.urls_sources",
        "cases.urls_suppression",
        "cases.urls_tasks",
        "cases.urls_webhooks",
        "cases.tasks",
        "cases.management",
        "cases.demo",
    ),
    ("playbooks", "playbooks.models", "playbooks.graph"),
    (
        "playbooks.engine",
        "playbooks.triggers",
        "playbooks.steps",
        "playbooks.response",
        "playbooks.rehearsal",
        "playbooks.backtest",
        "playbooks.schedules",
        "playbooks.sweeper",
    ),
    ("playbooks.actions", "playbooks.library"),
    (
        "playbooks.views",
        "playbooks.api",
        "playbooks.tasks",
        "playbooks.urls",
        "playbooks.urls_graphs",
        "playbooks.management",
        "playbooks.demo",
    ),
    ("soar.urls", "soar.up", "soar.backup", "soar.metrics", "soar.management", "soar.wsgi"),
)


@cache
def modules() -> dict[str, Path]:
    """Every module of ours by its dotted name; migrations are the database's story and left out."""
    found = {}
    for room in ROOMS:
        for path in (ROOT / room).rglob("*.py"):
            if "migrations" not in path.parts:
                name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
                found[name.removesuffix(".__init__")] = path
    return found


def floor(module: str) -> int | None:
    """The number of the module's floor; None for one that FLOORS leaves open."""
    parts = module.split(".")
    for length in range(len(parts), 0, -1):
        for number, names in enumerate(FLOORS):
            if ".".join(parts[:length]) in names:
                return number
    return None


def statements(body: list[ast.stmt]) -> Iterator[ast.Import | ast.ImportFrom]:
    """The imports that run when the module is loaded; not those in functions or for type checkers."""
    for node in body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif isinstance(node, ast.Try):
            yield from statements(node.body + node.orelse + node.finalbody)
        elif isinstance(node, ast.If) and "TYPE_CHECKING" not in ast.unparse(node.test):
            yield from statements(node.body + node.orelse)


def named(nodes: Iterator[ast.Import | ast.ImportFrom] | list[ast.Import | ast.ImportFrom]) -> set[str]:
    """Our modules that the imports name."""
    wanted = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            wanted |= {alias.name for alias in node.names}
        elif node.module:
            inside = {f"{node.module}.{alias.name}" for alias in node.names}
            wanted |= {name for name in inside if name in modules()} or {node.module}
    return {name for name in wanted if name in modules()}


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(modules()[module].read_text(encoding="utf-8"))


@cache
def imported(module: str) -> frozenset[str]:
    return frozenset(named(statements(tree(module).body)) - {module})


@pytest.mark.parametrize("module", sorted(modules()))
def test_imports_go_down(module: str) -> None:
    here = floor(module)
    above = {name for name in imported(module) if here is not None and (floor(name) or 0) > here}
    assert not above, f"{module} is on floor {here} and imports from above: {sorted(above)}"


def test_no_circle() -> None:
    done: set[str] = set()

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, " -> ".join((*path[path.index(module) :], module))
        if module not in done:
            for name in imported(module):
                visit(name, (*path, module))
            done.add(module)

    for module in modules():
        visit(module, ())


@pytest.mark.parametrize("room", ["cases", "soar.lib", "soar.accounts", "soar.connectors"])
def test_no_room_knows_of_the_rooms_above_not_even_late(room: str) -> None:
    """``cases`` never imports ``playbooks``, inside of a function either; the rooms of the ground know neither."""
    forbidden = ("playbooks",) if room == "cases" else ("playbooks", "cases")
    for module in modules():
        if module == room or module.startswith(room + "."):
            nodes = [n for n in ast.walk(tree(module)) if isinstance(n, ast.Import | ast.ImportFrom)]
            wrong = {name for name in named(nodes) if name.split(".")[0] in forbidden}
            assert not wrong, f"{module} imports {sorted(wrong)}"


def test_the_ground_imports_nothing_of_ours() -> None:
    for module in modules():
        if module.startswith("soar.lib"):
            others = {name for name in imported(module) if not name.startswith("soar.lib")}
            assert not others, f"{module} imports {sorted(others)}"
