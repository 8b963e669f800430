"""How Graph's `clientState` is made, in each item: a reference of ours, the key's id, and the MAC of the reference."""

import hashlib
import hmac
import json
import re

STATE = re.compile(rb'"clientState":"([^".]*)[^"]*"')


def sign(fixture):
    def state(found):
        reference = found[1].decode()
        mac = hmac.new(fixture.secret.encode(), reference.encode(), hashlib.sha256)
        return f'"clientState":"{reference}.{fixture.comments["key-id"]}.{mac.hexdigest()}"'.encode()

    # In place, since every other byte stays as it was recorded.
    body, count = STATE.subn(state, fixture.body)
    if count != len(json.loads(body)["value"]):
        raise ValueError("an item has no clientState, or several")
    return body
