//! Properties of the JSON modules, held against `serde_json`.

use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::Value as Model;

use super::{Document, Editor, Str, Value, Writer};
use crate::fuzzing::{fuzz_json_document, rebuild};

/// Any JSON value; keys are few, so that they meet again in edits.
fn values() -> impl Strategy<Value = Model> {
    let leaf = prop_oneof![
        Just(Model::Null),
        any::<bool>().prop_map(Model::from),
        any::<i64>().prop_map(Model::from),
        // serde_json reads back exactly only what needs few digits.
        any::<i32>().prop_map(|eighths| Model::from(f64::from(eighths) / 8.0)),
        ".{0,12}".prop_map(Model::from),
    ];
    leaf.prop_recursive(5, 60, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Model::from),
            prop::collection::vec((keys(), inner), 0..6)
                .prop_map(|members| Model::Object(members.into_iter().collect())),
        ]
    })
}

fn keys() -> impl Strategy<Value = String> {
    prop_oneof!["[a-e]", ".{0,4}"]
}

/// A value as text, tight or spread over lines.
fn text(value: &Model, pretty: bool) -> String {
    if pretty {
        serde_json::to_string_pretty(value).unwrap()
    } else {
        value.to_string()
    }
}

fn parse(text: &str) -> Document {
    Document::parse(text.as_bytes().to_vec()).unwrap()
}

/// All values inside of one, and itself.
fn descendants<'a>(value: Value<'a>, found: &mut Vec<Value<'a>>) {
    found.push(value);
    for child in value
        .elements()
        .chain(value.members().map(|(_, child)| child))
    {
        descendants(child, found);
    }
}

proptest! {
    #[test]
    fn any_value_is_read_as_it_was_written(value in values(), pretty in any::<bool>()) {
        let text = text(&value, pretty);
        let document = parse(&text);
        prop_assert_eq!(rebuild(document.root()), Some(value));
        prop_assert_eq!(document.root().raw(), text);
    }

    #[test]
    fn broken_texts_are_refused_and_sound_ones_are_not(
        value in values(),
        pretty in any::<bool>(),
        changes in prop::collection::vec((any::<Index>(), any::<u8>(), 0..3_u8), 1..4),
    ) {
        let mut bytes = text(&value, pretty).into_bytes();
        for (at, byte, change) in changes {
            let at = at.index(bytes.len().max(1));
            match change {
                0 => bytes.insert(at, byte),
                1 => bytes.truncate(at),
                _ => if let Some(old) = bytes.get_mut(at) { *old = byte },
            }
        }
        fuzz_json_document(&bytes);
    }

    #[test]
    fn a_replaced_value_changes_no_other_byte(
        value in values(),
        pretty in any::<bool>(),
        which in any::<Index>(),
        new in values(),
    ) {
        let document = parse(&text(&value, pretty));
        let mut found = Vec::new();
        descendants(document.root(), &mut found);
        let old = found[which.index(found.len())];
        let new = new.to_string();
        let (text, span) = (document.text().as_bytes(), old.span());
        let expected = [&text[..span.start], new.as_bytes(), &text[span.end..]].concat();
        let mut editor = Editor::new(&document);
        editor.replace(old, new);
        prop_assert_eq!(editor.finish().into_bytes(), expected);
    }

    #[test]
    fn members_are_set_and_removed_as_in_a_map(
        members in prop::collection::btree_map("[a-e]", values(), 0..5),
        pretty in any::<bool>(),
        set in prop::collection::btree_map("[a-g]", values(), 0..4),
        remove in prop::collection::btree_set("[a-g]", 0..4),
    ) {
        let model = Model::Object(members.into_iter().collect());
        let document = parse(&text(&model, pretty));
        let mut expected = model.as_object().unwrap().clone();
        let mut editor = Editor::new(&document);
        for key in &remove {
            editor.remove(document.root(), key);
            expected.remove(key);
        }
        for (key, value) in set.iter().filter(|(key, _)| !remove.contains(*key)) {
            editor.set(document.root(), key, &value.to_string());
            expected.insert(key.clone(), value.clone());
        }
        let changed = editor.finish();
        prop_assert_eq!(rebuild(parse(&changed).root()), Some(Model::Object(expected)));
    }

    #[test]
    fn any_string_survives_writer_and_reader(plain in "\\PC*|.*", escaped in ".{0,9}") {
        let spelled = serde_json::to_string(&escaped).unwrap();
        let mut out = Vec::new();
        let mut writer = Writer::new(&mut out);
        writer.begin_array();
        writer.string(&plain);
        writer.str(&Str::Escaped(spelled.get(1..spelled.len() - 1).unwrap()));
        writer.end_array();
        let back: Vec<String> = serde_json::from_slice(&out).unwrap();
        prop_assert_eq!(&back, &[plain, escaped]);
        let document = Document::parse(out).unwrap();
        let read: Vec<String> = document.root().elements()
            .map(|value| value.as_str().unwrap().into_owned()).collect();
        prop_assert_eq!(read, back);
    }
}
