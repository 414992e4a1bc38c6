"""Secrets at rest: what the column holds, what shows, what another key does."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin import site
from django.core import serializers
from django.core.exceptions import FieldError
from django.core.management import CommandError, call_command
from django.db import connection
from django.forms import modelform_factory

from soar.connectors.models import ConnectorAccount
from soar.lib import crypto

SECRET = "s3cr3t-value-never-to-be-seen"


@pytest.fixture
def account(db: None) -> ConnectorAccount:
    row = ConnectorAccount(kind="http", name="EDR")
    row.secrets = {"token": SECRET}
    row.save()
    return row


def stored(pk: int) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT secrets FROM connectors_connectoraccount WHERE id = %s", [pk])
        return str(cursor.fetchone()[0])


def test_another_key_is_a_clear_error_and_no_garbage(account: ConnectorAccount, settings: Any) -> None:
    settings.ENCRYPTION_KEYS = ["an entirely different key"]
    with pytest.raises(crypto.DecryptionError, match="SOAR_ENCRYPTION_KEYS"):
        _ = ConnectorAccount.objects.get(pk=account.pk).secrets


def test_the_list_of_accounts_survives_a_lost_key(account: ConnectorAccount, settings: Any) -> None:
    settings.ENCRYPTION_KEYS = ["an entirely different key"]
    assert [str(row) for row in ConnectorAccount.objects.all()] == ["EDR (http)"]


def test_tampered_cipher_text_is_refused(account: ConnectorAccount) -> None:
    cipher = stored(account.pk)
    with pytest.raises(crypto.DecryptionError):
        crypto.decrypt(cipher[:-6] + "AAAAAA")


def test_the_column_holds_no_plain_text(account: ConnectorAccount) -> None:
    raw = stored(account.pk)
    assert SECRET not in raw
    assert "token" not in raw
    assert ConnectorAccount.objects.get(pk=account.pk).secrets == {"token": SECRET}


def test_nothing_shows_it(account: ConnectorAccount) -> None:
    row = ConnectorAccount.objects.get(pk=account.pk)
    exported = serializers.serialize("json", [row])
    for shown in (repr(row), repr(row.secrets), f"{row.secrets}", exported, repr(crypto.SecretText(SECRET))):
        assert SECRET not in shown
    [back] = serializers.deserialize("json", exported)
    assert getattr(back.object, "secrets") == {"token": SECRET}  # noqa: B009  the type is Model


def test_forms_and_admin_leave_it_out(account: ConnectorAccount) -> None:
    assert "secrets" not in modelform_factory(ConnectorAccount, fields="__all__").base_fields
    assert ConnectorAccount not in site._registry


def test_it_cannot_be_searched(account: ConnectorAccount) -> None:
    with pytest.raises(FieldError, match="encrypted"):
        ConnectorAccount.objects.filter(secrets={"token": SECRET}).exists()


@pytest.mark.parametrize(
    ("secret", "shown"), [("", ""), (None, ""), ("short", "••••"), ("0123456789abcdef", "••••cdef")]
)
def test_masked(secret: str | None, shown: str) -> None:
    assert crypto.masked(secret) == shown


def test_rotation(account: ConnectorAccount, settings: Any, capsys: pytest.CaptureFixture[str]) -> None:
    settings.ENCRYPTION_KEYS = ["old key"]
    ConnectorAccount.objects.filter(pk=account.pk).update(secrets={"token": SECRET})
    before = stored(account.pk)
    settings.ENCRYPTION_KEYS = ["new key", "old key"]
    call_command("connector", "rotate-keys")
    assert '{"rotated": 1}' in capsys.readouterr().out
    assert stored(account.pk) != before
    settings.ENCRYPTION_KEYS = ["new key"]
    assert ConnectorAccount.objects.get(pk=account.pk).secrets == {"token": SECRET}


def test_rotation_without_the_old_key_changes_nothing(account: ConnectorAccount, settings: Any) -> None:
    before = stored(account.pk)
    settings.ENCRYPTION_KEYS = ["new key"]
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("connector", "rotate-keys")
    assert stored(account.pk) == before


def test_a_fernet_key_is_taken_as_it_is(settings: Any) -> None:
    from cryptography.fernet import Fernet

    key = Fernet.generate_key()
    settings.ENCRYPTION_KEYS = [key.decode()]
    assert Fernet(key).decrypt(crypto.encrypt("text").removeprefix(crypto.PREFIX).encode()) == b"text"


def test_pickles_keep_the_value() -> None:
    assert pickle.loads(pickle.dumps(crypto.SecretDict(token=SECRET))) == {"token": SECRET}


def test_what_was_not_read_is_saved_as_it_was(account: ConnectorAccount, settings: Any) -> None:
    """A row that is saved for another reason does not lose a secret whose key is away for a while."""
    keys = settings.ENCRYPTION_KEYS
    settings.ENCRYPTION_KEYS = ["an entirely different key"]
    row = ConnectorAccount.objects.get(pk=account.pk)
    row.name = "Another name"
    row.save()
    settings.ENCRYPTION_KEYS = keys
    assert ConnectorAccount.objects.get(name="Another name").secrets == account.secrets


def test_the_key_of_the_data_folder_is_read_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings: Any
) -> None:
    settings.ENCRYPTION_KEYS = []
    monkeypatch.setenv("SOAR_DATA", str(tmp_path / "one"))
    cipher = crypto.encrypt("secret")
    (tmp_path / "one" / "encryption_key").unlink()
    assert crypto.decrypt(cipher) == "secret"
    monkeypatch.setenv("SOAR_DATA", str(tmp_path / "two"))
    with pytest.raises(crypto.DecryptionError):
        crypto.decrypt(cipher)
