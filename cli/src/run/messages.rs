//! What Envoy says, in words for people.

use std::collections::VecDeque;

/// The last lines of Envoy's log.
#[derive(Debug, Default)]
pub(super) struct Messages {
    lines: VecDeque<String>,
}

impl Messages {
    /// Takes a line of the log. What it gives back concerns whoever runs the gateway.
    pub(super) fn push(&mut self, line: &str) -> Option<String> {
        let message = readable(line)?;
        if self.lines.len() == KEPT {
            self.lines.pop_front();
        }
        self.lines.push_back(message.clone());
        Some(message)
    }

    /// Why Envoy has ended: its words, each once.
    pub(super) fn reason(&self) -> String {
        let mut reasons: Vec<&str> = Vec::new();
        for line in &self.lines {
            // Envoy says the same once more at each level on its way out.
            if !reasons.iter().any(|reason| reason.contains(&**line)) {
                reasons.push(line);
            }
        }
        // The filter's own words say most; the first is nearest to the cause.
        let own = reasons.iter().find_map(|reason| reason.strip_prefix(OWN));
        own.or_else(|| reasons.first().copied())
            .unwrap_or("it did not say why")
            .to_owned()
    }
}

/// `error|wasm log downstream sluice: …`, as [`FORMAT`] writes it. `None` for what tells nothing.
fn readable(line: &str) -> Option<String> {
    let (level, text) = line.split_once('|')?;
    if !matches!(level, "error" | "critical") {
        return None;
    }
    let text = match text.strip_prefix("wasm log ") {
        // The name of the placement and of the VM.
        Some(own) => format!(
            "{OWN}{}",
            own.split_once(": ").map_or(own, |(_, text)| text)
        ),
        None => text.trim().to_owned(),
    };
    (!text.is_empty()).then_some(text)
}

/// Before the filter's own words.
const OWN: &str = "the filter: ";

/// Lines that can matter when Envoy ends; it says a few.
const KEPT: usize = 20;

/// `--log-format`: level and text.
pub(super) const FORMAT: &str = "%l|%v";
