import django.db.models.deletion
from django.db import migrations, models

import soar.lib.crypto


class Migration(migrations.Migration):
    dependencies = [
        ("connectors", "0005_intelligence"),
    ]

    operations = [
        migrations.CreateModel(
            name="AccessToken",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("fingerprint", models.CharField(max_length=64)),
                ("token", soar.lib.crypto.EncryptedTextField()),
                ("refresh_token", soar.lib.crypto.EncryptedTextField(blank=True, default="")),
                ("expires_at", models.DateTimeField()),
                (
                    "account",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="access",
                        to="connectors.connectoraccount",
                    ),
                ),
            ],
            options={"default_permissions": ()},
        ),
    ]
