"""Whose rights count in what goes on after the call that asked for it (rulings 8)."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models.fields.related_descriptors import ForwardManyToOneDescriptor


class _WithinScopes(ForwardManyToOneDescriptor):  # type: ignore[type-arg]
    def __get__(self, instance: Any, cls: Any = None) -> Any:
        found: Any = super().__get__(instance, cls)
        if instance is not None and found is not None and instance.scopes is not None:
            found.token_scopes = frozenset(instance.scopes)
        return found


class ActingUser(models.ForeignKey):  # type: ignore[type-arg]
    """The person, with no more than the row's ``scopes``: those of the token that asked; null is all that they may."""

    forward_related_accessor_class = _WithinScopes

    def deconstruct(self) -> Any:
        """A plain foreign key to migrations."""
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.ForeignKey", args, kwargs
