"""Tags of every page (built in, no ``{% load %}``): the parts of soar/lib/parts.py, the frame, form fields.

All parts are shown with their call on /styleguide/.
"""

from __future__ import annotations

import html
from typing import Any

from django import forms
from django.forms.boundfield import BoundField
from django.http import HttpRequest
from django.template import Context, Library, Node, defaulttags
from django.template.base import Parser, Token
from django.template.defaulttags import URLNode
from django.template.library import SimpleNode
from django.urls import NoReverseMatch
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe

from soar import nav
from soar.lib import clock, parts, text
from soar.standins import folder
from soar.theme import theme_of

register = Library()
# Where what is done, or is to be done, by other products is shown.
ABOUT_PRODUCTS = (
    "/connectors/", "/playbooks/", "/runs/", "/approvals/", "/responses/", "/practice/",
    "/settings/scripts/", "/settings/never-touch/", "/settings/models/", "/settings/operations/",
)  # fmt: skip
OOB, MORPH, NOTHING = mark_safe(' hx-swap-oob="true"'), mark_safe(' hx-swap-oob="morph"'), mark_safe("")

for part in (
    parts.sev, parts.state, parts.determination, parts.risk, parts.pill, parts.tlp,
    parts.face, parts.face_of, parts.person, parts.ago, parts.clock, parts.observable,
):  # fmt: skip
    register.simple_tag(part)
_drawing = Library()
_drawing.simple_tag(parts.icon)
register.filter("label", parts.label)
register.filter("defang", text.defang)
register.filter("shorten", text.shorten_hash)
register.filter("initials", text.initials)


class Sign(SimpleNode):
    """``{% icon "…" %}`` of a name that stands in the template: drawn once."""

    drawn: str | None = None

    def render(self, context: Context) -> str:
        """The sign."""
        if self.drawn is None:
            self.drawn = super().render(context)
        return self.drawn


@register.tag
def icon(parser: Parser, token: Token) -> Node:
    """The tag of ``parts.icon``."""
    node: SimpleNode = _drawing.tags["icon"](parser, token)
    given = [*node.args, *node.kwargs.values()]
    if node.target_var or any(one.filters or one.is_var for one in given):
        return node
    return Sign(node.func, node.takes_context, node.args, node.kwargs, node.target_var)


class Address(URLNode):
    """``{% url %}`` as Django's (there are no namespaces of applications here), of which the same is made once."""

    def render(self, context: Context) -> str:
        """The address."""
        args = [one.resolve(context) for one in self.args]
        if self.kwargs or not all(isinstance(one, str) or type(one) is int for one in args):
            return str(super().render(context))
        try:
            found = nav.address(self.view_name.resolve(context), *args)
        except NoReverseMatch:
            if self.asvar is None:
                raise
            found = ""
        if self.asvar is None:
            return conditional_escape(found) if context.autoescape else found
        context[self.asvar] = found
        return ""


@register.tag
def url(parser: Parser, token: Token) -> Node:
    """Django's tag."""
    node = defaulttags.url(parser, token)
    return Address(node.view_name, node.args, node.kwargs, node.asvar)


@register.simple_tag
def run_state(word: str, hidden: bool = False) -> SafeString:
    """The status of a run or step: as ``state``, but work in progress moves."""
    return parts.state(word, hidden, running=True)


@register.filter(name="markdown")
def markdown_filter(value: str | None, people: dict[str, str] | None = None) -> SafeString:
    """Markdown to safe HTML; ``people`` are the names behind an @ that are marked as mentions, and what is shown."""
    return text.markdown(value or "", people or None)


@register.simple_tag(takes_context=True)
def oob(context: Context, keep: bool = False) -> SafeString:
    """`` hx-swap-oob="true"`` when the region goes beside the one asked for (soar.lib.htmx).

    ``keep``: it answers a poll and is morphed in: open menus and what is being typed stay (static/js/morph.js)."""
    return MORPH if keep else OOB if context.get("oob") else NOTHING


@register.simple_tag(takes_context=True)
def theme(context: Context) -> str:
    """``light``, ``dark`` or ``auto`` for this person or browser. Error pages bring ``theme_cookie``."""
    return str(context.get("theme_cookie") or theme_of(context.get("request")))


@register.simple_tag
def link_to(url_name: str) -> str:
    """The address of ``url_name``, or "" when there is no such page."""
    return nav.url_or_none(url_name) or ""


@register.inclusion_tag("components/nav.html", takes_context=True)
def main_nav(context: Context) -> dict[str, Any]:
    """The main navigation: places that exist and that the person may open.

    ``nav_counts`` (url name -> number) in the page's context puts figures beside them.
    """
    request: HttpRequest | None = context.get("request")
    user = getattr(request, "user", None)
    if request is None or user is None or not user.is_authenticated:
        return {"groups": []}
    given = context.get("nav_counts") or {}
    found = list(nav.places(user, request.path))
    own = nav.counted((place for _label, places in found for place in places), user)
    figures = {**own, **{name: figure for name, figure in given.items() if figure}}
    groups = [(label, [(place, figures.get(place.entry.url_name)) for place in places]) for label, places in found]
    return {
        "groups": groups,
        "counts_url": nav.counts_url(pair for _label, pairs in groups for pair in pairs),
        "more": nav.url_or_none("more"),
        "at_more": request.path == nav.url_or_none("more"),
    }


@register.inclusion_tag("components/practice.html", takes_context=True)
def practice_range(context: Context) -> dict[str, Any]:
    """The band that says that products are stand-ins, on the pages that name products (connectors.md 5)."""
    request: HttpRequest | None = context.get("request")
    user = getattr(request, "user", None)
    if request is None or user is None or not user.is_authenticated or not request.path.startswith(ABOUT_PRODUCTS):
        return {"url": ""}
    return {"url": link_to("practice") if folder.running() else ""}


@register.inclusion_tag("components/view_as.html", takes_context=True)
def view_as_band(context: Context) -> dict[str, Any]:
    """The band that says whose view is seen, while it is another person's (access.md 5)."""
    request: HttpRequest | None = context.get("request")
    viewing = getattr(request, "viewing", None)
    if viewing is None:
        return {}
    names = [str(getattr(one, "team", one)) for one in viewing.person.groups.select_related("team").order_by("name")]
    minutes = max(1, round((viewing.until - clock.now()).total_seconds() / 60))
    return {
        "viewing": viewing,
        "groups": ", ".join(names),
        "minutes": minutes,
        "csrf_token": context.get("csrf_token"),
    }


@register.inclusion_tag("components/field.html")
def field(bound: BoundField, css: str = "", label: str = "", hint: str | None = None, **more: Any) -> dict[str, Any]:
    """A form field with its label, hint and error, tied together by aria-describedby.

    ``css`` adds classes to the control, ``label`` and ``hint`` replace the form's own ("" = no hint), and any
    other name is an attribute of the control: ``autofocus=True``, ``placeholder=""``.
    """
    hint = str(bound.help_text) if hint is None else hint
    widget = bound.field.widget
    several = isinstance(widget, forms.RadioSelect | forms.CheckboxSelectMultiple)
    tick = isinstance(widget, forms.CheckboxInput)
    described = [f"{bound.auto_id}-{kind}" for kind, given in (("hint", hint), ("error", bound.errors)) if given]
    attrs = {
        "class": f"{_control_class(widget)} {'is-invalid ' if bound.errors else ''}{css}".strip(),
        **more,
    }
    if bound.errors:
        attrs["aria-invalid"] = "true"
    if described:
        attrs["aria-describedby"] = " ".join(described)
    return {
        "bound": bound,
        "label": label or bound.label,
        "hint": hint,
        "kind": "several" if several else "tick" if tick else "plain",
        "options": _options(bound) if several else "",
        "control": "" if several else bound.as_widget(attrs=attrs),
        "described": " ".join(described),
    }


def _options(bound: BoundField) -> SafeString:
    """Boxes or radios with their labels, as HTML: a form has hundreds of them where there are many sources, and a loop
    of the template takes ten times as long."""
    css, name = _control_class(bound.field.widget), html.escape(bound.html_name)
    found = []
    for row in (option.data for option in bound):
        key, value = html.escape(row["attrs"].get("id", "")), row["value"]
        value = "" if value is None else html.escape(str(value))
        found.append(
            f'<label class="form-check" for="{key}"><input class="{css}" type="{row["type"]}" name="{name}"'
            f' value="{value}" id="{key}"{" checked" if row["selected"] else ""}>'
            f"{conditional_escape(row['label'])}</label>"
        )
    return mark_safe("".join(found))  # noqa: S308  each part is escaped


def _control_class(widget: forms.Widget) -> str:
    if isinstance(widget, forms.CheckboxInput | forms.RadioSelect | forms.CheckboxSelectMultiple):
        return "form-check-input"
    return "form-select" if isinstance(widget, forms.Select) else "form-control"
