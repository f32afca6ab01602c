//! What fuzzers call, as ordinary code: each function takes any bytes and panics when a promise of
//! this crate does not hold for them.
//!
//! `fuzz/` has one target of three lines for each; the tests here run the same functions over the
//! corpus and over a bounded number of mutations of it, so that `cargo test` finds what is easy to
//! find. A crash that a fuzzer finds goes into `fuzz/corpus/<target>/` and is a test from then on.

mod formats;

use serde::de::IgnoredAny;

use crate::framing::Decoder;
use crate::framing::eventstream::{EventStreamDecoder, write_message};
use crate::framing::invoke_model::InvokeModelDecoder;
use crate::framing::json_array::JsonArrayDecoder;
use crate::framing::sse::SseDecoder;
use crate::framing::testing::decode_cut;
use crate::json::{Document, Editor, JsonError, Kind, Value};

pub use self::formats::{fuzz_request, fuzz_response, fuzz_stream};

/// [`Document`] accepts what `serde_json` accepts and finds the same values in it; an edit changes
/// nothing else.
///
/// # Panics
/// When it does not.
pub fn fuzz_json_document(bytes: &[u8]) {
    let valid = std::str::from_utf8(bytes)
        .is_ok_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok());
    let document = match Document::parse(bytes.to_vec()) {
        Ok(document) => document,
        Err(JsonError::TooDeep { .. } | JsonError::TooManyValues { .. }) => return,
        Err(error) => {
            assert!(!valid, "refused valid JSON: {error}");
            return;
        }
    };
    assert!(valid, "accepted what is no JSON");
    assert_eq!(document.text().as_bytes(), bytes);
    // serde_json refuses numbers that no f64 holds and lone surrogates, which JSON allows.
    if let Ok(value) = serde_json::from_slice::<serde_json::Value>(bytes) {
        assert_eq!(rebuild(document.root()), Some(value));
    }
    check_edits(&document);
}

/// Any split of a stream of server-sent events gives the same frames, and no byte is lost.
///
/// # Panics
/// When it does not.
pub fn fuzz_sse(bytes: &[u8]) {
    check_decoder(SseDecoder::default, bytes);
    check_decoder(|| SseDecoder::with_limit(16), bytes);
}

/// Any split of an event stream gives the same frames, also where all checksums are right, and no
/// byte is lost.
///
/// # Panics
/// When it does not.
pub fn fuzz_eventstream(bytes: &[u8]) {
    check_decoder(EventStreamDecoder::default, bytes);
    let mut body = Vec::new();
    let (name, payload) = bytes.split_at(bytes.len().min(8));
    let name = String::from_utf8_lossy(name);
    let headers = [
        (":message-type", "event"),
        (":event-type", "chunk"),
        ("x", &*name),
    ];
    // Both fit: a name of at most 24 bytes, and a payload of what a fuzzer makes.
    let written = write_message(&headers, payload, &mut body);
    assert_eq!(written, Ok(()));
    check_decoder(EventStreamDecoder::default, &body);
    check_decoder(InvokeModelDecoder::default, &body);
}

/// Any split of a JSON array gives the same objects, and no byte is lost.
///
/// # Panics
/// When it does not.
pub fn fuzz_json_array(bytes: &[u8]) {
    check_decoder(JsonArrayDecoder::default, bytes);
    check_decoder(|| JsonArrayDecoder::with_limit(16), bytes);
}

/// Decodes whole, byte by byte, and cut where the first bytes say.
fn check_decoder<D: Decoder>(new: impl Fn() -> D, body: &[u8]) {
    let whole = decode_cut(&mut new(), body, &[]);
    let every: Vec<usize> = (0..body.len()).collect();
    let some: Vec<usize> = body.iter().take(4).map(|&byte| usize::from(byte)).collect();
    for cuts in [every, some] {
        assert_eq!(
            decode_cut(&mut new(), body, &cuts),
            whole,
            "cut at {cuts:?}"
        );
    }
    let (frames, end) = whole;
    if end.is_ok() {
        let raw: Vec<u8> = frames.into_iter().flat_map(|frame| frame.raw).collect();
        assert_eq!(raw, body, "bytes are lost");
    }
}

/// What `serde_json` would have made of it; `None` where it cannot hold a value.
pub(crate) fn rebuild(value: Value<'_>) -> Option<serde_json::Value> {
    Some(match value.kind() {
        Kind::Array => value.elements().map(rebuild).collect::<Option<_>>()?,
        Kind::Object => value
            .members()
            .map(|(key, value)| Some((key.into_owned(), rebuild(value)?)))
            .collect::<Option<_>>()?,
        Kind::String => value.as_str()?.into_owned().into(),
        _ => serde_json::from_str(value.raw()).ok()?,
    })
}

/// Replaces each of the first values in turn and compares with the text around it.
fn check_edits(document: &Document) {
    let root = document.root();
    let inner = root
        .elements()
        .chain(root.members().map(|(_, value)| value));
    for value in std::iter::once(root).chain(inner).take(8) {
        let mut editor = Editor::new(document);
        editor.replace(value, "[7]");
        let (text, span) = (document.text(), value.span());
        let expected = [text.get(..span.start), Some("[7]"), text.get(span.end..)];
        let expected: Option<String> = expected.into_iter().collect();
        assert_eq!(Some(editor.finish()), expected);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs a target over its corpus and over mutations of it, the same ones each time.
    fn run(target: &str, fuzz: fn(&[u8])) {
        let corpus = corpus(target);
        for input in &corpus {
            fuzz(input);
        }
        let mut random = Random(0x9E37_79B9_7F4A_7C15);
        for round in 0..MUTATIONS {
            let mut input = corpus[round % corpus.len()].clone();
            for _ in 0..=random.below(4) {
                random.mutate(&mut input);
            }
            fuzz(&input);
        }
    }

    /// Inputs of some seconds in debug builds, for all targets together; as WebAssembly each costs
    /// ten times as much.
    const MUTATIONS: usize = if cfg!(target_os = "unknown") {
        150
    } else {
        1500
    };

    /// Compiled in: there are no files where the tests run as WebAssembly.
    #[cfg(target_os = "unknown")]
    fn corpus(target: &str) -> Vec<Vec<u8>> {
        static CORPUS: include_dir::Dir<'_> =
            include_dir::include_dir!("$CARGO_MANIFEST_DIR/../fuzz/corpus");
        let files = CORPUS.get_dir(target).unwrap().files();
        files.map(|file| file.contents().to_vec()).collect()
    }

    #[cfg(not(target_os = "unknown"))]
    #[expect(clippy::disallowed_methods, reason = "tests read their corpus")]
    fn corpus(target: &str) -> Vec<Vec<u8>> {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../fuzz/corpus")
            .join(target);
        let entries = std::fs::read_dir(folder).unwrap();
        let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
            .iter()
            .map(|file| std::fs::read(file).unwrap())
            .collect()
    }

    /// Marsaglia's xorshift: enough to spread mutations, and the same on every run.
    struct Random(u64);

    impl Random {
        fn below(&mut self, limit: usize) -> usize {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            usize::try_from(self.0 >> 33).unwrap() % limit.max(1)
        }

        /// Changes, inserts, removes or repeats something.
        fn mutate(&mut self, input: &mut Vec<u8>) {
            const TELLING: &[u8] = b"\"\\{}[],: \n\r\t0-.eEutdx\x00\x7f\x80\xbf\xc3\xed\xef\xff";
            let at = self.below(input.len());
            let byte = TELLING[self.below(TELLING.len())];
            match self.below(5) {
                0 => input.insert(at, byte),
                1 if !input.is_empty() => input[at] = byte,
                2 if !input.is_empty() => input[at] ^= 1 << self.below(8),
                3 => drop(input.drain(at..(at + self.below(6)).min(input.len()))),
                _ => {
                    let end = (at + self.below(12)).min(input.len());
                    let piece = input[at..end].to_vec();
                    let to = self.below(input.len());
                    input.splice(to..to, piece);
                }
            }
        }
    }

    #[test]
    fn json_document_agrees_with_serde_json() {
        run("json_document", fuzz_json_document);
    }

    #[test]
    fn sse_does_not_care_about_chunks() {
        run("sse", fuzz_sse);
    }

    #[test]
    fn eventstream_does_not_care_about_chunks() {
        run("eventstream", fuzz_eventstream);
    }

    #[test]
    fn requests_are_written_as_json_or_refused() {
        run("request", fuzz_request);
    }

    #[test]
    fn answers_are_written_as_json() {
        run("response", fuzz_response);
    }

    #[test]
    fn streams_end_once_and_in_json() {
        run("stream", fuzz_stream);
    }

    #[test]
    fn json_array_does_not_care_about_chunks() {
        run("json_array", fuzz_json_array);
    }
}
