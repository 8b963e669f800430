"""How eBay signs: ECDSA on P-256 over the body alone; the header says the key's id, the hash and the signature in DER."""

import base64
import hashlib
import hmac
import json

P = 2**256 - 2**224 + 2**192 + 2**96 - 1
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
HASHES = {"SHA1": hashlib.sha1, "SHA256": hashlib.sha256}


def add(a, b):
    """The sum of two points; `None` is the point at infinity."""
    if a is None or b is None:
        return a or b
    if a[0] == b[0] and (a[1] + b[1]) % P == 0:
        return None
    if a == b:
        slope = (3 * a[0] * a[0] - 3) * pow(2 * a[1], -1, P)
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, P)
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def times(k, point):
    total = None
    while k:
        if k & 1:
            total = add(total, point)
        point, k = add(point, point), k >> 1
    return total


def nonces(key, digest, hash_of):
    """RFC 6979, 3.2: nonces that need no chance, so that a fixture is always signed the same."""
    octets = key.to_bytes(32, "big") + (digest % N).to_bytes(32, "big")
    size = hash_of().digest_size
    mac = lambda k, data: hmac.new(k, data, hash_of).digest()
    v, k = b"\1" * size, b"\0" * size
    for step in (b"\0", b"\1"):
        k = mac(k, v + step + octets)
        v = mac(k, v)
    while True:
        bits = b""
        while len(bits) < 32:
            v = mac(k, v)
            bits += v
        nonce = int.from_bytes(bits[:32], "big")
        if 0 < nonce < N:
            yield nonce
        k = mac(k, v + b"\0")
        v = mac(k, v)


def der(r, s):
    def integer(n):
        data = n.to_bytes(n.bit_length() // 8 + 1, "big")
        return bytes([2, len(data)]) + data

    body = integer(r) + integer(s)
    return bytes([0x30, len(body)]) + body


def ecdsa(key, message, hash_of):
    digest = int.from_bytes(hash_of(message).digest(), "big")
    for nonce in nonces(key, digest, hash_of):
        r = times(nonce, G)[0] % N
        s = pow(nonce, -1, N) * (digest + r * key) % N
        if r and s:
            return der(r, s)


def public_key(key):
    """eBay's answer about the key: a PEM on one line."""
    spki = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200") + b"\4"
    spki += b"".join(n.to_bytes(32, "big") for n in times(key, G))
    return f"-----BEGIN PUBLIC KEY-----{base64.b64encode(spki).decode()}-----END PUBLIC KEY-----"


def sign(fixture):
    secret = json.loads(fixture.secret)
    digest = secret.get("digest", "SHA1")
    signature = ecdsa(int(secret["key"], 16), fixture.body, HASHES[digest])
    header = {
        "alg": "ecdsa",
        "kid": secret["kid"],
        "signature": base64.b64encode(signature).decode(),
        "digest": digest,
    }
    return {"x-ebay-signature": base64.b64encode(json.dumps(header, separators=(",", ":")).encode()).decode()}
