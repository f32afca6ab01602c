//! Writes a whole answer for a client, and the response object that a stream tells three times.
//!
//! One answer per response: of several candidates the first is written.

use crate::formats::{Answer, NamespacedTool};
use crate::ir::{
    ApiError, Candidate, Item, ReasoningBlock, Response, Signature, TokenLogprob, Usage,
};
use crate::json::{Str, Writer};

use super::item::{Call, Content, Output, Part, logprob_elements};
use super::parts::answered_tier;
use super::stop::{self, Ending, Seen};
use super::{citations, echo, ids, namespace, token, usage};

/// Writes a whole answer.
pub(super) fn write(response: &Response<'_>, answer: &Answer<'_>, out: &mut Vec<u8>) {
    let none = Candidate::default();
    let candidate = response.candidates.first().unwrap_or(&none);
    let mut outputs = Outputs::new(answer);
    outputs.add_all(candidate);
    let ending = Ending::of(candidate.stop.reason, outputs.seen.refusal);
    let failure = (ending == Ending::Failed).then(|| stop::failure(&candidate.stop));
    let head = Head::of(answer, &response.id, &response.model, response.created);
    let state = State {
        status: ending.word(),
        incomplete: match ending {
            Ending::Incomplete(reason) => Some(reason),
            _ => None,
        },
        error: failure.as_ref(),
        usage: Some(&response.usage),
        service_tier: response.service_tier.as_ref(),
    };
    let status = item_status(ending);
    head.write(&state, &mut Writer::new(out), |w| {
        outputs.list.iter().for_each(|item| item.write(status, w));
    });
}

/// The status of items that end with the answer.
pub(super) const fn item_status(ending: Ending) -> &'static str {
    match ending {
        Ending::Completed => "completed",
        Ending::Incomplete(_) | Ending::Failed => "incomplete",
    }
}

/// What is the same in every response object of an answer.
#[derive(Debug)]
pub(super) struct Head {
    id: String,
    model: String,
    created: u64,
    now: u64,
    echo: String,
}

/// What changes from one response object of an answer to the next.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct State<'s> {
    pub(super) status: &'static str,
    pub(super) incomplete: Option<&'static str>,
    pub(super) error: Option<&'s ApiError<'s>>,
    /// `None` while the answer is in progress.
    pub(super) usage: Option<&'s Usage>,
    pub(super) service_tier: Option<&'s Str<'s>>,
}

impl Head {
    /// The names of an answer: what the provider tells, else what is made here.
    pub(super) fn of(
        answer: &Answer<'_>,
        id: &Str<'_>,
        model: &Str<'_>,
        created: Option<u64>,
    ) -> Self {
        Self {
            id: ids::answer_id(id, answer.seed).into_owned(),
            model: ids::model(model, &answer.model).into_owned(),
            created: created.unwrap_or(answer.now),
            now: answer.now,
            echo: match answer.echo.members.is_empty() {
                true => echo::defaults(),
                false => answer.echo.members.clone(),
            },
        }
    }

    /// Writes a response object.
    pub(super) fn write(
        &self,
        state: &State<'_>,
        w: &mut Writer<'_>,
        outputs: impl FnOnce(&mut Writer<'_>),
    ) {
        w.begin_object();
        w.field_string("id", &self.id);
        w.field_string("object", "response");
        w.field_number("created_at", self.created);
        self.write_state(state, w);
        w.raw(&self.echo);
        w.field_string("model", &self.model);
        w.key("output");
        w.begin_array();
        outputs(w);
        w.end_array();
        match state.usage.filter(|usage| !usage.is_empty()) {
            Some(counts) => {
                w.key("usage");
                usage::write(counts, w);
            }
            None => w.field_null("usage"),
        }
        if let Some(tier) = state.service_tier {
            w.field_str("service_tier", &answered_tier(tier));
        }
        w.end_object();
    }

    fn write_state(&self, state: &State<'_>, w: &mut Writer<'_>) {
        w.field_string("status", state.status);
        if state.status == "completed" {
            w.field_number("completed_at", self.now.max(self.created));
        }
        match state.error {
            Some(error) => {
                w.key("error");
                stop::write_error(error, w);
            }
            None => w.field_null("error"),
        }
        match state.incomplete {
            Some(reason) => {
                w.key("incomplete_details");
                w.begin_object();
                w.field_string("reason", reason);
                w.end_object();
            }
            None => w.field_null("incomplete_details"),
        }
    }
}

/// The items of a whole answer, as they are put together.
struct Outputs {
    seed: u64,
    namespaced: Vec<NamespacedTool>,
    list: Vec<Output>,
    seen: Seen,
}

impl Outputs {
    fn new(answer: &Answer<'_>) -> Self {
        Self {
            seed: answer.seed,
            namespaced: answer.echo.namespaced.clone(),
            list: Vec::new(),
            seen: Seen {
                call: false,
                refusal: false,
            },
        }
    }

    fn add_all(&mut self, candidate: &Candidate<'_>) {
        candidate.items.iter().for_each(|item| self.add(item));
        if let Some(text) = refusal_to_add(&candidate.stop, self.seen) {
            self.add(&Item::Refusal(Str::from(text)));
        }
        self.add_logprobs(&candidate.logprobs.content);
    }

    fn add(&mut self, item: &Item<'_>) {
        match item {
            Item::Text {
                text,
                signature,
                citations: cited,
            } => {
                let length = match cited.is_empty() {
                    true => 0,
                    false => text.char_count(),
                };
                let annotation = |citation| citations::as_json(citation, length);
                self.add_part(Part {
                    text: own(text),
                    annotations: cited.iter().filter_map(annotation).collect(),
                    ..Part::default()
                });
                self.add_token_of_last(signature.as_ref());
            }
            Item::Refusal(text) => {
                self.seen.refusal = true;
                self.add_part(Part {
                    refusal: true,
                    text: own(text),
                    ..Part::default()
                });
            }
            Item::Reasoning(block) => self.add_reasoning(block),
            Item::ToolCall { call, signature } => {
                self.seen.call = true;
                let arguments = own(&call.arguments);
                let (namespace, name) = namespace::own_name(&self.namespaced, own(&call.name));
                let is_none = arguments.is_empty() && !call.free_form;
                self.push(Content::Call(Call {
                    call_id: ids::call_id(&call.id, self.seed, self.list.len()),
                    namespace,
                    name,
                    arguments: if is_none { "{}".to_owned() } else { arguments },
                    free_form: call.free_form,
                }));
                self.add_token_of_last(signature.as_ref());
            }
            Item::Image { mime, data } => self.push(Content::Image {
                mime: own(mime),
                data: own(data),
            }),
            Item::Search(search) => {
                self.push(Content::Search(search.queries.iter().map(own).collect()));
            }
            // Sound, and what only another format has, have no place.
            Item::Audio(_) | Item::Opaque { .. } => {}
        }
    }

    fn push(&mut self, content: Content) {
        let id = ids::item_id(content.prefix(), self.seed, self.list.len());
        self.list.push(Output { id, content });
    }

    /// Parts that follow each other make one message.
    fn add_part(&mut self, part: Part) {
        match self.list.last_mut().map(|item| &mut item.content) {
            Some(Content::Message(parts)) => parts.push(part),
            _ => self.push(Content::Message(vec![part])),
        }
    }

    fn add_reasoning(&mut self, block: &ReasoningBlock<'_>) {
        let signature = block.signature.as_ref();
        self.push(Content::Reasoning {
            summary: block.summary.iter().map(own).collect(),
            text: block.text.as_ref().map(own),
            token: signature.map(|signature| token::text(signature, block.redacted)),
        });
        if let (Some(id), Some(item)) = (&block.id, self.list.last_mut()) {
            item.id = own(id);
        }
    }

    fn add_token_of_last(&mut self, signature: Option<&Signature<'_>>) {
        if let Some(signature) = signature {
            self.push(token_item(signature));
        }
    }

    /// Other formats tell them of the answer as a whole: they stand at its first words.
    fn add_logprobs(&mut self, tokens: &[TokenLogprob<'_>]) {
        let parts = self
            .list
            .iter_mut()
            .filter_map(|item| match &mut item.content {
                Content::Message(parts) => Some(parts),
                _ => None,
            });
        if let Some(part) = parts.flatten().find(|part| !part.refusal) {
            part.logprobs = logprob_elements(tokens);
        }
    }
}

/// The item that carries the token of the item before it.
pub(super) fn token_item(signature: &Signature<'_>) -> Content {
    Content::Reasoning {
        summary: Vec::new(),
        text: None,
        token: Some(token::of_block_before(signature)),
    }
}

/// What the provider says about a refusal, where the model did not say it itself.
pub(super) fn refusal_to_add(stop: &crate::ir::Stop<'_>, seen: Seen) -> Option<String> {
    let declined = stop.reason == crate::ir::StopReason::Refusal && !seen.refusal;
    stop.explanation.as_ref().filter(|_| declined).map(own)
}

fn own(text: &Str<'_>) -> String {
    text.decode().into_owned()
}
