//! What Envoy does around the two placements: it finds the cluster, tries its providers one after
//! the other, and answers itself when all fail.

use std::rc::Rc;

use anyhow::Result;
use sluice_filter::downstream::{CLUSTER_HEADER, Downstream, FORWARDED_PROTO_HEADER, MODEL_HEADER};
use sluice_filter::gateway::Gateway;
use sluice_filter::host::{Headers, Side};
use sluice_filter::upstream::Upstream;

use super::Cuts;
use super::host::{Reply, Shared};
use super::stage::{Passed, Stage};
use crate::body;
use crate::observation::{Observation, SeenRequest, SeenResponse};
use crate::scenario::{Answer, End, Failure, Message, Scenario, Try};
use crate::wire;

/// Plays a scenario once.
pub(super) fn play(gateway: &Rc<Gateway>, scenario: &Scenario, cuts: &Cuts) -> Result<Observation> {
    let shared = Rc::new(Shared::default());
    let downstream = Stage::new(Downstream::new(Rc::clone(gateway)), &shared);
    let mut envoy = Envoy {
        scenario,
        cuts,
        limit: gateway.settings.max_request_bytes,
        shared,
        downstream,
        client: SeenResponse::default(),
        tries: Vec::new(),
    };
    envoy.request()?;
    let Envoy {
        mut downstream,
        client,
        tries,
        shared,
        ..
    } = envoy;
    downstream.placement.done(&mut downstream.host);
    if client.status == 0 && client.ends == End::Clean {
        shared.violation("the client got no answer");
    }
    Ok(Observation {
        tries,
        response: client,
        facts: shared.facts.borrow().clone(),
        metrics: Some(shared.metrics.take()),
        violations: shared.violations.take(),
    })
}

struct Envoy<'a> {
    scenario: &'a Scenario,
    cuts: &'a Cuts,
    /// Envoy's own bound on a body that a filter holds.
    limit: usize,
    shared: Rc<Shared>,
    downstream: Stage<Downstream>,
    client: SeenResponse,
    tries: Vec<SeenRequest>,
}

/// What a try came to.
enum Outcome {
    /// The provider's answer, to pass on.
    Answer(Box<Message>),
    /// A placement's or Envoy's own answer.
    Reply(Reply),
    /// Envoy may try another.
    Retriable(Box<Self>),
}

impl Envoy<'_> {
    /// The request, through the downstream placement.
    fn request(&mut self) -> Result<()> {
        let body = self.scenario.request.body.bytes()?;
        let mut pieces = self.cuts.request.cut(&body);
        let ends_with_trailers = !self.scenario.request.trailers.is_empty();
        let last = if ends_with_trailers {
            None
        } else {
            pieces.pop()
        };
        let headers = wire::request_headers(&self.scenario.request, body.len());
        let mut passed = self.downstream.headers(
            Side::Request,
            headers,
            last.is_none() && !ends_with_trailers,
        );
        for piece in pieces {
            if answered(&passed) {
                break;
            }
            passed.extend(self.downstream.data(Side::Request, &piece, false));
            if self.downstream.held(Side::Request) > self.limit {
                passed.push(Passed::Reply(too_large()));
            }
        }
        if let Some(last) = last.filter(|_| !answered(&passed)) {
            passed.extend(self.downstream.data(Side::Request, &last, true));
        }
        if ends_with_trailers && !answered(&passed) {
            passed.extend(self.downstream.trailers(Side::Request));
        }
        self.route(passed)
    }

    /// What has come out behind the downstream placement, to the cluster that it names.
    fn route(&mut self, passed: Vec<Passed>) -> Result<()> {
        let mut request = (Headers::default(), Vec::new());
        for one in passed {
            match one {
                Passed::Headers(headers) => request.0 = headers,
                Passed::Data(data) => request.1.extend(data),
                Passed::End => {}
                Passed::Reply(reply) => {
                    self.reply(&reply);
                    return Ok(());
                }
            }
        }
        self.tries(request.0, &request.1)
    }

    fn tries(&mut self, mut headers: Headers, body: &[u8]) -> Result<()> {
        if headers.get(FORWARDED_PROTO_HEADER).is_none() {
            return self.finish(Outcome::Reply(route_not_found()));
        }
        // The generator names a cluster after its targets, in the order of their priorities.
        let cluster = headers.text(CLUSTER_HEADER).unwrap_or_default().to_owned();
        let targets: Vec<_> = cluster.split('>').filter(|id| !id.is_empty()).collect();
        if let [only] = targets.as_slice() {
            // Its cluster has no upstream placement; the route takes the filter's headers off.
            let internal = [CLUSTER_HEADER, MODEL_HEADER, FORWARDED_PROTO_HEADER];
            headers.retain(|name| !internal.contains(&name));
            let passed = vec![
                Passed::Headers(headers),
                Passed::Data(body.to_vec()),
                Passed::End,
            ];
            let outcome = self.provider(only, 0, passed)?;
            return self.finish(outcome);
        }
        let retries = headers
            .text("x-envoy-max-retries")
            .and_then(|text| text.parse().ok());
        let tries = retries.unwrap_or(0usize).saturating_add(1);
        let mut outcome = Outcome::Reply(cluster_not_found());
        for (index, target) in targets.iter().take(tries).enumerate() {
            outcome = self.one_try(target, index, &mut headers, body)?;
            if !matches!(outcome, Outcome::Retriable(_)) {
                break;
            }
        }
        self.finish(outcome)
    }

    fn finish(&mut self, outcome: Outcome) -> Result<()> {
        match outcome {
            Outcome::Answer(message) => self.answer(&message),
            Outcome::Reply(reply) => {
                self.reply(&reply);
                Ok(())
            }
            Outcome::Retriable(last) => self.finish(*last),
        }
    }

    /// One try: the request through the upstream placement to the provider. The headers stay as
    /// this try leaves them: Envoy hands them to the next.
    fn one_try(
        &mut self,
        target: &str,
        index: usize,
        headers: &mut Headers,
        body: &[u8],
    ) -> Result<Outcome> {
        let mut stage = Stage::new(Upstream::new(), &self.shared);
        stage.host.target = Some(target.to_owned());
        let mut passed = stage.headers(Side::Request, headers.clone(), body.is_empty());
        let mut pieces = self.cuts.request.cut(body);
        let last = pieces.pop();
        for piece in pieces
            .iter()
            .filter(|_| !answered(&passed))
            .collect::<Vec<_>>()
        {
            passed.extend(stage.data(Side::Request, piece, false));
        }
        if let Some(last) = last.filter(|_| !answered(&passed)) {
            passed.extend(stage.data(Side::Request, &last, true));
        }
        *headers = stage.host.request.headers.clone();
        self.provider(target, index, passed)
    }

    /// What comes out behind the upstream placement, at the provider.
    fn provider(&mut self, target: &str, index: usize, passed: Vec<Passed>) -> Result<Outcome> {
        let mut seen = SeenRequest {
            provider: provider_of(target),
            ..SeenRequest::default()
        };
        for one in passed {
            match one {
                Passed::Headers(headers) => wire::fill_request(&mut seen, headers),
                Passed::Data(data) => seen.body.extend(data),
                Passed::End => {}
                Passed::Reply(reply) => return Ok(Outcome::Reply(reply)),
            }
        }
        let Some(Try { answers, .. }) = self.scenario.tries.get(index) else {
            self.tries.push(seen);
            self.shared
                .violation("a try that the scenario does not name");
            return Ok(Outcome::Reply(connect_failure()));
        };
        if !crate::always::is_refused(answers) {
            self.tries.push(seen);
        }
        Ok(outcome(answers))
    }

    /// The provider's answer, through the downstream placement to the client.
    fn answer(&mut self, message: &Message) -> Result<()> {
        let body = body::pack(&message.body.bytes()?, message.encoding)?;
        let mut pieces = self.cuts.response.cut(&body);
        let clean = message.ends == End::Clean;
        let last = if clean { pieces.pop() } else { None };
        self.downstream.host.from_provider = true;
        self.downstream.host.details = "via_upstream".to_owned();
        let headers = wire::response_headers(message, body.len());
        let mut ended = self.headers_to_client(headers, clean && last.is_none());
        for piece in pieces {
            ended = ended || self.data_to_client(&piece, false);
        }
        let before_last = self.client.body.len();
        if let Some(last) = last.filter(|_| !ended) {
            ended = self.data_to_client(&last, true);
        }
        if !ended {
            self.client.ends = End::Reset;
        }
        self.client.flowed = wire::must_flow(self.scenario, self.cuts).then_some(before_last > 0);
        Ok(())
    }

    /// An answer of Envoy, or of a placement, goes through the downstream placement too.
    fn reply(&mut self, reply: &Reply) {
        self.downstream.host.from_provider = false;
        self.downstream.host.details.clone_from(&reply.details);
        let empty = reply.body.is_empty();
        let ended = self.headers_to_client(reply.headers.clone(), empty);
        if !ended && !empty {
            self.data_to_client(&reply.body, true);
        }
    }

    fn headers_to_client(&mut self, headers: Headers, end: bool) -> bool {
        let passed = self.downstream.headers(Side::Response, headers, end);
        self.client_gets(passed)
    }

    fn data_to_client(&mut self, piece: &[u8], end: bool) -> bool {
        let passed = self.downstream.data(Side::Response, piece, end);
        self.client_gets(passed)
    }

    /// Whether the client now has everything.
    fn client_gets(&mut self, passed: Vec<Passed>) -> bool {
        let mut ended = false;
        for one in passed {
            match one {
                Passed::Headers(headers) => wire::fill_response(&mut self.client, headers),
                Passed::Data(data) => self.client.body.extend(data),
                Passed::End => ended = true,
                Passed::Reply(reply) => {
                    wire::fill_response(&mut self.client, reply.headers);
                    self.client.body = reply.body;
                    ended = true;
                }
            }
        }
        ended
    }
}

fn answered(passed: &[Passed]) -> bool {
    passed.iter().any(|one| matches!(one, Passed::Reply(_)))
}

/// A second target of the same provider has a number behind the name.
fn provider_of(target: &str) -> String {
    target.split('~').next().unwrap_or(target).to_owned()
}

fn outcome(answers: &Answer) -> Outcome {
    let retriable = |reply| Outcome::Retriable(Box::new(Outcome::Reply(reply)));
    match answers {
        Answer::Failure(Failure::Hang) => retriable(timeout()),
        Answer::Failure(Failure::Reset | Failure::Refuse) => retriable(connect_failure()),
        Answer::Message(message) if message.status >= 500 || message.status == 429 => {
            Outcome::Retriable(Box::new(Outcome::Answer(message.clone())))
        }
        Answer::Message(message) => Outcome::Answer(message.clone()),
    }
}

// Envoy's own answers, as release 1.40.0 gives them.

fn plain(status: u16, body: &str, details: &str) -> Reply {
    Reply::new(
        status,
        &[("content-type", "text/plain")],
        body.as_bytes(),
        details,
    )
}

fn too_large() -> Reply {
    plain(413, "Payload Too Large", "request_payload_too_large")
}

fn route_not_found() -> Reply {
    plain(404, "", "route_not_found")
}

fn cluster_not_found() -> Reply {
    plain(503, "", "cluster_not_found")
}

fn timeout() -> Reply {
    plain(504, "upstream request timeout", "upstream_per_try_timeout")
}

fn connect_failure() -> Reply {
    plain(
        503,
        "upstream connect error or disconnect/reset before headers. reset reason: connection termination",
        "upstream_reset_before_response_started{connection_termination}",
    )
}
