"""Writes the hostile corpus into every text of every row: what is stored, however it came there, is text on a page.

A new field is hostile without a line here. What a program wrote for a program (a kind, a key, a digest) is left."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import connection, models
from django.db.models import Model

from tests.pages.plenty import ordered
from tests.pages.words import Words

# Words of programs, by the name of the field (or of the key within JSON).
MACHINE = {
    "kind", "slug", "key", "digest", "arguments_digest", "sha256", "sha1", "md5", "prefix", "fingerprint", "type",
    "verb", "how", "status", "state", "stage", "role", "rule", "action", "capability", "target_kind", "risk",
    "phase", "origin", "trigger", "event", "format", "language", "level", "effect", "category", "channel", "mode",
    "chat_way", "chat_kind", "key_id", "public_key", "plan", "file", "time_zone", "cron", "password",
    "correlation_id", "idempotency_key", "lease_owner", "what", "product", "by", "repeat_rule", "table",
    "note_field", "on_repeat", "map", "field", "outcome", "actor_type", "delivers", "installation", "changed",
    "sys_id", "username", "remote", "kinds", "techniques", "severities", "scopes", "alerts", "things", "letters",
    "key_fields", "allowed_networks", "holidays", "systems", "note_kinds", "subject", "query", "via", "operation",
    "module", "folder", "proxy", "body", "latest_body", "number", "id", "pk", "url", "at", "occurred_at", "severity",
}  # fmt: skip
# Tables that refuse to be changed, what asks no person, and what a program has to be able to read.
LEFT = {
    "accounts.AuditEntry", "cases.TimelineEntry", "cases.EvidenceAccess", "accounts.Setting", "accounts.AuditStream",
    "cases.SigningKey", "cases.SlaPolicy", "cases.SuppressionGeneration", "cases.LegalHold", "connectors.AccessToken",
    "accounts.GrantJob", "cases.NotificationSettings", "cases.Evidence",
}  # fmt: skip
# JSON that tells of things, in words of people and products; other JSON is of programs.
TELLING = {
    "cases.Alert.entities", "cases.HandOver.facts", "cases.Notification.data", "cases.TicketLink.theirs",
    "cases.TicketConflict.base", "cases.TicketConflict.ours", "cases.TicketConflict.theirs", "cases.AssetChange.data",
    "playbooks.Step.arguments", "playbooks.Step.result", "playbooks.Run.result", "playbooks.ResponseTask.params",
    "playbooks.ResponseTask.answer", "playbooks.ResponseTask.request", "playbooks.ResponseTask.data",
    "connectors.Attempt.request", "connectors.Attempt.response", "cases.IncidentTemplate.tasks",
}  # fmt: skip


def poison(words: Words) -> int:
    """Write it everywhere. Returns into how many columns."""
    return sum(_model(model, words) for model in ordered() if model._meta.label not in LEFT)


def _model(model: type[Model], words: Words) -> int:
    fields = [one for one in model._meta.concrete_fields if _bears(one)]
    rows = list(model._base_manager.all())
    for row in rows:
        for place, field in enumerate(fields):
            setattr(row, field.attname, _value(field, getattr(row, field.attname), words, row.pk, place))
    if rows and fields:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = 0")
        model._base_manager.bulk_update(rows, [one.name for one in fields], batch_size=200)
    return len(fields)


def _bears(field: models.Field[Any, Any]) -> bool:
    """Whether people or other products may have written it."""
    if field.name in MACHINE or getattr(field, "choices", None) or field.primary_key:
        return False
    if isinstance(field, ArrayField):
        return isinstance(field.base_field, models.CharField)
    if isinstance(field, models.JSONField):
        return f"{field.model._meta.label}.{field.name}" in TELLING
    plain = isinstance(field, models.CharField | models.TextField) and not isinstance(field, models.SlugField)
    return plain and "Encrypted" not in type(field).__name__


def _value(field: models.Field[Any, Any], value: Any, words: Words, pk: Any, place: int) -> Any:
    number = (pk if isinstance(pk, int) else 0) + 5 * place
    if isinstance(field, ArrayField):
        return [words.text(40, number), words.text(40, number + 7)]
    if isinstance(field, models.JSONField):
        return _leaves(value, words, number)
    longest, tail = field.max_length or 10_000, f" {pk}" if _alone(field) else ""
    return words.text(longest - len(tail), number) + tail


def _alone(field: models.Field[Any, Any]) -> bool:
    """Whether no two rows may say the same."""
    from tests.pages.plenty import unique

    return field.unique or field in list(unique(field.model))


def _leaves(value: Any, words: Words, number: int, key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _leaves(one, words, number + place, name) for place, (name, one) in enumerate(value.items())}
    if isinstance(value, list):
        return [_leaves(one, words, number + place, key) for place, one in enumerate(value)]
    return words.text(number=number) if isinstance(value, str) and key not in MACHINE else value
