"""The places of the main navigation, in the order shown. A new feature adds its line here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.urls import NoReverseMatch, get_script_prefix, get_urlconf, reverse
from django.utils.functional import Promise
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from soar.lib import counts
from soar.lib.database import prepared

MOST = 99  # more are shown as "99+"
MADE_AT_MOST = 500
_made: dict[Any, counts.Selection] = {}


@dataclass(frozen=True)
class Entry:
    """One place: ``url_name`` to go to, ``permission`` needed to see it ("" = signed in is enough).

    ``key`` entries are also in the bar at the bottom of a phone; ``go`` is the letter after ``g`` (keyboard).
    ``under`` are further beginnings of paths on which this place is the current one. ``ask``: its figure says that a
    person is asked (settings.NAV_COUNTS).
    """

    url_name: str
    label: str | Promise
    icon: str
    permission: str = ""
    key: bool = False
    go: str = ""
    under: tuple[str, ...] = ()
    ask: bool = False


@dataclass(frozen=True)
class Group:
    """Some entries under a heading ("" = no heading)."""

    label: str | Promise
    entries: tuple[Entry, ...]


GROUPS = (
    Group(
        "",
        (
            Entry("home", _("Dashboard"), "dashboard", "accounts.view_cases", key=True, go="d"),
            Entry("alert-list", _("Alerts"), "alerts", "accounts.view_cases", key=True, go="a"),
            Entry(
                "incident-list",
                _("Incidents"),
                "incidents",
                "accounts.view_cases",
                key=True,
                go="i",
                under=("/tasks/", "/evidence/", "/exports/"),
            ),
            Entry("inbox", _("Inbox"), "notify", "accounts.view_cases", key=True, go="n", ask=True),
            Entry("hand-over", _("Hand-over"), "handover", "accounts.view_cases", go="x"),
        ),
    ),
    Group(
        _("Respond"),
        (
            Entry("playbook-list", _("Playbooks"), "playbooks", "accounts.view_cases", go="p"),
            Entry("run-list", _("Runs"), "runs", "accounts.view_cases", go="r"),
            Entry("approval-list", _("Approvals"), "approvals", "accounts.view_cases", go="v", ask=True),
            Entry("response-list", _("Response tasks"), "bolt", "accounts.view_cases", go="t"),
            Entry("blocklist", _("Block list"), "block", "accounts.view_cases", go="b"),
            Entry("observable-list", _("Observables"), "observables", "accounts.view_cases", go="o"),
            Entry("asset-list", _("Assets"), "laptop", "accounts.view_cases", go="h"),
            Entry("attack-matrix", "ATT&CK", "target", "accounts.view_cases", go="e"),
        ),
    ),
    Group(
        _("Connect"),
        (
            Entry("source-list", _("Sources"), "sources", "accounts.view_setup", go="s"),
            Entry("suppression-list", _("Suppression"), "mute", "accounts.view_cases", go="m"),
            Entry("connector-list", _("Connectors"), "connectors", "accounts.view_setup", go="c", ask=True),
            Entry("servicenow", "ServiceNow", "servicenow", "accounts.view_cases", go="k", ask=True),
            Entry("settings-home", _("Settings"), "settings", under=("/webhooks/", "/people/", "/audit/")),
        ),
    ),
)


@dataclass(frozen=True)
class Place:
    """An entry as one person sees it on one page."""

    entry: Entry
    url: str
    current: bool

    @property
    def counted(self) -> bool:
        """A figure may stand beside it, and change while the page is open (settings.NAV_COUNTS)."""
        return self.entry.url_name in settings.NAV_COUNTS


def url_or_none(name: str) -> str | None:
    """The address of a URL name, or None when this installation has no such page."""
    try:
        return address(name)
    except NoReverseMatch:
        return None


def address(name: str, *args: str | int) -> str:
    """``reverse``, done once for the same: a page names some hundreds of addresses, and the next one the same again.
    Raises NoReverseMatch."""
    return _reversed(name, args, get_urlconf(), get_script_prefix())


@lru_cache(maxsize=8192)
def _reversed(name: str, args: tuple[str | int, ...], _urlconf: str | None, _prefix: str) -> str:
    return reverse(name, args=args)


def places(user: AbstractBaseUser | AnonymousUser, path: str) -> Iterator[tuple[str | Promise, list[Place]]]:
    """Groups of places that exist and that ``user`` may open, seen from ``path``. Empty ones are left out."""
    for group in GROUPS:
        found = [place for entry in group.entries if (place := _place(entry, user, path))]
        if found:
            yield group.label, found


def counted(found: Iterable[Place], user: AbstractBaseUser | AnonymousUser) -> dict[str, str]:
    """The figures beside these places, by URL name, each of the rows that a function of the settings gives for it; none
    for those with nothing to count. One query, and one more for all of those where there may be something."""
    names = [place.entry.url_name for place in found if place.counted]
    figures = counts.counted(_selection(tuple(_with_reason(names, user)), user))
    return {name: f"{MOST}+" if number > MOST else str(number) for name, number in figures.items() if number}


def _selection(names: tuple[str, ...], user: AbstractBaseUser | AnonymousUser) -> counts.Selection:
    """What counts these for the person. Every page asks, and Django takes longer to make this SQL than the database to
    answer: it is made once for all that a person is, which is read anew for every request."""
    if not names:
        return "", []
    key = (names, import_string(settings.NAV_STANDING)(user))
    found = _made.get(key)
    if found is None:
        if len(_made) >= MADE_AT_MOST:
            _made.clear()
        rows = {name: import_string(settings.NAV_COUNTS[name])(user) for name in names}
        found = _made[key] = counts.selection(rows, MOST)
    return found


def _with_reason(names: list[str], user: AbstractBaseUser | AnonymousUser) -> list[str]:
    """Those where there may be something to count (settings.NAV_REASONS)."""
    conditions = [
        import_string(settings.NAV_REASONS[name]) if name in settings.NAV_REASONS else "true" for name in names
    ]
    if not names:
        return []
    with prepared() as cursor:
        row = cursor.execute(f"SELECT {', '.join(conditions)}", {"user": user.pk}, prepare=True).fetchone()
    return [name for name, there in zip(names, row or (), strict=True) if there]


def counts_url(counts: Iterable[tuple[Place, str | None]]) -> str:
    """Where the figures are asked for, with those that the page shows; "" where this person has none to see."""
    shown = [f"{place.entry.url_name}:{count or 0}" for place, count in counts if place.counted]
    return f"{reverse('nav-counts')}?{urlencode({'shown': ','.join(shown)})}" if shown else ""


def _place(entry: Entry, user: AbstractBaseUser | AnonymousUser, path: str) -> Place | None:
    if entry.permission and not user.has_perm(entry.permission) and not _granted(entry, user):  # type: ignore[union-attr]
        return None
    url = url_or_none(entry.url_name)
    return Place(entry, url, _is_current(entry, url, path)) if url else None


def _granted(entry: Entry, user: AbstractBaseUser | AnonymousUser) -> bool:
    """Whether something of this place is granted to the person by name (settings.NAV_GRANTED)."""
    asked = settings.NAV_GRANTED.get(entry.url_name)
    return bool(asked and user.is_authenticated and import_string(asked)(user))


def _is_current(entry: Entry, url: str, path: str) -> bool:
    return path == url if url == "/" else path.startswith((url, *entry.under))
