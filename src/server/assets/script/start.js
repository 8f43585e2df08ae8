// The script of all pages. Each page works without it; with it there are suggestions as one types,
// settings, history and bookmarks.
//
// Pages of archives are by strangers, whose scripts do not run here, but whose elements may have any
// name: a picture called "title" hides document.title. So nothing is read from the document by name,
// and what is read from the page is used as text alone.
//
// The parts in this folder are one script, put together in the order of `assets.rs`.

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
