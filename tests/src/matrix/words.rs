//! Words that one half says and the other uses: `$id` is the id in this provider's answer.
//!
//! A string that is only `$word` becomes the word's value; inside a longer string the word must be a
//! text or a number. `$absent` needs nobody to say it: it is the wildcard `<absent>`.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use serde_json::Value;

/// Words and what they stand for.
#[derive(Clone, Debug, Default)]
pub(super) struct Words(BTreeMap<String, Value>);

impl Words {
    /// Adds words; later ones win.
    pub(super) fn add(&mut self, words: &BTreeMap<String, Value>) {
        let words = words
            .iter()
            .map(|(word, value)| (word.clone(), value.clone()));
        self.0.extend(words);
    }

    /// Puts the words' values in their places.
    ///
    /// # Errors
    /// A word that nobody says, or one of no text inside a text.
    pub(super) fn fill(&self, value: &Value) -> Result<Value> {
        Ok(match value {
            Value::String(text) => self.fill_text(text)?,
            Value::Array(items) => Value::Array(
                items
                    .iter()
                    .map(|item| self.fill(item))
                    .collect::<Result<_>>()?,
            ),
            Value::Object(members) => {
                let filled = members
                    .iter()
                    .map(|(key, value)| Ok((key.clone(), self.fill(value)?)));
                Value::Object(filled.collect::<Result<_>>()?)
            }
            other => other.clone(),
        })
    }

    fn fill_text(&self, text: &str) -> Result<Value> {
        let Some((before, rest)) = text.split_once('$') else {
            return Ok(text.into());
        };
        let end = rest.find(|c: char| !c.is_ascii_lowercase() && c != '_');
        let (word, after) = rest.split_at(end.unwrap_or(rest.len()));
        let Some(value) = self.0.get(word) else {
            bail!("nobody says ${word}");
        };
        if before.is_empty() && after.is_empty() {
            // A word may be said with others.
            return self.fill(value);
        }
        let value = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => bail!("${word} is no text"),
        };
        self.fill_text(&format!("{before}{value}{after}"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn words_stand_alone_or_in_a_text() {
        let mut words = Words::default();
        words.add(&BTreeMap::from([
            ("stop".to_owned(), json!(["END"])),
            ("model".to_owned(), json!("m-1")),
            ("n".to_owned(), json!(7)),
        ]));
        let filled = words.fill(&json!({"a": "$stop", "b": "/x/$model:y?$n", "c": [1]}));
        assert_eq!(
            filled.unwrap(),
            json!({"a": ["END"], "b": "/x/m-1:y?7", "c": [1]})
        );
        assert!(words.fill(&json!("$other")).is_err());
        assert!(words.fill(&json!("a $stop")).is_err());
    }
}
