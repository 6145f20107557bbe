//! What an audit query asks for, as a condition on `audit_entries`: the same on both databases but for how parameters and
//! searches without regard to case are written. Only conditions that are asked for are in it, so that each finds its
//! index. It runs nothing.

use crate::audit::AuditQuery;
use crate::error::CustodyError;
use crate::store::columns::pattern;
use crate::store::stored_integer;

/// How a database writes it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Dialect {
    Sqlite,
    Postgres,
}

/// A parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    Integer(i64),
}

/// A condition with its parameters, in their order.
#[derive(Clone, Debug)]
pub(super) struct Condition {
    dialect: Dialect,
    text: String,
    values: Vec<Value>,
}

impl Condition {
    /// What the query finds, its page aside, before the entry `below`.
    pub(super) fn of(dialect: Dialect, query: &AuditQuery, below: Option<u64>) -> Result<Self, CustodyError> {
        let mut condition = Self {
            dialect,
            text: "TRUE".to_owned(),
            values: Vec::new(),
        };
        if !query.redacted || query.needs_content() {
            condition.text.push_str(" AND redacted_by IS NULL");
        }
        if let Some(operation) = query.operation {
            condition.add("operation = ?", text(operation.as_str()));
        }
        if let Some(outcome) = query.outcome {
            condition.add("outcome = ?", text(outcome.as_str()));
        }
        if query.failures {
            condition.text.push_str(" AND outcome IN ('refused', 'failed')");
        }
        if let Some(wallet) = &query.wallet {
            condition.add("wallet = ?", text(&wallet.to_string()));
        }
        if let Some(owner) = &query.owner {
            condition.add(
                "wallet IN (SELECT w.address FROM wallets w JOIN owners o ON o.owner_id = w.owner_id WHERE o.name = ?)",
                text(owner),
            );
        }
        condition.add_times(query)?;
        if !query.text.is_empty() {
            condition.add_text(&query.text);
        }
        if let Some(below) = below {
            condition.add("sequence < ?", Value::Integer(stored_integer("sequence", below)?));
        }
        Ok(condition)
    }

    /// The condition with the page's bounds.
    pub(super) fn on_page(mut self, query: &AuditQuery) -> Result<Self, CustodyError> {
        if let Some(after) = query.after_sequence {
            self.add("sequence > ?", Value::Integer(stored_integer("sequence", after)?));
        }
        if let Some(before) = query.before_sequence {
            self.add(
                "sequence < ?",
                Value::Integer(stored_integer("sequence", before)?),
            );
        }
        Ok(self)
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn into_values(self) -> Vec<Value> {
        self.values
    }

    /// Adds a condition with one parameter, which is written as a question mark once.
    fn add(&mut self, condition: &str, value: Value) {
        self.values.push(value);
        self.text.push_str(" AND ");
        self.text
            .push_str(&condition.replace('?', &self.last_parameter()));
    }

    fn last_parameter(&self) -> String {
        let sign = match self.dialect {
            Dialect::Sqlite => '?',
            Dialect::Postgres => '$',
        };
        format!("{sign}{}", self.values.len())
    }

    /// Times never go back along the log: a range of times is a range of sequences, each end one look into an index.
    fn add_times(&mut self, query: &AuditQuery) -> Result<(), CustodyError> {
        if let Some(from) = query.from_ms {
            self.add(
                "sequence >= (SELECT sequence FROM audit_entries WHERE redacted_by IS NULL AND recorded_at >= ? \
                 ORDER BY recorded_at, sequence LIMIT 1)",
                Value::Integer(stored_integer("time", from)?),
            );
        }
        if let Some(until) = query.until_ms {
            self.add(
                "sequence <= (SELECT sequence FROM audit_entries WHERE redacted_by IS NULL AND recorded_at <= ? \
                 ORDER BY recorded_at DESC, sequence DESC LIMIT 1)",
                Value::Integer(stored_integer("time", until)?),
            );
        }
        Ok(())
    }

    fn add_text(&mut self, piece: &str) {
        self.values.push(text(&pattern(piece)));
        let parameter = self.last_parameter();
        let like = match self.dialect {
            Dialect::Sqlite => format!("LIKE {parameter} ESCAPE '\\'"),
            Dialect::Postgres => format!("ILIKE {parameter}"),
        };
        let columns = ["actor", "reason", "details", "operation", "wallet"];
        let any = columns.map(|column| format!("{column} {like}")).join(" OR ");
        self.text.push_str(&format!(" AND ({any})"));
    }
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}
