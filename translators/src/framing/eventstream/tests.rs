use proptest::prelude::*;

use super::*;
use crate::framing::testing::{Decoded, decode_cut, decode_every_way};

fn decode(body: &[u8]) -> Decoded {
    decode_every_way(EventStreamDecoder::default, body)
}

fn message(headers: &[(&str, &str)], payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    write_message(headers, payload, &mut out).unwrap();
    out
}

/// Any bytes as headers, under sound checksums.
fn message_of(headers: &[u8], payload: &[u8]) -> Vec<u8> {
    let total = u32::try_from(16 + headers.len() + payload.len()).unwrap();
    let mut out = [total, u32::try_from(headers.len()).unwrap()]
        .map(u32::to_be_bytes)
        .concat();
    out.extend(crc32fast::hash(&out).to_be_bytes());
    out.extend([headers, payload].concat());
    out.extend(crc32fast::hash(&out).to_be_bytes());
    out
}

fn bytes(hex: &str) -> Vec<u8> {
    let pairs = hex.as_bytes().chunks(2);
    let byte = |pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    pairs.map(byte).collect()
}

// The messages in hexadecimal were packed with Python's struct and zlib, and botocore reads them.
const EMPTY: &str = "000000100000000005c248eb7d98c8ff";
const MESSAGE_STOP: &str = "0000007a00000051ca2c46650b3a6576656e742d7479706507000b6d65737361676553746f700d3a636f6e74656e742d747970650700106170706c69636174696f6e2f6a736f6e0d3a6d6573736167652d747970650700056576656e747b2273746f70526561736f6e223a22656e645f7475726e227d5fbf09fc";
const ALL_HEADER_TYPES: &str = "0000008500000073d528c00d016100016201016302010164030001016504000000010166050000000000000000016706000262790168070002c3a90169080000000000000000016a09000000000000000000000000000000000d3a6d6573736167652d747970650700056576656e740b3a6576656e742d74797065070001657b7db106db3c";

#[test]
fn messages_of_the_wire_are_read() {
    let body = [bytes(MESSAGE_STOP), bytes(EMPTY), bytes(ALL_HEADER_TYPES)].concat();
    let (frames, end) = decode(&body);
    assert_eq!(end, Ok(()));
    assert_eq!(frames[0].name.as_deref(), Some("messageStop"));
    assert_eq!(frames[0].data, br#"{"stopReason":"end_turn"}"#);
    assert_eq!(
        (frames[1].name.as_deref(), &frames[1].data[..]),
        (None, &b""[..])
    );
    assert_eq!(
        (frames[2].name.as_deref(), &frames[2].data[..]),
        (Some("e"), &b"{}"[..])
    );
    let raw: Vec<u8> = frames.iter().flat_map(|frame| frame.raw.clone()).collect();
    assert_eq!(raw, body);
}

#[test]
fn what_is_written_are_the_bytes_of_the_wire() {
    assert_eq!(message(&[], b""), bytes(EMPTY));
    let mut out = Vec::new();
    write_event("messageStop", br#"{"stopReason":"end_turn"}"#, &mut out).unwrap();
    assert_eq!(out, bytes(MESSAGE_STOP));
}

#[test]
fn exceptions_are_marked_and_named() {
    let mut body = Vec::new();
    write_exception(
        "throttlingException",
        br#"{"message":"slow down"}"#,
        &mut body,
    )
    .unwrap();
    let (frames, end) = decode(&body);
    assert_eq!(end, Ok(()));
    assert!(frames[0].exception);
    assert_eq!(frames[0].name.as_deref(), Some("throttlingException"));
    assert_eq!(frames[0].data, br#"{"message":"slow down"}"#);
}

#[test]
fn errors_are_exceptions_whose_data_is_their_message() {
    let headers = [
        (":message-type", "error"),
        (":error-code", "InternalError"),
        (":error-message", "it broke"),
    ];
    let (frames, _) = decode(&message(&headers, b""));
    assert!(frames[0].exception);
    assert_eq!(frames[0].name.as_deref(), Some("InternalError"));
    assert_eq!(frames[0].data, b"it broke");
}

#[test]
fn any_bit_that_flips_ends_the_stream() {
    let sound = bytes(MESSAGE_STOP);
    for bit in 0..sound.len() * 8 {
        let mut body = [&sound[..], &sound[..]].concat();
        body[bit / 8] ^= 1 << (bit % 8);
        let (frames, end) = decode_cut(&mut EventStreamDecoder::default(), &body, &[]);
        assert_eq!(frames, [], "bit {bit}");
        assert!(
            matches!(end, Err(FramingError::Broken { .. })),
            "bit {bit}: {end:?}"
        );
    }
}

#[test]
fn a_length_over_the_limit_is_refused_before_its_bytes_come() {
    let mut prelude = bytes("7fffffff00000000");
    prelude.extend(crc32fast::hash(&prelude).to_be_bytes());
    let (_, end) = decode(&prelude);
    assert_eq!(
        end,
        Err(FramingError::TooLong {
            limit: MAX_FRAME_BYTES
        })
    );
}

#[test]
fn lengths_that_contradict_each_other_are_refused() {
    for lengths in ["0000000f00000000", "0000001000000001", "00100000000f0000"] {
        let mut prelude = bytes(lengths);
        prelude.extend(crc32fast::hash(&prelude).to_be_bytes());
        assert_eq!(
            decode(&prelude).1,
            Err(broken("the lengths contradict each other"))
        );
    }
}

#[test]
fn headers_that_cannot_be_read_end_the_stream() {
    let twice = b"\x0d:message-type\x07\0\x01e\x0d:message-type\x07\0\x01e";
    assert_eq!(
        decode(&message_of(twice, b"")).1,
        Err(broken("a header stands twice"))
    );
    let bad: [&[u8]; 5] = [
        b"\x05abc",
        b"\x01a",
        b"\x01a\x0a",
        b"\x01a\x07\0\x02x",
        b"\x0d:message-type\x00",
    ];
    for headers in bad {
        let body = [message_of(headers, b"{}"), bytes(MESSAGE_STOP)].concat();
        assert_eq!(decode(&body), (vec![], Err(BAD_HEADER)), "{headers:?}");
    }
}

#[test]
fn a_rest_at_the_end_is_a_truncated_stream() {
    let whole = bytes(MESSAGE_STOP);
    for length in 1..whole.len() {
        let body = [&whole[..], &whole[..length]].concat();
        let (frames, end) = decode_cut(&mut EventStreamDecoder::default(), &body, &[]);
        assert_eq!((frames.len(), end), (1, Err(FramingError::Truncated)));
    }
}

#[test]
fn headers_that_do_not_fit_are_not_written() {
    let mut out = b"before".to_vec();
    let long = "x".repeat(65536);
    let written = write_message(&[(":a", &long)], b"", &mut out);
    assert_eq!(written, Err(FramingError::TooLong { limit: 65535 }));
    let written = write_message(&[(&"x".repeat(256), "")], b"", &mut out);
    assert_eq!(written, Err(FramingError::TooLong { limit: 255 }));
    assert_eq!(out, b"before");
}

proptest! {
    #[test]
    fn any_messages_in_any_chunks_come_back(
        messages in prop::collection::vec(("[a-z]{0,9}", prop::collection::vec(any::<u8>(), 0..40)), 0..5),
        cuts in prop::collection::vec(0..600_usize, 0..8),
    ) {
        let mut body = Vec::new();
        for (name, payload) in &messages {
            write_event(name, payload, &mut body).unwrap();
        }
        let (frames, end) = decode_cut(&mut EventStreamDecoder::default(), &body, &cuts);
        prop_assert_eq!(end, Ok(()));
        let back: Vec<_> = frames.into_iter().map(|frame| (frame.name.unwrap(), frame.data)).collect();
        prop_assert_eq!(back, messages);
    }

    #[test]
    fn no_bytes_make_it_panic_and_no_split_makes_a_difference(
        headers in prop::collection::vec(any::<u8>(), 0..40),
        tail in prop::collection::vec(any::<u8>(), 0..40),
        cuts in prop::collection::vec(0..120_usize, 0..8),
    ) {
        let body = [message_of(&headers, b"{}"), tail].concat();
        let whole = decode_cut(&mut EventStreamDecoder::default(), &body, &[]);
        let cut = decode_cut(&mut EventStreamDecoder::default(), &body, &cuts);
        prop_assert_eq!(cut, whole);
    }
}
