//! What a client brings along and how it wants it treated, at every provider: said in its own form, left
//! out by name, or refused with the reason.

use serde_json::{Value as Json, json};

use super::cross_tests::{
    ANTHROPIC, CHAT, COHERE, CONVERSE, GEMINI, RESPONSES, Side, answer, client, codec, document,
    request,
};

/// What becomes of a request.
#[derive(Debug, PartialEq)]
enum Fate {
    /// It says this at this place.
    Says(&'static str, Json),
    /// It is left out under this name.
    Dropped(&'static str),
    /// 422, with this in the message.
    Refused(&'static str),
}

use Fate::{Dropped, Refused, Says};

fn check(from: Side, to: Side, body: &Json, fate: &Fate) {
    let document = document(&body.to_string());
    let written = request(from, to, &document);
    match (fate, written) {
        (Says(place, expected), Ok((body, _))) => {
            let body: Json = serde_json::from_slice(&body).unwrap();
            assert_eq!(body.pointer(place), Some(expected), "{to:?}: {body}");
        }
        (Dropped(field), Ok((_, dropped))) => {
            let mut names = dropped.split(", ");
            assert!(names.any(|name| name == *field), "{to:?}: {dropped}");
        }
        (Refused(reason), Err(refusal)) => {
            assert_eq!(refusal.status(), 422, "{to:?}: {refusal}");
            assert!(refusal.to_string().contains(reason), "{to:?}: {refusal}");
        }
        (fate, written) => panic!("{to:?}: {fate:?}, but {written:?}"),
    }
}

fn chat(part: &Json) -> Json {
    json!({"messages": [{"role": "user", "content": [part, {"type": "text", "text": "q"}]}]})
}

#[test]
fn sound_reaches_those_who_hear() {
    let body =
        chat(&json!({"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}}));
    let gemini = json!({"mimeType": "audio/wav", "data": "UklGRg=="});
    let converse = json!({"format": "wav", "source": {"bytes": "UklGRg=="}});
    check(
        CHAT,
        GEMINI,
        &body,
        &Says("/contents/0/parts/0/inlineData", gemini),
    );
    check(
        CHAT,
        CONVERSE,
        &body,
        &Says("/messages/0/content/0/audio", converse),
    );
    check(CHAT, ANTHROPIC, &body, &Refused("it takes no audio"));
    check(CHAT, COHERE, &body, &Refused("it takes no sound"));
    let body = json!({"contents": [{"role": "user", "parts": [{"inlineData": {"mimeType": "audio/wav", "data": "UklGRg=="}}]}]});
    let wav = json!({"data": "UklGRg==", "format": "wav"});
    check(
        GEMINI,
        CHAT,
        &body,
        &Says("/messages/0/content/0/input_audio", wav),
    );
}

#[test]
fn the_wish_for_sound_beside_text_is_named_where_nobody_speaks() {
    let body = json!({"messages": [{"role": "user", "content": "q"}], "modalities": ["text", "audio"], "audio": {"voice": "alloy", "format": "wav"}});
    for to in [RESPONSES, ANTHROPIC, CONVERSE, GEMINI, COHERE] {
        check(CHAT, to, &body, &Dropped("modalities"));
    }
}

#[test]
fn a_file_of_pages_reaches_those_who_read_them() {
    let body = chat(
        &json!({"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="}}),
    );
    let anthropic = json!({"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="});
    check(
        CHAT,
        ANTHROPIC,
        &body,
        &Says("/messages/0/content/0/source", anthropic),
    );
    let gemini = json!("application/pdf");
    check(
        CHAT,
        GEMINI,
        &body,
        &Says("/contents/0/parts/0/inlineData/mimeType", gemini),
    );
    let converse = json!("pdf");
    check(
        CHAT,
        CONVERSE,
        &body,
        &Says("/messages/0/content/0/document/format", converse),
    );
    let responses = json!("a.pdf");
    check(
        CHAT,
        RESPONSES,
        &body,
        &Says("/input/0/content/0/filename", responses),
    );
    check(CHAT, COHERE, &body, &Refused("documents of text only"));
}

#[test]
fn a_picture_by_its_address_goes_only_to_those_who_fetch_it() {
    let url = "https://example.com/a.png";
    let body = chat(&json!({"type": "image_url", "image_url": {"url": url}}));
    check(
        CHAT,
        ANTHROPIC,
        &body,
        &Says("/messages/0/content/0/source/url", json!(url)),
    );
    check(
        CHAT,
        RESPONSES,
        &body,
        &Says("/input/0/content/0/image_url", json!(url)),
    );
    check(
        CHAT,
        COHERE,
        &body,
        &Says("/messages/0/content/0/image_url/url", json!(url)),
    );
    check(CHAT, CONVERSE, &body, &Refused("bytes"));
}

#[test]
fn settings_have_their_name_at_each_provider_or_are_named() {
    let body = |name: &str, value: Json| json!({"messages": [{"role": "user", "name": "bob", "content": "q"}], name: value});
    let seed = body("seed", json!(7));
    check(
        CHAT,
        GEMINI,
        &seed,
        &Says("/generationConfig/seed", json!(7)),
    );
    check(CHAT, COHERE, &seed, &Says("/seed", json!(7)));
    let penalty = body("frequency_penalty", json!(0.5));
    check(
        CHAT,
        GEMINI,
        &penalty,
        &Says("/generationConfig/frequencyPenalty", json!(0.5)),
    );
    check(
        CHAT,
        COHERE,
        &penalty,
        &Says("/frequency_penalty", json!(0.5)),
    );
    let answers = body("n", json!(2));
    check(
        CHAT,
        GEMINI,
        &answers,
        &Says("/generationConfig/candidateCount", json!(2)),
    );
    for to in [ANTHROPIC, CONVERSE, RESPONSES, COHERE] {
        check(CHAT, to, &answers, &Refused("n"));
    }
    let tier = body("service_tier", json!("priority"));
    check(
        CHAT,
        CONVERSE,
        &tier,
        &Says("/serviceTier/type", json!("priority")),
    );
    check(CHAT, COHERE, &tier, &Dropped("service_tier"));
    for to in [ANTHROPIC, CONVERSE] {
        check(CHAT, to, &seed, &Dropped("seed"));
        check(CHAT, to, &penalty, &Dropped("frequency_penalty"));
    }
    for to in [ANTHROPIC, CONVERSE, GEMINI, COHERE] {
        check(CHAT, to, &seed, &Dropped("messages.name"));
    }
}

#[test]
fn the_number_of_likely_tokens_to_choose_from_has_its_name_or_is_named() {
    let body = json!({"max_tokens": 9, "top_k": 5, "messages": [{"role": "user", "content": "q"}]});
    check(
        ANTHROPIC,
        GEMINI,
        &body,
        &Says("/generationConfig/topK", json!(5)),
    );
    check(ANTHROPIC, COHERE, &body, &Says("/k", json!(5)));
    for to in [CHAT, RESPONSES] {
        check(ANTHROPIC, to, &body, &Dropped("top_k"));
    }
}

#[test]
fn a_temperature_beyond_a_providers_range_is_refused_and_never_bent() {
    let body = json!({"messages": [{"role": "user", "content": "q"}], "temperature": 1.5});
    check(
        CHAT,
        GEMINI,
        &body,
        &Says("/generationConfig/temperature", json!(1.5)),
    );
    for to in [ANTHROPIC, CONVERSE] {
        check(CHAT, to, &body, &Refused("temperature"));
    }
}

#[test]
fn the_tier_of_an_answer_has_the_clients_word() {
    let body =
        document(r#"{"content":[],"stop_reason":"end_turn","usage":{"service_tier":"standard"}}"#);
    let response = (codec(ANTHROPIC).read_response)(&body).unwrap();
    for to in [CHAT, RESPONSES] {
        let mut out = Vec::new();
        (client(to).write_response)(&response, &answer(), &mut out);
        let written: Json = serde_json::from_slice(&out).unwrap();
        assert_eq!(written["service_tier"], "default", "{to:?}");
    }
}
