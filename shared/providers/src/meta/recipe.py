"""How Meta signs: the body alone, keyed with the app's secret as text, in lower-case hexadecimal."""

import hashlib
import hmac


def sign(fixture):
    mac = hmac.new(fixture.secret.encode(), fixture.body, hashlib.sha256)
    return {"x-hub-signature-256": f"sha256={mac.hexdigest()}"}
