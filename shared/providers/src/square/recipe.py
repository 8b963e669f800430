"""How Square signs: the notification URL and right after it the body, keyed with the signature key as text."""

import base64
import hashlib
import hmac


def sign(fixture):
    message = fixture.comments["url"].encode() + fixture.body
    mac = hmac.new(fixture.secret.encode(), message, hashlib.sha256)
    return {"x-square-hmacsha256-signature": base64.b64encode(mac.digest()).decode()}
