"""Where the address and the token go in each product: a few steps for the page of a source."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.ingest.registry import kind_of
from cases.models import AlertSource

ADDRESS, BASE = "{address}", "{base}"
BEARER = "Authorization: Bearer {token}"


class Field(NamedTuple):
    """A place in a product's settings and what is written into it."""

    place: Any
    value: str


class HowTo(NamedTuple):
    """Where in the product, what goes into which field, and what to know besides."""

    where: Any
    fields: tuple[Field, ...]
    note: Any = ""


_URL, _TOKEN, _HEADER = Field("URL", ADDRESS), Field("API key", "{token}"), Field("Header", BEARER)
_BASE = Field(gettext_lazy("Base URL"), BASE)
_PATHLESS = gettext_lazy("Its address here is found by the token, so no path has to be changed.")
HOW: dict[str, HowTo] = {
    "generic": HowTo(gettext_lazy("Anything that can post JSON"), (_URL, _HEADER)),
    "thehive": HowTo(
        gettext_lazy("Whatever sends to TheHive: thehive4py, ElastAlert2 (hive_connection), a script"),
        (_BASE, _TOKEN, Field(gettext_lazy("Addresses"), "/api/v1/alert, /api/alert")),
        _PATHLESS,
    ),
    "iris": HowTo(
        gettext_lazy("ElastAlert2 (iris_host, iris_api_token), Wazuh's integration, an IRIS client"),
        (_BASE, _TOKEN, Field(gettext_lazy("Addresses"), "/alerts/add, /api/v2/alerts")),
        gettext_lazy("Severities are read as a fresh IRIS numbers them: 2 informational to 6 critical."),
    ),
    "opensoar": HowTo(
        gettext_lazy("Whatever posts to OpenSOAR's webhook"),
        (_BASE, Field("X-API-Key", "{token}"), Field(gettext_lazy("Address"), "/api/v1/webhooks/alerts")),
        _PATHLESS,
    ),
    "keep": HowTo(
        gettext_lazy("Whatever posts to Keep's event API"),
        (_BASE, Field("X-API-KEY", "{token}"), Field(gettext_lazy("Address"), "/alerts/event")),
        _PATHLESS,
    ),
    "elastic": HowTo(
        gettext_lazy("Kibana: Stack Management, Connectors, Webhook; then an action of the rule"),
        (_URL, _HEADER, Field(gettext_lazy("Body"), "{{{{context.alerts}}}}")),
        gettext_lazy("Let the action run for each alert, or send the list of them."),
    ),
    "splunk": HowTo(
        gettext_lazy("Splunk: the alert's trigger actions, Webhook"),
        (Field("URL", "{address}{token}/"),),
        gettext_lazy("Splunk's webhook can set no header, so the token ends the address. Keep the address secret."),
    ),
    "sentinel": HowTo(
        gettext_lazy("Azure: a Logic App with the trigger Microsoft Sentinel incident, then the action HTTP"),
        (Field("URI", ADDRESS), _HEADER, Field("Body", "@triggerBody()")),
        gettext_lazy("The trigger's body has the entities and alerts of the incident."),
    ),
    "defender": HowTo(
        gettext_lazy("A Logic App or script that reads the Defender XDR or Microsoft Graph security API"),
        (Field("URI", ADDRESS), _HEADER),
        gettext_lazy("Incidents or alerts as the API gives them, one or a whole page. An incident is one alert here."),
    ),
    "crowdstrike": HowTo(
        gettext_lazy("The SIEM connector of Falcon's event stream with an HTTP output, or a Fusion workflow's webhook"),
        (_URL, _HEADER),
    ),
    "sentinelone": HowTo(
        gettext_lazy("A webhook of Singularity, or a script that reads threats by the API"),
        (_URL, _HEADER),
        gettext_lazy("Threats and alerts of custom rules, one or a page of them."),
    ),
    "wazuh": HowTo(
        gettext_lazy("Wazuh manager: an integration in ossec.conf"),
        (Field("name", "shuffle"), Field("hook_url", "{address}{token}/"), Field("alert_format", "json")),
        gettext_lazy("That integration sets no header, so the token ends the address. Your own script can."),
    ),
    "visionone": HowTo(
        gettext_lazy("Vision One: Third-Party Integration, a webhook for Workbench alerts"),
        (_URL, _HEADER),
        gettext_lazy("Alerts can be read from its API too."),
    ),
    "alertmanager": HowTo(
        gettext_lazy("alertmanager.yml: a receiver with webhook_configs"),
        (Field("url", ADDRESS), Field("http_config.authorization.credentials", "{token}"),
         Field("send_resolved", "true")),
        gettext_lazy("What is resolved there is resolved here, if this source is set so."),
    ),
    "grafana": HowTo(
        gettext_lazy("Grafana: Alerting, Contact points, Webhook"),
        (
            _URL,
            Field("Authorization Header - Scheme", "Bearer"),
            Field("Authorization Header - Credentials", "{token}"),
        ),
        gettext_lazy("What is resolved there is resolved here, if this source is set so."),
    ),
    "xsoar": HowTo(
        gettext_lazy("Whatever posts to XSOAR's generic webhook"),
        (_URL, Field(gettext_lazy("Password of Basic authentication, or a header"), "{token}")),
    ),
    "email": HowTo(
        gettext_lazy("A mailbox to which people report messages: let it be read with an IMAP connector (below)"),
        (_URL, _HEADER, Field("Content-Type", "message/rfc822")),
        gettext_lazy("Or let a mail server or script post each message here as it is (at most 10 MiB)."),
    ),
}  # fmt: skip


def how_to(source: AlertSource, address: str, token: str) -> dict[str, Any] | None:
    """For the page: the product's name, where to look there, (place, value) pairs and a note; None for a kind that is
    not sent to. The token stands in it only while it is shown."""
    told = HOW.get(source.kind)
    if told is None:
        return None
    words = {"address": address, "base": settings.SOAR_URL, "token": token or "$SOAR_TOKEN"}
    label = _("any product") if source.kind == "generic" else kind_of(source.kind).label
    return {
        "product": label,
        "where": told.where,
        "fields": [(one.place, one.value.format(**words)) for one in told.fields],
        "note": told.note,
    }
