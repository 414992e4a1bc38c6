"""The templates that every installation begins with. Going back leaves them: the next step back drops their table."""

from typing import Any

from django.db import migrations

from cases.choices import Severity
from cases.shipped_templates import TEMPLATES


def store(apps: Any, schema_editor: Any) -> None:
    """One row each."""
    model = apps.get_model("cases", "IncidentTemplate")
    for shipped in TEMPLATES:
        model.objects.create(**{**shipped, "severity": Severity.from_word(shipped["severity"])}, changed_by="Soar")


class Migration(migrations.Migration):
    dependencies = [("cases", "0004_tasks_templates")]
    operations = [migrations.RunPython(store, migrations.RunPython.noop)]
