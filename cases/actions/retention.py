"""Rules of retention: making, changing and removing them. Each change is in the audit log (access.md 9)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from cases.actions.base import word
from cases.actors import Actor
from cases.choices import Severity
from cases.errors import Forbidden, Missing, Refused, Stale
from cases.models import AlertSource, RetentionRule
from cases.retention import sorts
from soar.accounts import audit
from soar.accounts.membership import may
from soar.lib import clock

DAYS_AT_MOST = 36_500
FIELDS = ("what", "days", "severities", "source", "enabled")


@transaction.atomic
def create(actor: Actor, fields: dict[str, Any]) -> RetentionRule:
    """Make a rule: ``what``, ``days``, and perhaps ``severities`` (words), ``source`` (slug), ``enabled``; off if that
    is not said. Raises Refused beside the field, Forbidden."""
    _check(actor)
    now = clock.now()
    rule = RetentionRule(created_at=now, updated_at=now, changed_by=actor.name[:200])
    _fill(rule, {"enabled": False, **fields})
    rule.save()
    audit.record(actor.user, "retention.created", str(rule), **told(rule))
    return rule


def draft(actor: Actor, fields: dict[str, Any]) -> RetentionRule:
    """A rule that is not saved, for a preview. Raises as ``create`` does."""
    _check(actor)
    rule = RetentionRule(changed_by=actor.name[:200])
    _fill(rule, {"enabled": False, **fields})
    return rule


@transaction.atomic
def update(actor: Actor, pk: int, changes: dict[str, Any], *, expected_version: int | None = None) -> RetentionRule:
    """Change a rule. A pass that is under way begins anew. Raises Refused, Stale, Missing, Forbidden."""
    rule = _locked(actor, pk, expected_version)
    before = told(rule)
    _fill(rule, changes)
    after = told(rule)
    if before == after:
        return rule
    rule.version += 1
    rule.updated_at, rule.changed_by = clock.now(), actor.name[:200]
    rule.position, rule.started_at, rule.finished_at, rule.error = 0, None, None, ""
    rule.save()
    changed = [name for name in after if before[name] != after[name]]
    audit.record(
        actor.user, "retention.changed", str(rule),
        before={name: before[name] for name in changed}, after={name: after[name] for name in changed},
    )  # fmt: skip
    return rule


@transaction.atomic
def delete(actor: Actor, pk: int, *, expected_version: int | None = None) -> None:
    """Remove a rule; what it deleted does not come back. Raises Stale, Missing, Forbidden."""
    rule = _locked(actor, pk, expected_version)
    audit.record(actor.user, "retention.removed", str(rule), **told(rule))
    rule.delete()


def told(rule: RetentionRule) -> dict[str, Any]:
    """A rule in words, for the audit log and the API."""
    return {
        "what": rule.what,
        "days": rule.days,
        "severities": [Severity(one).word for one in rule.severities],
        "source": rule.source.slug if rule.source else None,
        "enabled": rule.enabled,
    }


def rule_for(actor: Actor, pk: int) -> RetentionRule:
    """A rule, for somebody who may manage settings or reads what is set up. Raises Missing, Forbidden."""
    if actor.user is None or not may(actor.user, "view_setup"):
        _check(actor)
    rule = RetentionRule.objects.select_related("source").filter(pk=pk).first()
    if rule is None:
        raise Missing(_("There is no such rule."))
    return rule


def _locked(actor: Actor, pk: int, expected_version: int | None) -> RetentionRule:
    _check(actor)
    list(RetentionRule.objects.select_for_update().filter(pk=pk))
    rule = rule_for(actor, pk)
    if expected_version is not None and rule.version != expected_version:
        raise Stale(_("The rule was changed by somebody else in the meantime. Nothing was saved."), current=rule)
    return rule


def _check(actor: Actor) -> None:
    if actor.user is not None and not may(actor.user, "manage_settings"):
        raise Forbidden(_("The permission to manage settings is missing."))


def _fill(rule: RetentionRule, given: dict[str, Any]) -> None:
    if unknown := [name for name in given if name not in FIELDS]:
        raise Refused(_("%s cannot be set.") % str(unknown[0])[:40], field=str(unknown[0])[:40])
    for name, value in given.items():
        setattr(rule, name, _READ[name](value))
    sort = sorts().get(rule.what)
    if sort is None:
        raise Refused(_("One of: %s.") % ", ".join(sorts()), field="what")
    if not sort.least <= (rule.days or 0) <= DAYS_AT_MOST:
        text = _("From %(least)d to %(most)d days.") % {"least": sort.least, "most": DAYS_AT_MOST}
        raise Refused(text, field="days")
    if rule.severities and not sort.severities:
        raise Refused(_("These have no severity."), field="severities")
    if rule.source and not sort.sources:
        raise Refused(_("These have no source."), field="source")


def _days(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise Refused(_("A whole number of days."), field="days")
    return value


def _source(value: Any) -> AlertSource | None:
    if value in (None, ""):
        return None
    source = AlertSource.objects.filter(slug=str(value)[:100].replace("\x00", "")).first()
    if source is None:
        raise Refused(_("There is no such source."), field="source")
    return source


_READ: dict[str, Callable[[Any], Any]] = {
    "what": str,
    "days": _days,
    "severities": lambda value: sorted({int(word(Severity, one, "severities")) for one in value}),
    "source": _source,
    "enabled": bool,
}
