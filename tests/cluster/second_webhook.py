"""A second mutating webhook, like that of a service mesh: it reorders containers and adds one.

Run in a pod, with Python alone: `python second_webhook.py`; certificate and key stand beside it.
"""

from __future__ import annotations

import base64
import http.server
import json
import ssl
from pathlib import Path
from typing import Any

IMAGE = "trialwatch.test/trainer:1"
FOREVER = ["/trainer", "sleep", "3600000"]


def patch_for(pod: dict[str, Any]) -> list[dict[str, Any]]:
    """Add a native sidecar behind all others and a container in front; turn the others around."""
    spec = pod["spec"]
    if any(one["name"] == "mesh" for one in spec["containers"]):
        return []
    native = {"name": "late", "image": IMAGE, "command": FOREVER, "restartPolicy": "Always"}
    mesh = {"name": "mesh", "image": IMAGE, "command": ["/trainer", "print", "mesh"]}
    containers = [mesh, *reversed(spec["containers"])]
    return [
        {"op": "add", "path": "/spec/containers", "value": containers},
        {
            "op": "add",
            "path": "/spec/initContainers",
            "value": [*spec.get("initContainers", []), native],
        },
    ]


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        request = review["request"]
        patch = base64.b64encode(json.dumps(patch_for(request["object"])).encode()).decode()
        response = {
            "uid": request["uid"],
            "allowed": True,
            "patchType": "JSONPatch",
            "patch": patch,
        }
        body = json.dumps({**review, "response": response}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    here = Path(__file__).parent
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(here / "tls.crt", here / "tls.key")
    server = http.server.ThreadingHTTPServer(("0.0.0.0", 8443), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
