"""The timeline is append-only by the database itself (rulings 14): UPDATE is always refused, DELETE happens
only inside a purge, which sets ``soar.purge`` for its own transaction."""

from django.db import migrations

GUARD = """
CREATE FUNCTION cases_refuse_timeline_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('soar.purge', true) = 'on' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'the timeline is append-only: % refused', TG_OP USING ERRCODE = '55000';
END $$;
CREATE TRIGGER timeline_append_only BEFORE UPDATE OR DELETE ON cases_timelineentry
    FOR EACH ROW EXECUTE FUNCTION cases_refuse_timeline_change();
CREATE TRIGGER timeline_no_truncate BEFORE TRUNCATE ON cases_timelineentry
    FOR EACH STATEMENT EXECUTE FUNCTION cases_refuse_timeline_change();
"""
UNGUARD = """
DROP TRIGGER timeline_append_only ON cases_timelineentry;
DROP TRIGGER timeline_no_truncate ON cases_timelineentry;
DROP FUNCTION cases_refuse_timeline_change();
"""


class Migration(migrations.Migration):
    dependencies = [("cases", "0001_initial"), ("accounts", "0002_roles_audit_cache")]
    operations = [migrations.RunSQL(GUARD, UNGUARD)]
