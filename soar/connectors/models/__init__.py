"""Accounts and attempts, warning lists and own lists."""

from soar.connectors.models.account import ConnectorAccount, ConnectorGroupPermission, ConnectorUserPermission
from soar.connectors.models.attempt import Attempt
from soar.connectors.models.own_lists import ExceptionEntry, OwnListEntry
from soar.connectors.models.route import Route
from soar.connectors.models.warninglists import WarningList, WarningName, WarningNetwork, WarningPattern

__all__ = [
    "Attempt",
    "ConnectorAccount",
    "ConnectorGroupPermission",
    "ConnectorUserPermission",
    "ExceptionEntry",
    "OwnListEntry",
    "Route",
    "WarningList",
    "WarningName",
    "WarningNetwork",
    "WarningPattern",
]
