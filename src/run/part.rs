//! A part of a run: its share of the collection.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use crate::compare::BLOCK;

/// One of several parts that a run is split into. Parts begin and end at the borders of blocks of 64 images, so that the
/// joined results have the bits of one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Part {
    number: usize,
    count: usize,
}

impl Part {
    /// The part `number` of `count`, counted from 1; `None` if there is no such part.
    pub fn new(number: usize, count: usize) -> Option<Self> {
        (1..=count)
            .contains(&number)
            .then_some(Part { number, count })
    }

    /// Its number, from 1.
    pub fn number(self) -> usize {
        self.number
    }

    /// How many parts there are.
    pub fn count(self) -> usize {
        self.count
    }

    /// Its images, of `total` in the collection; none if there are more parts than blocks.
    pub fn images(self, total: usize) -> Range<usize> {
        let blocks = total.div_ceil(BLOCK) as u128;
        let border = |part: usize| {
            let block = blocks * part as u128 / self.count as u128;
            (block as usize * BLOCK).min(total)
        };
        border(self.number - 1)..border(self.number)
    }

    /// The name of its folder, which sorts by number.
    pub(super) fn folder_name(self) -> String {
        let width = self.count.to_string().len();
        format!("part-{:0width$}-of-{}", self.number, self.count)
    }

    /// The part whose folder has this name.
    pub(super) fn from_folder_name(name: &str) -> Option<Self> {
        let (number, count) = name.strip_prefix("part-")?.split_once("-of-")?;
        Part::new(number.parse().ok()?, count.parse().ok()?)
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{} of {}", self.number, self.count)
    }
}

impl FromStr for Part {
    type Err = String;

    /// Reads `3/16`.
    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text.split_once('/').map(|(i, n)| (i.parse(), n.parse()));
        match numbers {
            Some((Ok(number), Ok(count))) => Part::new(number, count)
                .ok_or_else(|| format!("the part must be 1 to {count}, got {number}")),
            _ => Err("a part and the number of parts: `3/16`, counted from 1".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Part;

    #[test]
    fn parts_cover_a_collection_in_whole_blocks() {
        for total in [0, 1, 63, 64, 65, 800, 20_000, 1_281_167] {
            for count in [1, 2, 3, 7, 16, 1000] {
                let mut next = 0;
                for number in 1..=count {
                    let images = Part::new(number, count).unwrap().images(total);
                    assert_eq!(images.start, next);
                    assert!(images.end.is_multiple_of(64) || images.end == total);
                    next = images.end;
                }
                assert_eq!(next, total);
            }
        }
    }

    #[test]
    fn parts_are_read_from_texts() {
        let part: Part = "3/16".parse().unwrap();
        assert_eq!((part.number(), part.count()), (3, 16));
        assert_eq!(part.folder_name(), "part-03-of-16");
        assert_eq!(Part::from_folder_name("part-03-of-16"), Some(part));
        for wrong in ["", "3", "0/4", "5/4", "a/4", "1/0", "-1/4"] {
            assert!(wrong.parse::<Part>().is_err(), "{wrong}");
        }
    }
}
