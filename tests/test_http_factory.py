"""The one HTTP client, over real sockets: what it refuses, what it repeats, what it hides."""

from __future__ import annotations

import gzip
import logging
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from soar.lib import addresses
from soar.lib.http import Client, Limits, RemoteError, json_or_error
from tests.connector_server import Product, json_reply

TOKEN = "tok-0123456789-abcdef"


@pytest.fixture
def product() -> Iterator[Product]:
    server = Product()
    yield server
    server.stop()


def client(url: str, **options: Any) -> Client:
    return Client(url, **{"allow_internal": True, **options})


def resolving(monkeypatch: pytest.MonkeyPatch, *answers: str) -> list[str]:
    """A resolver that gives these addresses one after the other; returns what it was asked."""
    asked: list[str] = []
    rest = list(answers)

    def getaddrinfo(host: str, port: int, *args: Any, **kwargs: Any) -> list[Any]:
        if host[0].isdigit() or ":" in host:
            return REAL(host, port, *args, **kwargs)
        asked.append(host)
        address = rest.pop(0) if len(rest) > 1 else rest[0]
        return REAL(address, port, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


REAL = socket.getaddrinfo


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "127.1", "0x7f.0.0.1", "2130706433", "017700000001", "0x7f000001", "localhost",
        "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]",
        "10.0.0.1", "172.16.3.4", "192.168.1.1", "100.64.0.1", "169.254.169.254", "0.0.0.0", "[::]",
        "[fc00::1]", "[fd12:3456::1]", "[fe80::1]", "[ff02::1]", "224.0.0.1", "198.18.0.1", "255.255.255.255",
    ],
)  # fmt: skip
def test_internal_addresses_are_refused(product: Product, host: str) -> None:
    with client(f"http://{host}:{product.port}", allow_internal=False) as http, pytest.raises(RemoteError) as caught:
        http.request("GET", "/")
    assert caught.value.permanent
    assert "address" in caught.value.message
    assert product.seen == []


@pytest.mark.parametrize("host", ["169.254.169.254", "[fe80::1]", "0.0.0.0", "[::ffff:169.254.169.254]", "224.0.0.1"])
def test_some_are_refused_even_when_internal_is_allowed(product: Product, host: str) -> None:
    with client(f"http://{host}:{product.port}") as http, pytest.raises(RemoteError, match="no connector may reach"):
        http.request("GET", "/")
    assert product.seen == []


def test_a_name_that_resolves_to_inside_is_refused(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = resolving(monkeypatch, "127.0.0.1")
    with client(f"http://api.example:{product.port}", allow_internal=False) as http, pytest.raises(RemoteError):
        http.request("GET", "/")
    assert asked == ["api.example"]
    assert product.seen == []


def test_a_rebinding_name_does_not_get_by(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    """The name answers differently the second time: it is asked once, and the judged address is connected to."""
    asked = resolving(monkeypatch, "127.0.0.1", "169.254.169.254")
    with client(f"http://api.example:{product.port}") as http:
        assert http.request("GET", "/").ok
    assert asked == ["api.example"]
    with client(f"http://api.example:{product.port}") as http, pytest.raises(RemoteError, match="no connector"):
        http.request("GET", "/")
    assert len(product.seen) == 1


def test_behind_a_proxy_the_target_is_judged_too(product: Product) -> None:
    options = {"proxy": product.url, "allow_internal": False}
    with client("http://10.0.0.1/", **options) as http, pytest.raises(RemoteError, match="internal address"):
        http.request("GET", "/x")
    assert product.seen == []
    with client("http://93.184.216.34/", **options) as http:
        assert http.request("GET", "/x").ok
    assert product.seen[0]["path"] == "http://93.184.216.34/x"


def test_redirect_to_another_host_is_refused(product: Product) -> None:
    other = Product()
    product.replies = [(302, {"Location": f"{other.url}/take"}, b"")]
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with client(product.url, headers=headers) as http, pytest.raises(RemoteError, match="another host") as caught:
        http.request("GET", "/")
    other.stop()
    assert caught.value.permanent
    assert other.seen == []


def test_redirect_of_a_post_is_refused(product: Product) -> None:
    product.replies = [(307, {"Location": "/elsewhere"}, b"")]
    with client(product.url) as http, pytest.raises(RemoteError, match="final address"):
        http.request("POST", "/", json={})
    assert len(product.seen) == 1


def test_redirect_on_the_same_host_is_followed(product: Product) -> None:
    product.replies = [(302, {"Location": "/there"}, b""), json_reply(b"1")]
    with client(product.url) as http:
        assert json_or_error(http.request("GET", "/here")) == 1
    assert [request["path"] for request in product.seen] == ["/here", "/there"]


def test_redirects_in_circles_end(product: Product) -> None:
    product.replies = [(302, {"Location": "/"}, b"")]
    with client(product.url) as http, pytest.raises(RemoteError, match="circles"):
        http.request("GET", "/")


@pytest.mark.parametrize("declared", [True, False])
def test_an_oversized_answer_is_refused(product: Product, declared: bool) -> None:
    def drip(handler: Any) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + b"x" * 5000)

    product.replies = [json_reply(b"x" * 5000) if declared else drip]
    with client(product.url, limits=Limits(response_bytes=1000)) as http, pytest.raises(RemoteError) as caught:
        http.request("GET", "/")
    assert "1000" in caught.value.message
    assert caught.value.permanent


def test_a_small_body_that_unpacks_to_a_large_one_is_refused(product: Product) -> None:
    product.replies = [json_reply(gzip.compress(b"0" * 50_000_000), Content_Encoding="gzip")]
    with client(product.url, limits=Limits(response_bytes=100_000)) as http, pytest.raises(RemoteError, match="more"):
        http.request("GET", "/")


def test_compressed_answers_are_read(product: Product) -> None:
    product.replies = [json_reply(gzip.compress(b'{"a": 1}'), Content_Encoding="gzip")]
    with client(product.url) as http:
        assert json_or_error(http.request("GET", "/")) == {"a": 1}


def test_a_dripping_server_is_left_at_the_deadline(product: Product) -> None:
    def drip(handler: Any) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(1000):  # for twenty seconds: who waits so long has a whole answer
            time.sleep(0.02)
            handler.wfile.write(b"x")

    product.replies = [drip]
    with client(product.url, limits=Limits(read=1, total=0.4, tries=1)) as http, pytest.raises(RemoteError) as caught:
        http.request("GET", "/")
    assert caught.value.outcome_unknown
    assert not caught.value.permanent


def test_retry_after_is_honoured(product: Product) -> None:
    product.replies = [json_reply(b"", 429, Retry_After="1"), json_reply(b"1")]
    started = time.monotonic()
    with client(product.url) as http:
        answer = http.request("POST", "/", json={})
    assert time.monotonic() - started >= 1
    assert (answer.status, answer.tries) == (200, 2)


def test_a_long_retry_after_is_not_waited_for(product: Product) -> None:
    product.replies = [json_reply(b"", 503, Retry_After="3600")]
    with client(product.url) as http:
        answer = http.request("GET", "/")
    assert len(product.seen) == 1
    with pytest.raises(RemoteError) as caught:
        json_or_error(answer)
    assert caught.value.retry_after == 3600
    assert not caught.value.permanent


@pytest.mark.parametrize(
    ("method", "status", "calls"),
    [("GET", 503, 3), ("PUT", 502, 3), ("POST", 503, 1), ("POST", 504, 1), ("POST", 429, 3), ("GET", 500, 1),
     ("GET", 404, 1), ("PATCH", 502, 1)],
)  # fmt: skip
def test_only_what_is_safe_is_repeated(product: Product, method: str, status: int, calls: int) -> None:
    product.replies = [json_reply(b"{}", status, Retry_After="0")]
    with client(product.url) as http:
        assert http.request(method, "/").status == status
    assert len(product.seen) == calls
    assert len({request["headers"]["X-Request-ID"] for request in product.seen}) == 1


def test_a_post_whose_answer_is_lost_is_not_repeated(product: Product) -> None:
    product.replies = [lambda handler: handler.connection.close()]
    with client(product.url) as http, pytest.raises(RemoteError) as caught:
        http.request("POST", "/", json={})
    assert len(product.seen) == 1
    assert caught.value.outcome_unknown


def test_a_post_that_was_declared_idempotent_is_repeated(product: Product) -> None:
    product.replies = [lambda handler: handler.connection.close(), json_reply(b"1")]
    with client(product.url) as http:
        assert json_or_error(http.request("POST", "/", json={}, idempotent=True)) == 1


def test_a_closed_port_is_temporary_and_without_effect(product: Product) -> None:
    product.stop()
    with client(product.url) as http, pytest.raises(RemoteError, match="cannot be reached") as caught:
        http.request("POST", "/")
    assert not caught.value.permanent
    assert not caught.value.outcome_unknown


@pytest.mark.parametrize(
    ("reply", "words", "permanent"),
    [
        ((200, {"Content-Type": "text/html"}, b"<html>Sign in</html>"), "HTML page instead of JSON", True),
        ((200, {"Content-Type": "application/json"}, b"<!doctype html>"), "HTML page instead of JSON", True),
        ((500, {"Content-Type": "text/html"}, b"<html>"), "answered 500: an HTML page", False),
        ((200, {}, b"not json"), "not JSON", True),
        ((200, {}, b"[" * 100_000), "not JSON", True),
        ((401, {}, b'{"error": "bad token"}'), "answered 401", True),
        ((409, {}, b"{}"), "answered 409", False),
    ],
)
def test_what_is_no_json_is_an_error(product: Product, reply: Any, words: str, permanent: bool) -> None:
    product.replies = [reply]
    with client(product.url) as http, pytest.raises(RemoteError, match=words) as caught:
        json_or_error(http.request("GET", "/"))
    assert caught.value.permanent is permanent
    assert caught.value.status == reply[0]


def test_secrets_are_in_no_log_and_no_message(product: Product, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("soar").setLevel(logging.DEBUG)
    product.replies = [json_reply(f'{{"error": "bad {TOKEN}"}}'.encode(), 400)]
    options = {"headers": {"Authorization": f"Bearer {TOKEN}"}, "secrets": [TOKEN]}
    with client(product.url, **options) as http, pytest.raises(RemoteError) as caught:
        json_or_error(http.request("GET", "/x", params={"api_key": "query-secret", "q": TOKEN}, cause="c-1"))
    assert product.seen[0]["headers"]["Authorization"] == f"Bearer {TOKEN}"
    assert product.seen[0]["headers"]["X-Soar-Cause"] == "c-1"
    assert "GET http://127.0.0.1" in caplog.text
    for text in (caplog.text, str(caught.value), repr(http.redactor)):
        assert TOKEN not in text
        assert "query-secret" not in text


@pytest.mark.parametrize("path", ["//evil.example/", "http://evil.example/", "/../admin", "/a/%2e%2E/b", "a/..\\b"])
def test_a_path_stays_under_the_base(product: Product, path: str) -> None:
    with client(product.url + "/api") as http, pytest.raises(RemoteError, match="no path under"):
        http.request("GET", path)
    assert product.seen == []


def test_the_environment_names_no_proxy(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with client(product.url) as http:
        assert http.request("GET", "/").ok


@pytest.mark.parametrize("address", ["8.8.8.8", "2001:4860:4860::8888", "1.1.1.1"])
def test_public_addresses_are_allowed(address: str) -> None:
    assert addresses.refusal(address, allow_internal=False) is None
