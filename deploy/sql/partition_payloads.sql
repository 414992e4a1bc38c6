-- Raw payloads in partitions of a million alert numbers each, so that old ones go in an instant and give their space
-- back to the disk (docs/scaling.md). The portal does not notice: the table keeps its name, columns, key and foreign key.
--
--     psql "$DATABASE_URL" --single-transaction -v ON_ERROR_STOP=1 -f deploy/sql/partition_payloads.sql
--
-- Once, with the portal stopped. Nothing is copied: what is stored becomes the first partition as it is. Afterwards, now and
-- then (each month):
--
--     SELECT * FROM soar_payload_partitions();                           -- partitions for the alerts to come
--     SELECT * FROM soar_payload_drop(now() - interval '90 days');      -- the old ones away
--
-- Payloads of open alerts, and of incidents on legal hold, are kept. Alerts that come while nobody has made a partition
-- for them go into cases_alertpayload_rest, where they stay; nothing is lost or refused.

LOCK TABLE cases_alert IN SHARE ROW EXCLUSIVE MODE;
ALTER TABLE cases_alertpayload RENAME TO cases_alertpayload_first;
ALTER TABLE cases_alertpayload_first RENAME CONSTRAINT cases_alertpayload_pkey TO cases_alertpayload_first_pkey;
CREATE TABLE cases_alertpayload (
    LIKE cases_alertpayload_first INCLUDING DEFAULTS INCLUDING STORAGE,
    CONSTRAINT cases_alertpayload_pkey PRIMARY KEY (alert_id),
    CONSTRAINT cases_alertpayload_alert FOREIGN KEY (alert_id) REFERENCES cases_alert (id) DEFERRABLE INITIALLY DEFERRED
) PARTITION BY RANGE (alert_id);
-- What is on legal hold is deleted by nobody. A trigger of the whole is handed down to every partition, and finds its name
-- there; so it has a function of its own, which does not ask for the name.
CREATE FUNCTION soar_payload_held() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE held bigint;
BEGIN
    SELECT h.incident_id INTO held FROM cases_alert a JOIN cases_legalhold h USING (incident_id)
        WHERE a.id = OLD.alert_id AND h.lifted_at IS NULL LIMIT 1;
    IF held IS NOT NULL THEN
        RAISE EXCEPTION 'INC-% is on legal hold: DELETE of its payloads refused', held USING ERRCODE = '55000';
    END IF;
    RETURN OLD;
END $$;
DROP TRIGGER payload_held ON cases_alertpayload_first;
CREATE TRIGGER payload_held BEFORE DELETE ON cases_alertpayload FOR EACH ROW EXECUTE FUNCTION soar_payload_held();
CREATE TABLE cases_alertpayload_rest PARTITION OF cases_alertpayload DEFAULT;

-- Where each partition but the first and the rest begins and ends, and where the first ends.
CREATE VIEW soar_payload_ranges AS
SELECT c.oid::regclass AS partition,
    substring(pg_get_expr(c.relpartbound, c.oid) FROM 'FROM \(''?(\d+)')::bigint AS low,
    substring(pg_get_expr(c.relpartbound, c.oid) FROM 'TO \(''?(\d+)')::bigint AS high
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'cases_alertpayload'::regclass AND pg_get_expr(c.relpartbound, c.oid) <> 'DEFAULT';

-- Makes partitions until ``ahead`` of them are empty before the newest alert; says which.
CREATE FUNCTION soar_payload_partitions(ahead bigint DEFAULT 2) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE size CONSTANT bigint := 1000000; newest bigint; begins bigint; name text;
BEGIN
    LOCK TABLE cases_alertpayload IN ACCESS EXCLUSIVE MODE;
    SELECT coalesce(max(id), 0) INTO newest FROM cases_alert;
    SELECT greatest(max(high), (SELECT (max(alert_id) / size + 1) * size FROM cases_alertpayload_rest))
        INTO begins FROM soar_payload_ranges;
    WHILE begins <= newest + ahead * size LOOP
        name := 'cases_alertpayload_' || begins / size;
        EXECUTE format('CREATE TABLE %I PARTITION OF cases_alertpayload FOR VALUES FROM (%s) TO (%s)',
            name, begins, begins + size);
        begins := begins + size;
        RETURN NEXT name;
    END LOOP;
END $$;

-- Drops the partitions whose alerts all came before a moment; says which, with how many payloads it dropped and kept.
CREATE FUNCTION soar_payload_drop(before timestamptz)
RETURNS TABLE (name text, dropped bigint, kept bigint) LANGUAGE plpgsql AS $$
DECLARE one record; stored bigint;
BEGIN
    -- Whoever changes an alert or a hold waits until this is over: one may be opened again, or held, at this moment.
    LOCK TABLE cases_alert, cases_legalhold IN SHARE ROW EXCLUSIVE MODE;
    FOR one IN SELECT * FROM soar_payload_ranges ORDER BY high LOOP
        -- Nothing can come into a partition whose numbers are all given out.
        EXIT WHEN one.high > (SELECT coalesce(max(id), 0) FROM cases_alert) OR EXISTS (
            SELECT FROM cases_alert WHERE id >= coalesce(one.low, 0) AND id < one.high AND received_at >= before);
        EXECUTE format('SELECT count(*) FROM %s', one.partition) INTO stored;
        EXECUTE format('ALTER TABLE cases_alertpayload DETACH PARTITION %s', one.partition);
        EXECUTE format('INSERT INTO cases_alertpayload_rest SELECT p.* FROM %s p JOIN cases_alert a ON a.id = p.alert_id
            WHERE a.status < 2 OR a.incident_id IN (SELECT incident_id FROM cases_legalhold WHERE lifted_at IS NULL)',
            one.partition);
        GET DIAGNOSTICS kept = ROW_COUNT;
        name := one.partition::text;
        dropped := stored - kept;
        EXECUTE format('DROP TABLE %s', one.partition);
        INSERT INTO accounts_auditentry (actor_name, verb, target, data) VALUES ('Soar', 'payloads.dropped', name,
            jsonb_build_object('before', before, 'dropped', dropped, 'kept', kept));
        RETURN NEXT;
    END LOOP;
END $$;

-- The first partition ends at the next whole million, so that alerts of now still go there.
DO $$
DECLARE ends bigint := (coalesce((SELECT max(id) FROM cases_alert), 0) / 1000000 + 1) * 1000000;
BEGIN
    EXECUTE format('ALTER TABLE cases_alertpayload ATTACH PARTITION cases_alertpayload_first
        FOR VALUES FROM (MINVALUE) TO (%s)', ends);
END $$;
SELECT soar_payload_partitions();
