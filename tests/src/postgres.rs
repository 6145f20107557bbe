//! A PostgreSQL server that a test can stop, kill and start again: see `custody/tests/postgres/server.rs`, which starts it.

#[path = "../../custody/tests/postgres/server.rs"]
#[allow(dead_code, reason = "each of those who include it uses a part")]
mod server;

use anyhow::anyhow;

/// A server of its own, gone when dropped and when the process ends.
pub struct PostgresServer(server::Server);

/// How a server is taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Every connection is ended, what is under way rolled back, and all is written out.
    Fast,
    /// Every process of it ends at once; it recovers when it is started again.
    Immediate,
    /// Signal 9 to the first of its processes, after which the others end by themselves.
    Kill,
}

impl PostgresServer {
    /// Starts one in a folder of its own, on a free port of loopback. `durable` is whether commits wait for the disk.
    ///
    /// # Errors
    /// When there is no PostgreSQL on this machine, or it does not start.
    pub fn start(durable: bool) -> anyhow::Result<Self> {
        let durability = if durable {
            server::Durability::On
        } else {
            server::Durability::Off
        };
        server::Server::start(durability)
            .map(Self)
            .map_err(|why| anyhow!(why))
    }

    /// The address of its own database, from which others are made.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.0.url
    }

    /// Takes it away; it is gone when this returns.
    ///
    /// # Errors
    /// When it does not go.
    pub fn stop(&mut self, how: Stop) -> anyhow::Result<()> {
        let order = match how {
            Stop::Fast => "INT",
            Stop::Immediate => "QUIT",
            Stop::Kill => "KILL",
        };
        self.0.order(order).map_err(|why| anyhow!(why))
    }

    /// Starts it again from its folder, on its port; it answers when this returns.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start_again(&mut self) -> anyhow::Result<()> {
        self.0.order("up").map_err(|why| anyhow!(why))
    }
}

/// The address of a new database on the server of this process's tests, or on that which `KEYWARD_TEST_DATABASE_URL` names.
#[must_use]
pub fn database() -> String {
    server::database()
}

/// The address of a new database on the server of which this is another.
#[must_use]
pub fn database_on(url: &str) -> String {
    server::database_on(url)
}

/// Removes a database that [`database`] made.
pub fn drop_database(url: &str) {
    server::drop_database(url);
}

/// Runs one statement on a database, from whatever thread.
pub fn administer(url: &str, statement: &str) {
    server::administer(url, statement);
}
