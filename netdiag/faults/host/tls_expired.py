"""The vendor's certificate has expired.

What is broken
    The certificate that the vendor's server presents, or one above it in its chain, has passed its last day.

How it shows
    The handshake completes and verification ends with OpenSSL's code 10. The chain leads to a trusted authority and the
    name is right, since these are checked first.

What looks like it
    A clock that is wrong on the customer's machine (local.clock.wrong): then other hosts' certificates fail, too.
    Interception with an old certificate (local.tls.interception).

What would settle it
    Other hosts' certificates being accepted on the same machine at the same time; or the agent's run.

What to tell the customer
    That the certificate is the vendor's to renew, and that warnings about it must not be clicked away meanwhile.
"""

from netdiag.facts import Facts
from netdiag.faults.base import Fault, Finding
from netdiag.faults.host._dates import judge
from netdiag.faults.host._tls import EXPIRED, INTERCEPTION_RIVALS


def assess(facts: Facts) -> Finding:
    return judge(facts, EXPIRED, "has expired")


FAULT = Fault(
    code="host.tls.expired",
    title="The vendor's certificate has expired",
    needs=("target.addresses",),
    assess=assess,
    rivals=("local.clock.wrong", *INTERCEPTION_RIVALS),
    reply=(
        "Your measurement shows that the certificate of our server has expired. Nothing on your side causes this, "
        "and please do not switch off certificate checks because of it. We are having the certificate renewed and "
        "will tell you when that is done."
    ),
)
