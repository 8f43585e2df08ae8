//! A real browser: Chromium, driven over WebDriver by its own `chromedriver`.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fantoccini::elements::Element;
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use serde_json::{Value, json};
use url::Url;

/// How long something may take to appear before the test is broken.
const DEADLINE: Duration = Duration::from_secs(60);

/// Keys, as WebDriver calls them.
pub const DOWN: &str = "\u{e015}";
pub const ENTER: &str = "\u{e007}";
pub const ESCAPE: &str = "\u{e00c}";

/// How a browser is set up.
pub struct Setup {
    /// True if pages may run scripts.
    pub script: bool,
    /// Where every name of `.test` leads, a port of this machine. All other names lead nowhere.
    pub outside: u16,
}

/// A browser with a profile of its own, which ends with this.
pub struct Browser {
    client: Option<Client>,
    driver: Child,
    process: Option<i32>,
    runtime: tokio::runtime::Runtime,
    pub folder: tempfile::TempDir,
}

/// Says that something is not there; in CI that is a failure.
pub fn missing(what: &str) {
    assert!(std::env::var_os("CI").is_none(), "{what} is not there, and in CI it has to be");
    eprintln!("SKIPPED: {what} is not there");
}

fn program(names: &[&str]) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders).flat_map(|f| names.iter().map(move |n| f.join(n))).find(|p| p.is_file())
}

impl Browser {
    /// Starts one; where none is installed, says so and returns nothing.
    pub fn start(setup: &Setup) -> Option<Self> {
        let Some(driver) = program(&["chromedriver"]) else {
            missing("chromedriver");
            return None;
        };
        let Some(chromium) = program(&["chromium", "chromium-browser", "google-chrome"]) else {
            missing("chromium");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let mut driver = Command::new(driver)
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port = lines.by_ref().map_while(Result::ok).find_map(|line| {
            line.strip_prefix("ChromeDriver was started successfully on port ")
                .map(|port| port.trim_end_matches('.').to_owned())
        });
        // What is said later is of no use, but must not fill the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let mut browser = Self { client: None, driver, process: None, runtime, folder };
        let port = port.expect("chromedriver says its port");
        let capabilities = browser.capabilities(&chromium, setup);
        let client = browser.runtime.block_on(
            ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new())
                .capabilities(capabilities)
                .connect(&format!("http://127.0.0.1:{port}")),
        );
        let client = client.expect("a browser starts");
        let process = client.capabilities().and_then(|all| all.get("goog:processID")?.as_i64());
        browser.process = process.and_then(|id| i32::try_from(id).ok());
        browser.client = Some(client);
        browser.wide(1280);
        Some(browser)
    }

    fn capabilities(&self, chromium: &Path, setup: &Setup) -> serde_json::Map<String, Value> {
        let profile = self.folder.path().join("profile");
        let names = format!(
            "MAP *.test 127.0.0.1:{}, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost, EXCLUDE *.localhost",
            setup.outside
        );
        let all = json!({
            "browserName": "chrome",
            "goog:chromeOptions": {
                "binary": chromium,
                "args": [
                    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                    "--autoplay-policy=no-user-gesture-required",
                    format!("--user-data-dir={}", profile.display()),
                    format!("--host-resolver-rules={names}"),
                ],
                "prefs": {
                    "download.default_directory": self.folder.path(),
                    "profile.managed_default_content_settings.javascript": if setup.script { 1 } else { 2 },
                },
            },
            "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
        });
        all.as_object().unwrap().clone()
    }

    fn client(&self) -> &Client {
        self.client.as_ref().unwrap()
    }

    fn wait<T, E: std::fmt::Display>(&self, what: impl Future<Output = Result<T, E>>) -> T {
        let limited = async { tokio::time::timeout(DEADLINE, what).await };
        self.runtime.block_on(limited).expect("in time").unwrap_or_else(|e| panic!("{e}"))
    }

    /// Asks what only Chromium's driver knows.
    fn ask(&self, path: &'static str, body: Value) -> Value {
        self.wait(self.client().issue_cmd(Ask { path, body }))
    }

    /// Tells the browser something in its own protocol.
    fn tell(&self, command: &str, parameters: Value) {
        self.ask("goog/cdp/execute", json!({ "cmd": command, "params": parameters }));
    }

    pub fn goto(&self, url: &str) {
        self.wait(self.client().goto(url));
    }

    pub fn back(&self) {
        self.wait(self.client().back());
    }

    pub fn reload(&self) {
        self.wait(self.client().refresh());
    }

    pub fn url(&self) -> String {
        self.wait(self.client().current_url()).to_string()
    }

    /// Returns what a function's body says within the page.
    pub fn run(&self, body: &str) -> Value {
        self.wait(self.client().execute(body, vec![]))
    }

    /// The same for one that calls back, by its last argument.
    pub fn run_and_wait(&self, body: &str) -> Value {
        self.wait(self.client().execute_async(body, vec![]))
    }

    /// Waits until something is so.
    pub fn until(&self, what: &str, mut is_so: impl FnMut() -> bool) {
        let end = Instant::now() + DEADLINE;
        while !is_so() {
            assert!(Instant::now() < end, "never: {what}; at {}", self.url());
            std::thread::sleep(Duration::from_millis(40));
        }
    }

    /// Waits until an expression of the page is true.
    pub fn until_true(&self, expression: &str) {
        let body = format!("return !!({expression})");
        self.until(expression, || self.run(&body) == json!(true));
    }

    /// Waits until the page is one whose address ends so, and all of it is there.
    pub fn until_at(&self, end: &str) {
        self.until(end, || self.url().ends_with(end));
        self.until_true("document.readyState === 'complete'");
    }

    pub fn find(&self, css: &str) -> Element {
        self.wait(self.client().wait().at_most(DEADLINE).for_element(Locator::Css(css)))
    }

    /// Returns the id of the bar of the page's server, which stands in the script that loads ours.
    pub fn bar_id(&self) -> String {
        let body = "return [...document.scripts].map(s => /\"(tome-bar-[0-9a-f]{16})\"/.exec(s.textContent))
            .filter(found => found).map(found => found[1])[0]";
        self.run(body).as_str().expect("the page has a bar").to_owned()
    }

    /// Finds something on the bar, which is in a tree of its own.
    pub fn in_bar(&self, css: &str) -> Element {
        let bar = self.find(&format!("#{}", self.bar_id()));
        let root = self.wait(bar.shadow_root());
        self.wait(root.find(Locator::Css(css)))
    }

    pub fn click(&self, element: &Element) {
        self.wait(element.click());
    }

    /// Clicks on something of the page's own, away from the bar.
    pub fn click_in_page(&self, css: &str) {
        let element = self.find(css);
        let script = "arguments[0].scrollIntoView({ block: 'center', behavior: 'instant' })";
        self.wait(self.client().execute(script, vec![serde_json::to_value(&element).unwrap()]));
        self.click(&element);
    }

    /// Types into a field.
    pub fn type_in(&self, element: &Element, text: &str) {
        self.wait(element.send_keys(text));
    }

    /// Presses keys, whatever has the focus.
    pub fn press(&self, keys: &str) {
        let events = keys.chars().flat_map(|key| {
            ["keyDown", "keyUp"].map(|kind| json!({ "type": kind, "value": key.to_string() }))
        });
        let events: Vec<Value> = events.collect();
        self.ask("actions", json!({ "actions": [{ "type": "key", "id": "keys", "actions": events }] }));
    }

    pub fn text(&self, element: &Element) -> String {
        self.wait(element.text())
    }

    pub fn attribute(&self, element: &Element, name: &str) -> Option<String> {
        self.wait(element.attr(name))
    }

    /// Makes the window so wide.
    pub fn wide(&self, width: u32) {
        let size = json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false });
        self.tell("Emulation.setDeviceMetricsOverride", size);
    }

    /// Says that the system is dark, or light.
    pub fn system_is(&self, theme: &str) {
        let feature = json!({ "features": [{ "name": "prefers-color-scheme", "value": theme }] });
        self.tell("Emulation.setEmulatedMedia", feature);
    }

    /// Returns a picture of what is seen, which is also kept where `TOME_SHOTS` says.
    pub fn picture(&self, name: &str) -> image::RgbImage {
        let png = self.wait(self.client().screenshot());
        if let Some(folder) = std::env::var_os("TOME_SHOTS") {
            std::fs::write(Path::new(&folder).join(name).with_extension("png"), &png).unwrap();
        }
        image::load_from_memory(&png).unwrap().into_rgb8()
    }

    /// Returns how light the lower half of what is seen is, of 255: the page without its bar.
    pub fn lightness(&self, name: &str) -> u64 {
        let picture = self.picture(name);
        let lower = picture.enumerate_pixels().filter(|(_, y, _)| *y > picture.height() / 2);
        let (sum, n) = lower.fold((0, 0), |(sum, n), (.., p)| (sum + u64::from(p.0[1]), n + 1));
        sum / n
    }

    /// Returns what the console said since it was last asked.
    pub fn console(&self) -> Vec<String> {
        let log = self.ask("se/log", json!({ "type": "browser" }));
        let line = |entry: &Value| format!("{} {}", entry["level"], entry["message"]);
        log.as_array().unwrap().iter().map(line).collect()
    }

    /// Returns the addresses from which there was an answer since it was last asked.
    pub fn answered(&self) -> Vec<Url> {
        let log = self.ask("se/log", json!({ "type": "performance" }));
        let address = |entry: &Value| {
            let event: Value = serde_json::from_str(entry["message"].as_str()?).ok()?;
            let event = &event["message"];
            (event["method"] == "Network.responseReceived").then_some(())?;
            Url::parse(event["params"]["response"]["url"].as_str()?).ok()
        };
        log.as_array().unwrap().iter().filter_map(address).collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            let close = async { tokio::time::timeout(Duration::from_secs(10), client.close()).await };
            let _ = self.runtime.block_on(close);
        }
        // A browser that was told to close has no such process any more.
        #[cfg(target_os = "linux")]
        if let Some(id) = self.process.and_then(rustix::process::Pid::from_raw) {
            let name = std::fs::read_to_string(format!("/proc/{}/comm", id.as_raw_nonzero()));
            if name.is_ok_and(|name| name.starts_with("chrom")) {
                let _ = rustix::process::kill_process(id, rustix::process::Signal::KILL);
            }
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// A command of Chromium's driver that WebDriver does not have.
#[derive(Debug)]
struct Ask {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Ask {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, url::ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &Url) -> (hyper::Method, Option<String>) {
        (hyper::Method::POST, Some(self.body.to_string()))
    }
}
