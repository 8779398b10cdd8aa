//! The JSON that Python writes has `Infinity`, `-Infinity` and `NaN`, which are no JSON. They become texts here, and the number
//! of values is limited, because each needs many times the memory of its characters.

/// The most values of a file. A program of 2000 nodes has 600 000.
const MAX_VALUES: usize = 8_000_000;

/// Numbers that are no JSON.
const NO_NUMBERS: [&[u8]; 3] = [b"-Infinity", b"Infinity", b"NaN"];

/// The same with texts in place of numbers that are no JSON.
///
/// # Errors
/// If there are too many values. The error is a clause about the file.
pub(super) fn standard(bytes: Vec<u8>) -> Result<Vec<u8>, String> {
    let mut is_text = false;
    let mut values = 0;
    let mut found: Vec<(usize, usize)> = Vec::new();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' if is_text => at += 1,
            b'"' => is_text = !is_text,
            _ if is_text => {}
            b',' | b'[' | b'{' => values += 1,
            b'-' | b'I' | b'N' => {
                let rest = &bytes[at..];
                let other = NO_NUMBERS.iter().find(|other| rest.starts_with(other));
                if let Some(other) = other {
                    found.push((at, other.len()));
                    at += other.len() - 1;
                }
            }
            _ => {}
        }
        at += 1;
    }
    if values > MAX_VALUES {
        return Err(format!(
            "has {values} values; at most {MAX_VALUES} are read"
        ));
    }
    if found.is_empty() {
        return Ok(bytes);
    }
    let mut text = Vec::with_capacity(bytes.len() + 2 * found.len());
    let mut end = 0;
    for (start, length) in found {
        text.extend(&bytes[end..start]);
        end = start + length;
        text.push(b'"');
        text.extend(&bytes[start..end]);
        text.push(b'"');
    }
    text.extend(&bytes[end..]);
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::{MAX_VALUES, standard};

    #[test]
    fn numbers_of_python_become_texts() {
        let text = r#"{"a": Infinity, "b \" Infinity": [-Infinity, -1, NaN], "NaN": null}"#;
        let expected =
            r#"{"a": "Infinity", "b \" Infinity": ["-Infinity", -1, "NaN"], "NaN": null}"#;
        let found = standard(text.as_bytes().to_vec()).unwrap();
        assert_eq!(String::from_utf8_lossy(&found), expected);
    }

    #[test]
    fn many_values_are_an_error() {
        assert!(standard(b",".repeat(MAX_VALUES + 1)).is_err());
    }
}
