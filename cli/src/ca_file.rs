//! The certificates that this system trusts.

use std::path::{Path, PathBuf};

/// `SSL_CERT_FILE`, as OpenSSL reads it; else the first of the usual places that exists.
#[must_use]
pub fn find() -> PathBuf {
    let named = std::env::var_os("SSL_CERT_FILE").filter(|path| !path.is_empty());
    named.map_or_else(usual, PathBuf::from)
}

fn usual() -> PathBuf {
    let place = PLACES.iter().map(Path::new).find(|path| path.is_file());
    place.unwrap_or_else(|| Path::new(DEBIAN)).to_owned()
}

/// Debian, Ubuntu, Alpine, Arch, and Envoy's own images.
const DEBIAN: &str = "/etc/ssl/certs/ca-certificates.crt";

const PLACES: &[&str] = &[
    DEBIAN,
    // Fedora, RHEL
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    // openSUSE
    "/etc/ssl/ca-bundle.pem",
    // macOS, Alpine without ca-certificates
    "/etc/ssl/cert.pem",
];
