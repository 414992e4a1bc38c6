"""E-mail: one mail per message, with an attempt like every call (connectors.md 3)."""

from __future__ import annotations

from email.message import EmailMessage
from email.utils import parseaddr
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings as portal
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from soar.connectors import attempts
from soar.connectors.base import ConnectorError
from soar.connectors.capabilities import Result
from soar.connectors.channel import CLEARED, Channel
from soar.connectors.kinds import Kind, Setting
from soar.connectors.messages import Message
from soar.connectors.smtp.mail import checked_recipients, domain_of, is_address, mail_of
from soar.lib import smtp
from soar.lib.http import RemoteError

PORTS = {smtp.TLS: 465, smtp.NONE: 25, smtp.STARTTLS: 587, smtp.AUTO: 587}


class SmtpConnector(Channel):
    """``repeatable``: a mail that comes twice has one Message-ID, by which mailboxes show it once."""

    kind = "smtp"
    mail = True
    repeatable = True

    def check(self) -> str:
        """Connect, encrypt, sign in. No mail is sent. Raises ConnectorError."""
        self._ready()
        attempt = attempts.begin(self.account, "test", {"url": self._shown_url()}, key="", cause=self.cause)
        found: str = self._watched(attempt, lambda: smtp.greet(self.server()))
        attempts.succeed(attempt, {"message": found})
        return found

    def deliver(self, message: Message, *, key: str) -> Result:
        """Hand it in. Raises ConnectorError."""
        self._ready()
        recipients = self.recipients(message)
        self._check_sender()
        request = {"url": self._shown_url(), "from": self.sender(), "to": recipients, "subject": message.title}
        attempt = attempts.begin(
            self.account, f"mail: {message.type}", request, key=key, cause=self.cause, thread=message.thread
        )
        mail = mail_of(message, self.sender(), recipients, key, first=self._is_first(message.thread, key))
        sender = parseaddr(self.sender())[1]
        receipt = self._watched(attempt, lambda: smtp.deliver(self.server(), sender, recipients, mail.as_bytes()))
        answer = {"reply": receipt.reply, "refused": receipt.refused, "message_id": mail["Message-ID"]}
        attempts.succeed(attempt, answer)
        taken = len(recipients) - len(receipt.refused)
        words = f"Handed in for {taken} of {len(recipients)} recipients." if receipt.refused else "Handed in."
        return Result("done", words, remote="accepted", request=_shown(mail), answer=answer)

    def request_of(self, message: Message) -> dict[str, Any]:
        """The mail as it would be. Raises ConnectorError for recipients that are none."""
        self._check_sender()
        mail = mail_of(message, self.sender(), self.recipients(message), "rehearsal", first=False)
        return {"method": "SMTP", "url": self._shown_url(), **_shown(mail)}

    def recipients(self, message: Message) -> list[str]:
        """Those of the message, else those of the account. Raises ConnectorError."""
        own = str(self.account.settings.get("recipients", "")).split(",")
        return checked_recipients(list(message.recipients) or own)

    def sender(self) -> str:
        """The address that stands as sender."""
        return str(self.account.settings.get("sender", "")) or _own_address()

    def server(self) -> smtp.MailServer:
        """Where it is handed in."""
        account, parts = self.account, urlsplit(str(self.account.settings.get("url", "")))
        security = smtp.TLS if parts.scheme == "smtps" else str(account.settings.get("security", smtp.AUTO))
        return smtp.MailServer(
            parts.hostname or "",
            parts.port or PORTS[security],
            security,
            verify=account.verify_tls,
            authority=self.authority(),
            allow_internal=account.allow_internal,
            username=str(account.secrets.get("username", "")),
            password=str(account.secrets.get("password", "")),
            seconds=float(account.timeout_seconds),
            name=domain_of(self.sender()),
        )

    def _is_first(self, thread: str, key: str) -> bool:
        """Whether the oldest attempt of the thread is one of this very mail."""
        oldest = self.account.attempts.filter(thread=thread[:200]).order_by("pk").first() if thread else None
        return oldest is not None and oldest.idempotency_key == key[:200]

    def _watched(self, attempt: Any, act: Any) -> Any:
        try:
            return act()
        except RemoteError as error:
            attempts.fail(attempt, error)
            raise ConnectorError.of(error) from None
        except BaseException:
            attempts.lose(attempt)
            raise

    def _ready(self) -> None:
        if self.dry_run:
            raise ConnectorError("In a dry run nothing is sent.", permanent=True)
        if not self.account.enabled:
            raise ConnectorError(f"The connector {self.account.name} is disabled.", permanent=True)

    def _check_sender(self) -> None:
        if not is_address(parseaddr(self.sender())[1]):
            raise ConnectorError(f"{self.account.name} has no sender's address.", permanent=True)

    def _shown_url(self) -> str:
        server = self.server()
        return f"{'smtps' if server.security == smtp.TLS else 'smtp'}://{server.host}:{server.port}"


def problems(settings: dict[str, Any], secrets: dict[str, Any]) -> dict[str, str]:
    """What is wrong with the values together, by name."""
    found = {}
    if settings["proxy"]:
        found["proxy"] = _("Mail does not go through a proxy.")
    if settings["sender"] and not is_address(parseaddr(settings["sender"])[1]):
        found["sender"] = _("This is no mail address.")
    if urlsplit(settings["url"]).scheme == "smtps" and settings["security"] not in (smtp.AUTO, smtp.TLS):
        found["security"] = _("smtps:// is TLS from the start; write smtp:// for anything else.")
    try:
        checked_recipients([one for one in settings["recipients"].split(",") if one.strip()] or ["a@b.example"])
    except ConnectorError as error:
        found["recipients"] = error.message
    return found


def _own_address() -> str:
    host = urlsplit(portal.SOAR_URL).hostname or ""
    return f"soar@{host}" if is_address(f"soar@{host}") else "soar@soar.localdomain"


def _shown(mail: EmailMessage) -> dict[str, Any]:
    names = ("From", "To", "Subject", "Message-ID", "In-Reply-To")
    text = mail.get_body(("plain",))
    headers = {name: str(mail[name]) for name in names if mail[name]}
    return {"headers": headers, "body": text.get_content() if text else ""}


KIND = Kind(
    name="smtp",
    label=gettext_noop("E-mail (SMTP)"),
    connector=SmtpConnector,
    address=Setting(
        "url", gettext_noop("Mail server, smtp://host:587 or smtps://host:465"), "url", True, schemes=("smtps", "smtp")
    ),
    rules=problems,
    settings=(
        CLEARED,
        Setting(
            "security",
            gettext_noop("Encryption: automatic is STARTTLS, which only a server on this machine may lack"),
            "choice",
            choices=smtp.SECURITY,
            default=smtp.AUTO,
        ),
        Setting("sender", gettext_noop("Sender, as in Soar <soar@example.org>; empty: soar@ this portal's host")),
        Setting("recipients", gettext_noop("Recipients when a message names none, separated by commas")),
    ),
    secrets=(Setting("username", gettext_noop("User name")), Setting("password", gettext_noop("Password"))),
)
