"""AWS IAM: taking a user's access away and giving it back (rulings 12)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar

from django.db.models import Q
from django.utils.translation import gettext_noop as _

from soar.connectors.aws import policy
from soar.connectors.aws.api import MISSING, AwsError, Iam
from soar.connectors.aws.identity import named, user_of
from soar.connectors.base import ConnectorError
from soar.connectors.capabilities import Result, Target
from soar.connectors.kinds import Kind, Setting
from soar.lib import clock

MOST_PAGES = 20
SETTLED = timedelta(minutes=5)  # after so long AWS is taken to give back what was written
PUT = "PutUserPolicy"
GOOGLES = re.compile(r"\.gserviceaccount\.com$|/serviceAccounts/|^[0-9]{15,25}$")


class Aws(Iam):
    """Both ways may be walked again from any point: the policy that denies comes first and goes last, and it remembers
    which keys were active."""

    kind = "aws"
    serves: ClassVar[frozenset[str]] = frozenset({"revoke_cloud_access", "restore_cloud_access"})
    repeatable: ClassVar[frozenset[str]] = serves

    @classmethod
    def responsible(cls, settings: Mapping[str, Any], target: Target) -> bool:
        """See Responder. Service accounts of Google Cloud look like user names: addresses, resources, numbers."""
        return not GOOGLES.search(target.value.strip())

    def check(self) -> str:
        """Ask who we are. Raises ConnectorError."""
        try:
            arn = self.action("GetUser").findtext(".//Arn")
        except AwsError as error:
            if error.code == "AccessDenied":
                return "AWS takes the access key. It may not ask for itself (iam:GetUser)."
            if error.code == "ValidationError":  # of a role, which has no user
                return "AWS takes the access key of a role."
            raise
        return f"AWS takes the access key of {arn}."

    def perform(self, capability: str, target: Target, params: dict[str, Any], *, key: str) -> Result:
        """See Responder. ``params["undoes"]``: what came of revoking, whose ``deactivated`` keys are activated besides
        those that the policy remembers."""
        if capability == "revoke_cloud_access":
            user, arn = user_of(self, target)
            self.about_to(target.kind, user, arn)
            return self._revoke(user, key)
        if capability == "restore_cloud_access":
            return self._restore(user_of(self, target)[0], params, key)
        raise ConnectorError(f"AWS cannot do {capability}.", permanent=True)

    def requests(self, capability: str, target: Target, params: dict[str, Any]) -> list[dict[str, Any]]:
        """See Responder. Which keys there are is known only when AWS is asked."""
        name, told = named(target)
        user = name or f"(holder of {told})"
        if capability == "revoke_cloud_access":
            steps = [("ListAccessKeys", {}), (PUT, {"PolicyName": policy.NAME, "PolicyDocument": policy.document([])})]
        elif capability == "restore_cloud_access":
            steps = [(name, {"PolicyName": policy.NAME}) for name in ("GetUserPolicy", "DeleteUserPolicy")]
        else:
            raise ConnectorError(f"AWS cannot do {capability}.", permanent=True)
        return [
            self.preview("POST", "", **self.signed(action, {"UserName": user, **more}))["request"]
            for action, more in steps
        ]

    def _revoke(self, user: str, key: str) -> Result:
        keys = self._keys(user)
        if self.credentials().key_id in keys:
            text = f"{user} is the user whose access key this connector uses. Nothing was changed."
            raise ConnectorError(text, permanent=True)
        there = self._policy(user)
        active = {name for name, status in keys.items() if status == "Active"}
        # What was just written may not be read yet, so our own requests are asked as well.
        known = (there or set()) | self._sent(user, key)
        missing = ""
        if there is None or not active <= there:
            known |= active
            missing = self._put_policy(user, known, key)
        for name in sorted(active):
            self.action("UpdateAccessKey", key=key, UserName=user, AccessKeyId=name, Status="Inactive")
        number = f"{len(known)} access {'key' if len(known) == 1 else 'keys'}"
        text = f"{user} is denied everything; {number} deactivated."
        if missing:
            text = f"{number} of {user} deactivated, but the policy that denies everything is missing: {missing}"
        changed = there is None or bool(active) or self.tried(f"iam.{PUT}", key)
        data = {"user": user, "policy": policy.NAME, "deactivated": sorted(known), "changed": changed}
        return Result("failed" if missing else "done", text, data=data)

    def _put_policy(self, user: str, keys: set[str], key: str) -> str:
        """Why the policy is refused for good, such as by the 2,048 characters that all policies of a user may have; ""
        when it is there. The keys are deactivated all the same. Raises AwsError for what may go by."""
        try:
            self.action(PUT, key=key, UserName=user, PolicyName=policy.NAME, PolicyDocument=policy.document(keys))
        except AwsError as error:
            if not error.permanent or error.outcome_unknown:
                raise
            return error.message
        return ""

    def _restore(self, user: str, params: dict[str, Any], key: str) -> Result:
        undoes = params.get("undoes")
        given = undoes.get("deactivated") if isinstance(undoes, dict) else None
        told = {str(name) for name in given} if isinstance(given, list) else set()
        there = self._policy(user)
        keys = self._keys(user)
        activated = sorted(name for name in (there or set()) | told if name in keys)
        for name in activated:
            self.action("UpdateAccessKey", key=key, UserName=user, AccessKeyId=name, Status="Active")
        gone = self._delete_policy(user, key)
        data = {"user": user, "activated": activated}
        if not activated and not gone:
            return Result("done", f"There was nothing to give back to {user}.", data=data)
        number = f"{len(activated)} access {'key' if len(activated) == 1 else 'keys'}"
        return Result("done", f"{user} is denied nothing any more; {number} activated.", data=data)

    def _keys(self, user: str) -> dict[str, str]:
        """Status by access key, of all pages."""
        keys: dict[str, str] = {}
        more: dict[str, str] = {}
        for _turn in range(MOST_PAGES):
            answer = self.action("ListAccessKeys", UserName=user, **more)
            for one in answer.iter("member"):
                keys[one.findtext("AccessKeyId") or ""] = one.findtext("Status") or ""
            if answer.findtext(".//IsTruncated") != "true":
                break
            more = {"Marker": answer.findtext(".//Marker") or ""}
        return {name: status for name, status in keys.items() if name}

    def _policy(self, user: str) -> set[str] | None:
        """The keys that our policy on the user remembers; None if it has none."""
        try:
            answer = self.action("GetUserPolicy", UserName=user, PolicyName=policy.NAME)
        except AwsError as error:
            if error.code == MISSING:
                return None
            raise
        return policy.remembered(answer.findtext(".//PolicyDocument") or "")

    def _delete_policy(self, user: str, key: str) -> bool:
        try:
            self.action("DeleteUserPolicy", key=key, UserName=user, PolicyName=policy.NAME)
        except AwsError as error:
            if error.code == MISSING:
                return False
            raise
        return True

    def _sent(self, user: str, key: str) -> set[str]:
        """The keys that earlier tries of this task, or anybody a moment ago, wrote into the user's policy."""
        recent = Q(started_at__gt=clock.now() - SETTLED)
        mine = Q(idempotency_key=key[:200]) if key else recent
        rows = self.account.attempts.filter(mine | recent, operation=f"iam.{PUT}")
        return {name for row in rows for name in policy.sent(str(row.request.get("body") or ""), user)}


KIND = Kind(
    name="aws",
    label=_("AWS IAM"),
    connector=Aws,
    settings=(Setting("region", _("Region that requests are signed for"), default="us-east-1"),),
    secrets=(
        Setting("client_id", _("Access key ID"), required=True),
        Setting("client_secret", _("Secret access key"), required=True),
        Setting("token", _("Session token of temporary credentials")),
    ),
)
