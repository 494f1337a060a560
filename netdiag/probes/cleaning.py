"""The redactor of a run: it knows the words of this machine and person, so that they can be taken out."""

import getpass
import os
import socket
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from netdiag.evidence.redact import Identity, Redactor


def redactor_for(urls: Sequence[str], search_domains: Sequence[str] = ()) -> Redactor:
    """``urls``: as they were typed, with what may be secret in them; those of proxies in the environment are added."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # no such user in the password database, as in many containers
        user = ""
    person = Identity(
        user=user,
        home=str(Path.home()),
        hosts=(socket.gethostname(),),
        search_domains=tuple(search_domains),
    )
    proxies = tuple(urllib.request.getproxies().values())
    return Redactor(salt=os.urandom(32), identity=person, urls=(*urls, *proxies))
