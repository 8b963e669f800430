"""A door to the deployed HTTP API at an address of this machine.

On AWS the API has a name of its own, which providers and the renewer look up. The emulator has it at one address for all
APIs and knows them by the host that a request names, so whoever comes through here gets that host.
"""

import http.client
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from serving import Serving

ANSWERS_WITHIN = 60
# What concerns one connection and not what is sent over it.
HOP_BY_HOP = {"connection", "host", "keep-alive", "transfer-encoding"}


class Door(Serving):
    """The door, as a context manager. Until it leads somewhere it answers 503."""

    def __init__(self):
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Visit)
        self.server.daemon_threads = True
        self.server.leads_to = None

    def lead_to(self, port, host):
        """Where requests go, and the host that they name."""
        self.server.leads_to = (port, host)


class Visit(BaseHTTPRequestHandler):
    """One connection; each request goes on as it came, but for its host."""

    protocol_version = "HTTP/1.1"

    def pass_on(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.server.leads_to is None:
            return self.answer(503, [], b"")
        port, host = self.server.leads_to
        kept = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
        onwards = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWERS_WITHIN)
        try:
            onwards.request(self.command, self.path, body, {**kept, "host": host})
            answer = onwards.getresponse()
            self.answer(answer.status, answer.getheaders(), answer.read())
        finally:
            onwards.close()

    do_GET = do_POST = do_PUT = do_DELETE = pass_on

    def answer(self, status, headers, body):
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in HOP_BY_HOP | {"content-length", "date", "server"}:
                self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Nobody reads it."""
