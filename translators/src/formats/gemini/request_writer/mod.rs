//! Writes a request for a provider.
//!
//! Owns the order of the fields; [`checks`] says what cannot be said here, [`settings`], [`thinking`],
//! [`tools`], [`turns`], [`parts`] and [`media`] write the fields. The same request gives the same
//! bytes, and a longer conversation begins with the bytes of the shorter one: prompt caches live on
//! that.

mod checks;
mod media;
mod parts;
mod settings;
mod thinking;
mod tools;
mod turns;

use std::borrow::Cow;

use crate::formats::Format;
use crate::formats::writing::whole_or_nothing;
use crate::ir::{Notices, Refusal, Request};
use crate::json::Writer;
use crate::providers::{Envelope, Target};

/// See [`crate::formats::Codec::write_request`].
pub(super) fn write_request(
    request: &Request<'_>,
    target: &Target<'_>,
    notices: &mut Notices,
    out: &mut Vec<u8>,
) -> Result<(), Refusal> {
    let mut context = Context { target, notices };
    whole_or_nothing(out, |mut json| write_body(request, &mut context, &mut json))
}

/// What the writers of the parts share.
struct Context<'c> {
    target: &'c Target<'c>,
    notices: &'c mut Notices,
}

impl Context<'_> {
    /// Vertex AI has fields that the Gemini API refuses, and the other way round.
    fn is_vertex(&self) -> bool {
        self.target.envelope == Envelope::VertexGemini
    }

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
    settings::write_generation_config(request, context, json)?;
    settings::write_service(request, context, json);
    settings::write_extensions(request, context, json);
    tools::write(request, context, json)?;
    turns::write(request, context, json)?;
    json.end_object();
    Ok(())
}

/// A refusal of what this API cannot say.
fn unsupported(field: impl Into<String>, reason: impl Into<Cow<'static, str>>) -> Refusal {
    Refusal::unsupported(field, Format::Gemini.name(), reason)
}
