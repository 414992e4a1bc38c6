"""The app that talks to other products; it knows nothing of cases or playbooks."""

from django.apps import AppConfig


class ConnectorsConfig(AppConfig):
    """Accounts of other products, the calls made with them, and the lists that rate observables."""

    name = "soar.connectors"
    label = "connectors"
    verbose_name = "Connectors"
