//! Whether the two YAML parsers understood a text alike: [`yaml_parser`](super::yaml_parser), which finds the positions,
//! and `serde_yaml`, which reads the values.

use serde_yaml::Value;

use super::yaml_tree::{NodeIndex, YamlContent, YamlTree};

/// Compares the tree of a text with its value: the same keys in the same order, sequences of the same lengths, the same
/// scalars. An alias is compared as the value that it repeats; tags are ignored.
///
/// # Errors
/// The first node of the tree that differs.
pub(super) fn compare(tree: &YamlTree, value: &Value) -> Result<(), NodeIndex> {
    compare_nodes(tree, 0, value)
}

fn compare_nodes(tree: &YamlTree, node: NodeIndex, value: &Value) -> Result<(), NodeIndex> {
    match (&tree.nodes[tree.resolve_alias(node)].content, value) {
        (_, Value::Tagged(tagged)) => compare_nodes(tree, node, &tagged.value),
        (YamlContent::Sequence(entries), Value::Sequence(values))
            if entries.len() == values.len() =>
        {
            let mut pairs = entries.iter().zip(values);
            pairs.try_for_each(|(entry, value)| compare_nodes(tree, *entry, value))
        }
        (YamlContent::Mapping(entries), Value::Mapping(values))
            if entries.len() == values.len() =>
        {
            let mut pairs = entries.iter().zip(values);
            pairs.try_for_each(|((key, value), (expected_key, expected_value))| {
                compare_nodes(tree, *key, expected_key)?;
                compare_nodes(tree, *value, expected_value)
            })
        }
        (YamlContent::Scalar(text), value) if is_value_of(text, value) => Ok(()),
        _ => Err(node),
    }
}

/// Whether a scalar with this text may have this value.
fn is_value_of(text: &str, value: &Value) -> bool {
    match value {
        Value::String(string) => string == text,
        // What `serde_yaml` reads from a plain scalar: null, a boolean or a number.
        Value::Null | Value::Bool(_) | Value::Number(_) => {
            serde_yaml::from_str::<Value>(text).is_ok_and(|read| read == *value)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use super::*;
    use crate::error::Error;
    use crate::rng::SplitMix64;
    use crate::spec::spec_text::SpecText;
    use crate::spec::yaml_parser;

    /// The number of mutated specs, if the environment has no `CONVSCOPE_MUTATIONS`. One million take some minutes:
    /// `CONVSCOPE_MUTATIONS=1000000 cargo test --lib parsers_agree -- --nocapture`.
    const MUTATIONS: u64 = 20_000;

    /// Texts that are inserted into specs: what YAML gives a meaning to, and characters that are hard to read.
    const TOKENS: &[&str] = &[
        "\t",
        "\n",
        "\n\n",
        " ",
        "  ",
        "- ",
        "-",
        ": ",
        ":",
        "[",
        "]",
        "{",
        "}",
        ", ",
        ",",
        "*a",
        "&a ",
        "\"",
        "'",
        "|",
        ">",
        "|-\n",
        ">+2\n",
        "#",
        " # ",
        "---\n",
        "...\n",
        "--- ",
        "!!str ",
        "!!int ",
        "!x ",
        "<<: ",
        "\u{0}",
        "\u{7}",
        "\u{85}",
        "\u{2028}",
        "ż",
        "🐢",
        "? ",
        "%",
        "%YAML 1.2\n",
        "@",
        "`",
        "\r",
        "\r\n",
        "-1",
        "0x1f",
        "0o17",
        "1_000",
        "1e999",
        ".inf",
        ".nan",
        "~",
        "null",
        "yes",
        "True",
        "\u{feff}",
        "\\",
        "\\x41",
        "\\u00e9",
        "\\\n",
        "2001-01-01",
        "=",
        "[]",
        "{}",
        "\"\"",
        "''",
        "{a}",
        "[a: b]",
        "?a",
        "-a",
        ":a",
        "a:",
        "a#b",
    ];

    /// How the parsers read a text.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
    enum Outcome {
        /// Both read the same.
        Same,
        /// Neither reads it.
        BothRefuse,
        /// YAML that a spec may not have, such as two documents or a merge key: the position parser rejects it.
        RejectedByRule,
        /// More aliases than `serde_yaml` expands.
        AliasLimit,
        /// YAML for the position parser alone, such as an empty key.
        OnlyPositions,
        /// YAML for `serde_yaml` alone, such as brackets that go on in a line without indentation.
        OnlyValues,
        /// YAML for both, with different values.
        Different,
    }

    fn outcome(text: &str) -> Outcome {
        let tree = yaml_parser::parse("t", text);
        let value = serde_yaml::from_str::<Value>(text);
        match (tree, value) {
            (Ok(tree), Ok(value)) => match compare(&tree, &value) {
                Ok(()) => Outcome::Same,
                Err(_) => Outcome::Different,
            },
            (Err(_), Err(_)) => Outcome::BothRefuse,
            (Ok(_), Err(error)) if error.to_string().contains("repetition limit") => {
                Outcome::AliasLimit
            }
            (Ok(_), Err(_)) => Outcome::OnlyPositions,
            (Err(error), Ok(_)) if error.message().contains("not YAML") => Outcome::OnlyValues,
            (Err(_), Ok(_)) => Outcome::RejectedByRule,
        }
    }

    fn corpus() -> Vec<Vec<u8>> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let folders = ["tests/specs/good", "tests/specs/bad", "experiments"];
        let entries = folders.map(|folder| std::fs::read_dir(root.join(folder)).expect(folder));
        let paths = entries
            .into_iter()
            .flatten()
            .map(|entry| entry.expect("an entry").path());
        let mut paths: Vec<_> = paths
            .filter(|path| path.extension().is_some_and(|ending| ending == "yaml"))
            .collect();
        paths.sort();
        let texts = paths
            .iter()
            .map(|path| std::fs::read(path).expect("a spec"));
        texts
            .chain([crate::spec::TEMPLATE.as_bytes().to_vec()])
            .collect()
    }

    /// A stream of choices.
    struct Choices {
        stream: SplitMix64,
        index: u64,
    }

    impl Choices {
        /// A number below `end`; 0 where `end` is 0.
        fn below(&mut self, end: usize) -> usize {
            self.index += 1;
            (self.stream.at(self.index) % end.max(1) as u64) as usize
        }

        fn range(&mut self, length: usize) -> std::ops::Range<usize> {
            let start = self.below(length + 1);
            let most = if self.below(2) == 0 { 4 } else { 60 };
            start..(start + self.below(most)).min(length)
        }
    }

    /// One to four changes: bytes flipped, removed, repeated, moved, lines swapped, tokens inserted, parts of other specs.
    fn mutate(corpus: &[Vec<u8>], choices: &mut Choices) -> String {
        let mut text = corpus[choices.below(corpus.len())].clone();
        text.truncate(3000);
        for _ in 0..=choices.below(4) {
            let range = choices.range(text.len());
            match choices.below(7) {
                0 if !text.is_empty() => {
                    let at = choices.below(text.len());
                    text[at] ^= 1 << choices.below(8);
                }
                1 => drop(text.drain(range)),
                2 => {
                    let part = text[range.clone()].to_vec();
                    text.splice(range.end..range.end, part);
                }
                3 => {
                    let part: Vec<u8> = text.drain(range).collect();
                    let at = choices.below(text.len() + 1);
                    text.splice(at..at, part);
                }
                4 => {
                    let mut lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
                    let (a, b) = (choices.below(lines.len()), choices.below(lines.len()));
                    lines.swap(a, b);
                    text = lines.join(&b'\n');
                }
                5 => {
                    let other = &corpus[choices.below(corpus.len())];
                    let part = other[choices.range(other.len())].to_vec();
                    text.splice(range, part);
                }
                _ => {
                    let token = TOKENS[choices.below(TOKENS.len())];
                    let end = if choices.below(2) == 0 {
                        range.start
                    } else {
                        range.end
                    };
                    text.splice(range.start..end, token.bytes());
                }
            }
        }
        String::from_utf8_lossy(&text).into_owned()
    }

    /// Asserts that a text is accepted if both parsers read the same values, and rejected if not.
    fn check(text: &str, outcomes: &mut BTreeMap<Outcome, u64>) {
        // One byte-order mark is no part of the text.
        let outcome = outcome(text.strip_prefix('\u{feff}').unwrap_or(text));
        *outcomes.entry(outcome).or_default() += 1;
        let accepted = SpecText::parse("t", text);
        let message = accepted.as_ref().err().map(Error::message);
        assert_eq!(
            message.is_none(),
            outcome == Outcome::Same,
            "{outcome:?}: {text:?}"
        );
        let ambiguous = message.is_some_and(|message| message.contains("ambiguous"));
        assert_eq!(
            ambiguous,
            outcome == Outcome::Different,
            "{outcome:?}: {text:?}"
        );
    }

    #[test]
    fn parsers_agree_on_specs() {
        let mut outcomes = BTreeMap::new();
        for text in corpus() {
            if let Ok(text) = String::from_utf8(text) {
                check(&text, &mut outcomes);
            }
        }
        assert_eq!(outcomes.range(Outcome::OnlyPositions..).next(), None);
    }

    #[test]
    fn parsers_agree_on_mutated_specs() {
        let count = std::env::var("CONVSCOPE_MUTATIONS").ok();
        let count = count.map_or(MUTATIONS, |count| count.parse().expect("a number"));
        let corpus = corpus();
        let mut outcomes = BTreeMap::new();
        for seed in 0..count {
            let stream = SplitMix64::new(seed);
            check(
                &mutate(&corpus, &mut Choices { stream, index: 0 }),
                &mut outcomes,
            );
        }
        println!("{count} mutated specs: {outcomes:?}");
    }
}
