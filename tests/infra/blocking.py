"""One person's calendars at several providers, which the deployed stack lets block each other."""

import time
from datetime import datetime, timedelta, timezone

from syncing import BY_SCHEDULE, USER

BOTH = {"blocks_others": True, "is_blocked": True}
# What is chosen for the main calendar of each.
CHOSEN = {"caldav": {"blocks_others": True}, "google-calendar": BOTH, "microsoft-graph": {"is_blocked": True}}


class Blocking:
    """Tests of a class that has a `world` and the connections of `Syncing`."""

    def test_an_edit_in_one_calendar_blocks_the_time_in_the_others_until_it_is_gone(self):
        calendars = {provider: self.chosen(provider) for provider in CHOSEN}
        dav, google = later(5), later(6)
        # It is polled, so it takes longest.
        self.made_at("caldav", dav)
        event = self.made_at("google-calendar", google)
        for start, blocked in ((google, ("microsoft-graph",)), (dav, ("google-calendar", "microsoft-graph"))):
            wanted = sorted((self.synced[provider], calendars[provider], "there") for provider in blocked)
            self.world.until(lambda: self.blocks(start) == wanted, f"blocks at {start} in {blocked}", BY_SCHEDULE)
            for provider in blocked:
                with self.subTest(provider=provider, start=start):
                    self.world.until(lambda: self.comes_home(provider, start), "block as an event", BY_SCHEDULE)
        self.world.simulators["google-calendar"].delete("event", event)
        self.world.until(lambda: not self.blocks(google), "end of the block", BY_SCHEDULE)
        self.assertEqual(self.unsettled(), [])
        removed = [self.world.http.done("POST", "/v1/busy/remove", {"connection": self.synced[one]}) for one in CHOSEN]
        self.assertTrue(any(one["blocks"] for one in removed), removed)
        self.world.until(lambda: not self.world.http.items("/v1/busy"), "end of all blocks", BY_SCHEDULE)
        self.assertEqual([one for one in self.at_graph() if "transactionId" in one], [])

    def chosen(self, provider):
        """The calendar that takes part, once that is chosen and the account is known."""
        calendars = f"/v1/connections/{self.synced[provider]}/calendars"
        found = lambda: [one["id"] for one in self.world.http.items(calendars) if one["is_main"]]
        calendar = self.world.until(found, f"calendars at {provider}", BY_SCHEDULE)[0]
        self.world.http.done("PUT", calendars, {"calendar": calendar, **CHOSEN[provider]})
        return calendar

    def made_at(self, provider, start):
        """An hour that somebody is taken from then on; its id."""
        end = start + timedelta(hours=1)
        if provider == "caldav":
            times = {"DTSTART": f"{start:%Y%m%dT%H%M%SZ}", "DTEND": f"{end:%Y%m%dT%H%M%SZ}"}
        else:
            times = {"start": {"dateTime": as_text(start)}, "end": {"dateTime": as_text(end)}}
        return self.world.simulators[provider].edit("event", **times)

    def blocks(self, start):
        """The blocks that begin then, in order: where each lies, and how far it is."""
        all = self.world.http.items("/v1/busy")
        return sorted((one["connection"], one["calendar"], one["state"]) for one in all if one["start"] == as_text(start))

    def unsettled(self):
        """What is still planned once there was time to write all of it."""
        deadline = time.monotonic() + BY_SCHEDULE
        while planned := self.world.http.done("GET", f"/v1/busy/plan?user={USER}")["items"]:
            if time.monotonic() > deadline:
                break
            time.sleep(1)
        return planned

    def comes_home(self, provider, start):
        """Whether a block that begins then was read as an event of the calendar that it lies in."""
        documents = [one["document"] or {} for one in self.changes(self.synced[provider])]
        return any(one.get("own_block") and one["start"] == as_text(start) for one in documents)

    def at_graph(self):
        """The events that Graph has."""
        state = self.world.simulators["microsoft-graph"].state()["account"]
        return [event for calendar in state["calendars"] for event in calendar["events"]]


def later(hour):
    """A time in a few days at which nobody begins anything else."""
    day = datetime.now(timezone.utc) + timedelta(days=3)
    return day.replace(hour=hour, minute=7, second=0, microsecond=0)


def as_text(at):
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
