"""A proxy between the functions and the emulator that lets through only what the calling function's role allows.

The emulator, started with AUTH=true, decides by roles too, but does not know leading keys, and it keeps no list. Here
each call is decided by `policy.py`, recorded, and refused as the service itself would refuse it; what is allowed goes
on byte by byte, and the emulator decides again. So a role that is too narrow fails the emulated run as it would fail
on AWS, and afterwards the run can say which permissions it never used.

One header is added: that the call came by TLS. On AWS it does, and the bucket takes nothing else.
"""

import json
import socket
import socketserver
import threading
from dataclasses import dataclass

from calls import Request, needs_of
from policy import Need
from serving import Serving

LONGEST_LINE = 64 * 1024
PIECE = 64 * 1024
# How long a call waits for the roles to be known: a schedule may fire before the deployment has returned.
ROLES_WITHIN = 120


@dataclass
class Call:
    """One request of a function, what allowed it, and why it was refused, if it was."""

    function: str
    what: str
    grants: tuple = ()
    refused: str = ""


class Enforcer(Serving):
    """The proxy, as a context manager. Tell it `pass_on_to` and `enforce` before anything calls it."""

    def __init__(self, account):
        self.account = account
        self.upstream = None
        self.roles = {}
        self.roles_known = threading.Event()
        self.calls = []
        self.server = Server(("127.0.0.1", 0), Connection)
        self.server.enforcer = self

    def pass_on_to(self, port):
        """Where the emulator listens."""
        self.upstream = ("127.0.0.1", port)

    def enforce(self, roles):
        """From now on: for each access key, the function's name and its policy."""
        self.roles = roles
        self.roles_known.set()

    def refused(self):
        """The calls that were refused, as texts, each once."""
        return sorted({f"{call.function}: {call.what}: {call.refused}" for call in self.calls if call.refused})

    def used(self):
        """The grants that calls were allowed by, for each function."""
        used = {}
        for call in list(self.calls):
            used.setdefault(call.function, set()).update(call.grants)
        return used

    def decide(self, request):
        """Records a call, and whether it is refused."""
        self.roles_known.wait(ROLES_WITHIN)
        what = f"{request.service} {request.operation or f'{request.method} {request.target}'}"
        function, policy = self.roles.get(request.access_key, ("a stranger", None))
        call = Call(function, what)
        if policy is None:
            call.refused = f"the access key {request.access_key} is no function's"
        else:
            decisions = [(need, policy.decide(need)) for need in needs_of(request, self.account)]
            call.grants = tuple(grant for _, decision in decisions for grant in decision.grants)
            call.refused = "; ".join(
                f"{need.action} on {need.resource} {need.context or ''}: {decision.why}"
                for need, decision in decisions
                if not decision.allowed
            )
        self.calls.append(call)
        return call

    def hides(self, request, status, call):
        """Whether S3 says 403 where it could say 404: who may not list a bucket is not told what is missing in it."""
        bucket, _, key = request.target.partition("?")[0].lstrip("/").partition("/")
        if request.service != "s3" or status != 404 or request.method not in ("GET", "HEAD") or not key:
            return False
        _, policy = self.roles[request.access_key]
        decision = policy.decide(Need("s3:ListBucket", f"arn:aws:s3:::{bucket}"))
        call.grants += decision.grants
        return not decision.allowed


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        """A function that was ended in the middle of a call is nobody's fault."""


class Connection(socketserver.StreamRequestHandler):
    """One connection of a function; its requests come one after the other."""

    disable_nagle_algorithm = True

    def handle(self):
        while (head := read_head(self.rfile)) is not None:
            self.one_request(head)

    def one_request(self, head):
        first, headers = parse_head(head)
        method, target, _ = first.split(" ", 2)
        if headers.get("expect", "").lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        raw = b"".join(body_of(self.rfile, headers))
        enforcer = self.server.enforcer
        request = Request(method, target, headers, raw)
        call = enforcer.decide(request)
        if call.refused:
            self.wfile.write(denial(request, call.refused))
            return
        with socket.create_connection(enforcer.upstream) as upstream:
            upstream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            upstream.sendall(head[:-2] + b"x-forwarded-proto: https\r\n\r\n" + raw)
            self.answer(request, call, upstream.makefile("rb"))

    def answer(self, request, call, upstream):
        status = 100
        while 100 <= status < 200:
            head = read_head(upstream)
            first, headers = parse_head(head)
            status = int(first.split(" ", 2)[1])
        bodiless = request.method == "HEAD" or status in (204, 304)
        body = iter(()) if bodiless else body_of(upstream, headers)
        if status >= 400:
            whole = b"".join(body)
            body = iter([whole])
            if b"AccessDenied" in whole:
                call.refused = f"by the emulator: {whole[:500].decode(errors='replace')}"
        if self.server.enforcer.hides(request, status, call):
            head, body = denial(request, "s3:GetObject of what is not there, without s3:ListBucket"), iter(())
        self.wfile.write(head)
        for piece in body:
            self.wfile.write(piece)


def read_head(stream):
    """The first line and the headers as they are, up to and with the blank line; None at the end of the stream."""
    lines = []
    while line := stream.readline(LONGEST_LINE):
        lines.append(line)
        if line == b"\r\n":
            return b"".join(lines)
    return None


def parse_head(head):
    """The first line, and the headers with names in lower case."""
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = (line.split(":", 1) for line in lines if line)
    return first, {name.strip().lower(): value.strip() for name, value in pairs}


def body_of(stream, headers):
    """The bytes of a body as they are on the wire, in pieces."""
    if "chunked" in headers.get("transfer-encoding", "").lower():
        while True:
            line = stream.readline(LONGEST_LINE)
            yield line
            size = int(line.split(b";")[0], 16)
            if size == 0:
                break
            yield stream.read(size + 2)
        while (line := stream.readline(LONGEST_LINE)) not in (b"\r\n", b""):
            yield line
        yield b"\r\n"
        return
    left = int(headers.get("content-length", 0))
    while left > 0:
        piece = stream.read(min(left, PIECE))
        if not piece:
            raise ConnectionError("the body ended early")
        left -= len(piece)
        yield piece


def denial(request, why):
    """The refusal as the service words it, so that SDKs recognise it."""
    message = f"User: {request.access_key} is not authorized to perform: {why}"
    if request.service == "s3":
        kind = "application/xml"
        status = "403 Forbidden"
        text = f"<Error><Code>AccessDenied</Code><Message>{message}</Message><RequestId>0</RequestId></Error>"
    else:
        kind = "application/x-amz-json-1.0"
        status = "403 Forbidden" if request.service == "sqs" else "400 Bad Request"
        text = json.dumps({"__type": "com.amazon.coral.service#AccessDeniedException", "Message": message})
    body = b"" if request.method == "HEAD" else text.encode()
    query_error = "x-amzn-query-error: AccessDenied;Sender\r\n" if request.service == "sqs" else ""
    head = f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\n{query_error}content-length: {len(body)}\r\n\r\n"
    return head.encode() + body
