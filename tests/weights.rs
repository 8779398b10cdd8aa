//! Weight files: all layouts that PyTorch writes (made by `tests/make_weights.py`), the parameter names of three libraries,
//! and broken files of every kind.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use convscope::network::weights::{self, StateDict, into_parameters, read_state_dict};
use convscope::network::{Network, zoo};
use convscope::{Error, ErrorKind};
use proptest::prelude::*;
use tch::{Kind, Tensor};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/weights")
        .join(name)
}

fn values(tensor: &Tensor) -> Vec<f32> {
    assert_eq!(tensor.kind(), Kind::Float);
    Vec::try_from(tensor.flatten(0, -1)).unwrap()
}

/// Asserts that `name` holds the two tensors that `make_weights.py` describes.
fn assert_a_and_b(name: &str) {
    let file = read_state_dict(&fixture(name)).unwrap();
    assert_eq!(file["a"].size(), [2, 3], "{name}");
    assert_eq!(values(&file["a"]), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0], "{name}");
    assert_eq!(values(&file["b"]), [0.5, -2.0, 1024.0], "{name}");
}

fn read_error(name: &str) -> Error {
    read_state_dict(&fixture(name)).unwrap_err()
}

#[test]
fn every_layout_and_dtype_is_read() {
    for name in [
        "zip.pth",
        "old.pth",
        "zip_protocol3.pth",
        "zip_protocol4.pth",
        "zip_protocol5.pth",
        "plain.safetensors",
        "float16.pth",
        "float16_old.pth",
        "float16.safetensors",
        "bfloat16.pth",
        "bfloat16_old.pth",
        "bfloat16.safetensors",
        "float64.pth",
        "float64_old.pth",
        "float64.safetensors",
        "big_endian.pth",
        "parameters.pth",
        "nested_state_dict.pth",
        "nested_model_old.pth",
    ] {
        assert_a_and_b(name);
    }
}

#[test]
fn views_into_a_shared_storage_are_read() {
    for name in ["views.pth", "views_old.pth"] {
        let file = read_state_dict(&fixture(name)).unwrap();
        // The part of the storage is 0 3 1 4 2 5: a matrix of three rows, transposed.
        assert_eq!(values(&file["a"]), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
        assert_eq!(values(&file["b"]), [0.5, -2.0, 1024.0]);
        assert_eq!(values(&file["c"]), [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]);
    }
}

#[test]
fn a_pickle_that_names_os_system_is_an_error_and_not_run() {
    let canary = Path::new("/tmp/convscope-was-here");
    for name in ["malicious.pth", "malicious_old.pth", "malicious.pkl"] {
        let error = read_error(name);
        assert_eq!(error.kind(), ErrorKind::Weights);
        let message = error.message();
        let expected = "names `posix.system`, which is not allowed; no code was run";
        assert!(message.ends_with(expected), "{message}");
        assert!(message.contains(name), "{message}");
        assert!(!canary.exists());
    }
}

#[test]
fn a_whole_model_is_an_error_that_says_what_to_save_instead() {
    let error = read_error("whole_model.pth");
    let class = "`torch.nn.modules.linear.Linear`";
    assert!(error.message().contains(class), "{}", error.message());
    assert!(error.help_text().unwrap().contains("model.state_dict()"));
}

#[test]
fn an_error_about_a_truncated_file_names_it_and_says_so() {
    for name in [
        "truncated.pth",
        "truncated_old.pth",
        "truncated.safetensors",
    ] {
        let error = read_error(name);
        let text = format!(
            "{} {}",
            error.full_message(),
            error.help_text().unwrap_or_default()
        );
        assert!(text.contains(name) && text.contains("cut short"), "{text}");
    }
}

#[test]
fn an_error_about_another_file_says_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    for (bytes, expected) in [
        (b"".as_slice(), "is empty"),
        (b"<!DOCTYPE html><html>", "is a web page"),
        (b"hello, I am a text file", "is not a weight file"),
        (b"PK\x03\x04 but no more", "can't be read"),
        (b"\x80\x02K\x01.", "not one that `torch.save` wrote"),
    ] {
        let path = folder.path().join("file.pth");
        std::fs::write(&path, bytes).unwrap();
        let message = read_state_dict(&path).unwrap_err().message().to_owned();
        assert!(message.contains(expected), "{message}");
        assert!(message.contains("file.pth"), "{message}");
    }
    let error = read_state_dict(&folder.path().join("none.pth")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
}

/// A zip archive as `torch.save` lays it out, around `pickle`.
fn archive(pickle: &[u8], storage: &[u8]) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let mut zip = zip::ZipWriter::new(&mut file);
    let plain =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, bytes) in [("archive/data.pkl", pickle), ("archive/data/0", storage)] {
        zip.start_file(name, plain).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap();
    file
}

/// A pickle of `{'a': tensor}` with any offset, shape and strides over a storage of `length`.
fn pickled_tensor(length: i32, offset: i32, shape: [i32; 2], strides: [i32; 2]) -> Vec<u8> {
    let int = |number: i32| [b"J".as_slice(), &number.to_le_bytes()].concat();
    let pair = |[a, b]: [i32; 2]| [int(a), int(b), vec![0x86]].concat();
    let text = |text: &str| [b"\x8c", [text.len() as u8].as_slice(), text.as_bytes()].concat();
    [
        b"\x80\x02}".to_vec(),
        text("a"),
        b"ctorch._utils\n_rebuild_tensor_v2\n((".to_vec(),
        text("storage"),
        b"ctorch\nFloatStorage\n".to_vec(),
        text("0"),
        text("cpu"),
        int(length),
        b"tQ".to_vec(),
        int(offset),
        pair(shape),
        pair(strides),
        b"\x89NtRs.".to_vec(),
    ]
    .concat()
}

#[test]
fn a_view_outside_its_storage_is_an_error() {
    let read = |pickle: &[u8]| read_state_dict(archive(pickle, &[0; 24]).path());
    assert!(read(&pickled_tensor(6, 0, [2, 3], [3, 1])).is_ok());
    assert!(read(&pickled_tensor(6, 0, [0, 3], [3, 1])).is_ok());
    for (pickle, expected) in [
        (
            pickled_tensor(6, 1, [2, 3], [3, 1]),
            "more than its storage",
        ),
        (
            pickled_tensor(6, 0, [2, 3], [4, 1]),
            "more than its storage",
        ),
        (pickled_tensor(6, -1, [2, 3], [3, 1]), "has shape"),
        (pickled_tensor(6, 0, [2, -3], [3, 1]), "has shape"),
        (pickled_tensor(6, 5, [2, 3], [-1, -1]), "has shape"),
        (pickled_tensor(7, 0, [2, 3], [3, 1]), "found 24 bytes"),
        (
            pickled_tensor(5, 0, [1, 5], [5, 1]),
            "larger than it should be",
        ),
        // One value repeated 2⁶² times would fill the memory.
        (
            pickled_tensor(6, 0, [i32::MAX, i32::MAX], [0, 0]),
            "room for",
        ),
        (pickled_tensor(i32::MAX, 0, [2, 3], [3, 1]), "room for"),
    ] {
        let message = read(&pickle).unwrap_err().message().to_owned();
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn safetensors_with_wrong_offsets_are_errors() {
    let read = |header: &str| {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&(header.len() as u64).to_le_bytes())
            .unwrap();
        file.write_all(header.as_bytes()).unwrap();
        file.write_all(&[0; 8]).unwrap();
        read_state_dict(file.path())
    };
    assert!(read(r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#).is_ok());
    for header in [
        r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}"#,
        r#"{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}"#,
        r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,16]}}"#,
        r#"{"a":{"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,8]}}"#,
        r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,18446744073709551615]}}"#,
        r#"{"a":{"dtype":"F8_E4M3","shape":[8],"data_offsets":[0,8]}}"#,
        r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]"#,
    ] {
        assert_eq!(
            read(header).unwrap_err().kind(),
            ErrorKind::Weights,
            "{header}"
        );
    }
}

/// The options with which a file's tensors fit the architecture.
fn fit(arch: &str, file: StateDict, path: &str) -> Result<zoo::ArchOptions, Error> {
    let arch = zoo::find(arch).unwrap();
    let found = into_parameters(arch, zoo::ArchOptions::default(), file, Path::new(path))?;
    let graph = arch.graph(found.options.clone());
    Network::new(graph, found.parameters).map(|_| found.options)
}

/// Random weights of the architecture.
fn random_weights(arch: &str, classes: i64) -> StateDict {
    let options = zoo::ArchOptions {
        classes,
        ..zoo::ArchOptions::default()
    };
    convscope::network::random_weights::weights(&zoo::find(arch).unwrap().graph(options))
}

#[test]
fn the_head_takes_its_size_from_the_file() {
    for arch in ["resnet18", "efficientnet_b0"] {
        assert_eq!(
            fit(arch, random_weights(arch, 7), "best.pth")
                .unwrap()
                .classes,
            7
        );
    }
}

#[test]
fn prefixes_of_wrappers_are_removed() {
    let file: StateDict = random_weights("resnet18", 3)
        .into_iter()
        .map(|(name, tensor)| (format!("module._orig_mod.{name}"), tensor))
        .collect();
    assert_eq!(fit("resnet18", file, "best.pth").unwrap().classes, 3);
}

#[test]
fn one_error_lists_all_mismatches() {
    let mut file = random_weights("resnet18", 10);
    file.remove("layer1.0.conv1.weight");
    file.remove("layer1.0.bn1.bias");
    let float = (Kind::Float, tch::Device::Cpu);
    file.insert("bn1.weight".into(), Tensor::zeros([63], float));
    file.insert("extra.weight".into(), Tensor::zeros([1], float));
    let error = fit("resnet18", file, "best.pth").unwrap_err();
    insta::assert_snapshot!(error.message(), @"best.pth does not fit resnet18: 2 missing: `layer1.0.conv1.weight`, `layer1.0.bn1.bias`; 1 unexpected: `extra.weight`; 1 of another shape: `bn1.weight` is [63] instead of [64]");
}

#[test]
fn weights_for_another_architecture_are_recognised() {
    for (asked, given) in [
        ("resnet18", "resnet34"),
        ("resnet50", "resnet101"),
        ("vgg16", "vgg16_bn"),
        ("efficientnet_b0", "efficientnet_lite0"),
        ("resnet18", "efficientnet_b1"),
    ] {
        let error = fit(asked, random_weights(given, 5), "best.pth").unwrap_err();
        let advice = error.help_text().unwrap_or_default();
        let expected = format!("this looks like {given}: `arch: {given}`");
        assert_eq!(advice, expected, "{}", error.message());
        assert!(
            error
                .message()
                .starts_with(&format!("best.pth does not fit {asked}: "))
        );
    }
}

#[test]
fn an_error_about_nan_names_the_tensors() {
    let mut file = random_weights("resnet18", 10);
    let float = (Kind::Float, tch::Device::Cpu);
    file.insert("bn1.bias".into(), Tensor::full([64], f64::NAN, float));
    file.insert("fc.bias".into(), Tensor::full([10], f64::INFINITY, float));
    let error = fit("resnet18", file, "best.pth").unwrap_err();
    insta::assert_snapshot!(error.message(), @"best.pth holds NaN or infinity in `bn1.bias`, `fc.bias`");
}

/// Zeros with the names and shapes in a file, one per line: `name 32x3x3x3`.
fn listed(file: &str) -> StateDict {
    let text = std::fs::read_to_string(fixture(file)).unwrap();
    let float = (Kind::Float, tch::Device::Cpu);
    let tensor = |line: &str| {
        let (name, shape) = line.split_once(' ').unwrap();
        let sides = shape.split('x').filter(|side| !side.is_empty());
        let shape: Vec<i64> = sides.map(|side| side.parse().unwrap()).collect();
        (name.to_owned(), Tensor::zeros(shape, float))
    };
    text.lines().map(tensor).collect()
}

#[test]
fn timm_names_fit() {
    for (arch, file) in [
        ("resnet18", "timm_resnet18.txt"),
        ("efficientnet_b0", "timm_efficientnet_b0.txt"),
        ("efficientnet_b1", "timm_efficientnet_b1.txt"),
        ("efficientnet_lite0", "timm_efficientnet_lite0.txt"),
        ("vgg11_bn", "timm_vgg11_bn.txt"),
    ] {
        let options = fit(arch, listed(file), "model.safetensors").unwrap();
        assert!(!options.same_padding, "{arch}");
    }
    let file = listed("timm_efficientnet_b0.txt");
    let options = fit(
        "efficientnet_b0",
        file,
        "tf_efficientnet_b0.ns_jft_in1k.pth",
    )
    .unwrap();
    assert!(options.same_padding);
    assert_eq!(options.bn_eps, Some(1e-3));
}

#[test]
fn a_folder_and_an_unknown_format_are_errors() {
    let arch = zoo::find("resnet18").unwrap();
    let error = weights::load(arch, zoo::ArchOptions::default(), None, Path::new("/")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    let error = weights::find_format("pickle").unwrap_err();
    assert_eq!(error.message(), "there is no weight format `pickle`");
    let formats = "formats are torch_zip, safetensors, torch_legacy, tfjs, onnx_vgg_backbone";
    assert_eq!(error.help_text(), Some(formats));
}

#[test]
fn a_written_file_is_read_back_exactly() {
    let weights = random_weights("resnet18", 4);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("best.safetensors");
    let list: Vec<(&String, &Tensor)> = weights.iter().collect();
    Tensor::write_safetensors(&list, &path).unwrap();
    let back: BTreeMap<String, Tensor> = read_state_dict(&path).unwrap();
    assert_eq!(back.len(), weights.len());
    for (name, tensor) in &weights {
        assert!(back[name].equal(tensor), "{name}");
    }
}

fn written(bytes: &[u8]) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    file
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Reading ends without a panic, whatever the file holds.
    #[test]
    fn random_bytes_cause_no_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..300), kind in 0..3) {
        match kind {
            0 => bytes.splice(0..0, *b"\x80\x02").for_each(drop),
            1 => bytes.splice(0..0, *b"\x20\0\0\0\0\0\0\0{").for_each(drop),
            _ => {}
        }
        let _ = read_state_dict(written(&bytes).path());
        let _ = read_state_dict(archive(&bytes, &[0; 24]).path());
    }

    #[test]
    fn mutated_files_cause_no_panic(
        which in 0..5usize,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        keep in any::<prop::sample::Index>(),
        cut in any::<bool>(),
    ) {
        let names = ["zip.pth", "old.pth", "plain.safetensors", "views_old.pth", "nested_model_old.pth"];
        let mut bytes = std::fs::read(fixture(names[which])).unwrap();
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if cut {
            bytes.truncate(keep.index(bytes.len()));
        }
        let _ = read_state_dict(written(&bytes).path());
    }

    #[test]
    fn mutated_pickles_cause_no_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut pickle = pickled_tensor(6, 0, [2, 3], [3, 1]);
        for (place, byte) in changes {
            let place = place.index(pickle.len());
            pickle[place] = byte;
        }
        let _ = read_state_dict(archive(&pickle, &[0; 24]).path());
    }
}
