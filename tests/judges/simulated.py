"""A provider's simulator, as `hooktide simulate-provider` serves it, with somebody who gets its notifications."""

import http.server
import json
import os
import subprocess
import threading
import time
import unittest
import urllib.parse
import urllib.request
from pathlib import Path

import processes

CHECKOUT = Path(__file__).resolve().parents[2]
HOOKTIDE = Path(os.environ.get("CARGO_TARGET_DIR", CHECKOUT / "target")) / "debug/hooktide"
HEARD_WITHIN = 20


class Simulated(unittest.TestCase):
    """A case with a simulator of its own, at `self.url`."""

    provider = None
    maxDiff = None

    def setUp(self):
        command = [HOOKTIDE, "simulate-provider", self.provider, "--json"]
        process = processes.start(command, dict(os.environ), None, subprocess.PIPE)
        self.addCleanup(process.stdout.close)
        self.addCleanup(processes.end, process)
        self.url = json.loads(process.stdout.readline())["url"]
        self.heard = []
        receiver = http.server.ThreadingHTTPServer(("127.0.0.1", 0), answering(self.heard))
        self.addCleanup(receiver.server_close)
        self.addCleanup(receiver.shutdown)
        threading.Thread(target=receiver.serve_forever, daemon=True).start()
        self.address = f"http://127.0.0.1:{receiver.server_port}/hook"

    def control(self, name, body):
        """Posts to a control of the simulator."""
        request = urllib.request.Request(
            f"{self.url}/_control/{name}", json.dumps(body).encode(), {"content-type": "application/json"}
        )
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def edit(self, what, fields, of=None):
        """Edits something as its owner would; its id."""
        return self.control("edit", {"what": what, "id": of, "fields": fields})["id"]

    def notifications(self, count):
        """The notifications so far, as (headers, body), once there are so many."""
        deadline = time.monotonic() + HEARD_WITHIN
        while len(self.heard) < count:
            self.assertLess(time.monotonic(), deadline, f"{len(self.heard)} of {count} notifications came")
            time.sleep(0.01)
        return list(self.heard)


def answering(heard):
    """A handler that keeps what it gets, and gives a sign where it is asked for one."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            asked = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
            sign = "".join(asked.get("validationToken", [])).encode()
            if not sign:
                heard.append((self.headers, body))
            self.send_response(200)
            self.send_header("content-type", "text/plain")
            self.send_header("content-length", str(len(sign)))
            self.end_headers()
            self.wfile.write(sign)

        def log_message(self, *_):
            pass

    return Handler
