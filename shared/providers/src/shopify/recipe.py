"""How Shopify signs: the body alone, keyed with the client secret as text."""

import base64
import hashlib
import hmac


def sign(fixture):
    mac = hmac.new(fixture.secret.encode(), fixture.body, hashlib.sha256)
    return {"x-shopify-hmac-sha256": base64.b64encode(mac.digest()).decode()}
