//! The `asplet` command: options, streams, exit statuses, signals.
#![cfg(feature = "cli")]

use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

fn asplet(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_asplet"));
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run(args: &[&str]) -> Output {
    asplet(args).output().expect("the command starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A folder of its own for one test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("asplet-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a temporary folder");
        Folder(path)
    }

    fn file(&self, name: &str, content: &str) -> String {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().expect("inside the folder")).expect("a folder");
        std::fs::write(&path, content).expect("a file");
        path.to_string_lossy().into_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_file_and_its_arguments() {
    let folder = Folder::new("arguments");
    let file = folder.file("main.script", "import sys\nprint(sys.argv[1:], __name__, sys.argv[0] == __file__)\n");
    let output = run(&[&file, "-c", "--fuel", "x"]);
    assert_eq!(text(&output.stdout), "['-c', '--fuel', 'x'] __main__ True\n");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_text_and_the_input() {
    let output = run(&["-c", "import sys; print(sys.argv)", "a"]);
    assert_eq!(text(&output.stdout), "['-c', 'a']\n");
    let mut child = asplet(&["-", "b"]).stdin(Stdio::piped()).spawn().expect("the command starts");
    child.stdin.take().expect("piped").write_all(b"import sys\nprint(sys.argv)").expect("written");
    assert_eq!(text(&child.wait_with_output().expect("ends").stdout), "['-', 'b']\n");
}

#[test]
fn imports_start_beside_the_file() {
    let folder = Folder::new("imports");
    let file = folder.file("main.script", "import helper, pack.inner\nprint(helper.x, pack.inner.y, pack.z)\n");
    folder.file("helper.py", "x = 1\n");
    folder.file("pack/__init__.script", "z = 3\n");
    folder.file("pack/inner.script", "from . import z\ny = z - 1\n");
    assert_eq!(text(&run(&[&file]).stdout), "1 2 3\n");
}

#[test]
fn statuses_are_those_of_python() {
    for (program, status, last) in [
        ("pass", 0, ""),
        ("1/0", 1, "ZeroDivisionError: division by zero"),
        ("import sys; sys.exit(7)", 7, ""),
        ("import sys; sys.exit('bye')", 1, "bye"),
        ("import sys; sys.exit()", 0, ""),
        ("raise SystemExit(300)", 44, ""),
        ("x = = 1", 1, "SyntaxError: invalid syntax"),
    ] {
        let output = run(&["-c", program]);
        assert_eq!(output.status.code(), Some(status), "{program}");
        assert_eq!(text(&output.stderr).lines().last().unwrap_or(""), last, "{program}");
    }
}

#[test]
fn output_comes_before_the_traceback() {
    let output = asplet(&["-c", "print('first', end=''); 1/0"]).output().expect("starts");
    assert_eq!(text(&output.stdout), "first");
    assert!(text(&output.stderr).starts_with("Traceback (most recent call last):\n  File \"<string>\", line 1, in <module>\n"));
}

#[test]
fn a_wrong_command_line() {
    let output = run(&["--nonsense"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("usage: asplet"));
    let output = run(&["/no/such/file.script"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).ends_with("can't open file '/no/such/file.script': [Errno 2] No such file or directory\n"));
    assert!(text(&run(&["--version"]).stdout).starts_with("Asplet "));
    assert!(text(&run(&["-h"]).stdout).contains("--clock"));
}

#[test]
fn limits_are_options() {
    let output = run(&["--fuel", "100K", "-c", "while True: pass"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("fuel"));
    let output = run(&["--clock", "virtual", "-c", "import asyncio; asyncio.run(asyncio.sleep(86400)); print('done')"]);
    assert_eq!(text(&output.stdout), "done\n");
}

#[test]
fn text_that_is_no_program_ends_in_a_message() {
    let folder = Folder::new("bytes");
    for (name, content) in [("null", &b"x = 1\0\n"[..]), ("latin", b"x = '\xe9'\n"), ("noise", &[0x80, 0xff, 0x00, 0x0a])] {
        let path = folder.0.join(name);
        std::fs::write(&path, content).expect("written");
        let output = run(&[&path.to_string_lossy()]);
        assert_eq!(output.status.code(), Some(1), "{name}");
        assert!(text(&output.stderr).contains("SyntaxError"), "{name}: {}", text(&output.stderr));
    }
}

#[test]
#[cfg(unix)]
fn a_closed_pipe_ends_the_program() {
    let script = "for i in range(10**7): print(i)";
    let mut child = asplet(&["-c", script]).spawn().expect("starts");
    drop(child.stdout.take());
    let status = wait(&mut child);
    let error = text(&child.wait_with_output().expect("ends").stderr);
    assert_eq!(status, Some(1));
    assert!(error.ends_with("BrokenPipeError: [Errno 32] Broken pipe\n"), "{error}");
    // If only the last block is lost, the program itself has succeeded.
    let mut child = asplet(&["-c", "import time; time.sleep(0.1); print('late')"]).spawn().expect("starts");
    drop(child.stdout.take());
    assert_eq!(wait(&mut child), Some(120));
}

#[test]
#[cfg(unix)]
fn ctrl_c_ends_the_program_as_the_signal_does() {
    use std::os::unix::process::ExitStatusExt;
    for script in ["print('on', flush=True)\nwhile True: pass", "import time\nprint('on', flush=True)\ntime.sleep(30)"] {
        let mut child = asplet(&["-c", script]).spawn().expect("starts");
        let mut out = child.stdout.take().expect("piped");
        std::io::Read::read_exact(&mut out, &mut [0; 2]).expect("it started");
        std::thread::sleep(Duration::from_millis(50));
        let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill");
        assert!(kill.success());
        wait(&mut child);
        let output = child.wait_with_output().expect("ends");
        assert_eq!(output.status.signal(), Some(2), "{script}");
        assert_eq!(text(&output.stderr).lines().last(), Some("KeyboardInterrupt"), "{script}");
    }
}

/// Waits, but not for ever.
fn wait(child: &mut Child) -> Option<i32> {
    for _ in 0..2000 {
        if let Some(status) = child.try_wait().expect("a child") {
            return status.code();
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let _ = child.kill();
    panic!("the command did not end");
}
