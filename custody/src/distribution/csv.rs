//! Reading lists of recipients: `recipient,amount[,memo]`, one a line, quoted as in RFC 4180 but without line breaks in a
//! field, with a point for decimals.
//!
//! A recipient is an address, or a name that the vault resolves later: a label, `#7`, `tag:NAME` or `owner:NAME`. Blank lines
//! and lines that begin with `#` and a blank are passed over, and so is a first line that is the header `recipient,…`. Every
//! error tells its line; reading goes on after one, so that a file's errors are seen together. Size, lines, fields and errors
//! are bounded. It resolves no name and asks no chain.

use keyward_core::address::Address;
use keyward_core::amount::{AmountError, Lamports, parse_units};

/// The longest file, in bytes.
pub const MAX_CSV_BYTES: usize = 32 << 20;
/// The most recipients of one file.
pub const MAX_ROWS: usize = super::MAX_RECIPIENTS;
/// How many errors are told; reading ends there.
pub const MAX_ERRORS: usize = 100;
/// The longest field, in bytes.
const MAX_FIELD_BYTES: usize = 1_024;

/// What the second column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecondColumn {
    /// An amount of SOL: `1.5`, `1.5 SOL` or `1500000000 lamports`.
    Sol,
    /// An amount of a token of so many decimals.
    Token {
        /// The mint's decimals.
        decimals: u8,
    },
    /// A weight: a whole number above zero.
    Weight,
    /// Nothing: the amounts come from a total. The column may be left out or empty.
    Nothing,
}

/// One line of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsvRow {
    /// Its line in the file, from 1.
    pub line: u32,
    /// Who is paid.
    pub recipient: RecipientName,
    /// The second column: base units or a weight; 0 where there is none.
    pub number: u64,
    /// A public text on chain.
    pub memo: Option<String>,
}

/// Who is paid, as a person writes it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RecipientName {
    /// An address.
    Address(Address),
    /// A wallet of the vault, by label or place.
    Wallet(String),
    /// Every wallet with this tag.
    Tag(String),
    /// Every wallet of this owner.
    Owner(String),
}

impl RecipientName {
    /// Reads a recipient as it is written in a list or on the command line.
    ///
    /// # Errors
    /// [`CsvProblem::Recipient`] for nothing, or a tag or owner without a name.
    pub fn parse(text: &str) -> Result<Self, CsvProblem> {
        let text = text.trim();
        let named = |name: &str| match name.trim() {
            "" => Err(CsvProblem::Recipient),
            name => Ok(name.to_owned()),
        };
        if let Some(tag) = text.strip_prefix("tag:") {
            return named(tag).map(Self::Tag);
        }
        if let Some(owner) = text.strip_prefix("owner:") {
            return named(owner).map(Self::Owner);
        }
        match text.parse::<Address>() {
            Ok(address) => Ok(Self::Address(address)),
            Err(_) => named(text).map(Self::Wallet),
        }
    }
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct CsvError {
    /// The line, from 1.
    pub line: u32,
    /// What is wrong.
    pub problem: CsvProblem,
}

/// What can be wrong with a list; every text says the remedy too.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CsvProblem {
    /// The file is longer than the bound.
    #[error("the list is longer than {MAX_CSV_BYTES} bytes; divide it")]
    TooLong,
    /// More recipients than the bound.
    #[error("there are more than {MAX_ROWS} recipients; divide the list")]
    TooManyRows,
    /// Nobody is named.
    #[error("the list names nobody; write one recipient a line")]
    NoRows,
    /// A byte that is no text.
    #[error("this is not UTF-8; save the file as UTF-8 text")]
    NotText,
    /// A control character.
    #[error("there is a control character in it; remove it")]
    Control,
    /// A semicolon or a tab where commas are wanted.
    #[error("the columns are separated by {0}; separate them by commas")]
    Separator(&'static str),
    /// Columns are missing.
    #[error("there is no amount; write recipient,amount")]
    NoNumber,
    /// A column too many.
    #[error("there are {found} columns; write recipient,amount,memo, and quote what has a comma in it")]
    Columns {
        /// How many there are.
        found: usize,
    },
    /// A second column where amounts come from a total.
    #[error("there is an amount, but amounts are divided from a total here; leave the column empty")]
    UnwantedNumber,
    /// Nobody is named on the line.
    #[error("no recipient is named; give an address, a label, tag:NAME or owner:NAME")]
    Recipient,
    /// The amount cannot be read.
    #[error("the amount is not usable: {0}")]
    Amount(AmountError),
    /// The weight cannot be read.
    #[error("the weight is not a whole number of 1 to 18446744073709551615; correct it")]
    Weight,
    /// A quote that does not end, or text around one.
    #[error(
        "a quotation mark is not closed, or there is text before or after a quoted field; quote whole fields"
    )]
    Quote,
    /// A field is too long.
    #[error("a field has more than {MAX_FIELD_BYTES} bytes; shorten it")]
    LongField,
    /// A memo is too long.
    #[error("the memo has {found} bytes and {limit} are the most; shorten it", limit = super::MAX_MEMO_BYTES)]
    Memo {
        /// How many it has.
        found: usize,
    },
}

/// Reads a list.
///
/// # Errors
/// Everything that is wrong with it, by line, at most [`MAX_ERRORS`]; never empty.
pub fn read(bytes: &[u8], second: SecondColumn) -> Result<Vec<CsvRow>, Vec<CsvError>> {
    let one = |line, problem| vec![CsvError { line, problem }];
    if bytes.len() > MAX_CSV_BYTES {
        return Err(one(1, CsvProblem::TooLong));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        one(line_of(before), CsvProblem::NotText)
    })?;
    let (mut rows, mut errors) = (Vec::new(), Vec::new());
    let mut records = Records::new(text.strip_prefix('\u{feff}').unwrap_or(text));
    let mut first = true;
    while let Some((line, record)) = records.next_record() {
        let was_first = std::mem::take(&mut first);
        let row = record.and_then(|fields| match was_first && is_header(&fields) {
            true => Ok(None),
            false => read_row(line, &fields, second).map(Some),
        });
        match row {
            Ok(Some(_)) if rows.len() == MAX_ROWS => {
                errors.push(CsvError {
                    line,
                    problem: CsvProblem::TooManyRows,
                });
                break;
            }
            Ok(row) => rows.extend(row),
            Err(problem) => errors.push(CsvError { line, problem }),
        }
        if errors.len() >= MAX_ERRORS {
            break;
        }
    }
    match (errors.is_empty(), rows.is_empty()) {
        (false, _) => Err(errors),
        (true, true) => Err(one(1, CsvProblem::NoRows)),
        (true, false) => Ok(rows),
    }
}

fn is_header(fields: &[String]) -> bool {
    let name = |at: usize| fields.get(at).map(|field| field.trim().to_ascii_lowercase());
    matches!(
        name(0).as_deref(),
        Some("recipient" | "address" | "wallet" | "to")
    )
}

fn read_row(line: u32, fields: &[String], second: SecondColumn) -> Result<CsvRow, CsvProblem> {
    if let [only] = fields {
        for (separator, name) in [(';', "semicolons"), ('\t', "tabs")] {
            if only.contains(separator) {
                return Err(CsvProblem::Separator(name));
            }
        }
    }
    if fields.len() > 3 {
        return Err(CsvProblem::Columns { found: fields.len() });
    }
    let field = |at: usize| fields.get(at).map_or("", |field| field.trim());
    let recipient = RecipientName::parse(field(0))?;
    let number = match (second, field(1)) {
        (SecondColumn::Nothing, "") => 0,
        (SecondColumn::Nothing, _) => return Err(CsvProblem::UnwantedNumber),
        (_, "") => return Err(CsvProblem::NoNumber),
        (SecondColumn::Sol, text) => Lamports::parse(text).map_err(CsvProblem::Amount)?.get(),
        (SecondColumn::Token { decimals }, text) => {
            parse_units(text, decimals).map_err(CsvProblem::Amount)?
        }
        (SecondColumn::Weight, text) => match text.bytes().all(|byte| byte.is_ascii_digit()) {
            true => text
                .parse()
                .ok()
                .filter(|weight| *weight > 0)
                .ok_or(CsvProblem::Weight)?,
            false => return Err(CsvProblem::Weight),
        },
    };
    let memo = Some(field(2)).filter(|memo| !memo.is_empty());
    match memo {
        Some(memo) if memo.len() > super::MAX_MEMO_BYTES => Err(CsvProblem::Memo { found: memo.len() }),
        memo => Ok(CsvRow {
            line,
            recipient,
            number,
            memo: memo.map(str::to_owned),
        }),
    }
}

/// The line that comes after this text.
fn line_of(before: &[u8]) -> u32 {
    let breaks = before.iter().filter(|byte| **byte == b'\n').count();
    u32::try_from(breaks).unwrap_or(u32::MAX).saturating_add(1)
}

/// The records of a text, each with the line it begins on.
struct Records<'a> {
    rest: &'a str,
    line: u32,
}

impl<'a> Records<'a> {
    fn new(text: &'a str) -> Self {
        Self { rest: text, line: 1 }
    }

    /// The next record that is neither blank nor a comment.
    fn next_record(&mut self) -> Option<(u32, Result<Vec<String>, CsvProblem>)> {
        loop {
            if self.rest.is_empty() {
                return None;
            }
            let end = self.rest.find('\n').unwrap_or(self.rest.len());
            let (content, _) = self.rest.split_at(end);
            let blank = content.trim().is_empty() || content.starts_with("# ") || content.trim() == "#";
            if !blank {
                break;
            }
            self.skip(end);
        }
        let line = self.line;
        Some((line, self.record()))
    }

    /// Leaves so many bytes behind, and the line break after them.
    fn skip(&mut self, bytes: usize) {
        let (gone, rest) = self.rest.split_at(bytes);
        self.line = self.line.saturating_add(line_of(gone.as_bytes()) - 1);
        self.rest = match rest.strip_prefix('\n') {
            Some(rest) => {
                self.line = self.line.saturating_add(1);
                rest
            }
            None => rest,
        };
    }

    /// Reads one record. After an error the rest of its line is passed over.
    fn record(&mut self) -> Result<Vec<String>, CsvProblem> {
        let mut fields = Vec::new();
        let mut at = 0;
        let result = loop {
            let rest = self.rest.get(at..).unwrap_or_default();
            let (field, used) = match field(rest) {
                Ok(read) => read,
                Err(problem) => break Err(problem),
            };
            fields.push(field);
            at += used;
            match self.rest.as_bytes().get(at) {
                Some(b',') if fields.len() < 16 => at += 1,
                Some(b',') => {
                    break Err(CsvProblem::Columns {
                        found: fields.len() + 1,
                    });
                }
                _ => break Ok(fields),
            }
        };
        let end = match &result {
            Ok(_) => at,
            Err(_) => self.rest.find('\n').unwrap_or(self.rest.len()),
        };
        self.skip(end);
        result
    }
}

/// Reads one field: its text, and how many bytes up to the comma, the line break or the end.
fn field(text: &str) -> Result<(String, usize), CsvProblem> {
    let lead = text.len() - text.trim_start_matches([' ', '\t']).len();
    let (content, used) = match text.get(lead..).and_then(|rest| rest.strip_prefix('"')) {
        Some(quoted) => {
            let (content, inside) = unquote(quoted)?;
            let after = text.get(lead + 1 + inside..).unwrap_or_default();
            let blank = after.len() - after.trim_start_matches([' ', '\t', '\r']).len();
            if !matches!(after.as_bytes().get(blank), None | Some(b',' | b'\n')) {
                return Err(CsvProblem::Quote);
            }
            (content, lead + 1 + inside + blank)
        }
        None => {
            let end = text.find([',', '\n']).unwrap_or(text.len());
            let content = text.get(..end).unwrap_or_default();
            if content.contains('"') {
                return Err(CsvProblem::Quote);
            }
            (content.trim().to_owned(), end)
        }
    };
    if content.len() > MAX_FIELD_BYTES {
        return Err(CsvProblem::LongField);
    }
    if content.chars().any(|c| c.is_control() && c != '\t') {
        return Err(CsvProblem::Control);
    }
    Ok((content, used))
}

/// Reads up to the closing quotation mark; two of them stand for one. A field does not go on over a line's end: a mark that
/// somebody forgot would swallow the payments after it.
fn unquote(text: &str) -> Result<(String, usize), CsvProblem> {
    let mut content = String::new();
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' if chars.peek().is_some_and(|(_, next)| *next == '"') => {
                chars.next();
                content.push('"');
            }
            '"' => return Ok((content, at + 1)),
            '\n' => return Err(CsvProblem::Quote),
            c => content.push(c),
        }
        if content.len() > MAX_FIELD_BYTES {
            return Err(CsvProblem::LongField);
        }
    }
    Err(CsvProblem::Quote)
}

#[cfg(test)]
mod tests;
