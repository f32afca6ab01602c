//! Streams: each frame goes on as soon as it is whole.

use sluice_translators::formats::{
    Format, StreamReader, StreamTap, StreamWriter, TapOptions, Verdict,
};
use sluice_translators::framing::eventstream::EventStreamDecoder;
use sluice_translators::framing::invoke_model::InvokeModelDecoder;
use sluice_translators::framing::json_array::JsonArrayDecoder;
use sluice_translators::framing::sse::SseDecoder;
use sluice_translators::framing::{Decoder, Frame, FramingError};
use sluice_translators::ir::{ApiError, ErrorKind, Event, Usage};
use sluice_translators::providers::Envelope;

use super::head::Head;
use super::wanted;
use crate::exchange::Exchange;
use crate::gateway::Provider;
use crate::host::{Host, Side};
use crate::telemetry;

/// The decoder of a streamed answer; `None` when the answer is no stream.
pub(super) fn decoder(
    exchange: &Exchange,
    provider: &Provider,
    content_type: &str,
) -> Option<Box<dyn Decoder>> {
    match media_type(content_type) {
        SSE => Some(Box::new(SseDecoder::default())),
        AWS_EVENT_STREAM if provider.envelope == Envelope::AnthropicAws => {
            Some(Box::new(InvokeModelDecoder::default()))
        }
        AWS_EVENT_STREAM => Some(Box::new(EventStreamDecoder::default())),
        // Without a word for events, Gemini streams an array.
        JSON if exchange.stream && provider.format == Format::Gemini => {
            Some(Box::new(JsonArrayDecoder::default()))
        }
        _ => None,
    }
}

fn media_type(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default().trim()
}

const SSE: &str = "text/event-stream";
const JSON: &str = "application/json";

const AWS_EVENT_STREAM: &str = "application/vnd.amazon.eventstream";

/// A streamed answer.
pub(super) struct Stream {
    decoder: Box<dyn Decoder>,
    way: Way,
    /// Nothing more goes to the client: the stream has failed.
    failed: bool,
    /// Frames that said something.
    events: u64,
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stream")
            .field("failed", &self.failed)
            .finish_non_exhaustive()
    }
}

/// How frames become what the client gets.
enum Way {
    /// Same format: byte for byte.
    Pass(Pass),
    /// Through the neutral form.
    Translate(Box<Translate>),
}

impl Stream {
    pub(super) fn new(
        host: &mut dyn Host,
        exchange: &Exchange,
        provider: &Provider,
        decoder: Box<dyn Decoder>,
        mut head: Head,
    ) -> Self {
        let writer = (exchange.client.stream_writer)(wanted(host, exchange));
        let content_type = head.headers().text("content-type").unwrap_or_default();
        // JSON may be an array already, or one object in place of it.
        let reframe = exchange.json_array || media_type(content_type) != writer.content_type();
        if provider.format != exchange.format || reframe {
            head.set_body(writer.content_type(), None);
        } else {
            head.remove("content-length");
        }
        head.send(host);
        let way = if provider.format == exchange.format {
            let hide_usage = exchange.record().hide_usage;
            let tap = (provider.codec.stream_tap)(&TapOptions { hide_usage });
            Way::Pass(Pass {
                tap,
                writer,
                reframe,
            })
        } else {
            let reader = (provider.codec.stream_reader)();
            Way::Translate(Box::new(Translate {
                reader,
                writer,
                seen: Seen::default(),
            }))
        };
        Self {
            decoder,
            way,
            failed: false,
            events: 0,
        }
    }

    pub(super) fn body(&mut self, host: &mut dyn Host, exchange: &Exchange, end: bool) {
        let chunk = host.body(Side::Response);
        let mut out = Vec::with_capacity(chunk.len());
        self.decoder.push(&chunk);
        self.frames(&mut out);
        if end {
            self.end(&mut out);
        }
        self.publish(host, exchange);
        if out != chunk {
            host.replace_body(Side::Response, &out);
        }
    }

    /// Whether the stream has come to its proper end.
    pub(super) fn is_whole(&self) -> bool {
        !self.failed
            && match &self.way {
                Way::Pass(pass) => pass.tap.is_complete(),
                Way::Translate(translate) => translate.seen.ended,
            }
    }

    /// How many events there were so far.
    pub(super) const fn events(&self) -> u64 {
        self.events
    }

    /// The body has ended with trailers behind it.
    pub(super) fn finish(&mut self, host: &mut dyn Host, exchange: &Exchange) {
        let mut out = Vec::new();
        self.end(&mut out);
        self.publish(host, exchange);
        if !out.is_empty() {
            host.replace_body(Side::Response, &out);
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        self.decoder.finish();
        self.frames(out);
        if !self.failed {
            self.way.finish(out);
        }
    }

    /// All frames that are whole.
    fn frames(&mut self, out: &mut Vec<u8>) {
        while !self.failed {
            match self.decoder.next_frame() {
                Ok(Some(frame)) => {
                    self.events = self.events.saturating_add(u64::from(!frame.says_nothing()));
                    self.way.frame(&frame, out);
                }
                Ok(None) => return,
                Err(error) => {
                    self.failed = true;
                    self.way.fail(&error, out);
                }
            }
        }
    }

    fn publish(&self, host: &mut dyn Host, exchange: &Exchange) {
        match &self.way {
            Way::Pass(pass) => {
                let inspection = pass.tap.inspection();
                telemetry::note(
                    host,
                    exchange,
                    &inspection.usage,
                    inspection.model.as_deref(),
                );
            }
            Way::Translate(translate) => {
                let seen = &translate.seen;
                telemetry::note(host, exchange, &seen.usage, seen.model.as_deref());
            }
        }
    }
}

impl Way {
    fn frame(&mut self, frame: &Frame<'_>, out: &mut Vec<u8>) {
        match self {
            Self::Pass(pass) => pass.frame(frame, out),
            Self::Translate(translate) => translate.frame(frame, out),
        }
    }

    /// The body has ended. A stream that was cut must not look as if it had come to its end.
    fn finish(&mut self, out: &mut Vec<u8>) {
        match self {
            Self::Pass(pass) => pass.finish(out),
            Self::Translate(translate) => translate.finish(out),
        }
    }

    fn fail(&mut self, error: &FramingError, out: &mut Vec<u8>) {
        let writer = match self {
            Self::Pass(pass) => &mut pass.writer,
            Self::Translate(translate) => &mut translate.writer,
        };
        writer.write(&Event::Error(broken(&error.to_string())), out);
    }
}

fn broken(problem: &str) -> ApiError<'static> {
    ApiError::new(ErrorKind::BadGateway, 502, problem.to_owned())
}

/// Same format on both sides.
struct Pass {
    tap: Box<dyn StreamTap>,
    /// For the error event of a stream that was cut.
    writer: Box<dyn StreamWriter>,
    /// The events come in another framing than the client's: Anthropic's in AWS's event stream,
    /// Gemini's as events for a client that wants an array.
    reframe: bool,
}

impl Pass {
    fn frame(&mut self, frame: &Frame<'_>, out: &mut Vec<u8>) {
        if frame.says_nothing() {
            if !self.reframe {
                out.extend_from_slice(frame.raw);
            }
            return;
        }
        if self.tap.frame(frame) == Verdict::Hide {
            return;
        }
        if frame.exception {
            self.exception(frame, out);
        } else if self.reframe {
            self.writer.reframe(frame, out);
        } else {
            out.extend_from_slice(frame.raw);
            self.writer.passed(frame);
        }
    }

    /// No client's API has such frames.
    fn exception(&mut self, frame: &Frame<'_>, out: &mut Vec<u8>) {
        let read = self.tap.inspection().error.clone();
        let error = read.unwrap_or_else(|| {
            let name = frame.name.unwrap_or_default();
            broken(&format!("the provider failed: {name}"))
        });
        self.writer.write(&Event::Error(error), out);
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        if !self.tap.is_complete() && self.tap.inspection().error.is_none() {
            let problem = "the provider's stream ended before its answer was whole";
            self.writer.write(&Event::Error(broken(problem)), out);
        } else if self.reframe {
            self.writer.finish_reframed(out);
        }
    }
}

/// Different formats.
struct Translate {
    reader: Box<dyn StreamReader>,
    writer: Box<dyn StreamWriter>,
    seen: Seen,
}

impl Translate {
    fn frame(&mut self, frame: &Frame<'_>, out: &mut Vec<u8>) {
        let Self {
            reader,
            writer,
            seen,
        } = self;
        if !frame.says_nothing() {
            reader.frame(frame, &mut |event: Event<'_>| {
                seen.event(&event);
                writer.write(&event, out);
            });
        } else if frame.raw.contains(&b':') {
            // Comments keep connections alive; a blank line says nothing to anybody.
            writer.write(&Event::Ping, out);
        }
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        let Self {
            reader,
            writer,
            seen,
        } = self;
        reader.finish(&mut |event: Event<'_>| {
            seen.event(&event);
            writer.write(&event, out);
        });
    }
}

/// What is known of a translated stream so far.
#[derive(Debug, Default)]
struct Seen {
    usage: Usage,
    model: Option<String>,
    ended: bool,
}

impl Seen {
    fn event(&mut self, event: &Event<'_>) {
        match event {
            Event::Usage(usage) => self.usage.merge(usage),
            Event::End => self.ended = true,
            Event::Start { model, .. } if !model.is_empty() => {
                self.model = Some(model.decode().into_owned());
            }
            _ => {}
        }
    }
}
