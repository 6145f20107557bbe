//! Where secrets come from: a file, standard input, the environment, or a terminal that does not echo.
//!
//! Never from the command line, which other users can read. Bytes are read straight from the descriptor into buffers that
//! are wiped, one at a time where a line is wanted, so that no library's read-ahead keeps a copy. The environment's copy of
//! a secret cannot be removed without unsafe code; it lies in memory that [`crate::hardening`] closes to other processes.

use std::convert::Infallible;
use std::fmt;
use std::fs::File;
use std::io::{self, IsTerminal};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use crate::exit::{Exit, Failure};

/// The longest password, phrase or passphrase that is read, in bytes.
pub(crate) const MAX_SECRET_BYTES: usize = 4096;

/// A file, or standard input for `-`.
///
/// The file is opened while the command line is parsed (see [`crate::hardening::forbid_inspection`]); that it could not be
/// opened is said when it is read.
#[derive(Clone)]
pub(crate) enum Source {
    /// Standard input.
    Stdin,
    /// A file.
    File {
        path: PathBuf,
        opened: Arc<io::Result<File>>,
    },
}

impl FromStr for Source {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        if text == "-" {
            return Ok(Self::Stdin);
        }
        let path = PathBuf::from(text);
        let opened = Arc::new(File::open(&path));
        Ok(Self::File { path, opened })
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdin => f.write_str("Stdin"),
            Self::File { path, .. } => write!(f, "File({})", path.display()),
        }
    }
}

impl Source {
    pub(crate) const fn is_stdin(&self) -> bool {
        matches!(self, Self::Stdin)
    }

    /// What to call it in messages.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Stdin => "standard input".to_owned(),
            Self::File { path, .. } => path.display().to_string(),
        }
    }

    /// The file's name without its extension; empty for standard input.
    pub(crate) fn stem(&self) -> String {
        match self {
            Self::Stdin => String::new(),
            Self::File { path, .. } => path
                .file_stem()
                .map(|stem| stem.to_string_lossy().into_owned())
                .unwrap_or_default(),
        }
    }

    /// Reads all of it, at most `limit` bytes.
    pub(crate) fn read_all(&self, what: &str, limit: usize) -> Result<Zeroizing<Vec<u8>>, Failure> {
        match self {
            Self::Stdin => read_all(rustix::stdio::stdin(), what, limit),
            Self::File { path, opened } => match opened.as_ref() {
                Ok(file) => read_all(file, what, limit),
                Err(error) => {
                    let exit = if error.kind() == io::ErrorKind::NotFound {
                        Exit::NotFound
                    } else {
                        Exit::Storage
                    };
                    let message = format!("cannot read the {what} from {}: {error}", path.display());
                    Err(Failure::new(
                        exit,
                        "file_unreadable",
                        message,
                        "check the path and its permissions",
                    ))
                }
            },
        }
    }
}

/// Reads a one-line secret from a file: its first line, which must be its only one.
pub(crate) fn read_line_from(source: &Source, what: &str) -> Result<Zeroizing<String>, Failure> {
    if source.is_stdin() {
        return read_stdin_line(what);
    }
    let bytes = source.read_all(what, MAX_SECRET_BYTES)?;
    let text = text_of(&bytes, what)?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.contains('\n') {
        let message = format!("the {what} file holds more than one line");
        return Err(Failure::invalid(
            "secret_several_lines",
            message,
            "put it alone on the first line",
        ));
    }
    Ok(Zeroizing::new(line.to_owned()))
}

/// Reads one line of standard input, leaving the rest for whoever reads next.
pub(crate) fn read_stdin_line(what: &str) -> Result<Zeroizing<String>, Failure> {
    let stdin = rustix::stdio::stdin();
    let mut line = Zeroizing::new(Vec::with_capacity(MAX_SECRET_BYTES));
    let mut byte = Zeroizing::new([0_u8; 1]);
    loop {
        let count = read_some(stdin, byte.as_mut_slice()).map_err(|error| stdin_failure(what, &error))?;
        if count == 0 || byte.first() == Some(&b'\n') {
            break;
        }
        if line.len() == MAX_SECRET_BYTES {
            return Err(too_long(what, MAX_SECRET_BYTES));
        }
        line.extend_from_slice(byte.as_slice());
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    if line.is_empty() {
        let message = format!("standard input holds no {what}");
        return Err(Failure::invalid(
            "secret_missing",
            message,
            format!("write the {what} as the first line"),
        ));
    }
    text_of(&line, what)
}

/// Asks on the terminal without echo. `None` when there is no terminal to ask on.
///
/// The prompt goes to the terminal itself, so that standard output and error can be redirected.
pub(crate) fn prompt(question: &str) -> Result<Option<Zeroizing<String>>, Failure> {
    // The controlling terminal may exist although a script feeds standard input: then nobody is there to answer.
    if !io::stdin().is_terminal() {
        return Ok(None);
    }
    let Ok(terminal) = File::options().read(true).write(true).open("/dev/tty") else {
        return Ok(None);
    };
    let failed = |error: io::Error| {
        Failure::new(
            Exit::Unexpected,
            "terminal",
            format!("cannot read from the terminal: {error}"),
            "use --password-file",
        )
    };
    let quiet = QuietTerminal::new(&terminal).map_err(|error| failed(error.into()))?;
    write_terminal(&terminal, question.as_bytes());
    let answer = read_hidden_line(&terminal);
    write_terminal(&terminal, b"\n");
    drop(quiet);
    match answer.map_err(failed)? {
        Some(line) => Ok(Some(line)),
        None => Err(Failure::new(Exit::Cancelled, "cancelled", "cancelled", "")),
    }
}

/// Reads one line that the terminal does not show; `None` for Ctrl-C or Ctrl-D.
fn read_hidden_line(terminal: &File) -> io::Result<Option<Zeroizing<String>>> {
    // Room for the longest secret from the start: growing would leave copies behind.
    let mut line = Zeroizing::new(Vec::with_capacity(MAX_SECRET_BYTES));
    let mut byte = Zeroizing::new([0_u8; 1]);
    loop {
        if read_some(terminal, byte.as_mut_slice())? == 0 {
            return Ok(None);
        }
        match byte.first().copied().unwrap_or_default() {
            b'\r' | b'\n' => break,
            3 | 4 => return Ok(None),
            8 | 127 => pop_character(&mut line),
            21 => line.clear(),
            other if line.len() < MAX_SECRET_BYTES => line.push(other),
            _ => return Err(io::Error::other("the line is too long")),
        }
    }
    match std::str::from_utf8(&line) {
        Ok(text) => Ok(Some(Zeroizing::new(text.to_owned()))),
        Err(_) => Err(io::Error::other("the line is not UTF-8")),
    }
}

/// Removes the last UTF-8 character: its continuation bytes and its first one.
fn pop_character(line: &mut Vec<u8>) {
    while let Some(byte) = line.pop() {
        if byte & 0b1100_0000 != 0b1000_0000 {
            break;
        }
    }
}

/// A terminal that neither echoes nor edits nor turns Ctrl-C into a signal; as it was before when dropped.
struct QuietTerminal<'a> {
    terminal: &'a File,
    before: Termios,
}

impl<'a> QuietTerminal<'a> {
    fn new(terminal: &'a File) -> rustix::io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut quiet = before.clone();
        // Ctrl-C must come as a byte: a signal would end the process and leave the terminal silent.
        quiet
            .local_modes
            .remove(LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ICANON | LocalModes::ISIG);
        quiet.special_codes[SpecialCodeIndex::VMIN] = 1;
        quiet.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(terminal, OptionalActions::Flush, &quiet)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for QuietTerminal<'_> {
    fn drop(&mut self) {
        // Flush: what was typed ahead is part of a secret, not the shell's next command.
        let _ = tcsetattr(self.terminal, OptionalActions::Flush, &self.before);
    }
}

fn write_terminal(terminal: &File, bytes: &[u8]) {
    // A prompt that cannot be shown is still answered: nothing to report here.
    let _ = io::Write::write_all(&mut &*terminal, bytes);
}

fn read_all(fd: impl AsFd, what: &str, limit: usize) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let fd = fd.as_fd();
    // One byte more than allowed tells "too long"; the size from the start keeps growing from leaving copies.
    let mut buffer = Zeroizing::new(vec![0_u8; limit.saturating_add(1)]);
    let mut filled = 0;
    while let Some(free) = buffer.get_mut(filled..).filter(|free| !free.is_empty()) {
        match read_some(fd, free).map_err(|error| stdin_failure(what, &error))? {
            0 => break,
            count => filled += count,
        }
    }
    if filled > limit {
        return Err(too_long(what, limit));
    }
    buffer.truncate(filled);
    Ok(buffer)
}

fn read_some(fd: impl AsFd, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match rustix::io::read(fd.as_fd(), &mut *buffer) {
            Err(rustix::io::Errno::INTR) => {}
            other => return other.map_err(io::Error::from),
        }
    }
}

pub(crate) fn text_of(bytes: &[u8], what: &str) -> Result<Zeroizing<String>, Failure> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
        Err(_) => Err(Failure::invalid(
            "not_utf8",
            format!("the {what} is not UTF-8 text"),
            "save it as UTF-8",
        )),
    }
}

fn too_long(what: &str, limit: usize) -> Failure {
    Failure::invalid(
        "too_long",
        format!("the {what} is longer than {limit} bytes"),
        "check that it is the right file",
    )
}

fn stdin_failure(what: &str, error: &io::Error) -> Failure {
    Failure::new(
        Exit::Storage,
        "input_unreadable",
        format!("cannot read the {what}: {error}"),
        "check the input",
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use std::io::Write;

    use super::*;

    fn file(content: &[u8]) -> (tempfile::NamedTempFile, Source) {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(content).unwrap();
        let source = file.path().to_str().unwrap().parse().unwrap();
        (file, source)
    }

    #[test]
    fn a_secret_is_the_only_line_of_its_file() {
        let check = |content: &[u8], expected: Result<&str, &str>| {
            let (_keep, source) = file(content);
            let read = read_line_from(&source, "password");
            assert_eq!(
                read.as_ref().map(|line| line.as_str()).map_err(Failure::code),
                expected
            );
        };
        check(b"correct horse\n", Ok("correct horse"));
        check(b"correct horse\r\n", Ok("correct horse"));
        check(b" spaces count ", Ok(" spaces count "));
        check(b"one\ntwo\n", Err("secret_several_lines"));
        check(b"\xff\xfe\n", Err("not_utf8"));
        check(&[b'a'; MAX_SECRET_BYTES + 1], Err("too_long"));
    }

    #[test]
    fn a_missing_file_is_named_when_it_is_read() {
        let source: Source = "/nonexistent/keyward".parse().unwrap();
        let failure = source.read_all("phrase", 10).unwrap_err();
        assert_eq!(
            (failure.exit(), failure.code()),
            (Exit::NotFound, "file_unreadable")
        );
    }

    #[test]
    fn backspace_takes_a_whole_character() {
        let check = |before: &str, after: &str| {
            let mut line = before.as_bytes().to_vec();
            pop_character(&mut line);
            assert_eq!(line, after.as_bytes());
        };
        check("", "");
        check("ab", "a");
        check("aé", "a");
        check("a€", "a");
        check("a🔑", "a");
    }
}
