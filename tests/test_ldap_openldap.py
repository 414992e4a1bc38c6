"""The LDAP connector against OpenLDAP: what its own stand-in could get wrong in the same way as the client."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from soar.connectors import actions, registry
from soar.connectors.base import ConnectorError
from soar.connectors.capabilities import Result, Target
from soar.connectors.ldap.connector import Ldap
from soar.connectors.models import Attempt, ConnectorAccount
from tests.certificates import Authority
from tests.slapd import BASE, PASSWORD, ROOT, Slapd, running

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    made = Authority.made(tmp_path_factory.mktemp("authority"), "corp")
    made.server("localhost")
    return made


@pytest.fixture
def slapd(tmp_path: Path, authority: Authority) -> Iterator[Slapd]:
    with running(tmp_path, authority.file.with_name("localhost.pair.pem")) as found:
        yield found


@pytest.fixture
def trusted(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))


def connected(slapd: Slapd, url: str = "", username: str = ROOT, password: str = PASSWORD, **more: str) -> Ldap:
    given = {"url": url or f"ldaps://localhost:{slapd.tls}", "base_dn": BASE, "allow_internal": True, **more}
    account = actions.create_account(None, "ldap", "Corp", given, {"username": username, "password": password})
    found = registry.of(ConnectorAccount.objects.get(pk=account.pk))
    assert isinstance(found, Ldap)
    return found


def do(connector: Ldap, capability: str, who: str, key: str = "t-1", **params: object) -> Result:
    return connector.perform(capability, Target("account", who), params, key=key)


@pytest.mark.parametrize("scheme", ["ldap", "ldaps"])
def test_a_server_that_nobody_vouches_for_gets_no_password(slapd: Slapd, scheme: str) -> None:
    port = slapd.tls if scheme == "ldaps" else slapd.plain
    health = connected(slapd, f"{scheme}://localhost:{port}").test()
    assert not health.ok and "certificate verify failed" in health.message


def test_a_certificate_of_another_name_is_refused(slapd: Slapd, trusted: None) -> None:
    health = connected(slapd, f"ldaps://127.0.0.1:{slapd.tls}").test()
    assert not health.ok and "certificate verify failed" in health.message


@pytest.mark.parametrize("scheme", ["ldap", "ldaps"])
def test_with_a_certificate_that_is_vouched_for_it_signs_in(slapd: Slapd, trusted: None, scheme: str) -> None:
    port = slapd.tls if scheme == "ldaps" else slapd.plain
    health = connected(slapd, f"{scheme}://localhost:{port}").test()
    assert health.ok and "(encrypted)" in health.message, health.message


@pytest.mark.parametrize("scheme", ["ldap", "ldaps"])
def test_the_authority_of_the_account_vouches_and_no_other(
    slapd: Slapd, authority: Authority, tmp_path: Path, scheme: str
) -> None:
    url = f"{scheme}://localhost:{slapd.tls if scheme == 'ldaps' else slapd.plain}"
    foreign = connected(slapd, url, ca=Authority.made(tmp_path, "foreign").text).test()
    assert not foreign.ok and "certificate verify failed" in foreign.message
    ConnectorAccount.objects.all().delete()
    health = connected(slapd, url, ca=authority.text).test()
    assert health.ok and "(encrypted)" in health.message, health.message


def test_a_wrong_password_is_the_servers_word(slapd: Slapd, trusted: None) -> None:
    health = connected(slapd, password="not-this-one").test()
    assert not health.ok and "refused the sign-in" in health.message and "not-this-one" not in health.message
    assert "not-this-one" not in str(list(Attempt.objects.values_list("request", "response", "error")))


def test_an_account_without_the_right_changes_nothing(slapd: Slapd, trusted: None) -> None:
    connector = connected(slapd, username=f"cn=helper,{BASE}", password="helper")
    with pytest.raises(ConnectorError, match="no userAccountControl") as caught:
        do(connector, "disable_account", "a.voss")
    assert caught.value.permanent
    with pytest.raises(ConnectorError, match="the right to do that"):
        do(connector, "unlock_account", "a.voss")
    assert slapd.value("a.voss", "userAccountControl") == "512"


@pytest.mark.parametrize("who", ["a.voss", "A.Voss@corp.example", f"cn=a.voss,{BASE}", "CORP\\a.voss"])
def test_disabling_and_enabling(slapd: Slapd, trusted: None, who: str) -> None:
    connector = connected(slapd, domain="corp")
    done = do(connector, "disable_account", who)
    assert slapd.value("a.voss", "userAccountControl") == "514" and done.data["changed"] is True
    assert do(connector, "enable_account", who, undoes=done.data).state == "done"
    assert slapd.value("a.voss", "userAccountControl") == "512"


def test_what_was_disabled_before_is_not_enabled_by_undoing(slapd: Slapd, trusted: None) -> None:
    connector = connected(slapd)
    done = do(connector, "disable_account", "j.berg")
    assert done.data["changed"] is False and "already" in done.message
    assert slapd.value("j.berg", "userAccountControl") == "514"


def test_unlocking_and_asking_for_a_new_password(slapd: Slapd, trusted: None) -> None:
    connector = connected(slapd)
    do(connector, "unlock_account", "a.voss")
    do(connector, "reset_password", "a.voss")
    assert slapd.value("a.voss", "lockoutTime") == slapd.value("a.voss", "pwdLastSet") == "0"
    assert "already" in do(connector, "reset_password", "a.voss", "t-2").message


@pytest.mark.parametrize("who", ["*", "a.*", "a.voss)(objectClass=*", "nobody)(|(cn=*", "\\2a", f"cn=*,{BASE}"])
def test_what_is_written_into_a_name_asks_for_nobody_else(slapd: Slapd, trusted: None, who: str) -> None:
    with pytest.raises(ConnectorError):
        do(connected(slapd, domain=""), "disable_account", who)
    assert slapd.value("a.voss", "userAccountControl") == "512"


def test_a_name_with_signs_of_filters_is_found_as_it_is(slapd: Slapd, trusted: None) -> None:
    done = do(connected(slapd), "disable_account", "odd*(name)")
    assert done.data["dn"].startswith("cn=odd*(name),")


def test_what_the_domain_depends_on_is_left_alone(slapd: Slapd, trusted: None) -> None:
    with pytest.raises(ConnectorError, match="critical system object"):
        do(connected(slapd), "enable_account", "krbtgt")


def test_a_server_that_wants_encryption_says_so(tmp_path: Path, authority: Authority) -> None:
    with running(tmp_path, authority.file.with_name("localhost.pair.pem"), strict=True) as slapd:
        health = connected(slapd, f"ldap://127.0.0.1:{slapd.plain}", security="none").test()
    assert not health.ok and "confidentiality required" in health.message.lower()
