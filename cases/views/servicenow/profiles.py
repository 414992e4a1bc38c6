"""Ticket profiles in the browser: list, make, edit (servicenow.md 2). For those who manage connectors."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from cases.actions import servicenow_profiles
from cases.actions.servicenow_access import links_told
from cases.actions.servicenow_gaps import gaps_of
from cases.actions.servicenow_profiles import profile_for
from cases.actions.servicenow_vocabulary import Vocabulary, read
from cases.actors import Actor
from cases.choices import Severity
from cases.errors import Refused, Stale
from cases.models import ServiceNowInstance, TicketProfile
from cases.servicenow.templates import NAMES
from cases.views.parts import needs, person_of
from cases.views.servicenow import coming_back
from cases.views.servicenow.previewing import recent_incident
from cases.views.servicenow.profile_form import REFERENCES, ProfileForm
from cases.views.servicenow.tabs import tabs

sets_up = needs("manage_connectors")
reads = needs("manage_connectors", read_by="view_setup")
SHOWN = 200
TABLES = [
    ("incident", gettext_lazy("Incident")),
    ("sn_si_incident", gettext_lazy("Security incident")),
    ("", gettext_lazy("Another, by its name")),
]


class NewProfileForm(forms.Form):
    """What cannot be changed later."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=100)
    instance = forms.ChoiceField(label=gettext_lazy("Instance"))
    table = forms.ChoiceField(label=gettext_lazy("Table"), choices=TABLES, required=False)
    other_table = forms.CharField(label=gettext_lazy("Name of another table"), required=False, max_length=80)
    other_table.help_text = gettext_lazy("One that extends task, as ServiceNow writes it: u_security_case")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["instance"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(one.slug, one.slug) for one in ServiceNowInstance.objects.only("slug").order_by("slug")]

    def for_action(self) -> dict[str, str]:
        """Name, instance and table."""
        data = self.cleaned_data
        return {"name": data["name"], "instance": data["instance"], "table": data["table"] or data["other_table"]}

    def refuse(self, error: Refused) -> None:
        """What is wrong, beside its field."""
        field = error.field
        if field == "table" and not self.cleaned_data.get("table"):
            field = "other_table"
        self.add_error(field if field in self.fields else None, error.message)


@reads
@require_safe
def profile_list(request: HttpRequest) -> HttpResponse:
    """All profiles in the order in which they are tried."""
    told = Q(links__in=links_told(person_of(request)))
    counted = {"link_count": Count("links", distinct=True, filter=told), "gap_count": Count("gaps", distinct=True)}
    rows = (
        TicketProfile.objects.select_related("instance")
        .defer("instance__webhook_secret")
        .prefetch_related("templates", "sources")
    )
    shown = [_row(profile) for profile in rows.annotate(**counted).order_by("order", "pk")[:SHOWN]]
    context = {**tabs(person_of(request), "profiles"), "rows": shown}
    return render(request, "servicenow/profiles.html", context)


@sets_up
@require_http_methods(["GET", "HEAD", "POST"])
def profile_create(request: HttpRequest) -> HttpResponse:
    """Name, instance and table; everything else is on the page that follows. ``?next=`` is the way back."""
    coming_back.remember(request)
    form = NewProfileForm(
        request.POST if request.method == "POST" else None, initial={"table": "incident", **request.GET.dict()}
    )
    if request.method == "POST" and form.is_valid():
        try:
            made = servicenow_profiles.create(Actor.of(person_of(request)), **form.for_action())
        except Refused as error:
            form.refuse(error)
        else:
            messages.success(request, _("Made, and off. Look through it, try it with an incident, then switch it on."))
            return redirect("servicenow-profile", made.pk)
    return _new_page(request, form)


@sets_up
@require_http_methods(["GET", "HEAD", "POST"])
def profile_copy(request: HttpRequest, pk: int) -> HttpResponse:
    """Another one like it, perhaps for another table or instance."""
    profile = profile_for(pk)
    initial = {"name": f"{profile.name} (copy)"[:100], "instance": profile.instance.slug, **_table(profile)}
    form = NewProfileForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            made = servicenow_profiles.copy(Actor.of(person_of(request)), pk, **form.for_action())
        except Refused as error:
            form.refuse(error)
        else:
            messages.success(request, _("Copied; the copy is off."))
            return redirect("servicenow-profile", made.pk)
    return _new_page(request, form, profile)


@reads
@require_http_methods(["GET", "HEAD", "POST"])
def profile_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """The whole profile with the choices of its table, as they are now or were last."""
    profile = profile_for(pk)
    vocabulary = read(profile.instance, profile.table)
    if request.method != "POST":
        return edit_page(request, profile, vocabulary)
    form = ProfileForm(profile, vocabulary, request.POST)
    if form.is_valid():
        changes = form.for_action()
        if not form.problems and not form.errors:
            try:
                saved = servicenow_profiles.update(
                    Actor.of(person_of(request)), pk, changes=changes, expected_version=version_of(request)
                )
            except Stale as error:
                form.refuse(error)
                return edit_page(request, profile_for(pk), vocabulary, form=form, stale=True)
            except Refused as error:
                form.refuse(error)
            else:
                messages.success(request, _("%s saved") % saved.name)
                return redirect("servicenow-profile", pk)
    return edit_page(request, profile, vocabulary, form=form)


def version_of(request: HttpRequest) -> int | None:
    """The version that the person has seen."""
    version = request.POST.get("version", "")
    return int(version) if version.isdecimal() and len(version) < 10 else None


def edit_page(
    request: HttpRequest,
    profile: TicketProfile,
    vocabulary: Vocabulary,
    *,
    form: ProfileForm | None = None,
    stale: bool = False,
    problem: str = "",
) -> HttpResponse:
    """The page of a profile, with what was typed where it was refused."""
    form = form or ProfileForm(profile, vocabulary)
    gaps = gaps_of(profile, vocabulary)
    tables = form.tables(whole=request.GET.get("all") == "1")
    context = {
        "profile": profile,
        "form": form,
        "fields": tables.fields(),
        "values": tables.values(),
        "people": tables.people(),
        "further": tables.further(),
        "vocabulary": vocabulary,
        "references": [(form[name], what) for name, what in REFERENCES.items()],
        "names": NAMES,
        "has_sources": bool(list(form["sources"])),
        "missing": len(gaps),
        "breaking": [gap for gap in gaps if gap.breaks],
        "warnings": [gap for gap in gaps if not gap.breaks],
        "links": links_told(person_of(request)).filter(profile=profile).count(),
        "met": profile.gaps.count(),
        "incident": recent_incident(person_of(request)),
        "stale": stale,
        "problem": problem,
        "back": coming_back.back_of(request),
    }
    wrong = bool(form.errors or form.problems or problem)
    return render(request, "servicenow/profile.html", context, status=412 if stale else 422 if wrong else 200)


def _new_page(request: HttpRequest, form: NewProfileForm, copied: TicketProfile | None = None) -> HttpResponse:
    context = {"form": form, "copied": copied, "instances": ServiceNowInstance.objects.exists()}
    return render(request, "servicenow/profile_new.html", context, status=422 if form.errors else 200)


def _table(profile: TicketProfile) -> dict[str, str]:
    known = profile.table in dict(TABLES)
    return {"table": profile.table} if known else {"table": "", "other_table": profile.table}


def _row(profile: TicketProfile) -> dict[str, Any]:
    """What a profile does, in words."""
    which: list[str] = [_(str(Severity(number).label)) for number in profile.severities]
    which += [one.name for one in profile.templates.all()] + [one.name for one in profile.sources.all()]
    counted: Any = profile
    return {"profile": profile, "which": which, "links": counted.link_count, "gaps": counted.gap_count}
