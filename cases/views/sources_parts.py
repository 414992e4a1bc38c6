"""What the pages of sources show: state with its reason, tokens, the line for a first try."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.actions.manual import HAND_SOURCE
from cases.ingest.registry import KINDS
from cases.ingest.samples import sample_of
from cases.models import AlertPull, AlertSource, SourceToken
from cases.silence import limit_of

# A token that ends within this time is shown in the tone of a warning.
SOON = timedelta(days=14)


class State(NamedTuple):
    """How a source does: the class of the badge, its sign, a word, and the reason where there is one."""

    tone: str
    sign: str
    word: Any
    reason: str = ""


OFF = State("is-no_action", "st-no_action", gettext_lazy("Off"))
WAITING = State("is-queued", "st-queued", gettext_lazy("Waiting"))
SILENT = State("is-at_risk", "mute", gettext_lazy("Silent"))
RECEIVING = State("is-successful", "st-successful", gettext_lazy("Receiving"))
REFUSED = State("is-unsuccessful", "st-unsuccessful", gettext_lazy("Refused"))
TOKENLESS = State("is-no_action", "st-no_action", gettext_lazy("No token yet"))
ENDED = State("is-at_risk", "warn", gettext_lazy("Token ended"))
UNREAD = State("is-unsuccessful", "st-unsuccessful", gettext_lazy("Not read"))
TO_LOOK_AT = (REFUSED.tone, ENDED.tone)


def state_of(source: AlertSource, tokens: Sequence[SourceToken], now: datetime) -> State:
    """The state of a source and why. ``tokens`` are all of its tokens."""
    if not source.enabled:
        return OFF._replace(reason=_("All deliveries are refused while it is off."))
    if source.last_error_at and (source.last_seen_at is None or source.last_error_at > source.last_seen_at):
        return REFUSED._replace(reason=source.last_error)
    pull = pull_of(source)
    if source.silent_since and not (pull and pull.enabled and pull.last_error):
        return SILENT._replace(reason=_silent_reason(source))
    if pull and pull.enabled:
        return _read_state(source, pull)
    return _token_state(source, tokens, now)


def _silent_reason(source: AlertSource) -> str:
    limit = limit_of(source)
    since = f"{source.silent_since:%Y-%m-%d %H:%M} UTC"
    if limit is None:
        return _("Nothing since %s.") % since
    return _("Nothing since %(since)s; more than %(limit)s is long for it.") % {"since": since, "limit": span(limit)}


def span(seconds: float) -> str:
    """A time as people say it: 45 min, 6 h, 3 d."""
    if seconds < 2 * 3600:
        return _("%s min") % round(seconds / 60)
    return _("%s h") % round(seconds / 3600) if seconds < 48 * 3600 else _("%s d") % round(seconds / 86400)


def silence_of(source: AlertSource) -> str:
    """When it counts as silent, for its page."""
    if not source.silence_warns:
        return _("no warning")
    limit = limit_of(source)
    if limit is None:
        return _("is being learnt")
    return (_("after %s") if source.silence_minutes else _("after %s, as learnt")) % span(limit)


def pull_of(source: AlertSource) -> AlertPull | None:
    """How it is read from its product; None if it is not."""
    pull: AlertPull | None = getattr(source, "pull", None)
    return pull


def _read_state(source: AlertSource, pull: AlertPull) -> State:
    """Of a source that is read: whether it can be, and whether anything has come."""
    if pull.last_error:
        return UNREAD._replace(reason=pull.last_error)
    if source.last_seen_at is None:
        return WAITING._replace(reason=_("Nothing has come yet."))
    return RECEIVING


def _token_state(source: AlertSource, tokens: Sequence[SourceToken], now: datetime) -> State:
    """Of a source that is sent to: whether anything may come, and whether it has."""
    if not tokens:
        return TOKENLESS._replace(reason=_("Nothing can be sent to it before a token is made."))
    if not any(works(token, now) for token in tokens):
        ended = max((token.expires_at for token in tokens if token.expires_at and not token.revoked_at), default=None)
        why = _("Its token ended %s.") % f"{ended:%Y-%m-%d %H:%M} UTC" if ended else _("It has no token that works.")
        return ENDED._replace(reason=why + " " + _("Make a new one."))
    if source.last_seen_at is None:
        return WAITING._replace(reason=_("Nothing has come yet."))
    return RECEIVING


def works(token: SourceToken, now: datetime) -> bool:
    """Whether a delivery may bear this token now."""
    return token.revoked_at is None and (token.expires_at is None or token.expires_at > now)


def token_row(token: SourceToken, now: datetime) -> dict[str, Any]:
    """A token for the list: its beginning, its state, whether it ends soon."""
    return {
        "pk": token.pk,
        "prefix": token.prefix,
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "revoked_at": token.revoked_at,
        "works": works(token, now),
        "soon": bool(token.expires_at and now < token.expires_at < now + SOON),
    }


def kind_label(name: str) -> str:
    """The name of a kind for people."""
    return KINDS[name].label if name in KINDS else name


def ingest_url(source: AlertSource) -> str:
    """Where the sender posts to."""
    return f"{settings.SOAR_URL}/api/v1/ingest/{source.slug}/"


def curl_of(source: AlertSource, token: str = "") -> str:
    """A line for a shell that posts a file; the token stands in it only while it is shown."""
    bearer = shlex.quote(f"Authorization: Bearer {token}") if token else '"Authorization: Bearer $SOAR_TOKEN"'
    lines = ["curl -X POST", f"  -H {bearer}", '  -H "Content-Type: application/json"']
    if source.hmac_secret:
        lines.append(
            '  -H "X-Webhook-Signature: sha256=$(openssl dgst -sha256 -hmac "$SECRET" -r alert.json | cut -c1-64)"'
        )
    lines += ["  --data-binary @alert.json", f"  {ingest_url(source)}"]
    return " \\\n".join(lines)


def sample_text(source: AlertSource) -> str:
    """The sample of the source's kind."""
    return sample_of(source.kind)


def is_real(source: AlertSource) -> bool:
    """Not the source of alerts made by hand, which nothing can post to."""
    return source.slug != HAND_SOURCE
