"""What a filter names that is not there any more: a saved view says so instead of showing an empty list."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models.functions import Lower
from django.utils.translation import gettext as _

from cases.filters import AlertFilter
from cases.source_access import sources_seen_by
from soar.accounts.models import Team, User

WORDS = {"owner": {"none", "nobody", "me"}, "team": {"none"}, "source": set()}


def gone(chosen: AlertFilter, user: User) -> list[str]:
    """A sentence for each owner, team and source that the filter names and that does not exist for this person, or
    has left."""
    wanted = {name: _named(chosen, name) for name in WORDS}
    found: list[str] = []
    for name, values in wanted.items():
        known = _known(name, values, user) if values else set()
        found += [_sentence(name, value) for value in values if value.lower() not in known | WORDS[name]]
    return found


def _named(chosen: AlertFilter, name: str) -> list[str]:
    values = [*chosen.params.get(name, ())]
    for token in chosen.tokens:
        values += token.values if token.field == name else ()
    return list(dict.fromkeys(value.strip() for value in values if value.strip()))


def _known(name: str, values: Iterable[str], user: User) -> set[str]:
    lower = [value.lower() for value in values]
    if name == "owner":
        people = User.objects.filter(is_active=True).annotate(low=Lower("username")).filter(low__in=lower)
        return set(people.values_list("low", flat=True))
    if name == "team":
        return set(Team.objects.annotate(low=Lower("name")).filter(low__in=lower).values_list("low", flat=True))
    return set(sources_seen_by(user).filter(slug__in=lower).values_list("slug", flat=True))


def _sentence(name: str, value: str) -> str:
    if name == "owner":
        return _("No active person has the user name %(value)s.") % {"value": value}
    if name == "team":
        return _("There is no team %(value)s any more.") % {"value": value}
    return _("There is no source %(value)s any more.") % {"value": value}
