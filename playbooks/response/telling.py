"""Telling people that an approval waits for them (response-playbooks.md 19, 22): a link to a page that asks for a
login; nothing is decided by following it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings

from cases.choices import Severity
from cases.models import Alert
from playbooks.choices import APPROVAL_OPEN
from playbooks.models import Approval, ResponseTask
from playbooks.response.marking import tlp_of
from playbooks.response_words import label_of, value_of
from soar.connectors import notify
from soar.connectors.errors import ConnectorError
from soar.connectors.messages import APPROVAL, Message, Row, Section
from soar.connectors.models import ConnectorAccount
from soar.lib import clock
from soar.lib.clock import iso

ROWS_AT_MOST = 20


@dataclass(frozen=True, slots=True)
class Asked:
    """Who is told of an approval: addresses by e-mail, and chats by name. Neither: nobody is, it stands in the list."""

    recipients: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.recipients or self.channels)


def asked(approval: Approval) -> Asked:
    """Those whom the node or the playbook names. Where nobody is named (an action by hand, a node that asks nobody but
    the never-touch list does), those of SOAR_APPROVAL_RECIPIENTS and SOAR_APPROVAL_CHANNELS."""
    given = approval.notify
    if given.get("method") == "email":
        return Asked(recipients=tuple(map(str, given.get("recipients") or ())))
    if given.get("method") == "channel":
        return Asked(channels=tuple(map(str, given.get("channels") or ())))
    return asked_else()


def asked_else() -> Asked:
    """Who is told where an approval names nobody."""
    return Asked(tuple(settings.APPROVAL_RECIPIENTS), tuple(settings.APPROVAL_CHANNELS))


def tell(approval_id: int) -> None:
    """Send the notice by every channel that the approval names, each once, and keep what came of it (``told``).

    Outside of any transaction. Raises ConnectorError when a channel should be tried again later: the queue does."""
    approval = Approval.objects.select_related("run__playbook", "alert", "incident").filter(pk=approval_id).first()
    if approval is None or approval.status not in APPROVAL_OPEN:
        return
    again: ConnectorError | None = None
    for name, account in _channels(asked(approval)):
        if any(one.get("channel") == name and one.get("over") for one in approval.told):
            continue
        try:
            _send(approval, name, account)
        except ConnectorError as error:
            again = error
    if again is not None:
        raise again


def _channels(whom: Asked) -> Iterator[tuple[str, ConnectorAccount | None]]:
    if whom.recipients:
        yield "e-mail", notify.mail_account()
    for name in whom.channels:
        yield name, notify.channel_named(name)


def _send(approval: Approval, name: str, account: ConnectorAccount | None) -> None:
    """One channel. Raises ConnectorError if it is worth another try."""
    if account is None:
        _keep(approval, name, ok=False, text="It is not set up, or disabled.", over=True)
        return
    try:
        notify.send(account, message_of(approval), key=f"approval-{approval.pk}-{account.pk}", cause=approval.cause)
    except ConnectorError as error:
        over = error.permanent or error.outcome_unknown
        _keep(approval, name, ok=False, text=error.message, over=over)
        if not over:
            raise
    else:
        _keep(approval, name, ok=True, text="Sent.", over=True)


def _keep(approval: Approval, name: str, *, ok: bool, text: str, over: bool) -> None:
    others = [one for one in approval.told if one.get("channel") != name]
    approval.told = [*others, {"channel": name, "ok": ok, "text": text[:500], "at": iso(clock.now()), "over": over}]
    approval.save(update_fields=["told"])


def message_of(approval: Approval) -> Message:
    """The notice: what is to be done to what, until when, and where to decide."""
    alert: Alert | None = approval.alert
    tasks = list(ResponseTask.objects.filter(approval=approval).order_by("position", "pk")[:ROWS_AT_MOST])
    rows = tuple(Row(f"{label_of(task.action, task.capability)} {value_of(task)}", task.risk) for task in tasks)
    facts = [("Alert", f"{alert.number} {alert.title}")] if alert else []
    facts.append(("Decide until", iso(approval.expires_at) or ""))
    if approval.needed > 1:
        facts.append(("People needed", str(approval.needed)))
    if approval.reason:
        facts.append(("Reason", approval.reason))
    return Message(
        title=f"Approval needed: {approval.title}",
        type=APPROVAL,
        text=approval.question,
        facts=tuple(facts),
        sections=(Section("Actions", rows),) if rows else (),
        link=f"{settings.SOAR_URL}/approvals/{approval.pk}/",
        link_label="Look and decide",
        severity=Severity(alert.severity).word if alert else "",
        tlp=tlp_of(alert, approval.incident),
        thread=f"approval-{approval.pk}",
        prefix=str(approval.notify.get("subject_prefix") or ""),
        recipients=asked(approval).recipients,
    )
