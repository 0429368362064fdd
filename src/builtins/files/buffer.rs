//! Bytes between a file object and the host: read ahead, and kept back for writing.

use std::io::{self, Read, Seek, SeekFrom, Write};

use crate::host::{File, Host, Stream};

/// Bytes that are read at once, and kept back at most before they are written.
const CHUNK: usize = 64 * 1024;

/// Where the bytes are.
pub(super) enum Backend {
    Closed,
    File(Box<dyn File>),
    Stream(Stream),
}

/// A file with its buffers. Only one of them holds anything at a time.
pub(super) struct Buffer {
    pub backend: Backend,
    pub readable: bool,
    pub writable: bool,
    /// Every write goes through at once.
    pub unbuffered: bool,
    /// What was read; bytes before `at` have been handed out.
    input: Vec<u8>,
    at: usize,
    output: Vec<u8>,
}

/// Where a line ends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum LineEnd {
    /// At `\n`.
    Feed,
    /// At `\r`.
    Return,
    /// At `\r\n`.
    Both,
    /// At any of these.
    Any,
}

impl Buffer {
    pub fn new(backend: Backend, readable: bool, writable: bool) -> Buffer {
        Buffer { backend, readable, writable, unbuffered: false, input: Vec::new(), at: 0, output: Vec::new() }
    }

    pub fn is_closed(&self) -> bool {
        matches!(self.backend, Backend::Closed)
    }

    /// Whether what is written here counts as output.
    pub fn is_stream(&self) -> bool {
        matches!(self.backend, Backend::Stream(_))
    }

    /// Bytes that were read and not handed out.
    pub fn ahead(&self) -> &[u8] {
        &self.input[self.at..]
    }

    /// Reads more; whether there was more. At most a chunk, so that the caller can count the work.
    pub fn fill(&mut self, host: &dyn Host) -> io::Result<bool> {
        self.send(host)?;
        if self.at > 0 {
            self.input.drain(..self.at);
            self.at = 0;
        }
        match &mut self.backend {
            Backend::Closed => Ok(false),
            Backend::Stream(_) => {
                let line = host.read_line()?;
                self.input.extend_from_slice(&line);
                Ok(!line.is_empty())
            }
            Backend::File(file) => {
                let before = self.input.len();
                self.input.resize(before + CHUNK, 0);
                let count = file.read(&mut self.input[before..]);
                self.input.truncate(before + *count.as_ref().unwrap_or(&0));
                Ok(count? > 0)
            }
        }
    }

    /// Hands out the next `count` bytes, or as many as are here.
    pub fn take(&mut self, count: usize) -> Vec<u8> {
        let end = self.at.saturating_add(count).min(self.input.len());
        let taken = self.input[self.at..end].to_vec();
        self.at = end;
        if self.at == self.input.len() {
            self.input.clear();
            self.at = 0;
        }
        taken
    }

    /// The length of the next line with its end, if all of it is here. `from` bytes have been searched before.
    pub fn line(&self, end: LineEnd, from: usize) -> Option<usize> {
        let ahead = self.ahead();
        let rest = ahead.get(from..)?;
        match end {
            LineEnd::Feed => rest.iter().position(|&byte| byte == b'\n').map(|at| from + at + 1),
            LineEnd::Return => rest.iter().position(|&byte| byte == b'\r').map(|at| from + at + 1),
            LineEnd::Both => rest.windows(2).position(|pair| pair == b"\r\n").map(|at| from + at + 2),
            LineEnd::Any => {
                let at = from + rest.iter().position(|&byte| byte == b'\n' || byte == b'\r')?;
                match (ahead[at], ahead.get(at + 1)) {
                    (b'\n', _) => Some(at + 1),
                    (_, Some(b'\n')) => Some(at + 2),
                    (_, Some(_)) => Some(at + 1),
                    // What follows decides.
                    (_, None) => None,
                }
            }
        }
    }

    /// Writes bytes, or keeps them back.
    pub fn write(&mut self, host: &dyn Host, data: &[u8]) -> io::Result<()> {
        if let Backend::Stream(stream) = self.backend {
            return host.write(stream, data);
        }
        self.unread()?;
        self.output.extend_from_slice(data);
        if self.unbuffered || self.output.len() >= CHUNK { self.send(host) } else { Ok(()) }
    }

    /// Goes back to where the reader stands.
    fn unread(&mut self) -> io::Result<()> {
        let ahead = self.ahead().len();
        self.input.clear();
        self.at = 0;
        match &mut self.backend {
            Backend::File(file) if ahead > 0 => file.seek(SeekFrom::Current(-(ahead as i64))).map(drop),
            _ => Ok(()),
        }
    }

    /// Writes what was kept back.
    fn send(&mut self, _host: &dyn Host) -> io::Result<()> {
        if self.output.is_empty() {
            return Ok(());
        }
        let output = std::mem::take(&mut self.output);
        match &mut self.backend {
            Backend::File(file) => file.write_all(&output),
            _ => Ok(()),
        }
    }

    /// Writes what was kept back, here and in the host.
    pub fn flush(&mut self, host: &dyn Host) -> io::Result<()> {
        self.send(host)?;
        match &mut self.backend {
            Backend::File(file) => file.flush(),
            Backend::Stream(stream) if *stream != Stream::In => host.flush(*stream),
            _ => Ok(()),
        }
    }

    /// Closes the file, after writing what was kept back.
    pub fn close(&mut self, host: &dyn Host) -> io::Result<()> {
        let result = self.flush(host);
        self.backend = Backend::Closed;
        self.input = Vec::new();
        self.at = 0;
        self.output = Vec::new();
        result
    }

    /// The position.
    pub fn tell(&mut self) -> io::Result<u64> {
        let (ahead, kept) = (self.ahead().len() as u64, self.output.len() as u64);
        match &mut self.backend {
            Backend::File(file) => Ok((file.stream_position()? + kept).saturating_sub(ahead)),
            _ => Err(io::Error::from_raw_os_error(29)),
        }
    }

    /// Goes to a position.
    pub fn seek(&mut self, host: &dyn Host, to: SeekFrom) -> io::Result<u64> {
        self.send(host)?;
        self.unread()?;
        match &mut self.backend {
            Backend::File(file) => file.seek(to),
            _ => Err(io::Error::from_raw_os_error(29)),
        }
    }

    /// Cuts the file off.
    pub fn truncate(&mut self, host: &dyn Host, size: u64) -> io::Result<()> {
        self.send(host)?;
        match &mut self.backend {
            Backend::File(file) => file.set_size(size),
            _ => Err(io::Error::from_raw_os_error(22)),
        }
    }

    /// Whether positions mean anything.
    pub fn is_seekable(&mut self) -> bool {
        match &mut self.backend {
            Backend::File(file) => file.stream_position().is_ok(),
            _ => false,
        }
    }

    pub fn is_terminal(&self, host: &dyn Host) -> bool {
        match &self.backend {
            Backend::File(file) => file.is_terminal(),
            Backend::Stream(stream) => host.is_terminal(*stream),
            Backend::Closed => false,
        }
    }

    /// The number of the file in the process.
    pub fn number(&self) -> Option<i32> {
        match &self.backend {
            Backend::File(file) => file.number(),
            Backend::Stream(Stream::In) => Some(0),
            Backend::Stream(Stream::Out) => Some(1),
            Backend::Stream(Stream::Err) => Some(2),
            Backend::Closed => None,
        }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        // A file that nobody closed: what was written should arrive; there is nobody left to tell of a failure.
        if let Backend::File(file) = &mut self.backend
            && !self.output.is_empty()
        {
            let _ = file.write_all(&self.output);
        }
    }
}
