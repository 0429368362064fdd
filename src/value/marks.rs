//! `Marks`: where the code points of a long text that is not ASCII are, so that looking at any of them does not walk the text.
//!
//! Of every 64th code point the offset is noted, as far as somebody has looked; the rest is a short walk from there, or from where
//! the last look ended, which makes walks over a text cheap in both directions. A text that grows keeps its marks. Strings
//! (`str.rs`) make them at the first look.

use std::cell::{Cell, RefCell};

/// Code points between two marks.
const STRIDE: usize = 64;

/// What is known about the places of code points.
#[derive(Default)]
pub struct Marks {
    /// A byte offset and the code point there: where the last look ended.
    last: Cell<(u32, u32)>,
    /// The offsets of code points 64, 128, and so on.
    offsets: RefCell<Vec<u32>>,
}

impl Marks {
    /// The byte offset of code point `index`, which exists.
    pub fn offset(&self, text: &[u8], index: usize) -> usize {
        let (last, at) = (self.last.get().0 as usize, self.last.get().1 as usize);
        let offset = if index >= at && index - at < STRIDE {
            walk(text, last, index - at)
        } else if index < at && at - index < STRIDE {
            walk_back(text, last, at - index)
        } else {
            self.reach(text, |marks, _| marks >= index / STRIDE);
            walk(text, self.mark(index / STRIDE), index % STRIDE)
        };
        self.last.set((offset as u32, index as u32));
        offset
    }

    /// The index of the code point at byte `offset`.
    pub fn index(&self, text: &[u8], offset: usize) -> usize {
        let (last, at) = (self.last.get().0 as usize, self.last.get().1 as usize);
        let index = if offset >= last && offset - last < 4 * STRIDE {
            at + count(&text[last..offset])
        } else {
            self.reach(text, |_, last| last + 4 * STRIDE > offset);
            let mark = self.offsets.borrow().partition_point(|&mark| mark as usize <= offset);
            mark * STRIDE + count(&text[self.mark(mark)..offset])
        };
        self.last.set((offset as u32, index as u32));
        index
    }

    /// Bytes of the marks.
    pub fn bytes(&self) -> usize {
        size_of::<Marks>() + self.offsets.borrow().capacity() * size_of::<u32>()
    }

    /// The offset of code point `mark * STRIDE`.
    fn mark(&self, mark: usize) -> usize {
        if mark == 0 { 0 } else { self.offsets.borrow()[mark - 1] as usize }
    }

    /// Notes more offsets until there are enough, given how many there are and the last, or the text ends.
    fn reach(&self, text: &[u8], enough: impl Fn(usize, usize) -> bool) {
        let mut offsets = self.offsets.borrow_mut();
        let mut last = offsets.last().map_or(0, |&last| last as usize);
        while !enough(offsets.len(), last) {
            last = walk(text, last, STRIDE);
            if last >= text.len() {
                break;
            }
            offsets.push(last as u32);
        }
    }
}

/// How many code points begin in these bytes.
fn count(text: &[u8]) -> usize {
    text.iter().filter(|&&byte| byte & 0xC0 != 0x80).count()
}

/// The offset `points` code points behind `offset`; the length of the text if there are fewer.
pub fn walk(text: &[u8], mut offset: usize, mut points: usize) -> usize {
    // By eight bytes, as long as fewer begin there than are to be passed.
    while points > 8
        && let Some(eight) = text.get(offset..offset + 8)
    {
        points -= count(eight);
        offset += 8;
    }
    // The eight may have ended within a code point, whose rest does not count.
    while text.get(offset).is_some_and(|&byte| byte & 0xC0 == 0x80) {
        offset += 1;
    }
    while points > 0 && offset < text.len() {
        offset += match text[offset] {
            0..0x80 => 1,
            0x80..0xE0 => 2,
            0xE0..0xF0 => 3,
            _ => 4,
        };
        points -= 1;
    }
    offset
}

/// The offset `points` code points before `offset`; there are as many.
fn walk_back(text: &[u8], mut offset: usize, mut points: usize) -> usize {
    while points > 0 {
        offset -= 1;
        if text[offset] & 0xC0 != 0x80 {
            points -= 1;
        }
    }
    offset
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_and_indices_agree_with_a_plain_walk() {
        let text: String = (0..700).map(|i| ['a', 'é', '✓', '🦀', 'b', 'ñ', 'c'][i * i % 7]).collect();
        let offsets: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        let marks = Marks::default();
        // Near and far, forwards and backwards, the end before the middle.
        for n in 0..2 * offsets.len() {
            let index = if n % 3 == 0 { n / 3 } else { (n * 523 + 77) % offsets.len() };
            assert_eq!(marks.offset(text.as_bytes(), index), offsets[index]);
            let other = (n * 311 + 5) % offsets.len();
            assert_eq!(marks.index(text.as_bytes(), offsets[other]), other);
        }
        assert_eq!(Marks::default().index(text.as_bytes(), text.len()), offsets.len());
    }
}
