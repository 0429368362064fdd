//! Scopes: which names a body binds and uses, and what each use means. `lower` asks `Scopes` for it.
//!
//! Every scope of a module is found in one walk: over statements and definitions in `walk.rs`, over expressions in `expressions.rs`.
//! What the walk found, and what follows from it, is here. Comprehensions and type parameters are scopes without a frame of their
//! own: their variables get slots in the frame around them (PEP 709), and only functions inside capture them. A variable used in
//! another frame than its own is captured: it lives in a cell, which every frame between passes on.

mod expressions;
mod walk;

use std::collections::HashMap;

use self::walk::Walk;
use crate::syntax::ast::*;
use crate::syntax::{Span, SyntaxError, SyntaxErrorKind};

/// The number of a scope.
pub type ScopeId = usize;

/// What a scope belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ScopeKind {
    Module,
    Class,
    Function,
    /// A generator expression: a function of its own.
    Generator,
    /// A comprehension that runs in the frame around it.
    Comprehension,
    /// The type parameters of a definition, likewise. What stands in them sees the class body around.
    TypeParams,
    /// The bound of a type parameter or the value of a type alias: a function of its own, called when somebody asks. It sees the
    /// class body around.
    Lazy,
}

/// What a body does with a name.
#[derive(Clone, Copy, Default, Debug)]
struct Use {
    bound: bool,
    parameter: bool,
    global: bool,
    nonlocal: bool,
    used: bool,
}

/// One scope.
pub struct Scope {
    pub kind: ScopeKind,
    pub parent: Option<ScopeId>,
    names: HashMap<Name, Use>,
    /// Names in the order in which they first appear.
    pub order: Vec<Name>,
    /// Own variables that functions inside use.
    pub captured: Vec<Name>,
    /// Variables of outer frames that this frame uses or passes on; only of scopes that have a frame.
    pub free: Vec<(ScopeId, Name)>,
    /// Whether it holds an assignment expression, so that locals may change while an expression is evaluated.
    pub has_walrus: bool,
    pub has_yield: bool,
    pub has_await: bool,
    /// A `try` or `with` stands in the body.
    pub has_cleanup: bool,
}

/// What a name means in a scope.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Meaning {
    /// A variable of this scope (whose frame may be the current one or an outer one).
    Variable(ScopeId),
    Global,
    /// An entry of the class body's namespace, if it is there; else what the name means outside.
    ClassEntry,
}

/// All scopes of a module. Scopes of definitions and comprehensions are found by the place in the source.
pub struct Scopes {
    pub all: Vec<Scope>,
    places: HashMap<(u32, u32, u8), ScopeId>,
}

/// Kinds of places: one syntax node may have two scopes.
pub const AT_BODY: u8 = 0;
pub const AT_TYPE_PARAMS: u8 = 1;
pub const AT_COMPREHENSION: u8 = 2;
pub const AT_ALIAS: u8 = 3;

/// The name of the class cell.
pub const CLASS_CELL: &str = "__class__";

impl Scopes {
    /// Analyses a module.
    pub fn analyse(module: &Module) -> Result<Scopes, SyntaxError> {
        let mut scopes = Scopes { all: Vec::new(), places: HashMap::new() };
        let top = scopes.push(ScopeKind::Module, None);
        let mut walk = Walk { scopes, current: top, nonlocals: Vec::new(), refused: None };
        walk.body(&module.body);
        if let Some(error) = walk.refused {
            return Err(error);
        }
        let mut scopes = walk.scopes;
        for (scope, name, span) in walk.nonlocals {
            let kind = match scopes.outer(scope, &name) {
                Meaning::Global => SyntaxErrorKind::NoBinding(name.as_str().into()),
                Meaning::Variable(owner) if scopes.all[owner].kind == ScopeKind::TypeParams => {
                    SyntaxErrorKind::NonlocalTypeParam(name.as_str().into())
                }
                _ => continue,
            };
            return Err(SyntaxError::new(kind, span));
        }
        scopes.bind_captures();
        Ok(scopes)
    }

    fn push(&mut self, kind: ScopeKind, parent: Option<ScopeId>) -> ScopeId {
        self.all.push(Scope {
            kind,
            parent,
            names: HashMap::new(),
            order: Vec::new(),
            captured: Vec::new(),
            free: Vec::new(),
            has_walrus: false,
            has_yield: false,
            has_await: false,
            has_cleanup: false,
        });
        self.all.len() - 1
    }

    /// The scope that begins at a place.
    pub fn at(&self, span: Span, kind: u8) -> ScopeId {
        self.places[&(span.start, span.end, kind)]
    }

    /// The scope whose frame runs `scope`.
    pub fn frame_of(&self, mut scope: ScopeId) -> ScopeId {
        while matches!(self.all[scope].kind, ScopeKind::Comprehension | ScopeKind::TypeParams) {
            scope = self.all[scope].parent.expect("not the module");
        }
        scope
    }

    /// What `name` means in `scope`.
    pub fn meaning(&self, scope: ScopeId, name: &Name) -> Meaning {
        let uses = self.all[scope].names.get(name).copied().unwrap_or_default();
        if uses.global {
            return Meaning::Global;
        }
        if self.all[scope].kind == ScopeKind::Class {
            if uses.bound && !uses.nonlocal {
                return Meaning::ClassEntry;
            }
            // A free name of a class body may still be an entry, put there by a metaclass: looked up there first.
            return if uses.nonlocal { self.outer(scope, name) } else { Meaning::ClassEntry };
        }
        if uses.bound && !uses.nonlocal {
            return if self.all[scope].kind == ScopeKind::Module { Meaning::Global } else { Meaning::Variable(scope) };
        }
        if let (ScopeKind::TypeParams | ScopeKind::Lazy, Some(parent)) = (self.all[scope].kind, self.all[scope].parent)
            && self.class_seen_from(scope).is_some()
            && !uses.nonlocal
        {
            return self.meaning(parent, name);
        }
        self.outer(scope, name)
    }

    /// The class body whose names an annotation scope sees: that directly around it.
    pub fn class_seen_from(&self, scope: ScopeId) -> Option<ScopeId> {
        let mut at = scope;
        while matches!(self.all[at].kind, ScopeKind::TypeParams | ScopeKind::Lazy) {
            at = self.all[at].parent?;
        }
        (at != scope && self.all[at].kind == ScopeKind::Class).then_some(at)
    }

    /// What `name` means in the scopes around `scope`, passing over class bodies (but not over their `__class__`).
    pub fn outer(&self, scope: ScopeId, name: &Name) -> Meaning {
        let mut at = self.all[scope].parent;
        while let Some(id) = at {
            let outer = &self.all[id];
            match outer.kind {
                ScopeKind::Module => return Meaning::Global,
                ScopeKind::Class => {
                    if name.as_str() == CLASS_CELL {
                        return Meaning::Variable(id);
                    }
                }
                _ => {
                    if let Some(uses) = outer.names.get(name) {
                        if uses.global {
                            return Meaning::Global;
                        }
                        if uses.bound && !uses.nonlocal {
                            return Meaning::Variable(id);
                        }
                    }
                }
            }
            at = outer.parent;
        }
        Meaning::Global
    }

    /// Whether the variable of `owner` is captured.
    pub fn is_captured(&self, owner: ScopeId, name: &Name) -> bool {
        self.all[owner].captured.contains(name)
    }

    /// The names that a function scope binds, parameters not counted, in order of appearance.
    pub fn bound_names(&self, scope: ScopeId) -> impl Iterator<Item = &Name> {
        let scope = &self.all[scope];
        scope.order.iter().filter(|name| {
            let uses = scope.names[*name];
            uses.bound && !uses.parameter && !uses.global && !uses.nonlocal
        })
    }

    fn bind_captures(&mut self) {
        let mut found: Vec<(ScopeId, ScopeId, Name)> = Vec::new();
        for (id, scope) in self.all.iter().enumerate() {
            for name in &scope.order {
                let mut meaning = self.meaning(id, name);
                if meaning == Meaning::ClassEntry && !scope.names[name].bound {
                    meaning = self.outer(id, name);
                }
                if let Meaning::Variable(owner) = meaning {
                    found.push((id, owner, name.clone()));
                }
            }
        }
        for (user, owner, name) in found {
            let home = self.frame_of(owner);
            let mut frame = self.frame_of(user);
            if frame == home {
                continue;
            }
            if !self.all[owner].captured.contains(&name) {
                self.all[owner].captured.push(name.clone());
            }
            while frame != home {
                let entry = (owner, name.clone());
                if !self.all[frame].free.contains(&entry) {
                    self.all[frame].free.push(entry);
                }
                let parent = self.all[frame].parent.expect("the owner is further out");
                frame = self.frame_of(parent);
            }
        }
    }
}
