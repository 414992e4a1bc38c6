"""The app of alerts, incidents, observables and the timeline."""

from django.apps import AppConfig


class CasesConfig(AppConfig):
    """Never imports ``playbooks`` (docs/architecture.md: rooms)."""

    name = "cases"
    label = "cases"
