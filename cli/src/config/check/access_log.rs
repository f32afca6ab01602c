//! Where the record of each request goes.

use serde_saphyr::Spanned;

use super::super::diagnostic::{Diagnostic, Place};
use super::super::file::Words;
use super::super::{AccessLog, Grpc};
use super::{Checker, limit, value};

/// One word or several of `none`, `json` and a collector's address.
pub(super) fn access_log(checker: &mut Checker<'_>, form: Option<&Spanned<Words>>) -> AccessLog {
    let Some(form) = form else {
        return AccessLog::default();
    };
    let place = Place::from(form);
    let mut log = AccessLog::default();
    for sink in limit::words(checker, Some(&form.value), place, sink) {
        match sink {
            Sink::None => {}
            Sink::Json => log.json = true,
            Sink::Collector(collector) => log.collector = Some(collector),
        }
    }
    log
}

enum Sink {
    None,
    Json,
    Collector(Grpc),
}

fn sink(text: &str) -> Result<Sink, Diagnostic> {
    match text {
        "none" => Ok(Sink::None),
        "json" => Ok(Sink::Json),
        _ => value::grpc(text).map(Sink::Collector).ok_or_else(|| {
            Diagnostic::error(format!("`{text}` is no place for an access log"))
                .help("write `json`, `grpc://127.0.0.1:4317`, or a list of both")
        }),
    }
}
