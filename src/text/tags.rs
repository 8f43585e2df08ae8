//! The elements and attributes that matter to what a page says, and how each one behaves.

/// How strongly an open element holds against end tags of something else: see [`Tag::reach`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    Inline,
    Paragraph,
    List,
    Cell,
    Row,
    RowGroup,
    Table,
}

/// How many ranks there are.
pub(super) const N_RANKS: usize = Rank::Table as usize + 1;

/// What becomes of an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// It stands in the tree, and its content is read.
    Shown,
    /// It has no content.
    Void,
    /// It and its content are not part of what a page says.
    Skipped,
    /// Its tags are looked past, its content is read.
    Transparent,
}

macro_rules! tags {
    ($($(#[$doc:meta])* $tag:ident: $($name:literal)|+, $rank:ident, $class:ident;)*) => {
        /// An HTML element, as far as the text of a page depends on it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Tag {
            $($(#[$doc])* $tag,)*
        }

        /// How many elements are told apart.
        pub(super) const N_TAGS: usize = [$(Tag::$tag),*].len();

        impl Tag {
            /// Returns the element of a lower-case name.
            pub(super) fn from_name(name: &[u8]) -> Self {
                match name {
                    $($($name)|+ => Self::$tag,)*
                    _ => Self::Other,
                }
            }

            pub(super) fn rank(self) -> Rank {
                match self {
                    $(Self::$tag => Rank::$rank,)*
                }
            }

            pub(super) fn class(self) -> Class {
                match self {
                    $(Self::$tag => Class::$class,)*
                }
            }
        }
    };
}

tags! {
    /// Any element that is not named here: inline, without a meaning of its own.
    Other: b"", Inline, Shown;
    /// `html`, `body`, `head`: never reported.
    Frame: b"html" | b"body" | b"head" | b"frameset", Inline, Transparent;
    /// `a`
    A: b"a", Inline, Shown;
    /// `b`, `strong`
    Bold: b"b" | b"strong", Inline, Shown;
    /// `i`, `em`, `cite`, `dfn`, `var`
    Italic: b"i" | b"em" | b"cite" | b"dfn" | b"var", Inline, Shown;
    /// `u`, `ins`
    Underline: b"u" | b"ins", Inline, Shown;
    /// `s`, `del`, `strike`
    Strike: b"s" | b"del" | b"strike", Inline, Shown;
    /// `code`, `kbd`, `samp`, `tt`
    Code: b"code" | b"kbd" | b"samp" | b"tt", Inline, Shown;
    /// `q`
    Quote: b"q", Inline, Shown;
    /// `sub`
    Sub: b"sub", Inline, Shown;
    /// `sup`
    Sup: b"sup", Inline, Shown;
    /// `rt`: how a ruby base is read.
    RubyText: b"rt", Inline, Shown;
    /// `br`
    Break: b"br", Inline, Void;
    /// `wbr`
    WordBreak: b"wbr", Inline, Void;
    /// `img`
    Image: b"img" | b"image", Inline, Void;
    /// `hr`
    Rule: b"hr", Paragraph, Void;
    /// Elements without content that say nothing.
    Empty: b"area" | b"base" | b"basefont" | b"bgsound" | b"col" | b"embed" | b"frame" | b"input" | b"keygen"
        | b"link" | b"meta" | b"param" | b"source" | b"track", Inline, Void;
    /// `p`
    P: b"p", Paragraph, Shown;
    /// `h1`
    H1: b"h1", Paragraph, Shown;
    /// `h2`
    H2: b"h2", Paragraph, Shown;
    /// `h3`
    H3: b"h3", Paragraph, Shown;
    /// `h4`
    H4: b"h4", Paragraph, Shown;
    /// `h5`
    H5: b"h5", Paragraph, Shown;
    /// `h6`
    H6: b"h6", Paragraph, Shown;
    /// `div` and its likes: a block without a meaning of its own.
    Div: b"div" | b"center" | b"address" | b"hgroup" | b"fieldset" | b"legend" | b"search" | b"dialog",
        Paragraph, Shown;
    /// `form`, which pages open in one cell and close in another.
    Form: b"form", Paragraph, Shown;
    /// `main`, `article`, `section`
    Section: b"main" | b"article" | b"section", Paragraph, Shown;
    /// `nav`
    Nav: b"nav", Paragraph, Shown;
    /// `aside`
    Aside: b"aside", Paragraph, Shown;
    /// `header`
    Header: b"header", Paragraph, Shown;
    /// `footer`
    Footer: b"footer", Paragraph, Shown;
    /// `ul`, `menu`, `dir`
    Ul: b"ul" | b"menu" | b"dir", List, Shown;
    /// `ol`
    Ol: b"ol", List, Shown;
    /// `li`
    Li: b"li", List, Shown;
    /// `dl`
    Dl: b"dl", List, Shown;
    /// `dt`
    Dt: b"dt", List, Shown;
    /// `dd`
    Dd: b"dd", List, Shown;
    /// `blockquote`
    Blockquote: b"blockquote", List, Shown;
    /// `pre`, `listing`, `xmp`, `plaintext`: white space counts in here.
    Pre: b"pre" | b"listing" | b"xmp" | b"plaintext", List, Shown;
    /// `figure`
    Figure: b"figure", List, Shown;
    /// `figcaption`
    Figcaption: b"figcaption", Paragraph, Shown;
    /// `details`
    Details: b"details", List, Shown;
    /// `summary`
    Summary: b"summary", Paragraph, Shown;
    /// `table`
    Table: b"table", Table, Shown;
    /// `caption` of a table
    Caption: b"caption", Cell, Shown;
    /// `thead`
    Thead: b"thead", RowGroup, Shown;
    /// `tbody`
    Tbody: b"tbody", RowGroup, Shown;
    /// `tfoot`
    Tfoot: b"tfoot", RowGroup, Shown;
    /// `tr`
    Tr: b"tr", Row, Shown;
    /// `td`
    Td: b"td", Cell, Shown;
    /// `th`
    Th: b"th", Cell, Shown;
    /// `title`, which stands in the head of a page.
    Title: b"title", List, Shown;
    /// `math`
    Math: b"math", Inline, Shown;
    /// `svg`: its words are labels of a drawing.
    Svg: b"svg", List, Skipped;
    /// Scripts, styles, and what stands in for them.
    Script: b"script" | b"style" | b"template" | b"noscript" | b"noframes" | b"noembed" | b"iframe", List, Skipped;
    /// Form controls.
    Control: b"button" | b"select" | b"textarea" | b"datalist" | b"progress" | b"meter", List, Skipped;
    /// The choices of a control, which pages seldom close.
    Choice: b"option" | b"optgroup", Inline, Skipped;
    /// What plays: its content is for programs that cannot play it.
    Player: b"audio" | b"video" | b"canvas" | b"applet", List, Skipped;
    /// Source forms beside a formula.
    Annotation: b"annotation" | b"annotation-xml", Inline, Skipped;
}

impl Tag {
    /// Returns the level of a heading, 1 to 6.
    pub fn heading_level(self) -> Option<u8> {
        Some(match self {
            Self::H1 => 1,
            Self::H2 => 2,
            Self::H3 => 3,
            Self::H4 => 4,
            Self::H5 => 5,
            Self::H6 => 6,
            _ => return None,
        })
    }

    /// Returns true if the element stands on lines of its own.
    pub fn is_block(self) -> bool {
        self.rank() > Rank::Inline
    }

    /// Returns the strongest rank past which an end tag of this element closes what it names.
    ///
    /// `</b>` ends paragraphs that were opened in the bold, but no list; `</div>` ends lists, but
    /// never the cell that it stands in. What is stronger makes the end tag void.
    pub(super) fn reach(self) -> Rank {
        match self.rank() {
            Rank::Inline => Rank::Paragraph,
            Rank::Paragraph => Rank::List,
            rank => rank,
        }
    }
}

macro_rules! attributes {
    ($($(#[$doc:meta])* $attribute:ident: $name:literal;)*) => {
        /// An attribute that is kept.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Attribute {
            $($(#[$doc])* $attribute,)*
        }

        impl Attribute {
            pub(super) fn from_name(name: &[u8]) -> Option<Self> {
                match name {
                    $($name => Some(Self::$attribute),)*
                    _ => None,
                }
            }
        }
    };
}

attributes! {
    /// `href`
    Href: b"href";
    /// `id`
    Id: b"id";
    /// `name`
    Name: b"name";
    /// `class`
    Class: b"class";
    /// `style`
    Style: b"style";
    /// `hidden`
    Hidden: b"hidden";
    /// `aria-hidden`
    AriaHidden: b"aria-hidden";
    /// `role`
    Role: b"role";
    /// `src`
    Src: b"src";
    /// `alt`
    Alt: b"alt";
    /// `colspan`
    Colspan: b"colspan";
    /// `rowspan`
    Rowspan: b"rowspan";
    /// `start` of a list
    Start: b"start";
    /// `value` of a list item
    Value: b"value";
    /// `type` of a list's numbers
    Type: b"type";
    /// `border` of a table
    Border: b"border";
    /// `lang`
    Lang: b"lang";
    /// `data-nosnippet`: not for excerpts of the page.
    NoSnippet: b"data-nosnippet";
}

/// Returns true for a class by which widespread templates mark what leads round a site and is no
/// part of the page: MediaWiki and its skins, Sphinx, rustdoc, mdBook.
pub(super) fn is_chrome_class(class: &[u8]) -> bool {
    matches!(
        class,
        b"noprint" | b"navbox" | b"navigation-not-searchable" | b"mw-editsection" | b"editsection" | b"mw-jump-link"
            | b"catlinks" | b"printfooter" | b"vertical-navbox" | b"nomobile" | b"mw-empty-elt"
            // cppreference's menu of the whole library on each of its pages
            | b"t-navbar"
            // Sphinx, Docusaurus: the mark that links a heading to itself; side bars
            | b"headerlink" | b"hash-link" | b"sphinxsidebar" | b"wy-nav-side" | b"wy-breadcrumbs"
            // rustdoc's controls; mdBook's bars, and the lines that it folds away in examples
            | b"test-arrow" | b"hideme" | b"menu-bar" | b"nav-chapters" | b"nav-wrapper" | b"sidebar"
            | b"sub-logo-container"
            | b"boring"
    )
}

/// Returns true for an id by which widespread templates mark such parts.
pub(super) fn is_chrome_id(id: &str) -> bool {
    matches!(
        id,
        "mw-navigation"
            | "mw-head"
            | "siteSub"
            | "contentSub"
            | "jump-to-nav"
            | "catlinks"
            | "toggle-all-docs"
    )
}

/// Returns true for a role of a part that leads round a site.
pub(super) fn is_chrome_role(role: &str) -> bool {
    ["navigation", "search", "banner", "contentinfo", "complementary", "menu"]
        .iter()
        .any(|r| role.eq_ignore_ascii_case(r))
}

/// Returns true for a class that hides.
pub(super) fn is_hidden_class(class: &[u8]) -> bool {
    matches!(class, b"hidden" | b"d-none" | b"mw-hidden" | b"nodisplay")
}

/// Returns true if an inline style hides its element.
pub(super) fn is_hidden_style(style: &str) -> bool {
    if style.len() < "display:none".len() {
        return false;
    }
    style.split(';').any(|declaration| {
        declaration.split_once(':').is_some_and(|(property, value)| {
            let (property, value) = (property.trim(), value.trim());
            let value = value.split_once('!').map_or(value, |(value, _)| value.trim_end());
            (property.eq_ignore_ascii_case("display") && value.eq_ignore_ascii_case("none"))
                || (property.eq_ignore_ascii_case("visibility") && value.eq_ignore_ascii_case("hidden"))
        })
    })
}
