//! Ctrl-C: the first one raises `KeyboardInterrupt` in the script, a second one that comes before the script has taken notice ends the
//! process.

use asplet::Interpreter;
use signal_hook::consts::SIGINT;

/// Watches for Ctrl-C on a thread of its own.
pub fn install(interpreter: &Interpreter) {
    let interrupter = interpreter.interrupter();
    let Ok(mut signals) = signal_hook::iterator::Signals::new([SIGINT]) else { return };
    let watch = move || {
        for _ in signals.forever() {
            if interrupter.is_pending() {
                die_of_interrupt();
            }
            interrupter.stop();
        }
    };
    // Without the thread Ctrl-C would do nothing at all: let the signal end the process then, as it does by default.
    if std::thread::Builder::new().name("signals".to_owned()).stack_size(64 * 1024).spawn(watch).is_err() {
        let _ = signal_hook::flag::register_conditional_default(SIGINT, std::sync::Arc::new(true.into()));
    }
}

/// Ends the process as an unhandled SIGINT does, so that a shell knows why.
pub fn die_of_interrupt() -> ! {
    let _ = signal_hook::low_level::emulate_default_handler(SIGINT);
    std::process::exit(130)
}
