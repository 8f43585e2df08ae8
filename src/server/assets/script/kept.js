// What is kept: one object under one name; whatever is wrong in it is passed over.

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
