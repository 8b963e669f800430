"""The expansion of recurring events, against `recurring-ical-events`, which knows nothing of Hooktide: rules and exceptions
made at random, and every calendar in the published tests of that library and of `icalendar`."""

import datetime
import json
import os
import signal
import subprocess
import unittest
import zoneinfo
from pathlib import Path

import icalendar
import recurring_ical_events
import recurrence_differences
import recurrence_rules

CHECKOUT = Path(__file__).resolve().parents[2]
EXPAND = Path(os.environ.get("CARGO_TARGET_DIR", CHECKOUT / "target")) / "debug/expand"
RULES = 2200
RANGES = 400
# Instances near the edges of a window are not compared: the two say otherwise what overlaps one.
EDGE = datetime.timedelta(days=3)
# How many differences are shown.
MOST_SHOWN = 60
HOME = "Europe/Berlin"


class Expansion(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.process = subprocess.Popen([EXPAND], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.process.wait)
        self.addCleanup(self.process.stdout.close)
        self.addCleanup(self.process.stdin.close)

    def ours(self, case):
        """What Hooktide finds: `(uid, start, end)` of each instance; `None` if there are more than it lists."""
        asked = {"ics": case.ics, "from": utc(case.since), "to": utc(case.until), "zone": case.zone}
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if "wrong" in answer:
            return answer["wrong"]
        if answer["cut"]:
            return None
        # Events without an identifier are told apart here, and not there.
        for one in answer["instances"]:
            one["uid"] = "" if one["uid"].startswith("unnamed-") else one["uid"]
        found = [(one["uid"], one["start"], one["end"]) for one in answer["instances"] if not one["cancelled"]]
        return inside(found, case)

    def none_unknown(self, unknown):
        if unknown:
            self.fail(f"{len(unknown)} unknown differences:\n" + "\n".join(unknown[:MOST_SHOWN]))

    def test_generated_rules_recur_alike(self):
        compared, starts, differing, unknown = 0, 0, {}, []
        for case in recurrence_rules.cases(RULES):
            ours = self.ours(case)
            theirs = None if ours is None else expected(case)
            if theirs is None:
                continue
            compared, starts = compared + 1, starts + len(theirs)
            if ours == theirs:
                continue
            reason = recurrence_differences.of_rule(case, ours, theirs)
            if reason is None:
                unknown.append(f"{case.name}\n  only ours {only(ours, theirs)}\n  only theirs {only(theirs, ours)}")
            else:
                differing[reason] = differing.get(reason, 0) + 1
        print(f"{compared} generated rules with {starts} instances compared")
        for reason, count in differing.items():
            print(f"  {count} differ: {reason}")
        self.none_unknown(unknown)
        self.assertGreaterEqual(compared, 2000)
        self.assertGreater(starts, 20000)

    def test_ranges_of_exceptions_move_what_follows_alike(self):
        compared, starts, unknown = 0, 0, []
        for case in recurrence_rules.ranged_cases(RANGES):
            ours, theirs = self.ours(case), expected(case)
            if ours is None or theirs is None:
                continue
            compared, starts = compared + 1, starts + len(theirs)
            if ours != theirs:
                unknown.append(f"{case.name}\n  only ours {only(ours, theirs)}\n  only theirs {only(theirs, ours)}")
        print(f"{compared} series with ranges and {starts} instances compared")
        self.none_unknown(unknown)
        self.assertGreaterEqual(compared, 350)
        self.assertGreater(starts, 3000)

    def test_published_calendars_recur_alike(self):
        compared, differing, unknown = 0, {}, []
        for name, ics in published():
            for case in windows(name, ics):
                ours, theirs = self.ours(case), expected(case)
                if ours is None or theirs is None:
                    continue
                compared += 1
                if ours == theirs:
                    continue
                reason = recurrence_differences.of_file(name)
                if reason is None:
                    unknown.append(f"{case.name}\n  only ours {only(ours, theirs)}\n  only theirs {only(theirs, ours)}")
                else:
                    differing[name] = reason
        print(f"{compared} windows of published calendars compared")
        for name, reason in sorted(differing.items()):
            print(f"  {name} differs: {reason}")
        self.none_unknown(unknown)
        self.assertEqual(set(recurrence_differences.FILES), set(differing), "a difference that is no more")
        self.assertGreater(compared, 150)


def utc(time):
    return f"{time:%Y-%m-%dT%H:%M:%SZ}"


def published():
    """The calendars of both libraries' tests, as they are installed with them; texts that are no calendars are left out."""
    for library in (recurring_ical_events, icalendar):
        folder = Path(library.__file__).parent
        for path in sorted(folder.rglob("*.ics")):
            text = path.read_bytes().decode("utf-8", "replace")
            # Some are events without a calendar.
            if text.startswith("BEGIN:VEVENT"):
                text = f"BEGIN:VCALENDAR\r\n{text.rstrip()}\r\nEND:VCALENDAR\r\n"
            yield f"{folder.name}/{path.name}", text


def windows(name, ics):
    """Windows around the first and the last start of a calendar."""
    try:
        calendars = icalendar.Calendar.from_ical(ics, multiple=True)
        events = [event for calendar in calendars for event in calendar.walk("VEVENT")]
        starts = sorted(as_time(event["DTSTART"].dt, HOME) for event in events if "DTSTART" in event)
    except (ValueError, KeyError, AttributeError, IndexError, TypeError):
        return
    for start in {starts[0], starts[-1]} if starts else ():
        start = start.astimezone(datetime.timezone.utc).replace(tzinfo=None)
        since = start - datetime.timedelta(days=20)
        yield recurrence_rules.Case(f"{name} since {since}", ics, (since, since + datetime.timedelta(days=430)), HOME)


class TooSlow(Exception):
    """A calendar that the other side does not finish."""


def expected(case):
    """What the other library finds, in the same form; `None` if it finds nothing out."""

    def too_slow(*_):
        raise TooSlow

    signal.signal(signal.SIGALRM, too_slow)
    signal.alarm(5)
    try:
        calendars = icalendar.Calendar.from_ical(case.ics, multiple=True)
        utc_zone = datetime.timezone.utc
        span = (case.since.replace(tzinfo=utc_zone), case.until.replace(tzinfo=utc_zone))
        events = [event for calendar in calendars for event in recurring_ical_events.of(calendar).between(*span)]
        found = [instance(event, case.zone) for event in events if event.get("STATUS", "").upper() != "CANCELLED"]
    except (ValueError, KeyError, AttributeError, IndexError, TypeError, TooSlow):
        return None
    finally:
        signal.alarm(0)
    return inside(found, case)


def instance(event, zone):
    start, end = event["DTSTART"].dt, event["DTEND"].dt
    return (str(event.get("UID", "")), shown(start, zone), shown(end, zone))


def shown(moment, zone):
    if not isinstance(moment, datetime.datetime):
        return str(moment)
    return utc(as_time(moment, zone).astimezone(datetime.timezone.utc))


def as_time(moment, zone):
    """The time of a day's beginning, or of a time, which may have no zone."""
    if not isinstance(moment, datetime.datetime):
        moment = datetime.datetime(moment.year, moment.month, moment.day)
    return moment if moment.tzinfo else moment.replace(tzinfo=zoneinfo.ZoneInfo(zone))


def inside(found, case):
    """Those that begin well within the window, in order, each once."""
    since, until = (f"{time:%Y-%m-%d}" for time in (case.since + EDGE, case.until - EDGE))
    return sorted({one for one in found if since <= one[1] < until})


def only(these, those):
    if isinstance(these, str) or isinstance(those, str):
        return these
    missing = [one for one in these if one not in those]
    return missing[:4] + ([f"and {len(missing) - 4} more"] if len(missing) > 4 else [])


if __name__ == "__main__":
    unittest.main()
