//! Writes JSON straight into an output buffer; commas and escapes are its business.

use super::Str;

/// A writer of one JSON value after the other.
///
/// The caller opens and closes containers in order; the writer sets the commas. Nothing is checked
/// beyond that: what is written wrongly comes out wrongly, and tests parse what comes out.
#[derive(Debug)]
pub struct Writer<'o> {
    out: &'o mut Vec<u8>,
    comma: bool,
}

impl<'o> Writer<'o> {
    /// Appends to `out`.
    pub const fn new(out: &'o mut Vec<u8>) -> Self {
        Self { out, comma: false }
    }

    /// `{`
    pub fn begin_object(&mut self) {
        self.open(b'{');
    }

    /// `}`
    pub fn end_object(&mut self) {
        self.close(b'}');
    }

    /// `[`
    pub fn begin_array(&mut self) {
        self.open(b'[');
    }

    /// `]`
    pub fn end_array(&mut self) {
        self.close(b']');
    }

    /// A key of an object; a value must follow. Keys of ours need no escape.
    pub fn key(&mut self, key: &str) {
        self.separate();
        self.out.push(b'"');
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.comma = false;
    }

    /// A key that came from somewhere else.
    pub fn key_str(&mut self, key: &Str<'_>) {
        self.str(key);
        self.out.push(b':');
        self.comma = false;
    }

    /// A string value.
    pub fn str(&mut self, text: &Str<'_>) {
        match text {
            Str::Escaped(raw) => {
                self.separate();
                self.out.push(b'"');
                self.out.extend_from_slice(raw.as_bytes());
                self.out.push(b'"');
                self.comma = true;
            }
            Str::Plain(text) => self.string(text),
        }
    }

    /// A string value from text of ours.
    pub fn string(&mut self, text: &str) {
        self.begin_string();
        self.string_part(text);
        self.end_string();
    }

    /// Opens a string that is written in parts.
    pub fn begin_string(&mut self) {
        self.separate();
        self.out.push(b'"');
    }

    /// A part of the open string, plain text.
    pub fn string_part(&mut self, text: &str) {
        escape_into(text, self.out);
    }

    /// A part of the open string.
    pub fn str_part(&mut self, text: &Str<'_>) {
        match text {
            Str::Escaped(raw) => self.out.extend_from_slice(raw.as_bytes()),
            Str::Plain(text) => escape_into(text, self.out),
        }
    }

    /// Closes the open string.
    pub fn end_string(&mut self) {
        self.out.push(b'"');
        self.comma = true;
    }

    /// A value that is JSON already.
    pub fn raw(&mut self, json: &str) {
        self.separate();
        self.out.extend_from_slice(json.as_bytes());
        self.comma = true;
    }

    /// A whole number.
    pub fn number(&mut self, number: u64) {
        self.separate();
        // A fixed buffer of 20 digits would save the allocation; usage counts are few.
        self.out.extend_from_slice(number.to_string().as_bytes());
        self.comma = true;
    }

    /// `true` or `false`
    pub fn bool(&mut self, value: bool) {
        self.raw(if value { "true" } else { "false" });
    }

    /// `null`
    pub fn null(&mut self) {
        self.raw("null");
    }

    /// `"key":"text"`
    pub fn field_str(&mut self, key: &str, text: &Str<'_>) {
        self.key(key);
        self.str(text);
    }

    /// `"key":"text"` from text of ours
    pub fn field_string(&mut self, key: &str, text: &str) {
        self.key(key);
        self.string(text);
    }

    /// `"key":json`
    pub fn field_raw(&mut self, key: &str, json: &str) {
        self.key(key);
        self.raw(json);
    }

    /// `"key":7`
    pub fn field_number(&mut self, key: &str, number: u64) {
        self.key(key);
        self.number(number);
    }

    /// `"key":true`
    pub fn field_bool(&mut self, key: &str, value: bool) {
        self.key(key);
        self.bool(value);
    }

    /// `"key":null`
    pub fn field_null(&mut self, key: &str) {
        self.key(key);
        self.null();
    }

    fn open(&mut self, bracket: u8) {
        self.separate();
        self.out.push(bracket);
        self.comma = false;
    }

    fn close(&mut self, bracket: u8) {
        self.out.push(bracket);
        self.comma = true;
    }

    fn separate(&mut self) {
        if self.comma {
            self.out.push(b',');
        }
    }
}

/// Escapes as JSON wants it: quote, backslash and what is below U+0020.
fn escape_into(text: &str, out: &mut Vec<u8>) {
    let mut rest = text.as_bytes();
    while let Some(at) = rest
        .iter()
        .position(|&byte| byte < 0x20 || byte == b'"' || byte == b'\\')
    {
        let (plain, tail) = rest.split_at_checked(at).unwrap_or((rest, &[]));
        out.extend_from_slice(plain);
        let Some((&byte, after)) = tail.split_first() else {
            return;
        };
        escape_byte(byte, out);
        rest = after;
    }
    out.extend_from_slice(rest);
}

fn escape_byte(byte: u8, out: &mut Vec<u8>) {
    const HEX: [u8; 16] = *b"0123456789abcdef";
    match byte {
        b'"' => out.extend_from_slice(b"\\\""),
        b'\\' => out.extend_from_slice(b"\\\\"),
        b'\n' => out.extend_from_slice(b"\\n"),
        b'\r' => out.extend_from_slice(b"\\r"),
        b'\t' => out.extend_from_slice(b"\\t"),
        _ => {
            out.extend_from_slice(b"\\u00");
            out.extend(
                [byte >> 4, byte & 0xF]
                    .iter()
                    .filter_map(|&n| HEX.get(usize::from(n))),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_stand_where_json_wants_them() {
        let mut out = Vec::new();
        let mut w = Writer::new(&mut out);
        w.begin_object();
        w.field_string("a", "x");
        w.key("b");
        w.begin_array();
        w.number(1);
        w.begin_object();
        w.end_object();
        w.bool(true);
        w.end_array();
        w.field_null("c");
        w.field_str("d", &Str::Escaped(r"\u00e9"));
        w.key_str(&Str::Escaped("e"));
        w.raw("1.0");
        w.end_object();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            r#"{"a":"x","b":[1,{},true],"c":null,"d":"\u00e9","e":1.0}"#
        );
    }

    #[test]
    fn any_text_survives_a_reader() {
        let text = "q\" b\\ n\n r\r t\t z\0 é😀 \u{1f}";
        let mut out = Vec::new();
        Writer::new(&mut out).string(text);
        assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
    }
}
