"""The sample events of providers, signed anew: for another address or another time than those in `events/`.

What signs is each provider's `recipe.py`, as for the fixtures, and never our own code.
"""

import functools
import importlib.util
import json
import re
from datetime import datetime, timezone

from emulator import CHECKOUT
from providers import PROVIDERS

EVENTS = CHECKOUT / "events"
WORLD = EVENTS / "world.json"


def of_provider(provider):
    """The files with a provider's samples: of one topic of each sort."""
    topics = sample_of(provider)["topics"]
    return [EVENTS / f"{provider}.{re.sub('[/.]', '-', topic)}.json" for topic in topics]


def provider_of(path):
    """The provider that a sample's file is named after, if it is one."""
    first = path.name.partition(".")[0]
    return first if first in PROVIDERS else None


@functools.cache
def signer():
    spec = importlib.util.spec_from_file_location("sign", CHECKOUT / "tests/fixtures/sign.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def folder(provider):
    return signer().PROVIDERS / provider.replace("-", "_")


@functools.cache
def schemes(provider):
    """Each header that carries a proof: the name of the secret that signs it, and whether the time is signed too."""
    found = {}
    for path in sorted(folder(provider).glob("fixtures/*.http")):
        comments = dict(re.findall(r"^# ([\w-]+): (.*)$", path.read_bytes().partition(b"\n\n")[0].decode(), re.MULTILINE))
        secret = comments.get("signing", comments.get("secret", "")).partition("=")[0]
        found.setdefault(comments.get("signature"), (secret, "signed-at" in comments))
    return found


class Sample:
    """One sample, as it is sent."""

    def __init__(self, path):
        event = json.loads(path.read_text())
        self.provider, self.name = provider_of(path), path.name
        self.method = event["requestContext"]["http"]["method"]
        added = {"host", "x-forwarded-for", "x-forwarded-port", "x-forwarded-proto"}
        self.headers = {name: value for name, value in event["headers"].items() if name not in added}
        self.body = event.get("body", "").encode()
        known = schemes(self.provider)
        self.proof = next((name for name in self.headers if name in known), None)
        self.secret, self.signs_time = known.get(self.proof, (None, False))

    def signed(self, url, secrets, body=None, at=None):
        """The headers, with a proof for this address and perhaps another body, as of now or a time in Unix seconds."""
        if not self.proof:
            return self.headers
        time = datetime.now(timezone.utc) if at is None else datetime.fromtimestamp(at, timezone.utc)
        comments = {"signature": self.proof, "url": url, "signed-at": time.isoformat(timespec="seconds")}
        fixture = signer().Fixture(comments, self.headers, body or self.body, secrets[self.secret])
        return {**self.headers, **signer().recipe_of(folder(self.provider))(fixture)}


    def signs_body(self, url, secrets):
        """Whether its proof is another one for another body."""
        return self.proof and self.signed(url, secrets, self.body + b" ")[self.proof] != self.signed(url, secrets)[self.proof]


def sample_of(provider):
    """The account, the secrets and the topics that a provider's samples are of. There are no secrets where what proves a
    delivery is a token that we derive."""
    return json.loads(WORLD.read_text())["samples"][provider]


def fresh(path):
    """The event of a file; where its time is signed, as of now, since it would be refused as too old."""
    event = json.loads(path.read_text())
    if provider_of(path):
        sample = Sample(path)
        if sample.signs_time:
            # No provider signs both the time and the address.
            event["headers"] |= sample.signed(None, sample_of(sample.provider)["secrets"])
    return event
