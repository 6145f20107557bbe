//! A QR code in half blocks: two modules per character cell.
//!
//! ISO/IEC 18004 by the crate `qrcode`; the quiet zone is two modules, which readers accept on screens.

use qrcode::{Color as Module, EcLevel, QrCode};
use ratatui::style::{Color, Style};
use ratatui::text::Line;

/// Modules of light around the code.
const QUIET: usize = 2;

/// The code for `text` as lines; nothing when the text is too long for a code.
///
/// With colours it is black on white whatever the theme, so that every reader takes it; without, light
/// modules are drawn in the foreground, which reads on dark terminals.
#[must_use]
pub fn lines(text: &str, coloured: bool) -> Vec<Line<'static>> {
    let Ok(code) = QrCode::with_error_correction_level(text, EcLevel::L) else {
        return Vec::new();
    };
    let width = code.width();
    let modules = code.to_colors();
    let side = width + 2 * QUIET;
    let dark = |x: usize, y: usize| {
        let inside = |at: usize| at.checked_sub(QUIET).filter(|at| *at < width);
        match (inside(x), inside(y)) {
            (Some(x), Some(y)) => modules.get(y * width + x) == Some(&Module::Dark),
            _ => false,
        }
    };
    let style = if coloured {
        Style::new().fg(Color::Black).bg(Color::White)
    } else {
        Style::new()
    };
    (0..side.div_ceil(2))
        .map(|pair| {
            let text: String = (0..side)
                .map(|x| {
                    let (top, bottom) = (dark(x, pair * 2), dark(x, pair * 2 + 1) && pair * 2 + 1 < side);
                    // Without colours the drawn half is the light one.
                    let (top, bottom) = if coloured { (top, bottom) } else { (!top, !bottom) };
                    match (top, bottom) {
                        (true, true) => '█',
                        (true, false) => '▀',
                        (false, true) => '▄',
                        (false, false) => ' ',
                    }
                })
                .collect();
            Line::styled(text, style)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payment_address_fits_beside_the_facts_at_80_columns() {
        let lines = lines("solana:HAgk14JpMQLgt6rVgv7cBQFJWFto5Dqxi472uT3DKpqk", true);
        assert_eq!(lines.len(), 17);
        assert!(lines.iter().all(|line| line.width() == 33));
    }

    #[test]
    fn the_three_corners_are_there() {
        // A finder pattern is seven dark modules, five of them light inside: its first row of cells is
        // full above and hollow below.
        let lines = lines("solana:HAgk14JpMQLgt6rVgv7cBQFJWFto5Dqxi472uT3DKpqk", true);
        let texts: Vec<String> = lines.iter().map(ToString::to_string).collect();
        let first: Vec<char> = texts[1].chars().collect();
        let corner: String = first[2..9].iter().collect();
        assert_eq!(corner, "█▀▀▀▀▀█");
        let other: String = first[24..31].iter().collect();
        assert_eq!(other, "█▀▀▀▀▀█");
    }

    #[test]
    fn too_long_a_text_gives_nothing() {
        assert!(lines(&"x".repeat(5_000), true).is_empty());
    }
}
