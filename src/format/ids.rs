//! One type per kind of number, so that an entry id cannot index the block table.

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(pub $inner);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id!(
    /// An entry, by its rank in byte order of the paths.
    EntryId(u32)
);
id!(
    /// A block, by its place in the file.
    BlockId(u32)
);
id!(
    /// An article, by its rank among the articles in path order; the document number of search.
    ArticleOrdinal(u32)
);
id!(
    /// A page of the tables, counted from their start.
    PageId(u64)
);

/// The number that stands for "none" where an id is stored in 32 bits.
pub const NONE: u32 = u32::MAX;

/// Bytes in a page of the tables: the unit of checking.
pub const PAGE: usize = 4096;
