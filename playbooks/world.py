"""What this portal has, for the validator of graphs and for the builder's form. Read here, judged there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import urlencode

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from cases.choices import Severity
from cases.models import AlertSource, TicketProfile
from playbooks.builder.offers import Offers, TicketOffer
from playbooks.graph.actions import ACTIONS
from playbooks.graph.world import ScriptFacts, World
from playbooks.models import Playbook
from playbooks.stock import Stock
from soar.accounts.membership import may
from soar.accounts.models import User
from soar.connectors import quota, registry
from soar.connectors.models import ConnectorAccount
from soar.connectors.selectors import usable_by
from soar.lib.clock import zones

OWN = frozenset({"block"})  # the built-in block list does it
# Where things are set up, by what is lacking; the first page that this installation has.
PLACES = {
    "connector": ("connector-kinds", "connector-list"),
    "channel": ("connector-kinds", "connector-list"),
    "mail": ("connector-kinds", "connector-list"),
    "script": ("script-list",),
    "template": ("template-list",),
    "never_touch": ("never-touch-list",),
    "profile": ("servicenow-profile-create",),
    "source": ("source-list",),
}


def world_of(playbook: Playbook | None = None, user: User | None = None, stock: Stock | None = None) -> World:
    """The world as the validator needs it. ``playbook``: whose own name is not taken. ``user``: whose connectors count;
    None is all of them. ``stock``: what was read for this answer already. Eight queries, one more with a user."""
    stock = stock or Stock()
    names = {one.name: one.kind for one in stock.playbooks if playbook is None or one.pk != playbook.pk}
    served, why_not = _capabilities(stock.accounts if user is None else usable_by(user))
    return World(
        models={name: [Severity(severity).word] for name, severity in stock.models},
        users={one.username for one in stock.people},
        served=served,
        why_not=why_not,
        channels=stock.channels,
        mail_ready=stock.mail_ready,
        scripts={one.name: ScriptFacts(one.language, tuple(one.systems)) for one in stock.scripts},
        templates=stock.templates,
        playbooks=names,
        names_taken=list(names),
        delivers=delivers(),
        calls=stock.calls,
        profiles={row.name: why_no_ticket(row) for row in stock.profiles},
    )


def why_no_ticket(profile: TicketProfile) -> str:
    """Why no ticket can be made by the profile now, as the end of a sentence; "" if one can."""
    if not profile.enabled:
        return _("it is disabled")
    account = profile.instance.account
    return "" if account.enabled else _("the connector %s is disabled") % account.name


def delivers() -> bool:
    """Whether an enabled source delivers endpoint or e-mail detections (response-playbooks.md 1)."""
    words = AlertSource.objects.filter(enabled=True).values_list("delivers", flat=True)
    return any({"endpoint", "email", "both"} & {word.strip() for word in text.split(",")} for text in words)


def served_for(user: User) -> tuple[frozenset[str], Mapping[str, str]]:
    """What can be done with the connectors that the person may use, and why something cannot be (as the end of a
    sentence) although a connector of the kind is there."""
    return _capabilities(usable_by(user))


def _capabilities(accounts: Iterable[ConnectorAccount]) -> tuple[frozenset[str], Mapping[str, str]]:
    """What these connectors can do, and why something cannot be done although a connector of the kind is there."""
    served = set(OWN)
    off: dict[str, str] = {}
    for account in accounts:
        if account.enabled:
            served |= registry.offered(account)
        else:
            off |= dict.fromkeys(registry.offered(account), _("the connector %s is disabled") % account.name)
    return frozenset(served), {name: why for name, why in off.items() if name not in served}


def offers_of(user: User | None = None, back: str = "", stock: Stock | None = None) -> Offers:
    """What the builder's form offers to choose from. ``back``: the page that a ticket profile is made for. ``stock``:
    what was read for this answer already."""
    stock = stock or Stock()
    served, why_not = _capabilities(stock.accounts if user is None else usable_by(user))
    everything = {spec.capability for spec in ACTIONS.values() if spec.capability}
    lacking = {
        name: _sentence(why_not.get(name) or _("no connector that can do it is set up")) for name in everything - served
    }
    return Offers(
        models=[(name, Severity(severity).word) for name, severity in stock.models],
        people=[(one.username, one.display_name()) for one in stock.people],
        channels=[(name, name) for name in stock.channels],
        scripts=[(one.name, f"{one.name} ({one.language})") for one in stock.scripts],
        templates=[(name, name) for name in stock.templates],
        playbooks=[(one.name, one.name) for one in stock.playbooks if one.kind == "python" and one.present],
        profiles={row.name: _offer(row) for row in stock.profiles},
        lacking=lacking,
        urls={name: place(name) for name in PLACES} | {"profile": _profile_page(user, back)},
        mail_ready=stock.mail_ready,
        sandbox=quota.left(user) if served & {*quota.ACTIONS} else "",
        zones=_zones(),
    )


def _offer(profile: TicketProfile) -> TicketOffer:
    why = why_no_ticket(profile)
    loaded = {
        "assignment_group": label_of_reference(profile.assignment_group),
        "assigned_to": label_of_reference(profile.assigned_to),
        "short_description": profile.short_description,
    }
    found = {"assignment_group": "groups", "assigned_to": "users"}
    finds = {name: reverse("servicenow-find", args=[profile.instance.slug, what]) for name, what in found.items()}
    return TicketOffer(f"{profile.name} ({why})" if why else profile.name, loaded, finds)


def label_of_reference(reference: Mapping[str, str]) -> str:
    """What people read of a group or person of a ticket profile."""
    return str(reference.get("label") or reference.get("value") or "")


def _profile_page(user: User | None, back: str) -> str:
    """Where this person makes a ticket profile, and comes back from."""
    url = place("profile") if user is None or may(user, "manage_connectors") else ""
    return f"{url}?{urlencode({'next': back})}" if url and back else url


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def _zones() -> list[str]:
    return [name for name in zones() if "/" in name and not name.startswith(("Etc/", "posix"))]


def place(what: str) -> str:
    """Where something is set up; "" in an installation without such a page."""
    for name in PLACES.get(what, ()):
        try:
            return reverse(name)
        except NoReverseMatch:
            continue
    return ""
