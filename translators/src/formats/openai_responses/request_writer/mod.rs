//! Writes a request for a server that speaks Responses.
//!
//! Owns: the order of the top-level fields. Turns are in [`input`], their parts in [`content`], tools
//! in [`tools`], all other settings in [`settings`]. Output is a pure function of the request: the
//! same history gives the same bytes, so that prompt caches hold.
//!
//! What this format cannot say, and what becomes of it:
//!
//! | | |
//! | --- | --- |
//! | stop sequences, several answers | refused |
//! | the error flag of a tool result | `Error: ` before its text, notice |
//! | thoughts that this format's providers did not make | dropped with notice |
//! | cache marks | kept where OpenAI has their time to live, else notice |
//! | blocks of one other format | the model's own: notice; the user's, or a compaction: refused |
//! | sound, films, uploads of others | refused |
//! | storage by default | `store:false`, unless the client said otherwise |

mod content;
mod input;
mod settings;
mod tools;

use crate::formats::Format;
use crate::formats::writing::whole_or_nothing;
use crate::ir::{Notices, Refusal, Request};
use crate::json::{Str, Writer};
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
        self.request
            .refuse_foreign_essentials(Format::OpenaiResponses)?;
        self.w.begin_object();
        self.w.field_string("model", &self.request.model);
        if self.request.stream {
            self.w.field_bool("stream", true);
        }
        self.input()?;
        self.tools()?;
        self.limits()?;
        self.sampling();
        let is_thinking = self.reasoning();
        self.include(is_thinking);
        self.text()?;
        self.service();
        self.extensions();
        self.w.end_object();
        Ok(())
    }

    /// Names a field that is left out.
    fn drop_field(&mut self, field: &'static str) {
        self.notices.drop_field(field);
    }

    fn drop_if(&mut self, present: bool, field: &'static str) {
        if present {
            self.drop_field(field);
        }
    }

    fn optional_str(&mut self, key: &str, value: Option<&Str<'_>>) {
        if let Some(text) = value {
            self.w.field_str(key, text);
        }
    }
}

/// A refusal on behalf of this format.
fn refuse(field: impl Into<String>, reason: &'static str) -> Refusal {
    Refusal::unsupported(field, Format::OpenaiResponses.name(), reason)
}
