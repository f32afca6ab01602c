//! Log probabilities: how each client asks, and what each provider is asked.

use super::*;

const CHAT_ASKS: &str = r#"{"messages":[{"role":"user","content":"hi"}],"max_completion_tokens":9,"logprobs":true,"top_logprobs":2}"#;
const RESPONSES_ASKS: &str = r#"{"input":"hi","max_output_tokens":9,"include":["message.output_text.logprobs"],"top_logprobs":2}"#;
const GEMINI_ASKS: &str = r#"{"contents":[{"role":"user","parts":[{"text":"hi"}]}],"generationConfig":{"maxOutputTokens":9,"responseLogprobs":true,"logprobs":2}}"#;

/// What a provider is asked, and what was dropped.
fn asked(from: Side, to: Side, body: &str) -> (Json, String) {
    let (body, dropped) = request(from, to, &document(body)).unwrap();
    (json(&body), dropped)
}

#[test]
fn who_asks_for_them_gets_them_wherever_the_provider_has_any() {
    for (from, body) in [
        (CHAT, CHAT_ASKS),
        (RESPONSES, RESPONSES_ASKS),
        (GEMINI, GEMINI_ASKS),
    ] {
        let (chat, dropped) = asked(from, CHAT, body);
        assert_eq!(chat["logprobs"], true);
        assert_eq!((&chat["top_logprobs"], &*dropped), (&json!(2), ""));

        let (responses, dropped) = asked(from, RESPONSES, body);
        let include = json!(["message.output_text.logprobs"]);
        assert_eq!(responses["include"], include);
        assert_eq!((&responses["top_logprobs"], &*dropped), (&json!(2), ""));

        let (gemini, dropped) = asked(from, GEMINI, body);
        let config = &gemini["generationConfig"];
        assert_eq!(config["responseLogprobs"], true);
        assert_eq!((&config["logprobs"], &*dropped), (&json!(2), ""));

        let (cohere, dropped) = asked(from, COHERE, body);
        assert_eq!(cohere["logprobs"], true);
        assert_eq!(dropped, "top_logprobs");
    }
}

#[test]
fn providers_without_any_are_not_asked_and_that_is_told() {
    for to in [ANTHROPIC, CONVERSE] {
        for (from, body) in [
            (CHAT, CHAT_ASKS),
            (RESPONSES, RESPONSES_ASKS),
            (GEMINI, GEMINI_ASKS),
        ] {
            let (body, dropped) = asked(from, to, body);
            assert!(!body.to_string().contains("logprobs"), "{body}");
            assert_eq!(dropped, "logprobs, top_logprobs");
        }
    }
}

/// Providers refuse a count alone.
#[test]
fn a_count_of_alternatives_alone_asks_for_nothing() {
    let alone = RESPONSES_ASKS.replace(r#""message.output_text.logprobs""#, "");
    for to in [CHAT, RESPONSES, GEMINI, COHERE, ANTHROPIC, CONVERSE] {
        let (body, dropped) = asked(RESPONSES, to, &alone);
        assert!(!body.to_string().contains("logprobs"), "{body}");
        assert_eq!(dropped, "top_logprobs");
    }
    let none = RESPONSES_ASKS.replace(r#""top_logprobs":2"#, r#""top_logprobs":0"#);
    let (body, dropped) = asked(RESPONSES, GEMINI, &none);
    let config = &body["generationConfig"];
    assert_eq!(config["responseLogprobs"], true);
    assert_eq!((config.get("logprobs"), &*dropped), (None, ""));
}
