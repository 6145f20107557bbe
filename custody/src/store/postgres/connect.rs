//! Connecting: what the address may say, when the connection must be encrypted, and what every session is set to.
//!
//! The address is parsed by the driver; here it is only held to a few rules. No part of it goes into an error, but the
//! name of an option that is not known.

use std::net::IpAddr;
use std::str::FromStr as _;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions, PgSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, PgConnection};

use super::errors::{Fault, ResultExt};
use crate::error::CustodyError;

/// The oldest server, as its `server_version_num` says it: older ones get no mends any more.
const OLDEST_VERSION: u32 = 130_000;

/// A statement that takes longer than this hangs.
const STATEMENT_TIMEOUT_MS: u64 = 120_000;

/// A transaction in which nothing happens for so long belongs to a process that hangs; its locks are needed.
const IDLE_TRANSACTION_TIMEOUT_MS: u64 = 60_000;

/// A connection that is not used for so long is closed.
const IDLE_CONNECTION: Duration = Duration::from_secs(300);

/// Options that the address may carry. Others are refused, since the driver would write their values to its log.
const KNOWN_OPTIONS: [&str; 14] = [
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "host",
    "port",
    "dbname",
    "user",
    "application_name",
];

/// What a session may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    Write,
    Read,
}

/// The options of a connection to this address.
///
/// # Errors
/// [`CustodyError::Invalid`], without any of the address in it.
pub(super) fn options(url: &str) -> Result<PgConnectOptions, CustodyError> {
    let invalid = |reason: String| CustodyError::invalid("database address", reason);
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let names: Vec<&str> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split('=').next().unwrap_or(pair))
        .collect();
    if let Some(unknown) = names.iter().find(|name| !KNOWN_OPTIONS.contains(name)) {
        let shown: String = unknown
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || *c == '_' || *c == '-')
            .take(20)
            .collect();
        return Err(invalid(format!("the option {shown:?} is not known")));
    }
    let options = PgConnectOptions::from_str(url).map_err(|_| {
        invalid("it does not read as postgres://user@host:port/database?sslmode=verify-full".to_owned())
    })?;
    let chosen = names.iter().any(|name| matches!(*name, "sslmode" | "ssl-mode"))
        || std::env::var_os("PGSSLMODE").is_some_and(|mode| !mode.is_empty());
    let options = match (is_local(&options), chosen) {
        // What somebody chose by name is theirs to answer for; only that it is weak is said.
        (false, true) => {
            if !matches!(options.get_ssl_mode(), PgSslMode::VerifyFull) {
                tracing::warn!("the chosen sslmode does not verify the database server");
            }
            options
        }
        (false, false) => options.ssl_mode(PgSslMode::VerifyFull),
        (true, _) => options,
    };
    Ok(options.disable_statement_logging())
}

/// Whether nothing leaves this machine.
fn is_local(options: &PgConnectOptions) -> bool {
    let host = options.get_host();
    options.get_socket().is_some()
        || host.starts_with('/')
        || host.eq_ignore_ascii_case("localhost")
        || host
            .trim_matches(['[', ']'])
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// One connection that may write, for what is done while opening.
pub(super) async fn once(options: &PgConnectOptions, wait: Duration) -> Result<PgConnection, Fault> {
    let connecting = PgConnection::connect_with(options);
    let mut connection = tokio::time::timeout(patience(wait), connecting)
        .await
        .unwrap_or(Err(sqlx::Error::PoolTimedOut))
        .storage()?;
    connection
        .execute(AssertSqlSafe(settings(Access::Write, wait)))
        .await
        .storage()?;
    Ok(connection)
}

/// How long a connection may take.
fn patience(wait: Duration) -> Duration {
    wait.max(Duration::from_secs(5))
}

/// A pool of at most so many connections; none is made yet.
pub(super) fn pool(options: &PgConnectOptions, access: Access, connections: u32, wait: Duration) -> PgPool {
    let settings = settings(access, wait);
    PgPoolOptions::new()
        .max_connections(connections)
        .min_connections(0)
        .acquire_timeout(patience(wait))
        .idle_timeout(IDLE_CONNECTION)
        .test_before_acquire(true)
        .after_connect(move |connection, _| {
            let settings = settings.clone();
            Box::pin(async move {
                connection.execute(AssertSqlSafe(settings)).await?;
                Ok(())
            })
        })
        .connect_lazy_with(options.clone())
}

/// Set in each session, by statements: poolers between us and the server refuse start-up options. A database or a user
/// for which commits were made to wait for nothing waits here all the same.
fn settings(access: Access, wait: Duration) -> String {
    let lock_ms = wait.as_millis().max(1);
    let read_only = match access {
        Access::Read => "SET default_transaction_read_only TO on; ",
        Access::Write => "",
    };
    format!(
        "SET lock_timeout TO {lock_ms}; SET statement_timeout TO {STATEMENT_TIMEOUT_MS}; \
         SET idle_in_transaction_session_timeout TO {IDLE_TRANSACTION_TIMEOUT_MS}; {read_only}\
         SELECT set_config('synchronous_commit', 'on', FALSE) \
         WHERE current_setting('synchronous_commit', TRUE) = 'off'"
    )
}

/// Which engine answers, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Engine {
    /// PostgreSQL itself, or an extension of it.
    Postgres,
    /// Another engine that speaks its protocol: nothing is asked of it but plain SQL.
    Compatible,
}

/// Checks the server: its age, its encoding, and whether it writes to its disk at all.
pub(super) async fn examine(connection: &mut PgConnection) -> Result<Engine, Fault> {
    let version: String = sqlx::query_scalar("SHOW server_version_num")
        .fetch_one(&mut *connection)
        .await
        .storage()?;
    let number: u32 = version.trim().parse().unwrap_or(0);
    if number < OLDEST_VERSION {
        return Err(CustodyError::invalid(
            "database server",
            format!(
                "PostgreSQL 13 or later is needed, and this one is {}",
                number / 10_000
            ),
        )
        .into());
    }
    let encoding: String = sqlx::query_scalar("SHOW server_encoding")
        .fetch_one(&mut *connection)
        .await
        .storage()?;
    if !encoding.eq_ignore_ascii_case("UTF8") {
        return Err(CustodyError::invalid(
            "database",
            "its encoding is not UTF8; make one with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0",
        )
        .into());
    }
    let engine: String = sqlx::query_scalar("SELECT version()")
        .fetch_one(&mut *connection)
        .await
        .storage()?;
    let engine = if engine.starts_with("PostgreSQL") && !engine.contains("-YB-") {
        Engine::Postgres
    } else {
        Engine::Compatible
    };
    if engine == Engine::Postgres {
        let fsync: String = sqlx::query_scalar("SHOW fsync")
            .fetch_one(&mut *connection)
            .await
            .storage()?;
        if fsync == "off" {
            tracing::warn!("the database server runs with fsync off: it may lose what it has committed");
        }
    }
    Ok(engine)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_remote_server_is_verified_unless_somebody_chose_otherwise() {
        let check = |url: &str, mode: &str| {
            let found = format!("{:?}", options(url).unwrap().get_ssl_mode());
            assert_eq!(found, mode, "{url}");
        };
        check("postgres://u:p@db.example/v", "VerifyFull");
        check("postgresql://u:p@10.1.2.3:5433/v", "VerifyFull");
        check("postgres://u:p@db.example/v?application_name=x", "VerifyFull");
        check("postgres://u:p@db.example/v?sslmode=require", "Require");
        check("postgres://u:p@db.example/v?sslmode=verify-ca", "VerifyCa");
        check("postgres://u:p@localhost.example/v", "VerifyFull");
        check("postgres://u@127.0.0.1.example/v", "VerifyFull");
        check("postgres://u:p@localhost/v?host=db.example", "VerifyFull");
        for local in [
            "postgres://u:p@localhost/v",
            "postgres://u:p@127.0.0.1:5433/v",
            "postgres://u:p@[::1]/v",
            "postgres://u@%2Fvar%2Frun%2Fpostgresql/v",
            "postgres:///v?host=/var/run/postgresql",
        ] {
            check(local, "Prefer");
        }
    }

    #[test]
    fn an_address_is_refused_without_repeating_it() {
        for url in [
            "postgres://u:hunter2@h:port/v",
            "postgres://u:hunter2@h/v?sslmode=hunter2",
            "postgres://u:hunter2@h/v?passwd=hunter2",
            "postgres://u:hunter2@h/v?password=hunter2",
            "postgres://u:hunter2@h/v?options=-chunter2",
            "postgres://u:hunter2@[::1/v",
        ] {
            let error = options(url).unwrap_err();
            assert!(matches!(error, CustodyError::Invalid { .. }), "{error:?}");
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{url}");
        }
    }
}
