"""Which addresses a URL that comes from data may lead to: those of the public Internet.

Otherwise whoever can write an order could make the machine that runs the workflow ask its own neighbours, or the
metadata service of its cloud. The name is resolved once, here, and the connection goes to the address that was checked:
a name server that answers differently the second time gains nothing.
"""

from __future__ import annotations

import asyncio
import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from wfrun.adapters.failures import shortage
from wfrun.errors import ServiceError

_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052


async def public_address(host: str, port: int, *, allow_private: bool) -> str:
    """An address of `host`. Raises ServiceError `http.address` if it has any that is not public, unless allowed."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError:
        raise ServiceError("http.url", f"{host[:100]!r} cannot be the name of a host", retryable=False) from None
    except OSError as error:
        lacking = shortage(error)
        message = f"{host} has no address: {lacking or error.strerror or error}"
        raise ServiceError("http.connection", message, retryable=True if lacking else None) from None
    addresses = [str(entry[4][0]) for entry in found]
    if not allow_private and not all(map(is_public, addresses)):
        message = f"{host} is an address of a private network, and its URL comes from data"
        raise ServiceError("http.address", message + " (allowPrivate: true would allow it)", retryable=False)
    return addresses[0]


def is_public(address: str) -> bool:
    """Not private, loopback, link-local, shared, reserved or multicast, nor a way through IPv6 to such an address."""
    ip = ip_address(address.partition("%")[0])
    return all(part.is_global and not part.is_multicast for part in (ip, *_embedded(ip)))


def _embedded(ip: IPv4Address | IPv6Address) -> list[IPv4Address]:
    if isinstance(ip, IPv4Address):
        return []
    tunnelled = [ip.sixtofour, *(ip.teredo or ())]
    mapped = IPv4Address(int(ip) & 0xFFFFFFFF) if ip in _NAT64 or ip.ipv4_mapped else None
    return [part for part in (mapped, *tunnelled) if part is not None]
