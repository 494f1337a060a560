"""``analyze --as-data``: owners in the report, never in the verdict; a file that is none ends the command."""

from pathlib import Path

import pytest

from netdiag.cli.app import run
from netdiag.evidence.seal import seal
from netdiag.reports.asn_pack import pack, read
from tests.fakes.bundles import SUMMARY, sample_key
from tests.fakes.records import BEGAN_AT, GATEWAY, SILENT, TARGET, Story

ROUTER = "84.46.1.1"


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    story = Story()
    story.surroundings()
    story.connect(TARGET, SILENT)
    story.walk(TARGET, (GATEWAY, ROUTER), end="silent")
    path = tmp_path / "b.zip"
    path.write_bytes(seal(story.bundle(), {"summary.txt": SUMMARY}, sample_key(), now=BEGAN_AT))
    return path


@pytest.fixture
def as_data(tmp_path: Path) -> Path:
    path = tmp_path / "as.bin"
    path.write_bytes(pack(read(["84.46.0.0,84.46.255.255,64500,Nordline"]), as_of="2026-06-17", source="the test"))
    return path


def test_owners_stand_in_the_report_and_not_in_the_verdict(
    bundle: Path, as_data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(["analyze", str(bundle)]) == 0
    plain = capsys.readouterr().out
    assert ROUTER in plain
    assert "AS64500" not in plain
    assert run(["analyze", str(bundle), "--as-data", str(as_data)]) == 0
    told = capsys.readouterr().out
    assert "AS64500 Nordline" in told
    assert "as of 2026-06-17" in told
    monkeypatch.setenv("NETDIAG_AS_DATA", str(as_data))
    assert run(["analyze", str(bundle)]) == 0
    assert capsys.readouterr().out == told
    judged = []
    for arguments in ((), ("--as-data", str(as_data))):
        assert run(["analyze", str(bundle), "--format", "json", *arguments]) == 0
        judged.append(capsys.readouterr().out)
    assert judged[0] == judged[1]


@pytest.mark.parametrize("content", [None, b"", b"no AS data"])
def test_a_file_that_is_none_is_wrong_usage(
    bundle: Path, tmp_path: Path, content: bytes | None, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "wrong.bin"
    if content is not None:
        path.write_bytes(content)
    assert run(["analyze", str(bundle), "--as-data", str(path)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("netdiag: ")
    assert "wrong.bin" in captured.err
