//! Data URLs, file names and MIME types: how this format packs bytes into strings.

use std::borrow::Cow;

use crate::json::{Str, Writer};

/// Why a `data:` URL cannot be carried.
pub(in crate::formats) const NOT_BASE64: &str = "a data: URL must be base64";

/// A URL of this format: bytes in the URL itself, or a place to fetch them from.
pub(in crate::formats) enum Url<'a> {
    /// MIME type (lower case) and base64 text.
    Data(Cow<'a, str>, Str<'a>),
    /// A `data:` URL in another encoding.
    Broken,
    /// Everything else.
    Place(Str<'a>),
}

/// Takes a URL apart. The base64 text is not copied, but for URLs that were written with escapes.
pub(in crate::formats) fn split_url<'a>(url: Str<'a>) -> Url<'a> {
    match url.decode() {
        Cow::Borrowed(text) => match data_url(text) {
            None => Url::Place(url),
            Some(None) => Url::Broken,
            // Borrowed text has no escapes, and base64 needs none.
            Some(Some((mime, data))) => Url::Data(mime_type(mime), Str::Escaped(data)),
        },
        Cow::Owned(text) => match data_url(&text) {
            None => Url::Place(url),
            Some(None) => Url::Broken,
            Some(Some((mime, data))) => {
                Url::Data(mime_type(mime).into_owned().into(), data.to_owned().into())
            }
        },
    }
}

/// Writes bytes as a `data:` URL.
pub(in crate::formats) fn write_data_url(mime: &str, data: &Str<'_>, w: &mut Writer<'_>) {
    w.begin_string();
    w.string_part("data:");
    w.string_part(mime);
    w.string_part(";base64,");
    w.str_part(data);
    w.end_string();
}

/// The MIME type that a file name's ending stands for.
pub(in crate::formats) fn mime_of_name(name: &str) -> Option<&'static str> {
    let (_, ending) = name.rsplit_once('.')?;
    ENDINGS
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(ending))
        .map(|(_, mime)| *mime)
}

/// A file name for bytes that came without one; the API wants one beside `file_data`.
pub(in crate::formats) fn name_of_mime(mime: &str) -> String {
    let ending = ENDINGS.iter().find(|(_, known)| *known == mime);
    format!("document.{}", ending.map_or("bin", |(ending, _)| ending))
}

const ENDINGS: [(&str, &str); 11] = [
    ("pdf", "application/pdf"),
    ("txt", "text/plain"),
    ("md", "text/markdown"),
    ("csv", "text/csv"),
    ("html", "text/html"),
    ("json", "application/json"),
    ("xml", "application/xml"),
    ("doc", "application/msword"),
    (
        "docx",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ),
    ("xls", "application/vnd.ms-excel"),
    (
        "xlsx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ),
];

/// `None`: no data URL. `Some(None)`: one that is not base64. Parameters of the type are left out.
fn data_url(text: &str) -> Option<Option<(&str, &str)>> {
    let (scheme, rest) = text.split_at_checked(5)?;
    if !scheme.eq_ignore_ascii_case("data:") {
        return None;
    }
    let whole = rest.split_once(',').and_then(|(head, data)| {
        let mut parts = head.split(';');
        let mime = parts.next().unwrap_or_default();
        let base64 = parts
            .next_back()
            .is_some_and(|last| last.eq_ignore_ascii_case("base64"));
        // Quotes and escapes cannot be base64, and would break the JSON string they are copied to.
        let clean = !data
            .bytes()
            .any(|byte| matches!(byte, b'"' | b'\\' | 0..=0x20));
        (base64 && clean).then_some((mime, data))
    });
    Some(whole)
}

fn mime_type(mime: &str) -> Cow<'_, str> {
    let lower: Cow<'_, str> = if mime.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(mime.to_ascii_lowercase())
    } else {
        Cow::Borrowed(mime)
    };
    match lower.as_ref() {
        // RFC 2397, section 2.
        "" => Cow::Borrowed("text/plain"),
        "image/jpg" => Cow::Borrowed("image/jpeg"),
        _ => lower,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(url: &str) -> Option<(String, String)> {
        match split_url(Str::Escaped(url)) {
            Url::Data(mime, data) => Some((mime.into_owned(), data.into_owned())),
            Url::Broken | Url::Place(_) => None,
        }
    }

    #[test]
    fn data_urls_come_apart_with_and_without_escapes_and_parameters() {
        for (url, mime, data) in [
            ("data:image/png;base64,AA+/==", "image/png", "AA+/=="),
            (r"data:image\/png;base64,AA+\/==", "image/png", "AA+/=="),
            ("DATA:IMAGE/JPG;name=x;BASE64,QQ==", "image/jpeg", "QQ=="),
            ("data:;base64,QQ==", "text/plain", "QQ=="),
        ] {
            assert_eq!(
                split(url),
                Some((mime.to_owned(), data.to_owned())),
                "{url}"
            );
        }
    }

    #[test]
    fn other_encodings_are_told_from_places() {
        assert!(matches!(
            split_url("data:text/plain,hi".into()),
            Url::Broken
        ));
        assert!(matches!(
            split_url("data:text/plain;base64".into()),
            Url::Broken
        ));
        assert!(matches!(split_url("https://x/data:".into()), Url::Place(_)));
        assert!(matches!(split_url("é".into()), Url::Place(_)));
    }
}
