"""Indexes for the filters of the audit log. Built beside the traffic, so not in one transaction."""

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.operations import AddIndexConcurrently, TrigramExtension
from django.db import migrations, models
from django.db.models.functions import Upper


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("accounts", "0003_service_audit_stream")]

    operations = [
        TrigramExtension(),
        AddIndexConcurrently("auditentry", models.Index(fields=["actor_id", "-id"], name="audit_actor")),
        AddIndexConcurrently("auditentry", models.Index(fields=["at"], name="audit_at")),
        AddIndexConcurrently("auditentry", GinIndex(OpClass(Upper("target"), "gin_trgm_ops"), name="audit_target")),
    ]
