"""Object grants on playbooks, in guardian's direct-foreign-key tables (access.md 3)."""

from __future__ import annotations

from django.db import models
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase

from playbooks.models.playbook import Playbook


class PlaybookUserPermission(UserObjectPermissionBase):
    """A person's grant on one playbook."""

    content_object = models.ForeignKey(Playbook, on_delete=models.CASCADE)


class PlaybookGroupPermission(GroupObjectPermissionBase):
    """A team's or role's grant on one playbook."""

    content_object = models.ForeignKey(Playbook, on_delete=models.CASCADE)
