r"""A local account of one machine, ``LT-0042\a.voss``, is never taken for the user of that name in a directory."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from soar.connectors.base import ConnectorError
from soar.connectors.capabilities import Target
from soar.connectors.models import Attempt
from soar.standins.base import Standin
from soar.standins.entra import Entra
from soar.standins.okta import Okta
from tests.acting import practice

pytestmark = pytest.mark.django_db
MICROSOFT = {"tenant": "tenant.example.com", "client_id": "app-1"}
PRODUCTS: list[tuple[Callable[[], Standin], dict[str, str], dict[str, str]]] = [
    (Entra, {"client_secret": "a-secret"}, MICROSOFT),
    (Okta, {"token": "t-1"}, {}),
]


@pytest.mark.parametrize(("standin", "secrets", "settings"), PRODUCTS)
@pytest.mark.parametrize("action", ["disable_account", "sign_out", "reset_password"])
@pytest.mark.parametrize(
    ("domain", "name", "words"),
    [
        ("CORP", "LT-0042\\a.voss", "is of LT-0042; this connector is set up for CORP."),
        ("CORP, FACTORY", ".\\a.voss", "set up for CORP and FACTORY."),
        ("CORP", "NT AUTHORITY\\a.voss", "is of NT AUTHORITY"),
        ("CORP", "\\a.voss", "is of no domain"),
        ("", "CORP\\a.voss", "write yours into the setting “domain”"),
    ],
)
def test_18_an_account_of_a_machine_is_nobody_here(
    standin: Callable[[], Standin],
    secrets: dict[str, str],
    settings: dict[str, str],
    action: str,
    domain: str,
    name: str,
    words: str,
) -> None:
    with practice(standin(), secrets, domain=domain, **settings) as here:
        with pytest.raises(ConnectorError) as caught:
            here.connector().perform(action, Target("account", name), {}, key="t-1")
        assert caught.value.permanent and words in caught.value.message
        assert not Attempt.objects.exists() and not here.state["users"]


@pytest.mark.parametrize(("standin", "secrets", "settings"), PRODUCTS)
@pytest.mark.parametrize("name", ["corp\\a.voss", "FACTORY\\a.voss", "a.voss"])
def test_18_our_own_domains_are_taken(
    standin: Callable[[], Standin], secrets: dict[str, str], settings: dict[str, str], name: str
) -> None:
    with practice(standin(), secrets, domain="CORP, Factory", **settings) as here:
        assert here.connector().perform("disable_account", Target("account", name), {}, key="t-1").state == "done"
