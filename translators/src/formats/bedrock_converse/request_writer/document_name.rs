//! Names of documents, which this API requires: unique, of letters, digits, single blanks, hyphens,
//! parentheses and square brackets.

/// Longest name.
const MAX_BYTES: usize = 200;

/// The name of a document without one.
const UNNAMED: &str = "document";

/// The names of a request so far.
#[derive(Debug, Default)]
pub(super) struct DocumentNames(Vec<String>);

impl DocumentNames {
    /// A name like the one that was given, and no other document's.
    ///
    /// It depends on this document and those before it only: a conversation that goes on keeps its
    /// names.
    pub(super) fn take(&mut self, given: &str) -> &str {
        let clean = clean(given);
        let mut name = clean.clone();
        let mut number = 1_usize;
        while self.0.contains(&name) {
            number = number.saturating_add(1);
            name = format!("{clean} {number}");
        }
        self.0.push(name);
        self.0.last().map_or(UNNAMED, String::as_str)
    }
}

/// What the API takes of a name; all else becomes a hyphen.
fn clean(given: &str) -> String {
    let mut name = String::new();
    for c in given.trim().chars() {
        // A number may follow.
        if name.len() >= MAX_BYTES.saturating_sub(20) {
            break;
        }
        match c {
            c if c.is_whitespace() && name.ends_with(' ') => {}
            c if c.is_whitespace() => name.push(' '),
            'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '(' | ')' | '[' | ']' => name.push(c),
            _ => name.push('-'),
        }
    }
    let name = name.trim_end();
    if name.is_empty() {
        UNNAMED.to_owned()
    } else {
        name.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_clean_and_unique() {
        let mut names = DocumentNames::default();
        assert_eq!(names.take("Q3  report_2026.pdf"), "Q3 report-2026-pdf");
        assert_eq!(names.take("Q3 report 2026.pdf"), "Q3 report 2026-pdf");
        assert_eq!(names.take("Q3\treport_2026.pdf "), "Q3 report-2026-pdf 2");
        assert_eq!(names.take(""), "document");
        assert_eq!(names.take("  "), "document 2");
        assert_eq!(names.take("(a) [b]"), "(a) [b]");
        assert_eq!(names.take("résumé"), "r-sum-");
        let long = names.take(&"x y".repeat(200)).len();
        assert!(long <= MAX_BYTES);
    }
}
