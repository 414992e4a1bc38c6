"""Lists of people and tokens for those who manage them: one query for the rows, few for what stands beside them."""

from __future__ import annotations

from django.apps import apps
from django.contrib.auth.models import Group
from django.db.models import BooleanField, Count, Exists, OuterRef, Prefetch, Q, QuerySet, Value
from django.utils import timezone

from soar.accounts.models import ApiToken, Role, Team, User
from soar.lib.keyset import Order

BY_NAME = Order("username", ("username",), descending=False)
NEWEST = Order("-id", ("id",))
SORTS = {"people": Q(is_service=False, is_active=True), "programs": Q(is_service=True), "off": Q(is_active=False)}


def people(text: str = "", sort: str = "") -> QuerySet[User]:
    """People with roles, teams and whether they have a second factor. ``text`` is in a name or the e-mail address,
    ``sort`` one of SORTS or "" for all."""
    rows = User.objects.filter(SORTS.get(sort, Q()))
    for word in text.split():
        rows = rows.filter(
            Q(username__icontains=word)
            | Q(first_name__icontains=word)
            | Q(last_name__icontains=word)
            | Q(email__icontains=word)
        )
    return with_factor(rows).prefetch_related(Prefetch("groups", Group.objects.select_related("role", "team")))


def with_factor(rows: QuerySet[User]) -> QuerySet[User]:
    """The same people with ``has_factor``: an app or a key; recovery codes alone are none."""
    if not apps.is_installed("allauth.mfa"):
        return rows.annotate(has_factor=Value(False, output_field=BooleanField()))
    from allauth.mfa.models import Authenticator

    real = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
    return rows.annotate(has_factor=Exists(Authenticator.objects.filter(user=OuterRef("pk"), type__in=real)))


def roles_of(user: User) -> list[str]:
    """Names of roles, of a person with their groups."""
    return sorted(group.name for group in user.groups.all() if getattr(group, "role", None))


def teams_of(user: User) -> list[str]:
    """Names of teams, of a person with their groups."""
    return sorted(group.team.name for group in user.groups.all() if getattr(group, "team", None))


def counts() -> dict[str, int]:
    """How many people there are of each sort, and in all."""
    found = {name: Count("pk", filter=condition) for name, condition in SORTS.items()}
    return User.objects.aggregate(all=Count("pk"), **found)


def tokens(text: str = "", only: str = "") -> QuerySet[ApiToken]:
    """Everybody's tokens with their users; ``only`` working ones, or those of programs."""
    rows = ApiToken.objects.select_related("user").defer("digest")
    for word in text.split():
        rows = rows.filter(Q(name__icontains=word) | Q(user__username__icontains=word) | Q(prefix__icontains=word))
    if only == "working":
        ended = Q(expires_at__lte=timezone.now())
        rows = rows.filter(revoked_at=None, user__is_active=True).exclude(ended)
    return rows.filter(user__is_service=True) if only == "programs" else rows


def works(token: ApiToken) -> bool:
    """Whether the token opens anything now."""
    ended = token.expires_at is not None and token.expires_at <= timezone.now()
    return token.revoked_at is None and token.user.is_active and not ended


def teams() -> QuerySet[Team]:
    """Teams with the number of active people in them."""
    number = Count("group__user", filter=Q(group__user__is_active=True), distinct=True)
    return Team.objects.annotate(people=number).select_related("group")


def roles() -> QuerySet[Role]:
    """Roles with their permissions and the number of active people who have them; the built-in ones first."""
    number = Count("group__user", filter=Q(group__user__is_active=True), distinct=True)
    rows = Role.objects.annotate(people=number).select_related("group").prefetch_related("group__permissions")
    return rows.order_by("-builtin", "pk")
