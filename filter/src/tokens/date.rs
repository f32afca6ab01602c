//! Points in time as services write them, to seconds since 1970.

use time::{Date, Month, Time};

/// `2026-11-21T13:04:05Z`, with or without a fraction: RFC 3339 in UTC, as Google and AWS write it.
pub(super) fn rfc3339(text: &str) -> Option<u64> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let mut date = date.splitn(3, '-');
    let (year, month, day) = (date.next()?, date.next()?, date.next()?);
    let clock = time.split('.').next()?;
    seconds(year, month.parse().ok()?, day, clock)
}

/// `Sat, 21 Nov 2026 13:04:05 GMT`: the form in which servers must write the header `date`
/// (RFC 9110, section 5.6.7).
pub(super) fn http(text: &str) -> Option<u64> {
    let (_, rest) = text.strip_suffix(" GMT")?.split_once(", ")?;
    let mut parts = rest.split(' ');
    let (day, month) = (parts.next()?, parts.next()?);
    let (year, clock) = (parts.next()?, parts.next()?);
    let month = MONTHS.iter().position(|name| *name == month)?;
    seconds(year, u8::try_from(month).ok()?.checked_add(1)?, day, clock)
}

fn seconds(year: &str, month: u8, day: &str, clock: &str) -> Option<u64> {
    let month = Month::try_from(month).ok()?;
    let date = Date::from_calendar_date(year.parse().ok()?, month, day.parse().ok()?).ok()?;
    let mut clock = clock.splitn(3, ':').map(|part| part.parse::<u8>().ok());
    let time = Time::from_hms(clock.next()??, clock.next()??, clock.next()??).ok()?;
    u64::try_from(date.with_time(time).assume_utc().unix_timestamp()).ok()
}

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_the_same_second_are_the_same_number() {
        // `date -u -d 2026-11-21T13:04:05Z +%s`
        assert_eq!(rfc3339("2026-11-21T13:04:05Z"), Some(1_795_266_245));
        assert_eq!(rfc3339("2026-11-21T13:04:05.999Z"), Some(1_795_266_245));
        assert_eq!(http("Sat, 21 Nov 2026 13:04:05 GMT"), Some(1_795_266_245));
    }

    #[test]
    fn what_is_no_point_in_time_is_none() {
        for text in [
            "",
            "Z",
            "2026-11-21",
            "2026-13-21T13:04:05Z",
            "2026-02-30T13:04:05Z",
            "2026-11-21T25:04:05Z",
            "2026-11-21T13:04Z",
            "1960-01-01T00:00:00Z",
            "99999999999-01-01T00:00:00Z",
            "2026-11-21T13:04:05+01:00",
        ] {
            assert_eq!(rfc3339(text), None, "{text}");
        }
        assert_eq!(http("Saturday, 21-Nov-26 13:04:05 GMT"), None);
        assert_eq!(http("Sat, 21 Foo 2026 13:04:05 GMT"), None);
    }
}
