//! Writes a request for a provider.
//!
//! Owns the order of the fields and those that take no thought; [`checks`] says what cannot be said
//! here, [`ThinkingPlan`] and [`cache`] decide what depends on several fields at once, [`tools`],
//! [`turns`], [`blocks`] and [`media`] write the long lists. The same request gives the same bytes,
//! and a longer conversation begins with the bytes of the shorter one: prompt caches live on that.

mod blocks;
mod cache;
mod checks;
mod document_name;
mod media;
mod settings;
mod tools;
mod turns;

use std::borrow::Cow;

use crate::formats::Format;
use crate::formats::thinking::ThinkingPlan;
use crate::formats::writing::whole_or_nothing;
use crate::ir::{Notices, Refusal, Request};
use crate::json::Writer;
use crate::providers::Target;

use self::cache::CacheMarks;
use self::document_name::DocumentNames;

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
        marks: CacheMarks::of(request),
        names: DocumentNames::default(),
    };
    whole_or_nothing(out, |mut json| write_body(request, &mut context, &mut json))
}

/// What the writers of the parts share.
struct Context<'c> {
    target: &'c Target<'c>,
    notices: &'c mut Notices,
    marks: CacheMarks,
    names: DocumentNames,
}

fn write_body(
    request: &Request<'_>,
    context: &mut Context<'_>,
    json: &mut Writer<'_>,
) -> Result<(), Refusal> {
    checks::refuse(request)?;
    checks::note_dropped(request, context.notices);
    let plan = ThinkingPlan::of(request, context.target.capabilities, context.notices);
    json.begin_object();
    settings::write_inference(request, &plan, context, json)?;
    settings::write_output(request, &plan, context, json)?;
    settings::write_additional(request, &plan, context, json);
    settings::write_service(request, context, json);
    // Marks are counted in this order: tools, instructions, conversation.
    tools::write(request, &plan, context, json)?;
    turns::write(request, context, json)?;
    settings::write_extensions(request, context, json);
    json.end_object();
    Ok(())
}

/// A refusal of what this API cannot say.
fn unsupported(field: impl Into<String>, reason: impl Into<Cow<'static, str>>) -> Refusal {
    Refusal::unsupported(field, Format::BedrockConverse.name(), reason)
}

#[cfg(test)]
mod tests;
