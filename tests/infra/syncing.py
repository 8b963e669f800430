"""What the deployed stack reads at providers, and what it is told by them: connections to their simulators."""

import os
import time

from providers import PROVIDERS
from samples import sample_of
from simulated import SIMULATED
from world import TENANT

# What is edited at a provider, and the field with its title; elsewhere a product and its name.
EDITED = {
    "google-calendar": ("event", "summary"),
    "microsoft-graph": ("event", "subject"),
    "shopify": ("product", "title"),
}
# The calendars are one person's.
USER = "anna"
OF_CALENDARS = {"user": USER, "share_titles": True}
SETTINGS = {"caldav": OF_CALENDARS, "google-calendar": OF_CALENDARS, "microsoft-graph": OF_CALENDARS}
# What a subscription says that cannot be made: what it is about is polled, by design.
POLLED = "the provider sends no webhooks about this, so it is polled"
# A schedule runs each minute; what it begins takes the start of a few functions.
BY_SCHEDULE = 120


class Syncing:
    """Tests of a class that has a `world`; it calls `connect` first, so that schedules run while others are tested."""

    @classmethod
    def connect(cls):
        """A connection to each simulator, and one that is to be polled."""
        cls.synced = {provider: cls.connected_to(provider) for provider in SIMULATED}
        cls.polled = cls.connected_to("woocommerce", mode="polling")

    @classmethod
    def connected_to(cls, provider, **settings):
        sample = sample_of(provider)
        new = {
            "provider": provider,
            "account": sample["account"],
            "secrets": {**sample["secrets"], **sample["credentials"]},
            "settings": {**cls.world.simulators.settings(provider), **SETTINGS.get(provider, {}), **settings},
        }
        return cls.world.http.done("POST", "/v1/connections", new)["id"]

    def test_what_there_is_is_read_at_once_and_an_edit_comes_by_webhook(self):
        for provider, connection in self.synced.items():
            if provider not in PROVIDERS:
                continue
            with self.subTest(provider):
                self.world.until(lambda: self.rests(connection), f"peace at {provider}", BY_SCHEDULE)
                self.assertIn("full", {change["via"] for change in self.changes(connection)})
                change = self.after_an_edit(provider, connection)
                self.assertEqual((change["op"], change["via"]), ("created", "webhook"))
                self.assertEqual(self.world.simulators[provider].state()["notifications"]["refused"], 0)

    def test_what_is_polled_finds_an_edit_by_the_schedule_and_has_no_subscription(self):
        self.world.until(lambda: self.changes(self.polled), "first sync of what is polled")
        from_now_on = self.synced["square"]
        self.assertEqual(set(self.subscriptions(from_now_on)), {"active"})
        self.world.http.done("PATCH", f"/v1/connections/{from_now_on}", {"settings": {"mode": "polling"}})
        # So long that its document goes into the bucket.
        change = self.after_an_edit("woocommerce", self.polled, os.urandom(120 * 1024).hex())
        self.assertEqual(change["via"], "polling")
        self.assertEqual(len(self.world.objects(f"documents/{TENANT}/{self.polled}/")), 1)
        self.assertEqual(self.subscriptions(self.polled), [])
        self.world.until(lambda: not self.subscriptions(from_now_on), "end of the subscriptions", BY_SCHEDULE)
        self.assertEqual(self.world.simulators["square"].state()["account"]["subscriptions"], [])

    def after_an_edit(self, provider, connection, title="Gyokuro"):
        """The change that comes of something new at the provider."""
        what, named = EDITED.get(provider, ("product", "name"))
        self.world.simulators[provider].edit(what, **{named: title})
        titled = lambda: [one for one in self.changes(connection) if title in (one["document"] or {}).values()]
        return self.world.until(titled, f"change at {provider}", BY_SCHEDULE)[0]

    def changes(self, connection):
        """What the feed says of a connection."""
        return [one for one in self.world.http.follow("/v1/changes") if one["entity"].split("/")[1] == connection]

    def credentials(self):
        """What nobody may be told: what the stack proves itself with at providers."""
        samples = {provider: sample_of(provider)["credentials"] for provider in SIMULATED}
        # The ids of apps are public.
        return {f"{one} {name}": text for one, all in samples.items() for name, text in all.items() if name != "client_id"}

    def subscriptions(self, connection):
        """The states of a connection's subscriptions."""
        return [one["state"]["S"] for one in self.world.records("subscriptions", f"{connection}#")]

    def rests(self, connection):
        """Whether all of its subscriptions are well, and no sync of what they are about is under way or soon to come. What
        cannot be subscribed to is left out: it is polled, so there is always a sync to come."""
        all = self.world.records("subscriptions", f"{connection}#")
        made = [one for one in all if one.get("reason", {}).get("S") != POLLED]
        about, polled = {one["resource"]["S"] for one in made}, {resource(one) for one in all if one not in made}
        marks = {one["resource"]["S"]: one for one in self.world.records("B", "sync#")}
        ours = lambda of: of.split("/")[0] in about and of.split("/")[1] == connection and of not in polled
        marks = [one for of, one in marks.items() if ours(of)]
        soon = (time.time() + BY_SCHEDULE) * 1000
        busy = [one for one in marks if one["running"]["BOOL"] or int(one["due_at"]["N"]) < soon]
        return marks and not busy and {one["state"]["S"] for one in made} == {"active"}


def resource(subscription):
    """What a subscription is about, as marks name it."""
    parts = (subscription[name]["S"] for name in ("resource", "connection", "part") if name in subscription)
    return "/".join(parts)
