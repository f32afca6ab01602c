//! stub
/// stub
#[derive(Debug)]
pub struct Exchange;
