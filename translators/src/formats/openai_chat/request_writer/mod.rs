//! Writes a request for a server that speaks Chat Completions.
//!
//! Owns: the order of the top-level fields. Messages are in [`messages`], their parts in [`parts`],
//! tools in [`tools`], all other settings in [`settings`]. Output is a pure function of the request:
//! the same history gives the same bytes, so that prompt caches hold.
//!
//! What this format cannot say, and what becomes of it:
//!
//! | | |
//! | --- | --- |
//! | pictures in tool results | a user message after all tool messages, notice |
//! | the error flag of a tool result | `Error: ` before its text, notice |
//! | thoughts of earlier turns | dropped with notice; kept where the provider's row takes them back |
//! | tokens of other providers | dropped with what they sign |
//! | cache marks | kept where OpenAI has their time to live, else notice |
//! | blocks of one other format | the model's own: notice; the user's, or a compaction: refused |
//! | files by URL, uploads of others | refused |

mod messages;
mod parts;
mod settings;
#[cfg(test)]
mod tests;
mod tools;

pub(super) use messages::write_call;

use crate::formats::Format;
use crate::formats::writing::whole_or_nothing;
use crate::ir::{Notices, Refusal, Request};
use crate::json::Writer;
use crate::providers::Target;

/// Writes a request.
///
/// # Errors
/// When the request says what this format cannot; then nothing is written.
pub(super) fn write(
    request: &Request<'_>,
    target: &Target<'_>,
    notices: &mut Notices,
    out: &mut Vec<u8>,
) -> Result<(), Refusal> {
    whole_or_nothing(out, |w| {
        Body {
            request,
            target,
            notices,
            w,
        }
        .write()
    })
}

/// A body that is being written.
struct Body<'b, 'o> {
    request: &'b Request<'b>,
    target: &'b Target<'b>,
    notices: &'b mut Notices,
    w: Writer<'o>,
}

impl Body<'_, '_> {
    fn write(&mut self) -> Result<(), Refusal> {
        self.request.refuse_foreign_essentials(Format::OpenaiChat)?;
        self.w.begin_object();
        self.w.field_string("model", &self.request.model);
        self.stream();
        self.messages()?;
        self.tools()?;
        self.limits()?;
        self.sampling();
        self.reasoning();
        self.output()?;
        self.service();
        self.extensions();
        self.w.end_object();
        Ok(())
    }

    /// Names a field that is left out.
    fn drop_field(&mut self, field: &'static str) {
        self.notices.drop_field(field);
    }
}

/// A refusal on behalf of this format.
fn refuse(field: impl Into<String>, reason: &'static str) -> Refusal {
    Refusal::unsupported(field, Format::OpenaiChat.name(), reason)
}
