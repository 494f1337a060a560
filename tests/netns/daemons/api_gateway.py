"""What API gateways that Debian does not have answer to a client that they limit or refuse.

Sources: fault-signatures 7.3, which names each product's own documentation.
"""

from __future__ import annotations

import contextlib
import functools
import ipaddress
import socket
import ssl
import tempfile
import threading
from collections.abc import Mapping, Sequence
from typing import Final

from tests.netns.daemons.web import Reply, parse, read_head
from tests.netns.scenario import GatewayAnswer

_JSON: Final = ("Content-Type", "application/json")
_TEXT: Final = ("Content-Type", "text/plain; charset=utf-8")
_HEALTHY: Final = Reply("200 OK", b'{"status":"ok","service":"api"}\n', (_JSON,))

_AMAZON: Final = (
    _JSON,
    ("x-amzn-RequestId", "5f3b9c1e-7a40-4d0e-9b57-2f8d6c1a0e43"),
    ("x-amz-apigw-id", "Kq3xWF9rIAMEbdw="),
)
_KONG: Final = (
    ("Content-Type", "application/json; charset=utf-8"),
    ("Server", "kong/3.6.1"),
    ("X-Kong-Response-Latency", "1"),
    ("X-Kong-Request-Id", "8f0c2a61b7d94e3f5a1c7e9b04d26f38"),
)
_KONG_COUNTS: Final = (
    ("X-RateLimit-Limit-Minute", "5"),
    ("X-RateLimit-Remaining-Minute", "0"),
    ("RateLimit-Limit", "5"),
    ("RateLimit-Remaining", "0"),
    ("RateLimit-Reset", "42"),
    ("Retry-After", "42"),
)
_ENVOY: Final = (("Content-Type", "text/plain"), ("server", "envoy"))

ANSWERS: Final[Mapping[GatewayAnswer, Reply]] = {
    "aws_throttled": Reply(
        "429 Too Many Requests",
        b'{"message":"Too Many Requests"}',
        (*_AMAZON, ("x-amzn-ErrorType", "TooManyRequestsException")),
    ),
    "aws_quota": Reply(
        "429 Too Many Requests",
        b'{"message":"Limit Exceeded"}',
        (*_AMAZON, ("x-amzn-ErrorType", "LimitExceededException")),
    ),
    "aws_denied": Reply(
        "403 Forbidden", b'{"message":"Forbidden"}', (*_AMAZON, ("x-amzn-ErrorType", "ForbiddenException"))
    ),
    "kong_limit": Reply(
        "429 Too Many Requests", b'{\n  "message":"API rate limit exceeded"\n}', (*_KONG, *_KONG_COUNTS)
    ),
    "kong_address": Reply("403 Forbidden", b'{\n  "message":"IP address not allowed: {peer}"\n}', _KONG),
    "traefik_limit": Reply(
        "429 Too Many Requests", b"Too Many Requests", (_TEXT, ("Retry-After", "7"), ("X-Retry-In", "6.5s"))
    ),
    "envoy_limit": Reply("429 Too Many Requests", b"local_rate_limited", (*_ENVOY, ("x-envoy-ratelimited", "true"))),
    "envoy_rbac": Reply("403 Forbidden", b"RBAC: access denied", _ENVOY),
}


def serve(answer: GatewayAnswer, refused: Sequence[str], chain: bytes, key: bytes) -> None:
    """Serve HTTPS for ever on every address of this namespace; who comes from one of these networks gets the answer."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["http/1.1"])
    with tempfile.NamedTemporaryFile(dir="/run/lab", suffix=".pem") as file:
        file.write(chain + key)
        file.flush()
        context.load_cert_chain(file.name)
    networks = [ipaddress.ip_network(one) for one in refused]
    session = functools.partial(_session, context, ANSWERS[answer], networks)
    with socket.create_server(("::", 443), family=socket.AF_INET6, dualstack_ipv6=True, backlog=128) as listener:
        while True:
            connection, peer = listener.accept()
            threading.Thread(target=session, args=(connection, peer[0].removeprefix("::ffff:")), daemon=True).start()


def _session(
    context: ssl.SSLContext,
    refusal: Reply,
    refused: Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network],
    connection: socket.socket,
    peer: str,
) -> None:
    with contextlib.suppress(OSError), contextlib.closing(connection):
        connection.settimeout(15)
        with context.wrap_socket(connection, server_side=True) as secure:
            request = parse(read_head(secure), tls=True)
            if request is None:
                return
            told = Reply(refusal.status, refusal.body.replace(b"{peer}", peer.encode()), refusal.headers)
            reply = told if any(ipaddress.ip_address(peer) in one for one in refused) else _HEALTHY
            secure.sendall(reply.encode(head_only=request.method == "HEAD"))
