//! `sluice translate`: what the gateway would send and answer, without Envoy and without network.
//!
//! Owns: the command line, and what is printed. The rest is the business of [`sluice_dry_run`], which
//! passes messages through the filter.

mod print;

use std::fs;
use std::io::{self, Read as _, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand, ValueEnum};
use sluice_dry_run::{Answer, Asked, Options as Asking, Sent, gateway};
use sluice_filter::config::OpenAiApi;
use sluice_translators::providers::ROWS;

use crate::failure::Failure;

/// Show what the gateway makes of a request or an answer, without Envoy
///
/// The body is read from the standard input, one JSON object is printed. Nothing is sent, and no key
/// is read or printed. Times and ids that the gateway makes are the same on every run.
///
///   sluice translate request --path /v1/chat/completions --kind anthropic < body.json
///   sluice translate response --path /v1/messages --kind groq --request body.json < answer.json
///
/// An error is printed as the client would get it; the exit status is then 1.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct Options {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// What the provider would be sent: method, path, headers, body, and what was left out
    Request(Route),
    /// What the client would get: status, headers, body, and the token counts
    Response(Response),
}

/// From which client to which provider.
#[derive(Debug, Args)]
struct Route {
    /// Path of the client's request, such as /v1/chat/completions or /v1/messages
    #[arg(long, value_name = "PATH")]
    path: String,
    /// Kind of the provider
    #[arg(long, value_name = "KIND", value_parser = PossibleValuesParser::new(ROWS.iter().map(|row| row.kind)), hide_possible_values = true)]
    kind: String,
    /// The model to ask there [default: the one that the request names]
    #[arg(long, value_name = "MODEL")]
    model: Option<String>,
    /// The API of OpenAI that it speaks there [default: that of its kind]
    #[arg(long, value_enum, value_name = "API")]
    api: Option<Api>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Api {
    Chat,
    Responses,
}

impl From<Api> for OpenAiApi {
    fn from(api: Api) -> Self {
        match api {
            Api::Chat => Self::Chat,
            Api::Responses => Self::Responses,
        }
    }
}

#[derive(Debug, Args)]
struct Response {
    #[command(flatten)]
    route: Route,
    /// The body of the client's request
    #[arg(long, value_name = "FILE")]
    request: PathBuf,
    /// Status of the provider's answer
    #[arg(long, value_name = "STATUS", default_value = "200", value_parser = clap::value_parser!(u16).range(200..600))]
    status: u16,
    /// `content-type` of the provider's answer
    #[arg(long, value_name = "TYPE", default_value = "application/json")]
    content_type: String,
    /// Feed the answer in pieces of N bytes [default: all at once]
    #[arg(long, value_name = "N")]
    chunk: Option<NonZeroUsize>,
}

/// Runs it.
///
/// # Errors
/// When there is nothing to translate, or the client would get an error; that has been printed then.
pub fn run(options: &Options, out: &mut dyn Write) -> Result<(), Failure> {
    match &options.what {
        What::Request(route) => request(route, out),
        What::Response(response) => self::response(response, out),
    }
}

fn request(route: &Route, out: &mut dyn Write) -> Result<(), Failure> {
    match ask(route, read_stdin()?)? {
        Asked::Sent(mut sent) => print::request(&sent.outgoing(), out),
        Asked::Answered(answer) => tell(&answer, out),
    }
}

fn response(options: &Response, out: &mut dyn Write) -> Result<(), Failure> {
    let body = read_stdin()?;
    let answer = match ask(&options.route, read(&options.request)?)? {
        Asked::Sent(sent) => pass(*sent, options, &body)?,
        Asked::Answered(answer) => answer,
    };
    tell(&answer, out)
}

/// Passes the provider's answer through, in pieces.
fn pass(sent: Sent, options: &Response, body: &[u8]) -> Result<Answer, Failure> {
    let mut answering = sent.answer(options.status, &options.content_type);
    let chunk = options.chunk.map_or(body.len(), NonZeroUsize::get).max(1);
    let mut passed = Vec::new();
    for piece in body.chunks(chunk) {
        passed.append(&mut answering.push(piece));
    }
    let mut answer = answering.finish().map_err(Failure::line)?;
    passed.append(&mut answer.body);
    answer.body = passed;
    Ok(answer)
}

fn ask(route: &Route, body: Vec<u8>) -> Result<Asked, Failure> {
    let asking = Asking {
        model: route.model.as_deref(),
        api: route.api.map(OpenAiApi::from),
    };
    let gateway = gateway(&route.kind, asking).map_err(Failure::line)?;
    sluice_dry_run::ask(gateway, &route.path, body).map_err(Failure::line)
}

fn tell(answer: &Answer, out: &mut dyn Write) -> Result<(), Failure> {
    print::answer(answer, out)?;
    if answer.status < 400 {
        Ok(())
    } else {
        Err(Failure::Told)
    }
}

fn read_stdin() -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    let read = io::stdin().lock().read_to_end(&mut body);
    read.map_err(|error| Failure::line(format!("cannot read the standard input: {error}")))?;
    Ok(body)
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path)
        .map_err(|error| Failure::line(format!("cannot read {}: {error}", path.display())))
}
