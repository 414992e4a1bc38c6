"""What an administrator of ServiceNow needs for the webhook: its address and a business rule that calls it (5)."""

from __future__ import annotations

import json

from django.conf import settings

from cases.models import ServiceNowInstance

PLACEHOLDER = "SECRET"  # stands where the secret was, once it is not shown any more

SCRIPT = """(function executeRule(current, previous) {
    var request = new sn_ws.RESTMessageV2();
    request.setEndpoint(%(address)s);
    request.setHttpMethod("POST");
    request.setRequestHeader("Authorization", %(bearer)s);
    request.setRequestHeader("Content-Type", "application/json");
    request.setRequestBody(JSON.stringify({
        table: current.getTableName(),
        sys_id: current.getUniqueValue()
    }));
    request.executeAsync();
})(current, previous);"""


def address_of(instance: ServiceNowInstance) -> str:
    """Where ServiceNow posts to."""
    return f"{settings.SOAR_URL}/api/v1/servicenow/{instance.slug}/events/"


def script_of(instance: ServiceNowInstance, secret: str = "") -> str:
    """The script of the business rule; the secret stands in it only while it is shown."""
    bearer = f"Bearer {secret or PLACEHOLDER}"
    return SCRIPT % {"address": json.dumps(address_of(instance)), "bearer": json.dumps(bearer)}
