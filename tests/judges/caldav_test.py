"""Calendar servers that know nothing of Hooktide, read and written by its CalDAV client: Radicale and Xandikos."""

import base64
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request
from pathlib import Path

import processes

CHECKOUT = Path(__file__).resolve().parents[2]
CLIENT = Path(os.environ.get("CARGO_TARGET_DIR", CHECKOUT / "target")) / "debug/examples/caldav_client"
STARTS_WITHIN = 30
USER, PASSWORD = "anna", "hush-secret"
KEY = "hooktide0123456789abcdefghijklmnopqrstuv"
EVENT = """BEGIN:VCALENDAR\r
VERSION:2.0\r
PRODID:-//Judge//EN\r
BEGIN:VEVENT\r
UID:{uid}\r
DTSTAMP:20261101T000000Z\r
{lines}\r
END:VEVENT\r
END:VCALENDAR\r
"""


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Server:
    """What the servers have in common: mixed into the cases of each."""

    maxDiff = None

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command = self.command(Path(folder.name))
        self.log = Path(folder.name) / "log"
        with open(self.log, "wb") as log:
            process = processes.start([sys.executable, "-m", *command], dict(os.environ), None, log)
        self.addCleanup(processes.end, process)
        self.wait()
        self.prepare()
        self.client = subprocess.Popen(
            [CLIENT, self.url, USER, PASSWORD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.addCleanup(self.client.wait)
        self.addCleanup(self.client.stdout.close)
        self.addCleanup(self.client.stdin.close)

    def wait(self):
        deadline = time.monotonic() + STARTS_WITHIN
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                self.assertLess(time.monotonic(), deadline, self.log.read_text())
                time.sleep(0.05)

    def http(self, method, path, body=None, headers=None, expected=(200, 201, 204, 207)):
        """Asks the server as another client does."""
        proof = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        headers = {"authorization": f"Basic {proof}", **(headers or {})}
        request = urllib.request.Request(self.url + path, body and body.encode(), headers, method=method)
        try:
            with urllib.request.urlopen(request) as answer:
                status = answer.status
        except urllib.error.HTTPError as refused:
            status = refused.code
        self.assertIn(status, expected, f"{method} {path}")

    def put(self, calendar, name, uid, lines):
        event = EVENT.format(uid=uid, lines="\r\n".join(lines))
        self.http("PUT", f"{calendar}{name}", event, {"content-type": "text/calendar"})

    def take(self, **command):
        """Lets the client take a command."""
        self.client.stdin.write(json.dumps(command) + "\n")
        self.client.stdin.flush()
        answer = json.loads(self.client.stdout.readline())
        self.assertNotIn("refused", answer, command)
        return answer

    def calendar(self):
        parts = self.take(do="calendars")["parts"]
        self.assertEqual([part["id"] for part in parts], [self.home + "tea/"], parts)
        return parts[0]["id"]

    def events(self, calendar, cursor=None):
        """The events that are told, by their names, and the cursor after them."""
        told = self.take(do="events", calendar=calendar, cursor=cursor)
        self.assertEqual(told["odd"], [])
        return {name.split("/")[-1]: event for name, event in told["events"].items()}, told["cursor"]

    def test_calendars_and_events_are_read_and_then_what_changed(self):
        calendar = self.calendar()
        self.put(calendar, "one.ics", "one", ["DTSTART:20261202T090000Z", "DTEND:20261202T100000Z"])
        self.put(calendar, "a%20b%40c.ics", "days", ["DTSTART;VALUE=DATE:20261203", "DTEND;VALUE=DATE:20261205"])
        weekly = ["DTSTART:20261204T170000Z", "DURATION:PT1H", "RRULE:FREQ=WEEKLY", "EXDATE:20261211T170000Z"]
        self.put(calendar, "weekly.ics", "weekly", weekly)
        events, cursor = self.events(calendar)
        self.assertEqual(set(events), {"one.ics", "a b@c.ics", "weekly.ics"})
        self.assertEqual(events["one.ics"]["start"], "2026-12-02T09:00:00Z")
        self.assertEqual((events["a b@c.ics"]["all_day"], events["a b@c.ics"]["end"]), (True, "2026-12-05"))
        self.assertTrue(any("FREQ=WEEKLY" in rule for rule in events["weekly.ics"]["recurrence"]))
        same, cursor = self.events(calendar, cursor)
        self.assertEqual(same, {})

        free = ["DTSTART:20261202T090000Z", "DTEND:20261202T100000Z", "TRANSP:TRANSPARENT"]
        self.put(calendar, "one.ics", "one", free)
        self.http("DELETE", f"{calendar}weekly.ics")
        changed, cursor = self.events(calendar, cursor)
        self.assertEqual(set(changed), {"one.ics", "weekly.ics"})
        self.assertEqual((changed["one.ics"]["busy"], changed["weekly.ics"]), (False, None))
        self.assertEqual(self.events(calendar, cursor)[0], {})
        whole, _ = self.events(calendar)
        self.assertEqual(set(whole), {"one.ics", "a b@c.ics"})

    def test_many_events_are_read_in_parts(self):
        calendar = self.calendar()
        names = [f"{number:040}.ics" for number in range(320)]
        for number, name in enumerate(names):
            at = f"202612{number % 28 + 1:02}T{number % 23:02}"
            self.put(calendar, name, f"uid-{number}", [f"DTSTART:{at}0000Z", f"DTEND:{at}3000Z"])
        events, cursor = self.events(calendar)
        self.assertEqual(sorted(events), names)
        self.http("DELETE", f"{calendar}{names[7]}")
        self.assertEqual(self.events(calendar, cursor)[0], {names[7]: None})

    def test_a_cursor_that_is_not_known_has_expired(self):
        calendar = self.calendar()
        _, cursor = self.events(calendar)
        odd = json.dumps({**json.loads(cursor), "token": "http://example.com/odd"})
        self.client.stdin.write(json.dumps({"do": "events", "calendar": calendar, "cursor": odd}) + "\n")
        self.client.stdin.flush()
        self.assertEqual(json.loads(self.client.stdout.readline()), {"refused": "Expired"})

    def settled(self, written, look):
        """What is there after a write: servers that say no etag are asked."""
        if written["written"] != "There":
            self.assertIn(written["written"], ("Taken", "Changed"))
            written = self.take(**look)
        self.assertEqual((written["written"], written["is_as_wanted"]), ("There", True))
        self.assertTrue(written["etag"].startswith('"'), written)
        return written

    def test_a_block_is_made_once_changed_and_removed(self):
        calendar = self.calendar()
        block = {"do": "write", "calendar": calendar, "key": KEY}
        first = {**block, "start": "2026-12-01T09:00:00Z", "end": "2026-12-01T10:00:00Z"}
        second = {**block, "start": "2026-12-24", "end": "2026-12-27"}
        self.assertEqual(self.take(**first, step="look"), {"written": "Gone"})
        there = self.settled(self.take(**first, step="create"), {**first, "step": "look"})
        self.assertEqual(self.take(**first, step="create"), {"written": "Taken"})
        events, _ = self.events(calendar)
        self.assertEqual(set(events), {there["id"]})
        self.assertTrue(events[there["id"]]["own_block"])

        stale = there["etag"]
        change = {**second, "step": "change", "id": there["id"], "etag": stale}
        there = self.settled(self.take(**change), {**second, "step": "look", "id": there["id"]})
        self.assertEqual(self.take(**change), {"written": "Changed"})
        self.assertEqual(self.take(**block, step="remove", id=there["id"], etag=stale), {"written": "Changed"})
        gone = self.take(**block, step="remove", id=there["id"], etag=there["etag"])
        self.assertEqual(gone, {"written": "Gone"})
        self.assertEqual(self.take(**block, step="remove", id=there["id"]), {"written": "Gone"})
        self.assertEqual(self.events(calendar)[0], {})


class Radicale(Server, unittest.TestCase):
    home = f"/{USER}/"

    def command(self, folder):
        users = folder / "users"
        users.write_text(f"{USER}:{PASSWORD}\n")
        config = folder / "config"
        config.write_text(
            f"[server]\nhosts = 127.0.0.1:{self.port}\n"
            f"[auth]\ntype = htpasswd\nhtpasswd_filename = {users}\nhtpasswd_encryption = plain\n"
            f"[storage]\nfilesystem_folder = {folder / 'collections'}\n"
        )
        return ["radicale", "--config", str(config)]

    def prepare(self):
        self.http("MKCALENDAR", f"{self.home}tea/")


class Xandikos(Server, unittest.TestCase):
    home = "/user/calendars/"

    def command(self, folder):
        folder = folder / "dav"
        return [
            "xandikos.web",
            "--directory",
            str(folder),
            "--listen-address",
            "127.0.0.1",
            "--port",
            str(self.port),
            "--current-user-principal",
            "/user/",
            "--autocreate",
            "--defaults",
        ]

    def prepare(self):
        self.http("MKCALENDAR", f"{self.home}tea/")
        self.http("DELETE", f"{self.home}calendar/")
