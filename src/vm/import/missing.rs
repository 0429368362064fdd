//! What to say about a module that is not there.

use crate::vm::text::quote;

/// The message of a `ModuleNotFoundError`. A module that Python's own library has is said to be missing here, so that nobody looks
/// for a spelling mistake.
pub(super) fn message(name: &str) -> String {
    let mut text = String::from("No module named ");
    quote(&mut text, name, false);
    let top = name.split('.').next().unwrap_or(name);
    if is_of_python(top) {
        text.push_str(" (it is part of Python, but not of Asplet yet)");
    }
    text
}

/// Whether Python's own library has a module of this name.
pub fn is_of_python(name: &str) -> bool {
    PYTHON.split_ascii_whitespace().any(|known| known == name)
}

/// Import names of the library of Python 3.12.
const PYTHON: &str = "
    abc aifc argparse array ast asyncio atexit audioop base64 bdb binascii bisect builtins bz2 cProfile calendar cgi cgitb chunk
    cmath cmd code codecs codeop collections colorsys compileall concurrent configparser contextlib contextvars copy copyreg crypt
    csv ctypes curses dataclasses datetime dbm decimal difflib dis doctest email encodings ensurepip enum errno faulthandler fcntl
    filecmp fileinput fnmatch fractions ftplib functools gc genericpath getopt getpass gettext glob graphlib grp gzip hashlib heapq
    hmac html http idlelib imaplib imghdr importlib inspect io ipaddress itertools json keyword lib2to3 linecache locale logging
    lzma mailbox mailcap marshal math mimetypes mmap modulefinder multiprocessing netrc nis nntplib ntpath numbers opcode operator
    optparse os ossaudiodev pathlib pdb pickle pickletools pipes pkgutil platform plistlib poplib posix posixpath pprint profile
    pstats pty pwd py_compile pyclbr pydoc queue quopri random re readline reprlib resource rlcompleter runpy sched secrets select
    selectors shelve shlex shutil signal site smtplib sndhdr socket socketserver spwd sqlite3 ssl stat statistics string stringprep
    struct subprocess sunau symtable sys sysconfig syslog tabnanny tarfile telnetlib tempfile termios textwrap this threading time
    timeit tkinter token tokenize tomllib trace traceback tracemalloc tty turtle types typing unicodedata unittest urllib uu uuid
    venv warnings wave weakref webbrowser winreg wsgiref xdrlib xml xmlrpc zipapp zipfile zipimport zlib zoneinfo
";

#[cfg(test)]
mod tests {
    use super::message;

    #[test]
    fn says_what_is_only_missing_here() {
        assert_eq!(message("nosuch.a"), "No module named 'nosuch.a'");
        assert_eq!(message("xml.dom"), "No module named 'xml.dom' (it is part of Python, but not of Asplet yet)");
    }
}
