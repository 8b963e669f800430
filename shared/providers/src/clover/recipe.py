"""How Clover proves itself: apps are told with a fixed code, Hosted Checkout with a MAC over the time and the body."""

import hashlib
import hmac
from datetime import datetime


def sign(fixture):
    if fixture.comments["signature"] == "x-clover-auth":
        return {"x-clover-auth": fixture.secret}
    seconds = int(datetime.fromisoformat(fixture.comments["signed-at"]).timestamp())
    signed = f"{seconds}.".encode() + fixture.body
    mac = hmac.new(fixture.secret.encode(), signed, hashlib.sha256)
    return {"clover-signature": f"t={seconds},v1={mac.hexdigest()}"}
