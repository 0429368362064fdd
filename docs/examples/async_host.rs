//! Async functions of the host, a script that awaits several at once, and no executor but a loop of our own.
//!
//! ```sh
//! cargo run --example async_host
//! ```

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use asplet::{Error, Interpreter};

const SCRIPT: &str = "
import asyncio

async def describe(city):
    degrees = await temperature(city)
    return f'{city}: {degrees}'

async with asyncio.timeout(5):
    lines = await asyncio.gather(*(describe(city) for city in cities))
'\\n'.join(lines)
";

fn main() -> Result<(), Error> {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();

    let mut interpreter = Interpreter::new();
    interpreter.set_global("cities", ["Oslo", "Rome", "Cairo"])?;
    interpreter.register_async("temperature", "city", move |city: String| {
        counter.fetch_add(1, Ordering::SeqCst);
        async move {
            // Any future will do: of an HTTP client, a database, a channel.
            smol::Timer::after(Duration::from_millis(100)).await;
            Ok::<i64, std::io::Error>(city.len() as i64 * 7)
        }
    })?;

    let start = Instant::now();
    let text: String = block_on(interpreter.run(SCRIPT))?;
    println!("{text}\n({} questions in {:?})", asked.load(Ordering::SeqCst), start.elapsed());
    assert_eq!(text, "Oslo: 28\nRome: 28\nCairo: 35");
    assert!(start.elapsed() < Duration::from_millis(290), "the questions were asked one after the other");

    // Dropping the future cancels the script; the interpreter can be used again.
    {
        let mut run = pin!(interpreter.run::<()>("await asyncio.sleep(3600)"));
        let mut context = Context::from_waker(Waker::noop());
        assert!(run.as_mut().poll(&mut context).is_pending());
    }
    println!("still here: {}", interpreter.eval::<String>("'-'.join(cities)")?);
    Ok(())
}

/// The smallest executor: polls, and sleeps until somebody wakes this thread.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}

#[test]
fn runs() {
    main().expect("the example runs");
}
