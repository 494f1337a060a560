"""A real fail2ban over nginx' access log, with the ban actions that Debian ships."""

from __future__ import annotations

import time
from pathlib import Path

from tests.netns.namespaces import LabError

# Requests that a client is not meant to make; the filter of this jail counts them per address.
_FILTER = r"""[Definition]
failregex = ^<HOST> - .* "[A-Z]+ [^"]*" (?:401|403|404|429) .*$
datepattern = \[%%d/%%b/%%Y:%%H:%%M:%%S %%z\]
"""


def write(folder: Path, jail: str, log: Path) -> list[str]:
    """Write the configuration; ``jail`` holds lines such as ``maxretry = 5``. Returns the command to run."""
    folder.mkdir(parents=True, exist_ok=True)
    log.touch()
    for part in ("action.d", "filter.d"):
        (folder / part).symlink_to(f"/etc/fail2ban/{part}") if part == "action.d" else (folder / part).mkdir()
    (folder / "filter.d" / "web-refusals.conf").write_text(_FILTER)
    (folder / "fail2ban.conf").write_text(
        "[Definition]\nloglevel = INFO\n"
        f"logtarget = {folder}/log\nsyslogsocket = auto\nsocket = {folder}/socket\npidfile = {folder}/pid\n"
        "dbfile = None\ndbpurgeage = 1d\n"
    )
    lines = "\n".join(line.strip() for line in jail.strip().splitlines())
    (folder / "jail.conf").write_text(
        "[DEFAULT]\nbackend = polling\nusedns = no\nprotocol = tcp\nchain = INPUT\nport = 0:65535\n"
        f"[web-refusals]\nenabled = true\nfilter = web-refusals\nlogpath = {log}\n{lines}\n"
    )
    return ["fail2ban-server", "-c", str(folder), "-f", "start"]


def wait(folder: Path, seconds: float) -> None:
    """Until the jail watches the log. Raises LabError."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        log = folder / "log"
        if log.exists() and "Jail 'web-refusals' started" in log.read_text():
            return
        time.sleep(0.05)
    raise LabError(
        f"fail2ban did not start its jail:\n{(folder / 'log').read_text() if (folder / 'log').exists() else ''}"
    )
