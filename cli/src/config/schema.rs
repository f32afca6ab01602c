//! The JSON Schema of `sluice.yaml`, for editors and for checks elsewhere.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::check::kinds;
use super::file::File;

/// The schema as JSON text.
#[must_use]
pub fn schema() -> String {
    let schema = schemars::schema_for!(File);
    format!("{:#}\n", schema.as_value())
}

/// Shapes of values that are text in [`File`]: whatever may hold a variable is a string as well.
macro_rules! shapes {
    ($($name:ident: $schema:expr;)*) => {$(
        pub(super) struct $name;

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }
    )*};
}

shapes! {
    Size: json_schema!({"anyOf": [
        {"type": "integer", "minimum": 1},
        {"type": "string", "examples": ["32MiB"]},
    ]});
    Time: json_schema!({"type": "string", "examples": ["300ms", "30s", "5m"]});
    Unsupported: json_schema!({"type": "string", "enum": ["drop", "reject"]});
    AccessLogForm: json_schema!({"type": "string", "enum": ["none", "json"]});
    Api: json_schema!({"type": "string", "enum": ["chat"]});
    Kind: json_schema!({"type": "string", "enum": kinds().map(|row| row.kind).collect::<Vec<_>>()});
}
