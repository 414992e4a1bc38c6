"""ServiceNow instances and ticket profiles, for who manages connectors (servicenow.md 1, 2, rulings 27).

What asks ServiceNow something takes no Idempotency-Key: no transaction is held while it answers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response

from cases.actions import servicenow, servicenow_check, servicenow_instances, servicenow_profiles
from cases.actions.servicenow_profile_fields import checked
from cases.api import documented, paging
from cases.api import servicenow_setup_shapes as shapes
from cases.api.base import ApiViewSet, as_read, read, tagged, whole
from cases.api.etags import expected_version
from cases.api.servicenow_representation import instance_dict, profile_dict, with_links
from cases.api.servicenow_shapes import Nothing
from cases.errors import Missing, Refused
from cases.models import AlertSource, ServiceNowInstance, TicketProfile
from cases.servicenow.trying import dry_run
from soar.connectors.errors import ConnectorError

NOT_YOURS = gettext_noop("The permission to manage connectors is missing.")


class NoAnswer(APIException):
    """ServiceNow was asked and did not answer, or refused."""

    status_code = 502
    default_code = "no_answer"


class ServiceNowInstances(ApiViewSet):
    """``/servicenow/instances/``."""

    @extend_schema(**documented.listing("List ServiceNow instances", shapes.INSTANCE_PAGE))
    def list(self, request: Request) -> Response:
        """With the health of both directions; without secrets."""
        self.need("manage_connectors", _(NOT_YOURS), read_by="view_setup")
        paging.check_params(request, ())
        found = paging.page(request, with_links(self.user, ServiceNowInstance.objects.all()))
        return Response(paging.paged(request, found, [instance_dict(row) for row in found.rows]))

    @extend_schema(**documented.secret("Add a ServiceNow instance", shapes.NewInstance, shapes.InstanceMade))
    def create(self, request: Request) -> Response:
        """Of a ServiceNow connector. The webhook's secret is in this answer and in no other."""
        given = self.body(shapes.NewInstance)
        account = self._account(given.pop("connector"))
        made, secret = servicenow_instances.create(self.actor, account=account, **given)
        return self._with_secret(made.slug, secret, 201)

    @extend_schema(**documented.read("Read a ServiceNow instance", shapes.Instance))
    def retrieve(self, request: Request, slug: str) -> Response:
        """With the health of both directions; without secrets."""
        self.need("manage_connectors", _(NOT_YOURS), read_by="view_setup")
        return read(request, self._instance(slug))

    @extend_schema(**documented.change("Change a ServiceNow instance", shapes.InstanceChanges, shapes.Instance))
    def partial_update(self, request: Request, slug: str) -> Response:
        """Address and credentials are those of its connector."""
        changes, expected = self.body(shapes.InstanceChanges), expected_version(request)
        servicenow_instances.update(self.actor, slug, **changes, expected_version=expected)
        return tagged(self._instance(slug))

    @extend_schema(**documented.remove("Delete a ServiceNow instance", codes=(409,)))
    def destroy(self, request: Request, slug: str) -> Response:
        """With its profiles; 409 once an incident was linked. The connector stays."""
        servicenow_instances.may_set_up(self.actor)
        rows = ServiceNowInstance.objects.filter(slug=slug)
        gone = partial(servicenow_instances.remove, self.actor, slug)
        as_read(request, rows, lambda row: self._instance(row.slug), gone, None)
        return Response(status=204)

    @extend_schema(**documented.verb("Test a ServiceNow instance", Nothing, shapes.Findings, tagged=False, keyed=False))
    def test(self, request: Request, slug: str) -> Response:
        """Credentials, roles, tables, the journal, the integration user's time zone: each with what was found."""
        self.body(Nothing)
        return Response({"findings": servicenow_check.check(self.actor, slug)})

    @extend_schema(**documented.secret("Renew the webhook's secret", Nothing, shapes.InstanceMade))
    def secret(self, request: Request, slug: str) -> Response:
        """The old one is refused from now on; the new one is in this answer and in no other."""
        self.body(Nothing)
        _row, secret = servicenow_instances.rotate_secret(self.actor, slug)
        return self._with_secret(slug, secret, 201)

    @extend_schema(
        **documented.verb(
            "Sync a ServiceNow instance now", Nothing, shapes.Instance, tagged=False, keyed=False, code=202
        )
    )
    def sync(self, request: Request, slug: str) -> Response:
        """202: what waits is sent, and what changed there is read."""
        self.body(Nothing)
        servicenow.sync_instance(self.actor, slug)
        return Response(self._instance(slug), status=202)

    @extend_schema(**documented.verb("Pause a direction", shapes.Way, shapes.Instance, tagged=False, keyed=False))
    def pause(self, request: Request, slug: str) -> Response:
        """What is to be sent waits, in order; nothing is lost."""
        return self._turned(slug, servicenow.pause)

    @extend_schema(**documented.verb("Resume a direction", shapes.Way, shapes.Instance, tagged=False, keyed=False))
    def resume(self, request: Request, slug: str) -> Response:
        """It goes on where it was held back."""
        return self._turned(slug, servicenow.resume)

    def _turned(self, slug: str, act: Callable[..., Any]) -> Response:
        act(self.actor, slug, self.body(shapes.Way)["direction"])
        return Response(self._instance(slug))

    def _account(self, wanted: str) -> int:
        """The id of a free account by its name or id. Raises Refused."""
        servicenow_instances.may_set_up(self.actor)
        free = servicenow_instances.free_accounts(self.user)
        for one in free:
            if one.name.casefold() == wanted.strip().casefold() or str(one.pk) == wanted:
                return one.pk
        raise Refused(_("There is no such ServiceNow connector without an instance."), field="connector")

    def _instance(self, slug: str) -> dict[str, Any]:
        row = with_links(self.user, ServiceNowInstance.objects.all()).filter(slug=slug).first()
        if row is None:
            raise Missing(_("There is no ServiceNow instance %(slug)s.") % {"slug": f"{slug!s:.60}"})
        return instance_dict(row)

    def _with_secret(self, slug: str, secret: str, code: int) -> Response:
        headers = {"Location": f"/api/v1/servicenow/instances/{slug}/", "Cache-Control": "no-store"}
        return Response({**self._instance(slug), "webhook_secret": str(secret)}, status=code, headers=headers)


class TicketProfiles(ApiViewSet):
    """``/servicenow/profiles/``."""

    @extend_schema(**documented.listing("List ticket profiles", shapes.PROFILE_PAGE, params=["instance"]))
    def list(self, request: Request) -> Response:
        """For whoever may see cases: playbooks name them."""
        self._may_read()
        paging.check_params(request, ("instance",))
        rows = self._rows()
        if slug := request.query_params.get("instance"):
            rows = rows.filter(instance__slug=slug)
        found = paging.page(request, rows)
        return Response(paging.paged(request, found, [profile_dict(row) for row in found.rows]))

    @extend_schema(
        **documented.verb("Make a ticket profile", shapes.NewProfile, shapes.Profile, tagged=False, keyed=False)
        | {"responses": documented.create("", shapes.NewProfile, shapes.Profile)["responses"]}
    )
    def create(self, request: Request) -> Response:
        """It is off until it is enabled. ServiceNow is asked whether it has the table."""
        given = self.body(shapes.NewProfile)
        head = {name: given.pop(name) for name in ("name", "instance", "table") if name in given}
        changes = _changes(given)
        servicenow_instances.may_set_up(self.actor)
        checked(changes)  # all of it before anything is made
        made = servicenow_profiles.create(self.actor, **head)
        if changes:
            servicenow_profiles.update(self.actor, made.pk, changes=changes)
        return tagged(self._profile(made.pk), 201, location=f"/api/v1/servicenow/profiles/{made.pk}/")

    @extend_schema(**documented.read("Read a ticket profile", shapes.Profile))
    def retrieve(self, request: Request, id: str) -> Response:
        """All that makes a ticket of an incident."""
        self._may_read()
        return read(request, self._profile(whole(id)))

    @extend_schema(**documented.change("Change a ticket profile", shapes.ProfileChanges, shapes.Profile))
    def partial_update(self, request: Request, id: str) -> Response:
        """One that is on takes nothing with which resolving could fail."""
        changes, expected = _changes(self.body(shapes.ProfileChanges)), expected_version(request)
        servicenow_profiles.update(self.actor, whole(id), changes=changes, expected_version=expected)
        return tagged(self._profile(whole(id)))

    @extend_schema(**documented.remove("Delete a ticket profile", codes=(409,)))
    def destroy(self, request: Request, id: str) -> Response:
        """409 once a ticket was linked by it: disable it instead."""
        servicenow_instances.may_set_up(self.actor)
        rows = TicketProfile.objects.filter(pk=whole(id))
        gone = partial(servicenow_profiles.delete, self.actor, whole(id))
        as_read(request, rows, lambda row: self._profile(row.pk), gone, None)
        return Response(status=204)

    @extend_schema(**documented.verb("Enable a ticket profile", Nothing, shapes.ProfileEnabled, keyed=False))
    def enable(self, request: Request, id: str) -> Response:
        """400 with what is not mapped as long as resolving could fail; other gaps are in the answer."""
        self.body(Nothing)
        gaps = servicenow_profiles.enable(self.actor, whole(id), expected_version=expected_version(request))
        told = [{"map": gap.map, "value": gap.value, "label": gap.label, "text": gap.text} for gap in gaps]
        return tagged({**self._profile(whole(id)), "gaps": told})

    @extend_schema(**documented.verb("Disable a ticket profile", Nothing, shapes.Profile, tagged=False, keyed=False))
    def disable(self, request: Request, id: str) -> Response:
        """No incident gets a ticket by it any more; those that have one stay in sync."""
        self.body(Nothing)
        servicenow_profiles.disable(self.actor, whole(id))
        return tagged(self._profile(whole(id)))

    @extend_schema(
        **documented.verb("Copy a ticket profile", shapes.ProfileCopy, shapes.Profile, tagged=False, keyed=False)
        | {"responses": documented.create("", shapes.ProfileCopy, shapes.Profile)["responses"]}
    )
    def copy(self, request: Request, id: str) -> Response:
        """The copy is off. On another table it has that table's own maps; for another instance it goes without the
        people and groups of the first."""
        given, pk = self.body(shapes.ProfileCopy), whole(id)
        servicenow_instances.may_set_up(self.actor)
        old = servicenow_profiles.profile_for(pk)
        given = {"instance": old.instance.slug, "table": old.table, **given}
        made = servicenow_profiles.copy(self.actor, pk, **given)
        return tagged(self._profile(made.pk), 201, location=f"/api/v1/servicenow/profiles/{made.pk}/")

    @extend_schema(
        **documented.verb("Try a ticket profile", shapes.DryRun, shapes.Planned, tagged=False, keyed=False),
    )
    def dry_run(self, request: Request, id: str) -> Response:
        """The exact request that would make the ticket of an incident that you see. Nothing is sent or written;
        people are looked up in ServiceNow: 502 if it does not answer."""
        try:
            tried = dry_run(self.actor, whole(id), self.body(shapes.DryRun)["incident"])
        except ConnectorError as error:
            raise NoAnswer(error.message) from None
        ticket = tried.ticket.number if tried.ticket else None
        return Response(
            {
                "incident": tried.incident.number,
                "request": tried.request,
                "left_out": tried.left_out,
                "ticket": ticket,
            }
        )

    def _may_read(self) -> None:
        self.need("view_cases", _("The permission to see cases is missing."))

    def _rows(self) -> Any:
        return TicketProfile.objects.select_related("instance").prefetch_related("templates", "sources")

    def _profile(self, pk: int) -> dict[str, Any]:
        row: TicketProfile | None = self._rows().filter(pk=pk).first()
        if row is None:
            raise Missing(_("There is no ticket profile %(pk)s.") % {"pk": pk})
        return profile_dict(row)


def _changes(given: dict[str, Any]) -> dict[str, Any]:
    """The fields as the action takes them: sources by their ids. Raises Refused."""
    if "sources" in given:
        slugs = list(dict.fromkeys(given["sources"]))
        found = dict(AlertSource.objects.filter(slug__in=slugs).values_list("slug", "pk"))
        if unknown := [slug for slug in slugs if slug not in found]:
            raise Refused(_("There is no source %(unknown)s.") % {"unknown": f"{unknown[0]:.60}"}, field="sources")
        given["sources"] = [found[slug] for slug in slugs]
    return given
