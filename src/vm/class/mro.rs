//! The order in which a class's bases are searched: C3 linearisation
//! (Barrett et al., "A Monotonic Superclass Linearization for Dylan", OOPSLA 1996).

use super::super::Vm;
use crate::value::{Class, R, Raised, Ref};

impl Vm {
    /// The linearised bases of a class with these bases, without the class itself.
    pub(super) fn linearise(&self, bases: &[Ref<Class>]) -> R<Vec<Ref<Class>>> {
        self.charge(bases.iter().map(|base| base.mro.with(|order| order.len())).sum::<usize>() as u64 / 16)?;
        if let [only] = bases {
            return Ok(only.mro.get().to_vec());
        }
        for (index, base) in bases.iter().enumerate() {
            self.charge(index as u64 / 64)?;
            if bases[..index].iter().any(|earlier| earlier.is(base)) {
                return Err(self.type_error(format!("duplicate base class {}", base.name().as_str())));
            }
        }
        let mut lists: Vec<Vec<Ref<Class>>> = bases.iter().map(|base| base.mro.get().to_vec()).collect();
        lists.push(bases.to_vec());
        for list in &mut lists {
            list.reverse();
        }
        let mut merged = Vec::new();
        loop {
            lists.retain(|list| !list.is_empty());
            if lists.is_empty() {
                return Ok(merged);
            }
            let in_all: usize = lists.iter().map(Vec::len).sum();
            let mut found = None;
            for head in lists.iter().filter_map(|list| list.last()) {
                self.charge(1 + in_all as u64 / 64)?;
                if !lists.iter().any(|list| list[..list.len() - 1].iter().any(|later| later.is(head))) {
                    found = Some(head.clone());
                    break;
                }
            }
            let Some(next) = found else { return Err(self.no_consistent_order(&lists)) };
            for list in &mut lists {
                if list.last().is_some_and(|head| head.is(&next)) {
                    list.pop();
                }
            }
            merged.push(next);
        }
    }

    #[cold]
    fn no_consistent_order(&self, lists: &[Vec<Ref<Class>>]) -> Raised {
        let mut heads: Vec<Ref<Class>> = Vec::new();
        for head in lists.iter().filter_map(|list| list.last()) {
            if !heads.iter().any(|known| known.is(head)) {
                heads.push(head.clone());
            }
        }
        let names: Vec<String> = heads.iter().map(|class| class.name().as_str().to_owned()).collect();
        self.type_error(format!("Cannot create a consistent method resolution\norder (MRO) for bases {}", names.join(", ")))
    }
}
