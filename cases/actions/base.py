"""What all actions share: moving the version on, telling changes to the timeline, reading what they are given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib.auth import get_user_model
from django.db import models
from django.utils.translation import gettext as _

from cases import timeline
from cases.actors import Actor
from cases.choices import Words
from cases.errors import Refused
from cases.models import Alert, Incident
from cases.permissions import holds
from cases.timeline_batch import current
from soar.accounts.membership import may
from soar.accounts.models import Team, User
from soar.lib import clock
from soar.lib.hidden import shown as seen


class _Keep:
    """Stands for "leave it as it is", where None means "nobody"."""

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "KEEP"


KEEP = _Keep()
TEXT_AT_MOST = 50_000
TAGS_AT_MOST = 50
ALERT_TAGS_AT_MOST = 200  # its payload may bring 100 and its source 50, and then people add theirs


def save(subject: Alert | Incident, *fields: str) -> None:
    """Write these fields, the version and the time of change; an alert of a batch is written with the others."""
    subject.version += 1
    subject.updated_at = clock.now()
    if isinstance(subject, Alert) and (batch := current()) is not None:
        return batch.save(subject, fields)
    subject.save(update_fields=[*fields, "version", "updated_at"])


def shown(value: Any) -> Any:
    """A value as the timeline keeps it: words for choices, names for people and teams."""
    if isinstance(value, Words):
        return value.word
    if isinstance(value, User):
        return value.display_name()
    if isinstance(value, models.Model):
        return str(value)
    return value


def change(
    subject: Alert | Incident, actor: Actor, field: str, new: Any, *, reason: str = "", kind: str = "changed"
) -> bool:
    """Set a field and record old and new value. Returns False, and records nothing, if it is so already."""
    old = getattr(subject, field)
    if old == new:
        return False
    old_shown, new_shown = _pair(subject, field, old, new)
    setattr(subject, field, new)
    data = {"field": field, "old": old_shown, "new": new_shown}
    if isinstance(new, User):
        data["new_id"] = new.pk  # two may have one name
    timeline.record(kind, subject, actor, text=reason, data=data)
    return True


def _pair(subject: Alert | Incident, field: str, old: Any, new: Any) -> tuple[Any, Any]:
    """Both values as shown; integers of a choice field become words."""
    if isinstance(new, Words):
        return type(new)(old).word, new.word
    return shown(old), shown(new)


def person(value: User | str | None) -> User | None:
    """An active user, given as such or by user name; None and "" are nobody. Raises Refused if unknown."""
    if value is None or value == "":
        return None
    if isinstance(value, User):
        user: User | None = value
    else:
        user = get_user_model().objects.filter(username=str(value)[:150].replace("\x00", "")).first()
    if user is None or not user.is_active:
        raise Refused(_("There is no active user %(value)s.") % {"value": f"{value!s:.60}"}, field="owner")
    return user


def check_worker(subject: Alert | Incident, user: User | None, field: str = "owner") -> None:
    """Raise Refused for somebody who could not work on what they are to own or do: by role (rulings 20), or, for an
    incident, by its own grants. Owning gives sight (rulings 21), but not of what is restricted (access.md 3)."""
    if user is None:
        return
    able = holds(user, subject, "comment") if isinstance(subject, Incident) else may(user, "work_cases")
    if not able and not subject.restricted:
        raise Refused(
            _("%(display_name)s may not work on cases: the role for it is missing.")
            % {"display_name": user.display_name()},
            field=field,
        )
    if not able or (subject.restricted and not type(subject).objects.visible_to(user).filter(pk=subject.pk).exists()):
        raise Refused(
            _("%(number)s is restricted and %(display_name)s may not work on it.")
            % {"number": subject.number, "display_name": user.display_name()},
            field=field,
        )


def team_of(value: Team | str | int | None) -> Team | None:
    """A team, given as such or by name; None and "" are no team. Raises Refused if unknown."""
    if isinstance(value, Team):
        return value
    if value is None or value == "":
        return None
    team = Team.objects.filter(name__iexact=str(value)[:100].replace("\x00", "")).first()
    if team is None:
        raise Refused(_("There is no team %(value)s.") % {"value": f"{value!s:.60}"}, field="team")
    return team


def text_of(value: Any, field: str = "text", *, most: int = TEXT_AT_MOST, required: bool = True) -> str:
    """A text without NUL characters, stripped, with signs for characters that nobody sees (soar.lib.hidden).

    Raises Refused when empty (if required) or too long."""
    if not isinstance(value, str):
        raise Refused(_("This must be a text."), field=field)
    text = seen(value.replace("\x00", "").encode("utf-8", "replace").decode().strip())
    if required and not text:
        raise Refused(_("Write something first."), field=field)
    if len(text) > most:
        raise Refused(
            _("At most %(most)s characters, this has %(count)s.") % {"most": most, "count": len(text)}, field=field
        )
    return text


def tags_of(value: Any, most: int = TAGS_AT_MOST) -> list[str]:
    """Tags, stripped, lower case, each once, in order. Raises Refused for anything but a list of short texts."""
    if not isinstance(value, list | tuple) or not all(isinstance(tag, str) for tag in value):
        raise Refused(_("Tags are a list of texts."), field="tags")
    tags = list(dict.fromkeys(seen(tag.replace("\x00", "").strip().lower()) for tag in value))
    tags = [tag for tag in tags if tag]
    if any(len(tag) > 100 for tag in tags) or len(tags) > most:
        raise Refused(_("At most %(most)s tags of at most 100 characters.") % {"most": most}, field="tags")
    return tags


def some_of(names: Sequence[str], most: int = 5) -> str:
    """The first of some names within a sentence: “a”, “b” and 3 more."""
    named = ", ".join(f"“{name}”" for name in names[:most])
    return named + (_(" and %(n)s more") % {"n": len(names) - most} if len(names) > most else "")


def word(choices: type[Words], value: Any, field: str) -> Any:
    """A choice, given as a member or as the API's word. Raises Refused that names the words."""
    if isinstance(value, choices):
        return value
    if not isinstance(value, str):
        raise Refused(_("Must be one of: %(words)s.") % {"words": ", ".join(choices.words())}, field=field)
    try:
        return choices.from_word(value)
    except ValueError as error:
        raise Refused(str(error), field=field) from error
