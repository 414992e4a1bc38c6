"""The mail messages of an alert: what is told of them on its page, and their bytes, which no browser shows."""

from __future__ import annotations

import io
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from cases.evidence_zip import zip_length, zipped
from cases.kept_messages import Kept, kept_of, message_of, name_of
from cases.models import Alert, AlertMessage
from cases.permissions import alert_for
from cases.views.evidence_file import AS_ZIP, dressed
from cases.views.parts import person_of, signed_in_reader
from soar.accounts.models import User
from soar.lib.text import defang

Context = dict[str, Any]


def mails(user: User, alert: Alert) -> Context:
    """The region of the alert's page. ``mails``: sender, reporter, subject, size, hash and attachments of each."""
    return {"mails": [_shown(one) for one in kept_of(alert)]}


def _shown(one: Kept) -> Context:
    """Addresses are defanged: nobody shall mail the sender by a slip of the mouse."""
    return {
        "sha256": one.sha256,
        "size": one.size,
        "received_at": one.received_at,
        "is_told": bool(one.told),
        "subject": one.subject,
        "sender": defang(one.sender, "email"),
        "reporter": one.reporter,
        "attachments": one.attachments,
    }


@signed_in_reader
@require_safe
def alert_message(request: HttpRequest, number: str) -> HttpResponse:
    """A message as a download. ``?sha256=`` names it, without that it is the first; ``?as=zip`` packs it."""
    alert = alert_for(person_of(request), number)
    return message_answer(request, alert, request.GET.get("sha256", ""), as_zip=request.GET.get("as") == AS_ZIP)


def message_answer(request: HttpRequest, alert: Alert, sha256: str = "", *, as_zip: bool = False) -> HttpResponse:
    """The message, or a zip of it under the password "infected". Raises Missing."""
    message = message_of(alert, sha256)
    name = name_of(alert, message)
    size = zip_length(name, message.size) if as_zip else message.size
    answer = HttpResponse() if request.method == "HEAD" else HttpResponse(_body(message, name if as_zip else ""))
    # Or it would be packed on the way, and its length would be another.
    request.META.pop("HTTP_ACCEPT_ENCODING", None)
    dressed(answer, f"{name}.zip" if as_zip else name, size, message)
    return answer


def _body(message: AlertMessage, zip_name: str) -> bytes:
    content = bytes(message.content)
    return b"".join(zipped(zip_name, len(content), io.BytesIO(content))) if zip_name else content
