//! The parser LALRPOP generates from `grammar/module.lalrpop`, apart from what is edited daily.

lalrpop_util::lalrpop_mod!(
    #[allow(clippy::all, clippy::pedantic, unused, missing_docs)]
    #[rustfmt::skip]
    generated,
    "/module.rs"
);

pub use generated::StartParser;
