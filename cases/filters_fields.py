"""The fields of a filter: each turns one value, as it was written, into a condition (casework.md 2)."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from cases.attack.stored import catalog
from cases.choices import AlertStatus, Determination, Severity, Tlp, Words
from cases.digests import value_digest
from cases.filters_text import Plan
from cases.ingest.iocs import guess_type, normalise_observable
from cases.models import Alert, AlertObservable, AlertSource, Incident, Observable
from cases.sla import triage
from soar.accounts.models import Team, User
from soar.lib import clock

OBSERVABLE_HITS = 2000
WORD_AT_LEAST = 3


class FilterError(ValueError):
    """A value that a filter does not take; the message is for people."""


def _choice(column: str, choices: type[Words]) -> Callable[[str, str, User | None], Q]:
    suffix = {"": "", ">=": "__gte", "<=": "__lte", ">": "__gt", "<": "__lt"}

    def condition(op: str, value: str, user: User | None) -> Q:
        try:
            return Q(**{column + suffix[op]: choices.from_word(value)})
        except ValueError as error:
            raise FilterError(f"{column}: {error}") from error

    return condition


def _status(op: str, value: str, user: User | None) -> Q:
    if value.lower() == "open":
        return Q(status__lt=AlertStatus.RESOLVED)
    if value.lower() in ("any", "all"):
        return Q()
    return _choice("status", AlertStatus)(op, value, user)


def _owner(op: str, value: str, user: User | None) -> Q:
    if value.lower() in ("none", "nobody"):
        return Q(owner=None)
    if value.lower() == "me" and user is not None:
        return Q(owner=user)
    return Q(owner__in=list(User.objects.filter(username=value).values_list("pk", flat=True)))


def _team(op: str, value: str, user: User | None) -> Q:
    if value.lower() == "none":
        return Q(team=None)
    # Ids first, here and below: with a join the planner no longer walks the index of the order.
    return Q(team__in=list(Team.objects.filter(name__iexact=value).values_list("pk", flat=True)))


def _source(op: str, value: str, user: User | None) -> Q:
    return Q(source__in=list(AlertSource.objects.filter(slug=value.lower()).values_list("pk", flat=True)))


def _incident(op: str, value: str, user: User | None) -> Q:
    if value.lower() in ("none", "no", "any", "yes"):
        return Q(incident__isnull=value.lower() in ("none", "no"))
    number = value.upper().removeprefix("INC-")
    if not number.isdecimal() or len(number) > 18:
        raise FilterError(_("incident: give a number like INC-42, any or none."))
    rows = Incident.objects.filter(pk=int(number))
    if user is not None:  # the list must not tell what is in an incident that the person does not see (access.md 4)
        rows = rows.visible_to(user)
    return Q(incident__in=list(rows.values_list("pk", flat=True)))


def _sla(op: str, value: str, user: User | None) -> Q:
    """How long it has waited for somebody, by the targets of triage."""
    if value.lower() not in triage.WORDS:
        raise FilterError(_("sla: one of %(words)s.") % {"words": ", ".join(triage.WORDS)})
    return triage.condition(value.lower())


def _suppressed(op: str, value: str, user: User | None) -> Q:
    """Held back from the queue by any rule, by the one of this id, by none; ``all`` is both."""
    word = value.lower()
    if word in ("all", "yes", "any", "no", "none"):
        return Q() if word == "all" else Q(suppression__isnull=word in ("no", "none"))
    if not _is_number(word):
        raise FilterError(_("suppressed: give yes, no, all or the id of a rule."))
    return Q(suppression=int(word))


def _tlp(op: str, value: str, user: User | None) -> Q:
    wanted = value.lower().removeprefix("tlp:")
    if wanted not in Tlp.values:
        raise FilterError(_("tlp: one of %(values)s.") % {"values": ", ".join(Tlp.values)})
    return Q(tlp=wanted)


def _like(column: str) -> Callable[[str, str, User | None], Q]:
    """Whole value; with a star at the end, a beginning. A model in any case; hosts and users, by their index, as
    typed, in small or in capital letters."""

    def condition(op: str, value: str, user: User | None) -> Q:
        if value.endswith("*") and len(value) > 1:
            return Q(**{f"{column}__istartswith": value[:-1]})
        return (
            Q(**{f"{column}__iexact": value})
            if column == "detection_model"
            else Q(**{f"{column}__in": [*{value, value.lower(), value.upper()}]})
        )

    return condition


def _time(column: str, default_op: str) -> Callable[[str, str, User | None], Q]:
    suffix = {">=": "__gte", "<=": "__lte", ">": "__gt", "<": "__lt"}

    def condition(op: str, value: str, user: User | None) -> Q:
        return Q(**{column + suffix[op or default_op]: moment(value)})

    return condition


def _resolved(value: str) -> Q:
    """Resolved since then. A row changes when it is resolved, and the time of change has an index."""
    since = moment(value)
    return Q(resolved_at__gte=since, updated_at__gte=since)


def moment(value: str) -> datetime:
    """A time: ISO 8601, a date, ``today``, or ``24h``, ``7d``, ``30m`` before now. Raises FilterError."""
    if value.lower() == "today":
        return timezone.localtime(clock.now()).replace(hour=0, minute=0, second=0, microsecond=0)
    unit = {"m": "minutes", "h": "hours", "d": "days"}.get(value[-1:])
    if unit and value[:-1].isdecimal() and len(value) < 7:
        return clock.now() - timedelta(**{unit: int(value[:-1])})
    try:
        # First of all a day: it is no time of UTC, but begins with the reader's midnight. A plus sign in a query string
        # arrives as a blank.
        day = parse_date(value) if len(value) <= len("2026-03-12") else None
        found = None if day else parse_datetime(value.replace(" ", "+") if "T" in value else value)
    except ValueError as error:
        raise FilterError(
            _("%(value)s is no date or time: %(error)s") % {"value": f"{value!s:.40}", "error": error}
        ) from error
    if found is None and day is not None:
        found = datetime(day.year, day.month, day.day, tzinfo=timezone.get_current_timezone())
    if found is None:
        raise FilterError(
            _("%(value)s is no date or time. Write 2026-03-12T09:00:00Z, 2026-03-12 or 24h.")
            % {"value": f"{value!s:.40}"}
        )
    try:
        # In UTC: the database takes no zone further than 16 hours from it.
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except OverflowError as error:
        raise FilterError(_("%(value)s is before or after all time.") % {"value": f"{value!s:.40}"}) from error


def _observable(op: str, value: str, user: User | None) -> Q:
    links = AlertObservable.objects.filter(observable__in=_observables(value))
    ids = list(links.order_by("-alert_id").values_list("alert_id", flat=True)[: OBSERVABLE_HITS + 1])
    if len(ids) <= OBSERVABLE_HITS:
        return Q(pk__in=ids)
    # In more than are listed: each alert that is looked at is asked, and a walk soon finds enough of them. Whoever
    # excludes it, or acts on all that match, means every one.
    return Q(Exists(links.filter(alert=OuterRef("pk"))))


def _observables(value: str) -> list[int]:
    """Ids of the observables that a value may mean, of whatever type."""
    forms = {value, value.lower()}
    if type_ := guess_type(value):
        with contextlib.suppress(ValueError):
            forms.add(normalise_observable(type_, value))
    found = Observable.objects.filter(digest__in=[value_digest(form) for form in forms])
    return list(found.values_list("pk", flat=True))


def _alerts_naming(value: str, user: User | None) -> list[int]:
    """Ids of the newest alerts that name an observable, of more than OBSERVABLE_HITS those that the user may see.
    Fetched first: joined with OR to a text search it would make the planner read the whole table."""
    links = AlertObservable.objects.filter(observable__in=_observables(value)).order_by("-alert_id")
    ids = links.values_list("alert_id", flat=True)
    found = list(ids[: OBSERVABLE_HITS + 1])
    if len(found) > OBSERVABLE_HITS and user is not None:
        return list(ids.filter(Alert.objects.seen_one_by_one("alert", user))[:OBSERVABLE_HITS])
    return found[:OBSERVABLE_HITS]


def is_text(word: str) -> bool:
    """Whether a word is looked for in the text: not so a number, ALR-7, and what is too short for the index."""
    number = word.upper().removeprefix("ALR-")
    return len(word) >= WORD_AT_LEAST and not (_is_number(number) and word.upper() != number)


def _is_number(text: str) -> bool:
    return text.isdecimal() and len(text) <= 18


def word(value: str, plan: Plan | None, user: User | None) -> Q:
    """That the text, the number or an observable is ``value``, by the plan of its filter, among what the user may see.
    Raises FilterError."""
    number = value.upper().removeprefix("ALR-")
    by_number = Q(pk=int(number)) if _is_number(number) and (value.upper() != number or len(number) < 10) else None
    if not is_text(value):
        if by_number is None:
            raise FilterError(
                _("“%(value)s” is too short to look for: write three letters or more.") % {"value": value}
            )
        return by_number
    text = value.lower()
    condition = plan.word(text) if plan else Q(search__contains=text)
    condition |= by_number or Q(pk__in=[])
    if guess_type(value):
        condition |= Q(pk__in=_alerts_naming(value, user))
    return condition


Condition = Callable[[str, str, User | None], Q]
FIELDS: dict[str, Condition] = {
    "status": _status,
    "is": _status,
    "severity": _choice("severity", Severity),
    "determination": _choice("determination", Determination),
    "owner": _owner,
    "team": _team,
    "source": _source,
    "model": _like("detection_model"),
    "tag": lambda op, value, user: Q(tags__contains=[value.lower()]),
    "host": _like("hostname"),
    "user": _like("username"),
    "ip": lambda op, value, user: Q(source_ip=value.lower()),
    "observable": _observable,
    # A technique means its sub-techniques too.
    "technique": lambda op, value, user: Q(techniques__overlap=catalog().family(value)),
    "tlp": _tlp,
    "incident": _incident,
    "has_incident": _incident,
    "suppressed": _suppressed,
    "sla": _sla,
    "received": _time("received_at", ">="),
    "since": _time("received_at", ">="),
    "until": _time("received_at", "<="),
    "updated_since": _time("updated_at", ">="),
    "resolved": lambda op, value, user: _resolved(value),
}
# Fields that can be compared with: severity:>=high. Others say so instead of taking the sign for nothing.
COMPARED = frozenset({"severity", "determination", "status", "is", "received", "since", "until", "updated_since"})
LABELS = {
    "is": gettext_noop("Status"),
    "status": gettext_noop("Status"),
    "severity": gettext_noop("Severity"),
    "determination": gettext_noop("Determination"),
    "owner": gettext_noop("Owner"),
    "team": gettext_noop("Team"),
    "source": gettext_noop("Source"),
    "model": gettext_noop("Model"),
    "tag": gettext_noop("Tag"),
    "host": gettext_noop("Host"),
    "user": gettext_noop("User"),
    "ip": gettext_noop("Address"),
    "observable": gettext_noop("Observable"),
    "technique": gettext_noop("Technique"),
    "tlp": gettext_noop("TLP"),
    "incident": gettext_noop("Incident"),
    "has_incident": gettext_noop("Incident"),
    "suppressed": gettext_noop("Suppressed"),
    "sla": gettext_noop("Targets"),
    "received": gettext_noop("Received"),
    "since": gettext_noop("Since"),
    "until": gettext_noop("Until"),
    "updated_since": gettext_noop("Changed since"),
    "resolved": gettext_noop("Resolved since"),
}
