//! The loop: events in, `update`, effects out, `view`.
//!
//! It draws once per batch of events; the terminal is sent only what differs from the frame before.

use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crossterm::clipboard::CopyToClipboard;
use crossterm::event::{Event, EventStream};
use crossterm::execute;
use futures_util::StreamExt;
use tokio::sync::mpsc;
use zeroize::Zeroizing;

use super::effect::Effect;
use super::effects::{Services, Tasks};
use super::msg::Msg;
use super::state::{SMALLEST, SecondFactorHint, Start, State};
use super::terminal::TerminalGuard;
use super::theme::TerminalHints;
use super::update::{start, update};
use super::view::view;
use super::{ConsoleArgs, screen::Screen};

/// How many answers may wait for the console.
const QUEUE: usize = 256;
/// How many answers are taken before drawing.
const BATCH: usize = 64;
/// How often time passes for the console.
const TICK: Duration = Duration::from_millis(250);

/// Runs the console until it is left.
pub(super) async fn run(args: ConsoleArgs) -> anyhow::Result<()> {
    let factor = std::env::var("KEYWARD_ENCRYPTION_KEY")
        .ok()
        .filter(|text| !text.is_empty())
        .map(Zeroizing::new);
    let location = args.location.to_string();
    let services = Arc::new(Services::new(
        args.location,
        &args.config,
        args.config_path.clone(),
        factor,
    ));
    let second_factor = match services.second_factor() {
        Ok(None) => SecondFactorHint::Absent,
        Ok(Some(_)) => SecondFactorHint::Present,
        Err(_) => SecondFactorHint::Malformed,
    };
    let mut state = State::new(Start {
        config: args.config,
        config_path: args.config_path,
        location: short_location(&location),
        hints: hints(args.no_color),
        second_factor,
        size: crossterm::terminal::size()?,
        now_ms: now_ms(),
    });
    let result = {
        let mut guard = TerminalGuard::take()?;
        event_loop(&mut state, &mut guard, &services).await
    };
    if let Ok(custody) = services.custody() {
        // It locks, and writes the journal back. Should that fail, the journal stays beside the database and the
        // next start reads it: nothing is lost.
        let _ = custody.close().await;
    }
    result?;
    match state.screen {
        // The exit code tells scripts and shells what the screen told the person.
        Screen::Trouble(_) => Err(services
            .open_error()
            .map_or_else(|| anyhow::anyhow!("the vault did not open"), anyhow::Error::from)),
        _ => Ok(()),
    }
}

async fn event_loop(
    state: &mut State,
    guard: &mut TerminalGuard,
    services: &Arc<Services>,
) -> io::Result<()> {
    let (sender, mut messages) = mpsc::channel(QUEUE);
    let mut tasks = Tasks::new(Arc::clone(services), sender);
    let mut events = EventStream::new();
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    let mut ending = Ending::listen()?;

    guard.terminal().draw(|frame| view(state, frame))?;
    let first = start(state);
    if apply(first, &mut tasks, guard)? {
        return Ok(());
    }
    loop {
        let msg = tokio::select! {
            biased;
            () = ending.wait() => Some(Msg::Terminate),
            event = events.next() => match event {
                Some(event) => from_terminal(event?),
                // The terminal is gone; there is nobody left to show anything to.
                None => Some(Msg::Terminate),
            },
            Some(msg) = messages.recv() => Some(msg),
            _ = ticks.tick() => Some(Msg::Tick { now_ms: now_ms() }),
        };
        let Some(msg) = msg else { continue };
        let mut effects = Vec::new();
        for msg in with_size(state.shared.size, msg, guard)? {
            effects.extend(update(state, msg));
        }
        for _ in 0..BATCH {
            let Ok(msg) = messages.try_recv() else { break };
            effects.extend(update(state, msg));
        }
        if apply(effects, &mut tasks, guard)? {
            return Ok(());
        }
        guard.terminal().draw(|frame| view(state, frame))?;
    }
}

/// Looks at the size each turn, since the event source loses a change that arrives together with a key. No key may act on
/// a screen that cannot be seen: it meets the smaller one of the size as last drawn and the size now.
fn with_size(drawn: (u16, u16), msg: Msg, guard: &mut TerminalGuard) -> io::Result<Vec<Msg>> {
    let size = guard.terminal().size()?;
    let (columns, rows) = (size.width, size.height);
    if drawn == (columns, rows) {
        return Ok(vec![msg]);
    }
    let resize = Msg::Resize { columns, rows };
    Ok(if columns < SMALLEST.0 || rows < SMALLEST.1 {
        vec![resize, msg]
    } else {
        vec![msg, resize]
    })
}

/// Does the effects. True when the console is to be left.
fn apply(effects: Vec<Effect>, tasks: &mut Tasks, guard: &mut TerminalGuard) -> io::Result<bool> {
    for effect in effects {
        match effect {
            Effect::Start { id, work, lifetime } => tasks.start(id, work, lifetime),
            Effect::Cancel(id) => tasks.cancel(id),
            Effect::EndSession => tasks.end_session(),
            Effect::Copy(text) => execute!(io::stdout(), CopyToClipboard::to_clipboard_from(text))?,
            Effect::Redraw => guard.clear()?,
            Effect::Leave => return Ok(true),
        }
    }
    Ok(false)
}

fn from_terminal(event: Event) -> Option<Msg> {
    match event {
        Event::Key(key) => Some(Msg::Key(key)),
        Event::Paste(text) => Some(Msg::Paste(Zeroizing::new(text))),
        Event::Mouse(mouse) => Some(Msg::Mouse(mouse)),
        Event::Resize(columns, rows) => Some(Msg::Resize { columns, rows }),
        Event::FocusGained | Event::FocusLost => None,
    }
}

/// The signals that ask a program to end.
#[cfg(unix)]
struct Ending {
    terminate: tokio::signal::unix::Signal,
    hangup: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Ending {
    fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.hangup.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Ending;

#[cfg(not(unix))]
impl Ending {
    fn listen() -> io::Result<Self> {
        Ok(Self)
    }

    async fn wait(&mut self) {
        // In raw mode Ctrl-C arrives as a key; elsewhere this ends the console.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

fn hints(no_color: bool) -> TerminalHints {
    let read = |name: &str| std::env::var(name).ok();
    TerminalHints {
        no_color,
        term: read("TERM"),
        colorterm: read("COLORTERM"),
        colorfgbg: read("COLORFGBG"),
    }
}

fn now_ms() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|elapsed| u64::try_from(elapsed.as_millis()).ok())
        .unwrap_or(0)
}

/// The vault's place with the home folder as `~`.
fn short_location(path: &str) -> String {
    match std::env::var("HOME")
        .ok()
        .filter(|home| !home.is_empty())
        .and_then(|home| path.strip_prefix(&home).map(str::to_owned))
    {
        Some(rest) => format!("~{rest}"),
        None => path.to_owned(),
    }
}
