//! What a posting is worth: frequency classes, lengths and importance, in integers.
//!
//! BM25F (Robertson, Zaragoza, Taylor: "Simple BM25 Extension to Multiple Weighted Fields", CIKM 2004)
//! over title, headings and body. All of it is integer arithmetic, so that every reader gets the same
//! scores; the weight of a word, which has a logarithm in it, is rounded once.

/// Fields: title, headings, body.
pub const FIELDS: usize = 3;

/// Frequency classes of a field: the smallest frequency of each. Titles and headings have the first four.
pub const CLASS_STARTS: [u16; 16] = [0, 1, 2, 3, 4, 5, 6, 8, 10, 14, 20, 30, 45, 75, 130, 250];

/// What a class counts for, in halves.
pub const CLASS_VALUES: [u32; 16] = [0, 2, 4, 6, 8, 10, 13, 17, 23, 33, 48, 72, 115, 195, 360, 700];

/// How many classes each field has.
pub const CLASS_COUNTS: [u8; FIELDS] = [4, 4, 16];

/// The most that a posting's frequency may amount to, so that products fit into 32 bits.
pub const MAX_AMOUNT: u32 = (1 << 20) - 1;

/// The amount of a word that stands once in the body of a page of average length.
pub const UNIT: u32 = 512;

/// What a posting is worth when its frequency is without end, before importance.
pub const FULL: u32 = 3276;

/// Importance of 0 multiplies a score by this; one of 255 by 255 more.
pub const PLAIN: u32 = 1024;

/// A worth stored in a byte is one of so many steps, as a power of two.
pub const STEP: u32 = 14;

/// What a reader may say of one posting at most: [`FULL`] with the greatest importance.
pub const MAX_WORTH: u64 = FULL as u64 * (PLAIN as u64 + 255);

/// The most that a word may weigh; a word of one page in four thousand million weighs 22,713.
pub const MAX_WEIGHT: u32 = 1 << 20;

/// The classes of a word's frequencies in a page, by field.
pub type Classes = [u8; FIELDS];

/// Returns the classes of frequencies.
pub fn classes(frequencies: [u16; FIELDS]) -> Classes {
    let mut out = [0; FIELDS];
    for (field, class) in out.iter_mut().enumerate() {
        let reached = CLASS_STARTS.partition_point(|&start| start <= frequencies[field]) - 1;
        *class = (reached as u8).min(CLASS_COUNTS[field] - 1);
    }
    out
}

/// Returns a length's byte: lengths below 32 as they are, others by four significant bits.
pub fn length_byte(length: u32) -> u8 {
    if length < 32 {
        return length as u8;
    }
    let shift = length.ilog2() - 4;
    (16 * shift + (length >> shift)).min(255) as u8
}

/// Returns the length that a byte stands for: the middle of those that have it.
pub fn length_of(byte: u8) -> u32 {
    let byte = u32::from(byte);
    if byte < 32 {
        return byte;
    }
    let shift = (byte - 16) / 16;
    let start = (byte - 16 * shift) << shift;
    start + (1 << shift) / 2
}

/// Returns what a word weighs that `with` of `all` pages have.
pub fn weight(all: u64, with: u64) -> u32 {
    let (all, with) = (all.max(with) as f64, with as f64);
    let idf = (1.0 + (all - with + 0.5) / (with + 0.5)).ln();
    ((idf * 1024.0).round() as u32).clamp(1, MAX_WEIGHT)
}

/// How pages are ranked: what an index states of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weighing {
    /// What a field's frequencies are multiplied by: at most [`Weighing::MAX_FIELD_WEIGHT`].
    pub fields: [u8; FIELDS],
    /// How much a field's length matters, in 256ths: at most 256.
    pub slopes: [u16; FIELDS],
    /// The amount that is worth half, in [`UNIT`]s / 512: at least 1.
    pub half: u16,
    /// The amount of a word that stands only in text that most pages have.
    pub repeated: u16,
}

impl Weighing {
    /// The greatest weight of a field, so that amounts fit into 32 bits.
    pub const MAX_FIELD_WEIGHT: u8 = 16;
}

impl Default for Weighing {
    fn default() -> Self {
        // k1 of 1.2, and b of a half where text is short.
        Self { fields: [4, 2, 1], slopes: [128, 128, 192], half: 614, repeated: 64 }
    }
}

/// Which fields of a page count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldMask(u8);

impl FieldMask {
    /// The title.
    pub const TITLE: Self = Self(1);
    /// Headings.
    pub const HEADINGS: Self = Self(2);
    /// The text itself.
    pub const BODY: Self = Self(4);
    /// All of a page.
    pub const ALL: Self = Self(7);

    /// Returns the fields of either.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Returns true if a field, by its number, is among them.
    pub fn has(self, field: usize) -> bool {
        self.0 >> field & 1 == 1
    }
}

impl Default for FieldMask {
    fn default() -> Self {
        Self::ALL
    }
}

/// What each class code counts for under a mask: per field, and at the least.
pub struct Amounts(Box<[[u32; FIELDS + 1]; 256]>);

/// The greatest inverse length: four times that of an average page.
const MAX_INVERSE: u64 = 4 * 4096;

/// Computes amounts and worths.
pub struct Ranker {
    classes: Vec<Classes>,
    weighing: Weighing,
    inverses: Box<[[u32; FIELDS]; 256]>,
    all: Amounts,
}

impl Ranker {
    /// Prepares tables; `averages` are the fields' average lengths in 256ths.
    pub fn new(classes: Vec<Classes>, averages: [u32; FIELDS], weighing: Weighing) -> Self {
        let mut inverses = Box::new([[0; FIELDS]; 256]);
        for (byte, row) in inverses.iter_mut().enumerate() {
            let length = u64::from(length_of(byte as u8));
            for (field, inverse) in row.iter_mut().enumerate() {
                let average = u64::from(averages[field].max(1));
                let slope = u64::from(weighing.slopes[field].min(256));
                let below = (256 - slope) * average + slope * length * 256;
                *inverse =
                    (4096 * 256 * average).checked_div(below).unwrap_or(MAX_INVERSE).min(MAX_INVERSE) as u32;
            }
        }
        let mut ranker = Self { classes, weighing, inverses, all: Amounts(Box::new([[0; FIELDS + 1]; 256])) };
        ranker.all = ranker.amounts(FieldMask::ALL);
        ranker
    }

    /// Returns the number of class codes.
    pub fn codes(&self) -> usize {
        self.classes.len()
    }

    /// Returns the amounts of the codes if only some fields count.
    pub fn amounts(&self, mask: FieldMask) -> Amounts {
        let mut out = Box::new([[0; FIELDS + 1]; 256]);
        for (row, classes) in out.iter_mut().zip(&self.classes) {
            for field in (0..FIELDS).filter(|&field| mask.has(field)) {
                let class = usize::from(classes[field]).min(CLASS_VALUES.len() - 1);
                row[field] = u32::from(self.weighing.fields[field]) * CLASS_VALUES[class];
            }
            row[FIELDS] = if *classes == [0; FIELDS] {
                if mask == FieldMask::ALL { u32::from(self.weighing.repeated) } else { 0 }
            } else {
                u32::from((0..FIELDS).any(|field| mask.has(field) && classes[field] > 0))
            };
        }
        Amounts(out)
    }

    /// Returns the amounts of the codes if all fields count.
    pub fn all(&self) -> &Amounts {
        &self.all
    }

    /// Returns the amount of a posting: 0 if no field that counts has the word. `article` is what the
    /// index says of the page: three lengths, and its importance.
    #[inline(always)]
    pub fn amount(&self, amounts: &Amounts, code: u32, article: [u8; 4]) -> u32 {
        let [title, headings, body, least] = amounts.0[(code & 255) as usize];
        let sum = title * self.inverses[usize::from(article[0])][0]
            + headings * self.inverses[usize::from(article[1])][1]
            + body * self.inverses[usize::from(article[2])][2];
        (least + (sum >> 4)).min(MAX_AMOUNT)
    }

    /// Returns the amount that is worth half.
    #[inline(always)]
    pub fn half(&self) -> u32 {
        u32::from(self.weighing.half)
    }

    /// Returns what a posting is worth with the importance of its article if all fields count, in the
    /// steps in which a block's maximum says it.
    #[inline]
    pub fn steps(&self, code: u32, article: [u8; 4]) -> u8 {
        let amount = self.amount(&self.all, code, article);
        // MAX_WORTH is below 256 steps.
        ((self.worth(amount) * factor(article)) >> STEP) as u8
    }

    /// Returns what an amount is worth: at most [`FULL`].
    #[inline(always)]
    pub fn worth(&self, amount: u32) -> u32 {
        FULL * amount / (amount + self.half())
    }
}

/// Returns what importance multiplies a score by.
#[inline(always)]
pub fn factor(article: [u8; 4]) -> u32 {
    PLAIN + u32::from(article[3])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_begin_where_they_should() {
        assert_eq!(classes([0, 0, 0]), [0, 0, 0]);
        assert_eq!(classes([1, 3, 7]), [1, 3, 6]);
        assert_eq!(classes([u16::MAX; 3]), [3, 3, 15]);
    }

    #[test]
    fn lengths_keep_four_significant_bits() {
        for length in (0..5000).chain([1 << 18, 507_903]) {
            let back = length_of(length_byte(length));
            assert!(back.abs_diff(length) * 32 <= length.max(31), "{length} came back as {back}");
        }
        assert_eq!(length_byte(u32::MAX), 255);
        assert!((0..255).all(|b| length_byte(length_of(b)) == b));
    }

    #[test]
    fn a_word_once_on_an_average_page_amounts_to_a_unit() {
        let ranker = Ranker::new(vec![[0, 0, 1], [1, 0, 0], [0, 0, 0]], [16 * 256; 3], Weighing::default());
        let page = [16, 16, 16, 0];
        assert_eq!(ranker.amount(ranker.all(), 0, page), UNIT + 1);
        assert_eq!(ranker.amount(ranker.all(), 1, page), 4 * UNIT + 1);
        assert_eq!(ranker.amount(ranker.all(), 2, page), 64);
        let title = ranker.amounts(FieldMask::TITLE);
        let amounts: Vec<u32> = (0..4).map(|code| ranker.amount(&title, code, page)).collect();
        assert_eq!(amounts, [0, 4 * UNIT + 1, 0, 0]);
        assert_eq!(ranker.worth(614), FULL / 2);
    }

    #[test]
    fn the_largest_numbers_do_not_overflow() {
        let weighing = Weighing { fields: [16; 3], slopes: [256; 3], half: 1, repeated: u16::MAX };
        let ranker = Ranker::new(vec![[3, 3, 15]], [u32::MAX; 3], weighing);
        let amount = ranker.amount(ranker.all(), 0, [0, 0, 0, 255]);
        assert_eq!(amount, MAX_AMOUNT);
        assert!(ranker.worth(amount) <= FULL);
        const { assert!(MAX_WORTH >> STEP <= 255) };
        assert_eq!(weight(1, 0) > 0, weight(0, 1) > 0);
        assert!(weight(u64::MAX, 0) <= MAX_WEIGHT);
    }
}
