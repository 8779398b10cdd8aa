//! Parts of the JSON schema that can't be derived: short forms, and types that are looser in YAML than in Rust.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::network::zoo;

/// The schema of an id: see [`is_valid_id`](super::ids::is_valid_id).
pub(super) struct Id;

impl JsonSchema for Id {
    fn schema_name() -> Cow<'static, str> {
        "Id".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "integer"], "pattern": "^[A-Za-z0-9.-][A-Za-z0-9_.-]*$" })
    }
}

/// The schema of the bands that a picture is drawn from.
pub(super) struct ShownBands;

impl JsonSchema for ShownBands {
    fn schema_name() -> Cow<'static, str> {
        "ShownBands".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "array",
            "items": { "type": "integer", "minimum": 1 },
            "anyOf": [{ "minItems": 1, "maxItems": 1 }, { "minItems": 3, "maxItems": 3 }]
        })
    }
}

/// The schema of an architecture's name.
pub(super) struct ArchitectureName;

impl JsonSchema for ArchitectureName {
    fn schema_name() -> Cow<'static, str> {
        "Architecture".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let names: Vec<&str> = zoo::architectures().map(|arch| arch.name).collect();
        json_schema!({ "description": "An architecture.", "enum": names })
    }
}

/// The schema of a network's name in a library.
pub(super) struct LibraryName;

impl JsonSchema for LibraryName {
    fn schema_name() -> Cow<'static, str> {
        "LibraryName".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9_.-]*$" })
    }
}

/// Allows an architecture's name, the name of a library's network and the path of a `.pt2` file beside the map of `schema`, which needs
/// one of them.
pub(super) fn allow_architecture(schema: &mut Schema) {
    let exported = json_schema!({
        "type": "string",
        "pattern": "\\.(pt2|pt|pth)$",
        "description": "A file that `torch.export.save` wrote."
    });
    let library = json_schema!({
        "type": "string",
        "pattern": "^(timm|torchvision):[A-Za-z0-9][A-Za-z0-9_.-]*$",
        "description": "A pretrained network of the Python library timm or torchvision."
    });
    let needs = serde_json::json!([
        {
            "required": ["arch"],
            "properties": { "timm": false, "torchvision": false, "pretrained": false, "seed": false }
        },
        {
            "required": ["weights"],
            "properties": {
                "weights": { "pattern": "\\.(pt2|pt|pth)$" },
                "timm": false, "torchvision": false, "pretrained": false, "seed": false
            }
        },
        // A network of a library: pretrained or untrained, and with weights of a file.
        {
            "oneOf": [{ "required": ["timm"] }, { "required": ["torchvision"] }],
            "properties": { "arch": false, "weights": false },
            "not": { "required": ["seed", "pretrained"], "properties": { "pretrained": { "const": true } } }
        },
        {
            "oneOf": [{ "required": ["timm"] }, { "required": ["torchvision"] }],
            "required": ["weights"],
            "properties": {
                "weights": { "pattern": "\\.(pth|pt|safetensors|bin)$" },
                "arch": false, "seed": false, "pretrained": { "const": false }
            }
        }
    ]);
    schema.insert("anyOf".into(), needs);
    let long_form = std::mem::take(schema);
    let forms = [
        json_schema!({ "$ref": "#/$defs/Architecture" }),
        library,
        exported,
        long_form,
    ];
    let forms: Vec<serde_json::Value> = forms.into_iter().map(Schema::to_value).collect();
    schema.insert("anyOf".into(), forms.into());
}

/// Allows a file's path beside the maps of `schema`.
pub(super) fn allow_path(schema: &mut Schema) {
    allow(
        schema,
        json_schema!({
            "type": "string",
            "minLength": 1,
            "description": "One file; a relative path starts at the spec's folder."
        }),
    );
}

/// Allows the name of a preset beside the map of `schema`.
pub(super) fn allow_preset(schema: &mut Schema) {
    allow(schema, json_schema!({ "$ref": "#/$defs/PreprocessPreset" }));
}

/// Puts `short_form` before the alternatives of `schema`.
fn allow(schema: &mut Schema, short_form: Schema) {
    let description = schema.remove("description");
    let long_form = std::mem::take(schema);
    let long_forms = match long_form.get("anyOf") {
        Some(serde_json::Value::Array(forms)) => forms.clone(),
        _ => vec![long_form.to_value()],
    };
    let forms: Vec<serde_json::Value> = std::iter::once(short_form.to_value())
        .chain(long_forms)
        .collect();
    schema.insert("anyOf".into(), forms.into());
    if let Some(description) = description {
        schema.insert("description".into(), description);
    }
}
