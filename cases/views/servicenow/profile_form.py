"""The form of a ticket profile: what is typed, turned into what the action takes (servicenow.md 2)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Q
from django.http import QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from cases.actions.servicenow_profile_fields import ORDER_AT_MOST
from cases.actions.servicenow_vocabulary import Vocabulary
from cases.choices import Severity
from cases.errors import CaseError
from cases.models import AlertSource, IncidentTemplate, TicketProfile
from cases.servicenow.notes import KINDS
from cases.views.servicenow.cells import Maker
from cases.views.servicenow.picking import GROUP, USER, Picking
from cases.views.servicenow.tables import Tables

REFERENCES = {"caller": USER, "assignment_group": GROUP, "assigned_to": USER}
WARNING = _("Callers read comments, and get them by mail. Choose them only if what you write about a case is for them.")
NOTE_FIELDS = [
    ("work_notes", _("Work notes: only people who work on tickets")),
    ("comments", _("Comments: callers too")),
]
ON_REPEAT = [("reopen", _("Reopen the ticket")), ("new", _("Open another ticket"))]
NOTE_LABELS = {
    "comment": _("Notes"),
    "handoff": _("Hand-overs"),
    "note.moved": _("Notes of alerts that became part of it"),
    "comment.edited": _("Changes of notes"),
    "incident.alert_linked": _("Alerts that were linked"),
    "evidence.added": _("Evidence that was added"),
    "task.completed": _("Tasks that were done"),
    "run.finished": _("Playbooks that ran"),
    "response.finished": _("Response actions that ended"),
    "approval.approved": _("Approvals"),
    "approval.rejected": _("Refused approvals"),
}
SEVERITIES = [(one.word, one.label) for one in reversed(Severity)]


class ProfileForm(forms.Form):
    """All but the tables of values, which are in ``tables``."""

    name = forms.CharField(label=_("Name"), max_length=100)
    order = forms.IntegerField(label=_("Order"), min_value=0, max_value=ORDER_AT_MOST)
    order.help_text = _("Of several that fit an incident, the lowest is used.")
    caller = forms.CharField(label=_("Caller"), required=False, max_length=200)
    assignment_group = forms.CharField(label=_("Assignment group"), required=False, max_length=200)
    assigned_to = forms.CharField(label=_("Assigned to"), required=False, max_length=200)
    assigned_to.help_text = _("Of a new ticket, until an incident's lead is known there.")
    category = forms.CharField(label=_("Category"), required=False, max_length=100)
    short_description = forms.CharField(label=_("Short description"), max_length=300)
    description = forms.CharField(label=_("Description"), required=False, widget=forms.Textarea({"rows": 6}))
    note_kinds = forms.MultipleChoiceField(
        label=_("What is sent as notes"), required=False, widget=forms.CheckboxSelectMultiple
    )
    note_field = forms.ChoiceField(label=_("Notes are"), choices=NOTE_FIELDS, widget=forms.RadioSelect)
    note_field.help_text = WARNING
    on_repeat = forms.ChoiceField(
        label=_("When an incident is opened again"), choices=ON_REPEAT, widget=forms.RadioSelect
    )
    on_repeat.help_text = _("Its ticket is closed by then. A ticket that cannot be opened again stays closed.")
    automatic = forms.BooleanField(label=_("Open a ticket by this rule, without being asked"), required=False)
    severities = forms.MultipleChoiceField(
        label=_("Severities"), required=False, choices=SEVERITIES, widget=forms.CheckboxSelectMultiple
    )
    severities.help_text = _("None ticked: any.")
    templates = forms.ModelMultipleChoiceField(
        IncidentTemplate.objects.only("name"), label=_("Templates"), required=False, widget=forms.CheckboxSelectMultiple
    )
    templates.help_text = _("None ticked: any, and incidents without one.")
    sources = forms.ModelMultipleChoiceField(
        AlertSource.objects.only("name"), label=_("Sources"), required=False, widget=forms.CheckboxSelectMultiple
    )
    sources.help_text = _("Of one of its alerts. None ticked: any.")

    def __init__(self, profile: TicketProfile, vocabulary: Vocabulary, data: QueryDict | None = None) -> None:
        super().__init__(data, initial=_initial(profile))
        self.profile, self.vocabulary = profile, vocabulary
        templates = self.fields["templates"]
        assert isinstance(templates, forms.ModelMultipleChoiceField)
        # One that was deleted stays, as such, until somebody takes it off: without it the rule would mean any.
        named = Q(pk__in=profile.templates.values("pk"))
        templates.queryset = IncidentTemplate.objects.only("name").filter(Q(deleted_at=None) | named)
        self.problems: dict[str, str] = {}
        notes = self.fields["note_kinds"]
        assert isinstance(notes, forms.MultipleChoiceField)
        notes.choices = [(kind, NOTE_LABELS.get(kind, kind)) for kind in KINDS]
        self._categories(profile.category)

    def tables(self, *, whole: bool = False) -> Tables:
        """The tables of values, with what was typed and what is wrong with it. ``whole``: with every row."""
        data = self.data if self.is_bound else None
        return Tables(self.profile, self.vocabulary, Maker(data, self.problems, whole=whole))

    def for_action(self) -> dict[str, Any]:
        """The fields for ``cases.actions.servicenow_profiles``. People and groups that cannot be told are in
        ``problems``; then nothing may be saved."""
        data, picking = dict(self.cleaned_data), Picking(self.profile.instance)
        for name, what in REFERENCES.items():
            data[name] = picking.reference(name, what, data[name], getattr(self.profile, name))
        data["templates"] = [one.pk for one in data["templates"]]
        data["sources"] = [one.pk for one in data["sources"]]
        tables = self.tables()
        data |= {"maps": tables.maps(self.data, picking), "extra": tables.pairs(self.data, picking.errors)}
        data |= {"directions": tables.words(self.data, "dir"), "winners": tables.words(self.data, "win")}
        data["send_evidence"] = data["directions"].get("evidence") in ("both", "out")
        if picking.errors:
            self.refuse(picking.errors)
        return data

    def refuse(self, errors: dict[str, str] | CaseError) -> None:
        """Put what is wrong beside its field or cell; what belongs to none stands over the form."""
        if isinstance(errors, CaseError):
            given = errors.extra.get("errors") or {errors.field or "": errors.message}
            if errors.field not in given or errors.extra.get("lead"):
                self.add_error(None, errors.message)
            errors = given
        for name, text in errors.items():
            if name in self.fields:
                self.add_error(name, text)
            else:
                self.problems[name] = text
        if self.problems and not self.errors:
            self.add_error(None, _("Something below is not right. Nothing was saved."))

    def _categories(self, saved: str) -> None:
        """A select where the choices are known; a saved one that is not there any more stays one."""
        known = self.vocabulary.choices.get("category", [])
        if not known:
            return
        choices = [("", _("None")), *((value, label) for value, label in known if value)]
        if saved and saved not in dict(known):
            choices.append((saved, gettext("%(saved)s (not there any more)") % {"saved": saved}))
        self.fields["category"] = forms.ChoiceField(label=_("Category"), required=False, choices=choices)


def _initial(profile: TicketProfile) -> dict[str, Any]:
    same = (
        "name", "order", "category", "short_description", "description", "note_kinds", "note_field",
        "on_repeat", "automatic",
    )  # fmt: skip
    return {
        **{name: getattr(profile, name) for name in same},
        **{name: getattr(profile, name).get("label", "") for name in REFERENCES},
        "severities": [Severity(number).word for number in profile.severities],
        "templates": list(profile.templates.values_list("pk", flat=True)),
        "sources": list(profile.sources.values_list("pk", flat=True)),
    }
