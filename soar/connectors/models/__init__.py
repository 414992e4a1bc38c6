"""Accounts, their access tokens and attempts, warning lists and own lists, the block list."""

from soar.connectors.models.account import ConnectorAccount, ConnectorGroupPermission, ConnectorUserPermission
from soar.connectors.models.attempt import Attempt
from soar.connectors.models.blocklist import BlockEntry, FeedToken
from soar.connectors.models.intelligence import FeedEntry, FeedImport, FeedState, ProviderAnswer
from soar.connectors.models.own_lists import ExceptionEntry, OwnListEntry
from soar.connectors.models.quota import SandboxQuota
from soar.connectors.models.route import Route
from soar.connectors.models.token import AccessToken
from soar.connectors.models.warninglists import WarningList, WarningName, WarningNetwork, WarningPattern

__all__ = [
    "AccessToken",
    "Attempt",
    "BlockEntry",
    "ConnectorAccount",
    "ConnectorGroupPermission",
    "ConnectorUserPermission",
    "ExceptionEntry",
    "FeedEntry",
    "FeedImport",
    "FeedState",
    "FeedToken",
    "OwnListEntry",
    "ProviderAnswer",
    "Route",
    "SandboxQuota",
    "WarningList",
    "WarningName",
    "WarningNetwork",
    "WarningPattern",
]
