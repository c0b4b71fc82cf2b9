"""A browser in words: today's ones by what they send; anything else is nothing, and no harm."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.ports import Client
from app.services.clients import BROWSERS, DEVICES, client

MOZILLA = "Mozilla/5.0 "
CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0"
SENT = {
    "(Windows NT 10.0; Win64; x64; rv:144.0) Gecko/20100101 Firefox/144.0": "Firefox on Windows",
    f"(Windows NT 10.0; Win64; x64) {CHROME} Safari/537.36": "Chrome on Windows",
    f"(Windows NT 10.0; Win64; x64) {CHROME} Safari/537.36 Edg/141.0.0.0": "Edge on Windows",
    f"(Windows NT 10.0) {CHROME} Safari/537.36 OPR/122.0.0.0": "Opera on Windows",
    f"(X11; Linux x86_64) {CHROME} Safari/537.36": "Chrome on Linux",
    f"(X11; CrOS x86_64 14541.0.0) {CHROME} Safari/537.36": "Chrome on ChromeOS",
    f"(Linux; Android 10; K) {CHROME} Mobile Safari/537.36": "Chrome on Android",
    f"(Linux; Android 10; K) {CHROME} Mobile Safari/537.36 EdgA/141.0.0.0": "Edge on Android",
    f"(Linux; Android 10) SamsungBrowser/28.0 {CHROME} Safari/537.36": (
        "Samsung Internet on Android"
    ),
    "(Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/26.0 Safari/605.1.15": "Safari on Mac",
    "(iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/26.0 Mobile/15E148 Safari/604.1": "Safari on iPhone",
    "(iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "CriOS/141.0.0.0 Mobile/15E148 Safari/604.1": "Chrome on iPhone",
    "(iPad; CPU OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "FxiOS/144.0 Mobile/15E148 Safari/605.1.15": "Firefox on iPad",
}


@pytest.mark.parametrize("sent", SENT)
def test_todays_browsers_are_known_by_what_they_send(sent: str) -> None:
    found = client(MOZILLA + sent, "")
    assert f"{found.browser} on {found.device}" == SENT[sent]


@given(st.text(max_size=2000), st.text(max_size=100))
def test_whatever_is_sent_only_known_words_and_addresses_are_kept(sent: str, address: str) -> None:
    found = client(sent, address)
    assert found.browser in {"", *(name for _, name in BROWSERS)}
    assert found.device in {"", *(name for _, name in DEVICES)}
    assert set(found.address) <= set("0123456789abcdef.:")


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("2001:DB8:0::1", "2001:db8::1"),
        ("::ffff:10.0.0.7", "10.0.0.7"),
        ("fe80::1%eth0", "fe80::1"),
        ("evil.example", ""),
        ("<b>1.2.3.4</b>", ""),
        ("", ""),
    ],
)
def test_an_address_has_one_spelling_and_a_name_is_none(said: str, kept: str) -> None:
    assert client("", said) == Client(address=kept)
