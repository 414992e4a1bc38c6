"""Teams and roles: both are Django groups with a row that says which of the two (rulings 21)."""

from __future__ import annotations

from django.contrib.auth.models import Group
from django.db import models
from django.utils.translation import gettext_noop as _


class Team(models.Model):
    """People who work on the same alerts. Owns alerts, incidents and sources by a column (access.md 3)."""

    group = models.OneToOneField(Group, on_delete=models.CASCADE, related_name="team")
    name = models.CharField(max_length=100)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(models.functions.Lower("name"), name="team_name_unique")]

    def __str__(self) -> str:
        return self.name


class Role(models.Model):
    """A named set of the product's permissions. The permissions of the whole product are declared here,
    so one table answers who may do what; object permissions live on their objects."""

    group = models.OneToOneField(Group, on_delete=models.CASCADE, related_name="role")
    description = models.TextField(blank=True)
    builtin = models.BooleanField(default=False)
    second_factor = models.BooleanField(
        default=False, db_default=False, help_text="Whoever has this role must have a second factor (access.md 1)"
    )

    class Meta:
        default_permissions = ()
        permissions = [
            ("view_cases", _("See alerts, incidents and runs")),
            ("work_cases", _("Work on alerts and incidents")),
            ("run_playbooks", _("Run playbooks by hand")),
            ("respond", _("Approve and run response actions")),
            ("author_playbooks", _("Write, enable and reload playbooks")),
            ("view_audit", _("Read the audit log")),
            ("export", _("Export cases and lists")),
            ("view_all_teams", _("See what belongs to any team")),
            ("view_setup", _("Read how the portal is set up, without secrets")),
            ("manage_sources", _("Manage alert sources")),
            ("manage_connectors", _("Manage connector accounts")),
            ("manage_people", _("Manage people, teams, roles and tokens")),
            ("manage_settings", _("Manage settings and intelligence lists")),
        ]

    def __str__(self) -> str:
        return self.group.name
