//! What the errors of all providers have in common.
//!
//! Owns: the text of a body that may be anybody's, its bound, and how long to wait. Must not know a
//! format.

use std::borrow::Cow;

use super::{HeaderLookup, MAX_ERROR_MESSAGE_BYTES};

/// A message, cut between characters where it is too long.
pub(super) fn bounded(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.len() <= MAX_ERROR_MESSAGE_BYTES {
        return text;
    }
    let mut end = MAX_ERROR_MESSAGE_BYTES;
    while !text.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    Cow::Owned(text.get(..end).unwrap_or_default().to_owned())
}

/// The message of a body that is no JSON error: its text, but not the pages of proxies.
pub(super) fn plain_text(status: u16, body: &[u8]) -> Cow<'_, str> {
    let text = str::from_utf8(body).unwrap_or_default().trim();
    if text.is_empty() || text.starts_with('<') {
        return Cow::Owned(status_text(status));
    }
    bounded(Cow::Borrowed(text))
}

/// The message where a provider gives none.
pub(super) fn status_text(status: u16) -> String {
    format!("the provider answered with status {status}")
}

/// `retry-after-ms`, else `retry-after` in seconds. Dates are left alone: there is no clock here.
pub(super) fn retry_after_ms(headers: HeaderLookup<'_>) -> Option<u64> {
    whole(headers, "retry-after-ms")
        .or_else(|| whole(headers, "retry-after").map(|seconds| seconds.saturating_mul(1000)))
}

/// A header that holds a whole number.
pub(super) fn whole(headers: HeaderLookup<'_>, name: &str) -> Option<u64> {
    headers(name)?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_cut_between_characters() {
        let text = "é".repeat(MAX_ERROR_MESSAGE_BYTES);
        assert_eq!(bounded(text.as_str().into()).len(), MAX_ERROR_MESSAGE_BYTES);
        let odd = format!("x{text}");
        assert_eq!(bounded(odd.into()).len(), MAX_ERROR_MESSAGE_BYTES - 1);
    }

    #[test]
    fn pages_and_silence_leave_what_the_status_says() {
        assert_eq!(plain_text(503, b" overloaded\n"), "overloaded");
        for body in ["", " ", "<html>"] {
            let text = plain_text(503, body.as_bytes());
            assert_eq!(text, "the provider answered with status 503");
        }
    }

    #[test]
    fn waiting_times_are_milliseconds_or_seconds() {
        let retry = |headers: &'static [(&str, &str)]| {
            retry_after_ms(&move |name| {
                let found = headers.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            })
        };
        assert_eq!(retry(&[("retry-after", " 7 ")]), Some(7000));
        let both = &[("retry-after", "7"), ("retry-after-ms", "1500")];
        assert_eq!(retry(both), Some(1500));
        assert_eq!(
            retry(&[("retry-after", "Wed, 21 Oct 2026 07:28:00 GMT")]),
            None
        );
    }
}
