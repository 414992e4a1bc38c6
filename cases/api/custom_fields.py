"""Definitions of custom fields: everybody who sees incidents may read them, who manages settings may change them."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers as s
from rest_framework.request import Request
from rest_framework.response import Response

from cases.actions import custom_fields
from cases.actions.custom_field_checks import CHOICES_AT_MOST
from cases.api import documented, fields
from cases.api.base import ApiViewSet, read, tagged
from cases.api.bodies import Nothing
from cases.api.etags import expected_version
from cases.api.fields import Body, Flag, Ref, Text, Whole
from cases.custom_fields.kinds import KIND_WORDS
from cases.models import CustomField
from cases.models.custom_field import FIELDS_AT_MOST
from soar.lib.clock import iso


def _templates() -> s.ListField:
    return s.ListField(
        child=Ref(),
        required=False,
        allow_null=True,
        max_length=1000,
        help_text="Null: asked for on all incidents; else on those of these templates (names or ids)",
    )


class FieldChanges(Body):
    """What can be changed of a field. Its key cannot."""

    name = Text(max_length=100, required=False)
    kind = fields.Words(KIND_WORDS, required=False)
    choices = s.ListField(child=Text(max_length=100), required=False, max_length=CHOICES_AT_MOST)
    required = Flag(required=False, help_text="An incident cannot be resolved or closed without it")  # type: ignore[assignment]
    help_text = Text(max_length=500, required=False, allow_blank=True)  # type: ignore[assignment]
    templates = _templates()


class NewField(FieldChanges):
    """A field; without a key, one is made of the name."""

    name = Text(max_length=100)
    kind = fields.Words(KIND_WORDS)
    key = Text(max_length=40, required=False, allow_blank=True)


class MoveField(Body):
    """Its place in the list, counted from 1; the others move."""

    position = Whole(min_value=1, max_value=FIELDS_AT_MOST)


class Field(s.Serializer[Any]):
    """A custom field of incidents."""

    key = s.CharField(help_text="What values and filters call it, for good")
    name = s.CharField()
    kind = fields.Words(KIND_WORDS)
    choices = s.ListField(child=s.CharField())
    required = s.BooleanField()  # type: ignore[assignment]
    help_text = s.CharField()  # type: ignore[assignment]
    templates = s.ListField(child=s.CharField(), allow_null=True, help_text="Names; null: all incidents")
    retired_at = s.DateTimeField(allow_null=True, help_text="Since when it is asked for no more; its values stay")
    position = s.IntegerField()
    changed_by = s.CharField()
    created_at = s.DateTimeField()
    updated_at = s.DateTimeField()
    version = s.IntegerField()


class FieldList(s.Serializer[Any]):
    """All custom fields in one page, in their order."""

    next = s.URLField(allow_null=True)
    previous = s.URLField(allow_null=True)
    results = Field(many=True)


class CustomFields(ApiViewSet):
    """``/custom-fields/``."""

    @extend_schema(**documented.whole_list("List the custom fields", FieldList))
    def list(self, request: Request) -> Response:
        """In their order, retired ones too."""
        self._may_read()
        rows = [field_dict(field) for field in CustomField.objects.prefetch_related("templates")]
        return Response({"next": None, "previous": None, "results": rows})

    @extend_schema(**documented.create("Make a custom field", NewField, Field, tagged=False))
    def create(self, request: Request) -> Response:
        """For those who manage settings."""
        given = self.body(NewField)
        return self.once(lambda: tagged(field_dict(custom_fields.create(self.actor, fields=given)), 201))

    @extend_schema(**documented.read("Read a custom field", Field))
    def retrieve(self, request: Request, key: str) -> Response:
        """By its key."""
        self._may_read()
        return read(request, field_dict(custom_fields.field_for(key)))

    @extend_schema(**documented.change("Change a custom field", FieldChanges, Field))
    def partial_update(self, request: Request, key: str) -> Response:
        """For those who manage settings. No value changes: 409 for a kind or choices that stored values do not fit."""
        changes, expected = self.body(FieldChanges, partial=True), expected_version(request)
        return tagged(field_dict(custom_fields.update(self.actor, key, changes=changes, expected_version=expected)))

    @extend_schema(**documented.remove("Delete a custom field", codes=(409,)))
    def destroy(self, request: Request, key: str) -> Response:
        """For those who manage settings. 409 while an incident or template has a value of it: it can be retired."""
        custom_fields.delete(self.actor, key, expected_version=expected_version(request))
        return Response(status=204)

    @extend_schema(**documented.verb("Retire a custom field", Nothing, Field))
    def retire(self, request: Request, key: str) -> Response:
        """It is asked for no more; its values stay."""
        self.body(Nothing)
        return self._switch(request, key, custom_fields.retire)

    @extend_schema(**documented.verb("Restore a custom field", Nothing, Field))
    def restore(self, request: Request, key: str) -> Response:
        """It is asked for again."""
        self.body(Nothing)
        return self._switch(request, key, custom_fields.restore)

    @extend_schema(**documented.verb("Move a custom field", MoveField, Field, tagged=False))
    def move(self, request: Request, key: str) -> Response:
        """For those who manage settings."""
        position = self.body(MoveField)["position"]
        return self.once(lambda: tagged(field_dict(custom_fields.move(self.actor, key, position))))

    def _switch(self, request: Request, key: str, act: Any) -> Response:
        expected = expected_version(request)
        return self.once(lambda: tagged(field_dict(act(self.actor, key, expected_version=expected))))

    def _may_read(self) -> None:
        self.need("view_cases", _("The permission to see cases is missing."))


def field_dict(field: CustomField) -> dict[str, Any]:
    """A field in JSON."""
    names = ("key", "name", "kind", "choices", "required", "help_text", "position", "changed_by", "version")
    return {
        **{name: getattr(field, name) for name in names},
        "templates": None if field.everywhere else [template.name for template in field.templates.all()],
        "retired_at": iso(field.retired_at),
        "created_at": iso(field.created_at),
        "updated_at": iso(field.updated_at),
    }
