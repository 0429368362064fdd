//! Load a script, hand it data and functions, call its functions.
//!
//! ```sh
//! cargo run --example call
//! ```

use std::collections::BTreeMap;

use asplet::{Error, Interpreter};

const SCRIPT: &str = "
discounts = {'student': 0.5, 'member': 0.1}

def total(basket, kind=None):
    full = sum(price(item) * count for item, count in basket.items())
    return round(full * (1 - discounts.get(kind, 0)), 2)
";

fn main() -> Result<(), Error> {
    let prices = BTreeMap::from([("tea", 2.5), ("cake", 4.0)]);

    let mut interpreter = Interpreter::new();
    interpreter.register("price", "item", move |item: String| {
        prices.get(item.as_str()).copied().ok_or_else(|| format!("nobody sells {item}"))
    })?;
    interpreter.exec(SCRIPT)?;

    let basket = BTreeMap::from([("tea".to_owned(), 2), ("cake".to_owned(), 1)]);
    let full: f64 = interpreter.call("total", (basket.clone(),))?;
    let reduced: f64 = interpreter.call("total", (basket, "student"))?;
    println!("{full} or {reduced}");
    assert_eq!((full, reduced), (9.0, 4.5));

    // Scripts and hosts change the same globals.
    interpreter.exec("discounts['friend'] = 1.0")?;
    let discounts: BTreeMap<String, f64> = interpreter.get_global("discounts")?;
    println!("{discounts:?}");

    // What goes wrong in the host comes out as it went in.
    match interpreter.eval::<f64>("price('sofa')") {
        Err(Error::Host { error, .. }) => println!("the host said: {error}"),
        other => panic!("expected an error of the host, not {other:?}"),
    }
    match interpreter.eval::<f64>("total({'tea': 'two'})") {
        Err(Error::Exception(exception)) => print!("the script said:\n{}", exception.traceback),
        other => panic!("expected an exception, not {other:?}"),
    }
    Ok(())
}

#[test]
fn runs() {
    main().expect("the example runs");
}
