"""The vendor's certificate is not valid yet.

What is broken
    The vendor's server presents a certificate whose first day lies ahead: it was put in place too early, or issued
    with a wrong date.

How it shows
    The handshake completes and verification ends with OpenSSL's code 9; chain and name are right.

What looks like it
    A clock that is behind on the customer's machine (local.clock.wrong), which is far more common: then other hosts'
    certificates fail, too, or their Date headers agree with each other and not with this machine.

What would settle it
    Other hosts' certificates being accepted on the same machine and its clock being right; or the agent's run.

What to tell the customer
    That the certificate is the vendor's to correct.
"""

from netdiag.facts import Facts
from netdiag.faults.base import Fault, Finding
from netdiag.faults.host._dates import judge
from netdiag.faults.host._tls import INTERCEPTION_RIVALS, NOT_YET_VALID


def assess(facts: Facts) -> Finding:
    return judge(facts, NOT_YET_VALID, "is not valid yet")


FAULT = Fault(
    code="host.tls.not_yet_valid",
    title="The vendor's certificate is not valid yet",
    needs=("target.addresses",),
    assess=assess,
    rivals=("local.clock.wrong", *INTERCEPTION_RIVALS),
    reply=(
        "Your measurement shows that our server presents a certificate which is not valid yet, and that the clock "
        "of your machine is not the reason. Please do not switch off certificate checks because of it. We are "
        "having the certificate replaced and will tell you when that is done."
    ),
)
