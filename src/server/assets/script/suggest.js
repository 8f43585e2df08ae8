// Suggestions under a search field: a combobox with a list.

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
