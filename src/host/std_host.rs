//! The process as a host: its streams, files, environment, clocks and threads.

use std::fmt;
use std::fs;
use std::io::{self, IsTerminal, Read, Seek, SeekFrom, Write};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use super::{Capability, File, FileKind, Host, OpenMode, Stream};

/// How much output is kept back when nobody watches.
const BUFFER: usize = 8 * 1024;

/// Grants everything that the process can do. It is the command line's; give it to scripts that are trusted like the program itself.
pub struct StdHost {
    arguments: Vec<String>,
    out: Mutex<Output>,
    started: Instant,
}

/// Standard output with a buffer of our own: the one of `std` writes every line.
struct Output {
    pending: Vec<u8>,
    by_line: bool,
}

impl fmt::Debug for StdHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StdHost").field("arguments", &self.arguments).finish_non_exhaustive()
    }
}

impl StdHost {
    /// The process, with these arguments as `sys.argv`. Output is sent by the line on a terminal, else by the block.
    pub fn new(arguments: Vec<String>) -> StdHost {
        StdHost::with_lines(arguments, io::stdout().is_terminal())
    }

    /// The process, whose output is sent by the line, so that it keeps its place among what a host program writes.
    pub fn by_line(arguments: Vec<String>) -> StdHost {
        StdHost::with_lines(arguments, true)
    }

    fn with_lines(arguments: Vec<String>, by_line: bool) -> StdHost {
        StdHost { arguments, out: Mutex::new(Output { pending: Vec::new(), by_line }), started: Instant::now() }
    }
}

impl Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.pending.extend_from_slice(bytes);
        if self.pending.len() >= BUFFER || (self.by_line && bytes.contains(&b'\n')) {
            return self.send();
        }
        Ok(())
    }

    /// What cannot be written is lost, as the error tells.
    fn send(&mut self) -> io::Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let mut out = io::stdout().lock();
        let sent = out.write_all(&self.pending).and_then(|()| out.flush());
        self.pending.clear();
        sent
    }
}

impl Host for StdHost {
    fn write(&self, stream: Stream, bytes: &[u8]) -> io::Result<()> {
        match stream {
            Stream::Out => self.out.lock().unwrap_or_else(PoisonError::into_inner).write(bytes),
            Stream::Err => io::stderr().write_all(bytes),
            Stream::In => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    fn flush(&self, stream: Stream) -> io::Result<()> {
        match stream {
            Stream::Out => self.out.lock().unwrap_or_else(PoisonError::into_inner).send(),
            Stream::Err | Stream::In => Ok(()),
        }
    }

    fn is_terminal(&self, stream: Stream) -> bool {
        match stream {
            Stream::Out => io::stdout().is_terminal(),
            Stream::Err => io::stderr().is_terminal(),
            Stream::In => io::stdin().is_terminal(),
        }
    }

    fn read_line(&self) -> io::Result<Vec<u8>> {
        let mut line = Vec::new();
        io::BufRead::read_until(&mut io::stdin().lock(), b'\n', &mut line)?;
        Ok(line)
    }

    fn read_input(&self) -> io::Result<Vec<u8>> {
        let mut rest = Vec::new();
        io::stdin().lock().read_to_end(&mut rest)?;
        Ok(rest)
    }

    fn open(&self, path: &str, mode: OpenMode) -> io::Result<Box<dyn File>> {
        let mut options = fs::OpenOptions::new();
        options.read(mode.read).write(mode.write).append(mode.append);
        options.create(mode.create).create_new(mode.create_new).truncate(mode.truncate);
        let file = options.open(path)?;
        if file.metadata()?.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        Ok(Box::new(StdFile(file)))
    }

    fn kind(&self, path: &str) -> io::Result<FileKind> {
        let found = fs::metadata(path)?;
        Ok(match () {
            () if found.is_file() => FileKind::File(found.len()),
            () if found.is_dir() => FileKind::Folder,
            () => FileKind::Other,
        })
    }

    fn list(&self, path: &str) -> io::Result<Vec<String>> {
        fs::read_dir(path)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
    }

    fn current_folder(&self) -> io::Result<String> {
        Ok(std::env::current_dir()?.to_string_lossy().into_owned())
    }

    fn make_folder(&self, path: &str) -> io::Result<()> {
        fs::create_dir(path)
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        match fs::symlink_metadata(path)?.is_dir() {
            true => fs::remove_dir(path),
            false => fs::remove_file(path),
        }
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn environment(&self) -> io::Result<Vec<(String, String)>> {
        let text = |os: std::ffi::OsString| os.to_string_lossy().into_owned();
        Ok(std::env::vars_os().map(|(name, value)| (text(name), text(value))).collect())
    }

    fn wall_clock(&self) -> io::Result<Duration> {
        Ok(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default())
    }

    fn monotonic(&self) -> Duration {
        self.started.elapsed()
    }

    #[cfg(unix)]
    fn cpu_time(&self) -> io::Result<Duration> {
        let used = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
        Ok(Duration::new(used.tv_sec.try_into().unwrap_or(0), used.tv_nsec.try_into().unwrap_or(0)))
    }

    #[cfg(not(unix))]
    fn cpu_time(&self) -> io::Result<Duration> {
        Ok(self.started.elapsed())
    }

    fn random(&self, bytes: &mut [u8]) -> io::Result<()> {
        getrandom::fill(bytes).map_err(io::Error::other)
    }

    fn spawn(&self, name: &str, work: Box<dyn FnOnce() + Send>) -> io::Result<()> {
        std::thread::Builder::new().name(name.replace('\0', "")).stack_size(THREAD_STACK).spawn(work).map(drop)
    }

    fn arguments(&self) -> Vec<String> {
        self.arguments.clone()
    }

    fn grants(&self, _capability: Capability) -> bool {
        true
    }
}

/// Native stack of a thread that runs scripts; it is only reserved, and used as the script nests.
const THREAD_STACK: usize = 16 * 1024 * 1024;

/// A file of the file system.
struct StdFile(fs::File);

impl Read for StdFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }

    fn read_to_end(&mut self, content: &mut Vec<u8>) -> io::Result<usize> {
        self.0.read_to_end(content)
    }
}

impl Write for StdFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Seek for StdFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

impl File for StdFile {
    fn set_size(&mut self, size: u64) -> io::Result<()> {
        self.0.set_len(size)
    }

    fn is_terminal(&self) -> bool {
        self.0.is_terminal()
    }

    #[cfg(unix)]
    fn number(&self) -> Option<i32> {
        Some(std::os::fd::AsRawFd::as_raw_fd(&self.0))
    }
}
