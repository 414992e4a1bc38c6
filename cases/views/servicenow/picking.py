"""Choosing a person or a group of ServiceNow by typing: found live while one types, made sure of when it is saved."""

from __future__ import annotations

import re
from typing import Any

from django.utils.translation import gettext as _

from cases.actions.servicenow_profile_fields import SYS_ID
from cases.actions.servicenow_vocabulary import connector_of
from cases.models import ServiceNowInstance
from soar.connectors.errors import ConnectorError
from soar.connectors.servicenow.connector import ServiceNow
from soar.connectors.servicenow.records import Choice

USER, GROUP = "users", "groups"
LOGIN = re.compile(r".*\(([^()]+)\)\s*")
LISTED = 20
Reference = dict[str, str]


class Picking:
    """Resolves typed texts of one form; asks ServiceNow only for what is new. ``errors`` by field name."""

    def __init__(self, instance: ServiceNowInstance) -> None:
        self.instance = instance
        self.errors: dict[str, str] = {}
        self._connector: ServiceNow | None = None

    def reference(self, field: str, what: str, typed: str, before: Reference) -> Reference:
        """The reference that ``typed`` means; ``before`` where nothing changed or it cannot be told."""
        text = typed.strip()
        if not text:
            return {}
        if text in (before.get("label"), before.get("value")):
            return before
        try:
            found = self._found(what, text)
        except ConnectorError as error:
            if SYS_ID.fullmatch(text):  # whoever knows the sys_id needs no answer
                return {"value": text, "label": text}
            self.errors[field] = _("It cannot be looked up now, a sys_id would be taken as it is: %(message)s") % {
                "message": error.message
            }
            return before
        if len(found) != 1:
            self.errors[field] = _which(found)
            return before
        return {"value": found[0].value, "label": found[0].label}

    def _found(self, what: str, text: str) -> list[Choice]:
        connector = self._connector or connector_of(self.instance)
        self._connector = connector
        login = LOGIN.fullmatch(text)
        exact = connector.group(text) if what == GROUP else connector.user(login.group(1) if login else text)
        if exact is not None:
            return [exact]
        return connector.groups(text) if what == GROUP else connector.users(text)


def options(instance: ServiceNowInstance, what: str, text: str) -> list[dict[str, Any]]:
    """What to offer for the text typed so far; nothing when the instance does not answer."""
    try:
        connector = connector_of(instance)
        found = connector.groups(text, LISTED) if what == GROUP else connector.users(text, LISTED)
    except ConnectorError:
        return []
    return [{"label": one.label} for one in found]


def _which(found: list[Choice]) -> str:
    if not found:
        return _("ServiceNow has nobody active of that name, or hides it from the integration user.")
    some = ", ".join(one.label for one in found[:5])
    return _("Several fit; write one of them: %(some)s%(more)s") % {
        "some": some,
        "more": " …" if len(found) > 5 else "",
    }
