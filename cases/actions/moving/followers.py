"""Followers: who follows the merged incident follows the other one, as far as they see it."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.actions.mentions import who_sees
from cases.actions.moving.base import Part, Told, Way
from cases.models import Incident, Watch
from soar.lib import clock


class Followers(Part):
    """What they said of the other one themselves stays so: who muted it follows it no more than before. Who muted the
    merged one has said nothing of the other."""

    name, label = "followers", gettext_lazy("followers")

    def preview(self, way: Way) -> Told:
        """Those who see the other one."""
        going, stays = _sorted(way)
        return Told(len(going), stays, _("they do not see %s") % way.target.number if stays else "")

    def move(self, way: Way) -> list[int]:
        """Ids of the new rows; those of the merged incident stay for an undo."""
        going, _stays = _sorted(way)
        now = clock.now()
        rows = [Watch(user_id=one.user_id, incident=way.target, muted=False, until=one.until, created_at=now)
                for one in going]  # fmt: skip
        return [row.pk for row in Watch.objects.bulk_create(rows)]

    def back(self, way: Way, kept: Any) -> list[str]:
        """Those who have not muted it since, and follow no other that went into it later."""
        rows = list(Watch.objects.filter(pk__in=kept, incident=way.target, muted=False))
        Watch.objects.filter(pk__in=[row.pk for row in rows if not _left_to_heir(way, row)]).delete()
        return []


def _left_to_heir(way: Way, row: Watch) -> bool:
    heir = way.heir(lambda incident: _following(incident).filter(user=row.user_id).exists())
    if heir is not None:
        heir.moved[Followers.name] = [*heir.moved.get(Followers.name, []), row.pk]
    return heir is not None


def _following(incident: Incident) -> QuerySet[Watch]:
    lasting = Q(until=None) | Q(until__gt=clock.now())
    return Watch.objects.filter(lasting, incident=incident, muted=False)


def _sorted(way: Way) -> tuple[list[Watch], int]:
    """Rows of those who come along, and how many do not see the other one."""
    there = Watch.objects.filter(incident=way.target).values("user")
    rows = list(_following(way.source).exclude(user__in=there).order_by("pk"))
    seeing = who_sees(way.target, [row.user_id for row in rows])
    going = [row for row in rows if row.user_id in seeing]
    return going, len(rows) - len(going)
