"""The person who logs in."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models

NAME_AT_MOST = 200


class User(AbstractUser):
    """A person or a service. Own model from the first migration (rulings 21)."""

    class Theme(models.TextChoices):
        AUTO = "auto"
        LIGHT = "light"
        DARK = "dark"

    theme = models.CharField(max_length=5, choices=Theme.choices, default=Theme.AUTO)
    time_zone = models.CharField(max_length=64, default="UTC", help_text="Name of a time zone, Europe/Oslo")
    shortcuts = models.BooleanField(default=True, help_text="Keyboard shortcuts on lists and details")

    is_service = models.BooleanField(
        default=False, db_default=False, help_text="A program: it has tokens, and nobody logs in as it"
    )

    session_epoch = models.PositiveIntegerField(
        default=0, db_default=0, help_text="Counted up, it ends every session of the person"
    )

    # Set by TokenAuthentication: the request may do what the user may AND the token's scopes name.
    token_scopes: frozenset[str] | None = None
    # Set by the middleware ViewAs: who it is that looks, while they see what this person sees.
    viewer: User | None = None

    objects: ClassVar[UserManager[User]] = UserManager()  # type: ignore[assignment]

    def __str__(self) -> str:
        return self.display_name()

    def display_name(self) -> str:
        """First and last name, or the user name where neither is set; as long as timeline and audit log keep it."""
        return (self.get_full_name() or self.username)[:NAME_AT_MOST]

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """As Django's, of the password; with the epoch, so that all sessions can be ended without a new password."""
        found: str = super()._get_session_auth_hash(secret=secret)  # type: ignore[misc]
        return f"{found}.{self.session_epoch}" if self.session_epoch else found

    def has_perm(self, perm: str, obj: Any | None = None) -> bool:
        """As Django's, within the scopes of the token that the request came with (contract: Commands)."""
        if self.token_scopes is not None and perm.rpartition(".")[2] not in self.token_scopes:
            return False
        return super().has_perm(perm, obj)
