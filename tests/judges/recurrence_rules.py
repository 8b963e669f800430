"""Rules by which events recur, made at random under one seed, as calendars with one event each."""

import datetime
import itertools
import random

from dateutil.rrule import rrulestr

SEED = 5545
ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "Asia/Kolkata", "UTC"]
DAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
# With the days on which clocks are moved, on either half of the earth.
FIRST = datetime.datetime(2025, 1, 1)
LATEST = datetime.datetime(2026, 11, 1)


class Case:
    """A calendar, and the window in which it is looked at."""

    def __init__(self, name, ics, window, zone):
        self.name, self.ics, self.zone = name, ics, zone
        self.since, self.until = window

    def values(self, name):
        """The values of the event's properties of that name, each with its parameters."""
        lines = [line.partition(":") for line in self.ics.split("\r\n") if line.startswith(name)]
        return [(parameters, value) for parameters, _, values in lines for value in values.split(",")]

    @property
    def rule(self):
        return self.ics.partition("RRULE:")[2].partition("\r\n")[0]

    @property
    def start(self):
        """The first start, by its clock."""
        value = self.values("DTSTART")[0][1].removesuffix("Z")
        return datetime.datetime.strptime(value, "%Y%m%dT%H%M%S" if "T" in value else "%Y%m%d")


def cases(count):
    """So many cases, always the same ones."""
    chance = random.Random(SEED)
    return [case(chance, number) for number in range(count)]


def ranged_cases(count):
    """So many series with exceptions that hold for all later occurrences, beside others; always the same ones."""
    chance = random.Random(SEED + 1)
    return [ranged_case(chance, number) for number in range(count)]


def ranged_case(chance, number):
    zone = chance.choice(ZONES)
    # Where no clock is moved: what is moved into an hour that is skipped is a matter of its own.
    start = chance_start(chance).replace(hour=chance.choice([9, 12, 17]))
    rule = chance.choice(["FREQ=DAILY", "FREQ=DAILY;INTERVAL=3", "FREQ=WEEKLY", "FREQ=WEEKLY;BYDAY=MO,TH", "FREQ=MONTHLY"])
    rule += chance.choice(["", f";COUNT={chance.randrange(5, 40)}"])
    starts = list(itertools.islice(rrulestr(rule, dtstart=start), 30))
    lines = ["BEGIN:VEVENT", f"UID:{number}", f"DTSTAMP:{stamp(FIRST)}Z", times("DTSTART", [starts[0]], zone, False)]
    lines += ["DURATION:PT1H", f"RRULE:{rule}"]
    if chance.random() < 0.4:
        lines.append(times("EXDATE", chance.sample(starts[1:], 1), zone, False))
    lines.append("END:VEVENT")
    changed = chance.sample(starts, min(len(starts), chance.randrange(1, 5)))
    for place, original in enumerate(changed):
        parameter = ";RANGE=THISANDFUTURE" if place == 0 or chance.random() < 0.5 else ""
        moved = original + datetime.timedelta(minutes=chance.choice([0, 30, 120, -90, 1440, -2880, 1500]))
        lines += ["BEGIN:VEVENT", f"UID:{number}", f"DTSTAMP:{stamp(FIRST)}Z"]
        lines.append(times(f"RECURRENCE-ID{parameter}", [original], zone, False))
        lines += [times("DTSTART", [moved], zone, False), f"DURATION:{chance.choice(['PT30M', 'PT1H', 'PT3H'])}", "END:VEVENT"]
    ics = "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", *lines, "END:VCALENDAR", ""])
    since = start + datetime.timedelta(days=chance.choice([-10, 0, 30, 60]))
    window = (since, since + datetime.timedelta(days=chance.choice([40, 200])))
    return Case(f"range {number}: {' '.join(lines)}", ics, window, zone)


def case(chance, number):
    of_days = chance.random() < 0.15
    zone = None if of_days else chance.choice(ZONES)
    start = chance_start(chance)
    frequency = chance.choice(
        ["YEARLY"] * 4 + ["MONTHLY"] * 5 + ["WEEKLY"] * 4 + ["DAILY"] * 3 + ([] if of_days else ["HOURLY", "MINUTELY"])
    )
    rule = [f"FREQ={frequency}"]
    if chance.random() < 0.5:
        rule.append(f"INTERVAL={chance.choice([1, 2, 3, 4, 5, 7, 13])}")
    if chance.random() < 0.2:
        rule.append(f"WKST={chance.choice(DAYS)}")
    parts = {"YEARLY": yearly, "MONTHLY": monthly, "WEEKLY": weekly, "DAILY": daily}.get(frequency, within_days)
    rule += parts(chance)
    if not of_days and chance.random() < 0.25 and frequency not in ("HOURLY", "MINUTELY"):
        rule.append(f"BYHOUR={numbers(chance, range(24), 3)}")
        if chance.random() < 0.3:
            rule.append(f"BYMINUTE={numbers(chance, range(60), 2)}")
    # A position in an interval that never has so many starts is searched for in all years.
    has_many = frequency in ("YEARLY", "MONTHLY", "WEEKLY") or any(part.startswith("BYHOUR") for part in rule)
    has_days = any(part.startswith("BY") for part in rule)
    if frequency not in ("HOURLY", "MINUTELY") and has_many and has_days and chance.random() < 0.2:
        rule.append(f"BYSETPOS={chance.choice(['1', '-1', '2', '1,-1', '-2', '3,1'])}")
    rule += end(chance, start, of_days, frequency)
    since = start + datetime.timedelta(days=chance.choice([-10, 0, 30, 200, 360]))
    # Rules within days have many starts.
    length = 12 if frequency in ("HOURLY", "MINUTELY") else chance.choice([40, 400])
    # So that they are in a window when the clock is moved.
    if frequency in ("HOURLY", "MINUTELY"):
        since = start + datetime.timedelta(days=chance.choice([-3, 0]))
    lines = ["BEGIN:VEVENT", f"UID:{number}", f"DTSTAMP:{stamp(FIRST)}Z", times("DTSTART", [start], zone, of_days)]
    lines.append(f"DURATION:{chance.choice(['P1D', 'P3D'] if of_days else ['PT0S', 'PT30M', 'PT1H', 'PT26H'])}")
    lines.append("RRULE:" + ";".join(rule))
    if chance.random() < 0.3:
        near = [start + datetime.timedelta(days=chance.randrange(60)) for _ in range(3)]
        lines.append(times("EXDATE", [start + datetime.timedelta(days=7), *near], zone, of_days))
    if chance.random() < 0.2:
        added = [start + datetime.timedelta(days=chance.randrange(1, 60), hours=chance.randrange(3)) for _ in range(2)]
        lines.append(times("RDATE", added, zone, of_days))
    lines.append("END:VEVENT")
    ics = "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", *lines, "END:VCALENDAR", ""])
    until = since + datetime.timedelta(days=length)
    return Case(f"rule {number}: {' '.join(lines[3:-1])}", ics, (since, until), zone or "Europe/Berlin")


def chance_start(chance):
    """A start; every other one at an hour at which clocks are moved."""
    days = (LATEST - FIRST).days
    start = FIRST + datetime.timedelta(days=chance.randrange(days))
    if chance.random() < 0.3:
        moved = [(2025, 3, 28), (2025, 10, 24), (2026, 3, 6)]
        start = datetime.datetime(*chance.choice(moved))
    hour = chance.choice([0, 1, 2, 2, 3, 9, 17, 23])
    return start.replace(hour=hour, minute=chance.choice([0, 0, 15, 30, 59]))


def yearly(chance):
    pick = chance.randrange(8)
    months = f"BYMONTH={numbers(chance, range(1, 13), 3)}"
    return [
        [],
        [months],
        [f"BYMONTHDAY={numbers(chance, [*range(1, 32), -1, -2, -31], 3)}"],
        [months, f"BYMONTHDAY={numbers(chance, [*range(1, 32), -1, -2], 3)}"],
        [f"BYYEARDAY={numbers(chance, [1, 60, 100, 200, 365, 366, -1, -100, -366], 3)}"],
        [f"BYWEEKNO={numbers(chance, [1, 2, 20, 51, 52, 53, -1], 2)}", f"BYDAY={days(chance)}"],
        [months, f"BYDAY={numbered(chance, 5)}"],
        [f"BYDAY={numbered(chance, 53)}"],
    ][pick]


def monthly(chance):
    pick = chance.randrange(5)
    return [
        [],
        [f"BYMONTHDAY={numbers(chance, [*range(1, 32), -1, -2, -31], 3)}"],
        [f"BYDAY={numbered(chance, 5)}"],
        [f"BYDAY={days(chance)}", f"BYMONTHDAY={numbers(chance, range(1, 32), 12)}"],
        [f"BYMONTH={numbers(chance, range(1, 13), 4)}", f"BYDAY={numbered(chance, 5)}"],
    ][pick]


def weekly(chance):
    pick = chance.randrange(3)
    return [
        [],
        [f"BYDAY={days(chance)}"],
        [f"BYDAY={days(chance)}", f"BYMONTH={numbers(chance, range(1, 13), 4)}"],
    ][pick]


def daily(chance):
    pick = chance.randrange(4)
    return [
        [],
        [f"BYDAY={days(chance)}"],
        [f"BYMONTHDAY={numbers(chance, [*range(1, 32), -1], 8)}"],
        [f"BYMONTH={numbers(chance, range(1, 13), 4)}", f"BYDAY={days(chance)}"],
    ][pick]


def within_days(chance):
    pick = chance.randrange(4)
    return [
        [],
        [f"BYHOUR={numbers(chance, range(24), 6)}"],
        [f"BYDAY={days(chance)}"],
        [f"BYMINUTE={numbers(chance, range(60), 3)}"],
    ][pick]


def end(chance, start, of_days, frequency):
    """What ends a series, if anything does."""
    pick = chance.random()
    if pick < 0.3:
        return [f"COUNT={chance.randrange(1, 40)}"]
    if pick < 0.5:
        most = 20 if frequency in ("HOURLY", "MINUTELY") else 400
        until = start + datetime.timedelta(days=chance.randrange(most), hours=chance.randrange(24))
        return [f"UNTIL={until:%Y%m%d}" if of_days else f"UNTIL={stamp(until)}Z"]
    if frequency == "MINUTELY":
        return [f"COUNT={chance.randrange(1, 400)}"]
    return []


def numbers(chance, among, most):
    return ",".join(str(number) for number in chance.sample(list(among), chance.randrange(1, most + 1)))


def days(chance):
    return ",".join(chance.sample(DAYS, chance.randrange(1, 4)))


def numbered(chance, most):
    """Days of the week, some with their number within the month or the year."""
    ordinals = [1, 2, 3, -1, -2, most] if chance.random() < 0.7 else [""]
    return ",".join(f"{chance.choice(ordinals)}{day}" for day in chance.sample(DAYS, chance.randrange(1, 3)))


def stamp(time):
    return f"{time:%Y%m%dT%H%M%S}"


def times(name, values, zone, of_days):
    """A property with times."""
    if of_days:
        return f"{name};VALUE=DATE:" + ",".join(f"{value:%Y%m%d}" for value in values)
    if zone == "UTC":
        return f"{name}:" + ",".join(f"{stamp(value)}Z" for value in values)
    return f"{name};TZID={zone}:" + ",".join(stamp(value) for value in values)
