//! The passphrase of an imported phrase and the path of its wallets, with the first addresses of each.

use crossterm::event::KeyEvent;
use keyward_core::path::PathFamily;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use zeroize::Zeroizing;

use super::Reveal;
use crate::console::effect::{Failure, Pending, RequestId, Work};
use crate::console::effects::vault::{FamilyPreview, VaultWork};
use crate::console::input::{Echo, Edit, TextInput};
use crate::console::page::Cx;
use crate::console::state::Shared;
use crate::console::text::sentence;
use crate::console::widget::{Focus, field, full_address, row, rows, short_address, working, wrapped};

/// The longest passphrase, in bytes.
const PASSPHRASE_BYTES: usize = 512;

/// The passphrase and the chosen path.
pub(super) struct Paths {
    passphrase: TextInput,
    pub(super) reveal: Reveal,
    at: usize,
    asking: Pending,
    previews: Result<Vec<FamilyPreview>, Failure>,
}

impl Default for Paths {
    fn default() -> Self {
        Self {
            passphrase: TextInput::masked(PASSPHRASE_BYTES),
            reveal: Reveal::default(),
            at: 0,
            asking: Pending::default(),
            previews: Ok(Vec::new()),
        }
    }
}

impl Paths {
    /// The path under the cursor.
    pub(super) fn family(&self) -> PathFamily {
        PathFamily::SOLANA
            .get(self.at)
            .copied()
            .unwrap_or(PathFamily::Bip44Change)
    }

    pub(super) fn expose_passphrase(&self) -> Zeroizing<String> {
        Zeroizing::new(self.passphrase.expose_text().to_owned())
    }

    pub(super) fn up(&mut self) {
        self.at = self.at.saturating_sub(1);
    }

    pub(super) fn down(&mut self) {
        self.at = (self.at + 1).min(PathFamily::SOLANA.len() - 1);
    }

    /// Takes a key; true when the passphrase changed.
    pub(super) fn text(&mut self, key: KeyEvent) -> bool {
        self.passphrase.key(key) == Edit::Changed
    }

    pub(super) fn paste(&mut self, text: &str) {
        // A passphrase may well end in a space; only the line break of the copied line goes.
        self.passphrase.insert(text.trim_end_matches(['\r', '\n']));
    }

    /// Asks for the first addresses of every path.
    pub(super) fn preview(&mut self, phrase: &str, cx: &mut Cx<'_>) {
        let work = VaultWork::Preview {
            phrase: Zeroizing::new(phrase.to_owned()),
            passphrase: self.expose_passphrase(),
        };
        cx.start_latest(&mut self.asking, Work::Vault(work));
    }

    pub(super) fn previewed(&mut self, id: RequestId, result: Result<Vec<FamilyPreview>, Failure>) {
        if self.asking.settle(id) {
            self.previews = result;
        }
    }

    fn addresses(&self, family: PathFamily) -> &[String] {
        let previews = self.previews.as_deref().unwrap_or_default();
        previews
            .iter()
            .find(|preview| preview.family == family)
            .map_or(&[], |preview| &preview.addresses)
    }

    pub(super) fn view(&self, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
        let palette = &shared.palette;
        row(frame, area, 0, Line::styled("Passphrase", palette.muted));
        let input = Rect {
            x: area.x + 12,
            width: area.width.saturating_sub(12),
            height: 1,
            ..area
        };
        let echo = if self.reveal.left_ms(shared.now_ms).is_some() {
            Echo::Plain
        } else {
            Echo::Masked
        };
        field(frame, input, &self.passphrase, echo, Focus::Here, palette);
        let note =
            "Leave it empty unless you set one with this phrase. A wrong one opens other, empty wallets.";
        let mut at = rows(frame, area, 1, wrapped(note, area.width, palette.muted)) + 1;
        row(frame, area, at, Line::styled("Path", palette.muted));
        at += 1;
        for (number, family) in PathFamily::SOLANA.into_iter().enumerate() {
            row(frame, area, at, self.family_line(number, family, shared));
            at += 1;
        }
        at += 1;
        let chosen = self.family();
        at = rows(
            frame,
            area,
            at,
            wrapped(&sentence(chosen.description()), area.width, palette.muted),
        );
        at = rows(
            frame,
            area,
            at,
            vec![Line::styled(
                "Its first addresses, do you know them?",
                palette.text,
            )],
        );
        if let Err(failure) = &self.previews {
            rows(
                frame,
                area,
                at,
                wrapped(
                    &format!("! {}", sentence(&failure.cause)),
                    area.width,
                    palette.warning,
                ),
            );
        }
        for (index, address) in self.addresses(chosen).iter().enumerate() {
            let mut spans = vec![Span::styled(format!("  #{index}  "), palette.muted)];
            spans.extend(full_address(address, palette));
            row(frame, area, at, Line::from(spans));
            at += 1;
        }
    }

    fn family_line(&self, number: usize, family: PathFamily, shared: &Shared) -> Line<'static> {
        let palette = &shared.palette;
        let chosen = number == self.at;
        let mut spans = vec![
            Span::styled(if chosen { "▌ " } else { "  " }, palette.accent),
            Span::styled(
                format!("{:<20}", family.template()),
                if chosen { palette.strong } else { palette.text },
            ),
        ];
        match self.addresses(family).first() {
            Some(address) => spans.extend(short_address(address, palette)),
            None if self.asking.is_waiting() => {
                spans.push(Span::styled(working(shared.now_ms), palette.accent));
            }
            None => spans.push(Span::styled("?", palette.muted)),
        }
        let line = Line::from(spans);
        if chosen {
            line.style(palette.selected)
        } else {
            line
        }
    }
}
