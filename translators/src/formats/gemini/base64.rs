//! The two alphabets of base64. The vendor's parser takes both and its SDKs write the URL-safe one;
//! other APIs take the standard one only.

use crate::json::Str;

/// The text in the standard alphabet; text that is in it already is not copied.
pub(super) fn standard(data: Str<'_>) -> Str<'_> {
    let text = data.decode();
    if !text.contains(['-', '_']) {
        return data;
    }
    let other = |c| match c {
        '-' => '+',
        '_' => '/',
        _ => c,
    };
    Str::from(text.chars().map(other).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn url_safe_bytes_become_standard_ones() {
        assert_eq!(standard(Str::Escaped("a-b_c=")), "a+b/c=");
        assert!(matches!(standard(Str::Escaped("a+b/")), Str::Escaped(_)));
    }
}
