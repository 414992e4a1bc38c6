"""The built-in roles, the guard of the audit log, the table of the shared cache."""

from django.contrib.auth.management import create_permissions
from django.db import migrations

from soar.accounts.roles import BUILTIN

GUARD = """
CREATE FUNCTION soar_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('soar.purge', true) = 'on' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION '% rows are append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = '55000';
END $$;
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON accounts_auditentry
    FOR EACH ROW EXECUTE FUNCTION soar_refuse_change();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON accounts_auditentry
    FOR EACH STATEMENT EXECUTE FUNCTION soar_refuse_change();
"""
UNGUARD = """
DROP TRIGGER audit_append_only ON accounts_auditentry;
DROP TRIGGER audit_no_truncate ON accounts_auditentry;
DROP FUNCTION soar_refuse_change();
"""
CACHE = """
CREATE TABLE soar_cache (
    cache_key varchar(255) NOT NULL PRIMARY KEY,
    value text NOT NULL,
    expires timestamp with time zone NOT NULL
);
CREATE INDEX soar_cache_expires ON soar_cache (expires);
"""


def make_roles(apps, schema_editor):
    """Roles are Django groups with a Role row; their permissions are declared on Role (rulings 20)."""
    config = apps.get_app_config("accounts")
    config.models_module = True  # create_permissions looks at it; a historical app has none
    create_permissions(config, apps=apps, verbosity=0)
    config.models_module = None
    group_model = apps.get_model("auth", "Group")
    permission_model = apps.get_model("auth", "Permission")
    role_model = apps.get_model("accounts", "Role")
    for name, (description, codenames) in BUILTIN.items():
        group, _ = group_model.objects.get_or_create(name=name)
        role_model.objects.get_or_create(group=group, defaults={"description": description, "builtin": True})
        found = permission_model.objects.filter(content_type__app_label="accounts", codename__in=codenames)
        group.permissions.set(found)


def drop_roles(apps, schema_editor):
    """Take the built-in roles away again."""
    apps.get_model("auth", "Group").objects.filter(name__in=BUILTIN).delete()


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = [
        migrations.RunPython(make_roles, drop_roles),
        migrations.RunSQL(GUARD, UNGUARD),
        migrations.RunSQL(CACHE, "DROP TABLE soar_cache"),
    ]
