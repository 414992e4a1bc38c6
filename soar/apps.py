"""The portal's own app: commands, templates of the frame, heartbeats."""

from django.apps import AppConfig
from django.core import checks


class SoarConfig(AppConfig):
    """Carries what belongs to no room: management commands, template tags, heartbeats."""

    name = "soar"
    label = "soar"

    def ready(self) -> None:
        """Let ``check --deploy`` look at what Django knows nothing of."""
        from soar.lib.deploying import keys_are_given

        checks.register(keys_are_given, deploy=True)
