"""Every change of a suppression rule, each with its row in the audit log (ingest-and-api.md 9)."""

from __future__ import annotations

import secrets
from typing import Any

from django.db import connection, transaction
from django.db.models import ProtectedError
from django.utils.translation import gettext as _

from cases.actions.suppression_fields import checked
from cases.actors import Actor
from cases.errors import Conflict, Forbidden, Refused, Stale
from cases.models import SuppressionRule
from cases.source_access import sources_seen_by
from cases.suppression_access import NOT_YOURS, may_rule, rule_for, sources_of
from soar.accounts import audit
from soar.accounts.models import User
from soar.lib import clock
from soar.lib.queue import enqueue

REQUIRED = ("name", "reason", "expires_at", "conditions")
RELEASE, HOLD = "cases.tasks.release_suppressed", "cases.tasks.hold_open"
OTHER_RULES = """
    INSERT INTO cases_suppressiongeneration (id, number) VALUES (1, %s)
    ON CONFLICT (id) DO UPDATE SET number = excluded.number"""


@transaction.atomic
def create(actor: Actor, *, fields: dict[str, Any], hold_open: bool = False) -> SuppressionRule:
    """Make a rule that is in force at once. ``fields``: name, reason, expires_at, conditions, and if wanted team,
    all_teams, enabled. With ``hold_open`` alerts that stand in the queue, are nobody's and meet it leave it too.

    Raises Refused beside the field that is wrong, Forbidden."""
    for name in REQUIRED:
        if fields.get(name) in (None, "", {}):
            raise Refused(_("This is needed."), field=name)
    rule = SuppressionRule(created_by=actor.user, **checked(fields))
    _check_scope(actor, rule)
    rule.created_at = clock.now()
    _saved(rule, actor)
    audit.record(actor.user, "suppression.created", _named(rule), **_told(rule))
    if hold_open:
        enqueue(HOLD, rule.pk)
    return rule


@transaction.atomic
def update(actor: Actor, pk: int, *, changes: dict[str, Any], expected_version: int | None = None) -> SuppressionRule:
    """Change the fields given. What is held back stays so. Raises Refused, Stale, Conflict (it has ended), Missing,
    Forbidden."""
    rule = _locked(actor, pk, expected_version)
    if rule.ended_at:
        raise Conflict(_("This rule has ended. Make a new one."))
    changed = {name: value for name, value in checked(changes).items() if getattr(rule, name) != value}
    for name, value in changed.items():
        setattr(rule, name, value)
    if changed:
        _check_scope(actor, rule, conditions="conditions" in changed)
        rule.version += 1
        _saved(rule, actor)
        audit.record(actor.user, "suppression.changed", _named(rule), fields=sorted(changed), **_told(rule))
    return rule


@transaction.atomic
def end(actor: Actor, pk: int, *, release: bool = False, expected_version: int | None = None) -> SuppressionRule:
    """End it now: new alerts come to the queue. With ``release`` those that it held back follow. Twice changes nothing.

    Raises Stale, Missing, Forbidden."""
    rule = _locked(actor, pk, expected_version)
    if rule.ended_at is None:
        rule.ended_at, rule.ended_by = clock.now(), actor.name[:200]
        rule.version += 1
        _saved(rule, actor)
        audit.record(actor.user, "suppression.ended", _named(rule), held=rule.held)
    return _released(actor, rule) if release else rule


@transaction.atomic
def release(actor: Actor, pk: int) -> SuppressionRule:
    """Have what it held back put into the queue by a worker. Raises Conflict while the rule is in force: it would hold
    the next one back. Missing, Forbidden."""
    rule = _locked(actor, pk, None)
    if in_force(rule):
        raise Conflict(_("The rule is in force. End it first."))
    return _released(actor, rule)


@transaction.atomic
def delete(actor: Actor, pk: int, *, expected_version: int | None = None) -> None:
    """Take away a rule that is over and holds nothing back. Raises Conflict otherwise, Stale, Missing, Forbidden."""
    rule = _locked(actor, pk, expected_version)
    if in_force(rule):
        raise Conflict(_("The rule is in force. End it first."))
    name = _named(rule)
    try:
        with transaction.atomic():
            rule.delete()
    except ProtectedError:
        raise Conflict(_("Alerts are held back by this rule. Release them first.")) from None
    _other_rules()
    audit.record(actor.user, "suppression.deleted", name)


def in_force(rule: SuppressionRule) -> bool:
    """Whether it holds back what comes in now."""
    return rule.enabled and rule.ended_at is None and rule.expires_at > clock.now()


def _released(actor: Actor, rule: SuppressionRule) -> SuppressionRule:
    if not rule.alerts.exists():
        return rule
    rule.releasing = True
    rule.save(update_fields=["releasing"])
    audit.record(actor.user, "suppression.released", _named(rule))
    enqueue(RELEASE, rule.pk)
    return rule


def _check_scope(actor: Actor, rule: SuppressionRule, *, conditions: bool = True) -> None:
    if rule.all_teams and rule.team_id:
        raise Refused(_("Either every team or one."), field="team")
    if actor.user is not None and not may_rule(actor.user, rule.team_id, rule.all_teams, sources_of(rule)):
        raise Forbidden(_(NOT_YOURS))
    if actor.user is not None and conditions:
        check_seen(actor.user, sources_of(rule))


def check_seen(user: User, slugs: list[str]) -> None:
    """Raise Refused for a source that the person does not see, in the words for one that is not there (access.md 4)."""
    seen = set(sources_seen_by(user).filter(slug__in=slugs).values_list("slug", flat=True))
    if unseen := [slug for slug in slugs if slug not in seen]:
        raise Refused(_("There is no source %(unseen)s.") % {"unseen": f"{unseen[0]:.60}"}, field="source")


def _locked(actor: Actor, pk: int, expected: int | None) -> SuppressionRule:
    rule = rule_for(actor.user, pk, work=True, lock=True)
    if expected is not None and rule.version != expected:
        raise Stale(_("The rule was changed by somebody else in the meantime. Nothing was saved."), current=rule)
    return rule


def _saved(rule: SuppressionRule, actor: Actor) -> None:
    rule.updated_at, rule.changed_by = clock.now(), actor.name[:200]
    new = rule.pk is None
    figures = {"held", "repeats", "last_hit_at", "id"}  # counted beside, by the workers of ingest
    names = [field.name for field in rule._meta.concrete_fields if field.name not in figures]
    rule.save(update_fields=None if new else names)
    _other_rules()


def _other_rules() -> None:
    """Tell every process that the rules are others now. The number is any, never one that was before: a process may
    still know the rules of a transaction that was rolled back, or of a database that was restored."""
    with connection.cursor() as cursor:
        cursor.execute(OTHER_RULES, [secrets.randbits(62) | 1])


def _named(rule: SuppressionRule) -> str:
    return f"suppression {rule.pk} {rule.name}"


def _told(rule: SuppressionRule) -> dict[str, Any]:
    scope = "every team" if rule.all_teams else rule.team.name if rule.team else "no team"
    return {"scope": scope, "until": rule.expires_at.isoformat(), "conditions": rule.conditions}
