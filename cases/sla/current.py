"""The policy that holds now, and what time it is for the database."""

from __future__ import annotations

import json
from datetime import datetime

from cases.models import SlaPolicy
from cases.sla.policy import SHIPPED, Policy
from soar.lib import clock
from soar.lib.database import prepared

BOTH = """
SELECT statement_timestamp(), p.targets, p.hours, p.time_zone, p.holidays, p.warn_percent, p.version
FROM (SELECT 1) one LEFT JOIN cases_slapolicy p ON p.id = 1"""


def policy() -> Policy:
    """The policy of this installation; the shipped one until somebody changes it."""
    return policy_and_time()[0]


def policy_and_time() -> tuple[Policy, datetime]:
    """The policy, and now by the database's clock: hosts may differ, and what is measured between two moments must not.
    Inside ``clock.at`` the moment given there."""
    with prepared() as cursor:
        now, targets, *rest = cursor.execute(BOTH, prepare=True).fetchone() or (clock.now(), None)
    if targets is None:
        return SHIPPED, clock.given() or now
    hours, *others = rest  # Django lets JSON come as text
    return _policy(json.loads(targets), json.loads(hours), *others), clock.given() or now


def of_row(row: SlaPolicy) -> Policy:
    """A stored policy as the clocks use it."""
    return _policy(row.targets, row.hours, row.time_zone, row.holidays, row.warn_percent, row.version)


def _policy(targets: object, hours: object, zone: str, holidays: object, warn_percent: int, version: int) -> Policy:
    return Policy(targets, tuple(hours), zone, tuple(holidays), warn_percent, version)  # type: ignore[arg-type]
