"""Grants on one thing and who sees it: the same calls for incidents, sources, playbooks, connectors (access.md 5)."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from cases.actions import restriction
from cases.api import access_shapes as shapes
from cases.api import documented, paging
from cases.api.base import ApiViewSet, read_facts, tagged, whole, with_facts
from cases.api.bodies import Nothing
from cases.api.etags import facts_tag, named
from cases.api.representation import incident_dict
from cases.api.shapes import Incident, JobMade
from cases.errors import Forbidden, Missing, Stale
from soar.accounts.access import actions, jobs, rows
from soar.accounts.access.kinds import Grantable, kind_named, kinds, managed, read_by
from soar.accounts.access.reading import Person, Readers
from soar.accounts.access.rows import Grant
from soar.accounts.models import GrantJob, User
from soar.lib.clock import iso
from soar.lib.keyset import Page

OF = (
    OpenApiParameter("user", str, description="A user name."),
    OpenApiParameter("group", str, description="A team or role; this or `user`."),
)


class AccessApi(ApiViewSet):
    """``…/grants/`` and ``…/access/`` of one kind of thing; subclasses name it."""

    kind_name: ClassVar[str]

    @property
    def kind(self) -> Grantable:
        """What is granted here."""
        return kind_named(self.kind_name)

    @property
    def ref(self) -> str:
        """The thing that the address names."""
        return str(self.kwargs.get("id") or self.kwargs.get("slug") or "")

    @extend_schema(**documented.listing("Who sees it, and why", shapes.ReaderPage, params=["q"]))
    def who(self, request: Request, **_ref: str) -> Response:
        """Everybody who sees it now. `q` finds a part of a name."""
        obj = read_by(self.kind, self.user, self.ref)
        page, size = _page(request), paging.page_size(request)
        readers = Readers(self.kind, obj)
        people, total = readers.people(text=request.query_params.get("q", "").strip(), page=page, size=size)
        closed = self.kind.is_closed(obj)
        held = readers.held_back()[0] if closed else []
        cursors: Page[Any] = Page(
            people, next=str(page + 1) if page * size < total else "", previous=str(page - 1) if page > 1 else ""
        )
        return Response(
            {
                **paging.paged(request, cursors, [_reader(one) for one in people]),
                "total": total,
                "restricted": closed,
                "may_manage": self.kind.manages(self.user, obj),
                "held_back": [{"text": one.text, "detail": one.detail, "people": one.people} for one in held],
            }
        )

    @extend_schema(**documented.whole_list("List grants", shapes.GrantList))
    def list(self, request: Request, **_ref: str) -> Response:
        """Those that count now."""
        obj = read_by(self.kind, self.user, self.ref)
        found = [*rows.grants_on(self.kind, obj), *rows.group_grants_on(self.kind, obj)]
        return Response({"next": None, "previous": None, "results": [grant_dict(one) for one in found]})

    @extend_schema(**documented.create("Grant a level", shapes.NewGrant, shapes.Grant, tagged=False))
    def create(self, request: Request, **_ref: str) -> Response:
        """To a person or a group; 200 for one who had a grant already. Needs the level `manage`."""
        given = self.body(shapes.NewGrant)

        def run() -> Response:
            managed(self.kind, self.user, self.ref)  # first: names are not told to who may not grant
            holder = actions.holder_named(user=given.pop("user", None), group=given.pop("group", None))
            level = given.pop("level")
            made, new = actions.grant(self.user, self.kind, self.ref, holder, level, **given)
            return with_facts(grant_dict(made), 201 if new else 200, location=f"{request.path}{made.id}/")

        return self.once(run)

    @extend_schema(**documented.create("Grant on many", shapes.NewGrants, JobMade, code=202, tagged=False))
    def bulk(self, request: Request) -> Response:
        """A job, one by one with your rights: what is refused stops no other, and nobody's level is lowered. At most
        10,000 that match now."""
        given = self.body(shapes.NewGrants)

        def run() -> Response:
            self.kind.check_manages_some(self.user)  # first: names are not told to who may not grant
            ids, filters = given.pop("ids", None), given.pop("filter", None)
            if (ids is None) == (filters is None):
                raise ValidationError({"ids": [_("Give ids or a filter.")]})
            things = self.kind.pks(self.user, ids) if ids is not None else self.kind.selected(self.user, filters)
            holder = actions.holder_named(user=given.pop("user", None), group=given.pop("group", None))
            job = jobs.start(self.user, self.kind, things, holder, given.pop("level"), **given)
            where = f"{settings.SOAR_URL}/api/v1/grant-jobs/{job.pk}/"
            return Response({"job": job.pk, "url": where}, status=202, headers={"Location": where})

        return self.once(run)

    @extend_schema(**documented.read("Read a grant", shapes.Grant))
    def retrieve(self, request: Request, grant: str, **_ref: str) -> Response:
        """One that counts now."""
        obj = read_by(self.kind, self.user, self.ref)
        return read_facts(request, grant_dict(actions.existing(self.kind, obj, grant)[1]))

    @extend_schema(**documented.change("Change a grant", shapes.GrantChanges, shapes.Grant))
    def partial_update(self, request: Request, grant: str, **_ref: str) -> Response:
        """Its level, end or reason. 409 where a restricted incident would be left without a manager."""
        changes = self.body(shapes.GrantChanges)
        with transaction.atomic():
            self._unmoved(request, grant)
            made = actions.change(self.user, self.kind, self.ref, grant, **changes)
        return with_facts(grant_dict(made))

    @extend_schema(**documented.remove("Revoke a grant", codes=(409,)))
    def destroy(self, request: Request, grant: str, **_ref: str) -> Response:
        """At once. 409 where a restricted incident would be left without a manager."""
        with transaction.atomic():
            self._unmoved(request, grant)
            actions.revoke(self.user, self.kind, self.ref, grant)
        return Response(status=204)

    @extend_schema(**documented.verb("Copy grants", shapes.CopyFrom, shapes.GrantList, tagged=False))
    def copy(self, request: Request, **_ref: str) -> Response:
        """From another thing of the kind. Answers with the grants that were made or raised."""
        given = self.body(shapes.CopyFrom)

        def run() -> Response:
            made = actions.copy(self.user, self.kind, self.ref, given["source"])
            return Response({"next": None, "previous": None, "results": [grant_dict(one) for one in made]})

        return self.once(run)

    def _unmoved(self, request: Request, grant: str) -> None:
        """Under ``If-Match``: the grant must still be as it was read. Raises Stale."""
        obj = managed(self.kind, self.user, self.ref, lock=True)
        now = grant_dict(actions.existing(self.kind, obj, grant)[1])
        if request.headers.get("If-Match", "*").strip() != "*" and not named(request, facts_tag(now)):
            raise Stale(_("The grant was changed by somebody else in the meantime. Nothing was saved."), current=now)


class IncidentAccess(AccessApi):
    """Of incidents; and breaking the glass of a restricted one."""

    reads = "view_cases"
    kind_name = "incident"

    @extend_schema(
        operation_id="incidents_grants_revoke_of",
        **documented.remove("Revoke somebody's grant", params=OF, codes=(409,)),
    )
    def revoke_of(self, request: Request, id: str) -> Response:
        """That of the person `user`, or of the team or role `group`, at once. 404 for who has none."""
        managed(self.kind, self.user, id)  # first: names are not told to who may not grant
        paging.check_params(request, ("user", "group"))
        asked = {name: text for name in ("user", "group") if (text := request.query_params.get(name, ""))}
        if len(asked) != 1:
            raise ValidationError({"user": [_("Name a person or a group.")]})
        name, key = asked.popitem()
        with transaction.atomic():
            obj = managed(self.kind, self.user, id, lock=True)
            listed = rows.group_grants_on(self.kind, obj) if name == "group" else rows.grants_on(self.kind, obj)
            grant = next((one.id for one in listed if one.key.casefold() == key.strip().casefold()), None)
            if grant is None:
                raise Missing(
                    _("%(key)s has no grant on %(kind)s.") % {"key": f"{key!s:.60}", "kind": self.kind.title(obj)}
                )
            self._unmoved(request, grant)
            actions.revoke(self.user, self.kind, id, grant)
        return Response(status=204)

    @extend_schema(
        **documented.verb("Break the glass", shapes.BreakGlass, Incident, tagged=False),
        operation_id="incidents_break_glass",
    )
    def break_glass(self, request: Request, id: str) -> Response:
        """Admins let themselves in to a restricted incident for some hours, with a reason; its owners are told."""
        given = self.body(shapes.BreakGlass)
        return self.once(lambda: tagged(incident_dict(restriction.break_glass(self.user, id, reason=given["reason"]))))


class SourceAccess(AccessApi):
    """Of alert sources."""

    reads = "view_cases"
    kind_name = "source"


class ConnectorAccess(AccessApi):
    """Of connector accounts."""

    kind_name = "connector"

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """A token that reaches no level of a connector hears so, whatever the id."""
        super().initial(request, *args, **kwargs)
        if not self.kind.in_scope(self.user):
            looks = "view_setup" if request.method in ("GET", "HEAD") else ""
            self.need(self.kind.manager, _("The permission to manage connectors is missing."), read_by=looks)


class GrantJobs(ApiViewSet):
    """``/grant-jobs/``: one's own."""

    @extend_schema(**documented.read("Read a grant job's progress", shapes.GrantJob, tagged=False))
    def retrieve(self, request: Request, id: str) -> Response:
        """`finished_at` is null while it goes on."""
        _check_grants(self.user)
        return Response(_job(jobs.own(self.user, whole(id))))

    @extend_schema(**documented.verb("Cancel a grant job", Nothing, shapes.GrantJob, tagged=False))
    def cancel(self, request: Request, id: str) -> Response:
        """What was granted stays. 409 for a job that has ended."""
        _check_grants(self.user)
        self.body(Nothing)
        return self.once(lambda: Response(_job(jobs.cancel(self.user, whole(id)))))


def _check_grants(user: User) -> None:
    """Raises Forbidden for a token that can grant nothing, whatever its person may."""
    if not any(kind.in_scope(user, "manage") for kind in kinds().values()):
        raise Forbidden(_("The scope to grant something is missing."))


def grant_dict(grant: Grant) -> dict[str, Any]:
    """A grant in JSON."""
    return {
        "id": grant.id,
        "user": None if grant.is_group else grant.key,
        "group": grant.key if grant.is_group else None,
        "name": grant.name,
        "level": grant.level,
        "expires_at": iso(grant.expires_at),
        "granted_by": grant.granted_by,
        "granted_at": iso(grant.granted_at),
        "reason": grant.reason,
        "rule": grant.rule,
    }


def _job(job: GrantJob) -> dict[str, Any]:
    names = ("level", "status", "total", "position", "done", "same", "refused_count", "refused")
    return {
        "id": job.pk,
        "kind": job.kind,
        "user": job.to_user.username if job.to_user else None,
        "group": rows.group_name(job.to_group) if job.to_group else None,
        **{name: getattr(job, name) for name in names},
        "expires_at": iso(job.expires_at),
        "created_at": iso(job.created_at),
        "finished_at": iso(job.finished_at),
    }


def _reader(person: Person) -> dict[str, Any]:
    return {
        "user": person.user.username,
        "name": person.user.display_name(),
        "level": person.level,
        "why": [
            {
                "type": one.type,
                "text": one.text,
                "detail": one.detail,
                "level": one.level,
                "grant": one.grant.id if one.grant else None,
                "expires_at": iso(one.grant.expires_at) if one.grant else None,
            }
            for one in person.reasons
        ],
        "hindrance": person.hindrance,
    }


def _page(request: Request) -> int:
    given = request.query_params.get("cursor", "1") or "1"
    if not (given.isascii() and given.isdecimal()) or len(given) > 6 or int(given) < 1:
        raise ValidationError({"cursor": [_("Take it from `next` or `previous`.")]})
    return int(given)
