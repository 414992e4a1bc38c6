"""What Python playbooks and their conditions know of an alert's assets."""

from __future__ import annotations

import pytest

from cases.choices import Criticality
from cases.models import Alert, AlertAsset, Asset
from playbooks.models import Run
from tests.factories import make_alert, make_asset
from tests.playbook_files import Folder, folder, work

__all__ = ["folder"]
pytestmark = pytest.mark.django_db(transaction=True)

GUARDED = """
@playbook(conditions={"assets.criticality": ["high", "critical"], "assets.groups": "finance laptops"})
async def guarded(alert):
    one = alert["assets"][0]
    return {"name": one["name"], "criticality": one["criticality"], "groups": one["groups"], "tags": one["tags"]}
"""


def alert_on(asset: Asset) -> Alert:
    """An alert that names the asset, not opened yet for playbooks to see before the link is there."""
    alert = make_alert(hostname=asset.name, entities=[{"name": asset.name, "type": "", "system": "", "addresses": []}])
    AlertAsset.objects.create(alert=alert, asset=asset)
    return alert


def test_conditions_and_code_read_criticality_groups_and_tags(folder: Folder) -> None:
    folder.load(GUARDED)
    plain = alert_on(make_asset("ws-1", criticality=Criticality.LOW, groups=["Finance laptops"]))
    alert = alert_on(make_asset("ws-2", criticality=Criticality.HIGH, groups=["Finance laptops"], tags=["vip"]))
    make_alert("Without any")
    work()
    run = Run.objects.get()
    assert run.alert == alert != plain
    assert run.result == {"name": "ws-2", "criticality": "high", "groups": ["Finance laptops"], "tags": ["vip"]}
