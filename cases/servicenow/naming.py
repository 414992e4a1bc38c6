"""Names for groups and people of ServiceNow that have no counterpart here: a ticket tells their sys_id alone."""

from __future__ import annotations

import re

from django.db.models import F

from cases.models import MappingGap, ServiceNowInstance
from soar.connectors.errors import ConnectorError
from soar.connectors.servicenow.connector import ServiceNow

TABLES = {"group": "sys_user_group", "user": "sys_user"}
AT_ONCE = 50
SYS_ID = re.compile(r"[0-9a-f]{32}")


def name_gaps(row: ServiceNowInstance, connector: ServiceNow) -> None:
    """Look up what the gaps that were met since are called there. What is hidden keeps its sys_id and is not asked for
    again; what cannot be read just now is, at the next poll. Never raises what ServiceNow says."""
    rows = MappingGap.objects.filter(profile__instance=row, map__in=TABLES, label=F("value"))
    unnamed = [one for one in rows.order_by("-pk")[:AT_ONCE] if SYS_ID.fullmatch(one.value)]
    for name in TABLES:
        ids = {one.value for one in unnamed if one.map == name}
        if not ids:
            continue
        try:
            labels = _labels(name, ids, connector)
        except ConnectorError as error:
            if not error.permanent:
                return
            labels = {}
        for sys_id in ids:
            gaps = MappingGap.objects.filter(profile__instance=row, map=name, value=sys_id)
            gaps.update(label=labels.get(sys_id, "")[:200])


def _labels(name: str, ids: set[str], connector: ServiceNow) -> dict[str, str]:
    found = connector.records(TABLES[name], sorted(ids), ("name", "user_name") if name == "user" else ("name",))
    labels = {}
    for sys_id, record in found.items():
        shown, login = record.fields.get("name", ""), record.fields.get("user_name", "")
        labels[sys_id] = f"{shown} ({login})" if shown and login else shown or login
    return labels
