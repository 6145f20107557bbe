//! What this process says of where it is asked from, for the audit log (see `docs/decisions/0016-an-audit-worth-its-name.md`).
//!
//! The log keeps keyed hashes of both texts and neither text. They are the process's own word: they tell entries of one
//! terminal from those of another, and prove nothing against somebody who controls the machine.

use std::env;
use std::io::{IsTerminal, stdin};

use keyward_custody::ClientIdentity;

/// The client as the environment tells it: the address of an SSH session's other end, else `local`; and the machine's
/// name, the user's number and the terminal's name, as far as there are any.
pub(crate) fn identity() -> ClientIdentity {
    let connection = env::var("SSH_CONNECTION").unwrap_or_default();
    let name = rustix::system::uname();
    let terminal = terminal();
    let fingerprint = format!(
        "{}|{}|{terminal}",
        name.nodename().to_string_lossy(),
        rustix::process::getuid().as_raw(),
    );
    ClientIdentity::new(remote_address(&connection), &fingerprint)
}

/// The other end of an SSH session: `SSH_CONNECTION` is client address, client port, server address, server port.
fn remote_address(connection: &str) -> &str {
    connection.split_ascii_whitespace().next().unwrap_or("local")
}

fn terminal() -> String {
    if !stdin().is_terminal() {
        return String::new();
    }
    let name = rustix::termios::ttyname(stdin(), Vec::new());
    name.map_or_else(|_| String::new(), |name| name.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_that_of_the_other_end() {
        for (connection, address) in [
            ("192.0.2.7 51234 198.51.100.1 22", "192.0.2.7"),
            ("2001:db8::7 51234 2001:db8::1 22", "2001:db8::7"),
            ("192.0.2.7", "192.0.2.7"),
            ("", "local"),
            ("  ", "local"),
        ] {
            assert_eq!(remote_address(connection), address, "{connection:?}");
        }
    }

    #[test]
    fn one_process_has_one_identity() {
        assert_eq!(identity(), identity());
    }
}
