//! What all writers of requests do the same.

use crate::formats::Format;
use crate::ir::{Extension, Notices, Refusal};
use crate::json::Writer;

/// Writes a request; of one that is refused halfway, nothing stays in `out`.
pub(in crate::formats) fn whole_or_nothing(
    out: &mut Vec<u8>,
    write: impl FnOnce(Writer<'_>) -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    let start = out.len();
    let written = write(Writer::new(out));
    if written.is_err() {
        out.truncate(start);
    }
    written
}

/// Writes a tool's fields that only this format knows, and notes those of others as dropped.
pub(in crate::formats) fn write_tool_extras(
    extras: &[Extension<'_>],
    own: Format,
    notices: &mut Notices,
    json: &mut Writer<'_>,
) {
    for extra in extras {
        if extra.format == own {
            json.key_str(&extra.name);
            json.raw(extra.json);
        } else {
            notices.drop_field(format!("tools.{}", extra.name.decode()));
        }
    }
}
