"""How Whatnot signs, after Standard Webhooks: id, time and body, keyed with the decoded secret."""

import base64
import hashlib
import hmac
from datetime import datetime


def sign(fixture):
    timestamp = str(int(datetime.fromisoformat(fixture.comments["signed-at"].replace("Z", "+00:00")).timestamp()))
    key = base64.b64decode(fixture.secret.removeprefix("whsec_"), validate=True)
    message = f"{fixture.headers['webhook-id']}.{timestamp}.".encode() + fixture.body
    mac = hmac.new(key, message, hashlib.sha256).digest()
    return {"webhook-timestamp": timestamp, "webhook-signature": "v1," + base64.b64encode(mac).decode()}
