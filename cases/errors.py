"""What an action says when it does not do what it was asked (soar.lib.errors), under the name that cases use."""

from soar.lib.errors import CaseError, Conflict, Forbidden, Missing, Refused, Stale, missing_as

__all__ = ["CaseError", "Conflict", "Forbidden", "Missing", "Refused", "Stale", "missing_as"]
