"""A transparent proxy on the way answers in the vendor's place.

What is broken
    The provider, or a network further on, takes connections to everybody, and fails to pass these on.

How it shows
    A connection to an address where nobody is (documentation space) is accepted. Those to the target are accepted, too,
    and then closed, reset or left without an answer.

What looks like it
    A dead host behind a proxy that works: it accepts first, and finds out later. So
    this fault is never more than possible. One next to the customer (local.proxy.transparent).

What would settle it
    The same URL from a line without the proxy, and the proxy's own log.

What to tell the customer
    That a proxy nobody set up stands in between, so that who fails behind it does not show from here.
"""

from netdiag.facts import Facts
from netdiag.faults.base import Fault, Finding
from netdiag.faults.proxies import judge


def assess(facts: Facts) -> Finding:
    return judge(facts, nearest=False)


FAULT = Fault(
    code="transit.proxy.transparent",
    title="A transparent proxy on the way answers in the vendor's place",
    needs=("target.addresses",),
    masked_by=("local.portal.captive",),
    assess=assess,
    reply=(
        "Something on the way to us, probably at your internet provider, takes all connections and passes them on by "
        "itself. Whether it fails or our server behind it does, is not known yet; we are checking our server. Nothing "
        "needs to be changed meanwhile."
    ),
)
