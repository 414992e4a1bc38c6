"""Files of assets: what they say, what is wrong with them line by line, and that nothing is ever half saved."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection

from cases.actions import asset_import, assets
from cases.actors import Actor
from cases.asset_csv import decoded, parsed
from cases.choices import Criticality
from cases.errors import Forbidden, Missing, Refused, Stale
from cases.models import AlertAsset, Asset, AssetChange, AssetGroup, AssetImport
from soar.accounts.models import AuditEntry, Team, User
from tests.factories import make_alert, make_asset, make_source, make_user

HEAD = "name,type,system,addresses,groups,criticality,tags\n"


def fields(text: str) -> list[dict[str, Any]]:
    table = parsed(text)
    assert table.problems == []
    return [line.fields for line in table.lines]


@pytest.mark.parametrize(
    "text",
    [
        "name,ip,groups\nws-1,10.0.0.1;10.0.0.2,Finance;Till 3\n",
        "\n\nName;IP address;Group\nws-1;10.0.0.1,10.0.0.2;Finance|Till 3",
        'Hostname\tOS\tip\tgroup\r\nws-1\t\t"10.0.0.1 10.0.0.2"\tFinance;Till 3\r\n\r\n',
        'name,ip,groups\r"ws-1","10.0.0.1,10.0.0.2","Finance;;Till 3 ;"\r',
    ],
)
def test_what_spreadsheets_write(text: str) -> None:
    assert fields(text.lstrip("\n")) == [
        {"name": "ws-1", "addresses": ["10.0.0.1", "10.0.0.2"], "groups": ["Finance", "Till 3"]}
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings(encoding: str) -> None:
    assert decoded("name\nKöln-01\n".encode(encoding)) == "name\nKöln-01\n"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("name\nws-1\nKöln-01\n".encode("cp1252"), "Line 3 is not UTF-8"),
        ("name\nws".encode("utf-16-le"), "NUL"),
        (b"\xff\xfen\x00a", "not UTF-8"),
        (b"name\nws\x001\n", "NUL"),
        (b"", "empty"),
        (b"\xef\xbb\xbf \n\n", "empty"),
        (b"x" * (10 * 1024 * 1024 + 1), "larger than 10 MiB"),
    ],
)
def test_bytes_that_are_no_text(body: bytes, words: str) -> None:
    with pytest.raises(Refused, match=words) as refused:
        decoded(body)
    assert refused.value.field == "file"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ws-1,10.0.0.1\n", "one of them “name”"),
        ("name,owner\nws-1,me\n", "Unknown column: owner"),
        ("name,ip,address\nws-1,10.0.0.1,10.0.0.2\n", "Two columns say the same: addresses"),
        ("name,\nws-1,x\n", "Unknown column"),
        ("name,ip\n", "no line below"),
        ('"name\nws-1\n', "one of them"),
        ("name\n" + "".join(f"h{n}\n" for n in range(100_001)), "At most 100,000"),
    ],
)
def test_files_that_say_nothing_usable(text: str, words: str) -> None:
    with pytest.raises(Refused, match=words):
        parsed(text)


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("name,ip\nws-1,10.0.0.1\n,10.0.0.2\n", 3, "name", "no name"),
        ("name,ip\nws-1,10.0.0.1,x\n", 2, "", "3 cells, the header 2"),
        ("name,ip\nws-1,10.0.0.1\n\nWS-1,10.0.0.2\n", 4, "name", "stands in line 2"),
        ('name,ip\n"ws\n-1",\nb,\n=cmd|x,\n', 5, "name", "formula"),
        ("name,tags\nws-1,+1\n", 2, "tags", "formula"),
        ("name,system\nws-1,@SUM(A1)\n", 2, "system", "formula"),
        ("name,groups\nws-1,-2+3\n", 2, "groups", "formula"),
        ('name,system\nws-1,"\t=1"\n', 2, "system", "formula"),
        ('name,ip\nws-1,"10.0.0.1\nws-2,\n', 2, "", "cannot be read"),
        ('name,ip\nws-1,"10.0"x\n', 2, "", "cannot be read"),
        ("name,system\nws-1," + "x" * 200_000 + "\n", 2, "", "cannot be read"),
    ],
)
def test_lines_that_are_wrong(text: str, line: int, column: str, words: str) -> None:
    problem = parsed(text).problems[0]
    assert (problem.line, problem.column) == (line, column)
    assert words in problem.message


@pytest.mark.django_db
class TestPlan:
    def test_says_what_would_be_made_and_changed(self, admin: User) -> None:
        make_asset("ws-1", system="Windows 10", criticality=Criticality.LOW, groups=["Till"], tags=["a"])
        make_asset("ws-2", system="Linux")
        text = HEAD + "WS-1,,Windows 11,,till,High,b\nws-2,,Linux,,,,\nws-3,server,,10.0.0.3,New,,\n"
        plan = asset_import.plan(Actor.of(admin), text)
        assert plan.problems == []
        assert [step.name for step in plan.created] == ["ws-3"]
        assert [(step.name, step.changes) for step in plan.changed] == [
            ("ws-1", {"system": ["Windows 10", "Windows 11"], "criticality": ["low", "high"], "tags": [["a"], ["b"]]})
        ]
        assert plan.same == 1
        assert Asset.objects.count() == 2
        assert list(AssetGroup.objects.values_list("name", flat=True)) == ["Till"]

    def test_says_what_is_wrong_line_by_line(self, admin: User) -> None:
        text = HEAD + "ok-1,,,,,,\nlocalhost,,,,,,\nws-1,,,10.0.0.999,,,\nws-2,,,,,huge,\n=1,,,,,,\n"
        plan = asset_import.plan(Actor.of(admin), text)
        assert [(one.line, one.column) for one in plan.problems] == [
            (3, "name"),
            (4, "addresses"),
            (5, "criticality"),
            (6, "name"),
        ]
        assert "10.0.0.999" in plan.problems[1].message
        with pytest.raises(Refused, match=r"Line 3: .*Nothing was saved"):
            asset_import.apply(Actor.of(admin), text)
        assert not Asset.objects.exists()

    def test_is_for_admins(self, analyst: User, responder: User) -> None:
        for user in (analyst, responder):
            with pytest.raises(Forbidden, match="settings"):
                asset_import.plan(Actor.of(user), "name\nws-1\n")
            with pytest.raises(Forbidden):
                asset_import.apply(Actor.of(user), "name\nws-1\n")

    def test_does_not_tell_what_is_hidden(self, red: Team, admin: User) -> None:
        other = make_user("robin", "Admin")
        alert = make_alert(source=make_source(team=red), restricted=True)
        one = make_asset("secret-1", listed=False, system="Solaris")
        AlertAsset.objects.create(alert=alert, asset=one)
        plan = asset_import.plan(Actor.of(other), "name,tags\nSecret-1,x\n")
        assert [step.name for step in plan.created] == ["Secret-1"]
        asset_import.apply(Actor.of(other), "name,tags\nSecret-1,x\n")
        one.refresh_from_db()
        assert (one.listed, one.name, one.system, one.tags) == (True, "Secret-1", "", ["x"])


@pytest.mark.django_db
class TestApply:
    def test_makes_and_changes(self, admin: User) -> None:
        first = make_asset("ws-1", type="laptop", groups=["Old"], criticality=Criticality.HIGH, tags=["kept"])
        asset_import.apply(Actor.of(admin), "name;ip;group\nWS-1;10.0.0.1;New\nws-2;10.0.0.2;NEW\n", name="list.csv")
        first.refresh_from_db()
        assert (first.name, first.type, first.tags, first.criticality) == ("ws-1", "laptop", ["kept"], 3)
        assert (first.addresses, first.groups, first.version) == (["10.0.0.1"], ["New"], 2)
        second = Asset.objects.get(key="ws-2")
        assert (second.groups, second.addresses, second.listed) == (["New"], ["10.0.0.2"], True)
        assert list(AssetGroup.objects.values_list("name", flat=True)) == ["New"]
        told = list(AssetChange.objects.order_by("asset__key").values_list("verb", "how", "data"))
        assert told == [
            ("changed", "import", {"addresses": [[], ["10.0.0.1"]], "groups": [["Old"], ["New"]]}),
            ("created", "import", {}),
        ]
        entry = AuditEntry.objects.get(verb="asset.imported")
        assert (entry.target, entry.data) == ("list.csv", {"created": 1, "changed": 1, "same": 0})

    def test_twice_changes_nothing_more(self, admin: User) -> None:
        text = HEAD + "ws-1,Server,Linux,10.0.0.1,A;B,low,x;y\n"
        asset_import.apply(Actor.of(admin), text)
        again = asset_import.apply(Actor.of(admin), text)
        assert (again.created, again.changed, again.same) == ([], [], 1)
        assert Asset.objects.get().version == 1

    def test_what_was_looked_at_is_what_is_done(self, admin: User) -> None:
        make_asset("ws-1")
        kept, _plan = asset_import.keep(Actor.of(admin), "a.csv", b"name,tags\nws-1,x\n")
        assets.update(Actor.of(admin), Asset.objects.get().pk, changes={"tags": ["y"]})
        with pytest.raises(Stale, match="since the preview"):
            asset_import.apply_kept(Actor.of(admin), kept.pk)
        assert Asset.objects.get().tags == ["y"]
        kept, _plan = asset_import.keep(Actor.of(admin), "a.csv", b"name,tags\nws-1,x\n")
        asset_import.apply_kept(Actor.of(admin), kept.pk)
        assert Asset.objects.get().tags == ["x"]
        assert not AssetImport.objects.exists()
        with pytest.raises(Missing):
            asset_import.apply_kept(Actor.of(admin), kept.pk)

    def test_the_file_of_another_is_not_there(self, admin: User) -> None:
        kept, _plan = asset_import.keep(Actor.of(admin), "a.csv", b"name\nws-1\n")
        with pytest.raises(Missing):
            asset_import.apply_kept(Actor.of(make_user("robin", "Admin")), kept.pk)

    def test_five_thousand(self, admin: User) -> None:
        text = "name,ip,groups\n" + "".join(f"ws-{n},10.1.{n // 250}.{n % 250},G{n % 7}\n" for n in range(5000))
        assert len(asset_import.apply(Actor.of(admin), text).created) == 5000
        assert Asset.objects.filter(groups__contains=["G3"], listed=True).count() == 714


@pytest.mark.django_db(transaction=True)
def test_two_imports_at_once_and_an_alert_between() -> None:
    users = [make_user(f"admin{n}", "Admin") for n in range(4)]
    barrier = threading.Barrier(5)
    errors: list[BaseException] = []

    def run(number: int) -> None:
        try:
            connection.ensure_connection()
            barrier.wait(20)
            if number < 4:
                lines = [f"ws-{n},T{number}\n" for n in range(300)]
                asset_import.apply(Actor.of(users[number]), "name,groups\n" + "".join(lines[:: 1 - 2 * (number % 2)]))
            else:
                for n in range(30):
                    assets.create(Actor.system(), fields={"name": f"own-{n}", "groups": [f"t{n % 4}"]})
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(n,)) for n in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not errors
    assert Asset.objects.filter(key__startswith="ws-").count() == 300
    assert len({tuple(one.groups) for one in Asset.objects.filter(key__startswith="ws-")}) == 1
    spellings = {name for one in Asset.objects.all() for name in one.groups}
    assert len(spellings) == len({name.lower() for name in spellings})
