"""The app of playbooks and their runs."""

from django.apps import AppConfig


class PlaybooksConfig(AppConfig):
    """May import ``cases``; nothing of ``cases`` imports it (docs/architecture.md: rooms)."""

    name = "playbooks"
    label = "playbooks"
