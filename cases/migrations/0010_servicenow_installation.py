from django.db import migrations, models

import cases.models.servicenow


class Migration(migrations.Migration):
    dependencies = [("cases", "0009_servicenow")]
    operations = [
        migrations.AddField(
            model_name="servicenowinstance",
            name="installation",
            field=models.CharField(
                default=cases.models.servicenow.new_installation, help_text="Stands in correlation ids", max_length=8
            ),
        ),
        migrations.AlterField(
            model_name="journalseen",
            name="sys_id",
            field=models.CharField(help_text="Or what the connector made of a shown entry", max_length=40),
        ),
    ]
