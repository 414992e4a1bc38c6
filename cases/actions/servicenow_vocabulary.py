"""The words of an instance: the choices of its fields, read live and kept, so that a profile can also be read and
edited while the instance does not answer (servicenow.md 2)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.core.cache import cache
from django.db import transaction

from cases.models import ServiceNowInstance
from soar.connectors import registry
from soar.connectors.errors import ConnectorError
from soar.connectors.models import ConnectorAccount
from soar.connectors.servicenow.connector import ServiceNow
from soar.lib import clock

ELEMENTS = ("state", "impact", "urgency", "priority", "close_code", "category")
PATIENCE = 4  # seconds: somebody waits for the page
OLD = timedelta(hours=1)
SILENT = 30  # seconds in which an instance that did not answer is not asked for a page again
Choices = dict[str, list[tuple[str, str]]]  # by element: (value, label)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """``choices`` by element; ``read_at``: when they were read, None for never; ``said``: why they are not live."""

    choices: Choices = field(default_factory=dict)
    read_at: datetime | None = None
    said: str = ""

    def values(self, element: str) -> list[str]:
        """The values that the field takes."""
        return [value for value, _label in self.choices.get(element, [])]

    def label(self, element: str, value: str) -> str:
        """What people read for a value; the value itself where it is not known."""
        return dict(self.choices.get(element, [])).get(value, value)


def connector_of(instance: ServiceNowInstance) -> ServiceNow:
    """The connector of an instance for somebody who waits. Raises ConnectorError."""
    account = ConnectorAccount.objects.get(pk=instance.account_id)
    account.timeout_seconds = min(account.timeout_seconds, PATIENCE)  # of this object; it is not saved
    found = registry.of(account)
    if not isinstance(found, ServiceNow):
        raise ConnectorError(f"{account.name} is no ServiceNow connector.", permanent=True)
    return found


def read(instance: ServiceNowInstance, table: str, *, again: bool = False) -> Vocabulary:
    """The choices of ``table`` as they are now, or, where the instance does not answer, as they were last.

    ``again``: ask although it did not answer a moment ago. Never raises what ServiceNow says."""
    key = f"servicenow-silent:{instance.pk}"
    said = "" if again else str(cache.get(key) or "")
    if said:
        return kept(instance, table, said)
    try:
        connector = connector_of(instance)
        found = {element: _pairs(connector, table, element) for element in ELEMENTS}
    except ConnectorError as error:
        cache.set(key, error.message, SILENT)
        return kept(instance, table, error.message)
    cache.delete(key)
    return _keep(instance, table, found)


def _pairs(connector: ServiceNow, table: str, element: str) -> list[tuple[str, str]]:
    return [(one.value, one.label) for one in connector.choices(table, element)]


def kept(instance: ServiceNowInstance, table: str, said: str = "") -> Vocabulary:
    """The choices of ``table`` as they were read last, without asking."""
    known = instance.vocabulary.get("choices", {}).get(table)
    if not known:
        return Vocabulary(said=said)
    choices = {element: [(value, label) for value, label in pairs] for element, pairs in known["elements"].items()}
    return Vocabulary(choices, datetime.fromisoformat(known["at"]), said)


def _keep(instance: ServiceNowInstance, table: str, found: Choices) -> Vocabulary:
    """Write them down if they are others than before, and now and then, so that their age is true."""
    now = clock.now()
    old = instance.vocabulary.get("choices", {}).get(table, {})
    new = {element: [list(pair) for pair in pairs] for element, pairs in found.items()}
    if old.get("elements") != new or datetime.fromisoformat(old["at"]) < now - OLD:
        with transaction.atomic():
            row = ServiceNowInstance.objects.select_for_update().defer("webhook_secret").get(pk=instance.pk)
            tables = {**row.vocabulary.get("choices", {}), table: {"at": now.isoformat(), "elements": new}}
            row.vocabulary = {**row.vocabulary, "choices": tables}
            row.save(update_fields=["vocabulary"])
        instance.vocabulary = row.vocabulary
    return Vocabulary(found, now)
