//! Where words of an answer come from.

use crate::formats::Format;
use crate::json::Str;

/// A passage of an answer and one source of it.
///
/// A superset, and each member may be absent: formats name a page of the web by its address, a
/// document of the request by its number, a stored file by its id. A writer tells the citations that
/// its API can, and leaves the others out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Citation<'a> {
    /// The passage; `None` is the text item as a whole.
    pub span: Option<Span>,
    /// Address of the source.
    pub url: Option<Str<'a>>,
    /// The name that the request gave the source.
    pub source: Option<Str<'a>>,
    /// Title of the source.
    pub title: Option<Str<'a>>,
    /// The provider's id of the source, where it holds it as a file.
    pub file_id: Option<Str<'a>>,
    /// The words of the source that the passage rests on.
    pub cited_text: Option<Str<'a>>,
    /// Where they stand in what the request brought along.
    pub place: Option<SourcePlace>,
    /// All of it as its own format writes it, raw JSON.
    pub own: Option<(Format, &'a str)>,
}

/// A search of the web that the provider has made on its own.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Search<'a> {
    /// What was searched for.
    pub queries: Vec<Str<'a>>,
    /// All of it as its own format writes it, raw JSON.
    pub own: Option<(Format, &'a str)>,
}

/// A range of a text item's text, in characters (Unicode code points) from its beginning; `end` is
/// not part of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// The first character.
    pub start: u64,
    /// The first character behind it.
    pub end: u64,
}

/// A range in a source that the request brought along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourcePlace {
    /// What is counted.
    pub unit: PlaceUnit,
    /// Which of the request's documents, or of its search results, from 0.
    pub document: u64,
    /// Where it begins: from 0, pages from 1.
    pub start: u64,
    /// Where it ends; not part of it.
    pub end: u64,
}

/// What a [`SourcePlace`] counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaceUnit {
    /// Characters of a document of plain text.
    Characters,
    /// Pages of a document.
    Pages,
    /// Blocks of a document's content.
    Blocks,
    /// Blocks of a search result's content.
    ResultBlocks,
}

impl<'a> Citation<'a> {
    /// The address of a source that the request may have named by it.
    #[must_use]
    pub fn address(source: Option<&Str<'a>>) -> Option<Str<'a>> {
        source
            .filter(|source| source.decode().contains("://"))
            .cloned()
    }

    /// What it says, in a line for tests.
    #[cfg(test)]
    pub(crate) fn told(&self) -> String {
        let passage = match self.span {
            Some(span) => format!("{}..{}", span.start, span.end),
            None => "all".to_owned(),
        };
        let place = self.place.map(|place| {
            let SourcePlace {
                unit,
                document,
                start,
                end,
            } = place;
            format!("{unit:?} {document}: {start}..{end}")
        });
        let texts = [
            ("url", &self.url),
            ("source", &self.source),
            ("title", &self.title),
            ("file", &self.file_id),
            ("says", &self.cited_text),
        ];
        let texts = texts
            .iter()
            .filter_map(|(name, text)| Some(format!("{name} {}", text.as_ref()?.decode())));
        let all: Vec<_> = [passage].into_iter().chain(texts).chain(place).collect();
        all.join(", ")
    }

    /// Detached from what it was read from, and without its own form.
    #[must_use]
    pub fn to_static(&self) -> Citation<'static> {
        let own = |text: &Option<Str<'_>>| text.as_ref().map(Str::to_static);
        Citation {
            span: self.span,
            url: own(&self.url),
            source: own(&self.source),
            title: own(&self.title),
            file_id: own(&self.file_id),
            cited_text: own(&self.cited_text),
            place: self.place,
            own: None,
        }
    }

    /// About how many bytes it takes to hold it.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        /// What stands in it beside the texts.
        const OVERHEAD: usize = 256;
        let names = [&self.url, &self.source, &self.title, &self.file_id];
        let texts = names
            .into_iter()
            .chain([&self.cited_text])
            .flatten()
            .map(|text| match text {
                Str::Escaped(text) => text.len(),
                Str::Plain(text) => text.len(),
            });
        texts.fold(OVERHEAD, usize::saturating_add)
    }

    /// The form that it has in a format, where it came from that.
    #[must_use]
    pub fn own_of(&self, format: Format) -> Option<&str> {
        self.own
            .filter(|(own, _)| *own == format)
            .map(|(_, json)| json)
    }
}

impl Span {
    /// A range, if it is one.
    #[must_use]
    pub fn new(start: u64, end: u64) -> Option<Self> {
        (start <= end).then_some(Self { start, end })
    }

    /// The same range counted from `base` on, where it was counted from the beginning; `None` when it
    /// begins before that.
    #[must_use]
    pub fn counted_from(self, base: u64) -> Option<Self> {
        Some(Self {
            start: self.start.checked_sub(base)?,
            end: self.end.checked_sub(base)?,
        })
    }

    /// The same range counted from the beginning, where it was counted from `base` on.
    #[must_use]
    pub const fn behind(self, base: u64) -> Self {
        Self {
            start: self.start.saturating_add(base),
            end: self.end.saturating_add(base),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_move_with_their_base() {
        let span = Span::new(3, 5).unwrap();
        assert_eq!(span.counted_from(3), Span::new(0, 2));
        assert_eq!(span.counted_from(4), None);
        assert_eq!(span.behind(4), Span::new(7, 9).unwrap());
        assert_eq!(Span::new(5, 3), None);
    }
}
