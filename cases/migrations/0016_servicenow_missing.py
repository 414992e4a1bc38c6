from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("cases", "0015_bulk_filters_and_views")]
    # Both may be empty: a process of the release before goes on making rows.
    operations = [
        migrations.AddField(
            model_name="servicenowinstance",
            name="counted",
            field=models.JSONField(
                help_text="By table, how many more tickets with our ids than links there were", null=True
            ),
        ),
        migrations.AddField(
            model_name="ticketlink",
            name="shown_again_at",
            field=models.DateTimeField(help_text="Since when the ticket of a broken link is seen again", null=True),
        ),
    ]
