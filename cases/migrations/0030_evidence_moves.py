"""Evidence stays what it is and in its incident, but for merges and splits of incidents, which set ``soar.move`` for their
own transaction."""

from django.db import migrations

LOOSEN = """
CREATE FUNCTION cases_refuse_evidence_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('soar.move', true) = 'on' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'evidence stays in its incident: % refused', TG_OP USING ERRCODE = '55000';
END $$;
DROP TRIGGER evidence_stays_itself ON cases_evidence;
CREATE TRIGGER evidence_stays_itself
    BEFORE UPDATE OF size, md5, sha1, sha256, added_by_name, added_at ON cases_evidence FOR EACH ROW
    WHEN ((OLD.size, OLD.md5, OLD.sha1, OLD.sha256, OLD.added_by_name, OLD.added_at)
        IS DISTINCT FROM (NEW.size, NEW.md5, NEW.sha1, NEW.sha256, NEW.added_by_name, NEW.added_at))
    EXECUTE FUNCTION cases_refuse_evidence_change();
CREATE TRIGGER evidence_stays_in_place
    BEFORE UPDATE OF incident_id ON cases_evidence FOR EACH ROW
    WHEN (OLD.incident_id IS DISTINCT FROM NEW.incident_id)
    EXECUTE FUNCTION cases_refuse_evidence_move();
"""
FASTEN = """
DROP TRIGGER evidence_stays_in_place ON cases_evidence;
DROP TRIGGER evidence_stays_itself ON cases_evidence;
DROP FUNCTION cases_refuse_evidence_move();
CREATE TRIGGER evidence_stays_itself
    BEFORE UPDATE OF incident_id, size, md5, sha1, sha256, added_by_name, added_at ON cases_evidence FOR EACH ROW
    WHEN ((OLD.incident_id, OLD.size, OLD.md5, OLD.sha1, OLD.sha256, OLD.added_by_name, OLD.added_at)
        IS DISTINCT FROM (NEW.incident_id, NEW.size, NEW.md5, NEW.sha1, NEW.sha256, NEW.added_by_name, NEW.added_at))
    EXECUTE FUNCTION cases_refuse_evidence_change();
"""


class Migration(migrations.Migration):
    dependencies = [("cases", "0029_notifications")]

    operations = [migrations.RunSQL(LOOSEN, FASTEN)]
