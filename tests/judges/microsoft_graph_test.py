"""Microsoft's own client against the simulator of Graph, at another address."""

import asyncio
import dataclasses
import json
from datetime import datetime, timedelta, timezone

from kiota_abstractions.api_error import APIError
from kiota_abstractions.authentication import AccessTokenProvider, AllowedHostsValidator, BaseBearerTokenAuthenticationProvider
from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_abstractions.serialization import Parsable
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.generated.models.date_time_time_zone import DateTimeTimeZone
from msgraph.generated.models.event import Event
from msgraph.generated.models.event_type import EventType
from msgraph.generated.models.free_busy_status import FreeBusyStatus
from msgraph.generated.models.sensitivity import Sensitivity
from msgraph.generated.models.single_value_legacy_extended_property import SingleValueLegacyExtendedProperty
from msgraph.generated.models.subscription import Subscription
from simulated import Simulated

KEY = "hooktide0123456789abcdefghijklmnopqr"
PROPERTY = "String {6d70a3b5-7a1c-4d2b-9f0e-3b6c5f0c8e21} Name hooktide"
PREFER = 'IdType="ImmutableId", outlook.timezone="UTC"'
WINDOW = {"start_date_time": "2026-11-28T00:00:00Z", "end_date_time": "2027-02-02T00:00:00Z"}


class Token(AccessTokenProvider):
    """The token that the simulator takes."""

    async def get_authorization_token(self, uri, additional_authentication_context=None):
        return "hush-graph-access-token"

    def get_allowed_hosts_validator(self):
        return AllowedHostsValidator(["127.0.0.1"])


class MicrosoftGraph(Simulated):
    provider = "microsoft-graph"

    def setUp(self):
        super().setUp()
        adapter = GraphRequestAdapter(BaseBearerTokenAuthenticationProvider(Token()))
        adapter.base_url = f"{self.url}/v1.0"
        self.me = GraphServiceClient(request_adapter=adapter).me
        self.subscriptions = GraphServiceClient(request_adapter=adapter).subscriptions
        self.runner = asyncio.Runner()
        self.addCleanup(self.runner.close)

    def ask(self, question):
        """The answer to a question, which has nothing but what the client knows of such an answer."""
        answer = self.runner.run(question)
        self.assertEqual(list(unknown(answer)), [])
        return answer

    def refused(self, question):
        """The status and the code with which a question is refused."""
        with self.assertRaises(APIError) as raised:
            self.runner.run(question)
        return raised.exception.response_status_code, raised.exception.error.code

    def calendars(self):
        """The calendars by their names."""
        parameters = {"select": ["id", "name", "isDefaultCalendar", "canEdit"], "top": 2}
        page, found = self.ask(get(self.me.calendars, **parameters)), {}
        while True:
            found |= {one.name: one for one in page.value}
            if not page.odata_next_link:
                return found
            page = self.ask(get(self.me.calendars.with_url(page.odata_next_link)))

    def own(self):
        """The calls about the main calendar."""
        (own,) = [one for one in self.calendars().values() if one.is_default_calendar]
        return self.me.calendars.by_calendar_id(own.id)

    def round(self, delta, prefer=PREFER, **parameters):
        """All pages of a round, by the client's own way from one to the next; and where the next round begins."""
        items = []
        while True:
            page = self.ask(get(delta, prefer, **parameters))
            items += page.value
            if page.odata_delta_link:
                self.assertIsNone(page.odata_next_link)
                return items, delta.with_url(page.odata_delta_link)
            delta, parameters = delta.with_url(page.odata_next_link), {}

    def test_calendars_are_listed_and_read(self):
        calendars = self.calendars()
        self.assertEqual({name: one.can_edit for name, one in calendars.items()}["Holidays in Austria"], False)
        self.assertEqual([name for name, one in calendars.items() if one.is_default_calendar], ["Calendar"])
        one = self.ask(get(self.me.calendars.by_calendar_id(calendars["Team"].id), select=["id", "name"]))
        self.assertEqual((one.id, one.name), (calendars["Team"].id, "Team"))
        self.assertEqual(self.refused(get(self.me.calendars.by_calendar_id("AQMk=")))[0], 404)

    def test_a_round_has_occurrences_without_their_fields_and_goes_on_from_its_link(self):
        delta = self.own().calendar_view.delta
        items, later = self.round(delta, f"{PREFER}, odata.maxpagesize=3", **WINDOW)
        (series,) = [one for one in items if one.type == EventType.SeriesMaster]
        occurrences = [one for one in items if one.type == EventType.Occurrence]
        self.assertGreater(len(occurrences), 3)
        self.assertEqual({one.series_master_id for one in occurrences}, {series.id})
        self.assertEqual({one.show_as for one in occurrences}, {None}, "occurrences come stripped")
        self.assertEqual({one.start.time_zone for one in items if one.start}, {"UTC"})
        instances = self.own().events.by_event_id(series.id).instances
        found = self.ask(get(instances, **WINDOW, select=["id", "type", "start", "end", "showAs"], top=100)).value
        exceptions = [one.id for one in items if one.type == EventType.Exception]
        self.assertEqual({one.id for one in found}, {one.id for one in occurrences} | set(exceptions))

        made = self.edit("event", {"subject": "Tasting", "start": time(9), "end": time(10)}).split("/")[1]
        changed, later = self.round(later)
        self.assertEqual([(one.id, one.subject) for one in changed], [(made, "Tasting")])
        self.edit("event", None, made)
        gone, later = self.round(later)
        self.assertEqual([(one.id, one.additional_data["@removed"]) for one in gone], [(made, {"reason": "deleted"})])
        self.assertEqual(self.round(later)[0], [])
        self.edit("tokens", None)
        self.assertEqual(self.refused(get(later))[0], 410)

    def block(self):
        """A block as Hooktide writes it."""
        return Event(
            subject="Busy",
            start=DateTimeTimeZone(date_time="2026-12-01T09:00:00", time_zone="UTC"),
            end=DateTimeTimeZone(date_time="2026-12-01T10:00:00", time_zone="UTC"),
            is_all_day=False,
            show_as=FreeBusyStatus.Busy,
            sensitivity=Sensitivity.Private,
            is_reminder_on=False,
            response_requested=False,
            transaction_id=KEY,
            single_value_extended_properties=[SingleValueLegacyExtendedProperty(id=PROPERTY, value=KEY)],
        )

    def found(self, events):
        """The block, looked for by its key."""
        of_key = f"singleValueExtendedProperties/Any(ep: ep/id eq '{PROPERTY}' and ep/value eq '{KEY}')"
        return self.ask(get(events, filter=of_key, select=["id", "iCalUId", "start", "end", "showAs"], top=2)).value

    def test_blocks_are_written_once_found_by_their_key_moved_and_removed(self):
        events = self.own().events
        self.assertEqual(self.found(events), [])
        made = self.ask(events.post(self.block(), asked()))
        self.assertEqual((made.transaction_id, made.show_as, made.sensitivity), (KEY, FreeBusyStatus.Busy, Sensitivity.Private))
        self.assertEqual((made.is_reminder_on, made.attendees), (False, []))
        status, code = self.refused(events.post(self.block(), asked()))
        self.assertIn(status, (400, 409))
        self.assertEqual(code, "ErrorDuplicateTransactionId")
        (found,) = self.found(events)
        self.assertEqual((found.id, found.i_cal_u_id, found.subject), (made.id, made.i_cal_u_id, None))

        days = {"date_time": "2026-12-02T00:00:00", "time_zone": "UTC"}, {"date_time": "2026-12-03T00:00:00", "time_zone": "UTC"}
        start, end = (DateTimeTimeZone(**one) for one in days)
        moved = Event(subject="Busy", start=start, end=end, is_all_day=True, show_as=FreeBusyStatus.Busy)
        one, etag = events.by_event_id(made.id), made.additional_data["@odata.etag"]
        patched = self.ask(one.patch(moved, asked(etag=etag)))
        self.assertEqual((patched.is_all_day, patched.start.date_time), (True, "2026-12-02T00:00:00.0000000"))
        for stale in (one.patch(moved, asked(etag=etag)), one.delete(asked(etag=etag))):
            self.assertEqual(self.refused(stale)[0], 412)
        self.ask(one.delete(asked(etag=patched.additional_data["@odata.etag"])))
        self.assertEqual(self.refused(get(one, select=["id"])), (404, "ErrorItemNotFound"))
        self.assertEqual(self.found(events), [])
        # Taken for ever, though the event is gone.
        self.assertEqual(self.refused(events.post(self.block(), asked()))[1], "ErrorDuplicateTransactionId")

    def test_a_subscription_is_made_told_renewed_and_ended(self):
        calendar = self.calendars()["Calendar"].id
        ends = datetime.now(timezone.utc) + timedelta(days=6)
        wanted = Subscription(
            change_type="created,updated,deleted",
            notification_url=self.address,
            lifecycle_notification_url=self.address,
            resource=f"/me/calendars/{calendar}/events",
            expiration_date_time=ends,
            client_state="ours",
            latest_supported_tls_version="v1_2",
        )
        made = self.ask(self.subscriptions.post(wanted, asked()))
        self.assertEqual((made.client_state, made.resource), ("ours", wanted.resource))
        one = self.subscriptions.by_subscription_id(made.id)
        self.assertIsNone(self.ask(get(one)).client_state, "nobody is told again")
        self.assertEqual([one.id for one in self.ask(get(self.subscriptions)).value], [made.id])
        event = self.edit("event", {"subject": "Lunch"}).split("/")[1]
        [(_, body)] = self.notifications(1)
        (item,) = json_of(body)["value"]
        self.assertEqual((item["subscriptionId"], item["clientState"]), (made.id, "ours"))
        self.assertEqual((item["changeType"], item["resourceData"]["id"]), ("created", event))

        renewed = self.ask(one.patch(Subscription(expiration_date_time=ends - timedelta(days=1)), asked()))
        self.assertLess(renewed.expiration_date_time, ends)
        late = Subscription(expiration_date_time=ends + timedelta(days=30))
        self.assertEqual(self.refused(one.patch(late, asked()))[0], 400)
        self.ask(one.reauthorize.post(asked()))
        self.edit("subscription", {"lifecycle": "missed"}, made.id)
        told = json_of(self.notifications(2)[1][1])["value"][0]
        self.assertEqual((told["lifecycleEvent"], told["subscriptionId"]), ("missed", made.id))
        self.ask(one.delete(asked()))
        self.assertEqual(self.refused(get(one))[0], 404)

    def test_a_token_that_has_ended_is_refused(self):
        self.control("faults", {"expire_credentials": True})
        self.assertEqual(self.refused(get(self.me.calendars)), (401, "InvalidAuthenticationToken"))


def get(calls, prefer=PREFER, **parameters):
    """The question for what is there, with these parameters, by the names that the client gives them."""
    of_it = getattr(calls, f"{type(calls).__name__}GetQueryParameters", None)
    return calls.get(asked(prefer, parameters=of_it(**parameters) if parameters else None))


def asked(prefer=PREFER, etag=None, parameters=None):
    """How a question is asked: what it prefers, on which condition, with which parameters."""
    configuration = RequestConfiguration(query_parameters=parameters)
    configuration.headers.add("Prefer", prefer)
    if etag:
        configuration.headers.add("If-Match", etag)
    return configuration


def unknown(value, path="answer"):
    """What an answer has that the client does not know."""
    if isinstance(value, list):
        for number, one in enumerate(value):
            yield from unknown(one, f"{path}[{number}]")
    if not isinstance(value, Parsable):
        return
    for name in (field.name for field in dataclasses.fields(value)):
        one = getattr(value, name)
        if name == "additional_data":
            yield from (f"{path}.{more}" for more in one if not more.startswith("@") and "@odata." not in more)
        else:
            yield from unknown(one, f"{path}.{name}")


def time(hour):
    return {"dateTime": f"2026-12-18T{hour:02}:00:00", "timeZone": "UTC"}


def json_of(body):
    return json.loads(body)
