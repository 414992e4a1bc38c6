"""Forms of a grant: whom, which level, until when, why."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib.auth.models import Group
from django.db.models import Q, QuerySet
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from soar.accounts.access.actions import KEEP
from soar.accounts.access.kinds import Grantable
from soar.accounts.access.rows import Holder
from soar.accounts.models import User
from soar.accounts.models.grant import REASON_AT_MOST
from soar.lib import clock
from soar.lib.errors import Refused

DAYS = (
    ("", _("No end")),
    ("1", _("In a day")),
    ("7", _("In 7 days")),
    ("30", _("In 30 days")),
    ("90", _("In 90 days")),
)
GROUP = "group:"
OFFERED = 12


class GrantForm(forms.Form):
    """A new grant."""

    who = forms.CharField(label=_("Person or group"), max_length=150, error_messages={"required": _("Name somebody.")})
    level = forms.ChoiceField(label=_("Level"))
    days = forms.ChoiceField(label=_("Until"), choices=DAYS, required=False)
    reason = forms.CharField(label=_("Reason"), max_length=REASON_AT_MOST, required=False)

    def __init__(
        self, *args: Any, kind: Grantable, url: str, levels: Iterable[str] | None = None, **kwargs: Any
    ) -> None:
        """``levels`` are those that are offered, all without it; for another one the action says why it is refused."""
        super().__init__(*args, **kwargs)
        level, who = self.fields["level"], self.fields["who"]
        assert isinstance(level, forms.ChoiceField)
        level.choices = [(name, name) for name in kind.levels]
        level.widget.choices = [(name, name) for name in (kind.levels if levels is None else levels)]
        who.widget.attrs |= {
            "list": "holders",
            "autocomplete": "off",
            "hx-get": url,
            "hx-trigger": "input changed delay:200ms, focus once",
            "hx-target": "#holders",
            "hx-swap": "innerHTML",
        }
        self.fields["reason"].help_text = str(_("Stands in the audit log."))

    def clean_who(self) -> Holder:
        """The person or group that the text names."""
        try:
            return holder_of(self.cleaned_data["who"])
        except Refused as error:
            raise forms.ValidationError(error.message) from error

    def expires_at(self) -> datetime | None:
        """When the grant ends."""
        return end_of(self.cleaned_data["days"])


def end_of(days: str) -> datetime | None:
    """The end that a choice of ``DAYS`` means. Raises Refused for another."""
    if days not in dict(DAYS):
        raise Refused(gettext("Choose one of the ends."), field="days")
    return clock.now() + timedelta(days=int(days)) if days else None


def end_given(days: str) -> Any:
    """The same in a row of the list, where ``keep`` leaves the end as it is."""
    return KEEP if days == "keep" else end_of(days)


def holder_of(text: str) -> Holder:
    """Whom a text means: a user name, ``group:`` and a group's name, a group's name, or a full name that only one
    person bears. Raises Refused."""
    wanted = text.replace("\x00", "").strip()
    if wanted.lower().startswith(GROUP):
        return _group(wanted[len(GROUP) :].strip()) or _nobody(text)
    person = User.objects.filter(username=wanted, is_active=True).first()
    found: Holder | None = person or _group(wanted)
    if found is not None:
        return found
    first, _space, last = wanted.partition(" ")
    named = list(User.objects.filter(first_name__iexact=first, last_name__iexact=last.strip(), is_active=True)[:2])
    if len(named) > 1:
        raise Refused(gettext("Several people bear this name: take the user name."), field="who")
    return named[0] if named else _nobody(text)


def offered(text: str) -> list[tuple[str, str]]:
    """What may be meant by the beginning of a name: (what to write, what it is)."""
    wanted = _typed(text)
    people = people_named(text)[:OFFERED]
    groups = Group.objects.filter(Q(team__name__icontains=wanted) | Q(team=None, name__icontains=wanted))
    found = [(user.username, user.display_name()) for user in people]
    for group in groups.select_related("team").order_by("name")[:OFFERED]:
        team = getattr(group, "team", None)
        name = team.name if team else group.name
        found.append((f"{GROUP}{name}", str(_("Team") if team else _("Role"))))
    return found


def people_named(text: str) -> QuerySet[User]:
    """Active people whose name or user name holds the text, by name; ``OFFERED`` of them are to be shown."""
    wanted = _typed(text)
    first, _space, last = wanted.partition(" ")
    like = Q(username__icontains=wanted) | Q(first_name__icontains=wanted) | Q(last_name__icontains=wanted)
    if last:
        like |= Q(first_name__iendswith=first, last_name__istartswith=last.strip())
    return User.objects.filter(like, is_active=True).order_by("first_name", "username")


def _typed(text: str) -> str:
    return text.replace("\x00", "").strip()[:150]


def _group(name: str) -> Group | None:
    groups = Group.objects.select_related("team")
    return groups.filter(Q(team__name__iexact=name) | Q(team=None, name__iexact=name)).first()


def _nobody(text: str) -> Holder:
    raise Refused(
        gettext("There is no active person, team or role %(text)s.") % {"text": f"{text.strip():.60}"}, field="who"
    )
