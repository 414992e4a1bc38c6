"""What the page of who sees one thing shows."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.urls import reverse
from django.utils.translation import gettext as _

from soar.accounts.access import cells, forms
from soar.accounts.access.controls import Controls, Desk
from soar.accounts.access.kinds import Grantable
from soar.accounts.access.reading import PAGE, Person, Readers, group_sizes
from soar.accounts.access.rows import Grant
from soar.accounts.models import AuditEntry, User
from soar.accounts.pages import person_of
from soar.lib.errors import CaseError

CHANGES = 12
Context = dict[str, Any]


def page_context(request: HttpRequest, kind: Grantable, obj: Any, told: Context | None = None) -> Context:
    """What the page shows of the object, by the query of the request; ``told`` overrides it."""
    readers, number = Readers(kind, obj), request.GET.get("page", "1")
    page = int(number) if number.isascii() and number.isdecimal() and 0 < len(number) < 6 else 1
    text = request.GET.get("q", "").replace("\x00", "").strip()[:100]
    people, total = readers.people(text=text, page=max(page, 1))
    groups = readers.group_grants()
    sizes = group_sizes(groups)
    closed = kind.is_closed(obj)
    held, lost = readers.held_back() if closed else ([], 0)
    base = base_context(request, kind, obj)
    given = kind.given_by(person_of(request), obj) if base["may_manage"] else []
    desk = Desk(kind, obj, given, forms.DAYS, get_token(request)) if given else None

    def controls(grant: Grant | None) -> Controls | None:
        return desk.of(grant) if desk and grant else None

    return {
        **base,
        "people": people,
        "lines": [cells.line(one, controls(one.grant)) for one in people],
        "total": total,
        "q": text,
        "page": page,
        "first": (page - 1) * PAGE + 1,
        "last": (page - 1) * PAGE + len(people),
        "newer": page - 1,
        "older": page + 1 if page * PAGE < total else 0,
        "groups": [(one, sizes.get(one.holder_id, 0)) for one in groups],
        "group_lines": [_group_line(one, sizes.get(one.holder_id, 0), controls(one)) for one in groups],
        "held": held,
        "lost": lost,
        "changes": _changes(kind, obj),
        "ask": request.GET.get("ask", "").replace("\x00", "").strip()[:150],
        "answer": _answer(request, readers, may=base["may_manage"]),
        "may_close": kind.levels[-1] in given,
        "form": forms.GrantForm(kind=kind, url=url_of(kind, obj, "search"), levels=given),
        **(told or {}),
    }


def _group_line(one: Grant, size: int, controls: Controls | None) -> tuple[Any, ...]:
    """The cells of a team or role with a grant."""
    buttons = controls.buttons if controls else ""
    return one.name, size, cells.level(one, controls), cells.why(one), cells.until(one, controls), buttons


def base_context(request: HttpRequest, kind: Grantable, obj: Any) -> Context:
    """What every page of access names."""
    return {
        "kind": kind,
        "obj": obj,
        "title": kind.title(obj),
        "back_url": kind.url(obj),
        "list_url": reverse(f"{kind.name}-list"),
        "list_name": kind.plural,
        "noun": kind.noun,
        "closed": kind.is_closed(obj),
        "closable": kind.closable,
        "may_manage": kind.manages(person_of(request), obj),
        "urls": {name: url_of(kind, obj, name) for name in ("", "grant", "copy", "search", "close")},
        "access_url": url_of(kind, obj),
    }


def _answer(request: HttpRequest, readers: Readers, *, may: bool) -> Person | str:
    """What is to be said of the person who was asked about: only to those who may say who sees it."""
    wanted = request.GET.get("ask", "")
    if not wanted.strip() or not may:
        return ""
    try:
        holder = forms.holder_of(wanted)
    except CaseError as error:
        return error.message
    return readers.person(holder) if isinstance(holder, User) else _("Ask for a person.")


def _changes(kind: Grantable, obj: Any) -> list[AuditEntry]:
    found = AuditEntry.objects.filter(
        target__iexact=kind.title(obj), verb__startswith="access.", data__object=kind.name, data__id=obj.pk
    )
    return list(found[:CHANGES])


def url_of(kind: Grantable, obj: Any, name: str = "") -> str:
    """The address of the page of access of an object, or of one of its verbs."""
    return reverse(f"{kind.name}-access-{name}" if name else f"{kind.name}-access", args=[kind.ref(obj)])
