"""Pushes metrics with Python's standard library, over one connection."""

import http.client
import json
import os
from http import HTTPStatus
from urllib.parse import urlsplit

url = urlsplit(os.environ["TRIALWATCH_METRICS_URL"])
connection = http.client.HTTPConnection(url.netloc)
for step in range(1, 4):
    connection.request("POST", url.path, json.dumps({"loss": 1 / step, "step": step}))
    response = connection.getresponse()
    answer = response.read().decode()
    if response.status != HTTPStatus.OK:
        raise SystemExit(answer)
