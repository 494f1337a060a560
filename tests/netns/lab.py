"""``Lab``: the lab seen from a test. A context manager; everything it made is gone when it ends, however it ends."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Self

from tests.netns import placeholders
from tests.netns import scenario as scenarios
from tests.netns.namespaces import LabError
from tests.netns.networks import NETWORKS
from tests.netns.scenario import Scenario

ROOT = Path(__file__).resolve().parents[2]
_START_SECONDS = 60.0  # a bring-up takes about one; this only bounds a hang
_TOOLS = ("ip", "nft", "nsenter", "setpriv", "unbound", "nsd", "nginx")

# An ordinary user: the uid stays (only one may be mapped), every capability goes for good.
_ORDINARY = ("--bounding-set=-all", "--inh-caps=-all", "--ambient-caps=-all", "--no-new-privs")


def missing() -> str | None:
    """Why no lab can run here, in words; None when one can."""
    path = _tool_path()
    absent = [tool for tool in _TOOLS if shutil.which(tool, path=path) is None]
    if absent:
        return f"missing programs: {', '.join(absent)} (tests/netns/install-packages.sh installs them)"
    probe = subprocess.run(
        [sys.executable, "-c", _PROBE], cwd=ROOT, capture_output=True, text=True, check=False, timeout=20
    )
    if probe.returncode != 0:
        reason = probe.stderr.strip().splitlines()[-1:] or ["no reason given"]
        return f"this machine gives no network namespaces: {reason[0]}"
    return None


_PROBE = "from tests.netns import kernel as k; k.unshare_as_root(k.CLONE_NEWNET | k.CLONE_NEWNS); k.loopback_up()"


def _tool_path() -> str:
    return os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin", "/usr/bin", "/bin"])


def _python_path() -> str:
    """This checkout, and whatever the caller's own interpreter was given."""
    return os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))


class Lab:
    """One network with one scenario in it.

    >>> with Lab.load("healthy", network="home") as lab:
    ...     lab.run("customer", ["curl", "-s", lab.url]).stdout
    """

    def __init__(self, name: str, text: str, *, network: str = "home") -> None:
        """``text`` is TOML, as in ``scenario.toml``. Raises ScenarioError, or LabError for an unknown network."""
        self.scenario: Scenario = scenarios.parse(text.encode(), name)
        if network not in NETWORKS:
            raise LabError(f"no network {network!r}; there are: {', '.join(NETWORKS)}")
        self.name, self.network = name, network
        self._text = text
        self._process: subprocess.Popen[bytes] | None = None
        self._pid = 0
        self._roles: dict[str, tuple[int, int]] = {}
        self._env: dict[str, str] = {}
        self.values: dict[str, str] = {}
        self._home: tempfile.TemporaryDirectory[str] | None = None

    @classmethod
    def load(cls, name: str, *, network: str = "home") -> Lab:
        """A scenario of the corpus by name or path. Raises ScenarioError."""
        path = scenarios.find(name)
        return cls(path.parent.name, path.read_text(), network=network)

    def __enter__(self) -> Self:
        if self._process is not None:  # up already: opened by a fixture, and closed early by a ``with`` of the test
            return self
        self._home = tempfile.TemporaryDirectory(prefix="netdiag-lab-", ignore_cleanup_errors=True)
        env = {**os.environ, "PATH": _tool_path(), "PYTHONPATH": _python_path(), "LC_ALL": "C.UTF-8"}
        env.pop("LD_PRELOAD", None)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.netns.supervisor", self._home.name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            cwd=ROOT,
            env=env,
            start_new_session=True,  # a Ctrl-C at the terminal is for the owner alone
        )
        try:
            self._send({"scenario": self._text, "name": self.name, "network": self.network})
            self._pid = int(self._receive()["pid"])
            ready = self._receive()
        except BaseException:
            self.close()
            raise
        self._roles = {role: (fds[0], fds[1]) for role, fds in ready["roles"].items()}
        self.values, self._env = ready["values"], ready["env"]
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the lab; safe to call twice."""
        process, self._process = self._process, None
        if process is not None:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.close()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            process.stdout.close()
        if self._home is not None:
            self._home.cleanup()
            self._home = None

    @property
    def url(self) -> str:
        """The URL that the customer complains about."""
        return self.values["url"]

    @property
    def home(self) -> Path:
        """A scratch folder of this lab, seen at the same path inside and outside."""
        assert self._home is not None
        return Path(self._home.name)

    @property
    def run_folder(self) -> Path:
        """``/run/lab`` of this lab seen from outside: daemon logs, configuration, ``trust.pem``."""
        return Path(f"/proc/{self._pid}/root/run/lab")

    def command(self, role: str, argv: Sequence[str], *, ordinary: bool = True) -> list[str]:
        """The command line that runs ``argv`` in a node, to be started with ``environment()``."""
        if role not in self._roles:
            raise LabError(f"no role {role!r}; there are: {', '.join(self._roles)}")
        net, mnt = self._roles[role]
        here = f"/proc/{self._pid}"
        same_user = Path(f"{here}/ns/user").stat().st_ino == Path("/proc/self/ns/user").stat().st_ino
        user = [] if same_user else [f"--user={here}/ns/user", "--preserve-credentials"]
        return [
            "nsenter",
            *user,
            f"--mount={here}/fd/{mnt}",
            f"--net={here}/fd/{net}",
            f"--pid={here}/ns/pid",
            "--",
            "setpriv",
            "--pdeathsig=KILL",
            *(_ORDINARY if ordinary else ()),
            "env",
            "-C",
            str(ROOT),
            *argv,
        ]

    def environment(self, role: str, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """A clean environment: the lab's trust, home and XDG folders of its own, nothing of the caller's."""
        home = self.home / role
        home.mkdir(exist_ok=True)
        env = {
            "PATH": os.pathsep.join(["/run/lab/bin", str(Path(sys.executable).parent), _tool_path()]),
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home / ".config"),
            "XDG_DATA_HOME": str(home / ".local/share"),
            "XDG_CACHE_HOME": str(home / ".cache"),
            "XDG_STATE_HOME": str(home / ".local/state"),
            "LANG": "C.UTF-8",
            "TERM": os.environ.get("TERM", "dumb"),
            "PYTHONPATH": _python_path(),
            "PYTHONDONTWRITEBYTECODE": "1",
            "SSL_CERT_FILE": "/run/lab/trust.pem",
        }
        if role == "customer":
            env |= self._env
            if "PYTHONPATH" in self._env:
                env["PYTHONPATH"] = os.pathsep.join([self._env["PYTHONPATH"], _python_path()])
        return env | dict(extra or {})

    def popen(
        self,
        role: str,
        argv: Sequence[str],
        *,
        ordinary: bool = True,
        env: Mapping[str, str] | None = None,
        **options: Any,
    ) -> subprocess.Popen[Any]:
        """Start a program in a node. It dies with this process; ``signal_inside`` reaches it."""
        command = self._with_late_environment(role, argv, ordinary=ordinary, env=env)
        return subprocess.Popen(command, env={**os.environ, "PATH": _tool_path()}, **options)

    def run(
        self,
        role: str,
        argv: Sequence[str],
        *,
        ordinary: bool = True,
        env: Mapping[str, str] | None = None,
        timeout: float = 60,
        input: str | None = None,  # noqa: A002 - as subprocess.run calls it
    ) -> subprocess.CompletedProcess[str]:
        """Run a program in a node and wait; output as text. Raises subprocess.TimeoutExpired, the program killed."""
        command = self._with_late_environment(role, argv, ordinary=ordinary, env=env)
        return subprocess.run(
            command,
            env={**os.environ, "PATH": _tool_path()},
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
            stdin=subprocess.DEVNULL if input is None else None,
            input=input,
        )

    def _with_late_environment(
        self, role: str, argv: Sequence[str], *, ordinary: bool, env: Mapping[str, str] | None
    ) -> list[str]:
        """The environment is set last, inside: a faked clock must not reach nsenter and setpriv."""
        words = [f"{key}={value}" for key, value in self.environment(role, env).items()]
        return self.command(role, ["env", "-i", *words, *argv], ordinary=ordinary)

    def signal_inside(self, process: subprocess.Popen[Any], number: signal.Signals) -> None:
        """Send a signal to the program that ``popen`` started (the process itself is only its nsenter)."""
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        for child in children:
            os.kill(int(child), number)

    def collect(
        self,
        role: str = "customer",
        args: Sequence[str] = (),
        *,
        url: str | None = None,
        ordinary: bool | None = None,
        env: Mapping[str, str] | None = None,
        timeout: float = 120,
    ) -> Path:
        """Run ``netdiag collect`` in a node; returns the bundle. Raises LabError with its output when there is none."""
        output = self.home / f"{role}-{time.monotonic_ns()}.zip"
        flags = (*(self.collect_flags if role == "customer" else ()), *args)
        argv = [sys.executable, "-m", "netdiag", "collect", url or self.url, "--yes", "--output", str(output), *flags]
        as_user = self.scenario.ordinary_user if ordinary is None else ordinary
        done = self.run(role, argv, ordinary=as_user, env=env, timeout=timeout)
        if not output.is_file():
            raise LabError(f"collect exited {done.returncode} without a bundle:\n{done.stdout}\n{done.stderr}")
        return output

    @property
    def collect_flags(self) -> tuple[str, ...]:
        """The flags of the customer's own ``netdiag collect``, with this network's addresses in them."""
        network = NETWORKS[self.network]()
        return tuple(placeholders.fill(flag, network, self.values) for flag in self.scenario.customer.collect)

    def apply(self, **change: Any) -> None:
        """Change the running network: the same keys as ``[[change]]`` in a scenario. Raises LabError."""
        self._send({"change": change})
        self._receive()

    def count_syns(self, at: str = "vendor") -> int:
        """SYNs that reached the vendor's service port since the first call, which installs the counter."""
        script = ["nft", "-j", "list", "counters", "table", "inet", "manners"]
        listed = self.run(at, script, ordinary=False)
        if listed.returncode != 0:
            port = self.values["vendor_port"]
            rules = (
                "add table inet manners\nadd counter inet manners syns\n"
                "add chain inet manners seen { type filter hook prerouting priority -400; }\n"
                f"add rule inet manners seen tcp dport {port} tcp flags & (syn|ack) == syn counter name syns\n"
            )
            done = self.run(at, ["nft", "-f", "-"], ordinary=False, input=rules)
            if done.returncode != 0:
                raise LabError(f"cannot count SYNs at {at}: {done.stderr.strip()}")
            return 0
        entries = json.loads(listed.stdout)["nftables"]
        return next(int(entry["counter"]["packets"]) for entry in entries if "counter" in entry)

    def _send(self, message: Mapping[str, object]) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(message).encode() + b"\n")
        self._process.stdin.flush()

    def _receive(self) -> dict[str, Any]:
        assert self._process is not None
        assert self._process.stdout is not None
        line = _read_line(self._process.stdout, _START_SECONDS)
        if not line:
            raise LabError("the lab's supervisor ended without a word")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise LabError(answer["error"] + ("\n" + answer["trace"] if "trace" in answer else ""))
        return answer


def _read_line(stream: IO[bytes], seconds: float) -> bytes:
    """One line of an unbuffered pipe (a buffer could hold a second one unseen). LabError after ``seconds``."""
    ready, _, _ = select.select([stream], [], [], seconds)
    if not ready:
        raise LabError(f"the lab's supervisor said nothing for {seconds:.0f} s")
    return stream.readline()
