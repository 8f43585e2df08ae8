//! Ceilings on anything untrusted, budgets, and defaults, each with its reason.

/// The longest path or title in bytes: a 16-bit length, and far beyond what file systems hold.
pub const MAX_NAME_LEN: usize = 65_535;

/// The most bytes a block may hold once decoded. A record stores this length in 24 bits.
pub const MAX_BLOCK_RAW: usize = 16 * 1024 * 1024 - 1;

/// The most bytes a reference may hold once decoded.
pub const MAX_REFERENCE_RAW: usize = 2 * 1024 * 1024;

/// The largest zstd window a block may ask for, as a power of two: 8 MiB, what RFC 8878 asks any
/// decoder to support.
pub const MAX_WINDOW_LOG: u32 = 23;

/// The longest chain of redirects that is followed in a `.tome`. Real wikis have chains of two; what is longer
/// is a loop or an attack.
pub const MAX_REDIRECTS: usize = 32;

/// Bytes of an article that are read for words, when it is packed and when a phrase is looked for; what is
/// longer is a dump rather than a page.
pub const MAX_INDEXED: usize = 8 << 20;

/// The most memory that making a full-text index takes beside the rest of packing.
pub const MAX_INDEX_MEMORY: u64 = 256_000_000;

/// The most bytes of the metadata section (icons and long descriptions included).
pub const MAX_METADATA: usize = 8 * 1024 * 1024;

/// Decoded blocks and references kept by one cache, by default: 32 MB holds the references of half
/// a gigabyte of pages.
pub const DEFAULT_CACHE: usize = 32 * 1024 * 1024;

/// The most bytes of the search indexes of ZIM files that are kept, by default: those of a few
/// large wikis, or of hundreds of small ones.
pub const MAX_INDEX_CACHE: u64 = 4_000_000_000;

/// The longest entry of a ZIM that is put together in memory from a compressed cluster: a cluster of a
/// few kilobytes may claim, and decode to, any length. What is longer is read piece by piece; stored
/// bytes are borrowed whatever their length.
pub const MAX_ZIM_CONTENT: u64 = 512 * 1024 * 1024;

/// The longest cluster of a ZIM that is kept in memory as a whole. Writers aim at 1 or 2 MiB; the blobs of
/// a longer one are decoded in passing.
pub const MAX_ZIM_CLUSTER: u64 = 16 * 1024 * 1024;

/// The longest cluster of a ZIM that is decoded into memory while all clusters are gone through, one a
/// thread; longer ones are decoded in passing. Also the longest page of a ZIM whose links are checked:
/// what is longer is a dump rather than a page.
pub const MAX_ZIM_WALK: u64 = 64 * 1024 * 1024;

/// The longest chain of redirects that is followed in a ZIM: as long as in libzim.
pub const MAX_ZIM_REDIRECTS: usize = 50;

/// The largest zstd window that a ZIM's cluster may ask for, as a power of two: files of 2020 were
/// written at a level that takes 128 MiB.
pub const MAX_ZIM_WINDOW_LOG: u32 = 27;

/// The most memory that decoding an xz cluster of a ZIM may take, in KiB. Writers use a dictionary of 1
/// to 64 MiB.
pub const MAX_ZIM_XZ_KIB: u32 = 130 * 1024;

/// Memory that packing may use, by default.
pub const DEFAULT_PACK_MEMORY: u64 = 400_000_000;

/// An item up to this size is handled whole in memory while packing; a larger one is streamed.
pub const MAX_ITEM_IN_MEMORY: u64 = 4 * 1024 * 1024;

/// The most bytes of a single item that are inflated from a zip, unless the caller raises it: an
/// entry larger than this is far more likely a bomb than a document.
pub const MAX_ZIP_ITEM: u64 = 16 * 1024 * 1024 * 1024;

/// How many times larger than its compressed size a zip's entry may become, past the first 64 MiB.
/// Real documents stay below 100; deflate's own limit is 1,032, zstd's is far beyond.
pub const MAX_ZIP_RATIO: u64 = 500;

/// How long one suggestion may take, by default: less than a person notices between two keys.
pub const SUGGEST_TIME: std::time::Duration = std::time::Duration::from_millis(50);

/// How much work one suggestion may be, by default, in units of about 40 ns: some 2.4 ms. On a million
/// titles one query in a hundred comes near it.
pub const SUGGEST_WORK: u32 = 60_000;
