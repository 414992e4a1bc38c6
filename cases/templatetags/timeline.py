"""Tags of templates/timeline: an entry's sentence and its sign."""

from __future__ import annotations

from django.template import Library

from cases import timeline_words

register = Library()
register.simple_tag(timeline_words.sentence)
register.simple_tag(timeline_words.face, name="entry_face")
