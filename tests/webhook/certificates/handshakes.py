"""TLS handshakes in memory, between a real client and a real server."""

from __future__ import annotations

import ssl

from webhook.certificates.reloading_tls import ReloadingContext


def server_context(certs: str, key: str) -> ssl.SSLContext:
    newest = ReloadingContext()
    newest.load(certs, key)
    return newest.context


def handshake(server: ssl.SSLContext, trusted: str, host: str | None) -> str:
    """Connect as a client that trusts these authorities; return the server's certificate, in PEM.

    Raises:
        ssl.SSLError: one side does not want to go on.
    """
    client = ssl.create_default_context(cadata=trusted)
    client.check_hostname = host is not None
    # By RFC 5280, which newer clients enforce.
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    return certificate_of(connected(server, client, host))


def connected(
    server: ssl.SSLContext,
    client: ssl.SSLContext,
    host: str | None,
    session: ssl.SSLSession | None = None,
) -> ssl.SSLObject:
    """Return the client's end of a connection that has said hello, maybe by an earlier session."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(to_client, to_server, server_hostname=host, session=session)
    theirs = server.wrap_bio(to_server, to_client, server_side=True)
    waiting = [ours, theirs]
    while waiting:
        for one in list(waiting):
            try:
                one.do_handshake()
            except ssl.SSLWantReadError:
                continue
            waiting.remove(one)
    theirs.write(b"hello")
    assert ours.read() == b"hello"
    return ours


def certificate_of(connection: ssl.SSLObject) -> str:
    cert = connection.getpeercert(binary_form=True)
    assert cert is not None
    return ssl.DER_cert_to_PEM_cert(cert)
