"""The sandbox's remaining quota (response-playbooks.md, actions on files, URLs and domains), shown where somebody is
about to spend it: told by every submission, when a connection is tested, and every half hour (quota_asking.py)."""

from __future__ import annotations

from datetime import UTC, timedelta

from django.utils.translation import ngettext

from soar.accounts.models import User
from soar.connectors.models import ConnectorAccount, SandboxQuota
from soar.connectors.selectors import usable_by
from soar.lib import clock

ACTIONS = ("sandbox_file", "sandbox_url")
MOST = 2_147_483_647
COUNTS_FOR = timedelta(days=1)  # quotas are of a day


def told(account: ConnectorAccount, remaining: int) -> None:
    """Keep what a product said just now."""
    values = {"remaining": min(remaining, MOST), "told_at": clock.now()}
    SandboxQuota.objects.update_or_create(account=account, defaults=values)


def left(user: User | None = None) -> str:
    """A sentence on what is left in the sandboxes that the person may use (None: all); "" where nothing is known."""
    accounts = ConnectorAccount.objects.all() if user is None else usable_by(user)
    since = clock.now() - COUNTS_FOR
    rows = SandboxQuota.objects.filter(account__in=accounts.filter(enabled=True), told_at__gte=since)
    return " ".join(sentence(row) for row in rows.select_related("account").order_by("account__name"))


def sentence(row: SandboxQuota) -> str:
    """What is left at one, and as of when."""
    text = ngettext(
        "%(n)s submission is left at %(name)s (as of %(at)s UTC).",
        "%(n)s submissions are left at %(name)s (as of %(at)s UTC).",
        row.remaining,
    )
    return text % {
        "n": f"{row.remaining:,}",
        "name": row.account.name,
        "at": row.told_at.astimezone(UTC).strftime("%H:%M"),
    }
