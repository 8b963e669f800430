"""Every sample event, handed to its function as `make invoke` does it."""

import json
import re
import subprocess
import sys
import tempfile
import unittest

from emulator import CHECKOUT
from providers import PROVIDERS
from samples import WORLD, provider_of
from workbench import FUNCTIONS, Workbench

EVENTS = sorted(path for path in (CHECKOUT / "events").glob("*.json") if path != WORLD)
# What is answered, by the file's name; the first that fits counts.
ANSWERS = [
    (r"api\.create-token", lambda answer: answer["token"].startswith("hk_")),
    (r"api\.health", lambda answer: answer["statusCode"] == 200),
    (r"api\..*without-token", lambda answer: answer["statusCode"] == 401),
    (r"api\.not-found", lambda answer: answer["statusCode"] == 404),
    (r"poller\.", lambda answer: {"deferred", "jobs"} <= set(answer)),
    (r"renewer\.", lambda answer: "connections" in answer),
    (r"(processor|syncer)\.", lambda answer: answer == {"batchItemFailures": []}),
    (r".*\.tampered", lambda answer: answer["statusCode"] == 401),
    (r".*\.unknown", lambda answer: answer["statusCode"] == 404),
    (r".*\.wrong-method", lambda answer: answer["statusCode"] == 405),
    (r"microsoft-graph\.created", lambda answer: answer["statusCode"] == 202),
    (r".*", lambda answer: answer["statusCode"] == 200),
]


def function_of(event):
    """A file is named after its function; the receiver's after the provider."""
    return "receiver" if provider_of(event) else event.name.partition(".")[0]


class Invoking(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.log = cls.enterClassContext(tempfile.TemporaryFile("w+"))
        cls.workbench = cls.enterClassContext(Workbench(cls.log))

    def test_every_function_answers_every_sample_event_as_expected(self):
        for event in EVENTS:
            with self.subTest(event.name):
                (expected, *_) = [check for name, check in ANSWERS if re.match(name, event.name)]
                done = self.workbench.invoke(function_of(event), event)
                self.assertEqual(done.returncode, 0, f"{done.stderr}\n{self.logged()}")
                self.assertTrue(expected(json.loads(done.stdout)), done.stdout)

    def test_every_function_has_a_sample_event(self):
        self.assertEqual({function_of(event) for event in EVENTS}, set(FUNCTIONS))

    def test_every_provider_has_a_sample_event(self):
        self.assertEqual({provider_of(event) for event in EVENTS} - {None}, set(PROVIDERS))

    def logged(self):
        """The end of what the functions and the compiler said."""
        self.log.seek(0)
        return self.log.read()[-4000:]


class Script(unittest.TestCase):
    def test_the_script_prints_the_answer_and_nothing_else(self):
        command = [sys.executable, CHECKOUT / "scripts/invoke", "api", "events/api.health.json"]
        done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(json.loads(done.stdout)["body"])["status"], "ok")

    def test_the_script_says_which_events_there_are(self):
        command = [sys.executable, CHECKOUT / "scripts/invoke", "api", "events/no-such.json"]
        done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True)
        self.assertEqual(done.returncode, 2)
        self.assertIn("events/api.health.json", done.stderr)


if __name__ == "__main__":
    unittest.main()
