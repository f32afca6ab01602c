//! `sluice mock` over real connections: each test starts its own server on a free port.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets something unexpected has to fail"
)]

mod anthropic;
mod aws;
mod cohere;
mod controls;
mod google;
mod harness;
mod openai_chat;
mod openai_embeddings;
mod openai_responses;
mod support;
mod token_services;
