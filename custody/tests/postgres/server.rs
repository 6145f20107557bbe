//! A PostgreSQL server for the tests of this process: a real one, on loopback, in a temporary folder, gone when the
//! process is, however it ends. Or the one that `KEYWARD_TEST_DATABASE_URL` names. None at all is a failure, not a skip.
//!
//! Each test takes a database of its own. The server is started by the first that asks. A guard, a small shell, waits
//! for the end of a pipe that only this process holds: when the process ends, even by a signal, the guard stops the
//! server by its process id and removes the folder.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// Who the server runs as where the tests run as root, which PostgreSQL refuses.
const UNPRIVILEGED: [&str; 2] = ["postgres", "nobody"];

/// The server's superuser, and a password that is no secret: the server is for this process alone.
const USER: &str = "keyward";
const PASSWORD: &str = "for-tests-alone";

/// How often another port is tried: between finding a free one and using it, somebody else may.
const PORT_TRIES: u32 = 5;

/// The address of a new, empty database, without the name of one.
fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| match std::env::var("KEYWARD_TEST_DATABASE_URL") {
        Ok(url) if !url.is_empty() => Server { url, guard: None },
        _ => Server::start(Durability::Off).unwrap_or_else(|why| panic!("{why}")),
    })
}

pub(crate) struct Server {
    /// Of a database to make others from.
    pub(crate) url: String,
    /// Its pipe is what the guard waits for.
    guard: Option<Guard>,
}

/// The shell that holds the server.
struct Guard {
    /// Its standard input is open.
    child: Child,
    said: BufReader<ChildStdout>,
}

/// Whether what is committed reaches the disk.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    #[allow(dead_code, reason = "for figures")]
    On,
    Off,
}

/// The address of a database that nobody else uses: `…/name`, made here.
pub(crate) fn database() -> String {
    database_on(&server().url)
}

/// The same on the server of which this is another database.
pub(crate) fn database_on(url: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!(
        "keyward_test_{}_{}",
        std::process::id(),
        COUNT.fetch_add(1, Ordering::Relaxed)
    );
    administer(
        url,
        &format!("CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0"),
    );
    with_database(url, &name)
}

/// The address of a copy of a database that nobody is connected to.
pub(crate) fn copied(url: &str) -> String {
    let copy = database();
    let (new, old) = (name_of(&copy), name_of(url));
    administer(&server().url, &format!("DROP DATABASE {new}"));
    // Whoever has just closed a connection may be seen for a moment longer.
    administer(
        &server().url,
        &format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{old}'"),
    );
    administer(&server().url, &format!("CREATE DATABASE {new} TEMPLATE {old}"));
    copy
}

/// Removes a database that [`database`] made, whoever is connected to it.
pub(crate) fn drop_database(url: &str) {
    let name = name_of(url);
    assert!(name.starts_with("keyward_test_"), "not one of ours");
    administer(
        &server().url,
        &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
    );
}

/// Runs one statement on the server's own database, from whatever thread: tests make their databases outside of async
/// code, and inside.
pub(crate) fn administer(url: &str, statement: &str) {
    let (url, statement) = (url.to_owned(), statement.to_owned());
    let done = std::thread::spawn(move || -> Result<(), sqlx::Error> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async {
            use sqlx::Connection as _;
            let mut connection = sqlx::PgConnection::connect(&url).await?;
            sqlx::query(sqlx::AssertSqlSafe(statement))
                .execute(&mut connection)
                .await?;
            connection.close().await
        })
    })
    .join();
    match done {
        Ok(Ok(())) => {}
        Ok(Err(error)) => panic!("the test's PostgreSQL server: {error}"),
        Err(_) => panic!("the test's PostgreSQL server: the thread that asks it panicked"),
    }
}

fn name_of(url: &str) -> &str {
    let path = url.split('?').next().unwrap_or(url);
    path.rsplit('/').next().unwrap_or(path)
}

fn with_database(url: &str, name: &str) -> String {
    let (path, query) = url
        .split_once('?')
        .map_or((url, None), |(path, query)| (path, Some(query)));
    let base = path.rsplit_once('/').map_or(path, |(base, _)| base);
    match query {
        Some(query) => format!("{base}/{name}?{query}"),
        None => format!("{base}/{name}"),
    }
}

impl Server {
    pub(crate) fn start(durability: Durability) -> Result<Self, String> {
        let programs = programs().ok_or(
            "PostgreSQL is needed for these tests and was not found: install it (cargo xtask setup does so as root on \
             Debian), or name a server in KEYWARD_TEST_DATABASE_URL",
        )?;
        let account = Account::choose()?;
        let folder = tempfile::Builder::new()
            .prefix("keyward-postgres-")
            .tempdir()
            .map_err(|error| format!("no temporary folder: {error}"))?;
        account.give(folder.path())?;
        let secret = folder.path().join("password");
        std::fs::write(&secret, PASSWORD).map_err(|error| error.to_string())?;
        account.give(&secret)?;
        let data = folder.path().join("data");
        let made = account
            .command(&programs.join("initdb"))
            .arg("--pgdata")
            .arg(&data)
            .args([
                "--username",
                USER,
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
            ])
            .arg("--no-sync")
            .arg("--pwfile")
            .arg(&secret)
            .current_dir(folder.path())
            .output()
            .map_err(|error| format!("initdb did not start: {error}"))?;
        if !made.status.success() {
            return Err(format!(
                "initdb failed: {}",
                String::from_utf8_lossy(&made.stderr)
            ));
        }
        // From here on the guard removes it.
        let folder = folder.keep();
        let mut last = String::new();
        for _ in 0..PORT_TRIES {
            match account.guarded(&programs, &folder, durability) {
                Ok(server) => return Ok(server),
                Err(error) => last = error,
            }
        }
        let _ = std::fs::remove_dir_all(&folder);
        Err(format!("the PostgreSQL server did not start: {last}"))
    }

    #[allow(dead_code, reason = "for tests that take their server away")]
    /// Has the guard obey one of its orders, and waits for what it says to it.
    pub(crate) fn order(&mut self, order: &str) -> Result<(), String> {
        let guard = self.guard.as_mut().ok_or("the server is somebody else's")?;
        let orders = guard.child.stdin.as_mut().ok_or("the guard has no pipe")?;
        writeln!(orders, "{order}").map_err(|error| format!("the guard is gone: {error}"))?;
        let mut answer = String::new();
        guard
            .said
            .read_line(&mut answer)
            .map_err(|error| error.to_string())?;
        let expected = if order == "up" { "up" } else { "down" };
        if answer.trim() == expected {
            return Ok(());
        }
        Err(format!("to {order} the guard said {answer:?}"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(guard) = &mut self.guard {
            drop(guard.child.stdin.take());
            let _ = guard.child.wait();
        }
    }
}

/// Starts the server, says `up` when it answers, and obeys orders until the end of its input: `INT`, `QUIT` and `KILL` are
/// sent to the server, and `down` is said when it is gone; `up` starts it again. Then it stops the server and removes the
/// folder. $1 is its folder, $2 the program's, $3 the port, $4 whether commits reach the disk; the rest is the command line's
/// beginning that runs as somebody else. Signals of the terminal are for the tests; the guard ends by its pipe.
const GUARD: &str = r#"
trap '' INT HUP TERM PIPE
folder=$1 programs=$2 port=$3 fsync=$4
shift 4
cd "$folder" || exit 1
begin() {
    "$@" "$programs/postgres" -D "$folder/data" -p "$port" -k "$folder" \
        -c listen_addresses=127.0.0.1 -c "fsync=$fsync" -c "full_page_writes=$fsync" -c jit=off -c max_connections=300 \
        -c shared_buffers=64MB -c log_min_messages=fatal </dev/null >>"$folder/log" 2>&1 &
    server=$!
}
# $1 says how often a server that ends at once is started again: after a kill, its children are there for a moment.
up() {
    again=$1
    shift
    begin "$@"
    tries=0
    until "$@" "$programs/pg_isready" -q -h 127.0.0.1 -p "$port"; do
        tries=$((tries + 1))
        if ! kill -0 "$server" 2>/dev/null && [ "$again" -gt 0 ]; then
            again=$((again - 1))
            begin "$@"
        elif [ "$tries" -gt 600 ] || ! kill -0 "$server" 2>/dev/null; then
            cat "$folder/log"
            kill -QUIT "$server" 2>/dev/null
            return 1
        fi
        sleep 0.1
    done
    echo up
}
up 0 "$@" || exit 1
while read -r order; do
    case $order in
        INT | QUIT | KILL)
            kill "-$order" "$server"
            wait "$server"
            echo down
            ;;
        up) up 200 "$@" ;;
    esac
done
exec >/dev/null 2>&1
kill -QUIT "$server"
wait "$server"
rm -rf "$folder"
"#;

/// Whom the server runs as.
enum Account {
    Own,
    Other {
        name: &'static str,
        user: u32,
        group: u32,
    },
}

impl Account {
    fn choose() -> Result<Self, String> {
        let is_root =
            std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
        if !is_root {
            return Ok(Self::Own);
        }
        let accounts = std::fs::read_to_string("/etc/passwd").map_err(|error| error.to_string())?;
        UNPRIVILEGED
            .into_iter()
            .find_map(|name| {
                let line = accounts
                    .lines()
                    .find(|line| line.split(':').next() == Some(name))?;
                let mut numbers = line.split(':').skip(2).map(|field| field.parse().ok());
                Some(Self::Other {
                    name,
                    user: numbers.next()??,
                    group: numbers.next()??,
                })
            })
            .ok_or_else(|| format!("none of the accounts {UNPRIVILEGED:?} is there to run PostgreSQL as"))
    }

    fn give(&self, path: &Path) -> Result<(), String> {
        match self {
            Self::Own => Ok(()),
            Self::Other { user, group, .. } => {
                chown(path, Some(*user), Some(*group)).map_err(|error| error.to_string())
            }
        }
    }

    /// What a command line begins with to run as this account.
    fn prefix(&self) -> Vec<String> {
        match self {
            Self::Own => Vec::new(),
            Self::Other { name, .. } => vec![
                "setpriv".to_owned(),
                format!("--reuid={name}"),
                format!("--regid={name}"),
                "--clear-groups".to_owned(),
            ],
        }
    }

    fn command(&self, program: &Path) -> Command {
        let mut words = self.prefix();
        words.push(program.display().to_string());
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).stdin(Stdio::null());
        command
    }

    fn guarded(&self, programs: &Path, folder: &Path, durability: Durability) -> Result<Server, String> {
        let port = TcpListener::bind(("127.0.0.1", 0))
            .and_then(|listener| listener.local_addr())
            .map_err(|error| format!("no free port: {error}"))?
            .port();
        let mut guard = Command::new("sh")
            .args(["-c", GUARD, "guard"])
            .arg(folder)
            .arg(programs)
            .arg(port.to_string())
            .arg(match durability {
                Durability::On => "on",
                Durability::Off => "off",
            })
            .args(match self.prefix() {
                prefix if prefix.is_empty() => vec!["env".to_owned()],
                prefix => prefix,
            })
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("no shell: {error}"))?;
        let mut said = BufReader::new(guard.stdout.take().ok_or("no pipe")?);
        let mut line = String::new();
        said.read_line(&mut line).map_err(|error| error.to_string())?;
        if line.trim() == "up" {
            return Ok(Server {
                url: format!("postgres://{USER}:{PASSWORD}@127.0.0.1:{port}/postgres"),
                guard: Some(Guard { child: guard, said }),
            });
        }
        let _ = said.read_to_string(&mut line);
        let _ = guard.wait();
        Err(line)
    }
}

/// The folder of the newest server on this machine.
fn programs() -> Option<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = Vec::new();
    for base in ["/usr/lib/postgresql", "/usr/local/lib/postgresql"] {
        for entry in std::fs::read_dir(base).into_iter().flatten().flatten() {
            let version = entry.file_name().to_string_lossy().parse().unwrap_or(0);
            found.push((version, entry.path().join("bin")));
        }
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    found.extend(std::env::split_paths(&path).map(|folder| (0, folder)));
    found.sort();
    found
        .into_iter()
        .rev()
        .map(|(_, folder)| folder)
        .find(|folder| folder.join("initdb").is_file() && folder.join("postgres").is_file())
}
