"""How a Google channel's token is made: the key's id, and the MAC of the channel's id."""

import hashlib
import hmac


def sign(fixture):
    channel = fixture.headers["x-goog-channel-id"]
    mac = hmac.new(fixture.secret.encode(), channel.encode(), hashlib.sha256)
    return {"x-goog-channel-token": f"{fixture.comments['key-id']}.{mac.hexdigest()}"}
