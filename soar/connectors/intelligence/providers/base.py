"""What every provider is made of: which values it knows of, how it is asked, and what its scores mean."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from django.utils.translation import gettext_noop as _

from soar.connectors.base import Connector, ConnectorError
from soar.connectors.kinds import Kind, Setting
from soar.lib import clock
from soar.lib.http import Answer, Limits, RemoteError, json_or_error

Scores = dict[str, Any]
HASHES = frozenset({"md5", "sha1", "sha256"})
PAUSE = timedelta(seconds=60)  # after "too many requests"
# How long an answer counts, by type of value: addresses change hands within hours, files never change.
KEPT_HOURS = {"ip": 6, "domain": 12, "url": 12, "md5": 72, "sha1": 72, "sha256": 72}
UNKNOWN_HOURS = 1  # what nobody knew may be known soon
# What a provider may be asked about, by TLP; the strictest words are never sent, whatever the setting.
TLP_ORDER = ("clear", "green", "amber")


@dataclass(frozen=True, slots=True)
class Opinion:
    """``effect``: malicious (over the threshold), weak, benign or context; ``text``: the score in words."""

    effect: str
    text: str


class Provider(Connector):
    """``about``: types of values. ``ask`` answers with scores, None for a value that the product does not know."""

    about: ClassVar[frozenset[str]]

    def ask(self, type_: str, value: str) -> Scores | None:
        """The raw scores of a normalised value. Raises ConnectorError when the product does not say."""
        raise ConnectorError(f"{self.account.name} cannot be asked.", permanent=True)

    def judge(self, scores: Scores) -> Opinion:
        """What the scores mean by the thresholds of the account; asks nobody."""
        raise ConnectorError(f"{self.account.name} has no scores.", permanent=True)

    def limits(self) -> Limits:
        """A person or a playbook waits: a slow provider is left behind."""
        seconds = min(self.account.timeout_seconds, 8)
        return Limits(connect=3.0, read=seconds, total=8.0, tries=2, longest_wait=1.0)

    def threshold(self, name: str, default: int) -> int:
        """A whole number among the settings."""
        given = self.account.settings.get(name, default)
        return given if isinstance(given, int) else default

    def keeps(self, type_: str, known: bool) -> timedelta:
        """How long an answer about this type counts as new."""
        hours = self.threshold("keep_hours", 0) or KEPT_HOURS.get(type_, 12)
        return timedelta(hours=hours if known else min(hours, UNKNOWN_HOURS))

    def spare(self) -> None:
        """Raise ConnectorError if the product has just said that it is asked too often."""
        last = self.account.attempts.order_by("-started_at").values("response", "finished_at").first()
        limited = last is not None and isinstance(last["response"], dict) and last["response"].get("status") == 429
        if limited and last["finished_at"] and last["finished_at"] > clock.now() - PAUSE:  # type: ignore[index]
            raise ConnectorError(f"{self.account.name} asked for a pause: too many requests.", permanent=False)

    def fetch(self, operation: str, method: str, path: str, *, missing: int = 404, **content: Any) -> Any:
        """The JSON of one call; None when the product answers, in JSON, with the status ``missing``: not known.

        Raises ConnectorError for anything else."""
        answer = self.call(operation, method, path, idempotent=True, fine=(missing,), **content)
        if answer.status == missing and answer.media_type == "application/json":
            return None
        if sentence := self._refusal(answer):
            raise ConnectorError(sentence, permanent=answer.status != 429, status=answer.status)
        try:
            found = json_or_error(answer)
        except RemoteError as error:
            raise ConnectorError.of(error) from None
        if not isinstance(found, dict):
            raise ConnectorError(f"{self.account.name} answered with no object.", permanent=True)
        return found

    def _refusal(self, answer: Answer) -> str:
        if answer.status in (401, 403):
            return f"{self.account.name} refuses the key ({answer.status})."
        return f"{self.account.name} has no more calls for us now (429)." if answer.status == 429 else ""


def part(data: Any, *names: str) -> Any:
    """The member of nested objects, None where there is none."""
    for name in names:
        data = data.get(name) if isinstance(data, dict) else None
    return data


def number(data: Any, *names: str) -> int:
    """A member that is a number, also one in quotes; 0 where there is none."""
    found = part(data, *names)
    if isinstance(found, str) and found.isascii() and found.isdigit() and len(found) < 10:
        return int(found)
    return int(found) if isinstance(found, int | float) and not isinstance(found, bool) else 0


def provider_kind(
    connector: type[Provider],
    label: str,
    url: str,
    *settings: Setting,
    a_minute: int = 0,
    a_day: int = 0,
) -> Kind:
    """A line of the registry: the settings that all providers have, and ``settings`` of this one."""
    return Kind(
        name=connector.kind,
        label=label,
        connector=connector,
        summary=_("Ratings of values"),
        address=Setting("url", _("Address of its API"), form="url", required=True, default=url),
        settings=(
            *settings,
            Setting(
                "tlp",
                _("The most restricted TLP whose values are sent; AMBER+STRICT and RED never are"),
                form="choice",
                choices=TLP_ORDER,
                default="amber",
            ),
            Setting(
                "strip_query",
                _("Leave out what follows ? in URLs: it may hold secrets"),
                form="flag",
                default=True,
            ),
            Setting("keep_hours", _("Hours that an answer counts; 0: by type"), form="number", default=0),
            Setting(
                "rate_per_minute",
                _("Calls a minute at most; 0 is no limit"),
                form="number",
                default=a_minute,
            ),
            Setting("rate_per_day", _("Calls a day at most; 0 is no limit"), form="number", default=a_day),
            Setting(
                "timeout_seconds",
                _("Longest silence, in seconds (at most 8 count)"),
                form="number",
                default=8,
            ),
        ),
        secrets=(Setting("token", _("API key"), required=True),),
    )
