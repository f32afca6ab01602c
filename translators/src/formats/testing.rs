//! What the tests of several writers of requests share.

use crate::ir::{
    Block, BlockKind, Notices, Position, Refusal, Request, Role, ToolCall, ToolResult, Turn,
};
use crate::providers::Target;

/// See [`crate::formats::Codec::write_request`].
type Write = fn(&Request<'_>, &Target<'_>, &mut Notices, &mut Vec<u8>) -> Result<(), Refusal>;

/// The body, and the names of what was dropped. What stands in the buffer stays, and nothing comes to
/// it when the request is refused.
pub(super) fn written(
    write: Write,
    request: &Request<'_>,
    target: &Target<'_>,
) -> Result<(String, String), Refusal> {
    let mut notices = Notices::default();
    let mut out = b"before".to_vec();
    let written = write(request, target, &mut notices, &mut out);
    let text = String::from_utf8(out).unwrap();
    let body = text.strip_prefix("before").unwrap().to_owned();
    if written.is_err() {
        assert_eq!(body, "", "nothing is written when it is refused");
    }
    written.map(|()| (body, notices.header_value()))
}

/// The field and the status of a refusal.
pub(super) fn refused(written: Result<(String, String), Refusal>) -> (String, u16) {
    let refusal = written.unwrap_err();
    let status = refusal.status();
    match refusal {
        Refusal::Invalid { field, .. } | Refusal::Unsupported { field, .. } => (field, status),
    }
}

/// A request of these turns.
pub(super) fn conversation(turns: Vec<(Role, Vec<Block<'static>>)>) -> Request<'static> {
    let turns = turns.into_iter().enumerate();
    let turn = |(index, (role, blocks))| Turn {
        role,
        blocks,
        name: None,
        position: Position {
            list: "messages",
            index,
        },
    };
    Request {
        model: "m".into(),
        turns: turns.map(turn).collect(),
        ..Request::default()
    }
}

/// A call of the tool `top_song`.
pub(super) fn call(id: &'static str, arguments: &'static str) -> Block<'static> {
    Block::new(BlockKind::ToolCall(ToolCall {
        id: id.into(),
        name: "top_song".into(),
        arguments: arguments.into(),
        free_form: false,
    }))
}

/// What came of a call.
pub(super) fn result(
    id: &'static str,
    blocks: Vec<Block<'static>>,
    is_error: Option<bool>,
) -> Block<'static> {
    Block::new(BlockKind::ToolResult(ToolResult {
        call_id: id.into(),
        name: None,
        blocks,
        is_error,
        free_form: false,
    }))
}
