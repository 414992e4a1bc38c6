"""Saved views of the queue: who finds them, who may change them (casework.md 2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Case, Exists, IntegerField, OuterRef, Q, QuerySet, Value, When
from django.http import QueryDict
from django.utils.translation import gettext as _

from cases.actions.base import team_of, text_of
from cases.errors import Conflict, Forbidden, Missing, Refused
from cases.filters import AlertFilter
from cases.grants import grants_of
from cases.models import Alert, DefaultView, SavedView
from soar.accounts.membership import may, team_ids
from soar.accounts.models import Team, User
from soar.lib import clock

AT_MOST = 100
QUERY_AT_MOST = 4000
SORTS = ("newest", "oldest", "sla")
FIELDS = ("name", "query", "audience", "team", "default")
Audience = SavedView.Audience


def views_for(user: User) -> QuerySet[SavedView]:
    """The person's own, in their order, then those shared with them; ``is_default`` says which opens their queue."""
    grants_of(user)  # their teams come with it, and the list asks for both
    theirs = Q(audience=Audience.ALL) | Q(audience=Audience.TEAM, team__in=team_ids(user))
    default = DefaultView.objects.filter(user=user, view=OuterRef("pk"))
    rank = Case(When(owner=user, then=Value(0)), default=Value(1), output_field=IntegerField())
    rows = SavedView.objects.filter(Q(owner=user) | theirs).select_related("owner", "team")
    return rows.annotate(is_default=Exists(default), rank=rank).order_by("rank", "position", "name", "pk")


def found_by(user: User) -> list[SavedView]:
    """The same as a list, read once for a user object, which lives as long as the request."""
    cached: list[SavedView] | None = getattr(user, "_saved_views", None)
    if cached is None:
        cached = user._saved_views = list(views_for(user))  # type: ignore[attr-defined]
    return cached


def view_for(user: User, pk: int, *, change: bool = False) -> SavedView:
    """A view that the person finds; with ``change`` one that they may change. Raises Missing or Forbidden."""
    view: SavedView | None = views_for(user).filter(pk=pk).first()
    if view is None:
        raise Missing(_("There is no such view, or it is no longer shared with you."))
    if change and not may_change(user, view):
        raise Forbidden(
            _("%(name)s belongs to %(display_name)s.") % {"name": view.name, "display_name": view.owner.display_name()}
        )
    return view


def may_change(user: User, view: SavedView) -> bool:
    """Its owner may, and for one that is shared whoever manages settings."""
    return view.owner_id == user.pk or (view.audience != Audience.ME and may(user, "manage_settings"))


@transaction.atomic
def create(user: User, given: dict[str, Any]) -> SavedView:
    """Save a filter under a name. ``given``: name, query, and if wanted audience (me, team, all), team, default.

    Raises Refused for a field, Forbidden for an audience that is not theirs to address, Conflict for a name twice."""
    if not may(user, "view_cases"):
        raise Forbidden(_("The permission to see alerts is missing."))
    User.objects.select_for_update(of=("self",)).only("pk").get(pk=user.pk)
    number = SavedView.objects.filter(owner=user).count()
    if number >= AT_MOST:
        raise Refused(_("At most %(at_most)s views. Delete one first.") % {"at_most": AT_MOST}, field="name")
    view = SavedView(owner=user, position=number)
    _apply(user, view, {"query": "", **given, "name": given.get("name", "")})
    return view


@transaction.atomic
def update(user: User, pk: int, given: dict[str, Any]) -> SavedView:
    """Change what ``given`` names; ``default`` is each person's own, for any view that they find. Raises as ``create``,
    and Missing."""
    view = view_for(user, pk, change=bool(given.keys() - {"default"}))
    _apply(user, view, given)
    return view


@transaction.atomic
def delete(user: User, pk: int) -> None:
    """Delete a view, for everybody who found it. Raises Missing or Forbidden."""
    view_for(user, pk, change=True).delete()


@transaction.atomic
def reorder(user: User, wanted: Sequence[int]) -> None:
    """Put one's own views in this order; those not named follow. Raises Refused for one that is not one's own."""
    mine = {view.pk: view for view in SavedView.objects.select_for_update().filter(owner=user).order_by("position")}
    if strange := [pk for pk in wanted if pk not in mine]:
        raise Refused(_("%(strange)s is no view of yours.") % {"strange": strange[0]}, field="views")
    order = list(dict.fromkeys([*wanted, *mine]))
    for place, pk in enumerate(order):
        mine[pk].position = place
    SavedView.objects.bulk_update(mine.values(), ["position"])


def default_query(user: User) -> str | None:
    """The query string, with ``view``, that the person's queue opens with; None for the queue as it is."""
    view = next((view for view in found_by(user) if view.is_default), None)  # type: ignore[attr-defined]
    return address(view) if view else None


def address(view: SavedView) -> str:
    """The query string under which a view opens."""
    params = QueryDict(view.query, mutable=True)
    params["view"] = str(view.pk)
    return params.urlencode(safe=":,>=<")


def _apply(user: User, view: SavedView, given: dict[str, Any]) -> None:
    if unknown := [name for name in given if name not in FIELDS]:
        raise Refused(
            _("%(unknown)s is not one of: %(fields)s.")
            % {"unknown": f"{unknown[0]!s:.40}", "fields": ", ".join(FIELDS)},
            field=str(unknown[0]),
        )
    if "name" in given:
        view.name = text_of(given["name"], "name", most=60)
    if "query" in given:
        view.query = _query(user, given["query"])
    if {"audience", "team"} & given.keys():
        _share(user, view, given)
    if given.keys() - {"default"}:
        _save(view)
    if "default" in given:
        _set_default(user, view, bool(given["default"]))


def _save(view: SavedView) -> None:
    view.updated_at = clock.now()
    try:
        with transaction.atomic():
            view.save()
    except IntegrityError as error:
        raise Conflict(_("There is a view named %(name)s already.") % {"name": view.name}) from error


def _query(user: User, value: Any) -> str:
    """A query string of the queue, as the queue itself would write it. Raises Refused for what it cannot read."""
    if not isinstance(value, str) or len(value) > QUERY_AT_MOST:
        raise Refused(
            _("A query string of at most %(query_at_most)s characters.") % {"query_at_most": QUERY_AT_MOST},
            field="query",
        )
    params = QueryDict(value.removeprefix("?"))
    chosen = AlertFilter.parse(params, default_open=True)
    chosen.apply(Alert.objects.none(), user)
    if chosen.errors:
        raise Refused(" ".join(chosen.errors), field="query")
    sort = params.get("sort", "")
    return "&".join(part for part in (chosen.query_string(), f"sort={sort}" if sort in SORTS else "") if part)


def _share(user: User, view: SavedView, given: dict[str, Any]) -> None:
    audience = given.get("audience", view.audience)
    if audience not in Audience.values:
        raise Refused(_("Must be one of: %(values)s.") % {"values": ", ".join(Audience.values)}, field="audience")
    team: Team | None = team_of(given["team"]) if "team" in given else view.team
    team = team if audience == Audience.TEAM else None
    if (audience, team) == (view.audience, view.team) and view.pk:
        return
    if audience == Audience.ALL and not may(user, "manage_settings"):
        raise Forbidden(_("Only who may manage settings shares a view with everybody."))
    if audience == Audience.TEAM:
        _check_team(user, team)
    view.audience, view.team = audience, team


def _check_team(user: User, team: Team | None) -> None:
    if team is None:
        raise Refused(_("Name the team."), field="team")
    if not may(user, "work_cases"):
        raise Forbidden(_("To share a view the permission to work on cases is missing."))
    if team.pk not in team_ids(user) and not may(user, "manage_settings"):
        raise Forbidden(_("You are not in %(name)s.") % {"name": team.name})


def _set_default(user: User, view: SavedView, wanted: bool) -> None:
    if wanted:
        DefaultView.objects.update_or_create(user=user, defaults={"view": view})
    else:
        DefaultView.objects.filter(user=user, view=view).delete()
