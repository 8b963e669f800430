"""How Standard Webhooks are signed: id, time and body; HMAC with the decoded `whsec_` secret, Ed25519 with a `whsk_` seed.

`# signed-at` is the time. `# before` and `# after` hold further entries of the list, as they are. Where the fixture's
`# signature` is Svix's header, so are the other names.
"""

import base64
import hashlib
import hmac
from datetime import datetime

# Ed25519 as RFC 8032 writes it down (section 5.1); slow, and not for secrets that matter.
P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P


def add(a, b):
    """The sum of two points in extended coordinates."""
    (x1, y1, z1, t1), (x2, y2, z2, t2) = a, b
    e, f = (y1 - x1) * (y2 - x2), (y1 + x1) * (y2 + x2)
    g, h = 2 * t1 * t2 * D, 2 * z1 * z2
    e, f, g, h = f - e, h - g, h + g, f + e
    return e * f % P, g * h % P, f * g % P, e * h % P


def multiply(scalar, point):
    product = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            product = add(product, point)
        point, scalar = add(point, point), scalar >> 1
    return product


def base_point():
    y = 4 * pow(5, P - 2, P) % P
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * pow(2, (P - 1) // 4, P) % P
    x = P - x if x & 1 else x
    return x, y, 1, x * y % P


def compress(point):
    x, y, z, _ = point
    inverse = pow(z, P - 2, P)
    return (y * inverse % P | (x * inverse % P & 1) << 255).to_bytes(32, "little")


def number(*parts):
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little")


def ed25519(seed, message):
    digest = hashlib.sha512(seed).digest()
    scalar = int.from_bytes(digest[:32], "little") & (1 << 254) - 8 | 1 << 254
    public = compress(multiply(scalar, base_point()))
    nonce = number(digest[32:], message) % ORDER
    r = compress(multiply(nonce, base_point()))
    s = (nonce + number(r, public, message) * scalar) % ORDER
    return r + s.to_bytes(32, "little")


def decode(secret, prefix):
    return base64.b64decode(secret.removeprefix(prefix), validate=True)


def sign(fixture):
    prefix = fixture.comments["signature"].removesuffix("-signature")
    timestamp = str(int(datetime.fromisoformat(fixture.comments["signed-at"].replace("Z", "+00:00")).timestamp()))
    message = f"{fixture.headers[f'{prefix}-id']}.{timestamp}.".encode() + fixture.body
    if fixture.secret.startswith("whsk_"):
        version, signature = "v1a", ed25519(decode(fixture.secret, "whsk_"), message)
    else:
        version, signature = "v1", hmac.new(decode(fixture.secret, "whsec_"), message, hashlib.sha256).digest()
    own = f"{version},{base64.b64encode(signature).decode()}"
    entries = [fixture.comments.get("before"), own, fixture.comments.get("after")]
    return {f"{prefix}-timestamp": timestamp, f"{prefix}-signature": " ".join(filter(None, entries))}
