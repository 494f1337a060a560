"""CONNECT through an HTTP proxy (RFC 9110 section 9.3.6), recorded as an exchange of its own."""

import http.client

from netdiag.evidence.record import Failure
from netdiag.evidence.web import Exchange
from netdiag.probes.base import Request, Stamp
from netdiag.probes.clock import Clock
from netdiag.probes.library.answer import Answer, failure_behind, read_refusal
from netdiag.probes.library.line import Line
from netdiag.probes.library.sockets import SocketStream, send_all
from netdiag.probes.library.web import Goal, Identity, dial_proxy, is_acked, with_answer


def tunnel(clock: Clock, stamp: Stamp, request: Request, identity: Identity) -> tuple[Exchange, SocketStream | None]:
    """Ask the ``proxy`` of ``request`` for a tunnel to its host. The stream is there when the proxy answered 2xx.

    The path is not told to the proxy; a credential only where ``stamp`` has one for it. Raises ``OutOfTimeError`` when
    the run ends, ``ValueError`` for a request without a plain HTTP proxy.
    """
    goal = Goal(request)
    if goal.proxy is None:
        raise ValueError("a tunnel needs a proxy")
    answer: Answer | None = None
    failure: Failure | None = None
    stream: SocketStream | None = None
    with Line(clock, request.limit_ms) as line:
        try:
            dial_proxy(line, stamp, clock, goal.proxy)
            secret = stamp.proxy_authorization
            theirs = {} if secret is None else {"Proxy-Authorization": secret}
            answer = _ask(line, goal, identity.headers(request) | theirs)
            failure = answer.failure
        except (OSError, http.client.HTTPException) as error:
            failure = line.failure or failure_behind(error, line)
        info = line.tcp_info()
        finished_us = line.now_us()
        if answer is not None and 200 <= answer.status < 300 and line.socket is not None:
            stream = SocketStream(line.release())
    record = Exchange(
        id=stamp.id,
        step=stamp.step,
        attempt=stamp.attempt,
        caused_by=stamp.caused_by,
        began_ns=line.began_ns,
        ended_ns=clock.now_ns(),
        failure=failure,
        method="CONNECT",
        url=f"https://{goal.authority}",
        port=goal.port,
        source_port=line.source_port,
        via_proxy=goal.proxy_name,
        user_agent=request.user_agent,
        connected_us=line.connected_us,
        first_byte_us=line.first_byte_us,
        finished_us=finished_us,
        request_acked=is_acked(line, info, failure),
        tcp=info,
    )
    return (record if answer is None else with_answer(record, answer, keep_page=False)), stream


def _ask(line: Line, goal: Goal, headers: dict[str, str]) -> Answer:
    assert line.socket is not None
    lines = [f"CONNECT {goal.authority} HTTP/1.1", f"Host: {goal.authority}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    send_all(line.socket, ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace"), line.deadline)
    response = http.client.HTTPResponse(line.socket, method="CONNECT")
    response.begin()
    with response:
        return read_refusal(response, line)
