"""Which service account a target is. Pure."""

from __future__ import annotations

import re

from soar.connectors.base import ConnectorError
from soar.connectors.capabilities import Target

EMAIL = re.compile(r"[a-z0-9-]{1,63}@[a-z0-9.-]{1,200}\.gserviceaccount\.com")
NUMBER = re.compile(r"[0-9]{15,25}")
RESOURCE = re.compile(
    r"(?://iam\.[a-z0-9.-]+/)?projects/(?P<project>[\w.:-]{1,100})/serviceAccounts/(?P<who>[^/]+)(?:/keys/\w+)?"
)
PROJECT = re.compile(r"([a-z0-9.-]{1,100}:)?[a-z][a-z0-9-]{4,28}[a-z0-9]")
OWN = ".iam.gserviceaccount.com"
ENGINE = "@appspot.gserviceaccount.com"


def named(target: Target, project: str) -> str:
    """Address or unique id of the service account in this project. Raises ConnectorError for what is none, and for one
    of another project."""
    value = target.value.strip().removeprefix("serviceAccount:")
    match = RESOURCE.fullmatch(value)
    who, told = (match["who"], match["project"]) if match else (value, "")
    if not EMAIL.fullmatch(who) and not NUMBER.fullmatch(who):
        raise _no(f"{value or 'The target'} is no service account of Google Cloud.")
    told = told if told not in ("", "-") else _project_of(who)
    if told and told != _in_address(project) and told != project:
        raise _no(f"{who} is of the project {told}; this connector is set up for {project}.")
    return who


def _project_of(who: str) -> str:
    """The project that an address names, "" if it names none."""
    name, at, domain = who.partition("@")
    if at and f"@{domain}" == ENGINE:
        return name
    return domain.removesuffix(OWN) if domain.endswith(OWN) else ""


def _in_address(project: str) -> str:
    """A project of a domain, example.com:name, stands in addresses as name.example.com."""
    domain, colon, name = project.rpartition(":")
    return f"{name}.{domain}" if colon else project


def _no(text: str) -> ConnectorError:
    return ConnectorError(text, permanent=True)
