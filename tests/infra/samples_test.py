"""The samples of `events/` are signed as an independent program signs them."""

import json
import unittest

from providers import PROVIDERS
from samples import WORLD, Sample, of_provider


class Samples(unittest.TestCase):
    def test_each_is_signed_as_its_providers_recipe_says(self):
        world = json.loads(WORLD.read_text())
        for path in (path for provider in PROVIDERS for path in of_provider(provider)):
            sample, event = Sample(path), json.loads(path.read_text())
            secrets = world["samples"][sample.provider]["secrets"]
            # Of the same body and time ECDSA makes another signature, whoever makes it; and some have derived tokens.
            if sample.provider == "ebay" or not secrets:
                continue
            with self.subTest(path.name):
                url = world["public_url"] + event["rawPath"]
                at = event["requestContext"]["timeEpoch"] // 1000
                self.assertIsNotNone(sample.proof)
                self.assertEqual(sample.signed(url, secrets, at=at), sample.headers)


if __name__ == "__main__":
    unittest.main()
