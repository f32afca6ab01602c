//! Writes a request for a provider.
//!
//! Owns the order of the fields; [`checks`] says what cannot be said here, [`messages`], [`parts`],
//! [`documents`], [`tools`] and [`settings`] write the rest. The same request gives the same bytes.
//!
//! What becomes of what this format has no place for:
//!
//! | | |
//! | --- | --- |
//! | pictures in tool results | a user message after all tool messages, notice |
//! | the error flag of a tool result | `Error: ` before its text, notice |
//! | documents of text | the request's `documents`, which the answer may cite |
//! | other files, sound, film | refused |
//! | a choice of one or some tools | the other tools are left out, notice |
//! | thoughts of other providers | dropped with notice |
//! | effort | thinking is switched on, notice |
//! | blocks of one other format | the model's own: notice; the user's, or a compaction: refused |

mod checks;
mod documents;
mod messages;
mod parts;
mod settings;
mod tools;

use std::borrow::Cow;

use crate::formats::Format;
use crate::formats::writing::whole_or_nothing;
use crate::ir::{Notices, Refusal, Request};
use crate::json::Writer;
use crate::providers::Target;

/// See [`crate::formats::Codec::write_request`].
pub(super) fn write_request(
    request: &Request<'_>,
    target: &Target<'_>,
    notices: &mut Notices,
    out: &mut Vec<u8>,
) -> Result<(), Refusal> {
    let mut context = Context {
        target,
        notices,
        messages: 0,
    };
    whole_or_nothing(out, |mut json| write_body(request, &mut context, &mut json))
}

/// What the writers of the parts share.
struct Context<'c> {
    target: &'c Target<'c>,
    notices: &'c mut Notices,
    /// How many messages are written.
    messages: usize,
}

impl Context<'_> {
    /// Names a field that is left out.
    fn drop_if(&mut self, is_dropped: bool, field: &'static str) {
        if is_dropped {
            self.notices.drop_field(field);
        }
    }
}

fn write_body(
    request: &Request<'_>,
    context: &mut Context<'_>,
    json: &mut Writer<'_>,
) -> Result<(), Refusal> {
    checks::refuse(request)?;
    checks::note_dropped(request, context);
    json.begin_object();
    json.field_string("model", &request.model);
    // The API has no default for it.
    json.field_bool("stream", request.stream);
    messages::write(request, context, json)?;
    documents::write(request, json);
    tools::write(request, context, json)?;
    settings::write_thinking(request, context, json);
    settings::write_output(request, context, json)?;
    settings::write_limits(request, json)?;
    settings::write_sampling(request, context, json)?;
    json.end_object();
    Ok(())
}

/// A refusal of what this API cannot say.
fn unsupported(field: impl Into<String>, reason: impl Into<Cow<'static, str>>) -> Refusal {
    Refusal::unsupported(field, Format::Cohere.name(), reason)
}

#[cfg(test)]
mod tests;
