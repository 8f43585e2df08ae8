// Pages of ours, known by their address, which no page of an archive has.

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
    // Letters that turn others round end with what was asked, and begin nowhere in it.
    const apart = (words) => `\u2068${words.replace(/[\u202a-\u202e\u2066-\u2069]/g, "")}\u2069`;
    byId("add-title").textContent = fill(byId("add").dataset.question, apart(wanted.title || wanted.path));
    byId("add-path").textContent = apart(decoded(wanted.path));
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
