//! What is known of an item or a sequence beside its translation: its width, for look-behinds, and a weight, so that no pattern grows
//! out of hand. The other files of the parser make pieces and put them together.

/// What was written for an item or a sequence.
#[derive(Clone, Copy)]
pub struct Piece {
    /// The fewest and the most characters it matches; `None` for no limit.
    pub width: (u64, Option<u64>),
    pub weight: u64,
    pub(super) kind: PieceKind,
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum PieceKind {
    Item,
    /// `^`, `\b` and the like, which cannot be repeated.
    Position,
    Repeat,
}

impl Piece {
    pub fn of(width: u64, weight: u64) -> Piece {
        Piece { width: (width, Some(width)), weight, kind: PieceKind::Item }
    }

    pub(super) fn empty() -> Piece {
        Piece::of(0, 0)
    }

    pub(super) fn then(self, next: Piece) -> Piece {
        let most = self.width.1.zip(next.width.1).map(|(a, b)| a.saturating_add(b));
        let width = (self.width.0.saturating_add(next.width.0), most);
        Piece { width, weight: self.weight.saturating_add(next.weight), kind: PieceKind::Item }
    }

    pub(super) fn or(self, other: Piece) -> Piece {
        let most = self.width.1.zip(other.width.1).map(|(a, b)| a.max(b));
        let width = (self.width.0.min(other.width.0), most);
        Piece { width, weight: self.weight.saturating_add(other.weight), kind: PieceKind::Item }
    }
}
