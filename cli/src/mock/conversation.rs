//! How far a conversation is: what the user said last, and how often tools have answered since.

/// Grows turn by turn, as a format's reader goes through them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Conversation {
    /// Text of the last turn in which the user spoke. Words beside tool results do not count:
    /// coding agents put reminders there.
    pub(super) text: String,
    /// Texts of the tool results since the model's last turn.
    pub(super) results: Vec<String>,
    /// Turns of tool results since that text.
    pub(super) rounds: usize,
    /// Whether the next words of the user are a turn of their own.
    begins: bool,
    /// Whether tools have answered since the model's last turn.
    answering: bool,
}

impl Conversation {
    /// The user's turn begins.
    pub(super) fn user_turn(&mut self) {
        self.begins = true;
    }

    /// The model's turn begins.
    pub(super) fn model_turn(&mut self) {
        self.answering = false;
        self.results.clear();
    }

    /// The user says something in the turn that has begun.
    pub(super) fn said(&mut self, text: &str) {
        if self.answering {
            return;
        }
        if self.begins {
            *self = Self::default();
        }
        self.text.push_str(text);
    }

    /// A tool has answered.
    pub(super) fn result(&mut self, text: String) {
        if !self.answering {
            self.answering = true;
            self.rounds += 1;
        }
        self.results.push(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_of_tool_results_is_a_round_and_leaves_the_text() {
        let mut conversation = Conversation::default();
        conversation.user_turn();
        conversation.said("one ");
        conversation.said("two");
        for _ in 0..2 {
            conversation.model_turn();
            conversation.user_turn();
            conversation.result("a".to_owned());
            conversation.result("b".to_owned());
            conversation.said("a reminder");
        }
        assert_eq!(conversation.text, "one two");
        assert_eq!(conversation.rounds, 2);
        assert_eq!(conversation.results, ["a", "b"]);
    }

    #[test]
    fn new_words_of_the_user_begin_again() {
        let mut conversation = Conversation::default();
        conversation.user_turn();
        conversation.said("one");
        conversation.model_turn();
        conversation.result("a".to_owned());
        conversation.model_turn();
        conversation.user_turn();
        conversation.said("two");
        assert_eq!(conversation.text, "two");
        assert_eq!((conversation.rounds, conversation.results.len()), (0, 0));
    }
}
