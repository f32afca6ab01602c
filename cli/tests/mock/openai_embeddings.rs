//! OpenAI Embeddings.

use serde_json::{Value, json};

use crate::support::{post, server};

fn embed(path: &str, body: &Value) -> Value {
    post(&server(), path, &[], body).json()
}

#[test]
fn each_text_has_its_own_vector_and_always_the_same() {
    let body = json!({"model": "m", "input": ["one", "two words"], "dimensions": 3});
    let list = embed("/v1/embeddings", &body);
    assert_eq!(list, embed("/v1/embeddings", &body));
    assert_eq!(list["object"], "list");
    assert_eq!(list["data"][1]["index"], 1);
    assert_eq!(list["data"][0]["embedding"].as_array().unwrap().len(), 3);
    assert_ne!(list["data"][0]["embedding"], list["data"][1]["embedding"]);
    assert_eq!(
        list["usage"],
        json!({"prompt_tokens": 3, "total_tokens": 3})
    );
}

#[test]
fn a_vector_can_be_base64_of_little_endian_floats() {
    use base64::Engine as _;
    let body = |format: &str| json!({"model": "m", "input": "x", "encoding_format": format});
    let packed = embed("/v1/embeddings", &body("base64"))["data"][0]["embedding"].clone();
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(packed.as_str().unwrap())
        .unwrap();
    let floats: Vec<f32> = bytes
        .chunks(4)
        .map(|four| f32::from_le_bytes(four.try_into().unwrap()))
        .collect();
    let plain = embed("/v1/embeddings", &body("float"))["data"][0]["embedding"].clone();
    assert_eq!(json!(floats), plain);
}

#[test]
fn azure_has_the_model_in_the_path() {
    let path = "/openai/deployments/ada/embeddings?api-version=2024-10-21";
    assert_eq!(embed(path, &json!({"input": [1, 2, 3]}))["model"], "ada");
}

#[test]
fn inputs_that_openai_would_not_take_are_refused() {
    for body in [
        json!({"model": "m"}),
        json!({"input": "x"}),
        json!({"model": "m", "input": []}),
        json!({"model": "m", "input": [""]}),
        json!({"model": "m", "input": [{}]}),
        json!({"model": "m", "input": "x", "encoding_format": "int8"}),
    ] {
        assert_eq!(
            post(&server(), "/v1/embeddings", &[], &body).status,
            400,
            "{body}"
        );
    }
}
