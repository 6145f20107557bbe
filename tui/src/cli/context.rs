//! What every command works with: which vault, which node, which password, and how to answer.
//!
//! Everything is looked up when it is needed: `keyward derive` reads no settings and opens no vault. For each value the
//! command line wins over the environment, and the environment over the settings file.

use std::env;
use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::sync::OnceLock;

use keyward_core::vault::SecondFactor;
use keyward_custody::chain::SolanaNode;
use keyward_custody::relocate::schema_state;
use keyward_custody::{
    Custody, CustodyError, OpenOptions, Password, StoreLocation, VaultStatus, VaultSummary, Wallet,
    WalletPasswords,
};
use zeroize::Zeroizing;

use super::Global;
use crate::config::{self, Config, EndpointPrivacy};
use crate::console::ConsoleArgs;
use crate::durable::sync_folder;
use crate::exit::{Exit, Failure};
use crate::output::{self, Format};
use crate::secret_input::{self, Source};

/// How often a person may mistype a password at the prompt before the command gives up.
const PROMPT_TRIES: u32 = 3;

/// The options and surroundings of one run.
pub(crate) struct Context {
    global: Global,
    format: Format,
    warnings: Vec<String>,
    opened: OnceLock<Custody>,
}

impl Context {
    pub(crate) const fn new(global: Global, format: Format) -> Self {
        Self {
            global,
            format,
            warnings: Vec::new(),
            opened: OnceLock::new(),
        }
    }

    pub(crate) const fn is_json(&self) -> bool {
        matches!(self.format, Format::Json)
    }

    /// Whether a person reads standard error as it is written.
    pub(crate) fn shows_progress(&self) -> bool {
        !self.is_json() && io::stderr().is_terminal()
    }

    pub(crate) fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Tells the person at once, or a script at the end.
    pub(crate) fn warn(&mut self, text: &str) {
        if !self.is_json() {
            output::warn(&format!("warning: {}\n", output::printable(text)));
        }
        self.warnings.push(text.to_owned());
    }

    pub(crate) fn location(&self) -> Result<StoreLocation, Failure> {
        let named = match &self.global.vault {
            Some(text) => Some(text.clone()),
            None => env_text("KEYWARD_VAULT")?.or(env_text("DATABASE_URL")?),
        };
        match named {
            Some(text) => Ok(StoreLocation::parse(&text)?),
            None => Ok(StoreLocation::default_path()?),
        }
    }

    /// The vault that this command names by an option of its own.
    pub(crate) fn name_vault(&mut self, text: String) {
        self.global.vault = Some(text);
    }

    /// Whether anything was ever stored there. Looking makes neither a file nor tables.
    pub(crate) async fn is_there(location: &StoreLocation) -> Result<bool, Failure> {
        match location.file() {
            Some(path) => Ok(!matches!(path.try_exists(), Ok(false))),
            None => Ok(schema_state(location).await?.version > 0),
        }
    }

    pub(crate) fn config_path(&self) -> Result<PathBuf, Failure> {
        Ok(Config::default_path()?)
    }

    /// The settings in force, the command line and the environment applied.
    pub(crate) fn config(&self) -> Result<Config, Failure> {
        let mut config = Config::load(&self.config_path()?)?;
        let rpc = match self.global.rpc.as_slice() {
            [] => env_text("KEYWARD_RPC_URL")?.unwrap_or_default(),
            urls => urls.join(" "),
        };
        if let Some((first, more)) = rpc.trim().split_once(' ').or(Some((rpc.trim(), "")))
            && !first.is_empty()
        {
            config.set(config::Key::RpcUrl, first)?;
            config.set(config::Key::MoreRpcUrls, more)?;
            // The file's WebSocket address belongs to the file's node.
            config.ws_url = None;
        }
        let ws = match &self.global.ws {
            Some(url) => Some(url.clone()),
            None => env_text("KEYWARD_WS_URL")?,
        };
        if let Some(url) = ws {
            config.set(config::Key::WsUrl, &url)?;
        }
        Ok(config)
    }

    pub(crate) fn console_args(&self) -> Result<ConsoleArgs, Failure> {
        Ok(ConsoleArgs {
            location: self.location()?,
            config: self.config()?,
            config_path: self.config_path()?,
            no_color: env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()),
        })
    }

    /// The node that this very command names, if it names one.
    pub(crate) fn named_node(&mut self) -> Result<Option<SolanaNode>, Failure> {
        if self.global.rpc.is_empty() {
            return Ok(None);
        }
        self.node().map(Some)
    }

    /// The node that the person chose. Nothing is contacted yet.
    pub(crate) fn node(&mut self) -> Result<SolanaNode, Failure> {
        let config = self.config()?;
        let Some(node) = config.node() else {
            return Err(Failure::new(
                Exit::Unreachable,
                "no_endpoint",
                "this needs a Solana node, and none is chosen",
                "give --rpc URL, or choose one for good with `keyward config set rpc_url URL`",
            ));
        };
        for url in config.rpc_url.iter().chain(&config.more_rpc_urls) {
            if config::check_rpc_url(url)? == EndpointPrivacy::PlainText {
                self.warn(&plain_text_warning(url));
            }
        }
        Ok(SolanaNode::connect(&node)?)
    }

    /// Opens the store, creating it when it is not there. Only `init` wants that.
    pub(crate) async fn open_or_create(&self) -> Result<Custody, Failure> {
        let actor = env_text("USER").ok().flatten().filter(|name| !name.is_empty());
        let mut options = OpenOptions {
            client: Some(crate::client::identity()),
            ..OpenOptions::default()
        };
        if let Some(name) = actor {
            options.actor = name.chars().filter(|c| !c.is_control()).take(50).collect();
        }
        let custody = Custody::open(&self.location()?, options).await?;
        // A command opens one store, once.
        Ok(self.opened.get_or_init(|| custody).clone())
    }

    /// Closes what was opened, so that the database's journal is written back and one file holds everything.
    pub(crate) async fn close(&self) {
        if let Some(custody) = self.opened.get()
            && let Err(error) = custody.close().await
        {
            // Everything was committed before; the journal is written back by whoever opens it next.
            tracing::warn!(code = error.code(), "the database was not closed");
        }
    }

    /// Opens the store of a vault that exists.
    pub(crate) async fn open(&self) -> Result<(Custody, VaultSummary), Failure> {
        if !Self::is_there(&self.location()?).await? {
            return Err(CustodyError::NotInitialised.into());
        }
        let custody = self.open_or_create().await?;
        match custody.status().await? {
            VaultStatus::Empty => Err(CustodyError::NotInitialised.into()),
            VaultStatus::Locked(summary) | VaultStatus::Unlocked(summary) => Ok((custody, summary)),
        }
    }

    /// Opens the store and unlocks its vault.
    pub(crate) async fn unlocked(&self) -> Result<Custody, Failure> {
        let (custody, summary) = self.open().await?;
        self.unlock(&custody, &summary).await?;
        Ok(custody)
    }

    pub(crate) async fn unlock(&self, custody: &Custody, summary: &VaultSummary) -> Result<(), Failure> {
        let factor = second_factor_for(summary)?;
        if let Some(password) = self.given_password()? {
            return Ok(custody.unlock(&password, factor.as_ref()).await?);
        }
        let mut question = "Password: ";
        for _ in 1..PROMPT_TRIES {
            let password = ask_password(question)?;
            match custody.unlock(&password, factor.as_ref()).await {
                // Said by the next prompt, once the terminal is silent: who reads it may be typing already.
                Err(CustodyError::WrongPassword) => {
                    question = "That did not open the vault. Try again.\nPassword: ";
                }
                other => return Ok(other?),
            }
        }
        let password = ask_password(question)?;
        Ok(custody.unlock(&password, factor.as_ref()).await?)
    }

    /// The password from a file, from standard input or from the environment; `None` when a person has to be asked.
    pub(crate) fn given_password(&self) -> Result<Option<Password>, Failure> {
        if let Some(source) = &self.global.password_file {
            return read_password(source, "password").map(Some);
        }
        Ok(env_secret("KEYWARD_MASTER_PASSWORD")?.map(into_password))
    }

    /// The password of a vault to be made, typed twice where a person is asked.
    pub(crate) fn new_password(&self) -> Result<Password, Failure> {
        match self.given_password()? {
            Some(password) => Ok(password),
            None => ask_new_password("New password: "),
        }
    }
}

/// Warns about traffic that can be read and changed on its way.
pub(crate) fn plain_text_warning(url: &str) -> String {
    let host = config::endpoint_host(url);
    format!("{host} is not encrypted: what the node is asked and answers can be read and changed on the way")
}

/// Reads a password from a file or from the first line of standard input.
pub(crate) fn read_password(source: &Source, what: &str) -> Result<Password, Failure> {
    if source.is_stdin()
        && let Some(typed) = secret_input::prompt("Password: ")?
    {
        return Ok(into_password(typed));
    }
    secret_input::read_line_from(source, what).map(into_password)
}

/// Asks a person for a password.
pub(crate) fn ask_password(question: &str) -> Result<Password, Failure> {
    secret_input::prompt(question)?.map(into_password).ok_or_else(|| {
        Failure::new(
            Exit::Locked,
            "password_missing",
            "the vault's password is needed, and there is no terminal to ask on",
            "give --password-file FILE (or - for standard input), or set KEYWARD_MASTER_PASSWORD",
        )
    })
}

/// The password that a wallet needs besides the vault's; `None` for a wallet without.
pub(crate) fn wallet_password(wallet: &Wallet, source: Option<&Source>) -> Result<Option<Password>, Failure> {
    wallet_password_by(wallet, source, "--wallet-password-file FILE")
}

/// As [`wallet_password`], where another option than usual gives it.
pub(crate) fn wallet_password_by(
    wallet: &Wallet,
    source: Option<&Source>,
    option: &str,
) -> Result<Option<Password>, Failure> {
    if !wallet.own_password {
        return Ok(None);
    }
    if let Some(source) = source {
        return read_password(source, "wallet's password").map(Some);
    }
    let question = format!("Password of wallet {}: ", wallet.address.abbreviated());
    match secret_input::prompt(&question)? {
        Some(typed) => Ok(Some(into_password(typed))),
        None => Err(Failure::new(
            Exit::Locked,
            "wallet_password_needed",
            format!(
                "wallet {} has a password of its own",
                wallet.address.abbreviated()
            ),
            format!("give {option}"),
        )),
    }
}

/// As [`wallet_password`], as the signing service takes it.
pub(crate) fn wallet_passwords(wallet: &Wallet, source: Option<&Source>) -> Result<WalletPasswords, Failure> {
    Ok(match wallet_password(wallet, source)? {
        Some(password) => WalletPasswords::of_one(wallet.address, password),
        None => WalletPasswords::none(),
    })
}

/// Asks a person for a new password, twice, and judges it before the second time.
pub(crate) fn ask_new_password(question: &str) -> Result<Password, Failure> {
    let first = ask_password(question)?;
    first.check_strength().map_err(CustodyError::from)?;
    let second = ask_password("The same again: ")?;
    if first.expose_bytes() == second.expose_bytes() {
        Ok(first)
    } else {
        Err(Failure::invalid(
            "passwords_differ",
            "the two passwords differ",
            "type the same one twice",
        ))
    }
}

/// The second factor, when the vault needs it. That it is missing is said by the vault.
pub(crate) fn second_factor_for(summary: &VaultSummary) -> Result<Option<SecondFactor>, Failure> {
    if summary.needs_second_factor {
        given_second_factor()
    } else {
        Ok(None)
    }
}

/// The second factor from the environment.
pub(crate) fn given_second_factor() -> Result<Option<SecondFactor>, Failure> {
    let Some(text) = env_secret("KEYWARD_ENCRYPTION_KEY")? else {
        return Ok(None);
    };
    SecondFactor::parse(&text).map(Some).map_err(|error| {
        Failure::new(
            Exit::Locked,
            "second_factor_invalid",
            format!("KEYWARD_ENCRYPTION_KEY is not usable: {error}"),
            "set it to 32 bytes in base64 or hex, or unset it",
        )
    })
}

/// Asks a yes-or-no question of a person; anything but `yes` is no. `None` when there is nobody to ask.
pub(crate) fn confirm(question: &str) -> Option<bool> {
    if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
        return None;
    }
    output::warn(question);
    let mut answer = String::new();
    let read = io::stdin().read_line(&mut answer);
    Some(read.is_ok() && answer.trim().eq_ignore_ascii_case("yes"))
}

/// Creates a file that did not exist, mode 0600, and makes its content durable.
pub(crate) fn create_private(path: &std::path::Path, content: &[u8]) -> io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    let written = file.write_all(content).and_then(|()| file.sync_all());
    if written.is_err() {
        // Half a phrase is worse than none. It is our own file: it did not exist a moment ago.
        let _ = std::fs::remove_file(path);
    }
    written.map(|()| sync_folder(path))
}

/// A file that did not exist, mode 0600, made before what goes into it is there. Dropped, it is gone again.
pub(crate) struct NewFile {
    what: &'static str,
    path: PathBuf,
    file: Option<std::fs::File>,
}

impl NewFile {
    /// Makes the empty file.
    pub(crate) fn create(what: &'static str, path: &std::path::Path) -> Result<Self, Failure> {
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options
            .open(path)
            .map_err(|error| create_failure(what, path, &error))?;
        Ok(Self {
            what,
            path: path.to_owned(),
            file: Some(file),
        })
    }

    /// Writes its content and keeps it. A file that is not complete is taken away.
    pub(crate) fn keep(mut self, content: &[u8]) -> Result<(), Failure> {
        let Some(file) = &mut self.file else {
            return Ok(());
        };
        file.write_all(content)
            .and_then(|()| file.sync_all())
            .map_err(|error| create_failure(self.what, &self.path, &error))?;
        self.file = None;
        sync_folder(&self.path);
        Ok(())
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if self.file.take().is_some() {
            // It is our own: it did not exist a moment ago.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Says why a file could not be created.
pub(crate) fn create_failure(what: &str, path: &std::path::Path, error: &io::Error) -> Failure {
    let message = format!("cannot write the {what} to {}: {error}", path.display());
    match error.kind() {
        io::ErrorKind::AlreadyExists => Failure::new(
            Exit::Storage,
            "file_exists",
            message,
            "name a file that does not exist; none is overwritten",
        ),
        _ => Failure::new(
            Exit::Storage,
            "file_unwritable",
            message,
            "check the folder's permissions and free space",
        ),
    }
}

fn into_password(mut text: Zeroizing<String>) -> Password {
    Password::new(std::mem::take(&mut *text))
}

/// A variable of the environment; an empty one is as good as none.
fn env_text(name: &'static str) -> Result<Option<String>, Failure> {
    match env::var_os(name).filter(|value| !value.is_empty()) {
        Some(value) => value.into_string().map(Some).map_err(|_| not_utf8(name)),
        None => Ok(None),
    }
}

/// As [`env_text`], into memory that is wiped.
fn env_secret(name: &'static str) -> Result<Option<Zeroizing<String>>, Failure> {
    let Some(value) = env::var_os(name).filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let mut bytes = Zeroizing::new(OsString::into_encoded_bytes(value));
    match String::from_utf8(std::mem::take(&mut *bytes)) {
        Ok(text) => Ok(Some(Zeroizing::new(text))),
        Err(error) => {
            drop(Zeroizing::new(error.into_bytes()));
            Err(not_utf8(name))
        }
    }
}

fn not_utf8(name: &str) -> Failure {
    Failure::invalid(
        "not_utf8",
        format!("{name} is not UTF-8 text"),
        format!("set {name} anew, or unset it"),
    )
}
