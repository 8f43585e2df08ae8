// The script of all pages. Each page works without it; with it there are suggestions as one types,
// settings, history and bookmarks.
//
// Pages of archives are by strangers, whose scripts do not run here, but whose elements may have any
// name: a picture called "title" hides document.title. So nothing is read from the document by name,
// and what is read from the page is used as text alone.
(() => {
  "use strict";
  const ran = Symbol.for("tome");
  if (window[ran]) return;
  window[ran] = true;

  const D = Document.prototype;
  const own = (name) => Object.getOwnPropertyDescriptor(D, name).get.call(document);
  const make = (tag, text, parts) => {
    const element = D.createElement.call(document, tag);
    if (text !== undefined) element.textContent = text;
    return Object.assign(element, parts);
  };
  const byId = (id) => D.getElementById.call(document, id);
  const all = (selector) => D.querySelectorAll.call(document, selector);
  const html = own("documentElement");
  const decoded = (text) => {
    try {
      return decodeURIComponent(text);
    } catch {
      return text;
    }
  };
  const fill = (sentence, value) => sentence.replace("{}", () => value);

  // Our own element is in no page's text, so it says truly where the server's paths begin, and which of
  // the bars that may stand in a page is ours.
  const self = own("currentScript");
  const root = new URL(self.src).pathname.replace(/\/_tome\/tome\.js$/, "");
  const barId = self.getAttribute("data-bar");
  const path = location.pathname.slice(root.length);
  const isArticle = path.startsWith("/a/");
  const place = isArticle ? path.slice(3).split("/")[0] : "";

  // ---- What is kept: one object under one name; whatever is wrong in it is passed over.

  const KEY = "tome";
  const MOST = { history: 500, bookmarks: 2000 };
  const CHOICES = {
    theme: ["auto", "light", "dark", "sepia"],
    size: ["100", "85", "115", "130", "150"],
    width: ["page", "narrow", "medium", "full"],
  };
  let memory = null;

  const text = (value, most) => (typeof value === "string" ? value.slice(0, most) : "");
  const cleanList = (list, most) => {
    if (!Array.isArray(list)) return [];
    const rows = list.slice(0, most * 2).map((row) => ({
      path: text(row && row.path, 4000),
      title: text(row && row.title, 300),
      archive: text(row && row.archive, 300),
      time: Number.isFinite(row && row.time) ? row.time : 0,
    }));
    return rows.filter((row) => row.path.startsWith("/a/")).slice(0, most);
  };
  const clean = (value) => {
    const from = value && typeof value === "object" ? value : {};
    const settings = {};
    for (const name of Object.keys(CHOICES)) {
      const chosen = from.settings && from.settings[name];
      settings[name] = CHOICES[name].includes(chosen) ? chosen : CHOICES[name][0];
    }
    return { settings, history: cleanList(from.history, MOST.history), bookmarks: cleanList(from.bookmarks, MOST.bookmarks) };
  };
  const kept = () => {
    if (memory) return memory;
    try {
      return clean(JSON.parse(localStorage.getItem(KEY)));
    } catch {
      return clean(null);
    }
  };
  const keep = (change) => {
    const value = kept();
    change(value);
    try {
      localStorage.setItem(KEY, JSON.stringify(value));
    } catch {
      // A browser that keeps nothing: for this page at least.
      memory = value;
    }
  };

  // ---- Settings, as attributes of the root element that the style sheets know.

  const prefersDark = matchMedia("(prefers-color-scheme: dark)");
  const luminance = (color) => {
    const n = (color.match(/[\d.]+/g) || []).map(Number);
    if (n.length < 3 || (n.length > 3 && n[3] < 0.5)) return null;
    return (0.299 * n[0] + 0.587 * n[1] + 0.114 * n[2]) / 255;
  };
  const style = (element) => getComputedStyle(element);

  /** Returns whether the page itself is light: by what lies under some of its points. */
  const isLight = () => {
    const found = [];
    for (const [x, y] of [[0.5, 0.3], [0.5, 0.6], [0.3, 0.85], [0.7, 0.45]]) {
      let at = D.elementFromPoint.call(document, innerWidth * x, Math.max(60, innerHeight * y));
      let light = null;
      for (let steps = 0; at && light === null && steps < 64; steps++) {
        light = luminance(style(at).backgroundColor);
        at = Object.getOwnPropertyDescriptor(Node.prototype, "parentElement").get.call(at);
      }
      if (light === null) light = style(html).colorScheme.includes("dark") && prefersDark.matches ? 0 : 1;
      found.push(light);
    }
    return found.filter((light) => light > 0.5).length * 2 >= found.length;
  };

  const apply = () => {
    const { theme, size, width } = kept().settings;
    const set = (name, value, usual) => (value === usual ? html.removeAttribute(name) : html.setAttribute(name, value));
    set("data-tome-theme", theme, "auto");
    set("data-tome-size", size, "100");
    set("data-tome-width", isArticle ? width : "page", "page");
    let filter = "";
    let shown = theme;
    if (isArticle && window === window.top && own("body")) {
      const light = isLight();
      const dark = theme === "dark" || (theme === "auto" && prefersDark.matches);
      const turn = dark ? light : theme !== "auto" && !light;
      const isOurs = [...own("styleSheets")].some((sheet) => sheet.href && new URL(sheet.href).pathname === root + "/_tome/content.css");
      if (!isOurs) filter = [turn && "invert", theme === "sepia" && "sepia"].filter(Boolean).join(" ");
      // Under a filter the bar has the page's own lightness, and is turned with it.
      if (filter) shown = light ? "light" : "dark";
      if (filter && luminance(style(html).backgroundColor) === null && !html.hasAttribute("data-tome-ground")) {
        const ground = style(own("body")).backgroundColor;
        html.setAttribute("data-tome-ground", "");
        html.style.setProperty("background-color", luminance(ground) === null ? (light ? "#fff" : "#000") : ground);
      }
      if (filter) smallPictures();
      try {
        sessionStorage.setItem("tome-look", JSON.stringify({ path: root + "/a/" + place + "/", filter }));
      } catch {
        // The next page may flash.
      }
    }
    set("data-tome-filter", filter, "");
    if (host) filter.startsWith("invert") ? host.setAttribute("data-turned", "") : host.removeAttribute("data-turned");
    if (host) shown === "auto" ? host.removeAttribute("data-theme") : host.setAttribute("data-theme", shown);
  };

  /** Marks pictures as small as letters, which are turned like letters. */
  const smallPictures = () => {
    for (const picture of own("images")) {
      const box = Element.prototype.getBoundingClientRect.call(picture);
      const small = box.width > 0 && (box.width <= 40 || box.height <= 24);
      if (small) Element.prototype.setAttribute.call(picture, "data-tome-small", "");
    }
  };

  // ---- The bar.

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

  // ---- Suggestions under a search field: a combobox with a list.

  const suggest = (field, list, said, archive) => {
    let options = [];
    let chosen = -1;
    let asked = null;
    let timer = 0;
    field.setAttribute("role", "combobox");
    field.setAttribute("aria-autocomplete", "list");
    field.setAttribute("aria-expanded", "false");
    field.setAttribute("aria-controls", list.id);

    const close = () => {
      list.hidden = true;
      field.setAttribute("aria-expanded", "false");
      choose(-1);
    };
    const choose = (n) => {
      chosen = n;
      options.forEach((option, i) => option.row.setAttribute("aria-selected", String(i === n)));
      if (n < 0) return field.removeAttribute("aria-activedescendant");
      field.setAttribute("aria-activedescendant", options[n].row.id);
      options[n].row.scrollIntoView({ block: "nearest" });
    };
    const row = (name, note, go) => {
      const element = make("li", undefined, { id: "option-" + options.length });
      element.setAttribute("role", "option");
      element.setAttribute("aria-selected", "false");
      const label = make("span", name, { className: "name", dir: "auto" });
      element.append(label);
      if (note) element.append(make("span", note, { className: "note", dir: "auto" }));
      element.addEventListener("mousedown", (event) => event.preventDefault());
      element.addEventListener("click", go);
      options.push({ row: element, go });
      list.append(element);
      return element;
    };
    const show = (found, query) => {
      options = [];
      list.textContent = "";
      for (const one of found) {
        if (!one || typeof one.title !== "string" || typeof one.path !== "string") continue;
        const name = typeof one.archive === "string" ? one.archive : archive;
        if (!name) continue;
        const notes = [
          typeof one.via === "string" && fill(words.from, one.via),
          one.match === "typo" && words.typo,
          !archive && name,
        ];
        const fragment = typeof one.fragment === "string" ? "#" + encodeURIComponent(one.fragment) : "";
        const to = root + "/a/" + encodeURIComponent(name) + "/" + one.path.split("/").map(encodeURIComponent).join("/") + fragment;
        row(one.title, notes.filter(Boolean).join(" · "), () => location.assign(to));
      }
      said.textContent = fill(words.n, String(options.length));
      row(fill(words.all, query), "", () => field.form.requestSubmit()).classList.add("all");
      chosen = -1;
      field.removeAttribute("aria-activedescendant");
      list.hidden = false;
      field.setAttribute("aria-expanded", "true");
    };
    const ask = async () => {
      const query = field.value.trim();
      if (asked) asked.abort();
      if (!query) return close();
      asked = new AbortController();
      const values = new URLSearchParams({ q: query, n: "10" });
      if (archive) values.set("archive", archive);
      try {
        const response = await fetch(root + "/api/suggest?" + values, { signal: asked.signal });
        const found = response.ok ? await response.json() : [];
        if (field.value.trim() === query) show(Array.isArray(found) ? found.slice(0, 20) : [], query);
      } catch (error) {
        if (error.name !== "AbortError") close();
      }
    };
    field.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(ask, 40);
    });
    field.addEventListener("focus", () => field.value.trim() && ask());
    field.addEventListener("blur", close);
    field.addEventListener("keydown", (event) => {
      if (event.isComposing) return;
      const n = options.length;
      if (event.key === "Escape") {
        if (list.hidden) field.blur();
        else close();
        event.preventDefault();
      } else if (event.key === "Enter" && chosen >= 0 && !list.hidden) {
        event.preventDefault();
        options[chosen].go();
      } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && n) {
        event.preventDefault();
        if (list.hidden) return void ask();
        const step = event.key === "ArrowDown" ? 1 : -1;
        choose(chosen < 0 && step < 0 ? n - 1 : (chosen + step + n + 1) % (n + 1) === n ? -1 : chosen + step);
      }
    });
  };

  // ---- Pages of ours, known by their address, which no page of an archive has.

  const savedPage = () => {
    const main = byId("saved");
    main.hidden = false;
    const status = byId("status");
    const kinds = [["bookmarks", byId("bookmarks")], ["history", byId("history")]];
    const show = () => {
      const value = kept();
      for (const [kind, list] of kinds) {
        list.textContent = "";
        for (const one of value[kind]) {
          const item = make("li");
          const link = make("a", one.title || one.path, { href: root + one.path, dir: "auto" });
          const remove = make("button", "×", { type: "button", title: fill(main.dataset.remove, one.title) });
          remove.setAttribute("aria-label", fill(main.dataset.remove, one.title));
          remove.addEventListener("click", () => {
            keep((kept) => (kept[kind] = kept[kind].filter((row) => row.path !== one.path)));
            show();
          });
          item.append(link, make("span", one.archive, { className: "faint", dir: "auto" }), remove);
          list.append(item);
        }
        byId("no-" + kind).hidden = value[kind].length > 0;
      }
      byId("forget").hidden = !value.history.length;
    };
    byId("forget").addEventListener("click", () => {
      keep((value) => (value.history = []));
      show();
    });
    byId("export").addEventListener("click", () => {
      const file = new Blob([JSON.stringify({ tome: 1, ...kept() }, null, 1)], { type: "application/json" });
      const link = make("a", "", { href: URL.createObjectURL(file), download: "tome-bookmarks.json" });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    });
    byId("file").addEventListener("change", async (event) => {
      const [file] = event.target.files;
      if (!file) return;
      let read = null;
      try {
        if (file.size < 8e6) read = JSON.parse(await file.text());
      } catch {
        read = null;
      }
      const fits = read && (Array.isArray(read.bookmarks) || Array.isArray(read.history));
      if (fits) {
        const more = clean(read);
        keep((value) => {
          for (const [kind] of kinds) {
            const known = new Set(value[kind].map((row) => row.path));
            const joined = [...value[kind], ...more[kind].filter((row) => !known.has(row.path))];
            value[kind] = joined.sort((a, b) => b.time - a.time).slice(0, MOST[kind]);
          }
        });
        show();
      }
      status.textContent = fits ? main.dataset.read : main.dataset.unread;
      event.target.value = "";
    });
    addEventListener("storage", (event) => event.key === KEY && show());
    show();

    // A page on an origin of its own asks behind the `#`, as anybody may: the reader decides.
    let wanted = null;
    const ask = () => {
      const asked = new URLSearchParams(location.hash.slice(1));
      const to = asked.get("add") || "";
      const isPath = to.startsWith("/a/") && new URL(to, location.origin).pathname === to;
      const rows = [{ path: isPath && to, title: asked.get("title"), archive: decoded(to.split("/")[2] || ""), time: Date.now() }];
      wanted = cleanList(rows, 1)[0];
      byId("add").hidden = !wanted;
      if (!wanted) return;
      byId("add-title").textContent = fill(byId("add").dataset.question, wanted.title || wanted.path);
      byId("add-path").textContent = decoded(wanted.path);
    };
    byId("add-it").addEventListener("click", () => {
      if (!wanted) return;
      const one = wanted;
      keep((value) => (value.bookmarks = [one, ...value.bookmarks.filter((row) => row.path !== one.path)].slice(0, MOST.bookmarks)));
      history.replaceState(null, "", root + path);
      ask();
      show();
    });
    addEventListener("hashchange", ask);
    ask();
  };

  /** The library's filter as one types; the form does the same without, and looks at the same parts. */
  const libraryPage = () => {
    const form = byId("filter");
    if (!form) return;
    const field = form.elements.namedItem("q");
    const count = byId("count");
    const lower = (part) => part.textContent.toLowerCase();
    const cards = [...all(".card")].map((card) => [card, [...card.querySelectorAll("h2, .about, .languages")].map(lower)]);
    const filter = () => {
      const sought = field.value.trim().toLowerCase();
      let shown = 0;
      for (const [card, parts] of cards) {
        card.hidden = !parts.some((part) => part.includes(sought));
        shown += !card.hidden;
      }
      byId("none").hidden = shown > 0;
      const { all, some, total } = count.dataset;
      const said = shown === Number(total) ? all : fill(fill(some, shown.toLocaleString(html.lang)), all);
      // It is read out when it changes.
      if (count.textContent !== said) count.textContent = said;
    };
    field.addEventListener("input", filter);
    // A browser may have kept what was typed before.
    filter();
    form.elements.namedItem("lang").addEventListener("change", () => form.requestSubmit());
  };

  /** The address that newer kiwix-serve shows: the page stands behind the `#`. */
  const viewerPage = () => {
    const to = location.hash.slice(1).replace(/^\/+/, "");
    const isSearch = to.startsWith("search?");
    location.replace(root + (isSearch ? "/" + to : to ? "/content/" + to : "/"));
  };

  const start = () => {
    findBar();
    apply();
    if (shadow) startBar();
    if (path === "/saved") savedPage();
    if (path === "/") libraryPage();
  };
  if (path === "/viewer") return viewerPage();
  if (own("readyState") === "loading") addEventListener("DOMContentLoaded", start);
  else start();
  addEventListener("load", () => isArticle && apply());
})();
