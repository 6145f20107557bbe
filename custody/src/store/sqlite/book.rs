//! The address book, and every address that people here may mean.

use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::errors::ResultExt;
use crate::book::{Contact, ContactPage, ContactQuery};
use crate::error::CustodyError;
use crate::store::columns::{parse_address, pattern, unsigned};
use crate::store::{BookWrite, ContactFacts, KnownFrom, KnownRow};

/// The contacts with one of these labels or addresses, each once.
pub(super) async fn facts(
    connection: &mut SqliteConnection,
    names: &[String],
) -> Result<Vec<ContactFacts>, CustodyError> {
    let mut found: Vec<ContactFacts> = Vec::new();
    for name in names {
        let rows = sqlx::query(
            "SELECT contact_id, address, label, note FROM address_book WHERE label = ?1 \
             UNION SELECT contact_id, address, label, note FROM address_book WHERE address = ?1",
        )
        .bind(name)
        .fetch_all(&mut *connection)
        .await
        .storage()?;
        for row in &rows {
            let contact = ContactFacts {
                id: row.try_get(0).storage()?,
                address: parse_address("address_book.address", row.try_get(1).storage()?)?,
                label: row.try_get(2).storage()?,
                note: row.try_get(3).storage()?,
            };
            if !found.iter().any(|other| other.id == contact.id) {
                found.push(contact);
            }
        }
    }
    Ok(found)
}

/// A page of contacts, by label.
pub(super) async fn page(
    connection: &mut SqliteConnection,
    query: &ContactQuery,
) -> Result<ContactPage, CustodyError> {
    let text = (!query.text.is_empty()).then(|| pattern(&query.text));
    let total: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM address_book WHERE ?1 IS NULL OR label LIKE ?1 ESCAPE '\\' \
         OR address LIKE ?1 ESCAPE '\\' OR note LIKE ?1 ESCAPE '\\'",
    )
    .bind(&text)
    .fetch_one(&mut *connection)
    .await
    .storage()?;
    let rows = sqlx::query(
        "SELECT b.address, b.label, b.note, b.created_at, \
         (SELECT COUNT(*) FROM attempts a WHERE a.recipient = b.address AND a.state IN ('confirmed', 'finalized')) \
         FROM address_book b WHERE (?1 IS NULL OR b.label LIKE ?1 ESCAPE '\\' OR b.address LIKE ?1 ESCAPE '\\' \
         OR b.note LIKE ?1 ESCAPE '\\') AND b.label > COALESCE(?2, '') ORDER BY b.label LIMIT ?3",
    )
    .bind(&text)
    .bind(&query.after)
    .bind(query.limit)
    .fetch_all(connection)
    .await
    .storage()?;
    Ok(ContactPage {
        total: unsigned("contacts", total)?,
        rows: rows.iter().map(contact).collect::<Result<_, _>>()?,
    })
}

/// The contact with this label, or at this address.
pub(super) async fn one(
    connection: &mut SqliteConnection,
    name: &str,
) -> Result<Option<Contact>, CustodyError> {
    let row = sqlx::query(
        "SELECT b.address, b.label, b.note, b.created_at, \
         (SELECT COUNT(*) FROM attempts a WHERE a.recipient = b.address AND a.state IN ('confirmed', 'finalized')) \
         FROM address_book b WHERE b.label = ?1 OR b.address = ?1 LIMIT 1",
    )
    .bind(name)
    .fetch_optional(connection)
    .await
    .storage()?;
    row.as_ref().map(contact).transpose()
}

fn contact(row: &SqliteRow) -> Result<Contact, CustodyError> {
    Ok(Contact {
        address: parse_address("address_book.address", row.try_get(0).storage()?)?,
        label: row.try_get(1).storage()?,
        note: row.try_get(2).storage()?,
        created_ms: unsigned("address_book.created_at", row.try_get(3).storage()?)?,
        paid: unsigned("attempts", row.try_get(4).storage()?)?,
    })
}

/// Every address that is known: own wallets, contacts, and whoever was paid, at most so many of each.
pub(super) async fn known(
    connection: &mut SqliteConnection,
    limit: u32,
) -> Result<Vec<KnownRow>, CustodyError> {
    let mut known = Vec::new();
    for (from, sql) in [
        (
            KnownFrom::Wallet,
            "SELECT address, label, total_trades FROM wallets WHERE chain = 'solana' AND status <> 'purged' \
             ORDER BY wallet_id LIMIT ?1",
        ),
        (
            KnownFrom::Book,
            "SELECT address, label, 0 FROM address_book ORDER BY contact_id LIMIT ?1",
        ),
        (
            KnownFrom::Paid,
            "SELECT recipient, '', COUNT(*) FROM attempts WHERE state IN ('confirmed', 'finalized') \
             GROUP BY recipient ORDER BY COUNT(*) DESC, recipient LIMIT ?1",
        ),
        (
            KnownFrom::Paid,
            "SELECT t.recipient, '', COUNT(*) FROM batches b \
             JOIN batch_items i ON i.job_id = b.job_id AND i.batch = b.batch \
             JOIN transfers t ON t.job_id = i.job_id AND t.item = i.item \
             WHERE b.state IN ('confirmed', 'finalized') \
             GROUP BY t.recipient ORDER BY COUNT(*) DESC, t.recipient LIMIT ?1",
        ),
    ] {
        let rows = sqlx::query(sql)
            .bind(limit)
            .fetch_all(&mut *connection)
            .await
            .storage()?;
        for row in &rows {
            known.push(KnownRow {
                address: parse_address("known address", row.try_get(0).storage()?)?,
                label: row.try_get(1).storage()?,
                from,
                uses: unsigned("uses", row.try_get(2).storage()?)?,
            });
        }
    }
    Ok(known)
}

/// Makes one change.
pub(super) async fn apply(
    connection: &mut SqliteConnection,
    change: BookWrite,
    now: i64,
) -> Result<(), CustodyError> {
    let query = match change {
        BookWrite::Contact { address, label, note } => sqlx::query(
            "INSERT INTO address_book (vault_id, address, label, note, created_at) \
             SELECT vault_id, ?1, ?2, ?3, ?4 FROM vaults",
        )
        .bind(address.to_string())
        .bind(label)
        .bind(note)
        .bind(now),
        BookWrite::Words { contact, label, note } => {
            sqlx::query("UPDATE address_book SET label = ?2, note = ?3 WHERE contact_id = ?1")
                .bind(contact)
                .bind(label)
                .bind(note)
        }
        BookWrite::Gone { contact } => {
            sqlx::query("DELETE FROM address_book WHERE contact_id = ?1").bind(contact)
        }
    };
    query.execute(connection).await.storage()?;
    Ok(())
}
