"""Process 1 of a lab: builds it inside its own namespaces, keeps it, and takes everything with it when it ends.

Started by ``lab.py`` with one JSON line on standard input. End of file there, from whatever cause (also a killed
owner), ends process 1, and the kernel then ends every process of its PID namespace and frees every namespace.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import sys
import traceback
from typing import Any

import certifi

from tests.netns import kernel
from tests.netns.namespaces import MOZILLA, RUN


def _say(message: dict[str, Any]) -> None:
    os.write(1, json.dumps(message).encode() + b"\n")


def _prepare() -> None:
    """Private mounts: nothing done here is seen outside, and /run is ours."""
    kernel.mount("none", "/", flags=kernel.MS_REC | kernel.MS_PRIVATE)
    kernel.mount("proc", "/proc", "proc")
    kernel.mount("lab", "/run", "tmpfs", options="mode=0755")
    RUN.mkdir(parents=True)
    RUN.chmod(0o755)
    # What browsers trust, as certifi ships it: in the lab, the lab's own public authorities. Filled by assembly.py.
    MOZILLA.touch()
    kernel.mount(str(MOZILLA), certifi.where(), flags=kernel.MS_BIND)
    kernel.loopback_up()


def _serve(request: dict[str, Any]) -> None:
    # Imported here: only process 1 needs them, and the launcher waits less.
    from tests.netns import assembly, scenario  # noqa: PLC0415

    _prepare()
    parsed = scenario.parse(request["scenario"].encode(), request["name"])
    lab = assembly.Assembly(parsed, request["network"])
    lab.build()
    _say({"ready": True, **lab.description()})
    stdin = sys.stdin.buffer
    while True:
        readable, _, _ = select.select([stdin], [], [], 0.5)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        if not readable:
            continue
        line = stdin.readline()
        if not line:
            return
        try:
            order = json.loads(line)
            lab.apply(scenario.change_from(order["change"]))
            _say({"done": True})
        except Exception as error:  # noqa: BLE001 - the owner gets every failure as text
            _say({"error": f"{type(error).__name__}: {error}"})


def main() -> None:
    """Unshare, fork process 1, and wait for it."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    try:
        kernel.unshare_as_root(kernel.CLONE_NEWNS | kernel.CLONE_NEWPID | kernel.CLONE_NEWNET)
    except OSError as error:
        _say({"error": f"this machine gives no network namespaces: {error}"})
        sys.exit(1)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            kernel.die_with_parent()
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_DFL)
            _serve(json.loads(sys.stdin.buffer.readline()))
            status = 0
        except Exception as error:  # noqa: BLE001 - the owner gets every failure as text
            _say({"error": f"{type(error).__name__}: {error}", "trace": traceback.format_exc()})
        finally:
            os._exit(status)
    _say({"pid": child})
    # Process 1 alone reads the orders; were this end of the pipe's reader left open, nothing would change, but tidy.
    os.close(0)
    os.waitpid(child, 0)
    # The owner may have been killed, and then nobody else removes its scratch folder.
    shutil.rmtree(sys.argv[1], ignore_errors=True)


if __name__ == "__main__":
    main()
