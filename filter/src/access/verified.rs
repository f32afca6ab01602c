//! Identities that Envoy has verified before the filter sees the request.
//!
//! Envoy tells them in headers of ours: its filter for tokens copies claims, its connection manager
//! writes the certificate's name. The same configuration takes these headers off whatever a client
//! sends, before any filter runs. This way works in every host, and in an Envoy that is set up by
//! others.

use super::Identity;
use crate::host::Headers;

/// Who issued the token: there whenever a token was verified.
pub const TOKEN_ISSUER: &str = "x-sluice-token-issuer";
/// The user that the token names.
pub const TOKEN_USER: &str = "x-sluice-token-user";
/// The team that it names.
pub const TOKEN_TEAM: &str = "x-sluice-token-team";
/// The name in the client's certificate.
pub const CERTIFICATE_USER: &str = "x-sluice-certificate-user";

/// All of them: what a client sends under these names must not get in.
pub const HEADERS: [&str; 4] = [TOKEN_ISSUER, TOKEN_USER, TOKEN_TEAM, CERTIFICATE_USER];

/// Whose token it is.
pub(super) fn token(request: &Headers) -> Option<Identity> {
    request.get(TOKEN_ISSUER)?;
    Some(Identity {
        user: text(request, TOKEN_USER),
        team: text(request, TOKEN_TEAM),
        ..Identity::default()
    })
}

/// Whose certificate it is.
pub(super) fn certificate(request: &Headers) -> Option<Identity> {
    let user = text(request, CERTIFICATE_USER)?;
    Some(Identity {
        user: Some(user),
        ..Identity::default()
    })
}

fn text(request: &Headers, name: &str) -> Option<String> {
    let text = request.text(name)?;
    // `-` is what Envoy writes for nothing.
    (!text.is_empty() && text != "-").then(|| text.to_owned())
}
