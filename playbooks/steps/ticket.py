"""A result ticket in ServiceNow: one for each task, and no incident (response-playbooks.md 23).

Its correlation id is made of the task's idempotency key. Before it is made it is searched for, always: whatever became
of a call whose answer was lost, there is one ticket in the end."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlsplit

from django.conf import settings
from django.db.models.functions import Now

from cases.choices import Severity
from cases.models import Alert, Incident, TicketProfile
from playbooks.models import ResponseTask
from playbooks.response.marking import tlp_of
from playbooks.response.report import message_of
from playbooks.response.tasks import Claimed, Ending
from playbooks.steps.calls import begun, given_up, overdue
from playbooks.steps.outcomes import Later, Outcome, back_off
from playbooks.steps.ticket_values import correlation_of, overridden, values_of, words_of
from soar.connectors import registry
from soar.connectors.errors import ConnectorError
from soar.connectors.messages import may_carry
from soar.connectors.models import ConnectorAccount
from soar.connectors.rendering import as_text
from soar.connectors.servicenow.connector import CLEARED, ServiceNow
from soar.connectors.servicenow.records import Record
from soar.lib import clock
from soar.lib.database import AWAY

logger = logging.getLogger(__name__)
PAUSE = 60.0  # seconds, while people have paused what goes to the instance


def perform(held: Claimed) -> Outcome:
    """One attempt to send the ticket."""
    task = held.task
    profile = profile_named(str(task.params.get("profile", "")))
    hindrance = hindrance_of(profile, str(task.params.get("profile", "")))
    if profile is None or hindrance:
        return _hindered(held, profile, hindrance)
    try:
        check_clearance(profile, tlp_of(*_subjects(task)))
    except ConnectorError as error:
        return _hindered(held, profile, error.message)
    if task.dry_run:
        return _dry(task, profile)
    if wait := _held_back(profile):
        why = f"What goes to {profile.instance.slug} is held back."
        return given_up(task, wait, why) or Later(wait, held.phase, {"reason": why})
    try:
        connector = connector_of(profile.instance.account, task.cause)
    except ConnectorError as error:
        return _hindered(held, profile, error.message)
    return _Attempt(held, profile, connector).run()


def profile_named(name: str) -> TicketProfile | None:
    """The ticket profile with its instance and account, whatever its upper and lower case."""
    rows = TicketProfile.objects.select_related("instance__account")
    return rows.filter(name__iexact=name).first()


def hindrance_of(profile: TicketProfile | None, name: str) -> str:
    """Why no ticket can be made by the profile, as a sentence; "" if one can."""
    if profile is None:
        return f"There is no ticket profile {name:.100} any more."
    if not profile.enabled:
        return f"The ticket profile {profile.name} is disabled."
    account = profile.instance.account
    return "" if account.enabled else f"The connector {account.name} is disabled."


def connector_of(account: ConnectorAccount, cause: Any = None) -> ServiceNow:
    """The connector of an instance. Raises ConnectorError when its secrets cannot be read or it is none."""
    found = registry.of(account, cause=cause)
    if not isinstance(found, ServiceNow):
        raise ConnectorError(f"{account.name} is no connector of ServiceNow.", permanent=True)
    return found


def check_clearance(profile: TicketProfile, tlp: str) -> None:
    """Raise ConnectorError, with both words in it, for a report above what the instance is cleared for."""
    account = profile.instance.account
    cleared = str(account.settings.get("cleared") or CLEARED.default)
    if not may_carry(cleared, tlp):
        raise ConnectorError(
            f"Not sent: it is TLP:{tlp.upper()}, and {account.name} is cleared up to TLP:{cleared.upper()} only.",
            permanent=True,
        )


def request_of(
    profile: TicketProfile,
    params: Mapping[str, Any],
    words: Mapping[str, str],
    severity: str,
    *,
    tlp: str,
    key: str,
    url: str = "",
) -> dict[str, Any]:
    """The request that would be sent; nothing is. Names of a group or person stand as they were written. Raises
    ConnectorError, also for a report that the instance is not cleared for."""
    check_clearance(profile, tlp)
    named = {name: str(params[name]) for name in ("assignment_group", "assigned_to") if params.get(name)}
    values = {**values_of(profile, params, words, severity, url), **named, "correlation_id": key}
    made: dict[str, Any] = connector_of(profile.instance.account).preview_create(profile.table, values)["request"]
    return made


def request_for(task: ResponseTask, profile: TicketProfile) -> dict[str, Any]:
    """The request that a task would send, as ``request_of``. Raises ConnectorError."""
    url = f"{settings.SOAR_URL}/runs/{task.run_id}/"
    key, tlp = correlation_of(task.idempotency_key), tlp_of(*_subjects(task))
    return request_of(profile, task.params, *_facts(task), tlp=tlp, key=key, url=url)


def _dry(task: ResponseTask, profile: TicketProfile) -> Ending:
    """Of a run that changes nothing."""
    try:
        request = request_for(task, profile)
    except ConnectorError as error:
        return Ending("unsuccessful", reason=error.message)
    return Ending("successful", message="Dry run: nothing was sent.", request=[request])


def _facts(task: ResponseTask) -> tuple[dict[str, str], str]:
    """What templates may name, and the severity."""
    alert, incident = _subjects(task)
    rated = incident or alert
    severity = Severity(rated.severity).word if rated is not None else ""
    return words_of(alert, incident, as_text(message_of(task)).strip()), severity


def _subjects(task: ResponseTask) -> tuple[Alert | None, Incident | None]:
    """What the ticket tells of."""
    alert = Alert.objects.select_related("owner", "team", "incident__team").filter(pk=task.alert_id or 0).first()
    return alert, alert.incident if alert is not None else task.incident


def _held_back(profile: TicketProfile) -> float:
    """Seconds until something may be sent: a person paused it, or the instance asked for a rest; 0.0 for now."""
    instance = profile.instance
    if instance.out_paused:
        return PAUSE
    left = (instance.out_resume_at - clock.now()).total_seconds() if instance.out_resume_at else 0.0
    return max(0.0, left)


def _hindered(held: Claimed, profile: TicketProfile | None, why: str) -> Outcome:
    account = profile.instance.account if profile is not None else held.task.account
    if held.phase and account is not None and begun(held.task, account):
        return Ending("unknown_outcome", reason=f"{why} Whether the ticket was made before could not be asked.")
    return Ending("unsuccessful", reason=why)


class _Attempt:
    """One look at a task whose instance is there: search, and make what is not."""

    def __init__(self, held: Claimed, profile: TicketProfile, connector: ServiceNow) -> None:
        self.held, self.task, self.profile, self.connector = held, held.task, profile, connector
        self.account, self.searched = profile.instance.account, False
        self.correlation = correlation_of(self.task.idempotency_key)

    def run(self) -> Outcome:
        try:
            there = self.connector.by_correlation(self.profile.table, self.correlation, ())
            if there is not None:
                return self._done(there)
            self.searched = True
            if overdue(self.task):
                return Ending("unsuccessful", reason=self.task.reason or "Its deadline passed before it could be sent.")
            return self._make()
        except ConnectorError as error:
            return self._failed(error)
        except AWAY:  # our own database's trouble says nothing of the ticket: whoever has the task next looks for it
            raise
        except Exception as error:
            logger.exception("Task %s failed in its ServiceNow connector", self.task.pk)
            return self._failed(ConnectorError(f"The connector failed: {type(error).__name__}.", permanent=True))

    def _make(self) -> Outcome:
        url = f"{settings.SOAR_URL}/runs/{self.task.run_id}/"
        values = values_of(self.profile, self.task.params, *_facts(self.task), url)
        values |= overridden(self.connector, self.profile, self.task.params)
        sent = {**values, "correlation_id": self.correlation}
        request = self.connector.preview_create(self.profile.table, sent)["request"]
        return self._done(self.connector.create(self.profile.table, sent), request)

    def _done(self, record: Record, request: dict[str, Any] | None = None) -> Ending:
        url = ticket_url(self.account, record.table, record.sys_id)
        ticket = {"number": record.number, "url": url, "table": record.table, "sys_id": record.sys_id}
        said = f"{record.number or record.sys_id} was created in {self.account.name}."
        return Ending("successful", message=said, request=[request] if request else None, data={"ticket": ticket})

    def _failed(self, error: ConnectorError) -> Outcome:
        """What may have been made is looked for at the next attempt; only where nobody can look any more it is
        unknown."""
        unseen = not self.searched and bool(self.held.phase) and begun(self.task, self.account)
        lost = error.outcome_unknown or unseen
        end = "unknown_outcome" if lost else "unsuccessful"
        if error.permanent and not error.outcome_unknown:
            return Ending(end, reason=error.message)
        wait = back_off(self.task.attempts, error.retry_after)
        if error.retry_after is not None:
            self._rest(wait)
        return given_up(self.task, wait, error.message, end) or Later(
            wait, "sent" if lost else "", {"reason": error.message}
        )

    def _rest(self, seconds: float) -> None:
        """A 429 counts for the whole instance: what else goes there waits too."""
        instance = type(self.profile.instance).objects.filter(pk=self.profile.instance_id)
        instance.update(out_resume_at=Now() + timedelta(seconds=seconds))


def ticket_url(account: ConnectorAccount, table: str, sys_id: str) -> str:
    """The ticket's page in ServiceNow."""
    base = str(account.settings.get("url", "")).rstrip("/")
    if not sys_id or urlsplit(base).scheme not in ("http", "https"):
        return ""
    return f"{base}/nav_to.do?uri={quote(f'{table}.do?sys_id={sys_id}', safe='')}"
