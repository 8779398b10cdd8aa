//! The report in a real browser: what the script does, that all is there without it, print, widths, axe and the
//! validator. Needs Chromium (`CHROMIUM` is its path if it has another name) and npm; without them a test is skipped, or
//! fails in CI. `CONVSCOPE_PAGES` is a folder of further reports to test.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use headless_chrome::protocol::cdp::types::Event;
use headless_chrome::protocol::cdp::{Emulation, Log, Network, Runtime};
use headless_chrome::types::PrintToPdfOptions;
use headless_chrome::{Browser, LaunchOptions, Tab};
use serde_json::{Value, json};

use super::*;

/// A browser with one page open, and what it complained of.
struct Window {
    tab: Arc<Tab>,
    complaints: Arc<Mutex<Vec<String>>>,
    _browser: Browser,
    _folder: tempfile::TempDir,
}

fn absent(what: &str) {
    common::skip("a browser test", &format!("{what} is missing"), true);
}

fn chromium() -> Option<PathBuf> {
    let named = std::env::var_os("CHROMIUM").map(PathBuf::from);
    let usual = ["chromium", "chromium-browser", "google-chrome"];
    let folders: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH")?).collect();
    let mut places = usual
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    named.or_else(|| places.find(|path| path.is_file()))
}

impl Window {
    fn open(html: &str) -> Option<Window> {
        Window::open_with(html, |_| {})
    }

    /// `before` sees the tab before the page is in it.
    fn open_with(html: &str, before: impl Fn(&Tab)) -> Option<Window> {
        let Some(path) = chromium() else {
            absent("Chromium");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("report.html");
        std::fs::write(&file, html).unwrap();
        let options = LaunchOptions {
            path: Some(path),
            sandbox: false,
            window_size: Some((1400, 1000)),
            idle_browser_timeout: Duration::from_secs(300),
            ..LaunchOptions::default()
        };
        let browser = Browser::new(options).unwrap();
        let tab = browser.new_tab().unwrap();
        let complaints = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&complaints);
        let hear = move |event: &Event| {
            let said = match event {
                Event::RuntimeConsoleAPICalled(call) => {
                    Some(format!("console: {:?}", call.params.args))
                }
                Event::RuntimeExceptionThrown(thrown) => {
                    Some(format!("error: {:?}", thrown.params.exception_details))
                }
                Event::LogEntryAdded(entry) => Some(format!("log: {:?}", entry.params.entry)),
                Event::NetworkRequestWillBeSent(sent) => {
                    let url = &sent.params.request.url;
                    let own = ["file:", "data:", "blob:"]
                        .iter()
                        .any(|scheme| url.starts_with(scheme));
                    (!own).then(|| format!("request: {url}"))
                }
                _ => None,
            };
            heard.lock().unwrap().extend(said);
        };
        tab.add_event_listener(Arc::new(hear)).unwrap();
        tab.call_method(Runtime::Enable(None)).unwrap();
        tab.call_method(Log::Enable(None)).unwrap();
        let network: Network::Enable = serde_json::from_value(json!({})).unwrap();
        tab.call_method(network).unwrap();
        before(&tab);
        tab.navigate_to(&format!("file://{}", file.display()))
            .unwrap();
        tab.wait_until_navigated().unwrap();
        Some(Window {
            tab,
            complaints,
            _browser: browser,
            _folder: folder,
        })
    }

    /// What an expression, or a promise, comes to.
    fn eval(&self, expression: &str) -> Value {
        let script = format!("(async () => JSON.stringify(await (async () => {expression})()))()");
        let found = self
            .tab
            .evaluate(&script, true)
            .unwrap_or_else(|error| panic!("{expression}: {error}"));
        let text = found
            .value
            .and_then(|value| value.as_str().map(str::to_owned));
        serde_json::from_str(text.as_deref().unwrap_or("null")).unwrap()
    }

    fn text(&self, expression: &str) -> String {
        let found = self.eval(expression);
        found
            .as_str()
            .unwrap_or_else(|| panic!("{expression} is {found}"))
            .to_owned()
    }

    fn number(&self, expression: &str) -> f64 {
        let found = self.eval(expression);
        found
            .as_f64()
            .unwrap_or_else(|| panic!("{expression} is {found}"))
    }

    fn holds(&self, expression: &str) -> bool {
        self.eval(expression) == json!(true)
    }

    /// Waits for an expression to become true.
    fn until(&self, expression: &str) {
        let start = Instant::now();
        while !self.holds(expression) {
            assert!(
                start.elapsed() < Duration::from_secs(10),
                "never {expression}"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn click(&self, selector: &str) {
        self.tab
            .wait_for_element(selector)
            .unwrap()
            .click()
            .unwrap();
    }

    fn width(&self, width: u32) {
        self.tab.call_method(device(width, 900)).unwrap();
    }

    fn media(&self, media: Option<&str>, scheme: &str) {
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        let emulated = json!({"media": media, "features": features});
        let emulated: Emulation::SetEmulatedMedia = serde_json::from_value(emulated).unwrap();
        self.tab.call_method(emulated).unwrap();
    }

    fn quiet(&self) {
        let complaints = self.complaints.lock().unwrap();
        assert!(complaints.is_empty(), "{complaints:#?}");
    }
}

fn device(width: u32, height: u32) -> Emulation::SetDeviceMetricsOverride {
    let metrics =
        json!({"width": width, "height": height, "deviceScaleFactor": 1.0, "mobile": false});
    serde_json::from_value(metrics).unwrap()
}

/// The made-up report in both languages, and those of `CONVSCOPE_PAGES`.
fn pages() -> Vec<(String, String)> {
    let mut pages = vec![
        ("en".to_owned(), page(Lang::En)),
        ("pl".to_owned(), page(Lang::Pl)),
    ];
    if let Some(folder) = std::env::var_os("CONVSCOPE_PAGES") {
        let mut paths: Vec<PathBuf> = walkdir::WalkDir::new(folder)
            .into_iter()
            .map(|entry| entry.unwrap().into_path())
            .filter(|path| path.extension().is_some_and(|ending| ending == "html"))
            .collect();
        paths.sort();
        for path in paths {
            pages.push((
                path.display().to_string(),
                std::fs::read_to_string(&path).unwrap(),
            ));
        }
    }
    pages
}

#[test]
fn nothing_goes_wrong_and_nothing_leaves_the_page() {
    for (name, html) in pages() {
        let Some(window) = Window::open(&html) else {
            return;
        };
        window.eval("scrollTo(0, document.body.scrollHeight)");
        for picture in [
            "document.images.length",
            "document.querySelectorAll('svg').length",
        ] {
            assert!(window.number(picture) >= 0.0, "{name}");
        }
        let unknown = window.eval("[...document.querySelectorAll('use')].filter((use) => !document.getElementById(use.getAttribute('href').slice(1))).length");
        assert_eq!(unknown, json!(0), "{name}");
        window.quiet();
    }
}

#[test]
fn sliders_and_choices_do_what_they_say_and_the_address_keeps_them() {
    let Some(window) = Window::open(&page(Lang::En)) else {
        return;
    };
    let set = |id: &str, value: &str, event: &str| {
        window.eval(&format!("{{ const input = document.querySelector('{id}'); input.value = '{value}'; input.dispatchEvent(new Event('{event}')); }}"));
    };
    // Overlays.
    let strength = "getComputedStyle(document.querySelector('.photo .over')).opacity";
    assert_eq!(window.text(strength), "0.9");
    window.click(".view summary");
    set("#view-over", "30", "input");
    assert_eq!(window.text(strength), "0.3");
    window.eval("{ const own = document.querySelector('.tools input'); own.value = 70; own.dispatchEvent(new Event('input')); }");
    assert_eq!(window.text(strength), "0.7");
    assert_eq!(
        window.text("getComputedStyle([...document.querySelectorAll('.over')].at(-1)).opacity"),
        "0.3"
    );
    // Colours.
    let red =
        "document.querySelector('#bare-plain feFuncR').getAttribute('tableValues').slice(0, 40)";
    let inferno = window.text(red);
    set("#view-plain", "viridis", "change");
    assert_ne!(window.text(red), inferno);
    // One scale for a row: the weaker map's levels are squeezed, and the ends say so.
    let ends = "[...document.querySelectorAll('.method[data-method=grad_cam] .row')][0].querySelectorAll('.scale > span:last-of-type').length";
    assert!(window.number(ends) > 1.0);
    let highs = "[...new Set([...document.querySelectorAll('.method[data-method=grad_cam] .row')[0].querySelectorAll('.scale')].map((scale) => scale.lastElementChild.textContent))].length";
    assert!(
        window.number(highs) > 1.0,
        "the made-up maps have scales of their own"
    );
    set("#view-scale", "row", "change");
    assert_eq!(window.number(highs), 1.0);
    assert!(
        window.number("document.querySelectorAll('filter feFuncR[type=linear]').length") >= 1.0
    );
    // What is shown.
    let shown = |selector: &str| {
        window.number(&format!("[...document.querySelectorAll('{selector}')].filter((part) => part.offsetParent !== null || part.getClientRects().length).length"))
    };
    let cells = shown("#photo-0 .grid > .n1");
    assert!(cells > 0.0);
    window.click("#view-nets label:nth-of-type(2) input");
    assert_eq!(shown("#photo-0 .grid > .n1"), 0.0);
    assert_eq!(
        window.text("document.querySelector('#content').style.getPropertyValue('--columns')"),
        "2"
    );
    window.click("#view-methods label:nth-of-type(1) input");
    assert_eq!(shown("#photo-0 .method:first-of-type"), 0.0);
    window.click("#view-photos label:nth-of-type(2) input");
    assert_eq!(shown("#photo-1"), 0.0);
    // The address brings it all back.
    let hash = window.text("location.hash");
    for part in [
        "over=30",
        "plain=viridis",
        "scale=row",
        "net=1",
        "method=0",
        "photo=1",
    ] {
        assert!(hash.contains(part), "{hash}");
    }
    window.tab.reload(false, None).unwrap();
    window.tab.wait_until_navigated().unwrap();
    assert_eq!(window.text("location.hash"), hash);
    window.until(&format!("{strength} === '0.3'"));
    assert_eq!(shown("#photo-0 .grid > .n1"), 0.0);
    assert_eq!(shown("#photo-1"), 0.0);
    assert!(
        !window.holds("document.querySelector('#view-nets label:nth-of-type(2) input').checked")
    );
    // And as at first.
    window.eval("document.querySelector('#view-all').click()");
    assert_eq!(shown("#photo-0 .grid > .n1"), cells);
    assert_eq!(window.text(strength), "0.9");
    assert_eq!(window.text(red), inferno);
    window.quiet();
}

#[test]
fn the_depth_slider_walks_the_layers_of_all_photos() {
    let Some(window) = Window::open(&page(Lang::En)) else {
        return;
    };
    let rows = "[...document.querySelectorAll('.method[data-method=activations] .row')].filter((row) => row.getClientRects().length).map((row) => row.dataset.depth)";
    let all = window.eval(rows);
    let all = all.as_array().unwrap();
    window.eval("{ const input = document.querySelector('.walk input'); input.value = 1; input.dispatchEvent(new Event('input')); }");
    let some = window.eval(rows);
    let some = some.as_array().unwrap();
    assert!(some.len() < all.len() && !some.is_empty());
    assert!(some.iter().all(|depth| *depth == all[0]));
    assert_eq!(
        window.text("document.querySelector('.walk output').textContent"),
        all[0].as_str().unwrap()
    );
    window.quiet();
}

#[test]
fn a_row_is_enlarged_zoomed_together_and_walked_by_keys() {
    let Some(window) = Window::open(&page(Lang::En)) else {
        return;
    };
    window.eval("document.querySelector('.method[data-method=grad_cam] .row').scrollIntoView({ block: 'center' })");
    window.click(".method[data-method=grad_cam] .row svg.pic.bare");
    window.until("document.querySelector('#enlarged').open");
    let title = "document.querySelector('#enlarged-title').textContent";
    let first = window.text(title);
    assert!(first.contains("Grad-CAM"), "{first}");
    let boxes = "[...new Set([...document.querySelectorAll('.stage svg.pic')].map((picture) => picture.getAttribute('viewBox')))]";
    assert_eq!(window.eval(boxes), json!(["0 0 100 100"]));
    window.click("#enlarged-in");
    let zoomed = window.eval(boxes);
    assert_eq!(
        zoomed.as_array().unwrap().len(),
        1,
        "all networks at the same place"
    );
    assert_ne!(zoomed, json!(["0 0 100 100"]));
    // The number under the pointer, of the very place: the strongest one of its map.
    window.tab.press_key("0").unwrap();
    window.until("document.querySelector('#enlarged-zoom').textContent === '100 %'");
    let point = "{ const box = document.querySelector('.stage svg.pic[data-low]').getBoundingClientRect(); return [box.left + box.width / 2, box.top + box.height / 2]; }";
    let point = window.eval(point);
    let at = headless_chrome::browser::tab::point::Point {
        x: point[0].as_f64().unwrap(),
        y: point[1].as_f64().unwrap(),
    };
    let near = headless_chrome::browser::tab::point::Point {
        x: at.x + 1.0,
        y: at.y,
    };
    window.tab.move_mouse_to_point(at).unwrap();
    std::thread::sleep(Duration::from_millis(300));
    window.tab.move_mouse_to_point(near).unwrap();
    window.until("!document.querySelector('.probe').hidden");
    let said = window.text("document.querySelector('.probe').textContent");
    assert!(
        regex::Regex::new(r"^x \d+, y \d+: \S+")
            .unwrap()
            .is_match(&said),
        "{said}"
    );
    window.tab.press_key("ArrowLeft").unwrap();
    window.until(&format!("{title} !== {}", json!(first)));
    window.tab.press_key("ArrowRight").unwrap();
    window.until(&format!("{title} === {}", json!(first)));
    // Held: the bare photo.
    window.eval("dispatchEvent(new KeyboardEvent('keydown', { key: 'b' }))");
    assert_eq!(
        window.text("getComputedStyle(document.querySelector('.over')).opacity"),
        "0"
    );
    window.eval("dispatchEvent(new KeyboardEvent('keyup', { key: 'b' }))");
    assert_eq!(
        window.text("getComputedStyle(document.querySelector('.over')).opacity"),
        "0.9"
    );
    window.tab.press_key("Escape").unwrap();
    window.until("!document.querySelector('#enlarged').open");
    window.quiet();
}

#[test]
fn pictures_and_tables_can_be_taken_away() {
    let Some(window) = Window::open(&page(Lang::En)) else {
        return;
    };
    window.eval("{ window.saved = []; const make = URL.createObjectURL; URL.createObjectURL = (blob) => { window.blob = blob; return make(blob); }; HTMLAnchorElement.prototype.click = function () { if (this.download) saved.push([this.download, this.href]); }; }");
    window.click(".method[data-method=saliency] .enlarge");
    window.until("document.querySelector('#enlarged').open");
    window.click("#enlarged-save");
    window.until("saved.length === 1");
    // Not one colour: the maps are in it.
    let colours = "{ const image = new Image(); image.src = saved[0][1]; await image.decode(); const canvas = document.createElement('canvas'); canvas.width = image.width; canvas.height = image.height; const context = canvas.getContext('2d'); context.drawImage(image, 0, 0); const data = new Uint32Array(context.getImageData(0, 0, image.width, image.height).data.buffer); return new Set(data).size; }";
    assert!(window.number(colours) > 300.0);
    assert!(window.text("saved[0][0]").ends_with(".png"));
    window.eval("document.querySelector('#enlarged').close()");
    window.eval("document.querySelector('.csv').click()");
    let csv = window.text("blob.text()");
    assert!(csv.contains("resnet50,vgg,lite0"), "{csv}");
    assert!(
        csv.contains("Depth in layers with weights,50,14,50"),
        "{csv}"
    );
}

#[test]
fn everything_is_there_without_a_script() {
    for (name, html) in pages() {
        let script_free = |tab: &Tab| {
            let off = json!({"value": true});
            let off: Emulation::SetScriptExecutionDisabled = serde_json::from_value(off).unwrap();
            tab.call_method(off).unwrap();
        };
        let Some(with) = Window::open(&html) else {
            return;
        };
        let Some(without) = Window::open_with(&html, script_free) else {
            return;
        };
        let seen = "[...document.querySelectorAll('main section, main svg.pic, main svg.chart, main table, main figcaption, main h2, main h3')].filter((part) => part.getClientRects().length).length";
        let found = without.number(seen);
        assert!(found > 50.0, "{name}: {found}");
        assert_eq!(found, with.number(seen), "{name}");
        // Nothing that would do nothing.
        assert_eq!(
            without.number("document.querySelectorAll('button, input, select').length"),
            0.0,
            "{name}"
        );
    }
}

#[test]
fn no_width_makes_the_page_scroll_sideways() {
    for (name, html) in pages() {
        let Some(window) = Window::open(&html) else {
            return;
        };
        for scheme in ["light", "dark"] {
            window.media(None, scheme);
            for width in [360, 600, 800, 1280, 1920, 2560] {
                window.width(width);
                let wide = window.number("document.documentElement.scrollWidth");
                assert!(wide <= f64::from(width), "{name}: {wide} at {width}");
            }
        }
    }
}

/// The pages of a PDF.
fn printed(window: &Window, [width, height]: [f64; 2]) -> usize {
    let options = PrintToPdfOptions {
        paper_width: Some(width),
        paper_height: Some(height),
        print_background: Some(true),
        prefer_css_page_size: Some(false),
        ..PrintToPdfOptions::default()
    };
    let pdf = window.tab.print_to_pdf(Some(options)).unwrap();
    assert!(pdf.starts_with(b"%PDF"));
    let text = String::from_utf8_lossy(&pdf);
    regex::Regex::new(r"/Type\s*/Page\b")
        .unwrap()
        .find_iter(&text)
        .count()
}

#[test]
fn it_prints_on_a4_and_letter_with_nothing_cut() {
    for (name, html) in pages() {
        let Some(window) = Window::open(&html) else {
            return;
        };
        let photos = window.number("document.querySelectorAll('section.photo').length") as usize;
        for (paper, size) in [("A4", [8.27, 11.69]), ("Letter", [8.5, 11.0])] {
            let count = printed(&window, size);
            // Each photo begins a page, and a few come before and after.
            assert!(
                count > photos && count < 12 + 12 * photos.max(4),
                "{name} on {paper}: {count} pages"
            );
            // As wide as the paper without its margins, nothing reaches beyond it.
            window.media(Some("print"), "light");
            let width = ((size[0] - 24.0 / 25.4) * 96.0) as u32;
            window.width(width);
            let beyond = window.eval("[...document.querySelectorAll('main *')].filter((part) => part.getClientRects().length && !part.closest('.hidden, .store') && !part.ownerSVGElement && part.getBoundingClientRect().right > innerWidth + 1).map((part) => part.outerHTML.slice(0, 120))");
            assert_eq!(beyond, json!([]), "{name} on {paper}");
            assert_eq!(window.number("document.querySelectorAll('.bar, .tool').length && [...document.querySelectorAll('.bar, .tool, .tools, .walk')].filter((part) => part.getClientRects().length).length"), 0.0);
            window.media(None, "light");
        }
    }
}

/// An npm package's folder, fetched once into `target/`.
fn npm(name: &str, version: &str) -> Option<PathBuf> {
    static FETCHING: Mutex<()> = Mutex::new(());
    let _alone = FETCHING
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("npm");
    let place = folder.join("node_modules").join(name);
    if place.join("package.json").is_file() {
        return Some(place);
    }
    std::fs::create_dir_all(&folder).unwrap();
    let fetched = Command::new("npm")
        .args([
            "install",
            "--no-audit",
            "--no-fund",
            "--ignore-scripts",
            "--prefix",
        ])
        .arg(&folder)
        .arg(format!("{name}@{version}"))
        .output();
    match fetched {
        Ok(output) if output.status.success() => Some(place),
        _ => {
            absent(&format!("npm's {name}"));
            None
        }
    }
}

#[test]
fn axe_finds_nothing() {
    let Some(axe) = npm("axe-core", "4.11") else {
        return;
    };
    let axe = std::fs::read_to_string(axe.join("axe.min.js")).unwrap();
    for (name, html) in pages() {
        let Some(window) = Window::open(&html) else {
            return;
        };
        window.tab.evaluate(&axe, false).unwrap();
        for scheme in ["light", "dark"] {
            window.media(None, scheme);
            for opened in [
                "",
                "document.querySelector('.view summary').click()",
                "document.querySelector('.enlarge').click()",
            ] {
                if !opened.is_empty() {
                    window.eval(&format!("{{ {opened} }}"));
                }
                let found = window.eval("(await axe.run()).violations.map((v) => [v.impact, v.id, v.nodes.length, v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160) + ' ' + n.failureSummary.slice(0, 200))])");
                assert_eq!(found, json!([]), "{name}, {scheme}, {opened}");
            }
            window.eval("{ document.querySelector('#enlarged').close(); document.querySelector('.view summary').click(); }");
        }
    }
}

#[test]
fn the_file_is_valid_html() {
    let Some(validator) = npm("html-validate", "10") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    for (at, (name, html)) in pages().into_iter().enumerate() {
        let file = folder.path().join(format!("{at}.html"));
        std::fs::write(&file, html).unwrap();
        std::fs::write(
            folder.path().join(".htmlvalidate.json"),
            r#"{"root": true, "extends": ["html-validate:standard"]}"#,
        )
        .unwrap();
        let output = Command::new("node")
            .arg(validator.join("bin/html-validate.mjs"))
            .arg(&file)
            .current_dir(folder.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success(),
            "{name}: {}",
            said.chars().take(4000).collect::<String>()
        );
    }
}
