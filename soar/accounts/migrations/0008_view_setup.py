"""The permission to read sources and connectors, for the built-in roles that have it (rulings 20) and for roles that manage
one of the two."""

from django.contrib.auth.management import create_permissions
from django.db import migrations
from django.db.models import Q

NAME, ROLES, MANAGING = "view_setup", ("Auditor", "Admin"), ("manage_sources", "manage_connectors")
PERMISSIONS = [
    ("view_cases", "See alerts, incidents and runs"),
    ("work_cases", "Work on alerts and incidents"),
    ("run_playbooks", "Run playbooks by hand"),
    ("respond", "Approve and run response actions"),
    ("author_playbooks", "Write, enable and reload playbooks"),
    ("view_audit", "Read the audit log"),
    ("export", "Export cases and lists"),
    ("view_all_teams", "See what belongs to any team"),
    ("view_setup", "Read sources and connectors, without their secrets"),
    ("manage_sources", "Manage alert sources"),
    ("manage_connectors", "Manage connector accounts"),
    ("manage_people", "Manage people, teams, roles and tokens"),
    ("manage_settings", "Manage settings and intelligence lists"),
]


def give(apps, schema_editor):
    """The permission, and who has it from now on."""
    config = apps.get_app_config("accounts")
    config.models_module = True  # create_permissions looks at it; a historical app has none
    create_permissions(config, apps=apps, verbosity=0)
    config.models_module = None
    permission = apps.get_model("auth", "Permission").objects.get(codename=NAME, content_type__app_label="accounts")
    asked = Q(name__in=ROLES, role__builtin=True) | Q(role__isnull=False, permissions__codename__in=MANAGING)
    for group in apps.get_model("auth", "Group").objects.filter(asked).distinct():
        group.permissions.add(permission)


def take(apps, schema_editor):
    """Nobody has it any more."""
    rows = apps.get_model("auth", "Permission").objects.filter(codename=NAME, content_type__app_label="accounts")
    rows.delete()


class Migration(migrations.Migration):
    dependencies = [("accounts", "0007_grant_job")]
    operations = [
        migrations.AlterModelOptions(name="role", options={"default_permissions": (), "permissions": PERMISSIONS}),
        migrations.RunPython(give, take),
    ]
