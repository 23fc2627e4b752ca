"""The reference: an aiohttp echo server with TLS. `python -m bench.webhook_echo`."""

from __future__ import annotations

import asyncio
import ssl
import sys
from pathlib import Path

from aiohttp import web

from serving.life import until_signal, write_port


async def _echo(request: web.Request) -> web.Response:
    return web.Response(body=await request.read(), content_type="application/json")


async def _serve(folder: Path) -> None:
    application = web.Application(client_max_size=1 << 23)
    application.router.add_post("/mutate-pod", _echo)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(folder / "tls.crt", folder / "tls.key")
    runner = web.AppRunner(application, access_log=None)
    with until_signal() as ended:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
        write_port(folder / "echo-port", runner.addresses[0][1])
        await ended.wait()
        await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1])))
