use super::*;
use crate::formats::Answer;
use crate::framing::Decoder;
use crate::framing::sse::SseDecoder;
use crate::ir::ItemKind;

/// The events of a stream, one line each. The pieces of a text are joined where `joined` says so.
fn lines(frames: &[&str], finish: bool) -> Vec<String> {
    let mut reader = open();
    let mut lines = Vec::new();
    let mut sink = |event: Event<'_>| lines.push(line(&event));
    for data in frames {
        let frame = Frame {
            name: None,
            exception: false,
            data: data.as_bytes(),
            raw: b"",
        };
        reader.frame(&frame, &mut sink);
    }
    if finish {
        reader.finish(&mut sink);
    }
    lines
}

fn line(event: &Event<'_>) -> String {
    match event {
        Event::Start { id, model, created } => {
            format!("start {} {} {created:?}", id.decode(), model.decode())
        }
        Event::ItemStart {
            candidate,
            item,
            kind,
        } => format!("open {candidate}/{item} {}", kind_line(kind)),
        Event::TextDelta { item, text } => format!("text {item} {}", text.decode()),
        Event::ReasoningDelta { item, text } => format!("thought {item} {}", text.decode()),
        Event::SignatureSet { item, signature } => {
            format!(
                "signature {item} {:?} {}",
                signature.format,
                signature.token.decode()
            )
        }
        Event::ArgumentsDelta { item, text } => format!("arguments {item} {}", text.decode()),
        Event::Citation { item, citation } => format!("citation {item} {}", citation.told()),
        Event::Logprobs {
            candidate,
            refusal,
            tokens,
        } => {
            let tokens = tokens.iter().map(|token| &token.chosen);
            let tokens: Vec<_> = tokens.map(|it| (it.text.decode(), &it.logprob)).collect();
            format!("logprobs {candidate} {refusal} {tokens:?}")
        }
        Event::ItemStop { item } => format!("close {item}"),
        Event::Stop { candidate, stop } => format!("stop {candidate} {:?}", stop.reason),
        Event::Usage(usage) => format!("usage {:?} {:?}", usage.input, usage.output),
        Event::Ping => "ping".to_owned(),
        Event::Error(error) => format!("error {:?} {} {}", error.kind, error.status, error.message),
        Event::End => "end".to_owned(),
    }
}

fn kind_line(kind: &ItemKind<'_>) -> String {
    match kind {
        ItemKind::Text => "text".to_owned(),
        ItemKind::Refusal => "refusal".to_owned(),
        ItemKind::Reasoning { redacted, .. } => format!("reasoning redacted={redacted}"),
        ItemKind::ToolCall {
            id,
            name,
            free_form,
        } => format!("call {} {} {free_form}", id.decode(), name.decode()),
        ItemKind::Image { mime, data } => format!("image {} {}", mime.decode(), data.decode()),
        ItemKind::Search(_) => "search".to_owned(),
        ItemKind::Opaque { .. } => "opaque".to_owned(),
    }
}

/// The events of deltas of one answer, without what stands around them.
fn of_deltas(deltas: &[&str]) -> Vec<String> {
    let chunks: Vec<String> = deltas
        .iter()
        .map(|delta| format!("{{\"id\":\"c\",\"choices\":[{{\"index\":0,\"delta\":{delta}}}]}}"))
        .collect();
    let mut frames: Vec<&str> = chunks.iter().map(String::as_str).collect();
    frames.push("[DONE]");
    let mut lines = lines(&frames, true);
    assert_eq!(lines.remove(0), "start c  None");
    assert_eq!(lines.pop().as_deref(), Some("end"));
    lines
}

/// The example of <https://platform.openai.com/docs/api-reference/chat-streaming>, with usage.
const DOCUMENTED: [&str; 5] = [
    r#"{"id":"chatcmpl-123","object":"chat.completion.chunk","created":1694268190,"model":"gpt-4o-mini","system_fingerprint":"fp_44709d6fcb","choices":[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}],"usage":null}"#,
    r#"{"id":"chatcmpl-123","object":"chat.completion.chunk","created":1694268190,"model":"gpt-4o-mini","system_fingerprint":"fp_44709d6fcb","choices":[{"index":0,"delta":{"content":"Hello"},"logprobs":null,"finish_reason":null}],"usage":null}"#,
    r#"{"id":"chatcmpl-123","object":"chat.completion.chunk","created":1694268190,"model":"gpt-4o-mini","system_fingerprint":"fp_44709d6fcb","choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}],"usage":null}"#,
    r#"{"id":"chatcmpl-123","object":"chat.completion.chunk","created":1694268190,"model":"gpt-4o-mini","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":12,"total_tokens":21}}"#,
    "[DONE]",
];

#[test]
fn the_documented_stream_is_read() {
    assert_eq!(
        lines(&DOCUMENTED, true),
        [
            "start chatcmpl-123 gpt-4o-mini Some(1694268190)",
            "open 0/0 text",
            "text 0 Hello",
            "close 0",
            "stop 0 End",
            "usage Some(9) Some(12)",
            "end",
        ]
    );
}

#[test]
fn parallel_calls_are_told_apart_by_index() {
    let deltas = [
        r#"{"role":"assistant","content":null,"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}}]}"#,
        r#"{"tool_calls":[{"index":0,"function":{"arguments":"{\"x\""}}]}"#,
        r#"{"tool_calls":[{"index":1,"id":"b","type":"custom","custom":{"name":"g","input":"fr"}}]}"#,
        r#"{"tool_calls":[{"index":0,"function":{"arguments":":1}"}},{"index":1,"custom":{"input":"ee"}}]}"#,
    ];
    assert_eq!(
        of_deltas(&deltas),
        [
            "open 0/0 call a f false",
            "arguments 0 {\"x\"",
            "open 0/1 call b g true",
            "arguments 1 fr",
            "arguments 0 :1}",
            "arguments 1 ee",
            "close 0",
            "close 1",
            "stop 0 ToolCalls",
        ]
    );
}

#[test]
fn calls_of_careless_servers_are_told_apart_too() {
    let two = [
        "open 0/0 call a f false",
        "arguments 0 {}",
        "open 0/1 call b f false",
        "arguments 1 []",
        "close 0",
        "close 1",
        "stop 0 ToolCalls",
    ];
    let call = |start: &str, arguments: &str| {
        format!(
            "{{\"tool_calls\":[{{{start}\"function\":{{\"name\":\"f\",\"arguments\":\"{arguments}\"}}}}]}}"
        )
    };
    for (first, second) in [
        // no index; index 0 for all; indexes that start at 1
        (r#""id":"a","#, r#""id":"b","#),
        (r#""index":0,"id":"a","#, r#""index":0,"id":"b","#),
        (r#""index":1,"id":"a","#, r#""index":2,"id":"b","#),
    ] {
        assert_eq!(
            of_deltas(&[&call(first, "{}"), &call(second, "[]")]),
            two,
            "{first}"
        );
        // id, name and index once more in every chunk
        let again = [
            call(first, "{"),
            call(first, "}"),
            call(second, "["),
            call(second, "]"),
        ];
        let again: Vec<&str> = again.iter().map(String::as_str).collect();
        let lines = of_deltas(&again);
        let opened = lines.iter().filter(|line| line.starts_with("open")).count();
        assert_eq!(opened, 2, "{first}: {lines:?}");
    }
    // whole calls in one list, without id or index, with arguments as objects
    let list = r#"{"tool_calls":[{"function":{"name":"f","arguments":{"x": 1}}},{"function":{"name":"f","arguments":{}}}]}"#;
    assert_eq!(
        of_deltas(&[list]),
        [
            "open 0/0 call  f false",
            "arguments 0 {\"x\": 1}",
            "open 0/1 call  f false",
            "arguments 1 {}",
            "close 0",
            "close 1",
            "stop 0 ToolCalls",
        ]
    );
}

#[test]
fn a_call_starts_when_its_name_is_known() {
    let deltas = [
        r#"{"tool_calls":[{"index":0,"id":"a","function":{"arguments":"{"}}]}"#,
        r#"{"tool_calls":[{"index":0,"function":{"name":"f","arguments":"}"}}]}"#,
    ];
    let known = of_deltas(&deltas);
    assert_eq!(
        known[..3],
        ["open 0/0 call a f false", "arguments 0 {", "arguments 0 }"]
    );
    let nameless = r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a"}]}}]}"#;
    let lines = lines(&[nameless, "[DONE]"], true);
    assert_eq!(
        lines[1..],
        ["error BadGateway 502 the provider's stream holds a tool call without a name"]
    );
}

#[test]
fn thoughts_come_under_several_names() {
    for key in ["reasoning_content", "reasoning"] {
        let thought = format!("{{\"{key}\":\"t\",\"content\":null}}");
        assert_eq!(
            of_deltas(&[&thought, r#"{"content":"a"}"#]),
            [
                "open 0/0 reasoning redacted=false",
                "thought 0 t",
                "close 0",
                "open 0/1 text",
                "text 1 a",
                "close 1",
                "stop 0 End",
            ]
        );
    }
    // vLLM and routers send both; OpenRouter repeats the words in its list.
    let twice = r#"{"reasoning":"t","reasoning_content":"t","reasoning_details":[{"type":"reasoning.text","text":"t","index":0}]}"#;
    assert_eq!(of_deltas(&[twice])[1..3], ["thought 0 t", "close 0"]);
    let mistral = r#"{"content":[{"type":"thinking","thinking":[{"type":"text","text":"t"}]},{"type":"text","text":"a"}]}"#;
    assert_eq!(
        of_deltas(&[mistral])[1..5],
        ["thought 0 t", "close 0", "open 0/1 text", "text 1 a"]
    );
}

#[test]
fn chunks_of_filters_do_not_start_or_spoil_an_answer() {
    let chunks = [
        r#"{"id":"","object":"","created":0,"model":"","choices":[],"prompt_filter_results":[{"prompt_index":0,"content_filter_results":{}}]}"#,
        r#"{"id":"c","created":5,"model":"m","choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}]}"#,
        r#"{"id":"","object":"","created":0,"model":"","choices":[{"index":0,"finish_reason":null,"content_filter_results":{},"content_filter_offsets":{}}]}"#,
        r#"{"id":"c","created":5,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"content_filter"}]}"#,
        r#"{"id":"","created":0,"model":"","choices":[{"index":0,"finish_reason":null,"content_filter_results":{}}]}"#,
        "[DONE]",
    ];
    assert_eq!(
        lines(&chunks, true),
        [
            "start c m Some(5)",
            "open 0/0 text",
            "text 0 a",
            "close 0",
            "stop 0 ContentFilter",
            "end"
        ]
    );
}

#[test]
fn the_first_stop_counts_and_takes_the_words_of_its_own_chunk_along() {
    let chunks = [
        r#"{"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":""}]}"#,
        r#"{"choices":[{"index":0,"delta":{"content":"b"},"finish_reason":"length"}],"usage":{"prompt_tokens":1,"completion_tokens":2}}"#,
        r#"{"choices":[{"index":0,"delta":{"content":"late"},"finish_reason":"stop"}]}"#,
    ];
    let expected = [
        "start   None",
        "open 0/0 text",
        "text 0 a",
        "usage Some(1) Some(2)",
        "text 0 b",
        "close 0",
        "stop 0 Length",
        "end",
    ];
    assert_eq!(lines(&chunks, true), expected);
}

#[test]
fn failures_end_the_stream_and_nothing_follows() {
    let good = r#"{"choices":[{"index":0,"delta":{"content":"a"}}]}"#;
    for (chunk, told) in [
        (
            r#"{"error":{"message":"m","type":"server_error","code":429}}"#,
            "error RateLimit 429 m",
        ),
        (r#"{"error":"m"}"#, "error BadGateway 502 m"),
        (
            r#"{"object":"error","message":"m","code":null}"#,
            "error BadGateway 502 m",
        ),
        (
            r#"{"id":"x","choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}],"error":{"code":502,"message":"m"}}"#,
            "error BadGateway 502 m",
        ),
        (
            "<html>",
            "error BadGateway 502 a chunk of the provider's stream is no JSON",
        ),
    ] {
        let lines = lines(&[good, chunk, good, "[DONE]"], true);
        assert_eq!(lines[3..], [told], "{chunk}");
    }
}

#[test]
fn a_stream_that_is_cut_is_an_error() {
    let cut = "error BadGateway 502 the provider's stream ended before its answer did";
    for length in 0..=2 {
        let lines = lines(&DOCUMENTED[..length], true);
        assert_eq!(lines.last().map(String::as_str), Some(cut), "{length}");
    }
    // Some servers forget the terminator.
    assert_eq!(lines(&DOCUMENTED[..4], true).pop().as_deref(), Some("end"));
    let nothing = lines(&["[DONE]"], true);
    assert_eq!(
        nothing,
        ["error BadGateway 502 the provider's stream holds no answer"]
    );
}

#[test]
fn keep_alives_start_nothing() {
    let quiet = lines(&[DOCUMENTED[1], "[DONE]"], true);
    assert_eq!(lines(&["", DOCUMENTED[1], "", "[DONE]", ""], true), quiet);
}

#[test]
fn characters_cut_in_two_are_joined() {
    let deltas = [
        r#"{"content":"a\ud83d"}"#,
        r#"{"content":"\ude00b"}"#,
        r#"{"content":"\ud83d"}"#,
    ];
    assert_eq!(
        of_deltas(&deltas)[1..4],
        ["text 0 a", "text 0 \u{1f600}b", "text 0 \u{fffd}"]
    );
}

#[test]
fn answers_and_calls_are_bounded() {
    let many: Vec<String> = (0..=MAX_CANDIDATES)
        .map(|index| format!("{{\"choices\":[{{\"index\":{index},\"delta\":{{}}}}]}}"))
        .collect();
    let frames: Vec<&str> = many.iter().map(String::as_str).collect();
    let last = lines(&frames, false).pop();
    assert_eq!(
        last.as_deref(),
        Some("error BadGateway 502 the provider's stream holds too many answers")
    );
}

/// What the writer writes says the same to the reader.
fn written_and_read(frames: &[&str]) -> (Vec<String>, Vec<String>, String) {
    let answer = Answer {
        model: "asked".into(),
        now: 7,
        seed: 0xabc,
        stream_usage: true,
        ..Answer::default()
    };
    let mut writer = super::super::stream_writer::open(answer);
    let (mut out, mut first) = (Vec::new(), Vec::new());
    let mut reader = open();
    let mut sink = |event: Event<'_>| {
        first.push(line(&event));
        writer.write(&event, &mut out);
    };
    for data in frames {
        let frame = Frame {
            name: None,
            exception: false,
            data: data.as_bytes(),
            raw: b"",
        };
        reader.frame(&frame, &mut sink);
    }
    reader.finish(&mut sink);
    let mut decoder = SseDecoder::default();
    let (mut second, mut reader) = (Vec::new(), open());
    let mut sink = |event: Event<'_>| second.push(line(&event));
    decoder.push(&out);
    decoder.finish();
    while let Some(frame) = decoder.next_frame().unwrap() {
        reader.frame(&frame, &mut sink);
    }
    reader.finish(&mut sink);
    (first, second, String::from_utf8(out).unwrap())
}

#[test]
fn what_is_written_says_the_same_when_read() {
    let rich = [
        r#"{"id":"c","created":5,"model":"m","choices":[{"index":0,"delta":{"reasoning_content":"t\n"}}]}"#,
        r#"{"choices":[{"index":0,"delta":{"reasoning_content":"u","thinking_blocks":[{"index":0,"type":"thinking","thinking":"t\nu","signature":"s"}]}}]}"#,
        r#"{"choices":[{"index":0,"delta":{"thinking_blocks":[{"index":1,"type":"redacted_thinking","data":"d"}]}}]}"#,
        r#"{"choices":[{"index":1,"delta":{"refusal":"no"}}]}"#,
        r#"{"choices":[{"index":0,"delta":{"content":"a"}}]}"#,
        r#"{"choices":[{"index":0,"delta":{"annotations":[{"index":0,"type":"url_citation","url_citation":{"start_index":0,"end_index":1,"title":"t","url":"u"}}]}}]}"#,
        r#"{"choices":[{"index":0,"delta":{"content":"b"},"logprobs":{"content":[{"token":"b","bytes":[98],"logprob":-0.5,"top_logprobs":[]}],"refusal":null}}]}"#,
        r#"{"choices":[{"index":0,"delta":{"images":[{"type":"image_url","image_url":{"url":"data:image/png;base64,QQ=="}}]}}]}"#,
        r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":3,"id":"x","function":{"name":"f","arguments":"{"},"extra_content":{"google":{"thought_signature":"g"}}}]}}]}"#,
        r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":5,"id":"y","type":"custom","custom":{"name":"g","input":"i"}}]}}]}"#,
        r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":3,"function":{"arguments":"}"}}]},"finish_reason":"tool_calls"}]}"#,
        r#"{"choices":[{"index":1,"delta":{},"finish_reason":"stop"}]}"#,
        r#"{"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":12}}"#,
        "[DONE]",
    ];
    for frames in [&DOCUMENTED[..], &rich[..]] {
        let (first, second, out) = written_and_read(frames);
        assert_eq!(first, second, "{out}");
    }
    let last = written_and_read(&rich).0;
    let logprobs = last
        .iter()
        .position(|line| line == "logprobs 0 false [(\"b\", \"-0.5\")]");
    let words = last.iter().position(|line| line == "text 3 b");
    assert!(logprobs.is_some() && logprobs < words, "{last:?}");
    assert!(last.contains(&"stop 1 Refusal".to_owned()));
    assert!(last.contains(&"signature 0 Anthropic s".to_owned()));
}
