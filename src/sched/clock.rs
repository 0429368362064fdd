//! The clock of an interpreter: the host's, or a virtual one that stands still while anything runs and jumps when all wait.

use std::cell::Cell;
use std::time::Duration;

use crate::host::Host;

/// Where time comes from. Everything that tells a script the time, or waits, asks here.
#[derive(Default)]
pub struct Clock {
    /// The virtual clock's seconds since its beginning.
    elapsed: Cell<Option<f64>>,
}

/// The virtual clock begins at this moment, in seconds since 1970: the first of January 2000.
const VIRTUAL_EPOCH: f64 = 946_684_800.0;

impl Clock {
    /// Changes to the virtual clock, at its beginning.
    pub fn set_virtual(&self) {
        self.elapsed.set(Some(0.0));
    }

    /// Whether time is virtual.
    pub fn is_virtual(&self) -> bool {
        self.elapsed.get().is_some()
    }

    /// Seconds for `time.monotonic()`, `time.perf_counter()` and `loop.time()`.
    pub fn monotonic(&self, host: &dyn Host) -> f64 {
        self.elapsed.get().unwrap_or_else(|| host.monotonic().as_secs_f64())
    }

    /// Time since the beginning of 1970.
    pub fn wall(&self, host: &dyn Host) -> std::io::Result<Duration> {
        match self.elapsed.get() {
            Some(elapsed) => Ok(Duration::try_from_secs_f64(VIRTUAL_EPOCH + elapsed).unwrap_or(Duration::MAX)),
            None => host.wall_clock(),
        }
    }

    /// The virtual clock jumps to a later moment.
    pub fn jump(&self, to: f64) {
        if let Some(elapsed) = self.elapsed.get()
            && to > elapsed
        {
            self.elapsed.set(Some(to));
        }
    }
}
