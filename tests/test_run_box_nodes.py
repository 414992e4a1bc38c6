"""Response runs in the box of runs on the page of an alert: nodes by their names, with how far they are."""

from __future__ import annotations

import pytest
from django.test import Client

from cases.models import Alert
from soar.accounts.models import Team
from tests.playbook_pages import blue_alert
from tests.response_tools import Range, action, condition, graph, make_due, publish, run_now, tiny
from tests.test_run_on_subject import box

__all__ = ["tiny"]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def alert(blue: Team) -> Alert:
    """On a host."""
    made = blue_alert(blue)
    Alert.objects.filter(pk=made.pk).update(hostname="LT-0042")
    made.refresh_from_db()
    return made


def test_nodes_have_their_names(tiny: Range, alert: Alert, as_analyst: Client) -> None:
    asks = condition(
        "c1", ("severity", "is", ["informational", "low", "medium", "high", "critical"]), name="Any at all"
    )
    acts = action("a1", "isolate_endpoint", "scan_endpoint", parent="c1", name="Off the network")
    none = action("a2", "terminate_container", parent="a1", name="Containers")
    run = run_now(publish(graph(asks, acts, none), name="Contain"), alert)
    make_due()
    text = box(as_analyst, alert.number)
    assert f"/runs/{run.pk}/" in text
    for words in (
        "Contain",
        "Rating",
        "Any at all",
        ">true<",
        "Off the network",
        "2 of 2 done",
        "Containers",
        "no action",
    ):
        assert words in text, words
    for raw in ("arrived", "{…}", ">a1<", ">rating<"):
        assert raw not in text, raw
