//! The section that says what the index is made of.

use super::rank::{CLASS_COUNTS, Classes, FIELDS, Weighing};
use crate::error::{Error, Place, Result, damaged};
use crate::format::bytes::Cursor;

/// The version of the index that this code writes and reads.
pub const VERSION: u8 = 1;

/// The longest section that is read. Strings have at most 255 bytes; this leaves room for thousands.
pub const MAX_LEN: usize = 1 << 20;

/// What an index says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Parameters {
    /// Articles of the archive, whether a word was found in them or not.
    pub articles: u32,
    /// The fields' average lengths in 256ths of a word.
    pub averages: [u32; FIELDS],
    /// How pages are ranked.
    pub weighing: Weighing,
    /// The classes that a posting's code stands for, by falling number of postings.
    pub classes: Vec<Classes>,
    /// Languages of the pages (BCP 47), the most frequent first.
    pub languages: Vec<String>,
    /// Words whose pairs with their neighbours are words of their own; empty without pairs.
    pub frequent: Vec<String>,
}

impl Parameters {
    /// Writes the section.
    pub fn write(&self) -> Vec<u8> {
        let mut out = vec![VERSION, 0];
        out.extend_from_slice(&(self.classes.len() as u16).to_le_bytes());
        out.extend_from_slice(&self.articles.to_le_bytes());
        self.averages.iter().for_each(|average| out.extend_from_slice(&average.to_le_bytes()));
        let Weighing { fields, slopes, half, repeated } = &self.weighing;
        slopes.iter().chain([half, repeated]).for_each(|number| out.extend_from_slice(&number.to_le_bytes()));
        out.extend_from_slice(fields);
        out.push(0);
        self.classes.iter().for_each(|classes| out.extend_from_slice(classes));
        for list in [&self.languages, &self.frequent] {
            out.extend_from_slice(&(list.len() as u16).to_le_bytes());
            for text in list {
                out.push(text.len() as u8);
                out.extend_from_slice(text.as_bytes());
            }
        }
        out
    }

    /// Returns true if the strings fit into the section.
    pub fn fits(&self) -> bool {
        [&self.languages, &self.frequent]
            .iter()
            .all(|list| list.len() <= usize::from(u16::MAX) && list.iter().all(|text| text.len() < 256))
    }

    /// Reads the section.
    ///
    /// # Errors
    ///
    /// Fails if it breaks a rule, or is of another version.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let place = Place::Section("search", 0);
        let mut c = Cursor::new(bytes, place);
        let version = c.u8()?;
        if version != VERSION {
            return Err(Error::Unsupported {
                found: format!("version {version} of the full-text index"),
                supported: format!("version {VERSION}"),
            });
        }
        if c.u8()? != 0 {
            return damaged!(place, "reserved bytes", "they are not zero");
        }
        let n_classes = c.u16()?;
        let articles = c.u32()?;
        let averages = [c.u32()?, c.u32()?, c.u32()?];
        let slopes = [c.u16()?, c.u16()?, c.u16()?];
        let (half, repeated) = (c.u16()?, c.u16()?);
        let fields = [c.u8()?, c.u8()?, c.u8()?];
        let weighing = Weighing { fields, slopes, half, repeated };
        let weighed = half > 0
            && slopes.iter().all(|&slope| slope <= 256)
            && fields.iter().all(|&weight| weight <= Weighing::MAX_FIELD_WEIGHT);
        if c.u8()? != 0 || !weighed {
            return damaged!(place, "weights", "{weighing:?}");
        }
        if n_classes > 256 {
            return damaged!(place, "classes", "{n_classes} of them");
        }
        let mut classes = vec![];
        for _ in 0..n_classes {
            let one = [c.u8()?, c.u8()?, c.u8()?];
            if one.iter().zip(CLASS_COUNTS).any(|(&class, count)| class >= count) || classes.contains(&one) {
                return damaged!(place, "classes", "{one:?} cannot be, or is there twice");
            }
            classes.push(one);
        }
        let mut lists = [vec![], vec![]];
        for list in &mut lists {
            for _ in 0..c.u16()? {
                let len = usize::from(c.u8()?);
                match std::str::from_utf8(c.take(len)?) {
                    Ok(text) => list.push(text.to_string()),
                    Err(e) => return damaged!(place, "UTF-8", "{e}"),
                }
            }
        }
        if c.position() != bytes.len() {
            return damaged!(place, "section length", "{} of {} bytes used", c.position(), bytes.len());
        }
        let [languages, frequent] = lists;
        Ok(Self { articles, averages, weighing, classes, languages, frequent })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Parameters {
        Parameters {
            articles: 7,
            averages: [256, 0, 70_000],
            classes: vec![[0, 0, 1], [0, 0, 0], [3, 3, 15]],
            languages: vec!["en".into(), "pt-BR".into()],
            frequent: vec!["the".into()],
            ..Parameters::default()
        }
    }

    #[test]
    fn parameters_come_back() {
        let bytes = sample().write();
        assert_eq!(Parameters::parse(&bytes).unwrap(), sample());
        assert!((0..bytes.len()).all(|len| Parameters::parse(&bytes[..len]).is_err()));
        assert!(Parameters::parse(&[&bytes[..], &[0]].concat()).is_err());
    }

    #[test]
    fn classes_and_weights_that_cannot_be_are_refused() {
        let wrong = [
            Parameters { classes: vec![[4, 0, 0]], ..sample() },
            Parameters { classes: vec![[0, 0, 16]], ..sample() },
            Parameters { classes: vec![[0, 0, 1]; 2], ..sample() },
            Parameters { weighing: Weighing { half: 0, ..Weighing::default() }, ..sample() },
            Parameters { weighing: Weighing { slopes: [0, 257, 0], ..Weighing::default() }, ..sample() },
            Parameters { weighing: Weighing { fields: [17, 2, 1], ..Weighing::default() }, ..sample() },
        ];
        for parameters in wrong {
            assert!(Parameters::parse(&parameters.write()).is_err(), "{parameters:?}");
        }
    }
}
