"""Who has sent a request that may have come through proxies: what these say of it, and how far they are believed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from flownb.core.errors import InvalidValue, shown

Address = IPv4Address | IPv6Address


@dataclass(frozen=True)
class Sender:
    """From where a request came, and by which protocol: ``"http"`` or ``"https"``."""

    ip: str
    protocol: str


@dataclass(frozen=True)
class Proxies:
    """Those whose words on a request count. ``whoever``: those of any that is connected, too."""

    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    whoever: bool = False

    @classmethod
    def of(cls, written: Iterable[str], whoever: bool = False) -> Proxies:
        """Those at these addresses and in these networks; raises ``InvalidValue`` for what is neither."""
        return cls(tuple(_network(each) for each in written), whoever)

    def trusts(self, peer: str) -> bool:
        """Whether what is connected from that address is one of them."""
        return self.whoever or self._has(_address(peer))

    def sender(self, peer: Sender, forwarded_for: str, forwarded_proto: str) -> Sender:
        """The nearest that is no proxy of ours, by ``X-Forwarded-For`` and ``-Proto`` as the proxies append to them.

        What stands further left could have been written by anybody. An entry that is no address ends the way there.
        """
        if not self.trusts(peer.ip):
            return peer
        found, hops = peer.ip, 0
        for entry in reversed(forwarded_for.split(",")):
            if (address := _address(entry)) is None:
                break
            found, hops = str(address), hops + 1
            if not self._has(address):
                break
        protocols = [each.strip().lower() for each in forwarded_proto.split(",")]
        # A proxy that replaces the header, instead of appending to it, leaves fewer entries than hops.
        said = protocols[-min(max(hops, 1), len(protocols))]
        return Sender(found, said if said in ("http", "https") else peer.protocol)

    def _has(self, address: Address | None) -> bool:
        return address is not None and any(address in network for network in self.networks)


def household(ip: str) -> str:
    """What one sender can have all the addresses of: the address itself, or the network of 64 bits for IPv6."""
    address = _address(ip)
    return str(ip_network((address, 64), strict=False)) if isinstance(address, IPv6Address) else ip


def _network(written: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(written.strip(), strict=False)
    except ValueError:
        raise InvalidValue(f'expected an address or a network like "10.0.0.0/8", got {shown(written)}') from None


def _address(written: str) -> Address | None:
    """With a port, or in brackets, as some proxies write them; None for what is none."""
    text = written.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address
