"""Rating an observable anew because somebody asks for it: a worker asks the providers (response-playbooks.md 13)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from cases.actions.observables import rate
from cases.choices import Pap, Tlp
from cases.errors import Forbidden, Missing
from cases.models import Alert, Incident, Observable
from soar.accounts import audit
from soar.accounts.membership import may
from soar.accounts.models import User
from soar.connectors.intelligence.rating import as_json, rate_values
from soar.lib import clock
from soar.lib.queue import enqueue

TASK = "cases.tasks.rate_again"
ASKING = "asking"  # in the rating: since when providers are being asked
LOST = timedelta(minutes=2)


def may_ask(user: User) -> bool:
    """Whether the person may have providers asked."""
    return may(user, "work_cases") or may(user, "respond")


def request_rating(user: User, observable_id: int) -> bool:
    """Have a worker rate the observable by all lists and providers. False if that is under way.

    Raises Missing for one that the person may not see, Forbidden."""
    with transaction.atomic():
        visible = Observable.objects.visible_to(user).filter(pk=observable_id)
        if not visible.exists():
            raise Missing(_("There is no such observable."))
        if not may_ask(user):
            raise Forbidden(_("The permission to work on cases is missing."))
        one = Observable.objects.select_for_update(of=("self",)).get(pk=observable_id)
        if is_asking(one):
            return False
        one.rating = {**one.rating, ASKING: clock.iso(clock.now())}
        one.save(update_fields=["rating"])
        audit.record(user, "observable.rating_asked", f"observable {one.pk}", type=one.type, value=one.value[:500])
        enqueue(TASK, one.pk)
    return True


def is_asking(one: Observable) -> bool:
    """Whether a rating was asked for and is not there yet; after two minutes it is taken for lost."""
    since = clock.moment_of(str(one.rating.get(ASKING, ""))) if isinstance(one.rating, dict) else None
    return since is not None and since > clock.now() - LOST


def rate_again(observable_id: int) -> None:
    """Rate an observable now and keep the rating. For a worker: it waits for providers."""
    one = Observable.objects.filter(pk=observable_id).first()
    if one is None:
        return
    tlp, pap = strictest_marks(one)
    rating = rate_values([(one.type, one.value)], tlp=tlp, pap=pap, ask=True)[one.type, one.value]
    rate(one, rating.risk, as_json(rating))


def strictest_marks(one: Observable) -> tuple[str, str]:
    """The strictest TLP and PAP of all alerts and incidents that name it: whoever sees it there must not tell."""
    alerts = Alert.objects.filter(observable_links__observable=one)
    incidents = Incident.objects.filter(observable_links__observable=one)
    through = Incident.objects.filter(pk__in=alerts.filter(incident__isnull=False).values("incident"))
    tlps: set[str] = set(alerts.values_list("tlp", flat=True).distinct())
    marks: list[tuple[Any, Any]] = [*incidents.values_list("tlp", "pap"), *through.values_list("tlp", "pap").distinct()]
    tlps |= {tlp for tlp, _pap in marks}
    return _last(list(Tlp.values), tlps), _last(list(Pap.values), {pap for _tlp, pap in marks})


def _last(order: list[str], found: set[str]) -> str:
    """The word that stands furthest in ``order``; "" of none. An unknown word is the strictest."""
    return max(found, key=lambda word: order.index(word) if word in order else len(order), default="")
