"""Which IAM user a target is."""

from __future__ import annotations

import re

from soar.connectors.aws.api import MISSING, AwsError, Iam
from soar.connectors.base import ConnectorError
from soar.connectors.capabilities import Target

ARN = re.compile(r"arn:aws[\w-]*:(?P<service>iam|sts)::(?P<account>\d{12}):(?P<kind>[\w-]+)(?:/(?P<path>.*))?")
NAME = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)
KEY = re.compile(r"A[KS]IA[A-Z0-9]{12,28}")


def named(target: Target) -> tuple[str, str]:
    """User name and ARN (one of them may be ""), or the access key as ("", key). Raises ConnectorError for what is no
    IAM user: a role, the root user."""
    value = (str(target.facts.get("user_name") or "") or target.value).strip()
    match = ARN.fullmatch(value)
    if match is None:
        if KEY.fullmatch(value):
            return "", value
        if NAME.fullmatch(value):
            return value, ""
        raise ConnectorError(f"{value or 'The target'} is no IAM user: neither a name nor an ARN.", permanent=True)
    if match["kind"] != "user" or match["service"] != "iam" or not match["path"]:
        text = f"{value} is no IAM user ({match['kind']}); access can be revoked of users alone."
        raise ConnectorError(text, permanent=True)
    return match["path"].rpartition("/")[2], value


def user_of(api: Iam, target: Target) -> tuple[str, str]:
    """The user's name and ARN, after AWS was asked whether it is the one that is meant: the same name may be there in
    several AWS accounts, and only one of them is this connector's. Raises ConnectorError."""
    name, told = named(target)
    if not name:
        name, told = _holder(api, told), ""
    try:
        arn = api.action("GetUser", UserName=name).findtext(".//Arn") or ""
    except AwsError as error:
        if error.code == MISSING:
            raise ConnectorError(f"There is no IAM user {name} in this AWS account.", permanent=True) from None
        raise
    if told and arn != told:
        text = f"{told} is not of this connector's AWS account, where the user {name} is {arn}. Nothing was changed."
        raise ConnectorError(text, permanent=True)
    return name, arn


def _holder(api: Iam, key_id: str) -> str:
    """Whose access key it is."""
    try:
        name = api.action("GetAccessKeyLastUsed", AccessKeyId=key_id).findtext(".//UserName")
    except AwsError as error:
        if error.code in {MISSING, "AccessDenied"}:
            text = f"The access key {key_id} is of nobody in this AWS account."
            raise ConnectorError(text, permanent=True) from None
        raise
    if not name:
        raise ConnectorError(f"AWS does not tell whose access key {key_id} is.", permanent=True)
    return name
