"""Tags of templates/timeline: an entry's sentence and its sign."""

from __future__ import annotations

from django.template import Library
from django.template.context import Context
from django.utils.safestring import SafeString

from cases import timeline_note_words, timeline_read, timeline_words
from cases.models import TimelineEntry

register = Library()
register.simple_tag(timeline_words.face, name="entry_face")
register.simple_tag(timeline_note_words.event_link)


@register.simple_tag(takes_context=True)
def sentence(context: Context, entry: TimelineEntry) -> SafeString:
    """What happened, as far as the person in the context may know it."""
    return timeline_words.sentence(timeline_read.tell(context["user"], entry))
