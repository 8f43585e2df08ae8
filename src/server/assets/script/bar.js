// The bar.

// Known once the page is there: this may run before it.
let host = null;
let shadow = null;
let words = {};
const inBar = (id) => shadow && shadow.getElementById(id);
const findBar = () => {
  host = window === window.top ? byId(barId) : null;
  shadow = host && host.shadowRoot;
  if (inBar("words")) words = inBar("words").dataset;
  // Within another page a second bar would be in the way.
  if (window !== window.top) {
    html.style.setProperty("margin-top", "0", "important");
    const second = byId(barId);
    if (second) second.hidden = true;
  }
};

const startBar = () => {
  host.setAttribute("data-script", "");
  // Outside of the body no style of the body moves it.
  html.insertBefore(host, own("body"));
  let last = scrollY;
  addEventListener("scroll", () => {
    const open = shadow.querySelector("details[open]") || shadow.activeElement;
    if (scrollY < 60 || scrollY < last - 4 || open) host.removeAttribute("data-away");
    else if (scrollY > last + 4) host.setAttribute("data-away", "");
    last = scrollY;
  }, { passive: true });

  const menus = [...shadow.querySelectorAll("details")];
  const close = (but) => menus.forEach((menu) => menu !== but && (menu.open = false));
  menus.forEach((menu) => menu.addEventListener("toggle", () => menu.open && close(menu)));
  addEventListener("click", (event) => {
    const inside = event.composedPath();
    close(menus.find((menu) => inside.includes(menu)));
  });
  const contents = inBar("contents");
  if (contents) contents.addEventListener("click", (event) => event.target.closest("a") && close());
  shadow.addEventListener("keydown", (event) => {
    const menu = event.target.closest && event.target.closest("details[open]");
    if (event.key !== "Escape" || !menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
  addEventListener("keydown", (event) => {
    const at = event.composedPath()[0];
    const typing = at instanceof Element && (at.matches("input, textarea, select") || at.isContentEditable);
    const field = inBar("q") || byId("q");
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || typing || !field) return;
    event.preventDefault();
    host.removeAttribute("data-away");
    field.focus();
    field.select();
  });
  startSettings();
  if (contents) startContents(contents);
  if (inBar("bookmark")) startBookmark(inBar("bookmark"));
  if (inBar("q")) suggest(inBar("q"), inBar("list"), inBar("said"), host.getAttribute("data-archive"));
};

const startSettings = () => {
  const menu = inBar("settings");
  menu.hidden = false;
  const show = () => {
    const { settings } = kept();
    for (const input of menu.querySelectorAll("input")) input.checked = settings[input.name] === input.value;
  };
  show();
  menu.addEventListener("change", (event) => {
    keep((value) => (value.settings[event.target.name] = event.target.value));
    apply();
  });
  addEventListener("storage", (event) => event.key === KEY && (show(), apply()));
  addEventListener("pageshow", (event) => event.persisted && (show(), apply()));
  prefersDark.addEventListener("change", apply);
};

/** Marks the section that is read. */
const startContents = (menu) => {
  const links = [...menu.querySelectorAll("a")];
  const heading = (link) => {
    try {
      return byId(decodeURIComponent(link.hash.slice(1))) || byId(link.hash.slice(1));
    } catch {
      return byId(link.hash.slice(1));
    }
  };
  const mark = () => {
    let current = null;
    for (const link of links) {
      const at = heading(link);
      if (at && Element.prototype.getBoundingClientRect.call(at).top < 120) current = link;
    }
    for (const link of links) link === current ? link.setAttribute("aria-current", "location") : link.removeAttribute("aria-current");
    if (current && menu.open) current.scrollIntoView({ block: "nearest" });
  };
  menu.addEventListener("toggle", () => menu.open && mark());
  addEventListener("scroll", () => menu.open && mark(), { passive: true });
};

const here = () => ({
  path,
  title: text(own("title").trim(), 300) || path,
  archive: text(host.getAttribute("data-title"), 300),
  time: Date.now(),
});

const startBookmark = (button) => {
  const show = () => button.setAttribute("aria-pressed", String(kept().bookmarks.some((row) => row.path === path)));
  button.hidden = false;
  show();
  button.addEventListener("click", () => {
    keep((value) => {
      const others = value.bookmarks.filter((row) => row.path !== path);
      value.bookmarks = others.length < value.bookmarks.length ? others : [here(), ...others].slice(0, MOST.bookmarks);
    });
    show();
  });
  addEventListener("storage", (event) => event.key === KEY && show());
  keep((value) => (value.history = [here(), ...value.history.filter((row) => row.path !== path)].slice(0, MOST.history)));
};
