//! "Did you mean": the name that a misspelt one comes closest to. Used where tracebacks are printed.

/// More candidates than this are not looked through.
const MAX_CANDIDATES: usize = 750;
/// Longer names are not compared.
const MAX_NAME: usize = 40;
/// What it costs to insert, delete or exchange a letter.
const MOVE: usize = 2;
/// What it costs to exchange a letter for its other case.
const CASE: usize = 1;

/// The candidate closest to `name`, if one is close enough: no more than about a third of the letters differ.
pub fn suggest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let candidates: Vec<&str> = candidates.into_iter().take(MAX_CANDIDATES + 1).collect();
    if candidates.len() > MAX_CANDIDATES {
        return None;
    }
    let mut best = None;
    let mut bound = usize::MAX;
    for candidate in candidates {
        if candidate == name {
            continue;
        }
        let most = (name.len() + candidate.len() + 3) * MOVE / 6;
        let most = most.min(bound.saturating_sub(1));
        let distance = distance(name, candidate, most);
        if distance <= most {
            best = Some(candidate);
            bound = distance;
        }
    }
    best
}

fn exchange(a: u8, b: u8) -> usize {
    if a == b {
        0
    } else if a.eq_ignore_ascii_case(&b) {
        CASE
    } else {
        MOVE
    }
}

/// The weighted edit distance; anything above `most` if it is larger than that.
fn distance(a: &str, b: &str, most: usize) -> usize {
    if a.len() > MAX_NAME || b.len() > MAX_NAME {
        return most.saturating_add(1);
    }
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut row: Vec<usize> = (0..=b.len()).map(|i| i * MOVE).collect();
    for (i, &x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = (i + 1) * MOVE;
        for (j, &y) in b.iter().enumerate() {
            let changed = diagonal + exchange(x, y);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + MOVE).min(row[j] + MOVE);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::suggest;

    #[test]
    fn close_names_are_suggested() {
        assert_eq!(suggest("lenght", ["length", "width"]), Some("length"));
        assert_eq!(suggest("Foo", ["foo", "bar"]), Some("foo"));
        assert_eq!(suggest("xyz", ["abc", "length"]), None);
    }
}
