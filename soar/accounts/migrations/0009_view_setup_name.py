"""The permission to read the set-up covers people, roles, tokens, retention, webhooks and targets too."""

from django.db import migrations

NAME, TEXT = "view_setup", "Read how the portal is set up, without secrets"
BEFORE = "Read sources and connectors, without their secrets"
PERMISSIONS = [
    ("view_cases", "See alerts, incidents and runs"),
    ("work_cases", "Work on alerts and incidents"),
    ("run_playbooks", "Run playbooks by hand"),
    ("respond", "Approve and run response actions"),
    ("author_playbooks", "Write, enable and reload playbooks"),
    ("view_audit", "Read the audit log"),
    ("export", "Export cases and lists"),
    ("view_all_teams", "See what belongs to any team"),
    ("view_setup", "Read how the portal is set up, without secrets"),
    ("manage_sources", "Manage alert sources"),
    ("manage_connectors", "Manage connector accounts"),
    ("manage_people", "Manage people, teams, roles and tokens"),
    ("manage_settings", "Manage settings and intelligence lists"),
]


def name(apps, schema_editor):
    """As it is called from now on."""
    _call(apps, TEXT)


def name_before(apps, schema_editor):
    """As it was called."""
    _call(apps, BEFORE)


def _call(apps, text):
    rows = apps.get_model("auth", "Permission").objects.filter(codename=NAME, content_type__app_label="accounts")
    rows.update(name=text)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0008_view_setup")]
    operations = [
        migrations.AlterModelOptions(name="role", options={"default_permissions": (), "permissions": PERMISSIONS}),
        migrations.RunPython(name, name_before),
    ]
