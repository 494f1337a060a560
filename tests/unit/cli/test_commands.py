"""Every command: what it prints, and each way of ending with its exit code and one line on stderr."""

import base64
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from netdiag import __version__
from netdiag.cli.analysis import analyze_bundles
from netdiag.cli.app import app, run
from netdiag.evidence.container import unpack
from netdiag.evidence.seal import seal
from netdiag.evidence.sshsig import public_blob
from tests.fakes.bundles import SUMMARY, sample_key
from tests.fakes.records import BEGAN_AT, EDGE, GATEWAY, ISP, SILENT, TARGET, Story

Capture = pytest.CaptureFixture[str]


def told() -> bytes:
    story = Story()
    story.surroundings()
    story.connect(TARGET, SILENT)
    story.walk(TARGET, (GATEWAY, ISP, EDGE), end="silent")
    return seal(story.bundle(), {"summary.txt": SUMMARY}, sample_key(), now=BEGAN_AT)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    path = tmp_path / "b.zip"
    path.write_bytes(told())
    return path


@pytest.fixture
def trust(tmp_path: Path) -> Path:
    public = sample_key().private.public_key().public_bytes_raw()
    path = tmp_path / "signers"
    path.write_text(f"customer@example ssh-ed25519 {base64.b64encode(public_blob(public)).decode()}\n")
    return path


def one_line(capture: Capture) -> str:
    captured = capture.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("netdiag: ")
    assert captured.err.count("\n") == 1
    assert captured.err[:-1].isprintable()
    return captured.err


# --- analyze -----------------------------------------------------------------------------------------------------


def test_analyze(bundle: Path, capsys: Capture) -> None:
    assert run(["analyze", str(bundle)]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    assert "HOST: the vendor's side" in captured.out
    assert "\x1b" not in captured.out


def test_analyze_json_with_a_control(bundle: Path, capsys: Capture) -> None:
    assert run(["analyze", str(bundle), "--control", str(bundle), "--format", "json"]) == 0
    written = json.loads(capsys.readouterr().out)
    assert [one["bundle"] for one in written["provenance"]] == ["main", "control1"]


@pytest.mark.parametrize(("name", "begins"), [("r.md", "# "), ("r.html", "<!DOCTYPE"), ("r.json", "{"), ("r", "netd")])
def test_output_names_its_format(bundle: Path, tmp_path: Path, name: str, begins: str) -> None:
    assert run(["analyze", str(bundle), "--output", str(tmp_path / name)]) == 0
    assert (tmp_path / name).read_text().startswith(begins)


def test_output_overwrites_nothing(bundle: Path, tmp_path: Path, capsys: Capture) -> None:
    before = bundle.read_bytes()
    assert run(["analyze", str(bundle), "--output", str(bundle)]) == 1
    assert "exists already" in one_line(capsys)
    assert bundle.read_bytes() == before
    assert run(["analyze", str(bundle), "--output", str(tmp_path / "no" / "r.md")]) == 1


def test_the_unpacked_folder_is_the_bundle(bundle: Path, tmp_path: Path, capsys: Capture) -> None:
    folder = tmp_path / "unpacked"
    folder.mkdir()
    for name, data in unpack(bundle.read_bytes()).items():
        (folder / name).write_bytes(data)
    assert run(["analyze", str(bundle), "--format", "json"]) == 0
    zipped = capsys.readouterr().out
    assert run(["analyze", str(folder), "--format", "json"]) == 0
    assert capsys.readouterr().out == zipped


def test_the_library_judges_without_a_command_line() -> None:
    raw = told()
    assert analyze_bundles(raw, (raw,), now=datetime.now(UTC)).verdict.side == "host"


def test_tampered_evidence_is_rejected(bundle: Path, capsys: Capture) -> None:
    raw = bundle.read_bytes()
    bundle.write_bytes(raw.replace(b"198.51.100.7", b"198.51.100.9", 1))
    for command in ("analyze", "verify", "show"):
        assert run([command, str(bundle)]) == 4
        assert "b.zip" in one_line(capsys)


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04", b"PK\x05\x06" + b"\0" * 18, b"\x1b]0;x\x07" * 20])
@pytest.mark.parametrize("command", ["analyze", "verify", "show"])
def test_unreadable_bundles(command: str, content: bytes, tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "bad.zip"
    path.write_bytes(content)
    assert run([command, str(path)]) == 3
    one_line(capsys)


@pytest.mark.parametrize("name", ["absent.zip", "\x1b[31m.zip", ".", "/dev/null"])
def test_no_such_bundle(name: str, capsys: Capture) -> None:
    assert run(["analyze", name]) == 3
    one_line(capsys)


def test_a_bad_control_is_refused_too(bundle: Path, tmp_path: Path, capsys: Capture) -> None:
    assert run(["analyze", str(bundle), "--control", str(tmp_path / "absent")]) == 3
    assert "absent" in one_line(capsys)


def test_trust(bundle: Path, trust: Path, tmp_path: Path, capsys: Capture) -> None:
    assert run(["verify", str(bundle), "--trust", str(trust)]) == 0
    assert "trusted as customer@example" in capsys.readouterr().out
    other = tmp_path / "nobody"
    other.write_text("# none\n")
    for command in ("verify", "analyze"):
        assert run([command, str(bundle), "--trust", str(other)]) == 4
        assert "not trusted" in one_line(capsys)


@pytest.mark.parametrize("option", ["--trust", "--profile"])
@pytest.mark.parametrize("content", [None, b"not this\n", b"\xff\xfe", b"x" * 1_100_000])
def test_bad_files_beside_the_bundle(
    bundle: Path, tmp_path: Path, option: str, content: bytes | None, capsys: Capture
) -> None:
    path = tmp_path / "beside"
    if content is not None:
        path.write_bytes(content)
    assert run(["analyze", str(bundle), option, str(path)]) == 2
    assert "beside" in one_line(capsys)


def test_a_profile_names_the_vendor(bundle: Path, tmp_path: Path) -> None:
    path = tmp_path / "p.toml"
    path.write_text('schema = "netdiag/profile/1"\n[network]\nprefixes = ["198.51.100.0/24"]\n')
    assert run(["analyze", str(bundle), "--profile", str(path)]) == 0


def test_a_ticket_that_does_not_match_is_said(bundle: Path, capsys: Capture) -> None:
    for command in ("analyze", "verify"):
        assert run([command, str(bundle), "--ticket", "T-9"]) == 0
        assert "not for the one that was given" in " ".join(capsys.readouterr().out.split())


# --- verify, show, faults ----------------------------------------------------------------------------------------


def test_verify(bundle: Path, capsys: Capture) -> None:
    assert run(["verify", str(bundle)]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "the signature and every hash hold" in out
    assert "It does not prove" in out
    assert run(["verify", str(bundle), "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["signature"] == "valid"


def test_show(bundle: Path, capsys: Capture) -> None:
    assert run(["show", str(bundle)]) == 0
    out = capsys.readouterr().out
    assert "Never recorded" in out
    assert "192.168.1.20" in out
    assert run(["show", str(bundle), "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["records"]["connect"] > 0


def test_faults(capsys: Capture) -> None:
    assert run(["faults"]) == 0
    everything = capsys.readouterr().out
    assert run(["faults", "host.block"]) == 0
    group = capsys.readouterr().out
    assert set(group.split()) < set(everything.split())
    code = next(word for word in group.split() if word.startswith("host.block."))
    assert run(["faults", code]) == 0
    page = capsys.readouterr().out
    for heading in ("What is broken", "How it shows", "What looks like it", "What would settle it"):
        assert heading in page
    assert max(map(len, (everything + group + page).splitlines())) <= 80
    assert run(["faults", code, "--format", "json"]) == 0
    assert [one["code"] for one in json.loads(capsys.readouterr().out)["faults"]] == [code]


def test_an_unknown_fault(capsys: Capture) -> None:
    assert run(["faults", "host.blok.source_address"]) == 2
    assert "did you mean host.block.source_address" in one_line(capsys)
    assert run(["faults", "\x1b[31m"]) == 2
    one_line(capsys)


# --- collect -----------------------------------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.delenv("NETDIAG_KEY", raising=False)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([""], "empty"),
        (["ftp://x"], "http and https only"),
        (["api.vendor.test"], "give --yes"),
        (["api.vendor.test", "--yes", "--via", "no-such0"], "--via: this machine has no interface of that name"),
        (["api.vendor.test", "--yes", "--via", "192.0.2.77"], "--via: 192.0.2.77 is no address of this machine"),
        (["api.vendor.test", "--yes", "--via", "socks5://127.0.0.1:1080"], "--via: a proxy is named as http://"),
        (["api.vendor.test", "--yes", "--via", "http://u:secret@127.0.0.1:99999"], "--via: the proxy's port is"),
        (["api.vendor.test", "--yes", "--user-agent", "a\r\nX: y"], "--user-agent has characters"),
        (["api.vendor.test", "--yes", "--user-agent", ""], "--user-agent is empty"),
        (["api.vendor.test", "--yes", "--ticket", "\x1b[31m"], "--ticket has characters"),
        (["api.vendor.test", "--yes", "--ticket", "x" * 201], "--ticket is longer"),
        (["api.vendor.test", "--yes", "--budget", "0"], "--budget"),
        (["api.vendor.test", "--yes", "--budget", "soon"], "--budget"),
        (["api.vendor.test", "--yes", "--profile", "absent"], "absent cannot be read"),
        (["api.vendor.test", "--yes", "--format", "xml"], "--format"),
    ],
)
def test_collect_called_wrongly(home: Path, arguments: list[str], words: str, capsys: Capture) -> None:
    assert run(["collect", *arguments]) == 2
    assert words in one_line(capsys)
    assert not list(home.glob("*.zip"))


def test_collect_without_a_place_to_write_to(home: Path, capsys: Capture) -> None:
    (home / "taken.zip").write_bytes(b"mine")
    assert run(["collect", "api.vendor.test", "--yes", "--output", "taken.zip"]) == 1
    assert "exists already" in one_line(capsys)
    assert run(["collect", "api.vendor.test", "--yes", "--output", "no/b.zip"]) == 1
    assert "no folder" in one_line(capsys)
    assert (home / "taken.zip").read_bytes() == b"mine"


def test_collect_with_a_bad_key(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setenv("NETDIAG_KEY", str(home / "absent"))
    assert run(["collect", "api.vendor.test", "--yes"]) == 2
    assert "key file" in one_line(capsys)


@pytest.fixture
def mute() -> Iterator[int]:
    """The port of a server that accepts and then says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def start(*arguments: str, home: Path) -> subprocess.Popen[str]:
    clean = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    return subprocess.Popen(
        [sys.executable, "-m", "netdiag", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**clean, "HOME": str(home)},
    )


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_keeps_what_it_has(home: Path, mute: int, number: int, code: int, capsys: Capture) -> None:
    path = home / "b.zip"
    url = f"http://user:SECRET1@127.0.0.1:{mute}/?token=SECRET2"
    with start("collect", url, "--yes", "--output", str(path), home=home) as process:
        assert process.stderr is not None
        errors = ""
        for line in process.stderr:
            errors += line
            if f":{mute}: connected" in line:
                break
        process.send_signal(number)
        out, rest = process.communicate(timeout=30)
    assert process.returncode == code
    assert "interrupted" in out
    assert str(path) in out.replace("\n", "")
    assert "netdiag: interrupted" in rest
    assert "Traceback" not in rest
    assert "SECRET" not in out + errors + rest
    assert b"SECRET" not in path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600
    assert run(["verify", str(path), "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["interrupted"] == "signal"


# --- all of them -------------------------------------------------------------------------------------------------


def commands() -> list[str]:
    return [one.name or one.callback.__name__ for one in app.registered_commands if one.callback is not None]


@pytest.mark.parametrize("command", [[], *([name] for name in commands())])
def test_help(command: list[str], capsys: Capture) -> None:
    assert run([*command, "--help"]) == 0
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= 80
    lines = shown.splitlines()
    for at, line in enumerate(lines):
        if line.startswith("  --"):  # an option is told on its own line or on the next
            assert len(line.split("  ")) > 2 or lines[at + 1].startswith("      "), line


def test_every_command_that_prints_data_takes_format(capsys: Capture) -> None:
    for name in commands():
        if name != "demo":
            assert run([name, "--help"]) == 0
            assert "--format" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ["bogus"],
        ["analyze"],
        ["analyze", "a", "b"],
        ["verify", "--bogus"],
        ["show", "x", "--format", "html"],
        ["--bogus"],
    ],
)
def test_wrong_usage(arguments: list[str], capsys: Capture) -> None:
    assert run(arguments) == 2
    assert "--help" in one_line(capsys)


def test_no_command_shows_the_help(capsys: Capture) -> None:
    assert run([]) == 2
    assert "Commands:" in capsys.readouterr().err


def test_a_bug_is_one_line(bundle: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    def crash(*_: object) -> None:
        raise RuntimeError("out of\nluck")

    monkeypatch.setattr("netdiag.cli.analysis.derive", crash)
    assert run(["analyze", str(bundle)]) == 1
    assert "a bug in netdiag: RuntimeError" in one_line(capsys)


def test_a_full_disk_and_a_closed_pipe(bundle: Path) -> None:
    command = [sys.executable, "-m", "netdiag", "analyze", str(bundle)]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "netdiag: the result could not be written: No space left on device\n"
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert done.stderr == ""


LOADED = """
import sys
from netdiag.__main__ import main
sys.argv = ["netdiag", *sys.argv[1:]]
main()
names = {name if name.startswith("netdiag") else name.partition(".")[0] for name in sys.modules}
print(*names, file=sys.stderr)
"""
HEAVY = {"scapy", "requests", "urllib3", "dns", "cryptography", "icmplib", "psutil", "pydantic", "rich", "truststore"}


def loaded(*arguments: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *arguments], capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL
    )
    return set(done.stderr.splitlines()[-1].split())


def test_version_loads_nothing() -> None:
    names = loaded("--version")
    assert not names & (HEAVY | {"typer", "msgspec"})
    done = subprocess.run([sys.executable, "-m", "netdiag", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"netdiag {__version__}\n"


@pytest.mark.parametrize("arguments", [["--help"], ["collect", "--help"], ["analyze", "--help"]])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    assert not loaded(*arguments) & HEAVY


def test_analyze_loads_nothing_that_measures(bundle: Path) -> None:
    names = loaded("analyze", str(bundle))
    assert not names & (HEAVY - {"cryptography"})
    assert "netdiag.verdict" in names
    assert not any(name.startswith("netdiag.probes") for name in names)
