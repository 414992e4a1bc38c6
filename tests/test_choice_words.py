"""Settings that are one of a few words: people read what it means, the word itself is kept (connectors.md 2)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from soar.connectors.choice_words import TLP, choice_label
from soar.connectors.kinds import Kind, Setting
from soar.connectors.models import ConnectorAccount
from soar.connectors.registry import KINDS
from tests.api import Api

CHOICES = [(kind, setting) for kind in KINDS.values() for setting in kind.all_settings() if setting.form == "choice"]
AS_THEY_ARE = ("method", "undo_method")  # words of HTTP


@pytest.mark.parametrize(("kind", "setting"), CHOICES, ids=lambda one: one.name)
def test_every_word_of_every_choice_has_words_for_people(kind: Kind, setting: Setting) -> None:
    shown = [choice_label(setting, word) for word in setting.choices]
    assert len(set(shown)) == len(shown) and all(shown)
    for word, label in zip(setting.choices, shown, strict=True):
        if setting.name not in AS_THEY_ARE:
            assert label != word and not re.search(r"[a-z]_[a-z]|[a-z][A-Z][a-z]+[A-Z]", label), (kind.name, word)
        if setting.name in TLP:
            assert label == f"TLP:{word.upper()}"


@pytest.mark.django_db
def test_the_form_shows_words_and_sends_what_is_kept(as_admin: Client, admin: Any) -> None:
    page = as_admin.get("/connectors/new/microsoft_graph/").content.decode()
    assert re.search(r'<option value="alerts"[^>]*>Alerts</option>', page)
    assert re.search(r'<option value="incidents"[^>]*>Incidents</option>', page)
    account = ConnectorAccount.objects.create(
        kind="microsoft_graph", name="Graph", settings={"url": "https://127.0.0.1:9", "what": "incidents"}
    )
    detail = as_admin.get(f"/connectors/{account.pk}/").content.decode()
    assert "<dd>Incidents</dd>" in detail and "<dd>incidents</dd>" not in detail
    assert Api(admin).get(f"/connectors/{account.pk}/").json()["settings"]["what"] == "incidents"


@pytest.mark.django_db
def test_a_word_that_is_none_of_them_is_refused_with_the_words_that_are(admin: Any) -> None:
    given = {"kind": "microsoft_graph", "name": "Graph", "settings": {"url": "https://127.0.0.1:9", "what": "Alerts"}}
    answer = Api(admin).post("/connectors/", given)
    assert answer.status_code == 400
    assert "what must be one of: alerts, incidents." in answer.content.decode()
