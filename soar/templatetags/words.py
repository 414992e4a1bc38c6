"""The tags of ``{% load i18n %}`` (settings.TEMPLATES), Django's but quicker: what a template says is looked up once a
language. A page of a list says hundreds of words; Django makes a lazy object for each, and puts each sentence together
anew before it is looked up."""

from __future__ import annotations

from typing import Any

from django.template import Context, Library, Node
from django.template.base import Parser, Token
from django.templatetags import i18n
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext

register = Library()
register.tags.update(i18n.register.tags)
register.filters.update(i18n.register.filters)


class Word(Node):
    """``{% translate "…" %}`` of a text that stands in the template."""

    child_nodelists = ()

    def __init__(self, message: str, asvar: str | None) -> None:
        self.message, self.asvar = message, asvar
        self.known: dict[str | None, SafeString] = {}

    def render(self, context: Context) -> SafeString:
        """The text in the language of now."""
        language = get_language()
        text = self.known.get(language)
        if text is None:
            found = gettext(self.message.replace("%", "%%")).replace("%%", "%")
            text = self.known[language] = mark_safe(found)  # noqa: S308  of the template, as Django has it
        if self.asvar is None:
            return text
        context[self.asvar] = text
        return mark_safe("")


class Sentence(i18n.BlockTranslateNode):
    """``{% blocktranslate %}``: the sentence that is looked up stays the same, only its values change."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.sentences: dict[int, tuple[str, list[str]]] = {}

    def render_token_list(self, tokens: list[Token]) -> tuple[str, list[str]]:
        """The sentence, and the names of its variables."""
        if (found := self.sentences.get(id(tokens))) is None:
            found = self.sentences[id(tokens)] = super().render_token_list(tokens)
        return found[0], list(found[1])


@register.tag("translate")
@register.tag("trans")
def translate(parser: Parser, token: Token) -> Node:
    """Django's tag."""
    node: Any = i18n.do_translate(parser, token)
    text = node.filter_expression
    if node.noop or node.message_context or text.filters or text.var.literal is None:
        return node  # type: ignore[no-any-return]
    return Word(str(text.var.literal), node.asvar)


@register.tag("blocktranslate")
@register.tag("blocktrans")
def blocktranslate(parser: Parser, token: Token) -> Node:
    """Django's tag."""
    node: Any = i18n.do_block_translate(parser, token)
    counted = (node.plural, node.countervar, node.counter, node.message_context)
    return Sentence(node.extra_context, node.singular, *counted, node.trimmed, node.asvar, node.tag_name)
