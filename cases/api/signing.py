"""The public keys that verify exports (rulings 14)."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from drf_spectacular.utils import extend_schema
from rest_framework import serializers as s
from rest_framework.request import Request
from rest_framework.response import Response

from cases.actions.signing import rotate
from cases.api import bodies, documented, paging, shapes
from cases.api.base import ApiViewSet
from cases.models import SigningKey
from cases.signing import key_dict

NOT_YOURS = gettext_noop("The permission to manage settings is missing.")


class SigningKeyShape(s.Serializer[Any]):
    """A key that signs, or signed, exports: its public half."""

    id = s.CharField(help_text="The first 16 hex digits of the SHA-256 of the public key")
    algorithm = s.CharField(help_text="Ed25519")
    public_key = s.CharField(help_text="32 bytes in hex")
    active = s.BooleanField(help_text="It signs; the others only verify")
    made_at = s.DateTimeField()
    made_by = s.CharField()
    retired_at = s.DateTimeField(allow_null=True)


SIGNING_KEY_PAGE = shapes.page_of(SigningKeyShape)


class SigningKeys(ApiViewSet):
    """``/signing-keys/``."""

    @extend_schema(**documented.listing("List signing keys", SIGNING_KEY_PAGE))
    def list(self, request: Request) -> Response:
        """Newest first. There is none before the first zip was exported."""
        self.need("view_cases", _("The permission to see cases is missing."))
        found = paging.page(request, SigningKey.objects.defer("private_key"), paging.order_of(request, paging.BY_ID))
        return Response(paging.paged(request, found, [key_dict(row) for row in found.rows]))

    @extend_schema(**documented.create("Replace the signing key", bodies.Nothing, SigningKeyShape, tagged=False))
    def create(self, request: Request) -> Response:
        """The new one signs from now on. The private half of the one before is deleted, its public half stays."""
        self.need("manage_settings", _(NOT_YOURS))
        self.body(bodies.Nothing)
        return self.once(lambda: Response(key_dict(rotate(self.actor)), status=201))
