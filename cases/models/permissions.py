"""Object grants, in guardian's direct-foreign-key tables (access.md 3). Exceptions, not the rule: who sees
what is decided by columns; these tables stay small."""

from __future__ import annotations

from django.db import models
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase

from cases.models.incident import Incident
from cases.models.source import AlertSource
from soar.accounts.models.grant import GrantFields


class IncidentUserPermission(UserObjectPermissionBase, GrantFields):
    """A person's grant on one incident."""

    content_object = models.ForeignKey(Incident, on_delete=models.CASCADE)


class IncidentGroupPermission(GroupObjectPermissionBase, GrantFields):
    """A team's or role's grant on one incident."""

    content_object = models.ForeignKey(Incident, on_delete=models.CASCADE)


class SourceUserPermission(UserObjectPermissionBase, GrantFields):
    """A person's grant on one alert source, and so on its alerts."""

    content_object = models.ForeignKey(AlertSource, on_delete=models.CASCADE)


class SourceGroupPermission(GroupObjectPermissionBase, GrantFields):
    """A team's or role's grant on one alert source."""

    content_object = models.ForeignKey(AlertSource, on_delete=models.CASCADE)
