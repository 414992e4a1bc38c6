"""The pages of settings and administration, in the order shown at /settings/. A new page adds its line here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings
from django.utils.functional import Promise
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from soar import nav
from soar.accounts.membership import may
from soar.accounts.models import User

STAFF = "staff"


@dataclass(frozen=True, slots=True)
class Page:
    """``url_name`` to go to, what it is called, a sentence, a sign, and the permission that opens it ("" = signed in is
    enough), also to look at with ``read_by``. One that this installation lacks is left out."""

    url_name: str
    label: str | Promise
    text: str | Promise
    icon: str
    right: str = ""
    read_by: str = ""


GROUPS: tuple[tuple[str | Promise, tuple[Page, ...]], ...] = (
    (
        _("You"),
        (
            Page("profile", _("Profile"), _("Name, theme, time zone, keys."), "user"),
            Page("account_change_password", _("Password"), _("Choose a new one."), "lock"),
            Page("mfa_index", _("Second factors"), _("App, security keys, recovery codes."), "passkey"),
            Page(
                "notification-settings",
                _("Notifications"),
                _("What you are told of, where and when."),
                "notify",
                "view_cases",
            ),
            Page("session-list", _("Sessions"), _("Where you are signed in."), "laptop"),
            Page("token-list", _("API tokens"), _("For programs that act for you."), "key"),
            Page("api-docs", _("API"), _("Every call, with an example."), "file"),
        ),
    ),
    (
        _("People"),
        (
            Page(
                "people",
                _("People"),
                _("Who can sign in, what they may, what they own."),
                "users",
                "manage_people",
                "view_setup",
            ),
            Page(
                "team-list",
                _("Teams"),
                _("Who works together and sees the same."),
                "users",
                "manage_people",
                "view_setup",
            ),
            Page("role-list", _("Roles"), _("Sets of permissions."), "shield", "manage_people", "view_setup"),
            Page(
                "all-tokens",
                _("Everybody's tokens"),
                _("Of people and of programs."),
                "key",
                "manage_people",
                "view_setup",
            ),
            Page("view-as", _("View as"), _("See what somebody else sees, read only."), "eye", "manage_people"),
            Page(
                "incident-break-glass",
                _("Break the glass"),
                _("Let yourself in to a restricted incident."),
                "eye",
                "manage_people",
            ),
            Page("audit", _("Audit log"), _("Who did what to the portal; append-only."), "history", "view_audit"),
        ),
    ),
    (
        _("What comes in"),
        (
            Page("source-list", _("Sources"), _("Where alerts come from."), "sources", "view_setup"),
            Page(
                "dead-letters",
                _("Dead letters"),
                _("Deliveries that could not be read."),
                "mail",
                "manage_sources",
                "view_setup",
            ),
            Page(
                "suppression-list", _("Suppression"), _("Alerts that need no look, for a time."), "mute", "view_cases"
            ),
            Page(
                "model-list",
                _("Detection models"),
                _("By which playbooks choose their alerts, with their severities."),
                "target",
                "view_cases",
            ),
        ),
    ),
    (
        _("Other products"),
        (
            Page(
                "connector-list",
                _("Connectors"),
                _("Other products that playbooks use, channels and mail."),
                "connectors",
                "view_setup",
            ),
            Page(
                "servicenow-profile-list",
                _("ServiceNow profiles"),
                _("How incidents become tickets."),
                "servicenow",
                "manage_connectors",
                "view_setup",
            ),
            Page(
                "webhook-list",
                _("Webhooks"),
                _("What happens here, posted to other programs."),
                "link",
                "manage_connectors",
                "view_setup",
            ),
            Page("list-index", _("Intelligence"), _("Lists that rate observables."), "shield", "view_cases"),
            Page("feed-index", _("Feeds"), _("Lists of others, read regularly."), "world", "view_cases"),
        ),
    ),
    (
        _("Work and response"),
        (
            Page(
                "template-list",
                _("Incident templates"),
                _("Checklists, tags and severities that incidents begin with."),
                "task",
                "manage_settings",
                "view_setup",
            ),
            Page(
                "custom-field-list",
                _("Custom fields"),
                _("What is asked of incidents besides the usual."),
                "edit",
                "manage_settings",
                "view_setup",
            ),
            Page(
                "report-list",
                _("Report templates"),
                _("What exported reports look like."),
                "file",
                "manage_settings",
                "view_setup",
            ),
            Page("script-list", _("Scripts"), _("What can be run on endpoints."), "terminal", "view_cases"),
            Page(
                "never-touch-list",
                _("Never-touch list"),
                _("What nothing destructive may touch without an approval."),
                "lock",
                "view_cases",
            ),
            Page(
                "sla-policy",
                _("SLA targets"),
                _("How soon incidents are to be acknowledged, contained and resolved."),
                "target",
                "manage_settings",
                "view_setup",
            ),
            Page(
                "retention",
                _("Retention"),
                _("What is deleted when, and what is on legal hold."),
                "clock",
                "manage_settings",
                "view_setup",
            ),
            Page(
                "signing-keys",
                _("Signing keys"),
                _("By which exported incidents can be checked."),
                "key",
                "view_cases",
            ),
        ),
    ),
    (
        _("The portal"),
        (
            Page("portal", _("Portal"), _("What holds for everybody."), "settings", "manage_settings", "view_setup"),
            Page(
                "operations",
                _("Operations"),
                _("Queue, workers, disks, failures, backup."),
                "server",
                "manage_settings",
                "view_setup",
            ),
            Page("admin:index", _("Administration"), _("Django's own pages, for the rest."), "settings", STAFF),
        ),
    ),
)


def groups(user: User) -> Iterator[tuple[str | Promise, list[tuple[Page, str]]]]:
    """The pages that this person may open, with their addresses; groups without any are left out."""
    for label, pages in GROUPS:
        found = [(page, url) for page in pages if (url := nav.url_or_none(page.url_name)) and _may(user, page)]
        if found:
            yield label, found


def _may(user: User, page: Page) -> bool:
    if page.right == STAFF:
        return user.is_staff
    if not page.right or may(user, page.right) or (page.read_by and may(user, page.read_by)):
        return True
    return _granted(user, page)


def _granted(user: User, page: Page) -> bool:
    """Whether a grant on some thing opens the page to somebody without the right (settings.NAV_GRANTED)."""
    asked = settings.NAV_GRANTED.get(page.url_name)
    return bool(asked and import_string(asked)(user))
