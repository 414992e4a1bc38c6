"""What is taken for the certificate of an authority."""

from __future__ import annotations

import pytest

from soar.lib.http import is_authority
from soar.lib.redact import Redactor


@pytest.mark.parametrize("text", ["", "no certificate", "-----BEGIN CERTIFICATE-----\nü\n-----END CERTIFICATE-----"])
def test_what_is_none_is_said_to_be_none(text: str) -> None:
    assert not text or not is_authority(text)


def test_the_signature_of_a_link_is_no_more_kept_than_a_password() -> None:
    link = "https://store.example.com/results/1?sv=2024&se=2026&sig=SECRETSIG"
    assert "SECRETSIG" not in Redactor().url(link)
    assert "design=blue" in Redactor().url("https://store.example.com/?design=blue")
