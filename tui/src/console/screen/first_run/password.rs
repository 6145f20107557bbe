//! The password of a new vault, typed twice, judged as it is typed.

use crossterm::event::KeyEvent;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use zeroize::Zeroizing;

use crate::console::effect::{Failure, Pending, RequestId, Work};
use crate::console::effects::vault::VaultWork;
use crate::console::input::{Echo, Edit, TextInput};
use crate::console::page::Cx;
use crate::console::state::{SecondFactorHint, Shared};
use crate::console::text::sentence;
use crate::console::widget::{Focus, field, row, rows, working, wrapped};

/// Which of the two fields has the cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Place {
    #[default]
    Password,
    Repeat,
}

/// What is known of the password's strength.
enum Judgement {
    /// Nothing typed, or being judged.
    Open,
    /// Strong enough.
    Strong,
    /// Too weak, and why.
    Weak(String),
}

/// The password as it is typed.
pub(super) struct PasswordForm {
    password: TextInput,
    repeat: TextInput,
    place: Place,
    judging: Pending,
    judgement: Judgement,
    /// Enter was pressed while the password was still being judged.
    submitted: bool,
    problem: Option<String>,
}

impl Default for PasswordForm {
    fn default() -> Self {
        let field = || TextInput::masked(keyward_custody::password::MAX_PASSWORD_BYTES);
        Self {
            password: field(),
            repeat: field(),
            place: Place::Password,
            judging: Pending::default(),
            judgement: Judgement::Open,
            submitted: false,
            problem: None,
        }
    }
}

impl PasswordForm {
    pub(super) fn expose_password(&self) -> Zeroizing<String> {
        Zeroizing::new(self.password.expose_text().to_owned())
    }

    pub(super) fn other(&mut self) {
        self.place = if self.place == Place::Password {
            Place::Repeat
        } else {
            Place::Password
        };
    }

    fn field(&mut self) -> &mut TextInput {
        match self.place {
            Place::Password => &mut self.password,
            Place::Repeat => &mut self.repeat,
        }
    }

    pub(super) fn text(&mut self, key: KeyEvent, cx: &mut Cx<'_>) {
        if self.field().key(key) == Edit::Changed {
            self.changed(cx);
        }
    }

    pub(super) fn paste(&mut self, text: &str, cx: &mut Cx<'_>) {
        self.field().insert(text.trim_end_matches(['\r', '\n']));
        self.changed(cx);
    }

    fn changed(&mut self, cx: &mut Cx<'_>) {
        self.problem = None;
        self.submitted = false;
        if self.place == Place::Password {
            self.judgement = Judgement::Open;
            if self.password.is_empty() {
                cx.cancel(&mut self.judging);
            } else {
                let work = VaultWork::Judge(self.expose_password());
                cx.start_latest(&mut self.judging, Work::Vault(work));
            }
        }
    }

    /// Takes the judgement; true when the form was submitted already and can go on now.
    pub(super) fn judged(&mut self, id: RequestId, result: Result<(), String>) -> bool {
        if !self.judging.settle(id) {
            return false;
        }
        self.judgement = match result {
            Ok(()) => Judgement::Strong,
            Err(reason) => Judgement::Weak(reason),
        };
        std::mem::take(&mut self.submitted) && self.accept()
    }

    /// Goes to the second field, then says whether the password can be taken.
    pub(super) fn accept(&mut self) -> bool {
        if self.place == Place::Password && self.repeat.is_empty() {
            if !self.password.is_empty() {
                self.place = Place::Repeat;
            }
            return false;
        }
        if self.password.expose_text() != self.repeat.expose_text() {
            self.problem = Some("The two differ. Type the second one again.".into());
            self.repeat.clear();
            self.place = Place::Repeat;
            return false;
        }
        match &self.judgement {
            Judgement::Strong => true,
            Judgement::Open => {
                self.submitted = true;
                false
            }
            Judgement::Weak(_) => {
                self.place = Place::Password;
                false
            }
        }
    }

    pub(super) fn view(
        &self,
        creating: Pending,
        failure: Option<&Failure>,
        shared: &Shared,
        frame: &mut Frame<'_>,
        area: Rect,
    ) {
        let palette = &shared.palette;
        let intro = "It encrypts the vault on this disk. At least 12 characters; four or five random words are \
                     good. Nobody can reset it: the phrase is the way back.";
        let mut at = rows(frame, area, 0, wrapped(intro, area.width, palette.text)) + 1;
        let fields = [
            ("password", &self.password, Place::Password),
            ("again", &self.repeat, Place::Repeat),
        ];
        for (label, input, place) in fields {
            row(
                frame,
                area,
                at,
                Line::styled(format!("{label:>10}"), palette.muted),
            );
            let target = Rect {
                x: area.x + 12,
                y: area.y + at,
                width: area.width.saturating_sub(12).min(48),
                height: 1,
            };
            field(
                frame,
                target,
                input,
                Echo::Masked,
                Focus::when(place == self.place),
                palette,
            );
            at += 2;
        }
        let verdict = match &self.judgement {
            Judgement::Weak(reason) => Some((format!("! {}", sentence(reason)), palette.warning)),
            Judgement::Strong => Some(("✓ Strong enough.".to_owned(), palette.good)),
            Judgement::Open if self.judging.is_waiting() => {
                Some((format!("{} judging", working(shared.now_ms)), palette.muted))
            }
            Judgement::Open => None,
        };
        if let Some((text, style)) = verdict {
            at = rows(frame, area, at, wrapped(&text, area.width, style));
        }
        if let Some(problem) = &self.problem {
            at = rows(
                frame,
                area,
                at,
                wrapped(&format!("! {problem}"), area.width, palette.warning),
            );
        }
        if let Some(failure) = failure {
            at = rows(
                frame,
                area,
                at,
                wrapped(
                    &format!("! {}", sentence(&failure.cause)),
                    area.width,
                    palette.warning,
                ),
            );
            at = rows(
                frame,
                area,
                at,
                wrapped(&sentence(&failure.remedy), area.width, palette.accent),
            );
        }
        if creating.is_waiting() {
            at = rows(
                frame,
                area,
                at,
                vec![Line::styled(
                    format!("{} Creating the vault …", working(shared.now_ms)),
                    palette.accent,
                )],
            );
        }
        let factor = match shared.second_factor {
            SecondFactorHint::Absent => "No second factor (KEYWARD_ENCRYPTION_KEY is not set).",
            SecondFactorHint::Present => {
                "KEYWARD_ENCRYPTION_KEY is set: it becomes the vault's second factor. Keep it as safe as the password."
            }
            SecondFactorHint::Malformed => {
                "! KEYWARD_ENCRYPTION_KEY is set but is not 32 bytes in base64 or hex."
            }
        };
        let mut notes = wrapped(
            "Every guess at it costs 128 MiB of memory and about a third of a second (scrypt, N = 131072).",
            area.width,
            palette.muted,
        );
        notes.extend(wrapped(factor, area.width, palette.muted));
        rows(frame, area, at + 1, notes);
    }
}
