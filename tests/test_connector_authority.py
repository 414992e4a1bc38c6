"""Products for which an authority of the house vouches: spoken to by the setting ``ca``, and by it alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cases.models import WebhookDelivery
from soar.accounts.models import User
from soar.connectors import actions, registry, showing
from soar.connectors.base import ConnectorError, Health
from soar.connectors.errors import Refused
from soar.connectors.models import Attempt, ConnectorAccount
from soar.connectors.registry import KINDS
from soar.connectors.storage import fetched
from soar.standins.base import Standin
from soar.standins.imap import Imap
from soar.standins.ldap import Ldap
from soar.standins.registry import STANDINS
from soar.standins.smtp import Smtp
from tests.acting import over_tls
from tests.api import Api
from tests.certificates import Authority
from tests.connector_server import Product
from tests.factories import make_alert
from tests.webhook_tools import endpoint_to, run

pytestmark = pytest.mark.django_db
OVER_HTTP = [one for one in STANDINS if one.kind in KINDS and "https" in KINDS[one.kind].address.schemes]
UNKNOWN = "certificate verify failed"


@pytest.fixture
def mine(tmp_path: Path) -> Authority:
    made = Authority.made(tmp_path, "mine")
    made.server("localhost")
    return made


@pytest.fixture
def other(tmp_path: Path) -> Authority:
    return Authority.made(tmp_path, "other")


def account_of(standin: Standin | type[Standin], url: str, ca: str, **settings: Any) -> ConnectorAccount:
    secrets = {one.name: "practice" for one in KINDS[standin.kind].secrets if one.required} | standin.secrets
    given = {"url": url, "allow_internal": True, **standin.settings, "ca": ca, **settings}
    return actions.create_account(None, standin.kind, f"{standin.kind} {len(ca)}", given, secrets)


def looked_at(standin: Standin, url: str, ca: str, **settings: Any) -> Health:
    return actions.test_account(None, account_of(standin, url, ca, **settings).pk)


@pytest.mark.parametrize("made", OVER_HTTP, ids=[one.kind for one in OVER_HTTP])
def test_every_product_over_http(made: type[Standin], mine: Authority, other: Authority) -> None:
    with over_tls(made(), mine.server("localhost")) as url:
        for ca in ("", other.text):
            health = looked_at(made(), url, ca)
            assert not health.ok and UNKNOWN in health.message
            ConnectorAccount.objects.all().delete()
        assert not Attempt.objects.filter(response__status__isnull=False).exists()
        health = looked_at(made(), url, f"{other.text}\nand besides\n{mine.text}")
        assert health.ok, health.message


@pytest.mark.parametrize("made", [Imap, Smtp, Ldap], ids=["imap", "smtp", "ldap"])
def test_mail_and_directories_by_starttls(made: Any, mine: Authority, other: Authority) -> None:
    standin = made(tls=True)
    standin.context = mine.server("localhost")
    standin.open()
    try:
        url = standin.url("").replace("127.0.0.1", "localhost")
        for ca in ("", other.text):
            health = looked_at(standin, url, ca, security="starttls")
            assert not health.ok and UNKNOWN in health.message
            ConnectorAccount.objects.all().delete()
        health = looked_at(standin, url, mine.text, security="starttls")
        assert health.ok, health.message
    finally:
        standin.close()


def test_the_certificate_of_the_server_itself_will_do(mine: Authority) -> None:
    context = mine.server("localhost")
    own = "-----BEGIN CERTIFICATE" + mine.pair("localhost").partition("-----BEGIN CERTIFICATE")[2]
    made = next(one for one in STANDINS if one.kind == "fortinet")
    with over_tls(made(), context) as url:
        assert looked_at(made(), url, own).ok


def test_a_name_that_the_certificate_does_not_bear_is_refused_all_the_same(mine: Authority) -> None:
    made = next(one for one in STANDINS if one.kind == "panos")
    with over_tls(made(), mine.server("localhost")) as url:
        health = looked_at(made(), url.replace("localhost", "127.0.0.1"), mine.text)
    assert not health.ok and UNKNOWN in health.message


def test_public_authorities_count_for_other_hosts_of_the_product_alone(
    mine: Authority, other: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it signs in, and where it keeps files; ``other`` is the public one here."""
    monkeypatch.setenv("SSL_CERT_FILE", str(other.file))
    product = Product()
    try:
        url = product.by_tls(other.server("localhost"))
        vision_one = next(one for one in STANDINS if one.kind == "visionone")
        api = registry.of(account_of(vision_one, "https://v1.example.com", mine.text))
        assert fetched(api, f"{url}/file.zip", "Vision One") == b'{"ok": true}'
        assert UNKNOWN in looked_at(vision_one(), url, f"{mine.text}\n").message
        secrets = {"username": "a", "client_secret": "of-the-app"}
        given = {"url": "imaps://mail.example.com", "token_url": f"{url}/token", "client_id": "app"}
        mail = actions.create_account(None, "imap", "Mail", given | {"allow_internal": True, "ca": mine.text}, secrets)
        assert "No access token is given" in actions.test_account(None, mail.pk).message
        assert "of-the-app" in str(product.seen[-1]["body"])
    finally:
        product.stop()


def test_files_of_a_product_inside_come_from_where_its_authority_vouches(mine: Authority) -> None:
    product = Product()
    try:
        url = product.by_tls(mine.server("localhost"))
        vision_one = next(one for one in STANDINS if one.kind == "visionone")
        for ca, words in (("", UNKNOWN), (mine.text, "")):
            api = registry.of(account_of(vision_one, "https://v1.example.com", ca))
            if words:
                with pytest.raises(ConnectorError, match=words):
                    fetched(api, f"{url}/file.zip", "Vision One")
            else:
                assert fetched(api, f"{url}/file.zip", "Vision One") == b'{"ok": true}'
            api.account.delete()
    finally:
        product.stop()


BROKEN = "-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----"
WRONG = {
    "words": (lambda mine: "our authority", "This is no certificate in PEM"),
    "nonsense": (lambda mine: BROKEN, "This is no certificate in PEM"),
    "letters": (lambda mine: BROKEN.replace("nonsense", "ü"), "This is no certificate in PEM"),
    "half of it": (lambda mine: mine.text[: len(mine.text) // 2], "This is no certificate in PEM"),
    "the second is cut": (lambda mine: mine.text + mine.text[:100], "This is no certificate in PEM"),
    "a key": (lambda mine: mine.pair("localhost"), "A private key is in it"),
    "over": (lambda mine: mine.ended(), "It ended on"),
    "very long": (lambda mine: mine.text * 100, "More than 20,000 characters"),
}


@pytest.mark.parametrize(("make", "words"), WRONG.values(), ids=list(WRONG))
def test_what_vouches_for_nothing_is_refused_beside_its_field(mine: Authority, make: Any, words: str) -> None:
    given = {"url": "https://fw.example.com", "ca": make(mine)}
    with pytest.raises(Refused) as caught:
        actions.create_account(None, "panos", "Firewall", given, {"token": "k"})
    assert list(caught.value.errors) == ["ca"] and words in caught.value.errors["ca"]
    assert not ConnectorAccount.objects.exists()


def test_one_that_is_over_beside_one_that_is_not_does_no_harm(mine: Authority) -> None:
    given = {"url": "https://fw.example.com", "ca": mine.ended() + mine.text}
    account = actions.create_account(None, "panos", "Firewall", given, {"token": "k"})
    facts = dict(showing.facts(account))
    assert [words.count("mine (") for label, words in facts.items() if label == "Authority"] == [2]


def test_the_api_says_so_too(admin: User) -> None:
    given = {"kind": "misp", "name": "MISP", "settings": {"url": "https://misp.example.com", "ca": "none"}}
    refused = Api(admin).post("/connectors/", given | {"secrets": {"token": "k"}})
    assert refused.status_code == 400 and "no certificate in PEM" in str(refused.json())


def test_webhooks_to_hosts_of_the_house(admin: User, mine: Authority, other: Authority) -> None:
    product = Product()
    try:
        url = product.by_tls(mine.server("localhost"))
        for number, ca in enumerate(("", other.text, mine.text)):
            endpoint_to(product, admin, url=f"{url}/hook", name=f"Hook {number}", ca=ca)
        make_alert()
        run()
        said = {one.endpoint.name: (one.state, UNKNOWN in one.said) for one in WebhookDelivery.objects.all()}
        assert said == {"Hook 0": ("waiting", True), "Hook 1": ("waiting", True), "Hook 2": ("delivered", False)}
        assert len(product.seen) == 1
    finally:
        product.stop()
