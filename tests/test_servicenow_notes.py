"""Notes between Soar and ServiceNow: the mark by which ours are known, long ones in parts, what comes from there."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.servicenow import notes
from cases.timeline_kinds import KINDS
from tests.servicenow_tools import joined

MARK = uuid.UUID("01234567-89ab-cdef-0123-456789abcdef")


def test_a_short_note_is_one_entry_with_its_mark_at_the_end() -> None:
    assert notes.chunks("Hello\nthere", MARK) == [f"Hello\nthere\n[ref:{MARK}]"]


def test_a_long_note_is_cut_between_words_and_each_part_tells_which_it_is() -> None:
    parts = notes.chunks("word " * 3000, MARK)
    assert len(parts) == 4
    assert all(len(part) <= 4000 for part in parts)
    assert [notes.found_mark(part) for part in parts] == [notes.Mark(MARK, place, 4) for place in (1, 2, 3, 4)]
    assert joined(parts).split() == ["word"] * 3000


@given(st.text(max_size=9000), st.integers(min_value=50, max_value=4000))
def test_nothing_of_a_note_is_lost(text: str, most: int) -> None:
    parts = notes.chunks(text, MARK, most)
    assert all(len(notes.without_mark(part)) <= most for part in parts)
    assert all(notes.found_mark(part) is not None for part in parts)
    assert "".join(joined(parts).split()) == "".join(text.replace("\x00", "").split())


@pytest.mark.parametrize(
    "text",
    [
        f"Somebody quotes [ref:{MARK}] in a line",
        f"[ref:{MARK}]\nand writes on",
        f"> [ref:{MARK}]",
        "[ref:01234567]",
        f"[ref:{str(MARK).upper()}]",
        "",
    ],
)
def test_a_mark_that_is_not_the_last_line_is_none(text: str) -> None:
    assert notes.found_mark(text) is None


def test_white_space_behind_the_mark_does_not_hide_it() -> None:
    assert notes.found_mark(f"Hello\r\n [ref:{MARK}] \r\n\n") == notes.Mark(MARK)


def test_markup_stays_text_and_what_nobody_sees_is_shown() -> None:
    assert notes.incoming("[code]<script>alert(1)</script>[/code]") == "<script>alert(1)</script>"
    assert notes.incoming("a\x00b\u202ec") == "ab[U+202E]c"


def test_a_note_of_four_megabytes_is_cut_with_a_word_about_it() -> None:
    kept = notes.incoming("x" * 4 * 1024 * 1024)
    assert len(kept) <= notes.KEPT
    assert "4194304 characters" in kept


def test_kinds_of_notes_are_kinds_of_the_timeline() -> None:
    assert set(notes.KINDS) <= set(KINDS)
    assert set(notes.DEFAULT_KINDS) <= set(notes.KINDS)
    assert "servicenow.note" not in notes.KINDS
