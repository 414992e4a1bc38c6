"""The form of one part of the graph: playbook, trigger, target, condition, action, notification."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from playbooks.builder.deeds import Group, groups_of, notify_group, profile_field
from playbooks.builder.fields import Choice, Errors, Field, lines
from playbooks.builder.offers import Offers
from playbooks.builder.picker import Picker, picker
from playbooks.graph.actions import DETERMINATIONS, SEVERITIES
from playbooks.graph.model import DAYS, MOST_OWNERS, RISKS, TARGET, Graph, Node, OpenIncident, Problem, Row
from playbooks.graph.parameters import OPERATORS, PARAMETERS
from soar.lib import parts

DAY_LABELS = {"mon": "Mon", "tue": "Tue", "wed": "Wed", "thu": "Thu", "fri": "Fri", "sat": "Sat", "sun": "Sun"}


@dataclass(frozen=True, slots=True)
class ConditionRow:
    """One row of a condition."""

    number: int
    parameter: Field
    operator: Field
    values: Field


@dataclass(frozen=True, slots=True)
class PeriodRow:
    """One set of days with its times."""

    number: int
    days: list[Choice]
    start: Field
    end: Field
    error: str


@dataclass(slots=True)
class Form:
    """What stands beside the drawing. ``part``: playbook, trigger, target or a node's id; ``kind`` chooses which of
    the lists the template shows. ``errors``: what belongs to no field."""

    part: str
    kind: str
    fields: list[Field] = field(default_factory=list)
    rows: list[ConditionRow] = field(default_factory=list)
    periods: list[PeriodRow] = field(default_factory=list)
    pickers: dict[str, Picker] = field(default_factory=dict)
    groups: list[Group] = field(default_factory=list)
    risk: Field | None = None
    approval: list[Field] = field(default_factory=list)
    asks: bool = False
    incident: list[Field] = field(default_factory=list)
    opens: bool = False
    last: list[Field] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def form_of(
    graph: Graph,
    part: str,
    offers: Offers,
    problems: Iterable[Problem] = (),
    searches: dict[str, str] | None = None,
) -> Form:
    """The form of a part with its values and problems. ``searches``: what is typed into the search of a list.

    Raises KeyError for a node that is not there."""
    errors = Errors.of("" if part == "playbook" else part, problems)
    if part == "playbook":
        form = _playbook(graph, errors)
    elif part == "trigger":
        form = _trigger(graph, offers, errors)
    elif part == TARGET:
        form = _target(graph, offers, errors, searches or {})
    else:
        form = _node(graph.node(part), offers, errors)
    form.errors = errors.left()
    return form


def _playbook(graph: Graph, errors: Errors) -> Form:
    name = Field("name", _("Name"), value=graph.name, most=200, error=errors.at("name"))
    about = Field("description", _("Description"), "long", graph.description, error=errors.at("description"), most=8000)
    return Form("playbook", "playbook", [name, about])


def _trigger(graph: Graph, offers: Offers, errors: Errors) -> Form:
    use = graph.trigger
    kinds = [("automatic", _("Automatic or manual")), ("manual", _("Manual"))]
    type_ = Field(
        "type", _("Starts"), "radio", use.type, [Choice(word, label, word == use.type) for word, label in kinds],
        errors.at("type"), _("Automatic also runs by hand from an alert."),
    )  # fmt: skip
    zone = Field(
        "time_zone", _("Time zone"), "text", use.time_zone, [Choice(name, name) for name in offers.zones],
        errors.at("time_zone"), _("Of the periods and of “hour of day”; an IANA name as Europe/Berlin."), 100,
    )  # fmt: skip
    periods = [
        PeriodRow(
            number,
            [Choice(day, _(DAY_LABELS[day]), day in one.days) for day in DAYS],
            Field(f"periods.{number}.from", _("From"), "time", one.start, error=errors.at(f"periods.{number}.from")),
            Field(f"periods.{number}.to", _("to"), "time", one.end, error=errors.at(f"periods.{number}.to")),
            errors.at(f"periods.{number}"),
        )
        for number, one in enumerate(use.periods)
    ]
    form = Form("trigger", "trigger", [type_, zone], periods=periods)
    form.last = [Field("periods", _("Periods"), error=errors.exactly("periods"))]
    return form


def _target(graph: Graph, offers: Offers, errors: Errors, searches: dict[str, str]) -> Form:
    use = graph.target
    severities = Field(
        "severities", _("Alerts of severity"), "ticks", "",
        [Choice(word, parts.label(word), word in use.severities) for word in SEVERITIES], errors.at("severities"),
    )  # fmt: skip
    risk = Field(
        "filter_by_risk", _("Filter by highlighted object risk"), "switch", "1" if use.filter_by_risk else "",
        error=errors.at("filter_by_risk"), hint=_("Conditions may then ask for the risk of an object."),
    )  # fmt: skip
    opening = use.open_incident
    form = Form(TARGET, TARGET, [severities, risk], opens=opening is not None)
    form.pickers["models"] = picker(
        "models", _("Only these detection models"), list(use.models), offers.models, searches.get("models", ""),
        errors.at("models"), _("None chosen: every model."), badge=True,
    )  # fmt: skip
    form.pickers["owners"] = picker(
        "owners", _("Its owners"), list(opening.owners) if opening else [], offers.people, searches.get("owners", ""),
        errors.at("open_incident.owners"), _("At most %d people.") % MOST_OWNERS,
    )  # fmt: skip
    closing = opening.close_with if opening else ""
    words = [Choice("", _("Choose …"), not closing)]
    words += [Choice(word, parts.label(word), word == closing) for word in DETERMINATIONS]
    form.incident = [
        Field("incident.close", _("Close it when the playbook succeeds"), "switch", "1" if closing else "",
              hint=_("Only when everything was successful.")),
        Field("incident.determination", _("Close it as"), "select", closing, words,
              errors.at("open_incident.close_on_success", "open_incident.close_with")),
        *_sending(opening, offers, errors),
    ]  # fmt: skip
    return form


def _sending(opening: OpenIncident | None, offers: Offers, errors: Errors) -> list[Field]:
    """Whether the incident gets a ticket that is kept equal (response-playbooks.md 6)."""
    chosen = opening.ticket_profile if opening else ""
    error = errors.at("open_incident.ticket_profile")
    hint = _("The ticket and the incident are kept equal from then on.")
    return [
        Field("incident.send", _("Send it to ServiceNow"), "switch", "1" if chosen or error else "", hint=hint),
        profile_field("incident.profile", _("Ticket profile"), chosen, offers, error),
    ]


def _node(node: Node, offers: Offers, errors: Errors) -> Form:
    name = Field("name", _("Name"), value=node.name, most=200, error=errors.at("name"))
    if node.type in ("condition", "else_if"):
        rows = [_row(number, row, errors) for number, row in enumerate(node.conditions)]
        return Form(node.id, "condition", [name], rows=rows)
    if node.type == "notify":
        form = Form(node.id, "notify", [name], groups=[notify_group(node, offers, errors)])
        form.asks, form.approval = node.approval is not None, _approval(node, offers, errors)
        return form
    ticks = [Choice(word, word, word in node.risk, risk=True) for word in RISKS]
    hint = _("Case actions run whatever is ticked.")
    risk = Field("risk", _("On objects rated"), "ticks", "", ticks, errors.at("risk"), hint)
    form = Form(node.id, "action", [name], groups=groups_of(node, offers, errors), risk=risk)
    form.asks = node.approval is not None
    form.approval = _approval(node, offers, errors)
    form.last = [
        Field("deadline_minutes", _("Give up after"), "number", str(node.deadline_minutes), most=1440,
              error=errors.at("deadline_minutes")),
        Field("stop", _("If it fails, stop this branch"), "switch", "1" if node.on_failure == "stop" else "",
              hint=_("Later actions of the branch are left out, its notifications never."),
              error=errors.at("on_failure")),
    ]  # fmt: skip
    return form


def _row(number: int, row: Row, errors: Errors) -> ConditionRow:
    at = f"conditions.{number}"
    known = PARAMETERS.get(row.parameter)
    names = [Choice("", _("Choose …"), not row.parameter)]
    names += [Choice(one.name, _(one.label), one.name == row.parameter) for one in PARAMETERS.values()]
    operators = [
        Choice(name, _(OPERATORS[name].label), name == row.operator) for name in (known.operators if known else ("is",))
    ]
    if known is not None and known.choices:
        ticks = [
            Choice(word, parts.label(word), word in row.values, risk=known.choices == RISKS) for word in known.choices
        ]
        values = Field(f"{at}.ticked", _("Values"), "ticks", "", ticks, errors.at(f"{at}.values"), _(known.hint))
    else:
        hint = _(known.hint) if known and known.hint else _("One a line; any of them counts.")
        values = Field(f"{at}.values", _("Values"), "lines", lines(row.values), [], errors.at(f"{at}.values"), hint)
    return ConditionRow(
        number,
        Field(f"{at}.parameter", _("Parameter"), "select", row.parameter, names, errors.at(f"{at}.parameter"),
              refreshes=True),
        Field(f"{at}.operator", _("Operator"), "select", row.operator, operators, errors.at(f"{at}.operator")),
        values,
    )  # fmt: skip


def _approval(node: Node, offers: Offers, errors: Errors) -> list[Field]:
    use = node.approval
    method = use.method if use else "email"
    methods = [("email", _("E-mail")), ("channel", _("Channels"))]
    chosen = use.channels if use else ()
    return [
        Field("approval.method", _("Ask by"), "select", method,
              [Choice(word, label, word == method) for word, label in methods], errors.at("approval.method")),
        Field("approval.subject_prefix", _("Subject prefix"), "text", use.subject_prefix if use else "", [],
              errors.at("approval.subject_prefix"), _("Used exactly as typed."), 200),
        Field("approval.recipients", _("Recipients"), "lines", lines(use.recipients if use else ()), [],
              errors.at("approval.recipients"), _("E-mail addresses, one a line. Undecided after 24 hours: it expires, "
                                                  "and never runs.")),
        Field("approval.channels", _("Channels"), "ticks", "",
              [Choice(value, label, value in chosen) for value, label in offers.channels],
              errors.at("approval.channels"), url=offers.urls.get("channel", ""), action=_("Create a channel")),
        Field("approval.two_people", _("Two people must approve"), "switch",
              "1" if use and use.two_people else "", error=errors.at("approval.two_people")),
    ]  # fmt: skip
