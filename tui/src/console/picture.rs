//! Draws a screen buffer as an SVG picture, for the documentation.
//!
//! The same buffer gives the same bytes on every machine: whole numbers only, no fonts embedded, nothing asked of the
//! system. Lines and blocks are drawn as shapes, so that frames and QR codes have no gaps whatever font the reader has.
//! It knows nothing of screens: the example `pictures` renders those. SVG 1.1: <https://www.w3.org/TR/SVG11/>.

use std::fmt::Write as _;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr;

/// One character cell, in pixels. Even numbers, so that halves are whole.
const CELL_WIDTH: u32 = 10;
const CELL_HEIGHT: u32 = 20;
/// Where letters stand in a cell, from its top.
const BASELINE: u32 = 15;
const FONT_SIZE: u32 = 16;
const FONTS: &str = "ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace";
/// The frame around the screen.
const MARGIN: u32 = 14;

/// The colours that a terminal puts behind everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ground {
    /// Text without a colour of its own, as 0xRRGGBB.
    pub foreground: u32,
    /// The screen itself.
    pub background: u32,
}

impl Ground {
    /// A dark terminal.
    pub const DARK: Self = Self {
        foreground: 0xd6_dae0,
        background: 0x14_171d,
    };
    /// A light terminal.
    pub const LIGHT: Self = Self {
        foreground: 0x24_292f,
        background: 0xff_ffff,
    };
}

/// The picture of `buffer`, as the text of an SVG file; `title` is its name for people who do not see it.
#[must_use]
pub fn svg(buffer: &Buffer, ground: Ground, title: &str) -> String {
    let columns = u32::from(buffer.area.width);
    let rows = u32::from(buffer.area.height);
    let (width, height) = (columns * CELL_WIDTH + 2 * MARGIN, rows * CELL_HEIGHT + 2 * MARGIN);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" role=\"img\">\n<title>{}</title>\n",
        escape(title),
    );
    let _ = writeln!(
        out,
        "<rect width=\"{width}\" height=\"{height}\" rx=\"8\" fill=\"{}\"/>",
        hex(ground.background),
    );
    let _ = writeln!(
        out,
        "<g transform=\"translate({MARGIN} {MARGIN})\" font-family=\"{FONTS}\" font-size=\"{FONT_SIZE}\">",
    );
    for row in 0..buffer.area.height {
        let cells = cells_of(buffer, row);
        backgrounds(&mut out, &cells, row, ground);
        texts(&mut out, &cells, row, ground);
    }
    out.push_str("</g>\n</svg>\n");
    out
}

/// The cells of a row with their columns; the second half of a wide character is left out.
fn cells_of(buffer: &Buffer, row: u16) -> Vec<(u32, &Cell)> {
    let mut cells = Vec::with_capacity(usize::from(buffer.area.width));
    let mut column = 0;
    while column < buffer.area.width {
        let Some(cell) = buffer.cell((buffer.area.x + column, buffer.area.y + row)) else {
            break;
        };
        cells.push((u32::from(column), cell));
        column += u16::try_from(cell.symbol().width().max(1)).unwrap_or(1);
    }
    cells
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Look {
    foreground: u32,
    background: u32,
    bold: bool,
    faint: bool,
    italic: bool,
    underlined: bool,
}

fn look(cell: &Cell, ground: Ground) -> Look {
    let mut foreground = tone(cell.fg, ground.foreground);
    let mut background = tone(cell.bg, ground.background);
    if cell.modifier.contains(Modifier::REVERSED) {
        std::mem::swap(&mut foreground, &mut background);
    }
    Look {
        foreground,
        background,
        bold: cell.modifier.contains(Modifier::BOLD),
        faint: cell.modifier.contains(Modifier::DIM),
        italic: cell.modifier.contains(Modifier::ITALIC),
        underlined: cell.modifier.contains(Modifier::UNDERLINED),
    }
}

fn backgrounds(out: &mut String, cells: &[(u32, &Cell)], row: u16, ground: Ground) {
    for run in cells.chunk_by(|a, b| look(a.1, ground).background == look(b.1, ground).background) {
        let Some(((start, first), (last, end))) = run.first().zip(run.last()) else {
            continue;
        };
        let background = look(first, ground).background;
        if background == ground.background {
            continue;
        }
        let columns = last - start + columns_of(end);
        let _ = writeln!(
            out,
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{CELL_HEIGHT}\" fill=\"{}\"/>",
            start * CELL_WIDTH,
            u32::from(row) * CELL_HEIGHT,
            columns * CELL_WIDTH,
            hex(background),
        );
    }
}

fn texts(out: &mut String, cells: &[(u32, &Cell)], row: u16, ground: Ground) {
    let mut run: Option<Run> = None;
    for (column, cell) in cells {
        let look = look(cell, ground);
        if let Some(path) = shape(cell.symbol(), *column, u32::from(row)) {
            flush(out, run.take(), row);
            let _ = writeln!(out, "{}", path.replace("{}", &hex(look.foreground)));
            continue;
        }
        let blank = cell.symbol().trim().is_empty() && !look.underlined;
        match &mut run {
            Some(run) if run.look.same_ink(look) => run.push(cell),
            _ if blank => flush(out, run.take(), row),
            _ => {
                flush(out, run.take(), row);
                run = Some(Run::new(*column, look, cell));
            }
        }
    }
    flush(out, run, row);
}

impl Look {
    fn same_ink(self, other: Self) -> bool {
        Self {
            background: 0,
            ..self
        } == Self {
            background: 0,
            ..other
        }
    }
}

struct Run {
    column: u32,
    columns: u32,
    look: Look,
    text: String,
}

impl Run {
    fn new(column: u32, look: Look, cell: &Cell) -> Self {
        let mut run = Self {
            column,
            columns: 0,
            look,
            text: String::new(),
        };
        run.push(cell);
        run
    }

    fn push(&mut self, cell: &Cell) {
        self.text.push_str(cell.symbol());
        self.columns += columns_of(cell);
    }
}

fn flush(out: &mut String, run: Option<Run>, row: u16) {
    let Some(run) = run else { return };
    let (text, columns) = if run.look.underlined {
        (run.text.as_str(), run.columns)
    } else {
        let text = run.text.trim_end();
        (
            text,
            run.columns - u32::try_from(run.text.len() - text.len()).unwrap_or(0),
        )
    };
    let mut style = String::new();
    for (set, attribute) in [
        (run.look.bold, " font-weight=\"600\""),
        (run.look.faint, " opacity=\"0.6\""),
        (run.look.italic, " font-style=\"italic\""),
        (run.look.underlined, " text-decoration=\"underline\""),
    ] {
        if set {
            style.push_str(attribute);
        }
    }
    // textLength holds the columns together whatever the reader's font is.
    let _ = writeln!(
        out,
        "<text x=\"{}\" y=\"{}\" textLength=\"{}\" lengthAdjust=\"spacingAndGlyphs\" fill=\"{}\"{style}>{}</text>",
        run.column * CELL_WIDTH,
        u32::from(row) * CELL_HEIGHT + BASELINE,
        columns * CELL_WIDTH,
        hex(run.look.foreground),
        // Ordinary spaces in a row would count as one.
        escape(text).replace(' ', "\u{a0}"),
    );
}

fn columns_of(cell: &Cell) -> u32 {
    u32::try_from(cell.symbol().width().max(1)).unwrap_or(1)
}

/// Lines and blocks as shapes that reach the cell's edges; `{}` stands for the colour.
fn shape(symbol: &str, column: u32, row: u32) -> Option<String> {
    let (x, y) = (column * CELL_WIDTH, row * CELL_HEIGHT);
    let rect = |dx: u32, dy: u32, width: u32, height: u32| {
        Some(format!(
            "<rect x=\"{}\" y=\"{}\" width=\"{width}\" height=\"{height}\" fill=\"{{}}\" shape-rendering=\"crispEdges\"/>",
            x + dx,
            y + dy
        ))
    };
    let (half_width, half_height) = (CELL_WIDTH / 2, CELL_HEIGHT / 2);
    match symbol {
        "█" => return rect(0, 0, CELL_WIDTH, CELL_HEIGHT),
        "▀" => return rect(0, 0, CELL_WIDTH, half_height),
        "▄" => return rect(0, half_height, CELL_WIDTH, half_height),
        "▌" => return rect(0, 0, half_width, CELL_HEIGHT),
        "▐" => return rect(half_width, 0, half_width, CELL_HEIGHT),
        _ => {}
    }
    // Which edges the line reaches from the middle: up, down, left, right.
    let edges = match symbol {
        "─" | "━" => "LR",
        "│" | "┃" => "UD",
        "┌" | "╭" => "DR",
        "┐" | "╮" => "DL",
        "└" | "╰" => "UR",
        "┘" | "╯" => "UL",
        "├" => "UDR",
        "┤" => "UDL",
        "┬" => "DLR",
        "┴" => "ULR",
        "┼" => "UDLR",
        _ => return None,
    };
    let mut path = String::new();
    for edge in edges.chars() {
        let step = match edge {
            'U' => format!("v-{half_height}"),
            'D' => format!("v{half_height}"),
            'L' => format!("h-{half_width}"),
            _ => format!("h{half_width}"),
        };
        let _ = write!(path, "M{} {}{step}", x + half_width, y + half_height);
    }
    let weight = if matches!(symbol, "━" | "┃") { 2 } else { 1 };
    Some(format!(
        "<path d=\"{path}\" stroke=\"{{}}\" stroke-width=\"{weight}\"/>"
    ))
}

fn hex(tone: u32) -> String {
    format!("#{tone:06x}")
}

/// 0xRRGGBB of a colour; `default` where the terminal's own would show.
fn tone(colour: Color, default: u32) -> u32 {
    match colour {
        Color::Reset => default,
        Color::Black => 0x14_171d,
        Color::Red => 0xd1_5b5b,
        Color::Green => 0x6f_ae6b,
        Color::Yellow => 0xc9_a24d,
        Color::Blue => 0x5b_8fd1,
        Color::Magenta => 0xa8_7bc4,
        Color::Cyan => 0x5a_b0c9,
        Color::Gray => 0xb4_bac4,
        Color::DarkGray => 0x6b_7382,
        Color::LightRed => 0xf0_7a78,
        Color::LightGreen => 0x8f_c98b,
        Color::LightYellow => 0xe6_c06a,
        Color::LightBlue => 0x7a_afee,
        Color::LightMagenta => 0xc9_9be3,
        Color::LightCyan => 0x7a_c7e8,
        Color::White => 0xf2_f4f7,
        Color::Rgb(red, green, blue) => u32::from_be_bytes([0, red, green, blue]),
        Color::Indexed(index) => indexed(index),
    }
}

/// The 256-colour palette: the cube and the greys; the first sixteen as above are not used by index here.
fn indexed(index: u8) -> u32 {
    let level = |step: u8| if step == 0 { 0 } else { 55 + 40 * u32::from(step) };
    match index {
        0..=15 => 0xb4_bac4,
        16..=231 => {
            let at = index - 16;
            level(at / 36) << 16 | level(at / 6 % 6) << 8 | level(at % 6)
        }
        232..=255 => (8 + 10 * u32::from(index - 232)) * 0x01_0101,
    }
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for ch in text.chars() {
        match ch {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            ch if ch.is_control() => {}
            ch => out.push(ch),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    use super::*;

    #[test]
    fn text_shapes_and_grounds() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 12, 2));
        buffer.set_string(0, 0, "a<b ─█ 漢x", Style::new().fg(Color::Rgb(1, 2, 3)));
        buffer.set_string(
            0,
            1,
            "key ",
            Style::new().add_modifier(Modifier::REVERSED | Modifier::BOLD),
        );
        insta::assert_snapshot!(svg(&buffer, Ground::DARK, "a \"title\""));
    }

    #[test]
    fn the_colour_cube() {
        assert_eq!(indexed(16), 0);
        assert_eq!(indexed(231), 0xff_ffff);
        assert_eq!(indexed(232), 0x08_0808);
    }
}
