//! Every callback of the ABI that the module uses, tried in a real Envoy: the version of the ABI is a
//! text that Envoy only warns about, so this is what tells that it still fits.
//!
//! Needs Envoy: `$ENVOY`, or `.venv/bin/envoy`. Without it the tests say so and pass, unless `CI=true`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

#[test]
fn the_request_is_routed_by_a_header_set_after_the_body_and_rewritten_upstream() {
    let Some(envoy) = envoy() else { return };
    let answer = envoy.ask(&[("x-secret", "s")], b"hello");
    assert_eq!(answer.status, 200);
    assert!(
        answer.body.starts_with("<POST /rewritten HTTP/1.1\n"),
        "{}",
        answer.body
    );
    assert!(answer.body.ends_with("\n\n<hello>>"), "{}", answer.body);
    for line in [
        "content-length: 7",
        "x-probe-length: 5",
        "x-probe-target: provider-a",
        "x-probe-exchange: true",
        "x-twice: 1",
        "x-twice: 2",
    ] {
        assert!(
            answer.body.contains(&format!("\n{line}\n")),
            "{line}: {}",
            answer.body
        );
    }
    assert!(!answer.body.contains("x-secret"), "{}", answer.body);
    let length = answer.body.len().to_string();
    assert_eq!(answer.header("content-length"), Some(length.as_str()));
    assert_eq!(answer.header("x-probe-from-provider"), Some("true"));
}

#[test]
fn bodies_above_envoys_own_limit_pass_in_both_directions() {
    let Some(envoy) = envoy() else { return };
    let answer = envoy.ask(&[], &vec![b'x'; 2_000_000]);
    assert_eq!(answer.status, 200);
    assert!(answer.body.contains("\nx-probe-length: 2000000\n"));
    assert!(answer.body.contains("\ncontent-length: 2000002\n"));
    assert!(answer.body.len() > 2_000_000);
}

#[test]
fn a_stream_passes_piece_by_piece() {
    let Some(envoy) = envoy() else { return };
    let answer = envoy.ask(&[("x-probe", "stream")], b"hello");
    assert_eq!(answer.status, 200);
    assert!(answer.body.matches('{').count() > 1, "{}", answer.body);
    let text = answer.body.replace(['{', '}'], "");
    assert_eq!(text, "piece 0;piece 1;piece 2;");
}

#[test]
fn the_filter_can_answer_by_itself() {
    let Some(envoy) = envoy() else { return };
    let answer = envoy.ask(&[("x-probe", "respond"), ("x-case", "respond")], b"hello");
    assert_eq!(answer.status, 418);
    assert_eq!(answer.header("x-probe"), Some("responded"));
    assert_eq!(answer.body, "short and stout");
    assert!(envoy.log_line("case=respond").contains("details=sluice"));
}

#[test]
fn envoys_own_answer_is_told_from_a_providers() {
    let Some(envoy) = envoy() else { return };
    let answer = envoy.ask(&[("x-probe", "nowhere")], b"hello");
    assert_eq!(answer.status, 503);
    assert_eq!(answer.header("x-probe-from-provider"), Some("false"));
    assert_eq!(answer.header("x-probe-details"), Some("cluster_not_found"));
}

#[test]
fn facts_are_metadata_and_filter_state_and_the_last_value_counts() {
    let Some(envoy) = envoy() else { return };
    envoy.ask(&[("x-case", "facts")], b"hello");
    let line = envoy.log_line("case=facts");
    assert!(
        line.contains("metadata=1234/a-model/complete state=1234/complete"),
        "{line}"
    );
    assert!(line.contains("emptied=/"), "{line}");
}

#[test]
fn metrics_carry_labels() {
    let Some(envoy) = envoy() else { return };
    envoy.ask(&[], b"hello");
    let has = |line: &str| envoy.stats().lines().any(|l| l.starts_with(line));
    let count = "envoy_sluice_test_probe_count{model=\"a-model\",provider=\"provider-a\"} ";
    assert!(eventually(|| has(count)), "{}", envoy.stats());
    // Histograms are merged every five seconds.
    let sum = "envoy_sluice_test_probe_histogram_count{model=\"a-model\"} ";
    assert!(eventually(|| has(sum)), "{}", envoy.stats());
}

#[test]
fn a_panic_is_a_500_for_its_request_and_nothing_else() {
    let Some(envoy) = envoy() else { return };
    let places = [
        "Downstream Headers(Request, false)",
        "Downstream Body(Request, true)",
        "Upstream Headers(Request, false)",
        "Upstream Body(Request, true)",
        "Upstream Headers(Response, false)",
        "Upstream Body(Response, true)",
        "Downstream Headers(Response, false)",
    ];
    for place in places {
        let answer = envoy.ask(&[("x-probe", &format!("panic {place}"))], b"hello");
        assert_eq!(answer.status, 500, "{place}: {}", answer.body);
        assert_eq!(answer.body, "internal error of the gateway", "{place}");
        assert_eq!(envoy.ask(&[], b"hello").status, 200, "after {place}");
    }
    envoy.ask(&[("x-probe", "panic Downstream Complete")], b"hello");
    assert_eq!(envoy.ask(&[], b"hello").status, 200);
    let counted: u64 = envoy
        .stats()
        .lines()
        .filter(|line| line.contains("sluice_test_sluice_panics_total{"))
        .filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok())
        .sum();
    assert_eq!(counted, 8, "{}", envoy.stats());
    let line = "sluice: panic at module/src/probe.rs";
    let reported = || envoy.file("envoy.log").matches(line).count();
    assert!(eventually(|| reported() == 1), "{} reports", reported());
    let log = envoy.file("envoy.log");
    assert!(
        !log.contains("as told"),
        "the message of a panic may hold a prompt"
    );
}

#[test]
fn a_configuration_that_the_module_does_not_know_is_refused_with_a_reason() {
    let Some(binary) = binary() else { return };
    let dir = scratch("refused");
    let path = bootstrap(&dir, "nonsense", 3);
    let output = Command::new(binary)
        .args(["--mode", "validate", "-c"])
        .arg(&path)
        .env("ENVOY_DYNAMIC_MODULES_SEARCH_PATH", module_dir())
        .output()
        .unwrap();
    assert!(!output.status.success());
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(
        text.contains("filter_name \"nonsense\" is neither"),
        "{text}"
    );
}

/// An Envoy with the module, for all tests; it ends when this process does.
struct Envoy {
    port: u16,
    admin: u16,
    dir: PathBuf,
}

struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

impl Envoy {
    fn start(binary: &Path) -> Result<Self, String> {
        let dir = scratch("envoy");
        let path = bootstrap(&dir, "probe-downstream", provider());
        // The shell outlives Envoy by nothing: its input ends with this process, which no test can forget.
        Command::new("sh")
            .args(["-c", r#""$0" "$@" & read -r _; kill $!"#])
            .arg(binary)
            .args([
                "--concurrency",
                "1",
                "--disable-hot-restart",
                "--file-flush-interval-msec",
                "50",
                "-l",
                "warn",
                "--log-path",
            ])
            .arg(dir.join("envoy.log"))
            .arg("--admin-address-path")
            .arg(dir.join("admin"))
            .arg("-c")
            .arg(&path)
            .env("ENVOY_DYNAMIC_MODULES_SEARCH_PATH", module_dir())
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map(std::mem::forget)
            .unwrap();
        let mut ports = None;
        eventually(|| {
            ports = ports_in(&dir);
            ports.is_some()
        });
        let log = || std::fs::read_to_string(dir.join("envoy.log")).unwrap_or_default();
        let [port, admin] = ports.ok_or_else(log)?;
        Ok(Self { port, admin, dir })
    }

    fn ask(&self, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut head = format!(
            "POST /v1 HTTP/1.1\r\nhost: test\r\nconnection: close\r\nx-twice: 1\r\nx-twice: 2\r\n\
             content-length: {}\r\n",
            body.len()
        );
        for (name, value) in headers {
            write!(head, "{name}: {value}\r\n").unwrap();
        }
        head.push_str("\r\n");
        exchange(self.port, &[head.as_bytes(), body].concat()).expect("an answer")
    }

    fn stats(&self) -> String {
        get(self.admin, "/stats/prometheus").unwrap().body
    }

    fn file(&self, name: &str) -> String {
        std::fs::read_to_string(self.dir.join(name)).unwrap_or_default()
    }

    fn log_line(&self, part: &str) -> String {
        let find = || {
            self.file("access.log")
                .lines()
                .find(|l| l.contains(part))
                .map(str::to_owned)
        };
        assert!(
            eventually(|| find().is_some()),
            "{}",
            self.file("access.log")
        );
        find().unwrap()
    }
}

fn envoy() -> Option<&'static Envoy> {
    static ENVOY: OnceLock<Option<Result<Envoy, String>>> = OnceLock::new();
    let envoy = ENVOY.get_or_init(|| binary().map(|path| Envoy::start(&path)));
    envoy
        .as_ref()
        .map(|envoy| envoy.as_ref().expect("an Envoy that starts"))
}

fn binary() -> Option<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.venv/bin/envoy");
    let path = std::env::var_os("ENVOY").map_or(own, PathBuf::from);
    if path.exists() {
        return Some(path);
    }
    assert_ne!(
        std::env::var("CI").as_deref(),
        Ok("true"),
        "no Envoy at {}",
        path.display()
    );
    eprintln!("skipped: no Envoy at {}", path.display());
    None
}

/// Builds the module with the feature `probe`, apart from the one that others may use.
fn module_dir() -> &'static Path {
    static DIR: OnceLock<PathBuf> = OnceLock::new();
    DIR.get_or_init(|| {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("probe");
        let status = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--features", "probe", "--manifest-path"])
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
            .arg("--target-dir")
            .arg(&target)
            .status()
            .unwrap();
        assert!(status.success());
        target.join("debug")
    })
}

fn scratch(name: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).unwrap();
    dir
}

/// The ports that a ready Envoy has taken: its listener's, and its admin interface's.
fn ports_in(dir: &Path) -> Option<[u16; 2]> {
    let port = |address: &str| Some(address.trim().parse::<SocketAddr>().ok()?.port());
    let admin = port(&std::fs::read_to_string(dir.join("admin")).ok()?)?;
    get(admin, "/ready").filter(|answer| answer.status == 200)?;
    // `listener::127.0.0.1:1975`
    let listeners = get(admin, "/listeners")?.body;
    let (_, listener) = listeners.lines().next()?.split_once("::")?;
    Some([port(listener)?, admin])
}

fn eventually(mut condition: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + Duration::from_secs(20);
    while Instant::now() < end {
        if condition() {
            return true;
        }
        thread::sleep(Duration::from_millis(50));
    }
    false
}

fn get(port: u16, path: &str) -> Option<Answer> {
    let head = format!("GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n");
    exchange(port, head.as_bytes())
}

fn exchange(port: u16, request: &[u8]) -> Option<Answer> {
    let mut socket = TcpStream::connect(("127.0.0.1", port)).ok()?;
    // An early answer may come before the body is read.
    let _ = socket.write_all(request);
    let mut reader = BufReader::new(socket);
    let (first, headers) = head(&mut reader)?;
    let mut body = Vec::new();
    if headers
        .iter()
        .any(|(name, value)| name == "transfer-encoding" && value == "chunked")
    {
        while let Some(chunk) = chunk(&mut reader) {
            body.extend(chunk);
        }
    } else {
        reader.read_to_end(&mut body).ok()?;
    }
    Some(Answer {
        status: first.split(' ').nth(1)?.parse().ok()?,
        headers,
        body: String::from_utf8(body).ok()?,
    })
}

/// First line and headers.
fn head(reader: &mut impl BufRead) -> Option<(String, Vec<(String, String)>)> {
    let lines: Vec<String> = reader
        .lines()
        .map_while(Result::ok)
        .take_while(|line| !line.is_empty())
        .collect();
    let (first, rest) = lines.split_first()?;
    let pair = |line: &String| {
        let (name, value) = line.split_once(':')?;
        Some((name.to_ascii_lowercase(), value.trim().to_owned()))
    };
    Some((first.clone(), rest.iter().filter_map(pair).collect()))
}

fn chunk(reader: &mut impl BufRead) -> Option<Vec<u8>> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut bytes = vec![
        0;
        usize::from_str_radix(line.trim(), 16)
            .ok()
            .filter(|&n| n > 0)?
    ];
    reader.read_exact(&mut bytes).ok()?;
    reader.read_line(&mut line).ok()?;
    Some(bytes)
}

/// A provider that tells what it got; its port.
fn provider() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for socket in listener.incoming() {
            thread::spawn(move || while serve(socket.as_ref().unwrap()).is_some() {});
        }
    });
    port
}

fn serve(mut socket: &TcpStream) -> Option<()> {
    let mut reader = BufReader::new(socket);
    let (first, headers) = head(&mut reader)?;
    let value = |name: &str| {
        headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, v)| v.as_str())
    };
    let mut body = vec![
        0;
        value("content-length")
            .and_then(|n| n.parse().ok())
            .unwrap_or(0)
    ];
    reader.read_exact(&mut body).ok()?;
    if value("x-probe") == Some("stream") {
        return stream(socket);
    }
    let mut text = format!("{first}\n");
    for (name, value) in &headers {
        writeln!(text, "{name}: {value}").unwrap();
    }
    text.push('\n');
    text.push_str(&String::from_utf8_lossy(&body));
    write!(
        socket,
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{text}",
        text.len()
    )
    .ok()
}

fn stream(mut socket: &TcpStream) -> Option<()> {
    socket
        .write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        .ok()?;
    for piece in 0..3 {
        write!(socket, "8\r\npiece {piece};\r\n").ok()?;
        thread::sleep(Duration::from_millis(50));
    }
    socket.write_all(b"0\r\n\r\n").ok()
}

fn bootstrap(dir: &Path, filter_name: &str, provider: u16) -> PathBuf {
    let config = json!({
        "admin": {"address": address(ANY_PORT)},
        "static_resources": {
            "listeners": [{
                "name": "listener",
                "address": address(ANY_PORT),
                "filter_chains": [{"filters": [{
                    "name": "envoy.filters.network.http_connection_manager",
                    "typed_config": connection_manager(dir, filter_name),
                }]}],
            }],
            "clusters": [cluster(provider)],
        },
    });
    let path = dir.join("bootstrap.json");
    std::fs::write(&path, config.to_string()).unwrap();
    path
}

/// Envoy takes a free port.
const ANY_PORT: u16 = 0;

fn address(port: u16) -> Value {
    json!({"socket_address": {"address": "127.0.0.1", "port_value": port}})
}

fn filter(filter_name: &str) -> Value {
    json!({
        "name": "sluice",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.dynamic_modules.v3.DynamicModuleFilter",
            "dynamic_module_config": {
                "name": "sluice",
                "do_not_close": true,
                "metrics_namespace": "sluice_test",
            },
            "filter_name": filter_name,
        },
    })
}

fn connection_manager(dir: &Path, filter_name: &str) -> Value {
    json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "test",
        "access_log": [{
            "name": "envoy.access_loggers.file",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
                "path": dir.join("access.log"),
                "log_format": {"text_format_source": {"inline_string": ACCESS_LOG}},
            },
        }],
        "http_filters": [
            filter(filter_name),
            {
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"},
            },
        ],
        "route_config": {"virtual_hosts": [{
            "name": "all",
            "domains": ["*"],
            "routes": [{
                "match": {"prefix": "/"},
                "route": {"cluster_header": "x-sluice-cluster"},
            }],
        }]},
    })
}

const ACCESS_LOG: &str = "case=%REQ(x-case)% details=%RESPONSE_CODE_DETAILS% \
    metadata=%DYNAMIC_METADATA(io.envoy.ai_gateway:total_tokens)%\
    /%DYNAMIC_METADATA(io.envoy.ai_gateway:request_model)%\
    /%DYNAMIC_METADATA(io.envoy.ai_gateway:usage_status)% \
    state=%FILTER_STATE(wasm.sluice.total_tokens:PLAIN)%\
    /%FILTER_STATE(wasm.sluice.usage_status:PLAIN)% \
    emptied=%DYNAMIC_METADATA(io.envoy.ai_gateway:input_tokens)%\
    /%FILTER_STATE(wasm.sluice.input_tokens:PLAIN)%\n";

fn cluster(provider: u16) -> Value {
    json!({
        "name": "provider",
        "type": "STATIC",
        "load_assignment": {
            "cluster_name": "provider",
            "endpoints": [{"lb_endpoints": [{
                "endpoint": {"address": address(provider)},
                "metadata": {"filter_metadata": {"sluice": {"target": "provider-a"}}},
            }]}],
        },
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                "explicit_http_config": {"http_protocol_options": {}},
                "http_filters": [
                    filter("probe-upstream"),
                    {
                        "name": "envoy.filters.http.upstream_codec",
                        "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec"},
                    },
                ],
            },
        },
    })
}
