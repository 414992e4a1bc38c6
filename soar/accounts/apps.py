"""The app of people, teams, roles, tokens and the audit log."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """On the floor above ``soar.lib``; knows nothing of cases or playbooks (rulings 21)."""

    name = "soar.accounts"
    label = "accounts"
    verbose_name = "People"
