"""netdiag trace: what it takes, what it refuses, what it loads, and its table while it grows."""

import io
import socket
import subprocess
import sys
from typing import Any

import pytest
from rich.console import Console

from netdiag.cli.app import run
from netdiag.cli.trace_screen import TraceScreen
from netdiag.probes.trace import TraceRequest, Tracing

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[TraceRequest]:
    """What would have been traced; nothing is sent."""
    seen: list[TraceRequest] = []
    monkeypatch.setattr(Tracing, "run", lambda self: seen.append(self.request))
    return seen


@pytest.mark.parametrize(
    ("typed", "host", "port"),
    [
        ("192.0.2.7", "192.0.2.7", 443),
        ("192.0.2.7:8443", "192.0.2.7", 8443),
        ("[2001:db8::7]:80", "2001:db8::7", 80),
        ("2001:db8::7", "2001:db8::7", 443),
        ("http://192.0.2.7/x?y=z", "192.0.2.7", 80),
    ],
)
def test_a_target_is_a_host_an_address_or_a_url(asked: list[TraceRequest], typed: str, host: str, port: int) -> None:
    assert run(["trace", typed]) == 0
    (request,) = asked
    assert (request.host, request.address, request.port) == (host, host, port)
    assert (request.protocol, request.flows, request.raw, request.deep) == ("tcp", None, False, False)


@pytest.mark.parametrize(
    ("flag", "family"), [([], socket.AF_UNSPEC), (["-4"], socket.AF_INET), (["-6"], socket.AF_INET6)]
)
def test_names_are_asked_of_the_system_in_the_family_wanted(
    asked: list[TraceRequest], monkeypatch: pytest.MonkeyPatch, flag: list[str], family: int
) -> None:
    families = []

    def lookup(host: str, port: None, wanted: int, kind: int) -> list[Any]:
        families.append(wanted)
        return [(wanted, kind, 6, "", ("192.0.2.9", 0)), (wanted, kind, 6, "", ("192.0.2.10", 0))]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    assert run(["trace", "api.vendor.test", *flag]) == 0
    assert families == [family]
    assert asked[0].address == "192.0.2.9"


@pytest.mark.parametrize(
    "arguments",
    [["192.0.2.7", "-6"], ["2001:db8::7", "-4"], ["192.0.2.7", "-4", "-6"], ["a b"], ["192.0.2.7", "--flows", "0"],
     ["192.0.2.7", "--flows", "33"], ["192.0.2.7", "--protocol", "sctp"], ["192.0.2.7:99999"]],
)  # fmt: skip
def test_wrong_usage_sends_nothing(asked: list[TraceRequest], arguments: list[str], capsys: Capture) -> None:
    assert run(["trace", *arguments]) == 2
    assert asked == []
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_name_without_an_address_is_said(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    def lookup(*_: object) -> list[Any]:
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    assert run(["trace", "api.vendor.test", "-6"]) == 1
    assert "no IPv6 address for api.vendor.test" in capsys.readouterr().err


def test_an_interrupted_trace_tells_what_it_found(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Tracing, "_do", interrupted)
    assert run(["trace", "192.0.2.7"]) == 130
    assert "cut short (Ctrl-C)" in " ".join(capsys.readouterr().out.split())


def test_a_trace_loads_no_library_that_it_does_not_use() -> None:
    script = (
        "import sys\nfrom netdiag.cli.app import run\nrun(['trace', '127.0.0.1:9', '--flows', '1'])\n"
        "print([name for name in ('requests', 'cryptography', 'dns', 'rich', 'scapy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_live_table_is_plain_text_in_80_columns() -> None:
    tracing = Tracing(TraceRequest(host="x[bold]y", address="127.0.0.1", port=9, flows=1))
    screen = TraceScreen(tracing, Console(file=io.StringIO(), width=80, markup=False))
    tracing.run()
    shown = io.StringIO()
    Console(file=shown, width=80, markup=False).print(screen)
    lines = shown.getvalue().splitlines()
    assert "x[bold]y" in lines[0]
    assert any("127.0.0.1" in line for line in lines[1:])
    assert all(len(line.rstrip()) <= 80 for line in lines)
