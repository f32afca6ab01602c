//! From a reply to the bytes of an answer, with the faults that the controls ask for.
//!
//! Pure: everything here can be tested without a connection.

use std::io::Write as _;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use hyper::body::Bytes;

use super::controls::{Controls, Truncation};
use super::delivery::{Delivery, Outcome, Piece};
use super::fault::Fault;
use super::formats::{Events, Format};
use super::reply::{Ask, Reply};
use super::script::Ending;

/// What happens to a valid request; `interval` is the ordinary pause between stream events.
pub(super) fn outcome(
    format: &dyn Format,
    ask: &Ask,
    reply: &Reply,
    controls: &Controls,
    interval: Duration,
) -> Outcome {
    if controls.reset {
        return Outcome::Reset;
    }
    if controls.hang {
        return Outcome::Hang;
    }
    if controls.html {
        return Outcome::Answer(Delivery::whole(200, "text/html", PAGE));
    }
    let mut delivery = match (fault(controls), controls.error_after) {
        (Some(fault), None) => refusal(format, &fault),
        (fault, Some(_)) if !ask.stream => {
            Delivery::json(200, &format.fault(&fault.unwrap_or_else(broken)))
        }
        (fault, _) if ask.stream => {
            let after = controls.error_after.unwrap_or_default();
            let fault = format.stream_fault(&fault.unwrap_or_else(broken), after);
            stream(format.stream(ask, reply), fault, controls)
        }
        _ => unary(Bytes::from(format.unary(ask, reply).to_string()), controls),
    };
    pace(&mut delivery, ask.stream, controls, interval);
    let id = (
        format.request_id_header().to_owned(),
        format!("req_{}", reply.id),
    );
    delivery.headers.push(id);
    delivery.wait = controls.delay.unwrap_or_default();
    delivery.headers.extend(format.answer_headers(ask, reply));
    Outcome::Answer(delivery)
}

/// A fault in the format's own words.
pub(super) fn refusal(format: &dyn Format, fault: &Fault) -> Delivery {
    let mut delivery = Delivery::json(fault.status, &format.fault(fault));
    delivery.headers.extend(format.fault_headers(fault));
    let retry_after = fault.retry_after.iter();
    delivery
        .headers
        .extend(retry_after.map(|value| ("retry-after".to_owned(), value.clone())));
    delivery
}

fn fault(controls: &Controls) -> Option<Fault> {
    let status = controls.status?;
    let fault = Fault::new(status, format!("sluice mock: status {status} as asked"));
    Some(Fault {
        retry_after: controls.retry_after.clone(),
        ..fault
    })
}

fn broken() -> Fault {
    Fault::new(500, "sluice mock: an error as asked")
}

fn unary(body: Bytes, controls: &Controls) -> Delivery {
    let mut delivery = Delivery::whole(200, "application/json", Bytes::new());
    let body = if controls.gzip {
        compress(&mut delivery, &[body]).concat().into()
    } else {
        body
    };
    let half = body.slice(..body.len() / 2);
    let ending = interruption(controls).map(|(_, ending)| ending);
    let (sent, length, ending) = match ending {
        Some(ending) => (half, Some(body.len()), ending),
        None if controls.truncated.is_some() => (half, None, Ending::Clean),
        None => (body.clone(), Some(body.len()), Ending::Clean),
    };
    delivery.pieces = vec![Piece::at_once(sent)];
    delivery.length = length;
    delivery.ending = ending;
    delivery
}

fn stream(answer: Events, fault: Bytes, controls: &Controls) -> Delivery {
    let mut delivery = Delivery::whole(200, answer.content_type, Bytes::new());
    let mut events = answer.events;
    match controls.truncated {
        Some(Truncation::Closing) => events.truncate(events.len().saturating_sub(answer.closing)),
        Some(Truncation::Events(last)) => events.truncate(events.len().saturating_sub(last)),
        None => {}
    }
    if let Some(after) = controls.error_after {
        events.truncate(after);
        events.push(fault);
    }
    if let Some((after, ending)) = interruption(controls) {
        events.truncate(after);
        delivery.ending = ending;
    }
    if controls.gzip {
        events = compress(&mut delivery, &events);
    }
    delivery.pieces = events.into_iter().map(Piece::at_once).collect();
    delivery
}

/// After how many events an answer breaks off, and how.
fn interruption(controls: &Controls) -> Option<(usize, Ending)> {
    let cut = controls.reset_after.map(|after| (after, Ending::Cut));
    cut.or_else(|| controls.hang_after.map(|after| (after, Ending::Hang)))
}

/// Cuts the body into chunks if asked to, and sets the pauses between the pieces.
fn pace(delivery: &mut Delivery, stream: bool, controls: &Controls, interval: Duration) {
    if let Some(size) = controls.chunk {
        let whole: Vec<u8> = delivery
            .pieces
            .iter()
            .flat_map(|piece| piece.bytes.to_vec())
            .collect();
        let whole = Bytes::from(whole);
        let starts = (0..whole.len()).step_by(size);
        let end = |start: usize| start.saturating_add(size).min(whole.len());
        delivery.pieces = starts
            .map(|start| Piece::at_once(whole.slice(start..end(start))))
            .collect();
    }
    let usual = if stream { interval } else { Duration::ZERO };
    let pause = controls.interval.unwrap_or(usual);
    delivery
        .pieces
        .iter_mut()
        .skip(1)
        .for_each(|piece| piece.pause = pause);
}

/// One gzip member; each item is flushed, so that a stream still flows.
fn compress(delivery: &mut Delivery, items: &[Bytes]) -> Vec<Bytes> {
    delivery
        .headers
        .push(("content-encoding".to_owned(), "gzip".to_owned()));
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let mut compressed: Vec<Bytes> = items
        .iter()
        .map(|item| {
            // Writing to a Vec does not fail.
            let _ = encoder.write_all(item).and_then(|()| encoder.flush());
            Bytes::from(std::mem::take(encoder.get_mut()))
        })
        .collect();
    compressed.push(Bytes::from(encoder.finish().unwrap_or_default()));
    compressed
}

/// What captive portals and misrouted proxies answer.
const PAGE: &str = "<!DOCTYPE html><html><body><h1>It works!</h1></body></html>\n";
