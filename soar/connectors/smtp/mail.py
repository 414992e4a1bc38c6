"""A message as a mail: text and HTML, a stable Message-ID, threads, and the marks of what no person has written."""

from __future__ import annotations

import re
import uuid
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr, parseaddr

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from soar.connectors.errors import ConnectorError
from soar.connectors.messages import Message
from soar.connectors.rendering import as_html, as_text
from soar.lib import clock

MOST_RECIPIENTS = 100
IDS = uuid.UUID("5d6c2a4e-54f3-4b8e-9d5c-6b0f7b7c2f31")
# 7bit: whatever is beyond ASCII is encoded, so that no server on the way has to be able to take it.
# Long lines: a subject of just over one line would be folded before its first word, and read with a space there.
POLICY = SMTP.clone(cte_type="7bit", max_line_length=400)
ONE_LINE = re.compile(r"[\r\n\x00]+")


def mail_of(message: Message, sender: str, recipients: list[str], key: str, *, first: bool) -> EmailMessage:
    """The mail. ``key`` makes its Message-ID, the same in every try; the ``first`` of a thread has the thread's own,
    to which all later ones refer."""
    domain = domain_of(sender)
    root = thread_id(message.thread, domain)
    mail = EmailMessage(policy=POLICY)
    mail["Subject"] = subject_of(message)
    mail["From"] = formataddr(parseaddr(sender))
    mail["To"] = ", ".join(recipients)
    mail["Date"] = format_datetime(clock.now())
    mail["Message-ID"] = root if message.thread and first else message_id(message.thread, key, domain)
    if message.thread and not first:
        mail["In-Reply-To"] = mail["References"] = root
    mail["List-Id"] = f"Soar <soar.{domain}>"
    if message.manage:
        mail["List-Unsubscribe"] = f"<{message.manage}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["Precedence"] = "bulk"
    mail["X-Auto-Response-Suppress"] = "All"
    mail.set_content(as_text(message))
    mail.add_alternative(as_html(message), subtype="html")
    return mail


def subject_of(message: Message) -> str:
    """The prefix exactly as it was typed, then the title; one line."""
    prefix = ONE_LINE.sub("", message.prefix)
    gap = "" if not prefix or prefix[-1].isspace() else " "
    return prefix + gap + " ".join(message.title.split())


def thread_id(thread: str, domain: str) -> str:
    """The Message-ID of a thread's first mail."""
    return f"<{_plain(thread)}.{uuid.uuid5(IDS, f'thread {thread} {domain}').hex}@{domain}>"


def message_id(thread: str, key: str, domain: str) -> str:
    """The Message-ID of one mail: the same for the same key."""
    unique = uuid.uuid5(IDS, f"mail {key} {domain}") if key else uuid.uuid4()
    return f"<{_plain(thread) or 'soar'}.{unique.hex}@{domain}>"


def checked_recipients(given: list[str]) -> list[str]:
    """Each address once, in order. Raises ConnectorError for none, too many, and what is no address."""
    found = list(dict.fromkeys(one.strip() for one in given if one.strip()))
    if not found:
        raise ConnectorError("The mail has no recipient.", permanent=True)
    if len(found) > MOST_RECIPIENTS:
        raise ConnectorError(f"A mail has at most {MOST_RECIPIENTS} recipients.", permanent=True)
    for one in found:
        if not is_address(one):
            raise ConnectorError(f"{one[:100]!r} is no mail address.", permanent=True)
    return found


def is_address(text: str) -> bool:
    """Whether mail can be sent to it. Addresses beyond ASCII need servers that can take them; few can."""
    try:
        validate_email(text)
    except ValidationError:
        return False
    return text.isascii()


def domain_of(sender: str) -> str:
    """What stands behind the @."""
    return parseaddr(sender)[1].rpartition("@")[2]


def _plain(thread: str) -> str:
    return re.sub(r"[^A-Za-z0-9-]+", "-", thread)[:60].strip("-")
