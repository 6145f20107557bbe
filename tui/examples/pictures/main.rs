//! Draws the pictures of the documentation: `cargo run -p keyward --example pictures -- [--check] [FOLDER]`.
//!
//! Each screen is reached as a person reaches it: keys go into `update`, its questions are answered from a made-up vault
//! and a made-up node, and `view` draws into memory. No file, vault, network or terminal is touched but the pictures
//! themselves. With `--check` nothing is written: it fails when a picture is not what the screens draw today.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use keyward::console::picture::{Ground, svg};
use keyward::console::state::State;
use keyward::console::view::view;
use ratatui::Terminal;
use ratatui::backend::TestBackend;

mod made_up;
mod tour;

/// The size that every screen must be good at.
const USUAL: (u16, u16) = (80, 24);
/// A size with room for a detail pane.
const WIDE: (u16, u16) = (132, 32);

/// One picture.
struct Picture {
    name: &'static str,
    title: &'static str,
    size: (u16, u16),
    state: fn((u16, u16)) -> anyhow::Result<State>,
}

const PICTURES: &[Picture] = &[
    Picture {
        name: "first-run",
        title: "First run: create or import",
        size: USUAL,
        state: tour::first_run,
    },
    Picture {
        name: "unlock",
        title: "The locked vault",
        size: USUAL,
        state: tour::unlock,
    },
    Picture {
        name: "wallets",
        title: "Ten thousand wallets",
        size: USUAL,
        state: tour::wallets,
    },
    Picture {
        name: "wallets-wide",
        title: "The wallets on a wide terminal",
        size: WIDE,
        state: tour::wallets,
    },
    Picture {
        name: "wallet",
        title: "One wallet",
        size: WIDE,
        state: tour::wallet,
    },
    Picture {
        name: "send",
        title: "Send: the form",
        size: USUAL,
        state: tour::send,
    },
    Picture {
        name: "send-review",
        title: "Send: the review before a signature",
        size: USUAL,
        state: tour::review,
    },
    Picture {
        name: "transfer",
        title: "Send: progress to confirmed",
        size: USUAL,
        state: tour::transfer,
    },
    Picture {
        name: "audit",
        title: "The audit log, verified",
        size: USUAL,
        state: tour::audit,
    },
    Picture {
        name: "audit-wide",
        title: "The audit log on a wide terminal",
        size: WIDE,
        state: tour::audit,
    },
    Picture {
        name: "settings",
        title: "The settings",
        size: USUAL,
        state: tour::settings,
    },
    Picture {
        name: "help",
        title: "The keys of a screen",
        size: USUAL,
        state: tour::help,
    },
];

fn main() -> anyhow::Result<()> {
    let mut check = false;
    let mut folder = PathBuf::from("docs/pictures");
    for argument in std::env::args_os().skip(1) {
        if argument == "--check" {
            check = true;
        } else {
            folder = PathBuf::from(argument);
        }
    }
    let mut stale = Vec::new();
    for picture in PICTURES {
        let text = draw(picture).with_context(|| picture.name)?;
        let path = folder.join(format!("{}.svg", picture.name));
        if !check {
            write(&path, &text)?;
        } else if fs::read_to_string(&path).ok().as_deref() != Some(text.as_str()) {
            stale.push(picture.name);
        }
    }
    if !stale.is_empty() {
        bail!(
            "not what the screens draw today: {}; run `cargo xtask pictures`",
            stale.join(", ")
        );
    }
    Ok(())
}

fn draw(picture: &Picture) -> anyhow::Result<String> {
    let (columns, rows) = picture.size;
    let state = (picture.state)(picture.size)?;
    let mut terminal = Terminal::new(TestBackend::new(columns, rows))?;
    terminal.draw(|frame| view(&state, frame))?;
    Ok(svg(terminal.backend().buffer(), Ground::DARK, picture.title))
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
