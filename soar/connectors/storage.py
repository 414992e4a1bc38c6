"""Fetching a collected file, or what a script wrote, from where a product says that it lies: another host, without our
token."""

from __future__ import annotations

import dataclasses
from typing import Any
from urllib.parse import urlsplit

from soar.connectors import attempts
from soar.connectors.base import Connector, ConnectorError
from soar.lib.http import Client, Limits, RemoteError

LARGEST = 60 * 1024 * 1024


def fetched(api: Connector, location: str, product: str) -> bytes:
    """The content, at most 60 MB; held in memory, never kept. Raises ConnectorError."""
    parts = urlsplit(location)
    account = api.account
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ConnectorError(f"{product} names no address for what was collected.", permanent=True)
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    request: dict[str, Any] = {
        "method": "GET",
        "url": f"{parts.scheme}://{parts.netloc}{parts.path}",
        "headers": {},
        "body": None,
    }
    attempt = attempts.begin(account, "collected_file.fetch", request, key="", cause=api.cause)
    limits = Limits(read=account.timeout_seconds, total=4 * account.timeout_seconds, response_bytes=LARGEST)
    try:
        with Client(
            f"{parts.scheme}://{parts.netloc}",
            verify_tls=account.verify_tls,
            authority=api.authority(),
            public=True,
            proxy=account.proxy,
            allow_internal=account.allow_internal,
            headers={"Accept": "*/*"},
            limits=limits,
        ) as client:
            answer = client.request("GET", path)
    except RemoteError as error:
        attempts.fail(attempt, error)
        raise ConnectorError.of(error) from None
    except BaseException:
        attempts.lose(attempt)
        raise
    attempts.finish(attempt, dataclasses.replace(answer, body=b""))  # the file itself is kept nowhere
    if not answer.ok:
        text = f"What was collected could not be fetched: {parts.hostname} answered {answer.status}."
        raise ConnectorError(text, permanent=answer.status < 500, status=answer.status)
    return answer.body
