//! Colours by meaning, for dark and light terminals, sixteen colours, and none.
//!
//! A style never carries meaning alone: whoever uses `warning` or `danger` also writes a word or a
//! sign. It does not ask the terminal anything; the runner passes in what the environment says.
//! `NO_COLOR`: <https://no-color.org>.

use ratatui::style::{Color, Modifier, Style};

/// How many colours the terminal shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// No colour at all (`NO_COLOR`, or a `dumb` terminal).
    None,
    /// The sixteen colours that the terminal's owner has chosen.
    Sixteen,
    /// 24-bit colour.
    True,
}

/// The terminal's background.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Background {
    /// Light text on dark.
    Dark,
    /// Dark text on light.
    Light,
}

/// The styles of the console, by meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Palette {
    /// Ordinary text.
    pub text: Style,
    /// Secondary text: labels, hints, ages.
    pub muted: Style,
    /// Focus: the selected thing, keys.
    pub accent: Style,
    /// Done, online, allowed.
    pub good: Style,
    /// Needs attention; nothing lost.
    pub warning: Style,
    /// Can lose money.
    pub danger: Style,
    /// Headings and stressed characters.
    pub strong: Style,
    /// Lines between areas.
    pub line: Style,
    /// The top and bottom bars.
    pub bar: Style,
    /// The row under the cursor.
    pub selected: Style,
    /// A field that is being typed in.
    pub field: Style,
}

impl Palette {
    /// The palette for a terminal of this depth and background.
    #[must_use]
    pub fn new(depth: Depth, background: Background) -> Self {
        match (depth, background) {
            (Depth::None, _) => Self::monochrome(),
            (Depth::Sixteen, Background::Dark) => Self::sixteen(Color::White, Color::DarkGray),
            (Depth::Sixteen, Background::Light) => Self::sixteen(Color::Black, Color::DarkGray),
            (Depth::True, Background::Dark) => Self::coloured(&Tones {
                text: 0xd6_dae0,
                muted: 0x86_8e9c,
                accent: 0x7a_c7e8,
                good: 0x8f_c98b,
                warning: 0xe6_c06a,
                danger: 0xf0_7a78,
                line: 0x3c_4350,
                bar: 0x1f_242d,
                selected: 0x2b_3442,
            }),
            (Depth::True, Background::Light) => Self::coloured(&Tones {
                text: 0x24_292f,
                muted: 0x6a_7280,
                accent: 0x05_64a0,
                good: 0x1f_7a35,
                warning: 0x8a_5a00,
                danger: 0xb4_2318,
                line: 0xc4_cad2,
                bar: 0xe8_ebef,
                selected: 0xd5_e4f2,
            }),
        }
    }

    fn monochrome() -> Self {
        let plain = Style::new();
        Self {
            text: plain,
            muted: plain.add_modifier(Modifier::DIM),
            accent: plain.add_modifier(Modifier::BOLD),
            good: plain,
            warning: plain.add_modifier(Modifier::BOLD),
            danger: plain.add_modifier(Modifier::BOLD | Modifier::UNDERLINED),
            strong: plain.add_modifier(Modifier::BOLD),
            line: plain.add_modifier(Modifier::DIM),
            bar: plain.add_modifier(Modifier::REVERSED),
            selected: plain.add_modifier(Modifier::REVERSED),
            field: plain.add_modifier(Modifier::UNDERLINED),
        }
    }

    fn sixteen(strong: Color, muted: Color) -> Self {
        // The default foreground and background stay the owner's own, so both kinds of terminal read well.
        let plain = Style::new();
        Self {
            text: plain,
            muted: plain.fg(muted),
            accent: plain.fg(Color::Cyan),
            good: plain.fg(Color::Green),
            warning: plain.fg(Color::Yellow),
            danger: plain.fg(Color::Red).add_modifier(Modifier::BOLD),
            strong: plain.fg(strong).add_modifier(Modifier::BOLD),
            line: plain.fg(muted),
            bar: plain.add_modifier(Modifier::REVERSED),
            selected: plain.add_modifier(Modifier::REVERSED),
            field: plain.add_modifier(Modifier::UNDERLINED),
        }
    }

    fn coloured(tones: &Tones) -> Self {
        let plain = Style::new();
        Self {
            text: plain.fg(rgb(tones.text)),
            muted: plain.fg(rgb(tones.muted)),
            accent: plain.fg(rgb(tones.accent)),
            good: plain.fg(rgb(tones.good)),
            warning: plain.fg(rgb(tones.warning)),
            danger: plain.fg(rgb(tones.danger)).add_modifier(Modifier::BOLD),
            strong: plain.fg(rgb(tones.text)).add_modifier(Modifier::BOLD),
            line: plain.fg(rgb(tones.line)),
            bar: plain.fg(rgb(tones.text)).bg(rgb(tones.bar)),
            selected: plain.bg(rgb(tones.selected)),
            field: plain.fg(rgb(tones.text)).bg(rgb(tones.bar)),
        }
    }
}

struct Tones {
    text: u32,
    muted: u32,
    accent: u32,
    good: u32,
    warning: u32,
    danger: u32,
    line: u32,
    bar: u32,
    selected: u32,
}

fn rgb(tone: u32) -> Color {
    Color::from_u32(tone)
}

/// What the environment says about the terminal.
#[derive(Debug, Clone, Default)]
pub struct TerminalHints {
    /// `NO_COLOR` is set and not empty, or `--no-color` was given.
    pub no_color: bool,
    /// `TERM`.
    pub term: Option<String>,
    /// `COLORTERM`.
    pub colorterm: Option<String>,
    /// `COLORFGBG`, as some terminals set it: "15;0".
    pub colorfgbg: Option<String>,
}

impl TerminalHints {
    /// How many colours to use.
    #[must_use]
    pub fn depth(&self) -> Depth {
        if self.no_color || self.term.as_deref() == Some("dumb") {
            return Depth::None;
        }
        match self.colorterm.as_deref() {
            Some("truecolor" | "24bit") => Depth::True,
            _ => Depth::Sixteen,
        }
    }

    /// The background, dark unless the terminal says otherwise.
    #[must_use]
    pub fn background(&self) -> Background {
        let last = self.colorfgbg.as_deref().and_then(|hint| hint.rsplit(';').next());
        match last.and_then(|colour| colour.parse::<u8>().ok()) {
            Some(7 | 9..=15) => Background::Light,
            _ => Background::Dark,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_color_wins_over_everything() {
        let hints = TerminalHints {
            no_color: true,
            colorterm: Some("truecolor".into()),
            ..TerminalHints::default()
        };
        assert_eq!(hints.depth(), Depth::None);
        let palette = Palette::new(hints.depth(), Background::Dark);
        for style in [palette.danger, palette.bar, palette.accent, palette.selected] {
            assert_eq!((style.fg, style.bg), (None, None));
        }
    }

    #[test]
    fn the_background_is_read_from_colorfgbg() {
        let check = |hint: &str, expected| {
            let hints = TerminalHints {
                colorfgbg: Some(hint.into()),
                ..TerminalHints::default()
            };
            assert_eq!(hints.background(), expected, "{hint}");
        };
        check("15;0", Background::Dark);
        check("0;15", Background::Light);
        check("0;default;15", Background::Light);
        check("nonsense", Background::Dark);
        check("", Background::Dark);
    }
}
