//! What a query asks of each wallet, and how many that are.

use keyward_core::account::Chain;
use keyward_core::path::PathFamily;
use sqlx::{AssertSqlSafe, PgConnection, Row};

use super::{Asked, Counts, FEW, Rows};
use crate::store::columns::pattern;
use crate::store::postgres::connect::Engine;
use crate::store::postgres::errors::{Fault, ResultExt};
use crate::store::tally::{Counted, Tally};
use crate::wallets::{StatusFilter, WalletQuery, WalletStatus};

/// What a query asks of each wallet. Every piece of text is one of those here: nothing of them comes from outside.
pub(super) struct Filter<'q> {
    query: &'q WalletQuery,
    text: String,
    /// What `#7` asks for.
    index: Option<i64>,
    engine: Engine,
}

impl<'q> Filter<'q> {
    pub(super) fn of(query: &'q WalletQuery, engine: Engine) -> Self {
        let index = query
            .text
            .strip_prefix('#')
            .and_then(|text| text.parse::<u32>().ok());
        Self {
            query,
            text: pattern(&query.text),
            index: index.map(i64::from),
            engine,
        }
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

    /// Whether nothing but the status and the chain is asked for.
    fn is_broad(&self) -> bool {
        let query = self.query;
        query.text.is_empty() && query.tag.is_none() && query.owner.is_none() && query.role.is_none()
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

    fn status(&self) -> String {
        match self.query.status {
            StatusFilter::All => String::new(),
            StatusFilter::InUse => " AND w.status IN ('active', 'rotated')".to_owned(),
            StatusFilter::Only(status) => format!(" AND w.status = '{status}'"),
        }
    }

    /// The conditions. Which of them shows the way is the planner's choice.
    pub(super) fn conditions(&self) -> String {
        let query = self.query;
        let text = match (query.text.is_empty(), self.index) {
            (true, _) => "",
            // Families are those that there are, so that the index of places leads there.
            (false, Some(_)) => &of_an_index(),
            (false, None) => match self.engine {
                // Capitals of ASCII alone count for nothing, which is four times as quick to see as those of a language.
                Engine::Postgres => {
                    " AND (w.address COLLATE \"C\" ILIKE $1 OR w.label COLLATE \"C\" ILIKE $1 OR (w.tags <> ARRAY[]::TEXT[] \
                     AND ARRAY_TO_STRING(w.tags, CHR(10)) COLLATE \"C\" ILIKE $1))"
                }
                Engine::Compatible => {
                    " AND (w.address ILIKE $1 OR w.label ILIKE $1 OR (w.tags <> ARRAY[]::TEXT[] \
                     AND ARRAY_TO_STRING(w.tags, CHR(10)) ILIKE $1))"
                }
            },
        };
        let tag = match query.tag {
            Some(_) => " AND w.tags @> ARRAY[$3]",
            None => "",
        };
        let owner = match query.owner {
            Some(_) => " AND w.owner_id = (SELECT owner_id FROM owners WHERE name = $4)",
            None => "",
        };
        let role = match query.role.as_deref() {
            None => "",
            Some("") => " AND w.role = ''",
            Some(_) => " AND w.role <> '' AND w.role = $5",
        };
        let chain = match query.chain {
            None => "",
            Some(Chain::Solana) => " AND w.chain = 'solana'",
            Some(Chain::Evm) => " AND w.chain = 'evm'",
        };
        format!("{}{text}{tag}{owner}{role}{chain}", self.status())
    }

    /// Each with its type, since a condition that is not asked leaves its value unused.
    pub(super) fn bind<'b>(&'b self, asked: Asked<'b>) -> Asked<'b> {
        asked
            .bind(&self.text)
            .bind(self.index)
            .bind(&self.query.tag)
            .bind(&self.query.owner)
            .bind(&self.query.role)
    }

    /// The ids of what is found, if they are few, and how many there are.
    pub(super) async fn found(
        &self,
        connection: &mut PgConnection,
        counts: &Counts,
    ) -> Result<(Option<Vec<i64>>, i64), Fault> {
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
        let total = match self.is_broad() {
            true => self.count_broad(connection, &counts.tally).await?,
            false => self.count(connection).await?,
        };
        Ok((None, total))
    }

    /// The ids of the wallets with the piece of text; none where the directory cannot tell.
    async fn with_text(
        &self,
        connection: &mut PgConnection,
        counts: &Counts,
    ) -> Result<Option<Vec<i64>>, Fault> {
        let highest: i64 = sqlx::query_scalar("SELECT COALESCE(MAX(wallet_id), 0) FROM wallets")
            .fetch_one(&mut *connection)
            .await
            .storage()?;
        let directory = &counts.directory;
        let Some(mut found) = directory
            .find(&mut Rows(connection), &self.query.text, highest)
            .await?
        else {
            return Ok(None);
        };
        let like = match self.engine {
            Engine::Postgres => "COLLATE \"C\" ILIKE $1",
            Engine::Compatible => "ILIKE $1",
        };
        // Each part by the index of those that have one at all.
        let sql = format!(
            "SELECT wallet_id FROM wallets WHERE label <> '' AND label {like} UNION ALL \
             SELECT wallet_id FROM wallets WHERE tags <> ARRAY[]::TEXT[] AND ARRAY_TO_STRING(tags, CHR(10)) {like}"
        );
        let named: Vec<i64> = sqlx::query_scalar(AssertSqlSafe(sql))
            .bind(&self.text)
            .fetch_all(&mut *connection)
            .await
            .storage()?;
        found.extend(named);
        found.sort_unstable();
        found.dedup();
        if self.query.status == StatusFilter::InUse && !found.is_empty() {
            let unused: Vec<i64> = sqlx::query_scalar(
                "SELECT wallet_id FROM wallets WHERE status <> 'active' AND status IN ('retired', 'deleted', 'purged') \
                 ORDER BY wallet_id",
            )
            .fetch_all(connection)
            .await
            .storage()?;
            found.retain(|id| unused.binary_search(id).is_err());
        }
        Ok(Some(found))
    }

    /// How many are of the status and the chain: of all those there are, without the few that are left out.
    async fn count_broad(&self, connection: &mut PgConnection, tally: &Tally) -> Result<i64, Fault> {
        let left_out = match self.query.status {
            StatusFilter::All => None,
            StatusFilter::InUse => Some("status IN ('retired', 'deleted', 'purged')"),
            StatusFilter::Only(WalletStatus::Active) => Some("TRUE"),
            StatusFilter::Only(_) => return self.count(connection).await,
        };
        let counted = counted(connection, tally, self.query.chain.is_some()).await?;
        let (all, chain) = match self.query.chain {
            None => (counted.all, ""),
            Some(Chain::Evm) => (counted.evm.unwrap_or(0), " AND chain = 'evm'"),
            Some(Chain::Solana) => (counted.all - counted.evm.unwrap_or(0), " AND chain = 'solana'"),
        };
        let Some(left_out) = left_out else {
            return Ok(all);
        };
        // They have an index.
        let sql = format!("SELECT COUNT(*) FROM wallets WHERE status <> 'active' AND {left_out}{chain}");
        let out: i64 = sqlx::query_scalar(AssertSqlSafe(sql))
            .fetch_one(connection)
            .await
            .storage()?;
        Ok(all - out)
    }

    /// The ids of the wallets that it finds, one more than few at most.
    async fn ids(&self, connection: &mut PgConnection) -> Result<Vec<i64>, Fault> {
        let sql = format!(
            "SELECT w.wallet_id FROM wallets w WHERE TRUE{} LIMIT {}",
            self.conditions(),
            FEW + 1
        );
        let rows = self
            .bind(sqlx::query(AssertSqlSafe(sql)))
            .fetch_all(connection)
            .await
            .storage()?;
        rows.iter().map(|row| row.try_get(0).storage()).collect()
    }

    async fn count(&self, connection: &mut PgConnection) -> Result<i64, Fault> {
        let sql = format!("SELECT COUNT(*) FROM wallets w WHERE TRUE{}", self.conditions());
        let row = self
            .bind(sqlx::query(AssertSqlSafe(sql)))
            .fetch_one(connection)
            .await
            .storage()?;
        row.try_get(0).storage()
    }
}

fn of_an_index() -> String {
    let families: Vec<String> = PathFamily::ALL
        .iter()
        .map(|family| format!("'{}'", family.id()))
        .collect();
    format!(
        " AND w.derivation_index = $2 AND w.path_family IN ({}) \
         AND w.master_id = ANY(ARRAY(SELECT master_id FROM master_wallets))",
        families.join(", ")
    )
}

/// How many wallets there are in this snapshot.
pub(super) async fn counted(
    connection: &mut PgConnection,
    tally: &Tally,
    by_chain: bool,
) -> Result<Counted, Fault> {
    let highest: i64 = sqlx::query_scalar("SELECT COALESCE(MAX(wallet_id), 0) FROM wallets")
        .fetch_one(&mut *connection)
        .await
        .storage()?;
    // A snapshot older than what was counted last is counted whole.
    let known = Some(tally.known())
        .filter(|known| known.highest <= highest)
        .unwrap_or_default();
    let all = match highest > known.highest {
        true => count_after(connection, "", known.highest).await? + known.all,
        false => known.all,
    };
    let evm = match (by_chain, known.evm) {
        (_, Some(evm)) if known.highest == highest => Some(evm),
        (false, None) => None,
        (_, evm) => {
            let after = evm.map_or(0, |_| known.highest);
            // By the index that searches go along, which begins with these two.
            let of_chain =
                " AND chain = 'evm' AND status IN ('active', 'rotated', 'retired', 'deleted', 'purged')";
            Some(count_after(connection, of_chain, after).await? + evm.unwrap_or(0))
        }
    };
    let counted = Counted { highest, all, evm };
    tally.keep(counted);
    Ok(counted)
}

async fn count_after(
    connection: &mut PgConnection,
    condition: &'static str,
    after: i64,
) -> Result<i64, Fault> {
    let sql = format!("SELECT COUNT(*) FROM wallets WHERE wallet_id > $1{condition}");
    sqlx::query_scalar(AssertSqlSafe(sql))
        .bind(after)
        .fetch_one(connection)
        .await
        .storage()
}
