//! Marks of the prompt cache.

use super::*;

#[test]
fn cache_marks_stand_behind_what_they_cover() {
    let marked = |text: &'static str, mark| Block {
        cache: Some(mark),
        ..Block::text(text)
    };
    let mut request = conversation(vec![
        (Role::System, vec![marked("s", CacheMark::OneHour)]),
        (
            Role::User,
            vec![marked("u", CacheMark::Default), Block::text("v")],
        ),
    ]);
    request.tools = vec![Tool {
        cache: Some(CacheMark::TwelveHours),
        ..top_song()
    }];
    request.cache.mark_last = Some(CacheMark::OneHour);
    let (body, dropped) = write(&request);
    let point = |ttl: Option<&str>| match ttl {
        Some(ttl) => serde_json::json!({"cachePoint": {"type": "default", "ttl": ttl}}),
        None => serde_json::json!({"cachePoint": {"type": "default"}}),
    };
    assert_eq!(body["toolConfig"]["tools"][1], point(Some("1h")));
    assert_eq!(body["system"][1], point(Some("1h")));
    let content = &body["messages"][0]["content"];
    assert_eq!(content[1], point(None));
    assert_eq!(
        content[3],
        point(None),
        "a longer life may not follow a shorter one"
    );
    assert_eq!(dropped, "cache_control.ttl");
}

#[test]
fn of_too_many_cache_marks_the_last_ones_stay() {
    let marked = |text: &'static str| Block {
        cache: Some(CacheMark::FiveMinutes),
        ..Block::text(text)
    };
    let blocks = ["a", "b", "c", "d", "e", "f"].map(marked).to_vec();
    let (body, dropped) = write(&conversation(vec![(Role::User, blocks)]));
    let content = body["messages"][0]["content"].as_array().unwrap();
    let is_point = |entry: &serde_json::Value| entry.get("cachePoint").is_some();
    let points: Vec<bool> = content.iter().map(is_point).collect();
    assert_eq!(content.len(), 10);
    assert_eq!(points[..4], [false, false, false, true]);
    assert_eq!(dropped, "cache_control");
}
