//! Passages and their sources from one format to another: exact, in the units of each.

use serde_json::{Value as Json, json};

use super::cross_tests::{
    ANTHROPIC, CHAT, COHERE, CONVERSE, GEMINI, RESPONSES, Side, answer, client, codec, data,
    document,
};
use crate::framing::Frame;
use crate::ir::Event;

/// `Zürich 😀` behind ten characters that take twelve bytes.
const WORDS: [&str; 3] = ["Grüße aus ", "Zürich 😀", "."];
const CHARS: (u64, u64) = (10, 18);
const BYTES: (u64, u64) = (12, 24);

const URL: &str = "https://example.com/zuerich";

fn whole(from: Side, to: Side, body: &Json) -> Json {
    let document = document(&body.to_string());
    let response = (codec(from).read_response)(&document).unwrap();
    let mut out = Vec::new();
    (client(to).write_response)(&response, &answer(), &mut out);
    serde_json::from_slice(&out).unwrap()
}

fn stream(from: Side, to: Side, frames: &[(Option<&str>, Json)]) -> Vec<Json> {
    let mut out = Vec::new();
    let mut reader = (codec(from).stream_reader)();
    let mut writer = (client(to).stream_writer)(answer());
    let mut sink = |event: Event<'_>| writer.write(&event, &mut out);
    for (name, json) in frames {
        let text = json.to_string();
        let frame = Frame {
            name: *name,
            exception: false,
            data: text.as_bytes(),
            raw: text.as_bytes(),
        };
        reader.frame(&frame, &mut sink);
    }
    reader.finish(&mut sink);
    data(&out)
}

fn unnamed(frames: Vec<Json>) -> Vec<(Option<&'static str>, Json)> {
    frames.into_iter().map(|json| (None, json)).collect()
}

/// The members of a citation of the page, at a range.
fn page((start, end): (u64, u64)) -> Json {
    json!({"start_index": start, "end_index": end, "title": "Zürich", "url": URL})
}

fn flat(range: (u64, u64)) -> Json {
    let mut page = page(range);
    page["type"] = json!("url_citation");
    page
}

fn nested(range: (u64, u64)) -> Json {
    json!({"type": "url_citation", "url_citation": page(range)})
}

fn grounding(segment: Json) -> Json {
    json!({
        "groundingChunks": [{"web": {"uri": URL, "title": "Zürich"}}],
        "groundingSupports": [{"segment": segment, "groundingChunkIndices": [0]}],
    })
}

const fn location() -> &'static str {
    r#"{"type":"web_search_result_location","cited_text":"So big.","url":"https://example.com/zuerich","title":"Zürich","encrypted_index":"Eo8B"}"#
}

fn anthropic_blocks() -> Json {
    let citation: Json = serde_json::from_str(location()).unwrap();
    json!({"id": "m", "content": [
        {"type": "text", "text": WORDS[0]},
        {"type": "text", "text": WORDS[1], "citations": [citation]},
        {"type": "text", "text": WORDS[2]},
    ], "stop_reason": "end_turn"})
}

fn anthropic_stream() -> Vec<(Option<&'static str>, Json)> {
    let mut frames = vec![json!({"type": "message_start", "message": {"id": "m"}})];
    let citation: Json = serde_json::from_str(location()).unwrap();
    for (index, words) in WORDS.iter().enumerate() {
        frames.push(json!({"type": "content_block_start", "index": index, "content_block": {"type": "text", "text": ""}}));
        if index == 1 {
            frames.push(json!({"type": "content_block_delta", "index": index, "delta": {"type": "citations_delta", "citation": citation}}));
        }
        for letter in words.chars() {
            frames.push(json!({"type": "content_block_delta", "index": index, "delta": {"type": "text_delta", "text": letter.to_string()}}));
        }
        frames.push(json!({"type": "content_block_stop", "index": index}));
    }
    frames.push(json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}}));
    frames.push(json!({"type": "message_stop"}));
    unnamed(frames)
}

#[test]
fn a_cited_block_is_a_passage_of_the_whole_answer_to_clients_that_have_one_text() {
    let blocks = anthropic_blocks();
    let chat = whole(ANTHROPIC, CHAT, &blocks);
    let message = &chat["choices"][0]["message"];
    assert_eq!(message["annotations"], json!([nested(CHARS)]));
    let gemini = whole(ANTHROPIC, GEMINI, &blocks);
    let own = json!({"partIndex": 1, "startIndex": 0, "endIndex": BYTES.1 - BYTES.0});
    let candidate = &gemini["candidates"][0];
    assert_eq!(candidate["groundingMetadata"], grounding(own));
    let responses = whole(ANTHROPIC, RESPONSES, &blocks);
    let content = &responses["output"][0]["content"];
    let part = (0, CHARS.1 - CHARS.0);
    assert_eq!(content[1]["annotations"], json!([flat(part)]));
    assert_eq!(content[2]["annotations"], json!([]));
}

#[test]
fn so_it_is_in_streams_although_the_citation_may_come_before_its_words() {
    let frames = anthropic_stream();
    let chat = stream(ANTHROPIC, CHAT, &frames);
    let mut expected = nested(CHARS);
    expected["index"] = json!(0);
    let told = chat.iter().filter_map(|chunk| {
        chunk["choices"][0]["delta"]["annotations"]
            .as_array()
            .cloned()
    });
    assert_eq!(told.flatten().collect::<Vec<_>>(), [expected]);
    let gemini = stream(ANTHROPIC, GEMINI, &frames);
    let candidate = &gemini.last().unwrap()["candidates"][0];
    let all = json!({"startIndex": BYTES.0, "endIndex": BYTES.1});
    assert_eq!(candidate["groundingMetadata"], grounding(all));
    let responses = stream(ANTHROPIC, RESPONSES, &frames);
    let added: Vec<_> = responses
        .iter()
        .filter(|event| event["type"] == "response.output_text.annotation.added")
        .collect();
    assert_eq!(added.len(), 1);
    assert_eq!(added[0]["annotation"], flat((0, CHARS.1 - CHARS.0)));
    assert_eq!(added[0]["content_index"], 1);
    let last = &responses.last().unwrap()["response"];
    let parts = &last["output"][0]["content"];
    assert_eq!(parts[1]["annotations"], json!([flat((0, 8))]));
}

/// Behind a thought, which is a part too.
fn gemini_answer(segment: Json) -> Json {
    json!({"candidates": [{
        "content": {"parts": [{"text": "Hm", "thought": true}, {"text": WORDS.concat()}]},
        "finishReason": "STOP",
        "groundingMetadata": grounding(segment),
    }]})
}

#[test]
fn bytes_of_a_part_become_characters() {
    for segment in [
        json!({"partIndex": 1, "startIndex": BYTES.0, "endIndex": BYTES.1}),
        json!({"startIndex": BYTES.0, "endIndex": BYTES.1, "text": WORDS[1]}),
    ] {
        let chat = whole(GEMINI, CHAT, &gemini_answer(segment));
        let message = &chat["choices"][0]["message"];
        assert_eq!(message["annotations"], json!([nested(CHARS)]));
    }
    // A beginning of 0 is left out.
    let first = json!({"partIndex": 1, "endIndex": BYTES.0});
    let responses = whole(GEMINI, RESPONSES, &gemini_answer(first));
    let part = &responses["output"][1]["content"][0];
    assert_eq!(part["annotations"], json!([flat((0, CHARS.0))]));
}

#[test]
fn bytes_of_a_stream_become_characters_wherever_the_text_is_cut_and_are_told_once() {
    let text = WORDS.concat();
    let segment = json!({"startIndex": BYTES.0, "endIndex": BYTES.1});
    let chunk = |text: &str, thought: bool| json!({"candidates": [{"content": {"parts": [{"text": text, "thought": thought}]}}]});
    for (cut, _) in text.char_indices() {
        let (first, second) = text.split_at(cut);
        let mut early = chunk(second, false);
        early["candidates"][0]["groundingMetadata"] = grounding(segment.clone());
        let mut last = chunk("", false);
        last["candidates"][0]["content"]["parts"][0]["thoughtSignature"] = json!("QUJD");
        last["candidates"][0]["finishReason"] = json!("STOP");
        last["candidates"][0]["groundingMetadata"] = grounding(segment.clone());
        let frames = unnamed(vec![chunk("Hm", true), chunk(first, false), early, last]);
        let chat = stream(GEMINI, CHAT, &frames);
        let mut expected = nested(CHARS);
        expected["index"] = json!(0);
        let told = chat.iter().filter_map(|chunk| {
            chunk["choices"][0]["delta"]["annotations"]
                .as_array()
                .cloned()
        });
        assert_eq!(told.flatten().collect::<Vec<_>>(), [expected], "{cut}");
    }
}

#[test]
fn sources_that_no_passage_names_are_the_whole_answers() {
    let mut body = gemini_answer(json!({}));
    let metadata = &mut body["candidates"][0]["groundingMetadata"];
    metadata["groundingSupports"] = json!([]);
    let chat = whole(GEMINI, CHAT, &body);
    let message = &chat["choices"][0]["message"];
    assert_eq!(message["annotations"], json!([nested((0, 19))]));
}

#[test]
fn repeated_sources_are_counted_through_all_parts_of_text() {
    for name in ["citationSources", "citations"] {
        let body = json!({"candidates": [{
            "content": {"parts": [{"text": WORDS[0]}, {"text": WORDS[1..].concat()}]},
            "finishReason": "STOP",
            "citationMetadata": {name: [{"startIndex": BYTES.0, "endIndex": BYTES.1, "uri": URL, "title": "Zürich", "license": "mit"}]},
        }]});
        let chat = whole(GEMINI, CHAT, &body);
        let message = &chat["choices"][0]["message"];
        assert_eq!(message["annotations"], json!([nested(CHARS)]), "{name}");
    }
}

#[test]
fn characters_become_bytes() {
    let chat = json!({"choices": [{"message": {"content": WORDS.concat(), "annotations": [nested(CHARS)]}, "finish_reason": "stop"}]});
    let gemini = whole(CHAT, GEMINI, &chat);
    let own = json!({"partIndex": 0, "startIndex": BYTES.0, "endIndex": BYTES.1});
    let candidate = &gemini["candidates"][0];
    assert_eq!(candidate["groundingMetadata"], grounding(own));
    let cohere = json!({"message": {
        "content": [{"type": "thinking", "thinking": "Hm"}, {"type": "text", "text": WORDS.concat()}],
        "citations": [{"start": CHARS.0, "end": CHARS.1, "content_index": 1, "type": "TEXT_CONTENT", "sources": [{"type": "document", "id": "a", "document": {"title": "Zürich", "url": URL}}]}],
    }, "finish_reason": "COMPLETE"});
    let gemini = whole(COHERE, GEMINI, &cohere);
    let own = json!({"partIndex": 1, "startIndex": BYTES.0, "endIndex": BYTES.1});
    let candidate = &gemini["candidates"][0];
    assert_eq!(candidate["groundingMetadata"], grounding(own));
}

#[test]
fn passages_of_a_streamed_message_are_counted_behind_what_came_between() {
    let chunk = |delta: Json| json!({"choices": [{"index": 0, "delta": delta}]});
    let end = json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]});
    let frames = unnamed(vec![
        chunk(json!({"content": WORDS[0]})),
        chunk(json!({"reasoning_content": "Hm"})),
        chunk(json!({"content": WORDS[1]})),
        chunk(json!({"annotations": [nested(CHARS), nested((0, 3))]})),
        chunk(json!({"content": WORDS[2]})),
        end,
    ]);
    let responses = stream(CHAT, RESPONSES, &frames);
    let last = &responses.last().unwrap()["response"];
    let part = &last["output"][2]["content"][0];
    // What is said of words that have gone by has no place.
    assert_eq!(part["annotations"], json!([flat((0, 8))]));
}

#[test]
fn documents_of_converse_are_documents_of_anthropic() {
    let citation = json!({"title": "T", "source": "kb-7", "sourceContent": [{"text": "So big."}], "location": {"searchResultLocation": {"searchResultIndex": 2, "start": 0, "end": 1}}});
    let delta = |delta: Json| {
        (
            Some("contentBlockDelta"),
            json!({"contentBlockIndex": 0, "delta": delta}),
        )
    };
    let frames = [
        (Some("messageStart"), json!({"role": "assistant"})),
        delta(json!({"citation": citation})),
        delta(json!({"text": WORDS[1]})),
        (Some("contentBlockStop"), json!({"contentBlockIndex": 0})),
        (Some("messageStop"), json!({"stopReason": "end_turn"})),
        (
            Some("metadata"),
            json!({"usage": {"inputTokens": 1, "outputTokens": 1}}),
        ),
    ];
    let expected = json!({"type": "search_result_location", "cited_text": "So big.", "source": "kb-7", "title": "T", "search_result_index": 2, "start_block_index": 0, "end_block_index": 1});
    let events = stream(CONVERSE, ANTHROPIC, &frames);
    let told: Vec<_> = events
        .iter()
        .filter(|event| event["delta"]["type"] == "citations_delta")
        .collect();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["delta"]["citation"], expected);
    // An API without documents says nothing of them, and all of the rest.
    let chat = stream(CONVERSE, CHAT, &frames);
    assert_eq!(
        chat.iter()
            .filter(|chunk| chunk.to_string().contains("annotations"))
            .count(),
        0
    );
    assert_eq!(chat[1]["choices"][0]["delta"]["content"], WORDS[1]);
}

#[test]
fn what_a_provider_searched_for_is_told_to_clients_that_can_hear_it() {
    let query = "zürich size";
    let mut gemini = gemini_answer(json!({"partIndex": 1, "endIndex": 3}));
    gemini["candidates"][0]["groundingMetadata"]["webSearchQueries"] = json!([query]);
    let used = json!({"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": query}});
    let found =
        json!({"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []});
    let anthropic = json!({"content": [used, found, {"type": "text", "text": "So."}], "stop_reason": "end_turn"});
    let call = json!({"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": query}});
    let responses = json!({"status": "completed", "output": [call, {"type": "message", "content": [{"type": "output_text", "text": "So."}]}]});
    for (from, body) in [
        (GEMINI, &gemini),
        (ANTHROPIC, &anthropic),
        (RESPONSES, &responses),
    ] {
        let told = whole(from, RESPONSES, body);
        let item = &told["output"][0];
        assert_eq!(item["type"], "web_search_call", "{from:?}");
        let action = json!({"type": "search", "query": query, "queries": [query]});
        assert_eq!(item["action"], action, "{from:?}");
        let told = whole(from, GEMINI, body);
        let metadata = &told["candidates"][0]["groundingMetadata"];
        assert_eq!(metadata["webSearchQueries"], json!([query]), "{from:?}");
    }
    // It is nothing that a client of Chat could be told, and its own blocks stay Anthropic's.
    let told = whole(ANTHROPIC, CHAT, &anthropic);
    assert_eq!(told["choices"][0]["message"]["content"], "So.");
    let told = whole(ANTHROPIC, ANTHROPIC, &anthropic);
    assert_eq!(told["content"], anthropic["content"]);
    let told = whole(GEMINI, ANTHROPIC, &gemini);
    assert_eq!(told["content"][0]["type"], "thinking");
}

#[test]
fn searches_of_streams_are_told_once() {
    let query = "zürich size";
    let metadata = json!({"webSearchQueries": [query]});
    let chunk = |text: &str, end: Json| json!({"candidates": [{"content": {"parts": [{"text": text}]}, "finishReason": end, "groundingMetadata": metadata}]});
    let frames = unnamed(vec![chunk("So", Json::Null), chunk(".", json!("STOP"))]);
    let events = stream(GEMINI, RESPONSES, &frames);
    let last = &events.last().unwrap()["response"]["output"];
    assert_eq!(last.as_array().unwrap().len(), 2);
    assert_eq!(last[0]["action"]["queries"], json!([query]));
    assert_eq!(last[1]["content"][0]["text"], "So.");
    let begins =
        json!({"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}});
    let input = json!({"query": query}).to_string();
    let frames = unnamed(vec![
        json!({"type": "message_start", "message": {"id": "m"}}),
        json!({"type": "content_block_start", "index": 0, "content_block": begins}),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": input}}),
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}}),
        json!({"type": "message_stop"}),
    ]);
    let chunks = stream(ANTHROPIC, GEMINI, &frames);
    let candidate = &chunks.last().unwrap()["candidates"][0];
    assert_eq!(candidate["groundingMetadata"], metadata);
}
