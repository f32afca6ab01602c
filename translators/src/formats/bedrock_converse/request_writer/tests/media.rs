//! Pictures and documents.

use super::*;

fn base64(mime: &'static str) -> MediaSource<'static> {
    MediaSource::Base64 {
        mime: mime.into(),
        data: "AAAA".into(),
    }
}

fn document(source: MediaSource<'static>, name: Option<&'static str>) -> Block<'static> {
    Block::new(BlockKind::Document {
        source,
        name: name.map(Str::from),
        context: Some("about".into()),
        citations: true,
    })
}

#[test]
fn media_are_written_as_bytes_or_places_in_s3() {
    let image = |source| {
        Block::new(BlockKind::Image {
            source,
            detail: None,
        })
    };
    let request = conversation(vec![(
        Role::User,
        vec![
            image(base64("image/jpg")),
            image(MediaSource::Url {
                url: "s3://bucket/cat.PNG".into(),
                mime: None,
            }),
            Block::new(BlockKind::Video {
                source: base64("video/3gpp"),
            }),
            Block::new(BlockKind::Audio {
                source: base64("audio/mpeg"),
            }),
            document(base64("application/octet-stream"), Some("a_b.pdf")),
            document(MediaSource::Text("words".into()), Some("a_b.pdf")),
            document(MediaSource::Blocks(vec![Block::text("w")]), None),
            Block::text("What is all this?"),
        ],
    )]);
    let (body, dropped) = write(&request);
    let bytes = serde_json::json!({"bytes": "AAAA"});
    let cited = serde_json::json!({"enabled": true});
    assert_eq!(
        body["messages"][0]["content"],
        serde_json::json!([
            {"image": {"format": "jpeg", "source": bytes}},
            {"image": {"format": "png", "source": {"s3Location": {"uri": "s3://bucket/cat.PNG"}}}},
            {"video": {"format": "three_gp", "source": bytes}},
            {"audio": {"format": "mp3", "source": bytes}},
            {"document": {"name": "a-b-pdf", "format": "pdf", "source": bytes, "context": "about", "citations": cited}},
            {"document": {"name": "a-b-pdf 2", "format": "txt", "source": {"text": "words"}, "context": "about", "citations": cited}},
            {"document": {"name": "document", "source": {"content": [{"text": "w"}]}, "context": "about", "citations": cited}},
            {"text": "What is all this?"},
        ])
    );
    assert_eq!(dropped, "");
}

#[test]
fn media_that_the_api_cannot_hold_are_refused() {
    let image = |source| {
        Block::new(BlockKind::Image {
            source,
            detail: None,
        })
    };
    let https = MediaSource::Url {
        url: "https://example.com/cat.png".into(),
        mime: None,
    };
    let upload = MediaSource::FileId {
        format: Format::OpenaiResponses,
        id: "file-1".into(),
        mime: Some("image/png".into()),
    };
    for block in [
        image(https),
        image(upload),
        image(base64("image/tiff")),
        document(base64("application/zip"), Some("a.zip")),
    ] {
        let request = conversation(vec![(Role::User, vec![Block::text("a"), block])]);
        assert_eq!(refusal(&request), ("messages[0]".to_owned(), 422));
    }
    let alone = conversation(vec![(Role::User, vec![document(base64("text/csv"), None)])]);
    assert_eq!(refusal(&alone), ("messages[0]".to_owned(), 422));
    let by_model = conversation(vec![
        (Role::User, vec![Block::text("draw")]),
        (Role::Assistant, vec![image(base64("image/png"))]),
    ]);
    assert_eq!(refusal(&by_model), ("messages[1]".to_owned(), 422));
}
