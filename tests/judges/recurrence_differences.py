"""Where Hooktide and `recurring-ical-events` differ, and why."""

import datetime
import zoneinfo

from dateutil.rrule import rrulestr

COUNT = (
    "a first start that the rule does not name counts: \"The DTSTART property value always counts as the first occurrence\" "
    "(RFC 5545, 3.3.10); there, the rule is counted by itself, and the start added"
)
LASTS = (
    "hours are hours, also when the clock is moved meanwhile (RFC 5545, 3.3.6); there, the clock on the wall is counted"
)
EXCLUDED = (
    "a start is left out only by its own time; there, also by one whose digits are the same, in UTC or on the wall"
)

# Calendars of the published tests, by the library and the file.
ONE_DAY = "a day that ends when it begins is a whole day, as its authors mean it; there, it takes no time"
SWAPPED = "an end before the start is no end, and the event takes no time; there, the two change places"
MIXED = "a day whose end is a time is a whole day; there, it is a time in the zone of its end"
FILES = {
    "recurring_ical_events/issue_201_mixed_datetime_and_date.ics": MIXED,
    "recurring_ical_events/issue_201_test_matrix.ics": MIXED,
    "icalendar/issue_178_custom_component_contains_other.ics": "a component of another kind is no calendar",
    "icalendar/event_with_recurrence.ics": (
        "a time without a zone is in the person's zone; there, in the zone of what the series leaves out"
    ),
    "recurring_ical_events/Germany_Holidays.ics": ONE_DAY,
    "icalendar/example.ics": ONE_DAY,
    "recurring_ical_events/end_before_start_event.ics": SWAPPED,
    "recurring_ical_events/issue_132_swapped_start_and_end.ics": SWAPPED,
    "recurring_ical_events/multiple_rrule.ics": COUNT,
    "recurring_ical_events/issue_75_range_parameter.ics": (
        "a rule of times that ends on a day has what begins on that day; there, it ends when the day begins"
    ),
    "icalendar/issue_1633_rdate_with_dates.ics": "a period of days is none (RFC 5545, 3.3.9), and adds nothing but its day",
    "icalendar/issue_1633_rdate_with_dates_and_tzid.ics": (
        "a period of days is none (RFC 5545, 3.3.9), and adds nothing but its day"
    ),
    "icalendar/issue_722_timezone_transition_ambiguity.ics": (
        "a time zone that nobody lives in, which moves its clock once, is taken for one that has what holds now"
    ),
    "icalendar/multiple_calendar_components.ics": (
        "an identifier that is there twice is one event, also in two calendars of one text"
    ),
    "recurring_ical_events/issue_28_rrule_with_UTC_endinginZ.ics": (
        "a series of days whose rule ends at midnight by the calendar's clock has its last day then; there, it is left out"
    ),
    "icalendar/timezone_same_start_and_offset.ics": "its last line is no end of a calendar, so that it may be cut off",
}


def of_file(name):
    """Why a published calendar is expanded otherwise, if that is known."""
    return FILES.get(name)


def of_rule(case, ours, theirs):
    """Why a generated rule is expanded otherwise, if that is known."""
    if isinstance(ours, str):
        return None
    ours, theirs = ({start: end for _, start, end in found} for found in (ours, theirs))
    reasons = [LASTS] if any(ours[start] != theirs[start] for start in ours.keys() & theirs.keys()) else []
    if LASTS in reasons and not all(lasts(case, start, end) for start, end in ours.items()):
        return None
    missing, added = sorted(theirs.keys() - ours.keys()), sorted(ours.keys() - theirs.keys())
    if missing:
        reasons.append(of_missing(case, missing))
    if added:
        reasons.append(EXCLUDED if all(has_digits_of_exdate(case, start) for start in added) else None)
    return None if None in reasons else "; ".join(reasons)


def of_missing(case, missing):
    is_named = next(iter(rrulestr(case.rule.replace("Z", ""), dtstart=case.start)), None) == case.start
    if "COUNT=" in case.rule and not is_named and len(missing) == 1:
        return COUNT
    return None


def lasts(case, start, end):
    """Whether an instance lasts as long as its event says, unless a line gives it another end."""
    hours = {"PT0S": 0, "PT30M": 0.5, "PT1H": 1, "PT26H": 26}.get(case.values("DURATION")[0][1])
    start, end = (datetime.datetime.fromisoformat(time) for time in (start, end))
    return hours is not None and end - start == datetime.timedelta(hours=hours)


def has_digits_of_exdate(case, start):
    """Whether a clock on the wall, or one in UTC, then shows what either shows at a start that is left out."""
    zone = zoneinfo.ZoneInfo(case.zone)
    starts = [datetime.datetime.strptime(value[:15], "%Y%m%dT%H%M%S") for _, value in case.values("EXDATE")]
    left_out = {shown for time in starts for shown in (time, in_utc(time.replace(tzinfo=zone)))}
    start = datetime.datetime.fromisoformat(start)
    return bool(left_out & {start.astimezone(zone).replace(tzinfo=None), in_utc(start)})


def in_utc(time):
    return time.astimezone(datetime.timezone.utc).replace(tzinfo=None)
