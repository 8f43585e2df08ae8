//! The part of JSON Schema that the server's description is written in.

use serde_json::Value;

/// Says what is wrong with a value, by a schema of a document; nothing if it is right.
///
/// A word that is not known here is a mistake of the schema: it would be no promise.
pub fn faults(document: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut out = vec![];
    check(document, schema, value, "$", &mut out);
    out
}

fn check(document: &Value, schema: &Value, value: &Value, at: &str, out: &mut Vec<String>) {
    let schema = followed(document, schema);
    for (word, rule) in schema.as_object().unwrap() {
        match word.as_str() {
            "description" => {}
            "type" => {
                let types: Vec<&str> = match rule {
                    Value::Array(types) => types.iter().map(|t| t.as_str().unwrap()).collect(),
                    one => vec![one.as_str().unwrap()],
                };
                if !types.iter().any(|t| is_of_type(value, t)) {
                    out.push(format!("{at}: {value} is not {types:?}"));
                }
            }
            "enum" => {
                if !rule.as_array().unwrap().contains(value) {
                    out.push(format!("{at}: {value} is not of {rule}"));
                }
            }
            "required" => {
                for name in rule.as_array().unwrap() {
                    if value.get(name.as_str().unwrap()).is_none() {
                        out.push(format!("{at}: {name} is missing"));
                    }
                }
            }
            "properties" => {
                for (name, property) in rule.as_object().unwrap() {
                    if let Some(inner) = value.get(name) {
                        check(document, property, inner, &format!("{at}.{name}"), out);
                    }
                }
            }
            "additionalProperties" => {
                assert_eq!(rule, false, "{at}");
                for name in value.as_object().into_iter().flatten().map(|(name, _)| name) {
                    if schema["properties"].get(name).is_none() {
                        out.push(format!("{at}: {name} is not documented"));
                    }
                }
            }
            "items" => {
                for (i, inner) in value.as_array().into_iter().flatten().enumerate() {
                    check(document, rule, inner, &format!("{at}[{i}]"), out);
                }
            }
            "oneOf" => {
                let all: Vec<_> =
                    rule.as_array().unwrap().iter().map(|one| faults(document, one, value)).collect();
                if all.iter().filter(|faults| faults.is_empty()).count() != 1 {
                    out.push(format!("{at}: not exactly one of: {all:?}"));
                }
            }
            word => panic!("{at}: the checker does not know {word}"),
        }
    }
}

/// Returns what a reference names, else the value itself.
pub fn followed<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        Some(path) => document.pointer(path.strip_prefix('#').unwrap()).unwrap(),
        None => value,
    }
}

fn is_of_type(value: &Value, name: &str) -> bool {
    match name {
        "string" => value.is_string(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("there is no type {other}"),
    }
}

#[test]
fn the_checker_finds_each_kind_of_fault() {
    use serde_json::json;
    let schema = json!({
        "type": "object", "additionalProperties": false, "required": ["a"],
        "properties": {
            "a": {"type": ["string", "null"]}, "b": {"enum": ["x"]}, "c": {"items": {"type": "integer"}},
            "d": {"oneOf": [{"type": "string"}, {"type": "number"}]}, "e": {"$ref": "#/e"}
        }
    });
    let document = json!({"e": {"type": "boolean"}});
    let n = |value: Value| faults(&document, &schema, &value).len();
    assert_eq!(n(json!({"a": null, "b": "x", "c": [1, 2], "d": 1.5, "e": true})), 0);
    for wrong in [
        json!({}),
        json!({"a": 1}),
        json!({"a": "", "b": "y"}),
        json!({"a": "", "c": [1, "2"]}),
        json!({"a": "", "d": null}),
        json!({"a": "", "e": 1}),
        json!({"a": "", "f": 1}),
    ] {
        assert_eq!(n(wrong.clone()), 1, "{wrong}");
    }
}
