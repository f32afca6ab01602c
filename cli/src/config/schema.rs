//! The JSON Schema of `sluice.yaml`, for editors and for checks elsewhere.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use sluice_translators::providers::ROWS;

use super::check::limit::{COUNTED, ON_FAILURE, USED_UP, WINDOWS};
use super::file::File;

/// The schema as JSON text.
#[must_use]
pub fn schema() -> String {
    let schema = schemars::schema_for!(File);
    format!("{:#}\n", schema.as_value())
}

/// Shapes of values that are text in [`File`].
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
    Natural: or_variable(json_schema!({"type": "integer", "minimum": 0, "maximum": u32::MAX}));
    Positive: or_variable(json_schema!({"type": "integer", "minimum": 1}));
    Amount: json_schema!({"anyOf": [
        {"type": "integer", "minimum": 1, "maximum": u32::MAX},
        {"type": "string", "examples": ["500k", "10M", "$50"]},
    ]});
    Counted: or_variable(json_schema!({"anyOf": [
        {"type": "string", "enum": COUNTED},
        {"type": "string", "pattern": "^cost:"},
    ]}));
    Window: one_of(WINDOWS);
    OnFailure: one_of(ON_FAILURE);
    UsedUp: one_of(USED_UP);
    Reserve: or_variable(json_schema!({"anyOf": [
        {"type": "boolean"},
        {"type": "integer", "minimum": 1, "maximum": u32::MAX},
    ]}));
    Unsupported: one_of(&["drop", "reject"]);
    ClientName: one_of(&["subject", "uri", "dns", "email"]);
    KeyHash: or_variable(json_schema!({"type": "string", "pattern": "^sha256:[0-9a-fA-F]{64}$"}));
    AwsSource: one_of(&["environment", "instance", "container"]);
    ClientAuth: one_of(&["body", "basic"]);
    Dollars: or_variable(json_schema!({"type": "number", "minimum": 0}));
    MetricsForm: one_of(&["none", "prometheus"]);
    Api: one_of(&["chat", "responses"]);
    Switch: or_variable(json_schema!({"type": "boolean"}));
    Thinking: one_of(&["none", "budget", "adaptive", "both"]);
    Kind: one_of(&ROWS.iter().map(|row| row.kind).collect::<Vec<_>>());
}

fn one_of(words: &[&str]) -> Schema {
    or_variable(json_schema!({"type": "string", "enum": words}))
}

/// Or what an environment variable says.
fn or_variable(schema: Schema) -> Schema {
    json_schema!({"anyOf": [schema, {"type": "string", "pattern": "\\$\\{[A-Za-z_][A-Za-z0-9_]*\\}"}]})
}
