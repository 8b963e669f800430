"""A shop that sends webhooks, signed with the client secret of its app, and the envelopes that they travel in."""

import base64
import hashlib
import hmac
import json
import uuid
from datetime import datetime, timedelta, timezone

from emulator import CHECKOUT

FIXTURE = CHECKOUT / "shared/providers/src/shopify/fixtures/products-update.http"


class Shop:
    """One connection's side of the provider: it knows the address that it was told, and the secret."""

    def __init__(self, http, connection, secret):
        self.http, self.secret = http, secret
        self.connection = connection["id"]
        self.address = "/webhooks/" + connection["webhook_url"].partition("/webhooks/")[2]
        head, _, body = FIXTURE.read_bytes().partition(b"\n\n")
        lines = [line for line in head.decode().split("\n") if not line.startswith("# ")]
        self.headers = dict(line.split(": ", 1) for line in lines[1:])
        self.product = json.loads(body)
        self.made = 8_000_000_000_000 + uuid.uuid4().int % 1_000_000_000 * 1000

    def body(self, title="A mug", **changes):
        """A product that nobody has heard of yet; the number of it is in its `id`."""
        self.made += 1
        now = datetime.now(timezone(timedelta(hours=-5))).isoformat(timespec="seconds")
        return json.dumps({**self.product, "id": self.made, "title": title, "updated_at": now, **changes}).encode()

    def entity(self, body):
        """How the product of a body is called in the feed."""
        return f"product/{self.connection}/{json.loads(body)['id']}"

    def signed(self, body, topic="products/update", delivery=None):
        """The headers of a delivery."""
        mac = hmac.new(self.secret.encode(), body, hashlib.sha256).digest()
        changed = {"x-shopify-topic": topic, "x-shopify-webhook-id": delivery or str(uuid.uuid4())}
        return {**self.headers, **changed, "x-shopify-hmac-sha256": base64.b64encode(mac).decode()}

    def deliver(self, body, headers=None):
        """Sends a delivery; the answer."""
        return self.http.call("POST", self.address, body, headers or self.signed(body))

    def envelope(self, body, **changes):
        """What the receiver would put on a queue: for messages that no request would bring about."""
        headers = self.signed(body)
        kept = {name: headers[name] for name in ("x-shopify-topic", "x-shopify-shop-domain")}
        return {
            "v": 2,
            "kind": "notice",
            "id": f"01{uuid.uuid4().hex[:24]}",
            "received_at": datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "traceparent": f"00-{uuid.uuid4().hex}-{uuid.uuid4().hex[:16]}-01",
            "provider": "shopify",
            "endpoint": self.connection,
            "topic": headers["x-shopify-topic"],
            "delivery": headers["x-shopify-webhook-id"],
            "headers": kept,
            "encoding": "utf-8",
            "body": body.decode(),
            "sha256": hashlib.sha256(body).hexdigest(),
            **changes,
        }

    def event(self, body):
        """What the template's rule puts on the queue of a delivery through EventBridge."""
        headers = self.signed(body)
        event = {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": "shopifyWebhook",
            "source": "aws.partner/shopify.com/101234567890/hooktide",
            "time": datetime.now(timezone.utc).isoformat(timespec="seconds").replace("+00:00", "Z"),
            "detail": {"payload": json.loads(body), "metadata": headers},
        }
        return {"provider": "shopify", "endpoint": self.connection, "event": event}


def compressed(body):
    """A body as the blob store has it: zstd, here with the one kind of block that needs no compressor."""
    size = len(body)
    return b"\x28\xb5\x2f\xfd\xa0" + size.to_bytes(4, "little") + (size << 3 | 1).to_bytes(3, "little") + body


def trace_of(envelope):
    """The trace id that an envelope carries."""
    return envelope["traceparent"].split("-")[1]
