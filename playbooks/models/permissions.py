"""Object grants on playbooks, in guardian's direct-foreign-key tables (access.md 3)."""

from __future__ import annotations

from django.db import models
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase

from playbooks.models.playbook import Playbook
from soar.accounts.models.grant import GrantFields


class PlaybookUserPermission(GrantFields, UserObjectPermissionBase):
    """A person's grant on one playbook."""

    content_object = models.ForeignKey(Playbook, on_delete=models.CASCADE)

    class Meta(UserObjectPermissionBase.Meta):
        abstract = False


class PlaybookGroupPermission(GrantFields, GroupObjectPermissionBase):
    """A team's or role's grant on one playbook."""

    content_object = models.ForeignKey(Playbook, on_delete=models.CASCADE)

    class Meta(GroupObjectPermissionBase.Meta):
        abstract = False
