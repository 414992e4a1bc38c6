"""All kinds of connector. Adding one is a folder copied from ``http`` and a line here (connectors.md 6)."""

from __future__ import annotations

import uuid

from soar.accounts.models import User
from soar.connectors import selectors
from soar.connectors.aws.connector import KIND as AWS
from soar.connectors.base import Connector
from soar.connectors.crowdstrike.connector import KIND as CROWDSTRIKE
from soar.connectors.defender.connector import KIND as DEFENDER
from soar.connectors.elasticsearch.connector import KIND as ELASTICSEARCH
from soar.connectors.entra.connector import KIND as ENTRA
from soar.connectors.errors import ConnectorError
from soar.connectors.fortinet.connector import KIND as FORTINET
from soar.connectors.google_iam.connector import KIND as GOOGLE_IAM
from soar.connectors.http.connector import KIND as HTTP
from soar.connectors.imap.connector import KIND as IMAP
from soar.connectors.intelligence.feeds.connector import KIND as FEED
from soar.connectors.intelligence.providers.registry import PROVIDERS
from soar.connectors.kinds import Kind
from soar.connectors.kubernetes.connector import KIND as KUBERNETES
from soar.connectors.ldap.connector import KIND as LDAP
from soar.connectors.mattermost.connector import KIND as MATTERMOST
from soar.connectors.microsoft_graph.connector import KIND as MICROSOFT_GRAPH
from soar.connectors.models import ConnectorAccount
from soar.connectors.okta.connector import KIND as OKTA
from soar.connectors.panos.connector import KIND as PANOS
from soar.connectors.responder import Responder
from soar.connectors.servicenow.connector import KIND as SERVICENOW
from soar.connectors.slack.connector import KIND as SLACK
from soar.connectors.smtp.connector import KIND as SMTP
from soar.connectors.taxii.connector import KIND as TAXII
from soar.connectors.teams.connector import KIND as TEAMS
from soar.connectors.visionone.connector import KIND as VISION_ONE
from soar.connectors.webhook.connector import KIND as WEBHOOK
from soar.lib.crypto import DecryptionError

KINDS: dict[str, Kind] = {
    HTTP.name: HTTP,
    SMTP.name: SMTP,
    SLACK.name: SLACK,
    TEAMS.name: TEAMS,
    MATTERMOST.name: MATTERMOST,
    WEBHOOK.name: WEBHOOK,
    VISION_ONE.name: VISION_ONE,
    ENTRA.name: ENTRA,
    DEFENDER.name: DEFENDER,
    CROWDSTRIKE.name: CROWDSTRIKE,
    AWS.name: AWS,
    GOOGLE_IAM.name: GOOGLE_IAM,
    KUBERNETES.name: KUBERNETES,
    LDAP.name: LDAP,
    OKTA.name: OKTA,
    PANOS.name: PANOS,
    FORTINET.name: FORTINET,
    SERVICENOW.name: SERVICENOW,
    IMAP.name: IMAP,
    MICROSOFT_GRAPH.name: MICROSOFT_GRAPH,
    ELASTICSEARCH.name: ELASTICSEARCH,
    **{kind.name: kind for kind in PROVIDERS},
    FEED.name: FEED,
    TAXII.name: TAXII,
}


def get(
    name: str,
    *,
    user: User | None = None,
    cause: uuid.UUID | None = None,
    dry_run: bool = False,
) -> Connector:
    """The connector of the account ``name``, for ``user`` (None is the system itself, which may use all).

    Raises NoConnector when there is none that this user may use, ConnectorError for a disabled one.
    """
    account = selectors.account_named(name, user)
    if not account.enabled:
        raise ConnectorError(f"The connector {account.name} is disabled.", permanent=True)
    return of(account, cause=cause, dry_run=dry_run)


def offered(account: ConnectorAccount) -> frozenset[str]:
    """The capabilities that this account serves: those of its kind, without what its settings leave out."""
    kind = KINDS.get(account.kind)
    if kind is None or not issubclass(kind.connector, Responder):
        return frozenset()
    return kind.connector.offers(account.settings)


def of(account: ConnectorAccount, *, cause: uuid.UUID | None = None, dry_run: bool = False) -> Connector:
    """The connector of an account. Raises ConnectorError when this version does not know its kind, or when the key of
    its secrets is lost."""
    kind = KINDS.get(account.kind)
    if kind is None:
        raise ConnectorError(f"The kind {account.kind!r} of {account.name} is not known here.", permanent=True)
    try:
        account.secrets  # noqa: B018  they are read from the database here, once
    except DecryptionError:
        text = f"The secrets of {account.name} cannot be read with the keys that are set. Give them again."
        raise ConnectorError(text, permanent=True) from None
    return kind.connector(account, cause=cause, dry_run=dry_run)
