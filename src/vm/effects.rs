//! Effects as scripts see them: what the host refuses or fails at becomes an `OSError` of the right class.
//!
//! Used by every native function that asks `vm.host` for something: `vm.host.open(..).map_err(|e| vm.io_error(e, Some(path)))`.

use std::io;

use super::Vm;
use super::ticks::Limit;
use crate::host::{Denied, Stream};
use crate::value::{Class, R, Raised, Ref, Value};

impl Vm {
    /// Raises an error of the host: `FileNotFoundError: [Errno 2] No such file or directory: 'x'` and its like. A refused
    /// capability is a `PermissionError` that names it.
    #[cold]
    #[inline(never)]
    pub fn io_error(&self, error: io::Error, path: Option<&str>) -> Raised {
        if let Some(denied) = error.get_ref().and_then(|inner| inner.downcast_ref::<Denied>()) {
            return self.raise_class(&self.types.permission_error, &denied.to_string());
        }
        let (number, text) = describe(&error);
        let class = self.class_of_error(number).clone();
        let mut args = vec![Value::Int(number.into()), self.str_value(&text)];
        args.extend(path.map(|path| self.str_value(path)));
        match self.call(&Value::from(&class), &args) {
            Ok(exception) => self.raise_new(exception),
            Err(raised) => raised,
        }
    }

    /// Limits the bytes that scripts may write to the two streams from now on.
    pub fn set_output_limit(&self, bytes: Option<u64>) {
        self.output_left.set(bytes.unwrap_or(u64::MAX));
    }

    /// Takes bytes that are about to be written to the two streams off what is left of the limit.
    #[inline]
    pub fn count_output(&self, bytes: usize) -> R<()> {
        let left = self.output_left.get();
        if left != u64::MAX {
            match left.checked_sub(bytes as u64) {
                Some(left) => self.output_left.set(left),
                None => return Err(self.cross(Limit::Output)),
            }
        }
        Ok(())
    }

    /// Writes text to standard output or standard error.
    pub fn write(&self, stream: Stream, text: &str) -> R<()> {
        self.count_output(text.len())?;
        self.host.write(stream, text.as_bytes()).map_err(|error| self.io_error(error, None))
    }

    /// The class of `OSError` that CPython chooses for an error number.
    fn class_of_error(&self, number: i32) -> &Ref<Class> {
        let types = &self.types;
        match number {
            1 | 13 => &types.permission_error,
            2 => &types.file_not_found_error,
            3 => &types.process_lookup_error,
            4 => &types.interrupted_error,
            10 => &types.child_process_error,
            11 | 114 | 115 => &types.blocking_io_error,
            17 => &types.file_exists_error,
            20 => &types.not_a_directory_error,
            21 => &types.is_a_directory_error,
            32 | 108 => &types.broken_pipe_error,
            103 => &types.connection_aborted_error,
            104 => &types.connection_reset_error,
            110 => &types.timeout_error,
            111 => &types.connection_refused_error,
            _ => &types.os_error,
        }
    }
}

/// The number and the text that C gives an error. Numbers are Linux's everywhere, as scripts compare them with `errno`.
fn describe(error: &io::Error) -> (i32, String) {
    use io::ErrorKind::*;
    if cfg!(target_os = "linux")
        && let Some(number) = error.raw_os_error()
    {
        let text = error.to_string();
        let text = text.split(" (os error").next().unwrap_or_default();
        return (number, text.to_owned());
    }
    let (number, text) = match error.kind() {
        NotFound => (2, "No such file or directory"),
        PermissionDenied => (13, "Permission denied"),
        AlreadyExists => (17, "File exists"),
        NotADirectory => (20, "Not a directory"),
        IsADirectory => (21, "Is a directory"),
        InvalidInput => (22, "Invalid argument"),
        StorageFull => (28, "No space left on device"),
        ReadOnlyFilesystem => (30, "Read-only file system"),
        BrokenPipe => (32, "Broken pipe"),
        DirectoryNotEmpty => (39, "Directory not empty"),
        ConnectionAborted => (103, "Software caused connection abort"),
        ConnectionReset => (104, "Connection reset by peer"),
        TimedOut => (110, "Connection timed out"),
        ConnectionRefused => (111, "Connection refused"),
        _ => return (5, error.to_string()),
    };
    (number, text.to_owned())
}

impl Vm {
    /// Writes to standard error, where failing helps nobody.
    pub fn write_stderr(&self, text: &str) {
        let _ = self.host.flush(Stream::Out);
        let _ = self.host.write(Stream::Err, text.as_bytes());
    }

    /// Writes a message to `sys.stderr`, whatever the script has put there.
    pub fn tell_stderr(&self, text: &str) -> R<()> {
        if let Some(sys) = self.modules.get_str(&self.n.sys)
            && let Some(sys) = sys.payload::<crate::value::Module>()
            && let Some(stream) = sys.dict.get_text("stderr")
            && !sys.dict.get_text("__stderr__").is_some_and(|usual| usual.is(&stream))
        {
            if stream.is_none() {
                return Ok(());
            }
            return self.call_method(&stream, &self.intern("write"), &[self.str_value(text)]).map(drop);
        }
        let _ = self.host.flush(Stream::Out);
        self.write(Stream::Err, text)
    }

    /// What the prompt does with the value of an expression: shows it unless it is `None`, and keeps it as `_`. A
    /// `sys.displayhook` of the script's is called instead.
    pub fn display(&self, value: &crate::value::Value) -> R<()> {
        if let Some(sys) = self.modules.get_str(&self.n.sys)
            && let Some(sys) = sys.payload::<crate::value::Module>()
            && let Some(hook) = sys.dict.get_text("displayhook")
            && !sys.dict.get_text("__displayhook__").is_some_and(|usual| usual.is(&hook))
        {
            return self.call(&hook, std::slice::from_ref(value)).map(drop);
        }
        if value.is_none() {
            return Ok(());
        }
        let text = self.repr(value)?;
        let print = self.builtins.get_text("print").unwrap_or_default();
        self.call(&print, &[crate::value::Value::from(text)])?;
        self.builtins.set_str(&self.intern("_"), value.clone());
        Ok(())
    }

    /// Warns about a coroutine that was dropped without being awaited, as `warnings` has it: at the place that was being run.
    #[cold]
    pub(crate) fn warn_never_awaited(&self, coroutine: &Value) {
        let outside = self.place(self.heap.here.get()).is_none();
        let warn = || {
            let warnings = self.import("warnings", None, 0)?;
            let Some(warn) = self.find_attr(&warnings, &self.intern("_warn_unawaited_coroutine"))? else {
                return Ok(Value::None);
            };
            self.call(&warn, &[coroutine.clone(), Value::Bool(outside.into())])
        };
        if warn().is_err() {
            self.unraisable("Exception ignored in", coroutine);
        }
    }
}
