"""TLS handshakes in memory: a real client and a real server, no socket between them."""

from __future__ import annotations

import ssl

from webhook.certificates.newest import Newest


def server_context(certs: str, key: str) -> ssl.SSLContext:
    newest = Newest()
    newest.load(certs, key)
    return newest.context


def handshake(server: ssl.SSLContext, trusted: str, host: str | None) -> str:
    """Connect as who trusts these authorities; return the server's certificate, in PEM.

    Raises:
        ssl.SSLError: one side does not want to go on.
    """
    client = ssl.create_default_context(cadata=trusted)
    client.check_hostname = host is not None
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(to_client, to_server, server_hostname=host)
    theirs = server.wrap_bio(to_server, to_client, server_side=True)
    waiting = [ours, theirs]
    while waiting:
        for one in list(waiting):
            try:
                one.do_handshake()
            except ssl.SSLWantReadError:
                continue
            waiting.remove(one)
    cert = ours.getpeercert(binary_form=True)
    assert cert is not None
    return ssl.DER_cert_to_PEM_cert(cert)
