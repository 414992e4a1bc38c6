"""The connector that a source is read with, and that its product is told by."""

from __future__ import annotations

from cases.models import AlertPull
from soar.connectors import registry
from soar.connectors.base import Connector
from soar.connectors.errors import ConnectorError
from soar.connectors.reader import AlertReader, Place


def connector_of(row: AlertPull) -> Connector:
    """Raises ConnectorError when there is none, or it is off."""
    if row.account is None:
        raise ConnectorError("The connector that it was read with is gone. Choose another one.", permanent=True)
    if not row.account.enabled:
        raise ConnectorError(f"The connector {row.account.name} is disabled.", permanent=True)
    return registry.of(row.account)


def reader_of(row: AlertPull) -> AlertReader:
    """As ``connector_of``; raises ConnectorError also for one that alerts cannot be read with."""
    connector = connector_of(row)
    if not isinstance(connector, AlertReader):
        raise ConnectorError(f"The connector {connector.account.name} keeps no alerts.", permanent=True)
    return connector


def told(row: AlertPull) -> tuple[str, str]:
    """What is read and how far that came, in words; ("", "") where the time in ``read_until`` says it all, or where the
    connector cannot be asked. Makes no call."""
    try:
        reader = reader_of(row)
    except ConnectorError:
        return "", ""
    return reader.subject(), reader.told(Place(row.read_until, row.mark))
