//! Single values: text to type, or what would be right.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use bytesize::ByteSize;
use sluice_filter::config::{OnUnsupported, OpenAiApi};
use sluice_translators::capabilities::Thinking;

use super::super::diagnostic::Diagnostic;
use super::super::{Grpc, Host};
use super::tokens::AwsSource;

pub(super) type Checked<T> = Result<T, Diagnostic>;

/// Text that says something.
pub(super) fn any(text: &str) -> Checked<String> {
    if text.trim().is_empty() {
        return Err(Diagnostic::error("this value is empty"));
    }
    Ok(text.to_owned())
}

/// `127.0.0.1:1975`, or `localhost:1975`.
pub(super) fn address(text: &str) -> Checked<SocketAddr> {
    if let Some(port) = text
        .strip_prefix("localhost:")
        .and_then(|port| port.parse().ok())
    {
        return Ok((Ipv4Addr::LOCALHOST, port).into());
    }
    text.parse().map_err(|_| {
        let problem = Diagnostic::error(format!("`{text}` is not an address with a port"));
        problem.help(match text.parse::<u16>() {
            Ok(port) => format!("write `127.0.0.1:{port}`, or `0.0.0.0:{port}` for all interfaces"),
            Err(_) => "write an IP address and a port: `127.0.0.1:1975`, `[::1]:1975`".to_owned(),
        })
    })
}

/// `32MiB`, or a number of bytes.
pub(super) fn size(text: &str) -> Checked<u32> {
    let help = "write a number of bytes, or `32MiB`; at most `1GiB`";
    let size: ByteSize = text
        .parse()
        .map_err(|_| Diagnostic::error(format!("`{text}` is not a size")).help(help))?;
    u32::try_from(size.as_u64())
        .ok()
        .filter(|bytes| (1..=MAX_BYTES).contains(bytes))
        .ok_or_else(|| Diagnostic::error(format!("a size of `{text}` is out of range")).help(help))
}

/// `300ms`, `30s`, `5m`; not zero.
pub(super) fn duration(text: &str) -> Checked<Duration> {
    let help = if text.parse::<u64>().is_ok() {
        format!("say the unit: `{text}s`")
    } else {
        "write it as `300ms`, `30s` or `5m`".to_owned()
    };
    match humantime::parse_duration(text) {
        Ok(duration) if duration.is_zero() => {
            Err(Diagnostic::error("a time of zero would fail every request"))
        }
        Ok(duration) if duration > MAX_DURATION => {
            Err(Diagnostic::error(format!("`{text}` is longer than a day")))
        }
        Ok(duration) => Ok(duration),
        Err(_) => Err(Diagnostic::error(format!("`{text}` is not a length of time")).help(help)),
    }
}

/// A whole number from 0.
pub(super) fn number(text: &str) -> Checked<u32> {
    text.parse().map_err(|_| {
        Diagnostic::error(format!(
            "`{text}` is not a whole number from 0 to {}",
            u32::MAX
        ))
    })
}

/// A whole number from 1.
pub(super) fn positive(text: &str) -> Checked<u64> {
    text.parse()
        .ok()
        .filter(|number| *number > 0)
        .ok_or_else(|| Diagnostic::error(format!("`{text}` is not a whole number from 1")))
}

/// `true` or `false`
pub(super) fn switch(text: &str) -> Checked<bool> {
    match text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(choice(text, &["true", "false"])),
    }
}

/// How a model takes thinking.
pub(super) fn thinking(text: &str) -> Checked<Thinking> {
    match text {
        "none" => Ok(Thinking::None),
        "budget" => Ok(Thinking::Budget),
        "adaptive" => Ok(Thinking::Adaptive),
        "both" => Ok(Thinking::Both),
        _ => Err(choice(text, &["none", "budget", "adaptive", "both"])),
    }
}

/// A name that a cloud gives to a region, a location or a project: it becomes part of hosts and paths.
pub(super) fn cloud_name(text: &str) -> Checked<String> {
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-:.".contains(c);
    if text.is_empty() || !text.chars().all(good) {
        return Err(
            Diagnostic::error(format!("`{text}` cannot be a name in a cloud"))
                .help("use lower-case letters, digits and `-`"),
        );
    }
    Ok(text.to_owned())
}

/// `drop` or `reject`
pub(super) fn on_unsupported(text: &str) -> Checked<OnUnsupported> {
    match text {
        "drop" => Ok(OnUnsupported::Drop),
        "reject" => Ok(OnUnsupported::Reject),
        _ => Err(choice(text, &["drop", "reject"])),
    }
}

/// `grpc://HOST:PORT`
pub(super) fn grpc(text: &str) -> Option<Grpc> {
    let url = url::Url::parse(text)
        .ok()
        .filter(|url| url.scheme() == "grpc")?;
    let (host, port) = (url.host_str()?, url.port()?);
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    let host = address.map_or_else(|_| Host::Name(host.to_owned()), Host::Address);
    Some(Grpc { host, port })
}

/// `none` or `prometheus`
pub(super) fn metrics(text: &str) -> Checked<bool> {
    match text {
        "none" => Ok(false),
        "prometheus" => Ok(true),
        _ => Err(choice(text, &["none", "prometheus"])),
    }
}

/// `chat` or `responses`
pub(super) fn api(text: &str) -> Checked<OpenAiApi> {
    match text {
        "chat" => Ok(OpenAiApi::Chat),
        "responses" => Ok(OpenAiApi::Responses),
        _ => Err(choice(text, &["chat", "responses"])),
    }
}

/// Whether the client says who it is in a header.
pub(super) fn client_auth(text: &str) -> Checked<bool> {
    match text {
        "basic" => Ok(true),
        "body" => Ok(false),
        _ => Err(choice(text, &["body", "basic"])),
    }
}

/// `environment`, `instance` or `container`
pub(super) fn aws_source(text: &str) -> Checked<AwsSource> {
    match text {
        "environment" => Ok(AwsSource::Environment),
        "instance" => Ok(AwsSource::Instance),
        "container" => Ok(AwsSource::Container),
        _ => Err(choice(text, &["environment", "instance", "container"])),
    }
}

/// Not one of the values that there are.
pub(super) fn choice(text: &str, known: &[&str]) -> Diagnostic {
    Diagnostic::error(format!("`{text}` cannot stand here")).suggest(text, known)
}

/// Envoy holds a message of this size in memory, twice while it is translated.
const MAX_BYTES: u32 = 1 << 30;
const MAX_DURATION: Duration = Duration::from_secs(24 * 60 * 60);
