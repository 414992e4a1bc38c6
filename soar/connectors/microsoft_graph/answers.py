"""What the lists of Graph say, as values or as a ConnectorError in their own words."""

from __future__ import annotations

from typing import Any

from soar.connectors.errors import ConnectorError
from soar.connectors.microsoft.answers import object_of, refusal, said
from soar.lib.http import Answer

WORDS = {
    401: "Microsoft Graph does not take the access token",
    403: "The app may not read this: grant it the application permission SecurityAlert.Read.All"
    " (for incidents SecurityIncident.Read.All) with admin consent",
    404: "Microsoft Graph has nothing at this address",
    429: "Microsoft Graph counts too many requests; it is asked again later",
}


def understood(answer: Answer) -> dict[str, Any]:
    """The JSON object of a good answer. Raises ConnectorError."""
    document = object_of(answer)
    if answer.ok and document is not None and "error" not in document:
        return document
    if answer.ok:
        raise ConnectorError("Microsoft Graph answered with something that is no data.", permanent=False)
    raise refusal(answer, WORDS.get(answer.status, f"Microsoft Graph answered {answer.status}"), said(document))
