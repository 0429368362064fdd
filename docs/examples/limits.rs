//! Run scripts that nobody trusts: without power, and with limits on everything they can use up.
//!
//! ```sh
//! cargo run --example limits
//! ```

use std::time::Duration;

use asplet::{Captured, Error, Interpreter, Limit};

fn main() {
    let output = Captured::new();
    let mut interpreter = Interpreter::builder()
        .capture(&output)
        .fuel(1_000_000)
        .memory(16 << 20)
        .depth(200)
        .time(Duration::from_secs(2))
        .output_limit(1000)
        .tasks(100)
        .build();

    let mut attempt = |what: &str, script: &str| {
        let outcome = interpreter.exec(script);
        match &outcome {
            Ok(()) => println!("{what}: ended by itself"),
            Err(Error::Limit(limit)) => println!("{what}: {}", limit.message()),
            Err(error) => println!("{what}: {error}"),
        }
        outcome
    };

    // No handler of the script catches a limit.
    let spin = attempt("a loop without end", "while True:\n  try:\n    while True: pass\n  except BaseException: pass");
    assert!(matches!(spin, Err(Error::Limit(Limit::Fuel))));

    let hoard = attempt("a growing list", "hoard = []\nwhile True: hoard.append('x' * 1000)");
    assert!(matches!(hoard, Err(Error::Limit(_))));
    attempt("tidying up", "hoard.clear()").expect("the interpreter is as good as before");

    let chatter = attempt("endless output", "while True: print('spam')");
    assert!(matches!(chatter, Err(Error::Limit(Limit::Output))));
    println!("  ({} bytes arrived)", output.take_out().len());

    // What is too large is refused before it is made.
    let huge = attempt("a large number of zeros", "[0] * 10**12");
    assert!(huge.is_err());

    // Recursion is an ordinary exception, and nothing here can reach a file.
    let deep = attempt("recursion", "def f(): return f()\nf()");
    assert!(matches!(deep, Err(Error::Exception(exception)) if exception.class == "RecursionError"));
    let files = attempt("reading a file", "open('/etc/passwd').read()");
    assert!(matches!(files, Err(Error::Exception(exception)) if exception.class == "PermissionError"));

    println!("and then: {}", interpreter.eval::<i64>("6 * 7").expect("still usable"));
}

#[test]
fn runs() {
    main();
}
