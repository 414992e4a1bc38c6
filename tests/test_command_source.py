"""``manage.py source create``: JSON alone on stdout, refusals as one line (contract: Commands, rulings 26)."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from cases.models import AlertPull, AlertSource, SourceToken
from soar.accounts.models import AuditEntry, Team
from soar.accounts.tokens import digest
from soar.connectors import actions as connectors

pytestmark = pytest.mark.django_db


def created(*args: str) -> dict[str, str]:
    """What the command printed."""
    out = StringIO()
    call_command("source", "create", *args, stdout=out)
    answer: dict[str, str] = json.loads(out.getvalue())
    return answer


def test_prints_slug_token_and_url_and_stores_only_a_digest(settings) -> None:  # type: ignore[no-untyped-def]
    settings.SOAR_URL = "https://soar.example"
    answer = created("Wazuh, plant", "--kind", "wazuh", "--team", "Plant")
    source = AlertSource.objects.get(slug=answer["slug"])
    assert answer == {
        "slug": "wazuh-plant",
        "token": answer["token"],
        "url": "https://soar.example/api/v1/ingest/wazuh-plant/",
    }
    assert (source.name, source.kind, source.team) == ("Wazuh, plant", "wazuh", Team.objects.get(name="Plant"))
    assert bytes(SourceToken.objects.get(source=source).digest) == digest(answer["token"])
    row = AuditEntry.objects.get(verb="source.created")
    assert row.target == "wazuh-plant"
    assert answer["token"] not in str(row.data)


def test_a_token_that_ends() -> None:
    created("Feed", "--kind", "generic", "--days", "30")
    ends = SourceToken.objects.get().expires_at
    assert ends is not None and abs(ends - timezone.now() - timedelta(days=30)) < timedelta(1)
    for days in ("0", "3651", "-1"):
        with pytest.raises(CommandError, match="1 to 3650 days"):
            created("Other", "--kind", "generic", f"--days={days}")
    assert AlertSource.objects.count() == 1


def test_sources_of_similar_names_get_slugs_of_their_own() -> None:
    assert created("Feed", "--kind", "generic")["slug"] == "feed"
    assert created("Feed!", "--kind", "generic")["slug"] == "feed-2"
    assert created("警報", "--kind", "generic")["slug"] == "source"


@pytest.mark.parametrize(
    ("args", "word"),
    [
        (("Feed", "--kind", "teleprinter"), "Kind is one of"),
        (("", "--kind", "generic"), "Write something"),
        (("x" * 101, "--kind", "generic"), "At most 100"),
        (("Feed", "--kind", "generic", "--team", "Viewer"), "name of a role"),
    ],
)
def test_a_wrong_value_is_named_and_nothing_is_saved(args: tuple[str, ...], word: str) -> None:
    with pytest.raises(CommandError, match=word):
        created(*args)
    assert not AlertSource.objects.exists()
    assert not Team.objects.exists()


def test_the_same_name_twice_is_refused() -> None:
    created("Feed", "--kind", "generic")
    with pytest.raises(CommandError, match="already"):
        created("FEED", "--kind", "generic")
    assert AlertSource.objects.count() == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nowhere", "Vision One"), "no source"),
        (("vision", "nobody"), "no connector"),
        (("wazuh", "Vision One"), "nothing to read them from"),
        (("vision", "Vision One", "--every", "1"), "from 10 to"),
    ],
)
def test_what_cannot_be_read_is_refused(arguments: tuple[str, ...], words: str) -> None:
    make_readable()
    with pytest.raises(CommandError, match=words):
        call_command("source", "read", *arguments)
    assert not AlertPull.objects.exists()


def test_a_source_is_read_with_a_connector(capsys: pytest.CaptureFixture[str]) -> None:
    make_readable()
    call_command("source", "read", "vision", "Vision One", "--every", "30")
    assert json.loads(capsys.readouterr().out) == {"slug": "vision", "connector": "Vision One", "every_seconds": 30}
    assert AlertPull.objects.get().source.slug == "vision"


def make_readable() -> None:
    """A connector, a source that it can read and one that it cannot."""
    connectors.create_account(None, "visionone", "Vision One", {"url": "https://v1.example"}, {"token": "abcdef"})
    for slug, kind in (("vision", "visionone"), ("wazuh", "wazuh")):
        AlertSource.objects.create(name=slug, slug=slug, kind=kind)
