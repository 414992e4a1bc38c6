"""What the queue shows: the filter, tabs, facets, a page of rows. The list, its poll and bulk answers share it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from cases import stats
from cases.choices import AlertStatus, Determination, Severity, Tlp
from cases.filters import AlertFilter, moment
from cases.models import Alert
from cases.querysets import AlertQuerySet
from cases.sla import triage
from cases.sla.order import sla_page
from cases.source_access import sources_seen_by
from cases.views.alerts_parts import url_or_nothing
from cases.views.alerts_rows import rows_of, stamp_of
from cases.views.hidden import hidden_url
from soar.accounts.membership import may
from soar.accounts.models import User
from soar.lib import parts
from soar.lib.keyset import BadCursor, Order, Page, keyset_page
from soar.lib.place import seal

SIZE = 30
ORDERS = {
    "severity": Order("severity", ("severity", "id")),
    "newest": Order("newest", ("id",)),
    "oldest": Order("oldest", ("id",), descending=False),
}
BY_SLA = "sla"
OF_OPEN = ("severity", BY_SLA)
# Presets in the place of saved views: label, query.
AT_RISK = "sla=urgent"
TABS = (
    (gettext_noop("My queue"), "owner=me"),
    (gettext_noop("Open"), ""),
    (gettext_noop("Unassigned"), "owner=none"),
    (gettext_noop("SLA at risk"), AT_RISK),
    (gettext_noop("Resolved today"), "status=resolved&resolved=today"),
)
# Fields that mostly leave few alerts: these are read once and not once for each severity.
NARROW = {"owner", "host", "user", "ip", "observable", "incident"}
IN_MENUS = ("source", "owner", "status", "tag", "determination", "tlp", "has_incident")
IN_MORE = ("model", "host", "user", "observable", "received", "until")
Context = dict[str, Any]


@dataclass
class Queue:
    """The queue as one person asked for it: the filter, the order, the place in the list."""

    user: User
    filter: AlertFilter
    sort: str
    cursor: str = ""
    notice: str = ""
    view: int = 0
    facets: bool = False
    rows: QuerySet[Alert] = field(init=False)

    def __post_init__(self) -> None:
        self.visible = Alert.objects.visible_to(self.user)
        self.rows = self.filter.apply(self.visible, self.user)
        self.base = stats.base_of(self.visible)

    @property
    def only_open(self) -> bool:
        """Whether nothing but open work can match."""
        return self.filter.only_open

    def page(self) -> Page[Alert]:
        """The rows; a cursor that is not of this list leads to its beginning, and says so."""
        try:
            return self.rows_behind(self.cursor)
        except BadCursor:
            self.cursor, self.notice = "", _("That place in the list is gone. This is its beginning.")
            return self.rows_behind("")

    def rows_behind(self, cursor: str, size: int = SIZE) -> Page[Alert]:
        """The rows behind a cursor, in the order of the page. Raises BadCursor."""
        if self.shown_sort == BY_SLA:
            return sla_page(self.rows, cursor, size)
        return keyset_page(cast(AlertQuerySet, self.rows).with_line_data(), ORDERS[self.shown_sort], cursor, size)

    @property
    def shown_sort(self) -> str:
        """The order of the page: by severity or by what is due only open work."""
        return self.sort if self.only_open or self.sort not in OF_OPEN else "newest"

    def url(self, query: str = "", **more: str) -> str:
        """The address of the queue with a query, keeping the order."""
        pairs = QueryDict(query, mutable=True)
        own = {
            "sort": self.sort if self.sort != "severity" else "",
            "view": str(self.view or ""),
            "facets": "1" if self.facets else "",
        }
        for name, value in {**own, **more}.items():
            if value:
                pairs[name] = value
        text = pairs.urlencode(safe=":,>=<")
        return reverse("alert-list") + (f"?{text}" if text else "")

    def saved_query(self) -> str:
        """Filter and order as a view keeps them."""
        sort = f"sort={self.sort}" if self.sort != "severity" else ""
        return "&".join(part for part in (self.filter.query_string(), sort) if part)

    def here(self, **more: str) -> str:
        """The address of this filter."""
        return self.url(self.filter.query_string(), **more)


def queue_of(request: HttpRequest, user: User, params: QueryDict | None = None) -> Queue:
    """The queue that the request's query asks for."""
    params = request.GET if params is None else params
    sort = params.get("sort", "severity")
    wanted = AlertFilter.parse(params, default_open=True)
    queue = Queue(user, wanted, sort if sort in (*ORDERS, BY_SLA) else "severity", params.get("cursor", "")[:500])
    view = params.get("view", "")
    queue.facets = params.get("facets") == "1"
    queue.view = int(view) if view.isdecimal() and len(view) < 18 else 0
    return queue


def list_context(queue: Queue) -> Context:
    """All of the page."""
    found = queue.page()
    context = {
        "queue": queue,
        "filter": queue.filter,
        "may_work": may(queue.user, "work_cases"),
        "run_url": url_or_nothing(settings.ALERTS_RUN_URL) if may(queue.user, "run_playbooks") else "",
        "rows": rows_of(queue.user, found.rows),
        "newer_url": queue.here(cursor=found.previous) if found.previous else "",
        "older_url": queue.here(cursor=found.next) if found.next else "",
        "here": queue.here(),
        "sort": queue.shown_sort,
        "sorts": _sorts(queue),
        "filtered": bool(queue.filter.params),
        "hidden_url": hidden_url(queue.user, "alert-hidden", queue.filter.query_string()),
    }
    return {**context, **poll_context(queue, found.rows), **figures_context(queue), **menus_context(queue)}


def poll_context(queue: Queue, alerts: list[Alert], after: int | None = None) -> Context:
    """Where the page stands: the newest alert there was (of anybody, so it is sealed), and what it shows of each row.
    No name here may be one of a field of the filter: both stand in the same query."""
    if after is None:
        after = newest_of_all()
    query = QueryDict(queue.filter.query_string(), mutable=True)
    query.update({"sort": queue.sort, "after": seal(queue.user.pk, after), "rows": stamp_of(alerts)})
    return {"poll_url": reverse("alert-poll") + "?" + query.urlencode(safe=":,>=<-.")}


def newest_of_all() -> int:
    """The highest id there is: what has a higher one came after the list was made."""
    return Alert.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def figures_context(queue: Queue) -> Context:
    """Tabs, total and facets with their numbers, counted in two queries."""
    base, short = queue.base, stats.SHORT_CAP
    since = moment("today")
    facets, total = _facet_figures(queue)
    wanted = {
        "Open": base.where(stats.OPEN),
        "My queue": base.where(f"{stats.OPEN} AND owner_id = %s", queue.user.pk, cap=short),
        "Unassigned": base.where(f"{stats.OPEN} AND owner_id IS NULL", cap=short),
        "Suppressed": base.where(stats.HELD, cap=short),
        "Resolved today": base.where(
            f"status = {AlertStatus.RESOLVED.value} AND resolved_at >= %s AND updated_at >= %s", since, since, cap=short
        ),
        "SLA at risk": base.waiting({one: (None, edge) for one, edge in triage.edges().items()}, cap=short),
    }
    if queue.filter.params and total is None:
        wanted["total"] = stats.base_of(queue.rows).where()
    counted = stats.run(wanted)
    return {
        "total": counted.get("total", counted["Open"]) if total is None else total,
        "open_total": counted["Open"],
        "suppressed": counted["Suppressed"],
        "export_url": queue.here().replace(reverse("alert-list"), reverse("alert-export"), 1)
        if may(queue.user, "export")
        else "",
        "tabs": [_tab(queue, label, query, counted[label]) for label, query in TABS],
        "facets": []  # they count what stands in the queue
        if queue.filter.names_suppressed()
        else [_facet(queue, one, facets[one.word]) for one in reversed(Severity)],
        "chips": [
            {"label": chip.label, "value": chip.value, "url": queue.url(chip.remove)} for chip in queue.filter.chips()
        ],
    }


def _facet_figures(queue: Queue) -> tuple[dict[str, stats.Figure], stats.Figure | None]:
    """Open work of the filter by severity, whatever severity it asks for; and the total, where it is their sum."""
    chosen = queue.filter
    if chosen.states() == {AlertStatus.RESOLVED.word}:
        return dict.fromkeys((one.word for one in Severity), stats.Figure(0)), None
    without = chosen.without("severity")
    base = stats.base_of(without.apply(queue.visible, queue.user)) if without.params else queue.base
    words = any(not token.field for token in without.tokens)
    if not words and not _is_narrow(without):
        return stats.by_severity(base), None
    facets, total = stats.severities_at_once(base)
    if total.more and not words:
        facets = stats.by_severity(base)
    return facets, total if queue.only_open and "severity" not in chosen.params else None


def _is_narrow(chosen: AlertFilter) -> bool:
    """Whether few alerts can be expected. Those of nobody are many."""
    return bool(NARROW & chosen.names()) and "none" not in chosen.params.get("owner", ())


def _tab(queue: Queue, label: str, query: str, number: stats.Figure) -> Context:
    """Current when nothing but this preset is asked for."""
    mine = AlertFilter.parse(QueryDict(query)).query_string()
    current = queue.filter.query_string() == mine and not queue.view
    url = queue.url(query, view="", sort=BY_SLA if query == AT_RISK else "")
    return {"label": _(label), "url": url, "n": number, "current": current}


def _facet(queue: Queue, severity: Severity, number: stats.Figure) -> Context:
    """A severity that a click adds to the filter, or takes away."""
    chosen = queue.filter.params.get("severity", [])
    wanted = [word for word in chosen if word != severity.word]
    if severity.word not in chosen:
        wanted.append(severity.word)
    url = queue.url(queue.filter.query_string(severity=wanted))
    return {
        "word": severity.word,
        "label": _(str(severity.label)),
        "n": number,
        "url": url,
        "on": severity.word in chosen,
    }


def _sorts(queue: Queue) -> dict[str, str]:
    """The address of each order; a second click on the age turns it round. By severity only open work."""
    query = queue.filter.query_string()
    sorts = {name: queue.url(query, sort=name) for name in ORDERS if name != "severity"}
    if queue.only_open:
        sorts[BY_SLA] = queue.url(query, sort=BY_SLA)
        sorts["severity"] = reverse("alert-list") + (f"?{query}" if query else "")
    sorts["age"] = sorts["oldest" if queue.sort == "newest" else "newest"]
    return sorts


def menus_context(queue: Queue) -> Context:
    """The drop-downs of the filter and their ticks; what has no field of its own is kept in hidden ones."""
    params, me = queue.filter.params, queue.user
    others = _others(me)
    owners = [("none", _("Unassigned")), ("me", _("%(name)s (you)") % {"name": me.display_name()}), *others]
    menus = [
        _menu(params, "source", _("Source"), _sources(me)),
        _menu(params, "owner", _("Owner"), owners),
        _menu(params, "status", _("Status"), [(s.word, parts.label(s.word)) for s in AlertStatus]),
        _menu(params, "tag", _("Tag"), [(tag, tag) for tag in stats.common_tags(queue.base)]),
    ]
    more = [
        _menu(params, "determination", _("Determination"), [(d.word, parts.label(d.word)) for d in Determination]),
        _menu(params, "tlp", _("TLP"), list(Tlp.choices)),
        _menu(params, "has_incident", _("Incident"), [("any", _("In an incident")), ("none", _("In no incident"))]),
    ]
    fields = [(name, label, ", ".join(params.get(name, ()))) for name, label in _more_fields()]
    hidden = [(name, ",".join(values)) for name, values in params.items() if name not in (*IN_MENUS, *IN_MORE, "q")]
    on = sum(menu["n"] for menu in more) + sum(1 for _name, _label, value in fields if value)
    hidden += [("sort", queue.sort)] if queue.sort != "severity" else []
    hidden += [("view", str(queue.view))] if queue.view else []
    hidden += [("facets", "1")] if queue.facets else []
    return {
        **{"menus": menus, "more": more, "fields": fields, "hidden": hidden, "more_on": on},
    }


def _more_fields() -> list[tuple[str, str]]:
    return [
        ("model", _("Model")),
        ("host", _("Host")),
        ("user", _("User")),
        ("observable", _("Observable")),
        ("received", _("Received since")),
        ("until", _("Received until")),
    ]


def _menu(params: dict[str, list[str]], name: str, label: str, choices: list[tuple[str, str]]) -> Context:
    chosen = params.get(name, [])
    known = [*choices, *((value, value) for value in chosen if value not in dict(choices))]
    return {
        "name": name,
        "label": label,
        "n": len(chosen),
        "options": [(value, text, value in chosen) for value, text in known],
    }


def _sources(user: User) -> list[tuple[str, str]]:
    rows = sources_seen_by(user).order_by("name")
    return list(rows.values_list("slug", "name")[:100])


def _others(user: User) -> list[tuple[str, str]]:
    people = User.objects.filter(is_active=True).exclude(pk=user.pk).order_by("first_name", "username")
    return [(one.username, one.display_name()) for one in people.only("username", "first_name", "last_name")[:50]]
