//! RSA signatures for the assertions of service accounts: PKCS#1 v1.5 with SHA-256 (RFC 8017,
//! section 8.2.1), and the key's file form.
//!
//! Owns: the padding and the few structures of DER around a key. The arithmetic is `crypto-bigint`'s,
//! whose time does not depend on the key. A whole RSA crate would add key generation, decryption and
//! their formats to the wasm, of which nothing is used here.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, Odd};
use sha2::{Digest as _, Sha256};

/// A private key.
pub(super) struct PrivateKey {
    modulus: Odd<BoxedUint>,
    exponent: BoxedUint,
    /// Length of the modulus, in bytes.
    length: usize,
}

impl PrivateKey {
    /// From PEM, `BEGIN PRIVATE KEY`: PKCS#8 (RFC 5958), as Google writes it. `None` if it is no RSA
    /// key of 2048 to 4096 bits.
    pub(super) fn from_pem(pem: &str) -> Option<Self> {
        let (_, rest) = pem.split_once("-----BEGIN PRIVATE KEY-----")?;
        let (text, _) = rest.split_once("-----END PRIVATE KEY-----")?;
        let text: String = text.split_ascii_whitespace().collect();
        Self::from_pkcs8(&STANDARD.decode(text).ok()?)
    }

    /// `PrivateKeyInfo` around `RSAPrivateKey` (RFC 8017, A.1.2): version, modulus, public exponent,
    /// private exponent, and parts that only make signing faster.
    fn from_pkcs8(der: &[u8]) -> Option<Self> {
        let (info, _) = element(der, SEQUENCE)?;
        let (_version, rest) = element(info, INTEGER)?;
        let (algorithm, rest) = element(rest, SEQUENCE)?;
        let (oid, _) = element(algorithm, OBJECT_IDENTIFIER)?;
        if oid != RSA_ENCRYPTION {
            return None;
        }
        let (inner, _) = element(rest, OCTET_STRING)?;
        let (key, _) = element(inner, SEQUENCE)?;
        let (_version, rest) = element(key, INTEGER)?;
        let (modulus, rest) = element(rest, INTEGER)?;
        let (_public, rest) = element(rest, INTEGER)?;
        let (exponent, _) = element(rest, INTEGER)?;
        Self::new(unsigned(modulus), unsigned(exponent))
    }

    fn new(modulus: &[u8], exponent: &[u8]) -> Option<Self> {
        let length = modulus.len();
        if !(MIN_BYTES..=MAX_BYTES).contains(&length) || exponent.len() > length {
            return None;
        }
        let bits = u32::try_from(length).ok()?.checked_mul(8)?;
        let modulus = BoxedUint::from_be_slice(modulus, bits).ok()?;
        Some(Self {
            modulus: Option::from(Odd::new(modulus))?,
            exponent: BoxedUint::from_be_slice(exponent, bits).ok()?,
            length,
        })
    }

    /// The signature of a message.
    pub(super) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let bits = u32::try_from(self.length).ok()?.checked_mul(8)?;
        let padded = BoxedUint::from_be_slice(&self.pad(message), bits).ok()?;
        let params = BoxedMontyParams::new(self.modulus.clone());
        let power = BoxedMontyForm::new(padded, &params).pow(&self.exponent);
        let bytes = power.retrieve().to_be_bytes();
        bytes
            .get(bytes.len().checked_sub(self.length)?..)
            .map(<[u8]>::to_vec)
    }

    /// `00 01 ff … ff 00`, the name of the hash, the hash: as long as the modulus.
    fn pad(&self, message: &[u8]) -> Vec<u8> {
        let hash = Sha256::digest(message);
        let known = SHA256_PREFIX
            .len()
            .saturating_add(hash.len())
            .saturating_add(3);
        let mut out = vec![0, 1];
        out.resize(self.length.saturating_sub(known).saturating_add(2), 0xff);
        out.push(0);
        out.extend_from_slice(SHA256_PREFIX);
        out.extend_from_slice(&hash);
        out
    }
}

/// An element of DER with this tag: what is in it, and what follows.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let rest = der.strip_prefix(&[tag])?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x83 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            let length = bytes
                .iter()
                .fold(0usize, |length, &byte| (length << 8) | usize::from(byte));
            (length, rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}

/// Integers of DER have a sign; a leading zero keeps it positive.
fn unsigned(integer: &[u8]) -> &[u8] {
    integer.strip_prefix(&[0]).unwrap_or(integer)
}

const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;
const OBJECT_IDENTIFIER: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
/// 1.2.840.113549.1.1.1
const RSA_ENCRYPTION: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
/// `DigestInfo` before the hash: RFC 8017, section 9.2, note 1.
const SHA256_PREFIX: &[u8] = &[
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
    0x00, 0x04, 0x20,
];
/// Google makes keys of 2048 bits and takes uploaded ones up to 4096.
const MIN_BYTES: usize = 256;
const MAX_BYTES: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = include_str!("testdata/rsa-2048.pem");
    /// `printf 'header.claims' | openssl dgst -sha256 -sign rsa-2048.pem`
    const SIGNATURE: &[u8] = include_bytes!("testdata/rsa-2048.signature");

    #[test]
    fn a_signature_is_the_same_as_that_of_openssl() {
        let key = PrivateKey::from_pem(KEY).unwrap();
        assert_eq!(key.sign(b"header.claims").as_deref(), Some(SIGNATURE));
    }

    #[test]
    fn a_cut_or_changed_key_is_refused_and_never_a_panic() {
        let der = {
            let text: String = KEY.lines().filter(|line| !line.starts_with('-')).collect();
            STANDARD.decode(text).unwrap()
        };
        for end in 0..600 {
            assert!(PrivateKey::from_pkcs8(&der[..end]).is_none());
        }
        for at in 0..der.len() {
            let mut changed = der.clone();
            changed[at] ^= 0x40;
            if let Some(key) = PrivateKey::from_pkcs8(&changed).filter(|_| at < 40) {
                let _ = key.sign(b"x");
            }
        }
        assert!(PrivateKey::from_pem("").is_none());
        assert!(PrivateKey::from_pem(&KEY.replace("PRIVATE", "PUBLIC")).is_none());
    }
}
