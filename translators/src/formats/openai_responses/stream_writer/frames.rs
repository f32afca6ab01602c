//! Events of a stream: framing, type and number.

use crate::json::Writer;

/// Writes events and numbers them.
#[derive(Debug, Default)]
pub(super) struct Frames {
    next: u64,
}

impl Frames {
    /// Writes one event: its name, and an object with type, number and `fields`.
    pub(super) fn write(
        &mut self,
        name: &str,
        out: &mut Vec<u8>,
        fields: impl FnOnce(&mut Writer<'_>),
    ) {
        self.write_joined(name, "", out, fields);
    }

    /// As [`write`](Self::write), with a name in two parts.
    pub(super) fn write_joined(
        &mut self,
        subject: &str,
        verb: &str,
        out: &mut Vec<u8>,
        fields: impl FnOnce(&mut Writer<'_>),
    ) {
        out.extend_from_slice(b"event: ");
        out.extend_from_slice(subject.as_bytes());
        out.extend_from_slice(verb.as_bytes());
        out.extend_from_slice(b"\ndata: ");
        let mut w = Writer::new(out);
        w.begin_object();
        w.key("type");
        w.begin_string();
        w.string_part(subject);
        w.string_part(verb);
        w.end_string();
        w.field_number("sequence_number", self.next);
        fields(&mut w);
        w.end_object();
        out.extend_from_slice(b"\n\n");
        self.skip_number();
    }

    /// Another one has written an event.
    pub(super) fn skip_number(&mut self) {
        self.next = self.next.saturating_add(1);
    }
}
