"""Whom a request is from, and how often it may come."""

from __future__ import annotations

import pytest

from flownb.core import rates
from flownb.core.errors import InvalidValue
from flownb.core.proxies import Proxies, Sender, household
from flownb.core.rates import Rates

OURS = Proxies.of(["127.0.0.1", "10.0.0.0/8", "fd00::/8"])


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "proto", "sender"),
    [
        ("203.0.113.9", "198.51.100.1", "https", ("203.0.113.9", "http")),  # not from a proxy of ours
        ("127.0.0.1", "", "", ("127.0.0.1", "http")),
        ("127.0.0.1", "198.51.100.1", "https", ("198.51.100.1", "https")),
        ("127.0.0.1", "6.6.6.6, 198.51.100.1", "https", ("198.51.100.1", "https")),  # the left one is made up
        ("127.0.0.1", "6.6.6.6, 198.51.100.1, 10.1.2.3", "https", ("198.51.100.1", "https")),
        ("127.0.0.1", "198.51.100.1, 10.1.2.3", "https,http", ("198.51.100.1", "https")),
        ("127.0.0.1", "6.6.6.6, 198.51.100.1", "https, http", ("198.51.100.1", "http")),
        ("127.0.0.1", "10.1.2.3, 10.1.2.4", "https", ("10.1.2.3", "https")),  # one of ours has asked itself
        ("127.0.0.1", "198.51.100.1, unknown", "https", ("127.0.0.1", "https")),
        ("127.0.0.1", "198.51.100.1, <script>, 10.1.2.3", "gopher", ("10.1.2.3", "http")),
        ("127.0.0.1", "198.51.100.1:4711", "", ("198.51.100.1", "http")),
        ("fd00::1", "[2001:db8::7]:4711", "HTTPS", ("2001:db8::7", "https")),
        ("::ffff:127.0.0.1", "::ffff:198.51.100.1", "", ("198.51.100.1", "http")),
    ],
)
def test_the_nearest_that_is_no_proxy_of_ours_has_sent_it(
    peer: str, forwarded_for: str, proto: str, sender: tuple[str, str]
) -> None:
    assert OURS.sender(Sender(peer, "http"), forwarded_for, proto) == Sender(*sender)


def test_whoever_is_connected_may_be_believed_for_one_hop() -> None:
    believing = Proxies.of([], whoever=True)
    peer = Sender("203.0.113.9", "http")
    assert believing.sender(peer, "6.6.6.6, 198.51.100.1", "https") == Sender("198.51.100.1", "https")
    assert Proxies().sender(peer, "198.51.100.1", "https") == peer


def test_a_proxy_is_an_address_or_a_network() -> None:
    with pytest.raises(InvalidValue, match=r'an address or a network like "10\.0\.0\.0/8", got'):
        Proxies.of(["proxy.example.org"])


def test_all_addresses_of_one_household_count_as_one() -> None:
    assert household("2001:db8::1") == household("2001:db8::ffff") != household("2001:db8:0:1::1")
    assert household("192.0.2.1") != household("192.0.2.2")


def test_so_many_at_once_and_then_so_many_a_second() -> None:
    some = Rates(2)
    now = 1_000_000
    assert [some.wait("a", now) for _ in range(20)] == [0] * 20
    wait = some.wait("a", now)
    assert 0 < wait <= 501
    assert some.wait("b", now) == 0
    assert some.wait("a", now + wait) == 0
    assert some.wait("a", now + wait) > 0
    assert [some.wait("a", now + 60_000) for _ in range(20)] == [0] * 20


def test_a_clock_that_was_put_back_locks_nobody_out() -> None:
    some = Rates(2)
    some.wait("a", 1_000_000_000)
    assert some.wait("a", 1_000) <= 501


def test_no_more_are_known_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "MOST", 10)
    some = Rates(0.1)
    assert not any(some.wait(who, 0) for who in range(100))
    assert len(some) == 10
    assert some.wait(99, 0) > 0
    assert Rates(0).wait("a", 0) == 0
