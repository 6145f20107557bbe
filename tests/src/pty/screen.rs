//! One moment of a terminal's screen, as text.

/// What a terminal shows: one string a row, without trailing blanks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Screen {
    pub(super) columns: u16,
    pub(super) rows: Vec<String>,
    /// Zero-based column and row.
    pub(super) cursor: (u16, u16),
    pub(super) alternate: bool,
}

impl Screen {
    /// The width in cells.
    #[must_use]
    pub fn columns(&self) -> u16 {
        self.columns
    }

    /// The rows, from the top.
    #[must_use]
    pub fn rows(&self) -> &[String] {
        &self.rows
    }

    /// All rows, separated by line feeds.
    #[must_use]
    pub fn text(&self) -> String {
        self.rows.join("\n")
    }

    /// Whether a row shows `text`. A text that is wrapped over two rows is not found.
    #[must_use]
    pub fn contains(&self, text: &str) -> bool {
        self.row(text).is_some()
    }

    /// The first row that shows `text`.
    #[must_use]
    pub fn row(&self, text: &str) -> Option<&str> {
        self.rows
            .iter()
            .map(String::as_str)
            .find(|row| row.contains(text))
    }

    /// Whether `text` stands on the screen when row ends and runs of blanks are taken as nothing, for long texts
    /// that a narrow screen wraps.
    #[must_use]
    pub fn contains_wrapped(&self, text: &str) -> bool {
        let squeeze = |text: &str| text.split_whitespace().collect::<String>();
        squeeze(&self.text()).contains(&squeeze(text))
    }

    /// The column and row of the cursor, from zero.
    #[must_use]
    pub fn cursor(&self) -> (u16, u16) {
        self.cursor
    }

    /// Whether the program draws on the alternate screen, which leaves nothing in the scroll-back.
    #[must_use]
    pub fn is_alternate(&self) -> bool {
        self.alternate
    }
}

impl std::fmt::Display for Screen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let border = "-".repeat(usize::from(self.columns));
        writeln!(f, "+{border}+")?;
        for row in &self.rows {
            writeln!(f, "|{row}")?;
        }
        write!(f, "+{border}+")
    }
}
