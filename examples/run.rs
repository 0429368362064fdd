use std::rc::Rc;
use std::sync::Arc;
fn main() {
    let path = std::env::args().nth(1).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let vm = asplet::vm::Vm::new(Arc::new(asplet::host::StdHost::new(vec![])));
    vm.measure_stack();
    asplet::builtins::install(&vm);
    let module = vm.main_module(Some(&path));
    let source = Rc::new(asplet::syntax::Source::new(path.as_str(), text));
    let result = match vm.compile(source.clone(), asplet::syntax::Mode::File, &module.dict) {
        Ok(code) => vm.run(&code),
        Err(e) => Err(vm.raise_syntax_error(&source, &e)),
    };
    if result.is_err() {
        let e = vm.take_raised();
        let _ = vm.host.flush(asplet::host::Stream::Out);
        eprint!("{}", asplet::vm::traceback::format_exception(&vm, &e));
        std::process::exit(1);
    }
    let _ = vm.host.flush(asplet::host::Stream::Out);
}
