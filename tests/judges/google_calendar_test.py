"""Google's own client against the simulator of Google Calendar: its bundled discovery document, another address."""

import json
import uuid

from discovered import problems
from google.auth.exceptions import RefreshError
from google.oauth2.credentials import Credentials
from googleapiclient.discovery import build
from googleapiclient.discovery_cache import get_static_doc
from googleapiclient.errors import HttpError
from simulated import Simulated

SCHEMAS = json.loads(get_static_doc("calendar", "v3"))["schemas"]
MAIN = "owner@example.com"
KEY = "hooktide0123456789abcdefghijklmnopqr"


class GoogleCalendar(Simulated):
    provider = "google-calendar"

    def setUp(self):
        super().setUp()
        self.credentials = Credentials(
            token="hush-google-access-token",
            refresh_token="hush-google-refresh-token",
            token_uri=f"{self.url}/token",
            client_id="sample.apps.googleusercontent.com",
            client_secret="hush-google-client-secret",
        )
        self.service = build(
            "calendar",
            "v3",
            credentials=self.credentials,
            static_discovery=True,
            client_options={"api_endpoint": f"{self.url}/calendar/v3/"},
        )
        self.addCleanup(self.service.close)

    def ask(self, request, schema=None):
        """The answer to a request, which has nothing but what the discovery document says."""
        answer = request.execute()
        if schema:
            self.assertEqual(problems(SCHEMAS, schema, answer), [])
        return answer

    def refused(self, request):
        """The status and the reason with which a request is refused."""
        with self.assertRaises(HttpError) as raised:
            request.execute()
        return raised.exception.status_code, raised.exception.error_details[0]["reason"]

    def listed(self, collection, schema, **parameters):
        """All pages of a list, by the client's own way from one to the next."""
        request, pages = collection.list(**parameters), []
        while request is not None:
            pages.append(self.ask(request, schema))
            request = collection.list_next(request, pages[-1])
        for page in pages[:-1]:
            self.assertNotIn("nextSyncToken", page)
        return pages, [item for page in pages for item in page["items"]], pages[-1]["nextSyncToken"]

    def test_calendars_are_listed_and_read(self):
        lists = self.service.calendarList()
        _, calendars, token = self.listed(lists, "CalendarList", showHidden=True, maxResults=2)
        self.assertEqual([one["id"] for one in calendars if one.get("primary")], [MAIN])
        self.assertEqual(len(calendars), 3)
        entry = self.ask(lists.get(calendarId="primary"), "CalendarListEntry")
        self.assertEqual((entry["id"], entry["accessRole"]), (MAIN, "owner"))
        calendar = self.ask(self.service.calendars().get(calendarId=MAIN), "Calendar")
        self.assertEqual(calendar["timeZone"], "Europe/Vienna")
        new = self.edit("calendar", {"summary": "Choir"})
        changed = self.ask(lists.list(syncToken=token), "CalendarList")["items"]
        self.assertEqual([one["id"] for one in changed], [new])
        self.edit("calendar", None, new)
        changed = self.ask(lists.list(syncToken=token), "CalendarList")["items"]
        self.assertEqual([(one["id"], one["deleted"]) for one in changed], [(new, True)])

    def test_events_are_listed_page_by_page_and_by_token_as_hooktide_lists_them(self):
        events = self.service.events()
        same = {"singleEvents": False, "showDeleted": True, "maxAttendees": 1}
        pages, items, token = self.listed(events, "Events", calendarId=MAIN, maxResults=4, **same)
        self.assertIn([], [page["items"] for page in pages], "an empty page that is not the last")
        kinds = {"series": 0, "moved": 0, "cancelled": 0}
        for item in items:
            kinds["series"] += "recurrence" in item
            kinds["moved"] += "recurringEventId" in item and item["status"] == "confirmed"
            kinds["cancelled"] += item["status"] == "cancelled"
        self.assertEqual(kinds, {"series": 1, "moved": 1, "cancelled": 1})
        self.assertLessEqual(max(len(item.get("attendees", [])) for item in items), 1)
        calendar, event = self.edit("event", {"summary": "Lunch"}).split("/")
        self.assertEqual(calendar, MAIN)
        fields = "kind,timeZone,nextSyncToken,items(id,status,start,end,updated)"
        changed = self.ask(events.list(calendarId=MAIN, syncToken=token, fields=fields, **same), "Events")
        self.assertEqual([item["id"] for item in changed["items"]], [event])
        self.assertEqual(set(changed["items"][0]), {"id", "status", "start", "end", "updated"})
        one = self.ask(events.get(calendarId=MAIN, eventId=event), "Event")
        self.assertEqual(one["organizer"], {"email": MAIN, "self": True})
        self.edit("event", None, f"{MAIN}/{event}")
        changed = self.ask(events.list(calendarId=MAIN, syncToken=changed["nextSyncToken"], **same), "Events")
        self.assertEqual([(item["id"], item["status"]) for item in changed["items"]], [(event, "cancelled")])

    def test_what_google_refuses_is_refused_in_its_words(self):
        events = self.service.events()
        _, _, token = self.listed(events, "Events", calendarId=MAIN)
        for parameters in ({"q": "tea"}, {"orderBy": "updated"}, {"showDeleted": False}):
            refused = self.refused(events.list(calendarId=MAIN, syncToken=token, **parameters))
            self.assertEqual(refused, (400, "invalid"))
        self.assertEqual(self.refused(events.list(calendarId="nobody@example.com")), (404, "notFound"))
        self.edit("tokens", None)
        self.assertEqual(self.refused(events.list(calendarId=MAIN, syncToken=token)), (410, "fullSyncRequired"))
        self.control("faults", {"quota": 0})
        words = {self.refused(events.list(calendarId=MAIN)) for _ in range(4)}
        reasons = {"rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded"}
        self.assertEqual({reason for _, reason in words}, reasons)
        self.assertEqual({status for status, _ in words}, {403, 429})

    def test_a_channel_is_opened_told_and_stopped(self):
        channel = {"id": str(uuid.uuid4()), "type": "web_hook", "address": self.address, "token": "ours"}
        events = self.service.events()
        opened = self.ask(events.watch(calendarId=MAIN, body=channel), "Channel")
        self.assertEqual((opened["id"], opened["kind"]), (channel["id"], "api#channel"))
        self.assertEqual(self.refused(events.watch(calendarId=MAIN, body=channel)), (400, "channelIdNotUnique"))
        [(first, body)] = self.notifications(1)
        self.edit("event", {"summary": "Lunch"})
        _, (second, _) = self.notifications(2)
        self.assertEqual((first["x-goog-resource-state"], first["x-goog-message-number"], body), ("sync", "1", b""))
        self.assertEqual(second["x-goog-resource-state"], "exists")
        for headers in (first, second):
            self.assertEqual(headers["x-goog-channel-id"], channel["id"])
            self.assertEqual(headers["x-goog-channel-token"], "ours")
            self.assertEqual(headers["x-goog-resource-id"], opened["resourceId"])
            self.assertEqual(headers["x-goog-resource-uri"], opened["resourceUri"])
        self.assertGreater(int(second["x-goog-message-number"]), 1)
        stop = {"id": channel["id"], "resourceId": opened["resourceId"]}
        self.assertEqual(self.ask(self.service.channels().stop(body=stop)), "")
        self.assertEqual(self.refused(self.service.channels().stop(body=stop)), (404, "notFound"))
        of_list = {**channel, "id": str(uuid.uuid4())}
        self.ask(self.service.calendarList().watch(body=of_list), "Channel")
        wrong = {**channel, "id": str(uuid.uuid4()), "address": "http://hooks.example.com/"}
        self.assertEqual(self.refused(events.watch(calendarId=MAIN, body=wrong)), (400, "push.webhookUrlNotHttps"))

    def block(self, **more):
        """A block as Hooktide writes it, under an id of its own."""
        return {
            "id": KEY,
            "summary": "Busy",
            "start": {"dateTime": "2026-12-01T09:00:00Z"},
            "end": {"dateTime": "2026-12-01T10:00:00Z"},
            "status": "confirmed",
            "transparency": "opaque",
            "visibility": "private",
            "reminders": {"useDefault": False, "overrides": []},
            "extendedProperties": {"private": {"hooktide": KEY}},
            **more,
        }

    def on_condition(self, request, etag):
        """The request, on the condition that the event is in that state."""
        request.headers["If-Match"] = etag
        return request

    def test_blocks_are_written_marked_and_removed(self):
        events, fields = self.service.events(), "id,etag,iCalUID,status,transparency,start,end,recurrence"
        create = events.insert(calendarId=MAIN, body=self.block(), sendUpdates="none", fields=fields)
        made = self.ask(create, "Event")
        self.assertEqual(set(made), {"id", "etag", "iCalUID", "status", "start", "end"}, "what is as usual is left out")
        self.assertEqual(self.refused(events.insert(calendarId=MAIN, body=self.block())), (409, "duplicate"))
        found = self.ask(events.list(calendarId=MAIN, privateExtendedProperty=f"hooktide={KEY}"), "Events")["items"]
        self.assertEqual([item["id"] for item in found], [KEY])
        self.assertEqual((found[0]["visibility"], found[0]["reminders"]["useDefault"]), ("private", False))

        days = {
            "start": {"date": "2026-12-02", "dateTime": None, "timeZone": None},
            "end": {"date": "2026-12-03", "dateTime": None, "timeZone": None},
            "recurrence": None,
        }
        one = {"calendarId": MAIN, "eventId": KEY}
        patch = events.patch(**one, body=days, sendUpdates="none", fields=fields)
        patched = self.ask(self.on_condition(patch, made["etag"]), "Event")
        self.assertEqual(patched["start"], {"date": "2026-12-02"})
        self.assertNotEqual(patched["etag"], made["etag"])
        for stale in (events.patch(**one, body=days), events.update(**one, body=self.block()), events.delete(**one)):
            self.assertEqual(self.refused(self.on_condition(stale, made["etag"])), (412, "conditionNotMet"))
        removal = events.delete(**one, sendUpdates="none")
        self.assertEqual(self.ask(self.on_condition(removal, patched["etag"])), "")
        self.assertEqual(self.refused(events.delete(**one)), (410, "deleted"))

    def test_a_deleted_block_keeps_its_id_taken_and_comes_back_by_a_patch(self):
        events = self.service.events()
        one = {"calendarId": MAIN, "eventId": KEY}
        made = self.ask(events.insert(calendarId=MAIN, body=self.block()), "Event")
        self.edit("event", None, f"{MAIN}/{KEY}")
        gone = self.ask(events.get(**one), "Event")
        self.assertEqual(gone["status"], "cancelled")
        self.assertNotEqual(gone["etag"], made["etag"])
        self.assertEqual(self.refused(events.insert(calendarId=MAIN, body=self.block())), (409, "duplicate"))
        whole = {name: value for name, value in self.block().items() if name != "id"}
        back = self.ask(self.on_condition(events.patch(**one, body=whole, sendUpdates="none"), gone["etag"]), "Event")
        self.assertEqual((back["status"], back["start"]), ("confirmed", made["start"]))
        self.edit("event", {"start": {"date": "2026-12-05"}, "end": {"date": "2026-12-06"}}, f"{MAIN}/{KEY}")
        moved = self.ask(events.get(**one), "Event")
        self.assertEqual((moved["start"], moved["etag"] == back["etag"]), ({"date": "2026-12-05"}, False))
        some = events.patch(**one, body=whole, sendUpdates="none")
        some.uri = some.uri.replace("sendUpdates=none", "sendUpdates=some")
        self.assertEqual(self.refused(some), (400, "invalid"))

    def test_expired_credentials_are_renewed_by_the_client_until_the_consent_is_taken_back(self):
        self.control("faults", {"expire_credentials": True})
        self.listed(self.service.events(), "Events", calendarId=MAIN)
        self.assertTrue(self.credentials.token.startswith("ya29."))
        self.edit("consent", None)
        with self.assertRaisesRegex(RefreshError, "invalid_grant"):
            self.service.events().list(calendarId=MAIN).execute()
