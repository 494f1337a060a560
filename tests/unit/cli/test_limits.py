"""``netdiag limits`` on loopback: consent, budget, what it prints, and its exit codes."""

import http.server
import json
import socket
import ssl
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from netdiag.cli.app import run
from netdiag.evidence.limits import LimitBudget
from netdiag.evidence.profile import parse_profile
from netdiag.probes.limiting import OPERATOR, LimitRequest
from netdiag.probes.plan.limits import budget_for
from netdiag.reports.limits import budget_words
from tests.fakes.certificates import mint, server_context
from tests.fakes.limiters import Bucket, Limiter, Nothing

Capture = pytest.CaptureFixture[str]

PROFILE = b"""
schema = "netdiag/profile/1"
[[endpoint]]
url = "https://api.vendor.test"
[rate_limit]
max_requests = 500
max_rate = 100
"""


@contextmanager
def limited(limiter: Limiter, refusal: int = 429) -> Iterator[str]:
    """A server behind ``limiter``, which refuses with that status; yields its URL."""
    lock = threading.Lock()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            with lock:
                passes, _ = limiter.meets(time.monotonic(), held=0)
            self.send_response(200 if passes else refusal)
            self.send_header("Content-Length", "2")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


def test_it_asks_before_it_sends(capsys: Capture) -> None:
    with limited(Nothing()) as url:
        assert run(["limits", url]) == 2
    assert "give --yes" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["", "--yes"], "empty"),
        (
            ["api.vendor.test", "--yes", "--expect", "fast"],
            "--expect: an expected limit is written as '10r/s burst 20'",
        ),
        (["api.vendor.test", "--yes", "--budget", "1"], "--budget"),
        (["api.vendor.test", "--yes", "--profile", "absent"], "absent cannot be read"),
        (["api.vendor.test", "--yes", "-4", "-6"], "-4 and -6 exclude each other"),
        (["192.0.2.7", "--yes", "-6"], "192.0.2.7 is not an IPv6 address"),
        (["https://[2001:db8::7]/", "--yes", "--ipv4"], "2001:db8::7 is not an IPv4 address"),
    ],
)
def test_called_wrongly(arguments: list[str], words: str, capsys: Capture) -> None:
    assert run(["limits", *arguments]) == 2
    assert words in capsys.readouterr().err


def test_a_name_without_an_address_of_the_family_is_not_asked_by_the_other(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def lookup(_host: str, _port: object, family: int, *_: object) -> list[object]:
        asked.append(family)
        raise socket.gaierror(socket.EAI_NODATA, "no address")

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    assert run(["limits", "api.vendor.test", "--yes", "--ipv6"]) == 1
    assert asked == [socket.AF_INET6]
    assert "finds no IPv6 address for api.vendor.test" in capsys.readouterr().err


def test_the_family_that_was_asked_for_is_used(capsys: Capture) -> None:
    with limited(Nothing()) as url:
        assert run(["limits", url.replace("127.0.0.1", "localhost"), "--yes", "-4", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["address"] == "127.0.0.1"


def test_a_certificate_that_does_not_fit_is_told(capsys: Capture, tmp_path: Path) -> None:
    issued = mint("other.vendor.test", names=("other.vendor.test",))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(
            target=_shake_hands, args=(listener, server_context(issued, directory=tmp_path)), daemon=True
        ).start()
        url = f"https://127.0.0.1:{listener.getsockname()[1]}/"
        assert run(["limits", url, "--yes", "--format", "json"]) == 1
    printed = capsys.readouterr()
    found = json.loads(printed.out)
    assert found["not_asked"].startswith("its certificate was not accepted (")
    assert (found["met"], found["already_refused"]) == (None, False)
    told = printed.err.splitlines()[-1]
    assert "127.0.0.1 could not be asked: its certificate was not accepted (" in told
    assert told.endswith("; nothing was measured")


def _shake_hands(listener: socket.socket, context: ssl.SSLContext) -> None:
    with suppress(OSError):
        while True:
            end, _ = listener.accept()
            with suppress(OSError), context.wrap_socket(end, server_side=True):
                pass


def test_what_was_found_is_kept_as_a_bundle_like_any_other(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    path = tmp_path / "limits.zip"
    with limited(Bucket(1, 5)) as url:
        secret = url.replace("//", "//user:s3cr3t-w0rd@")
        assert run(["limits", f"{secret}?key=s3cr3t-w0rd", "--yes", "--output", str(path)]) == 0
        printed = capsys.readouterr()
        assert "refused at 7" in " ".join(printed.out.split())
        assert str(path) in printed.err
        assert run(["limits", url, "--yes", "--output", str(path)]) == 1
        assert "exists already" in capsys.readouterr().err
    with zipfile.ZipFile(path) as packed:
        assert not any(b"s3cr3t" in packed.read(name) for name in packed.namelist())
    for command in ("verify", "show", "analyze"):
        assert run([command, str(path)]) == 0
    assert "allowed >= 6 in 1." in " ".join(capsys.readouterr().out.split())


def test_a_url_that_is_not_served_is_asked_once(capsys: Capture) -> None:
    for status in (401, 403):
        limiter = Bucket(1, 0)
        with limited(limiter, status) as url:
            assert run(["limits", url, "--yes", "--format", "json"]) == 0
            found = json.loads(capsys.readouterr().out)
            assert found["spent"] == {"requests": 1, "connections": 1}
            assert found["unserved"] == status
            assert (found["met"], found["already_refused"]) == (None, False)
            assert run(["limits", url, "--yes"]) == 0
            assert "Give a URL that is served" in " ".join(capsys.readouterr().out.split())


def test_the_budget_is_shown_before_it_is_spent_and_bounds_after(capsys: Capture) -> None:
    with limited(Bucket(1, 5)) as url:
        assert run(["limits", url, "--yes"]) == 0
    said = capsys.readouterr()
    for text in (said.err, said.out):
        assert "at most 30 requests and 20 connections" in " ".join(text.split())
        assert max(len(line) for line in text.splitlines()) <= 80
    assert "everybody who shares it" in " ".join(said.err.split())
    assert "allowed >= 6 in 1." in said.out
    assert "refused at 7" in " ".join(said.out.split())


def test_the_expected_limit_decides_the_exit_code(capsys: Capture) -> None:
    with limited(Bucket(20 / 3, 6)) as url:
        arguments = ["limits", url, "--yes", "--i-operate-this", "--format", "json", "--budget", "60"]
        assert run([*arguments, "--expect", "400r/m burst 5"]) == 0
        found = json.loads(capsys.readouterr().out)
        time.sleep(1.5)
        assert run([*arguments, "--expect", "1r/s burst 5"]) == 1
    assert found["schema"] == "netdiag/limits/1"
    assert found["expectation"] == "agrees"
    assert found["budget"]["by"] == "operator"
    assert json.loads(capsys.readouterr().out)["expectation"] == "differs"


def test_too_little_evidence_confirms_nothing(capsys: Capture) -> None:
    with limited(Bucket(1, 5)) as url:
        assert run(["limits", url, "--yes", "--expect", "1r/s burst 4"]) == 1
    assert "not enough evidence" in " ".join(capsys.readouterr().out.split())


def test_a_profile_consents_for_its_own_endpoints_under_the_ceilings() -> None:
    profile = parse_profile(PROFILE)
    theirs = budget_for("https://api.vendor.test/status", profile)
    assert (theirs.requests, theirs.rate, theirs.by, theirs.refusals) == (60, 20.0, "profile", 0)
    for url in ("https://other.vendor.test/", "http://api.vendor.test/", "https://api.vendor.test:8443/"):
        assert budget_for(url, profile) == LimitBudget()
    assert budget_for("https://api.vendor.test/", None) == LimitBudget()


def test_what_operators_may_spend_is_capped() -> None:
    assert (OPERATOR.requests, OPERATOR.connections, OPERATOR.rate, OPERATOR.refusals) == (300, 100, 20.0, 6)
    assert "none after one that looks like a ban" in budget_words(OPERATOR)
    fields = set(LimitRequest.__struct_fields__)
    assert not fields & {"requests", "connections", "rate", "refusals"}, "nothing may raise the caps"
