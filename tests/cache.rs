//! `convscope cache`: what it lists, what it removes, and what it never touches.

use std::fs::{self, File};
use std::time::{Duration, SystemTime};

use program::Workspace;

#[path = "common/program.rs"]
mod program;

/// Writes files of every kind, of 1000 bytes each, and files of others.
fn fill(workspace: &Workspace) {
    let hash = "0123456789abcdef".repeat(4);
    for (path, days) in [
        ("weights/resnet50/IMAGENET1K_V1/model.pth".to_owned(), 40),
        ("weights/mine/other/model.pth".to_owned(), 2),
        ("weights/mine/other/.lock".to_owned(), 2),
        ("packs/cats/1.jpg".to_owned(), 3),
        ("packs/cats/.lock".to_owned(), 3),
        ("exported/timm/resnet18/a.pt2".to_owned(), 3),
        ("exported/timm/resnet18/.lock".to_owned(), 3),
        (format!("results/{hash}.json"), 40),
        (format!("results/{hash}.safetensors"), 40),
        (format!("results/{hash}.sha256"), 1),
        (format!("results/{hash}.pass/1"), 1),
        (format!("results/{hash}.pass/lock"), 1),
        (".fetching-abc/part".to_owned(), 9),
        ("libtorch-2.13.0-cpu/lib/libtorch.so".to_owned(), 50),
        ("evcxr/x/a.rlib".to_owned(), 50),
        // Of others.
        ("notes.txt".to_owned(), 90),
        ("results/notes.txt".to_owned(), 90),
        ("weights/a/b/thesis.docx".to_owned(), 90),
        ("photos/cat.png".to_owned(), 90),
    ] {
        let path = workspace.path("cache").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let is_lock = path.ends_with(".lock") || path.ends_with("lock");
        fs::write(&path, vec![0; if is_lock { 0 } else { 1000 }]).unwrap();
        let time = SystemTime::now() - Duration::from_secs(days * 86_400 + 60);
        File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_modified(time)
            .unwrap();
        let mut folder = path.parent().unwrap();
        while folder != workspace.path("cache") {
            File::open(folder).unwrap().set_modified(time).unwrap();
            folder = folder.parent().unwrap();
        }
    }
}

fn lines(text: &str) -> Vec<String> {
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    text.lines()
        .map(words)
        .filter(|line| !line.is_empty())
        .collect()
}

#[test]
fn the_cache_is_listed_by_kind_size_and_age() {
    let workspace = Workspace::new();
    let empty = workspace.call(&["cache"]);
    assert_eq!(empty.code, 0, "{}", empty.err);
    assert!(empty.out.ends_with("cache: nothing\n"), "{}", empty.out);
    fill(&workspace);
    let output = workspace.call(&["cache", "list"]);
    assert_eq!((output.code, &*output.err), (0, ""));
    assert!(
        lines(&output.out)[0].ends_with("cache: 11 kB"),
        "{}",
        output.out
    );
    assert_eq!(
        lines(&output.out)[1..],
        [
            "kind entry files size written",
            "weights mine other 1 1.0 kB 2 days ago",
            "weights resnet50 IMAGENET1K_V1 1 1.0 kB 40 days ago",
            "images cats 1 1.0 kB 3 days ago",
            "exported timm:resnet18 1 1.0 kB 3 days ago",
            "results 1 2 2.0 kB 40 days ago",
            "passes 1 1 1.0 kB 1 day ago",
            "hashes 1 1 1.0 kB 1 day ago",
            "downloads .fetching-abc 1 1.0 kB 9 days ago",
            "libtorch libtorch-2.13.0-cpu 1 1.0 kB 50 days ago",
            "kernel evcxr 1 1.0 kB 50 days ago",
        ]
    );
    assert_eq!(workspace.call(&["cache"]).out, output.out);
    let old = workspace.call(&[
        "cache",
        "list",
        "--kind",
        "weights,images",
        "--older-than",
        "3w",
    ]);
    assert_eq!(
        lines(&old.out)[2..],
        ["weights resnet50 IMAGENET1K_V1 1 1.0 kB 40 days ago"]
    );
}

#[test]
fn clear_removes_what_is_chosen_and_nothing_of_others() {
    let workspace = Workspace::new();
    fill(&workspace);
    let there = |path: &str| workspace.path("cache").join(path).exists();
    let would = workspace.call(&["cache", "clear", "--older-than", "30d", "--dry-run"]);
    assert_eq!(
        lines(&would.out),
        [
            "would remove weights: 1 entry, 1.0 kB",
            "would remove results: 1 entry, 2.0 kB"
        ]
    );
    assert!(there("weights/resnet50/IMAGENET1K_V1/model.pth"));
    let old = workspace.call(&["cache", "clear", "--older-than", "30d"]);
    assert_eq!((old.code, &*old.err), (0, ""));
    assert_eq!(
        lines(&old.out),
        lines(&would.out.replace("would remove", "removed"))
    );
    assert!(!there("weights/resnet50"));
    assert!(there("weights/mine/other/model.pth"));

    // A folder in which a run is fetching stays.
    let lock = File::open(workspace.path("cache/packs/cats/.lock")).unwrap();
    lock.lock().unwrap();
    let output = workspace.call(&["cache", "clear"]);
    assert_eq!(output.code, 0);
    assert_eq!(output.err, "cats: in use, left in the cache\n");
    assert!(there("packs/cats/1.jpg"));
    drop(lock);
    let kept = [
        "notes.txt",
        "results/notes.txt",
        "weights/a/b/thesis.docx",
        "photos/cat.png",
        "libtorch-2.13.0-cpu/lib/libtorch.so",
        "evcxr/x/a.rlib",
    ];
    assert!(kept.iter().all(|path| there(path)));
    assert!(!there("exported") || !there("exported/timm/resnet18"));
    assert_eq!(
        workspace.call(&["cache", "clear", "--kind", "images"]).out,
        "removed images: 1 entry, 1.0 kB\n"
    );
    assert_eq!(workspace.call(&["cache", "clear"]).out, "removed nothing\n");
    let named = workspace.call(&["cache", "clear", "--kind", "libtorch,kernel"]);
    assert_eq!(
        lines(&named.out),
        [
            "removed libtorch: 1 entry, 1.0 kB",
            "removed kernel: 1 entry, 1.0 kB"
        ]
    );
    assert!(kept[..4].iter().all(|path| there(path)));
}

#[cfg(unix)]
#[test]
fn links_are_not_followed() {
    let workspace = Workspace::new();
    fs::create_dir_all(workspace.path("shared/resnet50/imagenet")).unwrap();
    workspace.write("shared/resnet50/imagenet/model.pth", "weights");
    fs::create_dir_all(workspace.path("cache/weights/vgg16")).unwrap();
    fs::create_dir_all(workspace.path("cache/packs/imagenet-20")).unwrap();
    let link = |from: &str, to: &str| {
        std::os::unix::fs::symlink(workspace.path(from), workspace.path(to)).unwrap();
    };
    link("shared/resnet50", "cache/weights/resnet50");
    link("shared/resnet50/imagenet", "cache/weights/vgg16/imagenet");
    link("shared", "cache/packs/imagenet-20/more");
    let output = workspace.call(&["cache", "clear"]);
    assert_eq!(output.code, 0, "{}", output.err);
    assert!(
        workspace
            .path("shared/resnet50/imagenet/model.pth")
            .is_file()
    );
    assert!(!workspace.path("cache/packs/imagenet-20").exists());
}

#[test]
fn a_run_computes_again_what_was_removed() {
    let workspace = Workspace::new();
    let call = [
        "run",
        "cat.png",
        "--models",
        "resnet18=random",
        "--methods",
        "saliency",
    ];
    assert_eq!(workspace.call(&call).code, 0);
    let first = fs::read(workspace.path("output/cat/results.json")).unwrap();
    let output = workspace.call(&["cache", "clear", "--kind", "results"]);
    assert!(
        output.out.starts_with("removed results: "),
        "{}",
        output.out
    );
    assert_eq!(workspace.call(&call).code, 0);
    assert!(first == fs::read(workspace.path("output/cat/results.json")).unwrap());
}

#[test]
fn wrong_ages_and_kinds_are_errors() {
    let workspace = Workspace::new();
    for age in [
        "30",
        "d",
        "-1d",
        "1.5d",
        "99999999999999999999w",
        "18446744073709551615w",
    ] {
        let output = workspace.call(&["cache", "clear", &format!("--older-than={age}")]);
        assert_eq!(output.code, 2, "{age}");
        assert!(output.err.contains("a whole number with"), "{}", output.err);
    }
    let output = workspace.call(&["cache", "list", "--kind", "weight"]);
    assert_eq!(output.code, 2);
    assert!(output.err.contains("weights"), "{}", output.err);
}
