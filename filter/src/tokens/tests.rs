//! The life of tokens, second by second, with a service that the tests play.

use std::cell::{Cell, RefCell};

use super::recipe::{AnswerForm, Call, Recipe};
use super::source::{
    FILE_SECONDS, FIRST_RETRY_SECONDS, LEEWAY_SECONDS, MAX_LIFETIME_SECONDS, RENEWAL_SECONDS,
};
use super::*;
use crate::config::Template;

/// The world around: a clock that stands still until it is set.
struct World {
    now: Cell<u64>,
    file: RefCell<Option<String>>,
    log: RefCell<Vec<String>>,
}

impl Surroundings for World {
    fn now(&self) -> Duration {
        Duration::from_secs(self.now.get())
    }

    fn random(&self) -> u64 {
        7
    }

    fn file(&self, _path: &str) -> Option<String> {
        self.file.borrow().clone()
    }
}

/// A source with its world.
struct Play {
    world: World,
    tokens: SharedTokens,
}

impl Play {
    fn new(recipe: &Recipe) -> Self {
        let env = |name: &str| (name == "SECRET").then(|| "s3cret&more".to_owned());
        Self {
            world: World {
                now: Cell::new(1_000_000),
                file: RefCell::default(),
                log: RefCell::default(),
            },
            tokens: SharedTokens::new(std::slice::from_ref(recipe), &env).unwrap(),
        }
    }

    fn lookup(&self) -> Lookup {
        self.tokens.lock().lookup(0, self.world.now.get())
    }

    /// The token that a request gets; empty without one.
    fn token(&self) -> String {
        match self.lookup() {
            Lookup::Ready(grant) => grant.part(0).unwrap().to_owned(),
            _ => String::new(),
        }
    }

    fn call(&self) -> Option<HttpCall> {
        let mut log = |text: &str| self.world.log.borrow_mut().push(text.to_owned());
        let call = self.tokens.lock().next_call(&self.world, &mut log);
        call.map(|(_, call)| call)
    }

    fn answer(&self, status: u16, body: &str) -> Progress {
        let answer = HttpAnswer {
            status,
            date: None,
            body: body.as_bytes().to_vec(),
        };
        Tokens::answered(&mut self.tokens.lock(), 0, Some(&answer), &self.world)
    }

    fn no_answer(&self) -> Progress {
        Tokens::answered(&mut self.tokens.lock(), 0, None, &self.world)
    }

    fn later(&self, seconds: u64) {
        self.world.now.set(self.world.now.get() + seconds);
    }
}

fn template(text: &str) -> Template {
    Template::new(text.to_owned())
}

fn call(form: &[(&str, &str)], answer: AnswerForm) -> Call {
    Call {
        cluster: "service".to_owned(),
        method: "POST".to_owned(),
        authority: "service.test".to_owned(),
        path: template("/token"),
        headers: Vec::new(),
        form: form
            .iter()
            .map(|(name, value)| ((*name).to_owned(), template(value)))
            .collect(),
        json: String::new(),
        basic: None,
        aws: None,
        jwt: None,
        answer,
    }
}

fn recipe(calls: Vec<Call>) -> Recipe {
    Recipe {
        name: "p".to_owned(),
        calls,
        value: None,
    }
}

fn one_call() -> Play {
    let call = call(&[("client_secret", "${SECRET}")], AnswerForm::Oauth);
    Play::new(&recipe(vec![call]))
}

fn oauth(token: &str, lifetime: u64) -> String {
    format!(r#"{{"access_token": "{token}", "expires_in": {lifetime}}}"#)
}

fn failed(error: TokenError, retrying: bool) -> Lookup {
    Lookup::Failed { error, retrying }
}

#[test]
fn however_many_ask_there_is_one_call_and_all_get_its_token() {
    let play = one_call();
    assert_eq!(play.lookup(), Lookup::Wait);
    assert_eq!(play.lookup(), Lookup::Wait);
    let call = play.call().unwrap();
    assert_eq!(call.body, b"client_secret=s3cret%26more");
    assert_eq!(play.lookup(), Lookup::Wait);
    assert_eq!(play.call(), None);
    let epoch = play.tokens.lock().epoch();
    assert_eq!(play.answer(200, &oauth("t1", 3600)), Progress::Renewed);
    assert!(play.tokens.lock().epoch() > epoch, "who waits is told");
    assert_eq!(play.token(), "t1");
    assert!(!play.tokens.lock().is_due());
}

#[test]
fn each_call_is_counted_once_with_its_time_and_what_went_wrong() {
    let play = one_call();
    play.lookup();
    play.call().unwrap();
    play.later(2);
    play.answer(503, "");
    play.later(FIRST_RETRY_SECONDS);
    play.lookup();
    play.call().unwrap();
    play.answer(200, &oauth("t1", 3600));
    let counted = play.tokens.lock().take_fetched();
    let counted: Vec<_> = counted.iter().map(|one| (one.error, one.time_ms)).collect();
    assert_eq!(counted, [("refused", 2000), ("", 0)]);
    assert!(play.tokens.lock().take_fetched().is_empty());
}

#[test]
fn a_token_is_renewed_before_its_end_while_requests_go_on_with_it() {
    let play = one_call();
    play.lookup();
    play.call().unwrap();
    play.answer(200, &oauth("t1", 3600));
    play.later(3600 - RENEWAL_SECONDS - RENEWAL_SECONDS / 2 - 1);
    assert_eq!((play.token(), play.call()), ("t1".to_owned(), None));
    play.later(RENEWAL_SECONDS / 2 + 1);
    assert_eq!(play.token(), "t1");
    assert!(play.call().is_some());
    assert_eq!(play.token(), "t1");
    assert_eq!(play.call(), None, "one at a time");
    play.answer(200, &oauth("t2", 3600));
    assert_eq!(play.token(), "t2");
}

#[test]
fn when_the_service_is_down_the_last_token_serves_to_its_end_and_then_there_is_an_error() {
    let play = one_call();
    play.lookup();
    play.call().unwrap();
    play.answer(200, &oauth("t1", 3600));
    play.later(3500);
    assert_eq!(play.token(), "t1");
    play.call().unwrap();
    assert_eq!(
        play.no_answer(),
        Progress::Failed(
            "sluice: no credential from p: the token service did not answer".to_owned()
        )
    );
    assert_eq!((play.token(), play.call()), ("t1".to_owned(), None));
    play.later(100 - LEEWAY_SECONDS);
    assert_eq!(
        play.lookup(),
        failed(TokenError::NoAnswer, true),
        "it is asked once more"
    );
    play.call().unwrap();
    play.answer(200, &oauth("t2", 3600));
    assert_eq!(play.token(), "t2");
}

#[test]
fn a_failing_service_is_asked_at_times_that_double_and_requests_are_told_at_once() {
    let play = one_call();
    let error = TokenError::Status {
        status: 503,
        code: None,
    };
    play.lookup();
    for wait in [1, 2, 4, 8, 16, 30, 30] {
        play.call().unwrap();
        play.answer(503, "down");
        assert_eq!(play.lookup(), failed(error.clone(), false));
        play.later(wait - 1);
        assert_eq!(play.lookup(), failed(error.clone(), false));
        assert_eq!(play.call(), None, "{wait}");
        play.later(1);
        assert_eq!(play.lookup(), failed(error.clone(), true));
    }
}

#[test]
fn calls_follow_each_other_and_use_what_was_answered() {
    let first = call(&[], AnswerForm::Text);
    let mut second = call(&[("subject_token", "${answer:0}")], AnswerForm::Oauth);
    second
        .headers
        .push(("x-session".to_owned(), template("a ${answer:0}")));
    let play = Play::new(&recipe(vec![first, second]));
    play.lookup();
    assert!(play.call().unwrap().body.is_empty());
    assert_eq!(play.answer(200, "first-answer\n"), Progress::More);
    assert_eq!(play.lookup(), Lookup::Wait);
    let call = play.call().unwrap();
    assert_eq!(call.body, b"subject_token=first-answer");
    assert_eq!(call.headers.text("x-session"), Some("a first-answer"));
    assert_eq!(play.answer(200, &oauth("t", 60)), Progress::Renewed);
    assert_eq!(play.token(), "t");
}

#[test]
fn what_a_service_claims_of_the_life_of_a_token_has_bounds() {
    let play = one_call();
    play.lookup();
    play.call().unwrap();
    play.answer(200, &oauth("t", u64::MAX));
    play.later(MAX_LIFETIME_SECONDS);
    assert_eq!(play.lookup(), Lookup::Wait);
    // A token of a few seconds serves, though shorter than every reserve.
    play.call().unwrap();
    play.answer(200, &oauth("short", 2));
    assert_eq!(play.token(), "short");
}

#[test]
fn an_answer_that_nobody_has_asked_for_changes_nothing() {
    let play = one_call();
    assert_eq!(play.answer(200, &oauth("evil", 60)), Progress::More);
    assert_eq!(play.lookup(), Lookup::Wait);
    assert_eq!(play.answer(200, &oauth("evil", 60)), Progress::More);
    assert!(play.call().is_some());
}

#[test]
fn a_key_in_a_file_is_read_again_and_survives_that_the_file_is_gone_for_a_moment() {
    let play = Play::new(&Recipe {
        value: Some(template("${file:/run/key}")),
        ..recipe(Vec::new())
    });
    assert_eq!(play.lookup(), Lookup::Wait);
    assert_eq!(play.call(), None);
    let missing = TokenError::File {
        path: "/run/key".to_owned(),
    };
    assert_eq!(play.lookup(), failed(missing, false));
    assert_eq!(
        play.world.log.take(),
        ["sluice: no credential from p: /run/key cannot be read"]
    );
    *play.world.file.borrow_mut() = Some("key-1\n".to_owned());
    play.later(1);
    play.lookup();
    assert_eq!(play.call(), None);
    assert_eq!(play.token(), "key-1");
    *play.world.file.borrow_mut() = Some("key-2".to_owned());
    play.later(FILE_SECONDS);
    assert_eq!((play.token(), play.call()), ("key-1".to_owned(), None));
    assert_eq!(play.token(), "key-2");
    *play.world.file.borrow_mut() = None;
    play.later(FILE_SECONDS);
    assert_eq!((play.token(), play.call()), ("key-2".to_owned(), None));
    assert_eq!(play.token(), "key-2");
}

#[test]
fn a_variable_that_is_not_set_is_told_at_the_start() {
    let recipe = recipe(vec![call(&[("a", "${NOT_SET}")], AnswerForm::Oauth)]);
    let error = SharedTokens::new(&[recipe], &|_| None).err();
    let missing = ConfigError::MissingVariable {
        name: "NOT_SET".to_owned(),
    };
    assert_eq!(error, Some(missing));
}

#[test]
fn nothing_of_a_secret_shows_in_debug_output() {
    let play = one_call();
    play.lookup();
    let call = play.call().unwrap();
    play.answer(200, &oauth("t0ken", 60));
    let shown = format!("{call:?} {:?} {:?}", play.lookup(), play.tokens);
    assert!(
        !shown.contains("s3cret") && !shown.contains("t0ken"),
        "{shown}"
    );
}
