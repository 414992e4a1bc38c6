"""Forms of people, teams and roles; the actions check what is typed once more."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from soar.accounts.authority import BEING_ADMIN, RIGHTS, held, rights_of_roles
from soar.accounts.models import Role, Team, User


class PersonForm(forms.Form):
    """Who somebody is, what they may and whom they work with."""

    username = forms.CharField(label=_("User name"), max_length=150)
    username.widget = forms.TextInput({"autocomplete": "off", "spellcheck": "false", "class": "mono"})
    username.help_text = _("Letters, digits and @ . + - _. It stays as it is.")
    first_name = forms.CharField(label=_("First name"), max_length=150, required=False)
    last_name = forms.CharField(label=_("Last name"), max_length=150, required=False)
    email = forms.CharField(label=_("E-mail"), max_length=254, required=False, widget=forms.EmailInput)
    roles = forms.MultipleChoiceField(label=_("Roles"), required=False, widget=forms.CheckboxSelectMultiple)
    teams = forms.MultipleChoiceField(label=_("Teams"), required=False, widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, actor: User, person: User | None = None, service: bool = False, **more: Any) -> None:
        super().__init__(*args, **more)
        if person is not None:
            del self.fields["username"]
        if service:
            self.fields["first_name"].label, self.fields["first_name"].help_text = _("Name"), _("What it is for.")
            del self.fields["last_name"]
        has = {group.pk for group in person.groups.all()} if person else set()
        _choose(self, "roles", [(role.group.name, role.group.name) for role in offered_roles(actor, has, service)])
        _choose(self, "teams", [(team.name, team.name) for team in Team.objects.all()])

    def for_action(self) -> dict[str, Any]:
        """What was typed, by the names that the actions take."""
        return {name: self.cleaned_data[name] for name in self.fields}


class NameForm(forms.Form):
    """A team."""

    name = forms.CharField(label=_("Name"), max_length=100)


class MoveForm(forms.Form):
    """Where the things of a team go that is removed."""

    move_to = forms.ChoiceField(label=_("What belongs to it goes to"), required=False)

    def __init__(self, *args: Any, team: Team, **more: Any) -> None:
        super().__init__(*args, **more)
        others = [(one.name, one.name) for one in Team.objects.exclude(pk=team.pk)]
        _choose(self, "move_to", [*others, ("", _("no team: everybody who sees cases sees it"))])


class HandOverForm(forms.Form):
    """Who takes over what somebody owns."""

    to = forms.ChoiceField(label=_("To"))

    def __init__(self, *args: Any, person: User, **more: Any) -> None:
        super().__init__(*args, **more)
        people = User.objects.filter(is_active=True, is_service=False).exclude(pk=person.pk)
        rows = people.order_by("first_name", "username")[:1000]
        _choose(self, "to", [("", _("choose")), *((user.username, user.display_name()) for user in rows)])


class RoleForm(forms.Form):
    """A role of one's own."""

    name = forms.CharField(label=_("Name"), max_length=100)
    description = forms.CharField(label=_("What it is for"), max_length=500, required=False)
    permissions = forms.MultipleChoiceField(label=_("May"), required=False, widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, actor: User, role: Role | None = None, **more: Any) -> None:
        super().__init__(*args, **more)
        mine = held(actor) | (rights_of_roles([role]) if role else frozenset())
        _choose(self, "permissions", [(name, gettext(text)) for name, text in RIGHTS.items() if name in mine])


def offered_roles(actor: User, has: set[int], service: bool) -> list[Role]:
    """Roles that the actor can give, and those that the person has (by the ids of their groups)."""
    mine = held(actor)
    rows = Role.objects.select_related("group").prefetch_related("group__permissions").order_by("-builtin", "pk")
    return [role for role in rows if role.group_id in has or (_gives(role) <= mine and not (service and _admin(role)))]


def _gives(role: Role) -> frozenset[str]:
    names = {one.codename for one in role.group.permissions.all()} & RIGHTS.keys()
    return frozenset(names | ({BEING_ADMIN} if _admin(role) else set()))


def _admin(role: Role) -> bool:
    return role.group.name == "Admin"


def _choose(form: forms.Form, name: str, choices: list[tuple[Any, Any]]) -> None:
    field = form.fields[name]
    assert isinstance(field, forms.ChoiceField)
    field.choices = choices
