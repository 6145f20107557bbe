#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;

/// Runs a shell script in a terminal of 80 columns and 24 rows.
fn shell(sandbox: &Sandbox, script: &str) -> Pty {
    PtyCommand::new(sandbox, Path::new("/bin/sh"))
        .args(["-c", script])
        .spawn()
        .unwrap()
}

#[test]
fn what_is_typed_reaches_the_program_and_what_it_draws_reaches_the_screen() {
    let sandbox = Sandbox::new().unwrap();
    let mut pty = shell(
        &sandbox,
        "read line; printf '\\033[5;10Hgot <%s>' \"$line\"; read line",
    );
    pty.type_text("hello").unwrap();
    pty.press(Key::Enter).unwrap();
    let screen = pty.wait_for_text("got <hello>").unwrap();
    assert_eq!(screen.row("got"), Some("         got <hello>"));
    assert_eq!(screen.cursor(), (20, 4));
    pty.press(Key::Enter).unwrap();
    assert!(pty.wait_exit(DEFAULT_BOUND).unwrap().success());
}

#[test]
fn an_awaited_text_that_does_not_come_shows_the_screen() {
    let sandbox = Sandbox::new().unwrap();
    let pty = shell(&sandbox, "echo here; exec sleep 600");
    pty.wait_for_text("here").unwrap();
    let bound = Duration::from_millis(20);
    let error = pty.wait_for("the end", bound, |_| false).unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("the end did not come") && text.contains("|here"),
        "{text}"
    );
}

#[test]
fn an_ended_program_ends_the_wait() {
    let sandbox = Sandbox::new().unwrap();
    let mut pty = shell(&sandbox, "echo bye; exit 3");
    let error = pty.wait_for_text("never").unwrap_err();
    assert!(error.to_string().contains("ended"), "{error}");
    assert_eq!(pty.wait_exit(DEFAULT_BOUND).unwrap().exit_code(), 3);
}

#[test]
fn a_new_size_reaches_the_program() {
    let sandbox = Sandbox::new().unwrap();
    let pty = shell(
        &sandbox,
        "trap 'stty size' WINCH; stty size; while :; do read x; done",
    );
    pty.wait_for_text("24 80").unwrap();
    pty.resize(132, 43).unwrap();
    let screen = pty.wait_for_text("43 132").unwrap();
    assert_eq!((screen.columns(), screen.rows().len()), (132, 43));
}

#[test]
fn a_terminal_left_in_a_mess_is_noticed() {
    let sandbox = Sandbox::new().unwrap();
    let tidy = "printf '\\033[?1049h\\033[?25lx'; printf '\\033[?25h\\033[?1049l'";
    let mess = "stty raw -echo; printf '\\033[?1049h\\033[?25l\\033[?2004h\\033[?1000h'";
    let mut pty = shell(&sandbox, tidy);
    pty.wait_exit(DEFAULT_BOUND).unwrap();
    pty.terminal_is_restored().unwrap();

    let mut pty = shell(&sandbox, mess);
    pty.wait_exit(DEFAULT_BOUND).unwrap();
    let text = pty.terminal_is_restored().unwrap_err().to_string();
    for left in [
        "alternate screen",
        "hidden cursor",
        "bracketed paste",
        "mouse reports",
        "modes",
    ] {
        assert!(text.contains(left), "{left} is missing in: {text}");
    }
}

#[test]
fn questions_to_the_terminal_are_answered() {
    let sandbox = Sandbox::new().unwrap();
    let script = "stty raw -echo; printf '\\033[3;7H\\033[6n'; head -c 6 | od -An -c; stty sane; read x";
    let pty = shell(&sandbox, script);
    pty.wait_for_text("[   3   ;   7   R").unwrap();
}

#[test]
fn the_clipboard_and_everything_drawn_are_kept() {
    let sandbox = Sandbox::new().unwrap();
    let mut pty = shell(&sandbox, "printf 'secret\\r      \\033]52;c;aGVsbG8=\\007'");
    pty.wait_exit(DEFAULT_BOUND).unwrap();
    assert_eq!(pty.clipboard().unwrap(), b"hello");
    assert!(!pty.screen().contains("secret"));
    assert!(pty.has_drawn(b"secret"));
    assert!(!pty.has_drawn(b"absent"));
}

#[test]
fn dropping_it_kills_the_program() {
    let sandbox = Sandbox::new().unwrap();
    let pty = shell(&sandbox, "trap '' HUP TERM; echo up; while :; do read x; done");
    pty.wait_for_text("up").unwrap();
    let process = pty.process_id().unwrap();
    drop(pty);
    assert!(!Path::new(&format!("/proc/{process}")).exists());
}

#[test]
fn a_paste_is_bracketed_when_asked_for() {
    let sandbox = Sandbox::new().unwrap();
    let pty = shell(
        &sandbox,
        "stty -echo; printf '\\033[?2004hready'; head -n 1 | od -An -c; read x",
    );
    pty.wait_for_text("ready").unwrap();
    pty.paste("ab\n").unwrap();
    pty.wait_for_text("2   0   0   ~   a   b").unwrap();
}

#[test]
fn wrapped_text_is_found_across_rows() {
    let screen = Screen {
        columns: 10,
        rows: vec!["HAgk14JpMQ".into(), "LgtPqk  x".into()],
        cursor: (0, 0),
        alternate: false,
    };
    assert!(!screen.contains("MQLgt"));
    assert!(screen.contains_wrapped("JpMQLgtPqk x"));
}
