"""The portal's own app: commands, templates of the frame, heartbeats."""

from django.apps import AppConfig


class SoarConfig(AppConfig):
    """Carries what belongs to no room: management commands, template tags, heartbeats."""

    name = "soar"
    label = "soar"
