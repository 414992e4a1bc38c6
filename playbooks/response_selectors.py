"""Reading approvals and response tasks: what a person may see of them, and how many wait for somebody.

They are seen with the alert or incident that they are about, as a run is (access.md 4). Those made by hand on neither
(from an observable or asset) are for whoever made them, for their team mates who may respond, and for those who see
all teams."""

from __future__ import annotations

from typing import TypeVar

from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from cases.actors import Actor
from cases.errors import Missing
from cases.models import Alert, Incident
from cases.restricted_views import note_rows
from playbooks.choices import APPROVAL_OPEN, TaskStatus
from playbooks.models import Approval, ResponseTask, Run
from soar.accounts.membership import may, team_ids
from soar.accounts.models import User

M = TypeVar("M", bound=Model)
# For settings.NAV_REASONS: whether anything waits for anybody.
ANY_WAITING = (
    "EXISTS (SELECT FROM playbooks_approval"
    " WHERE status IN ('pending', 'partly') AND expires_at > statement_timestamp())"
)


def visible_approvals(user: User) -> QuerySet[Approval]:
    """The approvals that the person may see."""
    return _visible(Approval.objects.all(), user, "requested_by")


def visible_tasks(user: User) -> QuerySet[ResponseTask]:
    """The response tasks that the person may see."""
    return _visible(ResponseTask.objects.all(), user, "created_by")


def approval_for(who: Actor | User, pk: int | str) -> Approval:
    """The approval with this id, if ``who`` may see it. Raises Missing."""
    user = who.user if isinstance(who, Actor) else who
    rows = visible_approvals(user) if user is not None else Approval.objects.all()
    related = ("run__playbook", "run__version", "run__started_by", "requested_by", "alert", "incident")
    return _found(who, rows.select_related(*related), pk, "approval")


def task_for(who: Actor | User, pk: int | str) -> ResponseTask:
    """The response task with this id, if ``who`` may see it. Raises Missing."""
    user = who.user if isinstance(who, Actor) else who
    rows = visible_tasks(user) if user is not None else ResponseTask.objects.all()
    return _found(who, rows.select_related(*TASK_RELATED), pk, "response task")


TASK_RELATED = ("account", "run__playbook", "run__version", "created_by", "approval", "inverse_of")


def waiting(user: User) -> QuerySet[Approval]:
    """The approvals that wait for a vote of this person, who may respond: not those they have decided on already."""
    rows = visible_approvals(user).filter(status__in=APPROVAL_OPEN, expires_at__gt=Now())
    own = Approval.objects.filter(pk=OuterRef("pk"), votes__user=user)
    undecided = ResponseTask.objects.filter(approval=OuterRef("pk"), status=TaskStatus.PENDING_APPROVAL).exclude(
        votes__user=user
    )
    return rows.filter(~Exists(own) | Exists(undecided))


def asked_of(user: User) -> QuerySet[Approval]:
    """The approvals that wait for this person, none for who may not decide: the figure in the navigation
    (settings.NAV_COUNTS)."""
    may_decide = may(user, "respond") and may(user, "view_cases")
    return waiting(user) if may_decide else Approval.objects.none()


def actions_required(user: User) -> int:
    """How many response tasks wait for a person: for an approval, or to say what happened. Counted to 1,000."""
    wanted = (TaskStatus.PENDING_APPROVAL, TaskStatus.UNKNOWN_OUTCOME)
    return len(visible_tasks(user).filter(status__in=wanted).order_by().values_list("pk", flat=True)[:1000])


def _visible(rows: QuerySet[M], user: User, maker: str) -> QuerySet[M]:
    if not may(user, "view_cases"):
        return rows.none()
    # An alert's rows bear its incident too: the alert decides, and an incident of its own for those without.
    by_alert = Q(alert__isnull=False) & Exists(Alert.objects.filter(pk=OuterRef("alert")).visible_to(user))
    by_incident = Q(alert=None, incident__isnull=False) & Exists(
        Incident.objects.filter(pk=OuterRef("incident")).visible_to(user)
    )
    alone = Q(alert=None, incident=None)
    by_run = alone & Q(run__isnull=False) & Exists(Run.objects.filter(pk=OuterRef("run")).visible_to(user))
    by_hand = alone & Q(run=None)
    if not may(user, "view_all_teams"):
        by_hand &= Q(**{maker: user}) | _of_a_team_mate(user, maker)
    return rows.filter(by_alert | by_incident | by_run | by_hand)


def _of_a_team_mate(user: User, maker: str) -> Q:
    if not may(user, "respond"):
        return Q(pk__in=[])
    return Q(**{f"{maker}__in": User.objects.filter(groups__team__in=team_ids(user)).values("pk")})


def _found(who: Actor | User, rows: QuerySet[M], pk: int | str, what: str) -> M:
    text = str(pk).upper().removeprefix("AP-") if what == "approval" else str(pk)
    usable = text.isascii() and text.isdigit() and len(text) < 19
    found = rows.filter(pk=int(text)).first() if usable else None
    if found is None:
        raise Missing(_("There is no %(what)s %(pk)s.") % {"what": what, "pk": f"{pk!s:.40}"})
    note_rows(who, [found])
    return found
