//! Turns `module.lalrpop` into the parser that `src/syntax/grammar.rs` includes.
//!
//! LALRPOP writes its output anew only when the grammar has changed, and Cargo runs this only when something in this
//! folder has: most builds see nothing of it.

fn main() {
    println!("cargo:rerun-if-changed=grammar/build.rs");
    println!("cargo:rerun-if-changed=grammar/module.lalrpop");
    let generated = lalrpop::Configuration::new()
        .set_in_dir("grammar")
        .set_out_dir(std::env::var_os("OUT_DIR").expect("Cargo sets OUT_DIR"))
        .emit_rerun_directives(false)
        .process();
    if let Err(error) = generated {
        eprintln!("{error}");
        std::process::exit(1);
    }
}
