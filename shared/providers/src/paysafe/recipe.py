"""How Paysafe signs: the body alone, keyed with what the key's base64 stands for."""

import base64
import hashlib
import hmac


def sign(fixture):
    key = base64.b64decode(fixture.secret, validate=True)
    mac = hmac.new(key, fixture.body, hashlib.sha256)
    return {"signature": base64.b64encode(mac.digest()).decode()}
