// Settings, as attributes of the root element that the style sheets know.

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
