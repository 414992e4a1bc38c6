"""/settings/: every page of administration, by permission."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from soar.accounts.models import User
from soar.accounts.places import GROUPS
from tests.factories import make_user
from tests.fixtures import client_of

pytestmark = pytest.mark.django_db


def links(client: Client) -> set[str]:
    page = client.get("/settings/")
    assert page.status_code == 200
    return set(re.findall(r'<a class="ink" href="([^"]+)"', page.content.decode()))


def test_an_admin_reaches_every_page(as_admin: Client) -> None:
    wanted = {reverse(page.url_name) for _label, pages in GROUPS for page in pages}
    assert links(as_admin) == wanted
    for url in sorted(wanted):
        assert as_admin.get(url).status_code == 200, url


def test_each_sees_what_they_may_open_and_nothing_else(as_analyst: Client, as_viewer: Client, nobody: User) -> None:
    for client in (as_analyst, as_viewer, client_of(nobody), client_of(make_user("olga", "Auditor"))):
        shown = links(client)
        for _label, pages in GROUPS:
            for page in pages:
                url = reverse(page.url_name)
                if url in shown:
                    assert client.get(url).status_code == 200, url
                elif page.right:
                    assert client.get(url).status_code in (302, 403), url
    assert "/audit/" in links(client_of(User.objects.get(username="olga")))
    assert "/people/" not in links(as_analyst)


def test_strangers_sign_in_first(client: Client) -> None:
    assert client.get("/settings/").status_code == 302
