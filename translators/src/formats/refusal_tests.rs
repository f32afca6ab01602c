//! What is declined, filtered or blocked, from one format to another, and what a client asks of
//! searches, sources and filters: said where it can be said, named or refused elsewhere.

use serde_json::{Value as Json, json};

use super::cross_tests::{
    ANTHROPIC, CHAT, COHERE, CONVERSE, GEMINI, RESPONSES, Side, answer, client, codec, document,
    request,
};

fn whole(from: Side, to: Side, body: &Json) -> Json {
    let document = document(&body.to_string());
    let response = (codec(from).read_response)(&document).unwrap();
    let mut out = Vec::new();
    (client(to).write_response)(&response, &answer(), &mut out);
    serde_json::from_slice(&out).unwrap()
}

/// Each format's words for an answer that ended in this way.
struct Words {
    chat: &'static str,
    responses: (&'static str, Json),
    anthropic: &'static str,
    gemini: (&'static str, &'static str),
}

fn check(from: Side, body: &Json, words: &Words) {
    let chat = whole(from, CHAT, body);
    assert_eq!(chat["choices"][0]["finish_reason"], words.chat, "{body}");
    let responses = whole(from, RESPONSES, body);
    assert_eq!(responses["status"], words.responses.0, "{body}");
    assert_eq!(responses["incomplete_details"]["reason"], words.responses.1);
    let anthropic = whole(from, ANTHROPIC, body);
    assert_eq!(anthropic["stop_reason"], words.anthropic, "{body}");
    let gemini = whole(from, GEMINI, body);
    let (place, word) = words.gemini;
    assert_eq!(gemini.pointer(place), Some(&json!(word)), "{body}");
}

const FINISH: &str = "/candidates/0/finishReason";
const BLOCKED: &str = "/promptFeedback/blockReason";

#[test]
fn what_a_model_declined_is_declined_for_every_client() {
    let declined = Words {
        chat: "content_filter",
        responses: ("completed", Json::Null),
        anthropic: "refusal",
        gemini: (FINISH, "SAFETY"),
    };
    let chat = json!({"choices": [{"message": {"content": null, "refusal": "No."}, "finish_reason": "stop"}]});
    let responses = json!({"status": "completed", "output": [{"type": "message", "content": [{"type": "refusal", "refusal": "No."}]}]});
    let anthropic = json!({"content": [], "stop_reason": "refusal", "stop_details": {"type": "refusal", "category": null, "explanation": "No."}});
    for (from, body) in [
        (CHAT, &chat),
        (RESPONSES, &responses),
        (ANTHROPIC, &anthropic),
    ] {
        check(from, body, &declined);
        let words = whole(from, CHAT, body);
        assert_eq!(words["choices"][0]["message"]["refusal"], "No.", "{body}");
        let words = whole(from, RESPONSES, body);
        assert_eq!(words["output"][0]["content"][0]["refusal"], "No.", "{body}");
    }
}

#[test]
fn what_a_filter_cut_is_told_apart_from_a_prompt_that_it_refused() {
    let cut = Words {
        chat: "content_filter",
        responses: ("incomplete", json!("content_filter")),
        anthropic: "refusal",
        gemini: (FINISH, "SAFETY"),
    };
    let chat =
        json!({"choices": [{"message": {"content": "So"}, "finish_reason": "content_filter"}]});
    let responses = json!({"status": "incomplete", "incomplete_details": {"reason": "content_filter"}, "output": [{"type": "message", "content": [{"type": "output_text", "text": "So"}]}]});
    let gemini = json!({"candidates": [{"content": {"parts": [{"text": "So"}]}, "finishReason": "SAFETY", "safetyRatings": [{"category": "HARM_CATEGORY_HARASSMENT", "probability": "HIGH", "blocked": true}]}]});
    let converse = json!({"output": {"message": {"role": "assistant", "content": [{"text": "So"}]}}, "stopReason": "guardrail_intervened"});
    for (from, body) in [
        (CHAT, &chat),
        (RESPONSES, &responses),
        (GEMINI, &gemini),
        (CONVERSE, &converse),
    ] {
        check(from, body, &cut);
    }
    let blocked = Words {
        gemini: (BLOCKED, "SAFETY"),
        ..cut
    };
    let body = json!({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}});
    check(GEMINI, &body, &blocked);
}

fn asked(from: Side, to: Side, body: &Json) -> Result<(Json, String), u16> {
    let document = document(&body.to_string());
    let (out, dropped) = request(from, to, &document).map_err(|refusal| refusal.status())?;
    Ok((serde_json::from_slice(&out).unwrap(), dropped))
}

#[test]
fn documents_to_cite_are_asked_for_where_that_can_be_said_and_named_elsewhere() {
    let body = json!({"max_tokens": 9, "messages": [{"role": "user", "content": [
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "So."}, "title": "T", "citations": {"enabled": true}},
        {"type": "text", "text": "Why?"},
    ]}]});
    let (converse, dropped) = asked(ANTHROPIC, CONVERSE, &body).unwrap();
    let wish = converse.pointer("/messages/0/content/0/document/citations");
    assert_eq!(
        (wish, dropped.as_str()),
        (Some(&json!({"enabled": true})), "")
    );
    // Its documents are cited unless the request says otherwise.
    let (cohere, dropped) = asked(ANTHROPIC, COHERE, &body).unwrap();
    let text = cohere.pointer("/documents/0/data/text");
    assert_eq!((text, dropped.as_str()), (Some(&json!("So.")), ""));
    for to in [CHAT, RESPONSES, GEMINI] {
        let (_, dropped) = asked(ANTHROPIC, to, &body).unwrap();
        assert!(dropped.contains("citations"), "{to:?}: {dropped}");
    }
}

#[test]
fn what_the_clients_own_search_found_stays_a_search_result_where_there_are_such() {
    let found = json!({"type": "search_result", "source": "https://example.com", "title": "T", "content": [{"type": "text", "text": "So."}], "citations": {"enabled": true}});
    let expected = json!({"searchResult": {"source": "https://example.com", "title": "T", "content": [{"text": "So."}], "citations": {"enabled": true}}});
    let asks = json!({"max_tokens": 9, "messages": [{"role": "user", "content": [found, {"type": "text", "text": "Why?"}]}]});
    let (converse, dropped) = asked(ANTHROPIC, CONVERSE, &asks).unwrap();
    let block = converse.pointer("/messages/0/content/0");
    assert_eq!((block, dropped.as_str()), (Some(&expected), ""));
    let looks = json!({"max_tokens": 9, "tools": [{"name": "f", "input_schema": {"type": "object"}}], "messages": [
        {"role": "user", "content": "q"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": [found]}]},
    ]});
    let (converse, dropped) = asked(ANTHROPIC, CONVERSE, &looks).unwrap();
    let block = converse.pointer("/messages/2/content/0/toolResult/content/0");
    assert_eq!((block, dropped.as_str()), (Some(&expected), ""));
    // Elsewhere it is a document, or its words.
    for (to, place) in [
        (CHAT, "/messages/0/content/0/text"),
        (RESPONSES, "/input/0/content/0/text"),
        (GEMINI, "/contents/0/parts/0/text"),
        (COHERE, "/documents/0/data/text"),
    ] {
        let (written, _) = asked(ANTHROPIC, to, &asks).unwrap();
        assert_eq!(
            written.pointer(place),
            Some(&json!("So.")),
            "{to:?}: {written}"
        );
    }
}

#[test]
fn a_web_search_is_one_for_those_who_have_it_and_refused_by_the_others() {
    let anthropic = json!({"max_tokens": 9, "messages": [{"role": "user", "content": "q"}], "tools": [{"type": "web_search_20250305", "name": "web_search"}]});
    let chat = json!({"messages": [{"role": "user", "content": "q"}], "web_search_options": {}});
    let responses = json!({"input": "q", "tools": [{"type": "web_search"}]});
    let gemini = json!({"contents": [{"role": "user", "parts": [{"text": "q"}]}], "tools": [{"googleSearch": {}}]});
    for (from, body) in [
        (ANTHROPIC, anthropic),
        (CHAT, chat),
        (RESPONSES, responses),
        (GEMINI, gemini),
    ] {
        for (to, place) in [
            (ANTHROPIC, "/tools/0/name"),
            (CHAT, "/web_search_options"),
            (RESPONSES, "/tools/0/type"),
            (GEMINI, "/tools/0/googleSearch"),
        ] {
            let (written, dropped) = asked(from, to, &body).unwrap();
            assert!(
                written.pointer(place).is_some(),
                "{from:?} {to:?}: {written}"
            );
            assert_eq!(dropped, "", "{from:?} {to:?}");
        }
        for to in [CONVERSE, COHERE] {
            assert_eq!(asked(from, to, &body).unwrap_err(), 422, "{from:?} {to:?}");
        }
    }
}

#[test]
fn filters_that_a_client_sets_are_named_where_they_have_no_place() {
    let body = json!({"contents": [{"role": "user", "parts": [{"text": "q"}]}], "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}]});
    for to in [CHAT, RESPONSES, ANTHROPIC, CONVERSE, COHERE] {
        let (_, dropped) = asked(GEMINI, to, &body).unwrap();
        assert!(dropped.contains("safetySettings"), "{to:?}: {dropped}");
    }
}
