#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;

use super::*;

const A: &str = "HAgk14JpMQLgt6rVgv7cBQFJWFto5Dqxi472uT3DKpqk";
const B: &str = "7WktogJEd2wQ9eH2oWusmcoFTgeYi6rS632UviTBJ2jm";

fn problems(text: &str, second: SecondColumn) -> Vec<(u32, CsvProblem)> {
    let errors = read(text.as_bytes(), second).expect_err(text);
    errors
        .into_iter()
        .map(|error| (error.line, error.problem))
        .collect()
}

#[test]
fn reads_what_people_write() {
    let text = format!(
        "\u{feff}Recipient, Amount, Memo\r\n{A},1.5,hello\r\n\r\n# a comment\n  {B} , 250 lamports ,\"a, \"\"b\"\"\" \n\
         #7,0.000000001\nbots-1,2 SOL,\ntag:bots,1\nowner: Erika M. ,1\n\"quoted, label\",3"
    );
    let rows = read(text.as_bytes(), SecondColumn::Sol).unwrap();
    let row = |line, recipient, number, memo: Option<&str>| CsvRow {
        line,
        recipient,
        number,
        memo: memo.map(str::to_owned),
    };
    let expected = [
        row(
            2,
            RecipientName::Address(A.parse().unwrap()),
            1_500_000_000,
            Some("hello"),
        ),
        row(
            5,
            RecipientName::Address(B.parse().unwrap()),
            250,
            Some("a, \"b\""),
        ),
        row(6, RecipientName::Wallet("#7".into()), 1, None),
        row(7, RecipientName::Wallet("bots-1".into()), 2_000_000_000, None),
        row(8, RecipientName::Tag("bots".into()), 1_000_000_000, None),
        row(9, RecipientName::Owner("Erika M.".into()), 1_000_000_000, None),
        row(
            10,
            RecipientName::Wallet("quoted, label".into()),
            3_000_000_000,
            None,
        ),
    ];
    assert_eq!(rows, expected);
}

#[test]
fn reads_the_column_that_is_asked_for() {
    let number = |text: &str, second| read(format!("{A}{text}").as_bytes(), second).unwrap()[0].number;
    assert_eq!(number(",1.5", SecondColumn::Token { decimals: 2 }), 150);
    assert_eq!(number(",7", SecondColumn::Token { decimals: 0 }), 7);
    assert_eq!(
        number(",18.446744073709551615", SecondColumn::Token { decimals: 18 }),
        u64::MAX
    );
    assert_eq!(number(",3", SecondColumn::Weight), 3);
    assert_eq!(number("", SecondColumn::Nothing), 0);
    assert_eq!(number(",,memo", SecondColumn::Nothing), 0);
}

#[test]
fn every_error_tells_its_line() {
    let text =
        format!("{A},1\n{A}\n,1\n{B},1,5,6,7\n{A},1\n{B},-1\n{B},1.0000000001\ntag:,1\n\"{A},1\n{A},x\n");
    use AmountError as E;
    let expected = [
        (2, CsvProblem::NoNumber),
        (3, CsvProblem::Recipient),
        (4, CsvProblem::Columns { found: 5 }),
        (6, CsvProblem::Amount(E::Negative)),
        (7, CsvProblem::Amount(E::Decimals { found: 10, max: 9 })),
        (8, CsvProblem::Recipient),
        (9, CsvProblem::Quote),
        (10, CsvProblem::Amount(E::UnknownUnit { position: 1 })),
    ];
    assert_eq!(problems(&text, SecondColumn::Sol), expected);
    let shown = read(text.as_bytes(), SecondColumn::Sol).unwrap_err()[4].to_string();
    assert_eq!(
        shown,
        "line 7: the amount is not usable: there are 10 decimals and at most 9 are possible; shorten it"
    );
}

#[test]
fn what_is_no_list_is_refused() {
    let sol = SecondColumn::Sol;
    let token = SecondColumn::Token { decimals: 0 };
    let long = format!("{A},1,{}", "m".repeat(super::super::MAX_MEMO_BYTES + 1));
    let endless = format!("{A},1,\"{}", "m".repeat(5_000));
    let cases: [(&str, SecondColumn, CsvProblem); 18] = [
        ("", sol, CsvProblem::NoRows),
        ("\n\n# nobody\n", sol, CsvProblem::NoRows),
        ("recipient,amount\n", sol, CsvProblem::NoRows),
        (&format!("{A};1"), sol, CsvProblem::Separator("semicolons")),
        (&format!("{A}\t1"), sol, CsvProblem::Separator("tabs")),
        (
            &format!("{A},1,5"),
            SecondColumn::Nothing,
            CsvProblem::UnwantedNumber,
        ),
        (&format!("{A},0"), SecondColumn::Weight, CsvProblem::Weight),
        (&format!("{A},-1"), SecondColumn::Weight, CsvProblem::Weight),
        (&format!("{A},+1"), SecondColumn::Weight, CsvProblem::Weight),
        (&format!("{A},1.5"), SecondColumn::Weight, CsvProblem::Weight),
        (
            &format!("{A},18446744073709551616"),
            SecondColumn::Weight,
            CsvProblem::Weight,
        ),
        (
            &format!("{A},1.5"),
            token,
            CsvProblem::Amount(AmountError::Decimals { found: 1, max: 0 }),
        ),
        (
            &format!("{A},1e9"),
            token,
            CsvProblem::Amount(AmountError::Character { position: 2 }),
        ),
        (
            &format!("{A},18446744073709551616"),
            token,
            CsvProblem::Amount(AmountError::Overflow),
        ),
        (
            &long,
            sol,
            CsvProblem::Memo {
                found: super::super::MAX_MEMO_BYTES + 1,
            },
        ),
        (&endless, sol, CsvProblem::LongField),
        (&format!("{A},1,a\u{1b}[2J"), sol, CsvProblem::Control),
        (&format!("\"{A}\"x,1"), sol, CsvProblem::Quote),
    ];
    for (text, second, expected) in cases {
        assert_eq!(problems(text, second), [(1, expected)], "{text:.60}");
    }
    assert_eq!(read(b"\xff", sol).unwrap_err()[0].problem, CsvProblem::NotText);
    let broken = [format!("{A},1\n{A},1\n").as_bytes(), b"\xff,1\n"].concat();
    assert_eq!(
        read(&broken, sol).unwrap_err()[0],
        CsvError {
            line: 3,
            problem: CsvProblem::NotText
        }
    );
    let huge = vec![b'\n'; MAX_CSV_BYTES + 1];
    assert_eq!(read(&huge, sol).unwrap_err()[0].problem, CsvProblem::TooLong);
    let bad = ",1\n".repeat(MAX_ERRORS + 50);
    assert_eq!(problems(&bad, sol).len(), MAX_ERRORS);
}

#[test]
fn the_number_of_rows_is_bounded() {
    let row = "bots,1\n";
    let most = row.repeat(MAX_ROWS);
    assert_eq!(read(most.as_bytes(), SecondColumn::Sol).unwrap().len(), MAX_ROWS);
    let over = row.repeat(MAX_ROWS + 1);
    let line = u32::try_from(MAX_ROWS + 1).unwrap();
    assert_eq!(
        problems(&over, SecondColumn::Sol),
        [(line, CsvProblem::TooManyRows)]
    );
}

proptest! {
    #[test]
    fn whatever_is_read_neither_panics_nor_loses_count(text in "[a-c,\"\n\r #;1.]{0,200}") {
        let lines = u32::try_from(text.matches('\n').count() + 1).unwrap();
        match read(text.as_bytes(), SecondColumn::Weight) {
            Ok(rows) => {
                prop_assert!(rows.windows(2).all(|pair| pair[0].line < pair[1].line));
                prop_assert!(rows.iter().all(|row| row.line <= lines && row.number > 0));
            }
            Err(errors) => prop_assert!(!errors.is_empty() && errors.iter().all(|error| (1..=lines).contains(&error.line))),
        }
    }
}
