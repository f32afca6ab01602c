//! The command line of `sluice mock`, also the settings of an in-process server.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

/// How the mock listens, how fast it answers, and how often it fails.
///
/// A single request can ask for more, in its header `x-mock` or after its model name: see the long
/// help.
#[derive(Clone, Debug, clap::Args)]
#[command(after_long_help = CONTROLS_HELP)]
pub struct Options {
    /// Address to listen on; port 0 takes a free one and tells it in the ready line
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,
    /// Wait before the first byte of each answer, such as 200ms or 1s
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = humantime::parse_duration)]
    pub latency: Duration,
    /// Pace of streams; one stream event counts as one token [default: as fast as possible]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub tokens_per_second: Option<u32>,
    /// Share of requests that fail, from 0 to 1; which ones is the same on every run
    #[arg(long, value_name = "SHARE", default_value = "0", value_parser = share)]
    pub error_rate: f64,
    /// Status of the requests that fail by --error-rate
    #[arg(long, value_name = "STATUS", default_value = "503", value_parser = clap::value_parser!(u16).range(400..600))]
    pub error_status: u16,
    /// Answer 401 to requests without a credential, or, given KEY, with another one
    #[arg(long, value_name = "KEY", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    pub require_key: Option<String>,
    /// How many received requests `GET /_mock/requests` remembers
    #[arg(long, value_name = "N", default_value = "1000")]
    pub keep: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            latency: Duration::ZERO,
            tokens_per_second: None,
            error_rate: 0.0,
            error_status: 503,
            require_key: None,
            keep: 1000,
        }
    }
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("must be a number from 0 to 1".to_owned()),
    }
}

const CONTROLS_HELP: &str = "\
Endpoints, behind any prefix:
  /chat/completions                       OpenAI Chat Completions
  /openai/deployments/NAME/chat/completions?api-version=V
                                          the same at Azure OpenAI
  /responses  /responses/input_tokens     OpenAI Responses
  /embeddings                             OpenAI Embeddings
  /v1/messages  /v1/messages/count_tokens Anthropic Messages
  /publishers/anthropic/models/M:rawPredict  :streamRawPredict
                                          the same at Google
  /model/M/invoke  /model/M/invoke-with-response-stream
                                          the same at AWS
  /model/M/converse  /model/M/converse-stream
                                          Bedrock Converse
  /models/M:generateContent  :streamGenerateContent[?alt=sse]  :countTokens
                                          Gemini
  /v2/chat                                Cohere
  /TENANT/oauth2/v2.0/token  /metadata/identity/oauth2/token
                                          tokens of Microsoft
  /token  :generateAccessToken  /computeMetadata/...
                                          tokens of Google, and of OAuth servers
  / (AWS STS)  /latest/... (EC2)  /v1/credentials (ECS, authorization: mock-container-token)
                                          keys of AWS

Answers, decided by the text of the last user turn:
  anything          \"You said: \" and that text, one stream event per word
  call:NAME {json}  a call of the offered tool NAME; several make parallel calls
  think:TEXT        reasoning first, then the answer to TEXT
  say:TEXT          exactly that text
  A then: B         A at first, B after the tools have answered once, and so on
  (tool results)    past the last step: a text that quotes them

Controls of one request, in the header `x-mock: key=value; key` or after the model
name as `any-model+key=value+key`:
  status=429        answer this error         retry-after=7     with this header
  delay=200         milliseconds to wait      interval=20       between stream events
  stop=length       stop reason: end, length, stop-sequence, refusal, content-filter,
                    pause, or any word of the vendor
  usage=9.5.4.1     exact input, output, cached, reasoning tokens (cached is part of
                    input, reasoning of output)
  no-usage          leave usage out           huge=BYTES        one event of that size
  error-after=N     error inside the stream after N events (inside a 200 without stream)
  reset             close without an answer   reset-after=N     cut after N events
  hang              never answer              hang-after=N      stall after N events
  truncated         end cleanly, but without the closing events; truncated=N drops N
  interleave        pieces of parallel calls take turns (OpenAI Chat)
  times=N           all of this only for the first N requests with this model name
  html              200 with a web page       gzip              compress the body
  chunk=N           write the body N bytes at a time

For tests:
  GET, DELETE /_mock/requests    what was received: index, method, path, headers, body
                                 (DELETE also forgets what `times` counted)
  POST, GET, DELETE /_mock/script    queue an exact answer to the next request, such as
      {\"path\": \"/v1/chat\", \"status\": 200, \"headers\": [[\"content-type\", \"text/plain\"]],
       \"body\": [\"text\", {\"text\": \"later\", \"delay_ms\": 50}, {\"base64\": \"AAE=\"}],
       \"end\": \"clean\"}          end: clean, cut or hang; path is a prefix, empty is any
";
