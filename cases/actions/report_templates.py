"""Every change of a report template, each with a version and a row in the audit log (casework.md 16, rulings 29)."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from cases.actions.base import text_of
from cases.actors import Actor
from cases.errors import Forbidden, Missing, Refused, Stale
from cases.models import ReportTemplate, ReportTemplateVersion
from cases.reporting.templates import BODY_AT_MOST, SHIPPED, check
from soar.accounts import audit
from soar.accounts.membership import may
from soar.lib import clock

NAME_AT_MOST, DESCRIPTION_AT_MOST = 100, 300
VERSIONS_KEPT = 50
TAKEN = gettext_noop("There is a template of this name already.")


def create(actor: Actor, *, name: str, body: str, description: str = "", enabled: bool = True) -> ReportTemplate:
    """Make a template; its name in addresses is made of ``name``. It is tried on a small incident first.

    Raises Refused beside the field that is wrong (``line`` of the body), Forbidden."""
    _may_manage(actor)
    values = _checked(name, body, description)
    with transaction.atomic():
        template = ReportTemplate(slug=_slug(values["name"]), enabled=enabled, **values)
        _save(template, actor)
        audit.record(actor.user, "report_template.created", template.name)
    return template


def update(
    actor: Actor,
    pk: int,
    *,
    name: str,
    body: str,
    description: str = "",
    enabled: bool = True,
    expected_version: int | None = None,
) -> ReportTemplate:
    """Change a template; nothing that is the same makes a version. Raises as ``create``, Stale, Missing."""
    _may_manage(actor)
    values = _checked(name, body, description)
    with transaction.atomic():
        template = _locked(pk, expected_version)
        wanted = {**values, "enabled": enabled}
        changed = sorted(field for field, value in wanted.items() if getattr(template, field) != value)
        if changed:
            for field in changed:
                setattr(template, field, wanted[field])
            template.version += 1
            _save(template, actor)
            audit.record(actor.user, "report_template.changed", template.name, fields=changed)
    return template


def restore(actor: Actor, pk: int, number: int, *, expected_version: int | None = None) -> ReportTemplate:
    """Put the body of an older version in the place of today's: that makes a new version. Raises as ``update``."""
    template = template_for(pk)
    version = ReportTemplateVersion.objects.filter(template=template, number=number).first()
    if version is None:
        raise Missing(_("There is no version %(number)s of this template.") % {"number": number})
    return update(
        actor, pk, name=template.name, body=version.body, description=template.description, enabled=template.enabled,
        expected_version=expected_version,
    )  # fmt: skip


@transaction.atomic
def delete(actor: Actor, pk: int, *, expected_version: int | None = None) -> None:
    """Take it away with its versions; exports that wait for it fail with the reason. Raises Stale, Missing."""
    _may_manage(actor)
    template = _locked(pk, expected_version)
    template.delete()
    audit.record(actor.user, "report_template.deleted", template.name)


def template_for(pk: int) -> ReportTemplate:
    """The template with this id. Raises Missing."""
    found = ReportTemplate.objects.filter(pk=pk).first()
    if found is None:
        raise Missing(_("There is no report template %(pk)s.") % {"pk": pk})
    return found


def _may_manage(actor: Actor) -> None:
    if actor.user is not None and not may(actor.user, "manage_settings"):
        raise Forbidden(_("The permission to manage settings is missing."))


def _checked(name: str, body: str, description: str) -> dict[str, str]:
    """The fields as they are kept. The body last: trying it takes a moment, so no row is locked meanwhile."""
    values = {
        "name": text_of(name, "name", most=NAME_AT_MOST),
        "description": text_of(description, "description", most=DESCRIPTION_AT_MOST, required=False),
        "body": str(body).replace("\x00", "").replace("\r\n", "\n").encode("utf-8", "replace").decode(),
    }
    if not values["body"].strip():
        raise Refused(_("Write something first."), field="body")
    if len(values["body"]) > BODY_AT_MOST:
        raise Refused(
            _("At most %(body_at_most)s characters, this has %(count)s.")
            % {"body_at_most": f"{BODY_AT_MOST:,}", "count": f"{len(values['body']):,}"},
            field="body",
        )
    check(values["body"])
    return values


def _slug(name: str) -> str:
    slug = slugify(name)[:60].strip("-")
    if not slug:
        raise Refused(_("The name needs a letter or a figure."), field="name")
    if slug in SHIPPED:
        raise Refused(_(TAKEN), field="name")
    return slug


def _locked(pk: int, expected: int | None) -> ReportTemplate:
    template = ReportTemplate.objects.select_for_update(of=("self",)).filter(pk=pk).first()
    if template is None:
        raise Missing(_("There is no report template %(pk)s.") % {"pk": pk})
    if expected is not None and template.version != expected:
        raise Stale(
            _("The template was changed by somebody else in the meantime. Nothing was saved."), current=template
        )
    return template


def _save(template: ReportTemplate, actor: Actor) -> None:
    """The row and its version; the database says whether the name is free, also to two people at the same moment."""
    template.updated_at, template.updated_by_name = clock.now(), actor.name[:200]
    try:
        with transaction.atomic():
            template.save()
    except IntegrityError as error:
        raise Refused(_(TAKEN), field="name") from error
    ReportTemplateVersion.objects.create(
        template=template, number=template.version, body=template.body, saved_at=template.updated_at,
        saved_by_name=template.updated_by_name,
    )  # fmt: skip
    old = template.versions.order_by("-number").values_list("pk", flat=True)[VERSIONS_KEPT:]
    ReportTemplateVersion.objects.filter(pk__in=list(old)).delete()
