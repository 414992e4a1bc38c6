"""People and what they may do."""

from soar.accounts.models.audit import AuditEntry, AuditStream, AuditUnsent
from soar.accounts.models.grant_job import GrantJob
from soar.accounts.models.groups import Role, Team
from soar.accounts.models.session import LoginSession
from soar.accounts.models.setting import Setting
from soar.accounts.models.token import ApiToken
from soar.accounts.models.user import User
from soar.accounts.models.viewing import Viewing

__all__ = [
    "ApiToken",
    "AuditEntry",
    "AuditStream",
    "AuditUnsent",
    "GrantJob",
    "LoginSession",
    "Role",
    "Setting",
    "Team",
    "User",
    "Viewing",
]
