"""How Graph's `clientState` is made, in each item: the key's id, and the MAC of the subscription's id."""

import hashlib
import hmac
import json
import re

STATE = re.compile(rb'"clientState":"[^"]*"')


def sign(fixture):
    items = iter(json.loads(fixture.body)["value"])

    def state(_):
        mac = hmac.new(fixture.secret.encode(), next(items)["subscriptionId"].encode(), hashlib.sha256)
        return f'"clientState":"{fixture.comments["key-id"]}.{mac.hexdigest()}"'.encode()

    # In place, since every other byte stays as it was recorded.
    body = STATE.sub(state, fixture.body)
    if next(items, None) is not None:
        raise ValueError("an item has no clientState")
    return body
