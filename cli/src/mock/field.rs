//! Reading a JSON body as a vendor does: each value knows its path, each mismatch is a [`Fault`].

use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use super::fault::{Fault, Path};

/// One value of a request body and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Field<'a> {
    path: Path,
    value: &'a Value,
}

impl<'a> Field<'a> {
    /// The whole body.
    pub(super) fn root(value: &'a Value) -> Self {
        Self {
            path: Path::default(),
            value,
        }
    }

    /// The member `key`; absent and null are the same for every vendor here.
    pub(super) fn get(&self, key: &str) -> Option<Self> {
        let value = self.value.get(key).filter(|value| !value.is_null())?;
        Some(Self {
            path: self.path.key(key),
            value,
        })
    }

    /// The member `key`, which has to be there.
    pub(super) fn need(&self, key: &str) -> Result<Self, Fault> {
        self.get(key).ok_or_else(|| {
            Fault::field(
                &self.path.key(key),
                "missing_required_parameter",
                "field required",
            )
        })
    }

    /// The member `key`, read if it is there.
    pub(super) fn optional<T>(
        &self,
        key: &str,
        read: impl FnOnce(&Self) -> Result<T, Fault>,
    ) -> Result<Option<T>, Fault> {
        self.get(key).map(|field| read(&field)).transpose()
    }

    pub(super) fn is_text(&self) -> bool {
        self.value.is_string()
    }

    /// The value as JSON text.
    pub(super) fn spelled(&self) -> String {
        self.value.to_string()
    }

    pub(super) fn object(&self) -> Result<&'a Map<String, Value>, Fault> {
        self.value
            .as_object()
            .ok_or_else(|| self.wrong_type("an object"))
    }

    pub(super) fn text(&self) -> Result<&'a str, Fault> {
        self.value
            .as_str()
            .ok_or_else(|| self.wrong_type("a string"))
    }

    /// A string that is not blank.
    pub(super) fn filled(&self) -> Result<&'a str, Fault> {
        match self.text()? {
            text if text.trim().is_empty() => Err(self.wrong("must not be empty")),
            text => Ok(text),
        }
    }

    pub(super) fn flag(&self) -> Result<bool, Fault> {
        self.value
            .as_bool()
            .ok_or_else(|| self.wrong_type("a boolean"))
    }

    pub(super) fn integer(&self, range: RangeInclusive<i64>) -> Result<i64, Fault> {
        let number = self
            .value
            .as_i64()
            .ok_or_else(|| self.wrong_type("an integer"))?;
        if range.contains(&number) {
            return Ok(number);
        }
        Err(self.wrong(format!(
            "must be between {} and {}",
            range.start(),
            range.end()
        )))
    }

    pub(super) fn number(&self, range: RangeInclusive<f64>) -> Result<f64, Fault> {
        let number = self
            .value
            .as_f64()
            .ok_or_else(|| self.wrong_type("a number"))?;
        if range.contains(&number) {
            return Ok(number);
        }
        Err(self.wrong(format!(
            "must be between {} and {}",
            range.start(),
            range.end()
        )))
    }

    pub(super) fn items(&self) -> Result<Vec<Self>, Fault> {
        let items = self
            .value
            .as_array()
            .ok_or_else(|| self.wrong_type("an array"))?;
        let field = |(index, value)| Self {
            path: self.path.index(index),
            value,
        };
        Ok(items.iter().enumerate().map(field).collect())
    }

    /// The items of an array that has some.
    pub(super) fn some_items(&self) -> Result<Vec<Self>, Fault> {
        match self.items()? {
            items if items.is_empty() => Err(self.wrong("must have at least one item")),
            items => Ok(items),
        }
    }

    pub(super) fn one_of(&self, allowed: &[&str]) -> Result<&'a str, Fault> {
        let text = self.text()?;
        if allowed.contains(&text) {
            return Ok(text);
        }
        Err(self.wrong(format!("'{text}' is not one of {}", quoted(allowed))))
    }

    /// A name as all vendors restrict them: letters, digits, `_` and `-`, up to `longest`.
    pub(super) fn name(&self, longest: usize) -> Result<&'a str, Fault> {
        let name = self.text()?;
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        if !name.is_empty() && name.len() <= longest && name.chars().all(allowed) {
            return Ok(name);
        }
        Err(self.wrong(format!(
            "'{name}' does not match ^[a-zA-Z0-9_-]{{1,{longest}}}$"
        )))
    }

    /// The name of one of these tools.
    pub(super) fn offered(&self, tools: &[String]) -> Result<String, Fault> {
        let name = self.text()?;
        if tools.iter().any(|tool| tool == name) {
            return Ok(name.to_owned());
        }
        Err(self.wrong(format!("'{name}' is not among the tools")))
    }

    /// The only member of an object that is a union.
    pub(super) fn variant(&self, known: &[&str]) -> Result<(&'a str, Self), Fault> {
        let members = self.object()?;
        match members.keys().next() {
            Some(key) if members.len() == 1 && known.contains(&key.as_str()) => {
                Ok((key, self.need(key)?))
            }
            _ => Err(self.wrong(format!("must have exactly one of {}", quoted(known)))),
        }
    }

    /// Refuses members that the vendor does not know.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), Fault> {
        match self
            .object()?
            .keys()
            .find(|key| !known.contains(&key.as_str()))
        {
            Some(key) => Err(self.unknown(key)),
            None => Ok(()),
        }
    }

    pub(super) fn wrong(&self, message: impl Into<String>) -> Fault {
        Fault::field(&self.path, "invalid_value", message)
    }

    fn unknown(&self, key: &str) -> Fault {
        Fault::field(
            &self.path.key(key),
            "unknown_parameter",
            "extra fields are not permitted",
        )
    }

    fn wrong_type(&self, expected: &str) -> Fault {
        Fault::field(&self.path, "invalid_type", format!("must be {expected}"))
    }
}

fn quoted(words: &[&str]) -> String {
    let words: Vec<_> = words.iter().map(|word| format!("'{word}'")).collect();
    words.join(", ")
}
