from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("cases", "0010_servicenow_installation")]
    operations = [
        # The default also stands in the database: a process of the release before goes on making instances.
        migrations.AddField(
            model_name="servicenowinstance",
            name="version",
            field=models.PositiveIntegerField(
                db_default=1, default=1, help_text="Of what people set, not of the health"
            ),
        ),
    ]
