//! Files with the names of classes: text, JSON and CSV as data sets and training programs have them, and wrong ones of each kind.

use std::path::Path;

use convscope::network::labels::Labels;
use convscope::{Error, Result};

fn read(name: &str, text: &str) -> Result<Labels> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    Labels::from_file(&path)
}

/// The classes in one line, with their WordNet ids.
fn classes(name: &str, text: &str) -> String {
    let labels = read(name, text).unwrap();
    let class = |index: usize| match labels.wnid(index) {
        Some(wnid) => format!("{} ({wnid})", labels.name(index)),
        None => labels.name(index),
    };
    let all: Vec<String> = (0..labels.len()).map(class).collect();
    all.join(", ")
}

/// The message and the help of the error about a file, without its folder.
fn refusal(name: &str, text: &str) -> String {
    let error: Error = read(name, text).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    let message = error.message();
    let folder = message.split_whitespace().find(|word| word.ends_with(name));
    let folder = folder.map_or("", |path| path.strip_suffix(name).unwrap());
    let help = error.help_text().unwrap_or("none");
    format!("{}\nhelp: {help}", message.replace(folder, ""))
}

#[test]
fn text_has_a_name_a_line() {
    assert_eq!(
        classes("l.txt", "cat\ntabby cat\n  dog \n"),
        "cat, tabby cat, dog"
    );
    // synset_words.txt of Caffe, and folders of ImageNet.
    assert_eq!(
        classes(
            "l.txt",
            "n01440764 tench, Tinca tinca\nn01443537\nn99999999\n"
        ),
        "tench, Tinca tinca (n01440764), goldfish (n01443537), n99999999 (n99999999)"
    );
    // A name that only looks like JSON stays one.
    assert_eq!(classes("l.txt", "[background]\ncat"), "[background], cat");
}

#[test]
fn json_is_a_list_or_a_map() {
    assert_eq!(classes("l.json", r#"["cat", "dog"]"#), "cat, dog");
    let keras = r#"{"0": ["n01440764", "tench"], "1": ["n01443537", "goldfish"]}"#;
    assert_eq!(
        classes("imagenet_class_index.json", keras),
        "tench (n01440764), goldfish (n01443537)"
    );
    assert_eq!(classes("l.json", r#"{"1": "dog", "0": "cat"}"#), "cat, dog");
    // class_to_idx of torchvision's ImageFolder.
    assert_eq!(classes("l.json", r#"{"dog": 1, "cat": 0}"#), "cat, dog");
    assert_eq!(
        classes("l.json", r#"{"n01443537": 1, "n01440764": 0}"#),
        "tench (n01440764), goldfish (n01443537)"
    );
    assert_eq!(classes("l.json", r#"{"7": 1, "3": 0}"#), "3, 7");
    let config = r#"{"model_type": "resnet", "id2label": {"0": "cat", "1": "dog"}}"#;
    assert_eq!(classes("config.json", config), "cat, dog");
    assert_eq!(classes("l.txt", " {\"0\": \"cat\"}"), "cat");
}

#[test]
fn csv_has_a_column_of_names() {
    assert_eq!(classes("l.csv", "cat\ndog\n"), "cat, dog");
    assert_eq!(classes("l.csv", "name\ncat\ndog\n"), "cat, dog");
    assert_eq!(classes("l.csv", "1,dog\n0,cat\n"), "cat, dog");
    assert_eq!(
        classes(
            "l.csv",
            "Name;Index;WNID\ngoldfish;1;n01443537\ntench;0;n01440764\n"
        ),
        "tench (n01440764), goldfish (n01443537)"
    );
    assert_eq!(
        classes("l.csv", "0,\"tench, Tinca tinca\",n01440764\n"),
        "tench, Tinca tinca (n01440764)"
    );
    assert_eq!(classes("l.tsv", "id\tclass\n0\tcat\n1\tdog\n"), "cat, dog");
    // Numbers alone are names.
    assert_eq!(classes("l.csv", "3\n7\n"), "3, 7");
}

#[test]
fn a_wrong_file_says_what_was_found() {
    insta::assert_snapshot!(refusal("l.txt", ""), @r"
    l.txt is empty
    help: a labels file is text with one class name a line, in the order of the outputs; JSON: a list of names, a map from index to name or from name to index; or CSV with a column of names, and one of indices if the rows are in another order
    ");
    insta::assert_snapshot!(refusal("l.txt", "cat\n\ndog"), @r"
    line 2 of l.txt is empty
    help: give every class a name, one a line
    ");
    insta::assert_snapshot!(refusal("l.json", "[\"cat\", "), @r"
    l.json is no list or map in JSON
    help: a labels file is text with one class name a line, in the order of the outputs; JSON: a list of names, a map from index to name or from name to index; or CSV with a column of names, and one of indices if the rows are in another order
    ");
    insta::assert_snapshot!(refusal("l.json", "3"), @r"
    l.json is no list or map in JSON
    help: a labels file is text with one class name a line, in the order of the outputs; JSON: a list of names, a map from index to name or from name to index; or CSV with a column of names, and one of indices if the rows are in another order
    ");
    insta::assert_snapshot!(refusal("l.json", "{}"), @r"
    l.json has no classes
    help: a labels file is text with one class name a line, in the order of the outputs; JSON: a list of names, a map from index to name or from name to index; or CSV with a column of names, and one of indices if the rows are in another order
    ");
    insta::assert_snapshot!(refusal("l.json", r#"["cat", " "]"#), @r"
    l.json has no name for class 1
    help: give every class a name
    ");
    insta::assert_snapshot!(refusal("l.json", r#"["cat", 3]"#), @r#"
    l.json has 3 for class 1
    help: a class is a name (`"tench"`), or a WordNet id and a name (`["n01440764", "tench"]`)
    "#);
    insta::assert_snapshot!(refusal("l.json", r#"{"0": "cat", "2": "dog"}"#), @r"
    l.json has 2 classes, but none with the index 1; the last is 2
    help: the indices of 2 classes are 0 to 1
    ");
    insta::assert_snapshot!(refusal("l.json", r#"{"1": "cat", "2": "dog"}"#), @r"
    l.json has 2 classes, but none with the index 0; the last is 2
    help: the indices of 2 classes are 0 to 1
    ");
    insta::assert_snapshot!(refusal("l.json", r#"{"0": "cat", "0": "dog"}"#), @r"
    l.json has the index 0 twice: `cat` and `dog`
    help: every class has an index of its own
    ");
    insta::assert_snapshot!(refusal("l.json", r#"{"cat": 0, "dog": 0}"#), @r"
    l.json has the index 0 twice: `cat` and `dog`
    help: every class has an index of its own
    ");
    insta::assert_snapshot!(refusal("l.json", r#"{"cat": "dog"}"#), @r#"
    l.json has `cat` with "dog": one of both must be an index
    help: a labels file is text with one class name a line, in the order of the outputs; JSON: a list of names, a map from index to name or from name to index; or CSV with a column of names, and one of indices if the rows are in another order
    "#);
    insta::assert_snapshot!(refusal("l.json", r#"{"0": ["tench", "n01440764"]}"#), @r#"
    l.json has ["tench","n01440764"] for class 0
    help: a class is a name (`"tench"`), or a WordNet id and a name (`["n01440764", "tench"]`)
    "#);
    insta::assert_snapshot!(refusal("l.csv", "0,cat\n2,dog\n"), @r"
    l.csv has 2 classes, but none with the index 1; the last is 2
    help: the indices of 2 classes are 0 to 1
    ");
    insta::assert_snapshot!(refusal("l.csv", "0,cat\n0,dog\n"), @r"
    l.csv has the index 0 twice: `cat` and `dog`
    help: every class has an index of its own
    ");
    insta::assert_snapshot!(refusal("l.csv", "0,tench, Tinca tinca\n1,goldfish\n"), @r#"
    l.csv is no table in CSV
    help: names with a comma need quotes: `0,"tench, Tinca tinca"`
    "#);
    insta::assert_snapshot!(refusal("l.csv", "0,cat,felis\n1,dog,canis\n"), @r"
    l.csv has several columns of texts, and no header that says which are the names
    help: begin with a line such as `index,name,wnid`
    ");
    insta::assert_snapshot!(refusal("l.csv", "index,name\nzero,cat\n"), @r"
    l.csv has the index `zero` in row 1
    help: an index is a whole number from 0 on
    ");
    insta::assert_snapshot!(refusal("l.csv", "index,name\n0,\n"), @r"
    l.csv has no name for class 0
    help: give every class a name
    ");
    insta::assert_snapshot!(refusal("l.csv", "index,name\n"), @r"
    l.csv has no rows
    help: a labels file is text with one class name a line, in the order of the outputs; JSON: a list of names, a map from index to name or from name to index; or CSV with a column of names, and one of indices if the rows are in another order
    ");
}

#[test]
fn a_file_that_is_no_text_or_is_not_there_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("l.json");
    std::fs::write(&path, [0xff, 0xfe, 0x00]).unwrap();
    let error = Labels::from_file(&path).unwrap_err();
    assert!(error.message().ends_with("is not UTF-8 text"), "{error}");
    assert!(Labels::from_file(Path::new("/none/l.txt")).is_err());
}
