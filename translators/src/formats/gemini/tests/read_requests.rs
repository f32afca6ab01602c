//! Requests of clients.

use super::{document, read, write};
use crate::formats::Format;
use crate::ir::{
    Block, BlockKind, MediaSource, OutputFormat, ReasoningMode, Refusal, Role, Schema, Signature,
    ToolCall, ToolChoice, ToolKind, ToolResult,
};
use crate::json::Str;

fn blocks<'a>(request: &'a crate::ir::Request<'a>, turn: usize) -> Vec<&'a BlockKind<'a>> {
    let turn = &request.turns[turn];
    turn.blocks.iter().map(|block| &block.kind).collect()
}

#[test]
fn a_documented_request_reads_the_same_in_both_spellings() {
    let camel = r#"{"contents":[{"parts":[{"text":"Explain"}]}],"systemInstruction":{"parts":[{"text":"You are a cat"}]},"generationConfig":{"stopSequences":["T"],"temperature":1.0,"maxOutputTokens":800,"topP":0.8,"topK":10,"thinkingConfig":{"thinkingBudget":1024,"includeThoughts":true}}}"#;
    let snake = r#"{"contents":[{"parts":[{"text":"Explain"}]}],"system_instruction":{"parts":[{"text":"You are a cat"}]},"generation_config":{"stop_sequences":["T"],"temperature":1.0,"max_output_tokens":800,"top_p":0.8,"top_k":10,"thinking_config":{"thinking_budget":1024,"include_thoughts":true}}}"#;
    let (camel, snake) = (document(camel), document(snake));
    let request = read(&camel).unwrap();
    assert_eq!(request, read(&snake).unwrap());
    assert_eq!(request.turns[0].role, Role::System);
    assert_eq!(request.turns[1].role, Role::User);
    assert_eq!(blocks(&request, 1), [&BlockKind::Text("Explain".into())]);
    assert_eq!(request.sampling.temperature, Some("1.0"));
    assert_eq!(request.sampling.top_k, Some("10"));
    assert_eq!(request.max_output_tokens, Some(800));
    assert_eq!(request.stop, ["T"]);
    assert_eq!(request.reasoning.mode, Some(ReasoningMode::On));
    assert_eq!(request.reasoning.budget_tokens, Some(1024));
    assert_eq!(request.reasoning.show, Some(true));
    assert_eq!(request.model, "m");
}

#[test]
fn a_name_in_two_spellings_is_refused() {
    let body = document(r#"{"contents":[],"generationConfig":{},"generation_config":{}}"#);
    let expected = Refusal::invalid("generationConfig", "the field stands there twice");
    assert_eq!(read(&body), Err(expected));
}

#[test]
fn calls_and_results_without_ids_meet_by_name_and_order() {
    let body = document(
        r#"{"contents":[
        {"role":"model","parts":[
            {"functionCall":{"name":"f","args":{"n":1.0}},"thoughtSignature":"QUJD"},
            {"functionCall":{"name":"g"}},
            {"functionCall":{"name":"f","args":{"n":2}}}]},
        {"role":"user","parts":[
            {"functionResponse":{"name":"g","response":{"output":"G"}}},
            {"functionResponse":{"name":"f","response":{"error":"F1"}}},
            {"functionResponse":{"name":"f","response":{"result":2}}}]}]}"#,
    );
    let request = read(&body).unwrap();
    let call = |id: &'static str, name: &'static str, arguments: &'static str| {
        BlockKind::ToolCall(ToolCall {
            id: id.into(),
            name: name.into(),
            arguments: arguments.into(),
            free_form: false,
        })
    };
    assert_eq!(
        blocks(&request, 0),
        [
            &call("call_0_0", "f", r#"{"n":1.0}"#),
            &call("call_0_1", "g", "{}"),
            &call("call_0_2", "f", r#"{"n":2}"#),
        ]
    );
    let signed = Signature {
        format: Format::Gemini,
        token: "QUJD".into(),
    };
    assert_eq!(request.turns[0].blocks[0].signature, Some(signed));
    let result = |id: &'static str, name: &'static str, text: &'static str, is_error| {
        BlockKind::ToolResult(ToolResult {
            call_id: id.into(),
            name: Some(name.into()),
            blocks: vec![Block::text(text)],
            is_error,
            free_form: false,
        })
    };
    assert_eq!(
        blocks(&request, 1),
        [
            &result("call_0_1", "g", "G", None),
            &result("call_0_0", "f", "F1", Some(true)),
            &result("call_0_2", "f", r#"{"result":2}"#, None),
        ]
    );
}

#[test]
fn a_result_without_a_call_is_refused() {
    let body =
        document(r#"{"contents":[{"parts":[{"functionResponse":{"name":"f","response":{}}}]}]}"#);
    let expected = Refusal::invalid(
        "contents[0].parts[0].functionResponse",
        "no call of `f` waits for a result",
    );
    assert_eq!(read(&body), Err(expected));
}

#[test]
fn media_is_told_apart_by_its_type_and_its_address() {
    let body = document(
        r#"{"contents":[{"parts":[
        {"inlineData":{"mimeType":"IMAGE/png","data":"-_A="}},
        {"fileData":{"mimeType":"application/pdf","fileUri":"https://generativelanguage.googleapis.com/v1beta/files/x"}},
        {"fileData":{"fileUri":"https://www.youtube.com/watch?v=x"}},
        {"inline_data":{"mime_type":"audio/wav","data":"QQ=="}}]}]}"#,
    );
    let request = read(&body).unwrap();
    let base64 = |mime: &'static str, data: &'static str| MediaSource::Base64 {
        mime: mime.into(),
        data: data.into(),
    };
    assert_eq!(
        blocks(&request, 0),
        [
            &BlockKind::Image {
                source: base64("image/png", "+/A="),
                detail: None,
            },
            &BlockKind::Document {
                source: MediaSource::FileId {
                    format: Format::Gemini,
                    id: "https://generativelanguage.googleapis.com/v1beta/files/x".into(),
                    mime: Some("application/pdf".into()),
                },
                name: None,
                context: None,
                citations: false,
            },
            &BlockKind::Video {
                source: MediaSource::Url {
                    url: "https://www.youtube.com/watch?v=x".into(),
                    mime: None,
                },
            },
            &BlockKind::Audio {
                source: base64("audio/wav", "QQ=="),
            },
        ]
    );
}

#[test]
fn tools_come_apart_and_the_choice_keeps_its_names() {
    let body = document(
        r#"{"contents":[{"parts":[{"text":"x"}]}],"tools":[
        {"functionDeclarations":[
            {"name":"f","description":"d","parameters":{"type":"OBJECT"}},
            {"name":"g","parametersJsonSchema":{"type":"object"},"behavior":"BLOCKING"}]},
        {"googleSearch":{},"codeExecution":{}}],
        "toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["f","g"]}}}"#,
    );
    let request = read(&body).unwrap();
    let schema = |index: usize| match &request.tools[index].kind {
        ToolKind::Function { parameters, .. } => *parameters,
        _ => None,
    };
    assert_eq!(schema(0), Some(Schema::OpenApi(r#"{"type":"OBJECT"}"#)));
    assert_eq!(schema(1), Some(Schema::Json(r#"{"type":"object"}"#)));
    assert!(matches!(
        request.tools[2].kind,
        ToolKind::WebSearch {
            original: (Format::Gemini, "{}"),
            ..
        }
    ));
    assert!(
        matches!(&request.tools[3].kind, ToolKind::Opaque { name, .. } if *name == "codeExecution")
    );
    let expected = ToolChoice::Subset {
        names: vec![Str::from("f"), Str::from("g")],
        required: true,
    };
    assert_eq!(request.tool_choice, Some(expected));
}

#[test]
fn one_allowed_function_is_the_one_to_call() {
    let body = document(
        r#"{"contents":[{"parts":[{"text":"x"}]}],"toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["f"]}}}"#,
    );
    let expected = ToolChoice::Tool {
        name: "f".into(),
        free_form: false,
    };
    assert_eq!(read(&body).unwrap().tool_choice, Some(expected));
}

#[test]
fn json_is_promised_by_type_and_schema() {
    let output = |config: &str| {
        let body =
            format!(r#"{{"contents":[{{"parts":[{{"text":"x"}}]}}],"generationConfig":{config}}}"#);
        let body = document(&body);
        let request = read(&body).unwrap();
        let schema = match &request.output {
            Some(OutputFormat::JsonSchema { schema, .. }) => {
                schema.map(|schema| schema.to_json_schema().into_owned())
            }
            _ => None,
        };
        let is_object = request.output == Some(OutputFormat::JsonObject);
        (is_object, schema, request.essentials.len())
    };
    let json = r#""responseMimeType":"application/json""#;
    assert_eq!(output(&format!("{{{json}}}")), (true, None, 0));
    let by_schema = (false, Some(r#"{"type":"string"}"#.to_owned()), 0);
    assert_eq!(
        output(&format!(
            r#"{{{json},"responseSchema":{{"type":"STRING"}}}}"#
        )),
        by_schema
    );
    assert_eq!(
        output(&format!(
            r#"{{{json},"responseJsonSchema":{{"type":"string"}}}}"#
        )),
        by_schema
    );
    let one_of =
        r#"{"responseMimeType":"text/x.enum","responseSchema":{"type":"STRING","enum":["a"]}}"#;
    assert_eq!(output(one_of), (false, None, 2));
}

#[test]
fn what_no_other_format_can_do_is_kept_for_this_one() {
    let body = document(
        r#"{"contents":[{"parts":[{"text":"x"}]}],"safetySettings":[{"category":"C","threshold":"OFF"}],"cachedContent":"cachedContents/1","generationConfig":{"speechConfig":{"languageCode":"de"},"responseModalities":["AUDIO"]}}"#,
    );
    let request = read(&body).unwrap();
    let refusal = request.refuse_foreign_essentials(Format::Anthropic);
    let expected = Refusal::unsupported(
        "cachedContent",
        "Anthropic Messages",
        "it has no such field",
    );
    assert_eq!(refusal, Err(expected));
    let (written, dropped) = write(&request);
    let original: serde_json::Value = serde_json::from_str(body.text()).unwrap();
    for key in ["safetySettings", "cachedContent", "generationConfig"] {
        assert_eq!(written[key], original[key]);
    }
    assert_eq!(dropped, "");
}
