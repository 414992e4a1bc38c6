from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("playbooks", "0002_response")]

    operations = [
        migrations.CreateModel(
            name="Position",
            fields=[
                ("name", models.CharField(max_length=60, primary_key=True, serialize=False)),
                ("last_id", models.BigIntegerField(default=0)),
            ],
            options={"default_permissions": ()},
        ),
    ]
