//! Who may ask beside those with a key, and how browsers and clients connect.

use std::path::PathBuf;
use std::time::Duration;

use super::BaseUrl;

/// An issuer whose tokens let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jwt {
    /// `iss` of its tokens; each issuer once.
    pub issuer: String,
    /// One of these must be in `aud`; never empty.
    pub audiences: Vec<String>,
    /// The keys that sign its tokens.
    pub jwks: Jwks,
    /// The claim that names the user.
    pub user: String,
    /// The claim that names the team.
    pub team: Option<String>,
}

/// Where the keys are that sign tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Jwks {
    /// Fetched now and then.
    Remote {
        /// Where exactly.
        uri: String,
        /// The server.
        server: BaseUrl,
    },
    /// Read when Envoy starts.
    File(PathBuf),
}

/// TLS where clients connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// The certificate chain, as PEM.
    pub certificate: PathBuf,
    /// Its private key, as PEM.
    pub key: PathBuf,
    /// Who signs certificates of clients; with it, each client must have one.
    pub client_ca: Option<PathBuf>,
    /// What of the client's certificate names the user.
    pub client_name: ClientName,
}

/// What of a certificate names the user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientName {
    /// The subject as a whole.
    #[default]
    Subject,
    /// The alternative name that is a URI, as in SPIFFE.
    Uri,
    /// That which is a host's name.
    Dns,
    /// That which is a mail address.
    Email,
}

/// Which web pages may ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cors {
    /// Origins such as `https://app.example.com`, or `*` for all; never empty.
    pub origins: Vec<String>,
    /// How long browsers remember it.
    pub max_age: Duration,
}
