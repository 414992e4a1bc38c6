"""What the practice range's Vision One has in stock works from end to end: alerts are read, messages found."""

from __future__ import annotations

import json

import pytest

from cases.actions import pulls
from cases.actors import Actor
from cases.models import Alert
from cases.pulls import reading
from soar.connectors.capabilities import Target
from soar.standins.registry import STANDINS
from soar.standins.visionone import VisionOne
from soar.standins.visionone_stock import StockedVisionOne
from tests.acting import practice
from tests.factories import make_source

pytestmark = pytest.mark.django_db


def test_the_range_has_both_products() -> None:
    assert {"visionone", "aws"} <= {one.kind for one in STANDINS}


def test_its_alerts_are_read_with_what_can_be_acted_on() -> None:
    with practice(StockedVisionOne(), {"token": "practice"}) as here:
        source = make_source("Vision One", kind="visionone")
        reading.pull(pulls.set_pull(Actor.system(), source.slug, account=here.account.name).pk)
    assert Alert.objects.count() == 3
    mail = Alert.objects.get(title="Phishing Message Opened")
    (message,) = [one for one in mail.entities if one["type"] == "message"]
    assert message["mailbox"] == "ana.lund@corp.example.com"


def test_messages_are_found_whoever_sent_them() -> None:
    with practice(StockedVisionOne(), {"token": "practice"}) as here:
        found = here.connector().perform("find_messages", Target("sender", "anybody@example.net"), {}, key="k")
    assert [one["facts"]["sender"] for one in found.data["objects"]] == ["anybody@example.net"] * 3


def test_its_state_goes_on_over_a_restart() -> None:
    with practice(VisionOne(), {"token": "practice"}) as here:
        first = here.connector().perform("isolate_endpoint", Target("endpoint", "a"), {}, key="k-1")
        kept = json.loads(json.dumps(here.state))
    again = VisionOne()
    again.state = kept
    with practice(again, {"token": "practice"}, name="again") as here:
        assert here.connector().recall("isolate_endpoint", Target("endpoint", "a"), key="k-1") is not None
        second = here.connector().perform("isolate_endpoint", Target("endpoint", "b"), {}, key="k-2")
    assert first.reference != second.reference
