//! Parts of messages: what both APIs say in the same words.

use std::fmt::Display;

use crate::ir::{CacheMark, Detail, MediaSource, Refusal};
use crate::json::{Str, Value};

use super::fields::wrong_kind;
use super::media::{self, NOT_BASE64, Url};

/// The cache mark on a part, a tool or a message: `cache_control` (Anthropic's, de facto) or
/// `prompt_cache_breakpoint`.
pub(in crate::formats) fn cache_mark(value: Value<'_>) -> Option<CacheMark> {
    value
        .get_some("cache_control")
        .or_else(|| value.get_some("prompt_cache_breakpoint"))
        .map(ttl)
}

/// How long a mark wants its entry to live. A time that is not known counts as none given.
pub(in crate::formats) fn ttl(mark: Value<'_>) -> CacheMark {
    let ttl = mark.get("ttl").and_then(Value::as_str).unwrap_or_default();
    match ttl.decode().as_ref() {
        "5m" => CacheMark::FiveMinutes,
        "30m" => CacheMark::ThirtyMinutes,
        "1h" => CacheMark::OneHour,
        "12h" => CacheMark::TwelveHours,
        _ => CacheMark::Default,
    }
}

/// The tier of an answer: what others call `standard` is `default` here.
pub(in crate::formats) fn answered_tier<'a>(tier: &Str<'a>) -> Str<'a> {
    match *tier == "standard" {
        true => Str::from("default"),
        false => tier.clone(),
    }
}

/// How closely to look at a picture.
pub(in crate::formats) fn detail(value: Value<'_>, field: &dyn Display) -> Result<Detail, Refusal> {
    let word = value
        .as_str()
        .ok_or_else(|| wrong_kind(field, "a string", value))?;
    match word.decode().as_ref() {
        "auto" => Ok(Detail::Auto),
        "low" => Ok(Detail::Low),
        "high" => Ok(Detail::High),
        "original" => Ok(Detail::Original),
        _ => Err(Refusal::invalid(
            field.to_string(),
            "expected auto, low, high or original",
        )),
    }
}

/// A picture, sound or film by its URL.
pub(in crate::formats) fn from_url<'a>(
    url: Str<'a>,
    field: &dyn Display,
) -> Result<MediaSource<'a>, Refusal> {
    match media::split_url(url) {
        Url::Data(mime, data) => Ok(MediaSource::Base64 { mime, data }),
        Url::Broken => Err(Refusal::invalid(field.to_string(), NOT_BASE64)),
        Url::Place(url) => Ok(MediaSource::Url { url, mime: None }),
    }
}

/// Bytes of a file: a `data:` URL in practice, bare base64 in the schema. Bare bytes are what the
/// file's name says they are.
pub(in crate::formats) fn file_data<'a>(
    data: Str<'a>,
    name: Option<&Str<'a>>,
    field: &dyn Display,
) -> Result<MediaSource<'a>, Refusal> {
    match media::split_url(data) {
        Url::Data(mime, data) => Ok(MediaSource::Base64 { mime, data }),
        Url::Broken => Err(Refusal::invalid(format!("{field}.file_data"), NOT_BASE64)),
        Url::Place(data) => {
            let mime = name.and_then(|name| media::mime_of_name(&name.decode()));
            Ok(MediaSource::Base64 {
                mime: mime.unwrap_or("application/octet-stream").into(),
                data,
            })
        }
    }
}

/// The times to live that OpenAI has; no other one is taken for them.
pub(in crate::formats) const fn breakpoint_ttl(mark: Option<CacheMark>) -> Option<&'static str> {
    match mark {
        Some(CacheMark::ThirtyMinutes) => Some("30m"),
        Some(CacheMark::TwelveHours) => Some("12h"),
        _ => None,
    }
}

/// The word for how closely to look; there is none for `Medium`.
pub(in crate::formats) const fn detail_word(detail: Detail) -> Option<&'static str> {
    match detail {
        Detail::Auto => Some("auto"),
        Detail::Low => Some("low"),
        Detail::Medium => None,
        Detail::High => Some("high"),
        Detail::Original => Some("original"),
    }
}

/// Whether the provider itself can fetch from this URL.
pub(in crate::formats) fn is_web(url: &Str<'_>) -> bool {
    let url = url.decode();
    url.starts_with("https://") || url.starts_with("http://")
}
