//! What a query asks of each wallet, and how many that are.

use keyward_core::account::Chain;
use sqlx::{AssertSqlSafe, Row, SqliteConnection};

use super::{Asked, Counts, FEW};
use crate::error::CustodyError;
use crate::store::columns::pattern;
use crate::store::sqlite::errors::ResultExt;
use crate::store::tally::{Counted, Tally};
use crate::wallets::{StatusFilter, WalletQuery};

/// The wallets that lists leave out unless asked for them: the first condition is the index's own.
const OUT_OF_USE: &str = "SELECT wallet_id FROM wallets WHERE status <> 'active' \
     AND status IN ('retired', 'deleted', 'purged')";

/// What a query asks of each wallet. Every piece of text is one of those here: nothing of them comes from outside.
pub(super) struct Filter<'q> {
    query: &'q WalletQuery,
    text: String,
    /// What `#7` asks for.
    index: Option<u32>,
    /// Whether the piece of text is in any tag at all: nearly never, and asking that of each wallet takes half of the time.
    is_in_tags: bool,
}

/// The few names of tags are stepped through, not the many rows.
const TAGS_LIKE: &str = "WITH RECURSIVE names (tag) AS (SELECT MIN(tag) FROM tags \
     UNION ALL SELECT (SELECT MIN(t.tag) FROM tags t WHERE t.tag > names.tag) FROM names \
     WHERE names.tag IS NOT NULL) SELECT tag FROM names WHERE tag LIKE ?1 ESCAPE '\\'";

impl<'q> Filter<'q> {
    pub(super) fn of(query: &'q WalletQuery) -> Self {
        let index = query
            .text
            .strip_prefix('#')
            .and_then(|text| text.parse::<u32>().ok());
        Self {
            query,
            text: pattern(&query.text),
            index,
            is_in_tags: true,
        }
    }

    /// Looks whether tags are to be searched.
    pub(super) async fn look_at_tags(
        &mut self,
        connection: &mut SqliteConnection,
    ) -> Result<(), CustodyError> {
        if !self.query.text.is_empty() && self.index.is_none() {
            self.is_in_tags = sqlx::query_scalar(AssertSqlSafe(format!("SELECT EXISTS ({TAGS_LIKE})")))
                .bind(&self.text)
                .fetch_one(connection)
                .await
                .storage()?;
        }
        Ok(())
    }

    /// Whether it may leave out most wallets.
    fn narrows(&self) -> bool {
        let query = self.query;
        !query.text.is_empty()
            || query.tag.is_some()
            || query.owner.is_some()
            || query.role.is_some()
            || matches!(query.status, StatusFilter::Only(_))
            || query.chain.is_some()
    }

    /// Whether something else than the status or the chain leads to few wallets, by an index of its own.
    fn leads(&self) -> bool {
        let query = self.query;
        query.tag.is_some() || query.owner.is_some() || query.role.is_some() || self.index.is_some()
    }

    fn status(&self) -> String {
        match self.query.status {
            StatusFilter::All => String::new(),
            // Those left out are few and have an index: no row of those found need be looked at for its status.
            StatusFilter::InUse if self.leads() => format!(" AND w.wallet_id NOT IN ({OUT_OF_USE})"),
            StatusFilter::InUse => " AND w.status IN ('active', 'rotated')".to_owned(),
            StatusFilter::Only(status) => format!(" AND w.status = '{status}'"),
        }
    }

    /// The conditions, for finding wallets by them.
    fn finding(&self) -> String {
        let query = self.query;
        let tags = match self.is_in_tags {
            true => format!(" OR w.wallet_id IN (SELECT wallet_id FROM tags WHERE tag IN ({TAGS_LIKE}))"),
            false => String::new(),
        };
        let text = match (query.text.is_empty(), self.index) {
            (true, _) => String::new(),
            (false, Some(_)) => " AND w.derivation_index = ?2".to_owned(),
            (false, None) => format!(
                " AND (w.address LIKE ?1 ESCAPE '\\' OR (w.label <> '' AND w.label LIKE ?1 ESCAPE '\\'){tags})"
            ),
        };
        let tag = match query.tag {
            Some(_) => " AND w.wallet_id IN (SELECT wallet_id FROM tags WHERE tag = ?3)",
            None => "",
        };
        format!("{}{text}{tag}{}", self.status(), self.others())
    }

    /// The same, for asking it of wallets on the way: nothing here is to be taken as a way by itself.
    pub(super) fn walking(&self) -> String {
        let tag = match self.query.tag {
            Some(_) => " AND EXISTS (SELECT 1 FROM tags t WHERE t.wallet_id = w.wallet_id AND t.tag = ?3)",
            None => "",
        };
        let tags = match self.is_in_tags {
            true => {
                " OR EXISTS (SELECT 1 FROM tags t WHERE t.wallet_id = w.wallet_id AND t.tag LIKE ?1 ESCAPE '\\')"
            }
            false => "",
        };
        let text = match (self.query.text.is_empty(), self.index) {
            (true, _) => String::new(),
            (false, Some(_)) => " AND +w.derivation_index = ?2".to_owned(),
            (false, None) => {
                format!(" AND (w.address LIKE ?1 ESCAPE '\\' OR w.label LIKE ?1 ESCAPE '\\'{tags})")
            }
        };
        let others = self.status() + self.others().as_str();
        format!("{}{text}{tag}", others.replace(" AND w.", " AND +w."))
    }

    /// Whether it is a tag that is asked for, and nothing else that is not answered by ids.
    fn is_tag_alone(&self) -> bool {
        let query = self.query;
        query.tag.is_some()
            && query.text.is_empty()
            && query.owner.is_none()
            && query.role.is_none()
            && query.chain.is_none()
            && !matches!(query.status, StatusFilter::Only(_))
    }

    fn others(&self) -> String {
        let query = self.query;
        let owner = match query.owner {
            Some(_) => " AND w.owner_id = (SELECT owner_id FROM owners WHERE name = ?4)",
            None => "",
        };
        let role = match query.role.as_deref() {
            None => "",
            Some("") => " AND w.role = ''",
            Some(_) => " AND w.role <> '' AND w.role = ?5",
        };
        let chain = match query.chain {
            None => "",
            Some(Chain::Solana) => " AND w.chain = 'solana'",
            Some(Chain::Evm) => " AND w.chain = 'evm'",
        };
        format!("{owner}{role}{chain}")
    }

    pub(super) fn bind<'b>(&'b self, asked: Asked<'b>) -> Asked<'b> {
        asked
            .bind(&self.text)
            .bind(self.index)
            .bind(&self.query.tag)
            .bind(&self.query.owner)
            .bind(&self.query.role)
    }

    /// Whether a piece of text is looked for among all, or all in use, and nothing else is asked for.
    fn is_text_alone(&self) -> bool {
        let query = self.query;
        !query.text.is_empty()
            && self.index.is_none()
            && query.tag.is_none()
            && query.owner.is_none()
            && query.role.is_none()
            && query.chain.is_none()
            && !matches!(query.status, StatusFilter::Only(_))
    }

    /// The ids of what is found, if they are few, and how many there are.
    pub(super) async fn found(
        &self,
        connection: &mut SqliteConnection,
        counts: &Counts,
    ) -> Result<(Option<Vec<i64>>, i64), CustodyError> {
        let many = |found: &[i64]| i64::try_from(found.len()).unwrap_or(i64::MAX);
        if self.is_text_alone()
            && let Some(found) = self.with_text(connection, counts).await?
        {
            let total = many(&found);
            return Ok(((found.len() <= FEW).then_some(found), total));
        }
        if self.narrows() {
            let found = self.ids(connection).await?;
            if found.len() <= FEW {
                let total = many(&found);
                return Ok((Some(found), total));
            }
        }
        Ok((None, self.count(connection, &counts.tally).await?))
    }

    /// The ids of the wallets with the piece of text; none where the directory cannot tell.
    async fn with_text(
        &self,
        connection: &mut SqliteConnection,
        counts: &Counts,
    ) -> Result<Option<Vec<i64>>, CustodyError> {
        let highest: i64 = sqlx::query_scalar("SELECT COALESCE(MAX(wallet_id), 0) FROM wallets")
            .fetch_one(&mut *connection)
            .await
            .storage()?;
        let directory = &counts.directory;
        let Some(mut found) = directory.find(connection, &self.query.text, highest).await? else {
            return Ok(None);
        };
        let tags = match self.is_in_tags {
            true => format!(" UNION ALL SELECT wallet_id FROM tags WHERE tag IN ({TAGS_LIKE})"),
            false => String::new(),
        };
        let sql =
            format!("SELECT wallet_id FROM wallets WHERE label <> '' AND label LIKE ?1 ESCAPE '\\'{tags}");
        let named: Vec<i64> = sqlx::query_scalar(AssertSqlSafe(sql))
            .bind(&self.text)
            .fetch_all(&mut *connection)
            .await
            .storage()?;
        found.extend(named);
        found.sort_unstable();
        found.dedup();
        if self.query.status == StatusFilter::InUse && !found.is_empty() {
            let sql = format!("{OUT_OF_USE} ORDER BY wallet_id");
            let unused: Vec<i64> = sqlx::query_scalar(AssertSqlSafe(sql))
                .fetch_all(connection)
                .await
                .storage()?;
            found.retain(|id| unused.binary_search(id).is_err());
        }
        Ok(Some(found))
    }

    /// The ids of the wallets that it finds, one more than few at most.
    async fn ids(&self, connection: &mut SqliteConnection) -> Result<Vec<i64>, CustodyError> {
        let sql = format!(
            "SELECT w.wallet_id FROM wallets w WHERE 1{} LIMIT {}",
            self.finding(),
            FEW + 1
        );
        let rows = self
            .bind(sqlx::query(AssertSqlSafe(sql)))
            .fetch_all(connection)
            .await
            .storage()?;
        rows.iter().map(|row| row.try_get(0).storage()).collect()
    }

    async fn count(&self, connection: &mut SqliteConnection, tally: &Tally) -> Result<i64, CustodyError> {
        let sql = match (self.narrows(), self.query.status) {
            (false, status) => {
                let all = counted(connection, tally).await?;
                if status == StatusFilter::All {
                    return Ok(all);
                }
                // The few that are left out have an index.
                let out: i64 =
                    sqlx::query_scalar(AssertSqlSafe(format!("SELECT COUNT(*) FROM ({OUT_OF_USE})")))
                        .fetch_one(connection)
                        .await
                        .storage()?;
                return Ok(all - out);
            }
            (true, _) if self.is_tag_alone() => {
                format!("SELECT COUNT(*) FROM tags w WHERE w.tag = ?3{}", self.status())
            }
            (true, _) => format!("SELECT COUNT(*) FROM wallets w WHERE 1{}", self.finding()),
        };
        let row = self
            .bind(sqlx::query(AssertSqlSafe(sql)))
            .fetch_one(connection)
            .await
            .storage()?;
        row.try_get(0).storage()
    }
}

/// How many wallets there are in this snapshot. The first time a whole table, which is counted by its pages.
pub(super) async fn counted(connection: &mut SqliteConnection, tally: &Tally) -> Result<i64, CustodyError> {
    let known = tally.known();
    let highest: i64 = sqlx::query_scalar("SELECT COALESCE(MAX(wallet_id), 0) FROM wallets")
        .fetch_one(&mut *connection)
        .await
        .storage()?;
    if highest == known.highest {
        return Ok(known.all);
    }
    let all = if known.highest == 0 || highest < known.highest {
        sqlx::query_scalar("SELECT COUNT(*) FROM wallets")
            .fetch_one(connection)
            .await
            .storage()?
    } else {
        let since: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM wallets WHERE wallet_id > ?1")
            .bind(known.highest)
            .fetch_one(connection)
            .await
            .storage()?;
        known.all + since
    };
    tally.keep(Counted {
        highest,
        all,
        evm: None,
    });
    Ok(all)
}
