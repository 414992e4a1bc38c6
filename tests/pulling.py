"""What the tests of reading alerts from products have in common."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cases.models import Alert, AlertPull
from cases.pulls import reading
from soar.connectors import registry
from soar.connectors.models import ConnectorAccount
from soar.connectors.reader import AlertReader
from tests.acting import Range


def now() -> datetime:
    return datetime.now(UTC)


def moment(minutes: float) -> str:
    """So many minutes ago."""
    return (now() - timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def read(row: AlertPull) -> AlertPull:
    """Have the source read as a worker does."""
    reading.pull(row.pk)
    row.refresh_from_db()
    return row


def refs() -> list[str]:
    """The products' ids of all alerts, and that none was counted twice."""
    assert set(Alert.objects.values_list("count", flat=True)) <= {1}
    return sorted(Alert.objects.values_list("source_ref", flat=True))


def reader(here: Range) -> AlertReader:
    """The connector as it is for the account now."""
    found = registry.of(ConnectorAccount.objects.get(pk=here.account.pk))
    assert isinstance(found, AlertReader)
    return found
