"""Settings are read from the environment, and a wrong one is said in one clear line."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from soar import env


def test_a_number_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOAR_WEB_WORKERS", "many")
    with pytest.raises(ImproperlyConfigured, match="SOAR_WEB_WORKERS='many' is not a whole number"):
        env.number("SOAR_WEB_WORKERS", 2)


def test_a_number_below_the_least_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOAR_LEASE_SECONDS", "0")
    with pytest.raises(ImproperlyConfigured, match="less than 1"):
        env.number("SOAR_LEASE_SECONDS", 30, least=1)


@pytest.mark.parametrize(("text", "value"), [("1", True), ("Yes", True), ("off", False), ("", False)])
def test_a_flag_is_yes_or_no(monkeypatch: pytest.MonkeyPatch, text: str, value: bool) -> None:
    monkeypatch.setenv("SOAR_DEMO", text)
    assert env.flag("SOAR_DEMO", not value) is value


def test_a_flag_that_is_neither_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOAR_DEMO", "perhaps")
    with pytest.raises(ImproperlyConfigured, match="SOAR_DEMO='perhaps'"):
        env.flag("SOAR_DEMO", True)


def test_a_secret_comes_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from the file\n")
    monkeypatch.delenv("SECRET_KEY", raising=False)
    monkeypatch.setenv("SECRET_KEY_FILE", str(tmp_path / "key"))
    assert env.text("SECRET_KEY") == "from the file"


def test_a_missing_file_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SECRET_KEY", raising=False)
    monkeypatch.setenv("SECRET_KEY_FILE", "/nowhere/key")
    with pytest.raises(ImproperlyConfigured, match="SECRET_KEY_FILE='/nowhere/key' cannot be read"):
        env.text("SECRET_KEY")


def test_a_missing_variable_without_default_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("DATABASE_URL_FILE", raising=False)
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL is not set"):
        env.text("DATABASE_URL")
