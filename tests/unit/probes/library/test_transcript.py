"""The transcript's own reading of handshake messages, which stands in where Python does not give the chain."""

import socket
import ssl
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netdiag.probes.library import trust
from netdiag.probes.library.transcript import Transcript, WatchedObject, chain_of, protocol_of, watch
from tests.fakes.certificates import mint, server_context
from tests.fakes.servers import over_tls, serving, wait_for_close


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_the_chain_in_the_messages_is_the_one_that_python_tells(
    version: ssl.TLSVersion, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = mint("Root", is_ca=True)
    leaf = mint("good.test", names=("good.test",), issuer=root)
    (tmp_path / "roots.pem").write_bytes(root.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "roots.pem"))
    presented = server_context(leaf, root, directory=tmp_path)
    presented.maximum_version = version
    context = trust.context("system", ("http/1.1",))
    watch(context)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing, server_hostname="good.test")
    assert isinstance(client, WatchedObject)
    client.transcript = Transcript()
    with serving(over_tls(presented, wait_for_close)) as port, socket.create_connection(("127.0.0.1", port)) as raw:
        while True:
            try:
                client.do_handshake()
                break
            except ssl.SSLWantReadError:
                raw.sendall(outgoing.read())
                incoming.write(raw.recv(65536))
    is_new = version is ssl.TLSVersion.TLSv1_3
    assert client.chain() == (leaf.der, root.der)
    assert chain_of(client.transcript.certificate_message, has_context=is_new) == (leaf.der, root.der)
    assert client.transcript.protocol == client.version()


@given(st.binary(max_size=80), st.booleans())
def test_any_bytes_can_be_read(message: bytes, has_context: bool) -> None:
    assert isinstance(chain_of(message, has_context=has_context), tuple)
    protocol_of(message)
