"""The actions of a node as groups of ticks, each with its settings and, where it cannot be had, the reason."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from playbooks.builder.fields import Choice, Errors, Field, lines
from playbooks.builder.offers import Offers, TicketOffer
from playbooks.graph.actions import GROUPS, ActionSpec, Param, fitting
from playbooks.graph.model import ActionUse, Node
from soar.lib import parts

SPENDING = ("sandbox_file", "sandbox_url")
SET_UP = {
    "channels": "channel", "script": "script", "template": "template", "playbook": "playbook", "emails": "mail",
    "profile": "profile",
}  # fmt: skip
MAKE = {
    "channel": gettext_noop("Create a channel"),
    "script": gettext_noop("Upload a script"),
    "mail": gettext_noop("Set up e-mail"),
    "profile": gettext_noop("Create a ticket profile"),
}


@dataclass(frozen=True, slots=True)
class Deed:
    """One action. ``only``: the word of those that exclude one another ("": it may be ticked besides others).

    ``why``: why it cannot be had here; then it is offered only to be taken out. ``left``: what is left of a quota that
    it spends."""

    name: str
    label: str
    checked: bool
    only: str
    why: str
    fields: list[Field]
    left: str = ""

    @property
    def id(self) -> str:
        """The id of its tick."""
        return f"f-do-{self.name}"

    @property
    def disabled(self) -> bool:
        """It cannot be had, and it is not chosen either."""
        return bool(self.why) and not self.checked


@dataclass(frozen=True, slots=True)
class Group:
    """The actions on one kind of object."""

    name: str
    label: str
    deeds: list[Deed]
    error: str = ""
    url: str = ""

    @property
    def is_open(self) -> bool:
        """Something of it is chosen."""
        return any(deed.checked for deed in self.deeds)

    @property
    def lacking(self) -> bool:
        """Something of it cannot be had."""
        return any(deed.why for deed in self.deeds)

    @property
    def exclusive(self) -> list[Deed]:
        """Those of which one may be chosen."""
        return [deed for deed in self.deeds if deed.only]

    @property
    def free(self) -> list[Deed]:
        """Those that may be ticked besides one another."""
        return [deed for deed in self.deeds if not deed.only]

    @property
    def only(self) -> str:
        """The word of those that exclude one another."""
        return next((deed.only for deed in self.deeds if deed.only), "")

    @property
    def none_chosen(self) -> bool:
        """Of those that exclude one another none is chosen."""
        return not any(deed.checked for deed in self.exclusive)


def groups_of(node: Node, offers: Offers, errors: Errors) -> list[Group]:
    """The groups of an action node, in the order of the table."""
    specs = fitting(node.type)
    groups = [
        Group(name, _(label), _deeds(node, [spec for spec in specs if spec.group == name], offers, errors),
              url=offers.urls.get("connector", ""))
        for name, label in GROUPS.items()
        if any(spec.group == name for spec in specs)
    ]  # fmt: skip
    return groups


def notify_group(node: Node, offers: Offers, errors: Errors) -> Group:
    """The ways of telling."""
    deeds = _deeds(node, list(fitting(node.type)), offers, errors)
    return Group("notify", _("Tell by"), deeds, url=offers.urls.get("mail", ""))


def _deeds(node: Node, specs: list[ActionSpec], offers: Offers, errors: Errors) -> list[Deed]:
    return [_deed(node, spec, offers, errors) for spec in specs]


def _deed(node: Node, spec: ActionSpec, offers: Offers, errors: Errors) -> Deed:
    number = next((at for at, use in enumerate(node.actions) if use.action == spec.name), None)
    use = node.actions[number] if number is not None else ActionUse(spec.name)
    why = offers.lacking.get(spec.capability, "") if spec.capability else ""
    if spec.name == "email" and not offers.mail_ready:
        why = _("No e-mail server is set up.")
    fields = [
        _param(
            spec, param, use, offers, errors.at(f"actions.{number}.params.{param.name}") if number is not None else ""
        )
        for param in spec.params
    ]
    left = offers.sandbox if spec.capability in SPENDING else ""
    return Deed(spec.name, _(spec.label), number is not None, spec.exclusive, why, fields, left)


def _param(spec: ActionSpec, param: Param, use: ActionUse, offers: Offers, error: str) -> Field:
    name, value = f"{spec.name}.{param.name}", use.params.get(param.name, "")
    place = SET_UP.get(param.form, "")
    url = offers.urls.get(place, "") if place in MAKE and place != "mail" else ""
    common = {"error": error, "hint": _(param.hint) if param.hint else "", "most": param.most, "url": url}
    label = _(param.label)
    making = _(MAKE[place]) if url else ""
    if param.form == "channels":
        ticked = value if isinstance(value, list | tuple) else []
        ticks = [Choice(one, shown, one in ticked) for one, shown in offers.channels]
        return Field(name, label, "ticks", "", ticks, action=making, **common)  # type: ignore[arg-type]
    if param.form == "profile":
        return profile_field(name, label, str(value), offers, error, refreshes=True)
    if spec.name == "ticket":
        return _overriding(name, label, param, use, offers, error)
    if param.choices or param.form in ("user", "script", "template", "playbook"):
        pairs = [(word, parts.label(word)) for word in param.choices] or offers.of(param.form)
        return Field(name, label, "select", str(value), _options(str(value), pairs), action=making, **common)  # type: ignore[arg-type]
    if param.is_list:
        return Field(name, label, "lines", lines(value if isinstance(value, list | tuple) else []), **common)  # type: ignore[arg-type]
    form = param.form if param.form in ("number", "long") else "text"
    return Field(name, label, form, str(value), least=param.least, **common)  # type: ignore[arg-type]


def profile_field(
    name: str, label: str, value: str, offers: Offers, error: str, *, hint: str = "", refreshes: bool = False
) -> Field:
    """A ticket profile to choose, with the way to make one (response-playbooks.md 6, 23). ``refreshes``: another one
    brings other settings into the form."""
    url = offers.urls.get("profile", "")
    making = _(MAKE["profile"]) if url else ""
    known = next((one for one in offers.profiles if one.casefold() == value.casefold()), value)
    options = _options(known, offers.of("profile"))
    return Field(
        name, label, "select", known, options, error, hint, url=url, action=making, refreshes=refreshes, tells=refreshes
    )


def _overriding(name: str, label: str, param: Param, use: ActionUse, offers: Offers, error: str) -> Field:
    """A setting that the profile fills; what is typed over it counts for this playbook only."""
    chosen = str(use.params.get("profile", "")).casefold()
    offer = next((one for key, one in offers.profiles.items() if key.casefold() == chosen), TicketOffer(""))
    given, own = offer.loaded.get(param.name, ""), str(use.params.get(param.name, ""))
    hint = _(param.hint)
    if own and own != given:
        hint = _("For this playbook only; the profile has: %s") % (given or _("nothing"))
    elif given:
        hint = _("From the profile. What you type over it counts for this playbook only.")
    finds = offer.finds.get(param.name, "")
    return Field(name, label, "text", own or given, error=error, hint=hint, most=param.most, loaded=given, finds=finds)


def _options(value: str, pairs: list[tuple[str, str]]) -> list[Choice]:
    """What may be chosen; a value that is no longer there stays, marked, until another one is chosen."""
    known = any(one == value for one, _label in pairs)
    gone = [Choice(value, _("%s (not there)") % value, True)] if value and not known else []
    return [Choice("", _("Choose …"), not value), *gone, *(Choice(one, label, one == value) for one, label in pairs)]
