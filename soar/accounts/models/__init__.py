"""People and what they may do."""

from soar.accounts.models.audit import AuditEntry
from soar.accounts.models.groups import Role, Team
from soar.accounts.models.token import ApiToken
from soar.accounts.models.user import User

__all__ = ["ApiToken", "AuditEntry", "Role", "Team", "User"]
