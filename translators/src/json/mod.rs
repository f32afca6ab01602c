//! JSON without structs: scan once, read by position, edit in place, write straight out.
//!
//! Owns: [`Document`] (one validated parse of a text into a flat list of positions), [`Value`] (a
//! view into it), [`Str`] (a string that stays escaped until somebody needs its characters),
//! [`Gather`] (puts a text together from slices and checks it on the way), [`Editor`] (changes some
//! values and leaves every other byte alone) and [`Writer`].
//!
//! Must not: re-spell a number, reorder a key, or decode a string that only passes through.

mod document;
mod edit;
mod gather;
mod plain;
#[cfg(test)]
mod properties;
mod scan;
mod string;
mod value;
mod writer;

pub use document::Document;
pub use edit::Editor;
pub use gather::Gather;
pub use scan::{JsonError, Limits};
pub use string::Str;
pub use value::{Elements, Kind, Members, Value};
pub use writer::Writer;
