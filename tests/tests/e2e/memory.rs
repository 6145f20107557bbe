//! What root finds in the memory of a process that holds a vault: while it is unlocked nothing but the vault key, and after
//! it was locked nothing at all. Raw, in halves, as words of a hash, in hex, base58, base64, as numbers, as text.
//!
//! The search itself is tried first on a canary in plain memory, and with the vault key in memory that root can read.

#![expect(
    clippy::print_stderr,
    reason = "it says what it read, and when it could not run"
)]

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context as _, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use keyward_core::derive::SolanaDeriver;
use keyward_core::ed25519;
use keyward_core::evm::EvmDeriver;
use keyward_core::mnemonic::Mnemonic;
use keyward_core::path::{ChildIndex, PathFamily};
use keyward_core::slip10::ExtendedKey;
use keyward_core::vault::{RecoveryKey, SecondFactor, VaultHeader};
use keyward_tests::memory::{Findings, Needles, may_read_others, search};
use keyward_tests::pty::{DEFAULT_BOUND, Key, Pty, PtyCommand};
use keyward_tests::sandbox::Sandbox;
use sha2::{Digest as _, Sha512};
use sqlx::Connection as _;

/// Words that no screen uses for anything else.
const PHRASE: &str =
    "zebra quantum velvet walnut oxygen jaguar kangaroo umbrella dinosaur ginger lobster hamster";
const PASSPHRASE: &str = "obsidian-canary-5127";
const PASSWORD: &str = "tundra-violet-magnet-5082";
const WRONG: &str = "meadow-falcon-tonic-9914";
/// A further phrase, BIP-39's vector for 7f7f…7f.
const SECOND: &str = "legal winner thank year wave sausage worth useful legal winner thank yellow";
const OWN: &str = "saddle-cobalt-thicket-6631";
/// A vault file's own.
const FILE: &str = "gravel-lantern-orchid-2047";

/// The vaults that are made of files.
const RESTORED: [&str; 2] = ["restored.db", "apart.db"];

/// Says that a test could not run. The chores' table says so too.
fn cannot_run() -> bool {
    if may_read_others() {
        return false;
    }
    eprintln!("NOT CHECKED: reading another process's memory takes root");
    true
}

/// Everything that no process may keep.
fn secrets() -> anyhow::Result<Needles> {
    let mut needles = Needles::default();
    needles.words("the phrase", PHRASE);
    needles.text("the passphrase", PASSPHRASE);
    needles.text("the password", PASSWORD);
    needles.text("a wrong password", WRONG);
    needles.secret("the second factor", &factor_bytes());
    let mnemonic = Mnemonic::parse(PHRASE)?;
    needles.secret("the entropy", mnemonic.expose_entropy());
    let seed = mnemonic.to_seed(PASSPHRASE);
    needles.secret("the seed", seed.expose_bytes());
    let mut node = ExtendedKey::from_seed(&seed);
    for (name, index) in [("m", None), ("m/44'", Some(44)), ("m/44'/501'", Some(501))] {
        if let Some(index) = index {
            node = node.child(ChildIndex::new(index)?);
        }
        needles.secret(&format!("the key at {name}"), node.expose_secret());
        needles.secret(&format!("the chain code at {name}"), node.expose_chain_code());
    }
    for key in SolanaDeriver::new(&seed, PathFamily::Bip44Change)?.derive_chunk(0, 3)? {
        solana_key(&mut needles, &key.path.to_string(), &key.secret);
    }
    imported_secrets(&mut needles)?;
    Ok(needles)
}

fn solana_key(needles: &mut Needles, name: &str, key: &ed25519::SecretKey) {
    let seed = key.expose_seed();
    needles.secret(&format!("the key of {name}"), seed);
    let mut pair = seed.to_vec();
    pair.extend_from_slice(key.address().as_bytes());
    needles.whole(&format!("the pair of {name}"), &pair);
    // RFC 8032, section 5.1.5: the scalar, clamped and not, and the prefix of the nonces.
    let mut expanded: [u8; 64] = Sha512::digest(seed).into();
    needles.secret(&format!("the hash of the key of {name}"), &expanded);
    expanded[0] &= 0b1111_1000;
    expanded[31] &= 0b0111_1111;
    expanded[31] |= 0b0100_0000;
    needles.secret(&format!("the scalar of {name}"), &expanded[..32]);
}

/// Bytes of no pattern that a program might have.
fn imported(seed: u8) -> [u8; 32] {
    std::array::from_fn(|i| (i as u8).wrapping_mul(83) ^ seed)
}

fn factor_bytes() -> [u8; 32] {
    imported(0x6e).map(u8::reverse_bits)
}

fn factor() -> anyhow::Result<SecondFactor> {
    Ok(SecondFactor::parse(&hex::encode(factor_bytes()))?)
}

/// What comes into the vault after it was made.
fn imported_secrets(needles: &mut Needles) -> anyhow::Result<()> {
    needles.words("the second phrase", SECOND);
    needles.text("a wallet's own password", OWN);
    needles.text("a vault file's password", FILE);
    let seed = Mnemonic::parse(SECOND)?.to_seed("");
    needles.secret("the second seed", seed.expose_bytes());
    for number in 0..2 {
        let index = ChildIndex::new(number)?;
        let key = SolanaDeriver::new(&seed, PathFamily::Bip44)?.derive(index)?;
        solana_key(needles, &format!("the second phrase, {}", key.path), &key.secret);
        let key = EvmDeriver::new(&seed, PathFamily::EvmBip44)?.derive(index)?;
        needles.secret(&format!("the EVM key {number}"), key.secret.expose_bytes());
    }
    solana_key(
        needles,
        "the imported wallet",
        &ed25519::SecretKey::from_seed(&imported(0xc3)),
    );
    needles.secret("the imported EVM key", &imported(0x3c));
    Ok(())
}

/// The recovery key, as its file has it, and the vault's key since it was rotated.
async fn add_later_secrets(needles: &mut Needles, sandbox: &Sandbox) -> anyhow::Result<()> {
    let header = VaultHeader::from_bytes(&header_bytes(&sandbox.vault()).await?)?;
    let key = header.open(PASSWORD.as_bytes(), Some(&factor()?))?;
    needles.secret("the vault key, rotated", key.expose_bytes());
    needles.secret("the audit log's key, rotated", &*key.derive_subkey("audit-log"));
    needles.secret("the policy's key, rotated", &*key.derive_subkey("policy"));
    let text = std::fs::read_to_string(sandbox.path("recovery"))?;
    if !text.is_empty() {
        let recovery = RecoveryKey::parse(&text)?;
        needles.secret("the recovery key", recovery.expose_bytes());
        let joined = text.replace('-', "");
        for form in [
            text.clone(),
            text.to_lowercase(),
            text.replace('-', " "),
            joined.clone(),
        ] {
            needles.text("the recovery key, as text", &form);
        }
        needles.text("the recovery key, in part", text.get(..14).context("too short")?);
        needles.text(
            "the recovery key, in part",
            joined.get(..16).context("too short")?,
        );
    }
    Ok(())
}

async fn header_bytes(vault: &Path) -> anyhow::Result<Vec<u8>> {
    let url = format!("sqlite://{}", vault.display());
    let mut connection = sqlx::SqliteConnection::connect(&url).await?;
    let bytes = sqlx::query_scalar("SELECT header FROM vaults")
        .fetch_one(&mut connection)
        .await?;
    connection.close().await?;
    Ok(bytes)
}

/// The vault key, the stretched password and the keys below the vault key, as the vault in this file has them.
async fn add_vault_secrets(needles: &mut Needles, vault: &Path, password: &str) -> anyhow::Result<()> {
    let bytes = header_bytes(vault).await?;
    let header = VaultHeader::from_bytes(&bytes)?;
    let factor = header.needs_second_factor().then(factor).transpose()?;
    let key = header.open(password.as_bytes(), factor.as_ref())?;
    needles.secret("the vault key", key.expose_bytes());
    needles.secret("the audit log's key", &*key.derive_subkey("audit-log"));
    needles.secret("the policy's key", &*key.derive_subkey("policy"));
    let kdf = header
        .slots()
        .iter()
        .find_map(|slot| slot.kdf)
        .context("no password slot")?;
    // A slot: kind, flags, scrypt, log N, r = 8, p = 1, salt.
    let parameters = [1, kdf.log_n(), 0, 0, 0, 8, 0, 0, 0, 1];
    let at = bytes
        .windows(parameters.len())
        .position(|window| window == parameters)
        .context("no slot in the header")?;
    let salt = bytes
        .get(at + parameters.len()..)
        .and_then(|rest| rest.get(..32))
        .context("the slot has no salt")?;
    let mut stretched = [0; 32];
    let params = scrypt::Params::new(kdf.log_n(), kdf.r(), kdf.p())?;
    scrypt::scrypt(password.as_bytes(), salt, &params, &mut stretched)?;
    needles.secret("the stretched password", &stretched);
    Ok(())
}

/// A running holder, between two steps.
struct Holder {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    at: String,
}

impl Holder {
    fn start(sandbox: &Sandbox, protection: &str, canary: &[u8]) -> anyhow::Result<Self> {
        let files: [PathBuf; 14] = [
            sandbox.path(RESTORED[0]),
            sandbox.path(RESTORED[1]),
            sandbox.write("phrase", PHRASE)?,
            sandbox.write("passphrase", PASSPHRASE)?,
            sandbox.write("password", PASSWORD)?,
            sandbox.write("factor", STANDARD.encode(factor_bytes()))?,
            sandbox.write("wrong", WRONG)?,
            sandbox.write("second", SECOND)?,
            sandbox.write("own", OWN)?,
            sandbox.write("file", FILE)?,
            sandbox.write("solana-key", hex::encode(imported(0xc3)))?,
            sandbox.write("evm-key", hex::encode(imported(0x3c)))?,
            sandbox.write("recovery", "")?,
            sandbox.write("canary", hex::encode(canary))?,
        ];
        let mut child = Command::new(env!("CARGO_BIN_EXE_holder"))
            .arg(protection)
            .arg(sandbox.vault())
            .args(files)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let stdin = child.stdin.take().context("no standard input")?;
        let stdout = BufReader::new(child.stdout.take().context("no standard output")?);
        let mut holder = Self {
            child,
            stdin,
            stdout,
            at: String::new(),
        };
        holder.read_step()?;
        Ok(holder)
    }

    fn go_on(&mut self) -> anyhow::Result<()> {
        writeln!(self.stdin)?;
        self.read_step()
    }

    fn read_step(&mut self) -> anyhow::Result<()> {
        let mut line = String::new();
        self.stdout.read_line(&mut line)?;
        let step = line
            .trim_end()
            .strip_prefix("at ")
            .context("the holder has ended")?;
        self.at = step.to_owned();
        Ok(())
    }

    fn search(&self, needles: &Needles) -> anyhow::Result<Findings> {
        let findings = search(self.child.id(), needles)?;
        eprintln!(
            "{}: {} needles, {} MiB read, {} found, unreadable: {:?}",
            self.at,
            needles.count(),
            findings.read_bytes >> 20,
            findings.found.len(),
            findings.unreadable
        );
        Ok(findings)
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Runs the whole story and searches after each step. `allowed` may be found while unlocked.
async fn hold(protection: &str, allowed: &[&str]) -> anyhow::Result<()> {
    let sandbox = Sandbox::new()?;
    let canary: Vec<u8> = (0..32_u8).map(|i| i.wrapping_mul(59) ^ 0xa5).collect();
    let mut needles = secrets()?;
    needles.secret("the canary", &canary);
    let mut holder = Holder::start(&sandbox, protection, &canary)?;
    let mut problems = Vec::new();
    let mut saw_vault_key = false;
    loop {
        if holder.at == "created" {
            add_vault_secrets(&mut needles, &sandbox.vault(), PASSWORD).await?;
        }
        if holder.at == "restored apart" {
            let vault = sandbox.path(RESTORED[1]);
            add_vault_secrets(&mut needles, &vault, FILE).await?;
        }
        if matches!(holder.at.as_str(), "imported" | "recovered") {
            add_later_secrets(&mut needles, &sandbox).await?;
        }
        let findings = holder.search(&needles)?;
        let allowed: &[&str] = match holder.at.as_str() {
            "planted" => {
                ensure!(findings.has("the canary, raw"), "the search finds nothing");
                &["the canary"]
            }
            "created" | "signed" | "imported" | "recovered" | "restored" | "restored apart" => {
                saw_vault_key |= findings.has("the vault key, raw");
                if protection == "secret-memory" {
                    let hidden = findings.unreadable.iter().any(|name| name.contains("secretmem"));
                    ensure!(
                        hidden,
                        "this kernel gives no secret memory: {:?}",
                        findings.unreadable
                    );
                }
                allowed
            }
            _ => &[],
        };
        problems.extend(findings.only(&holder.at, allowed).err());
        if holder.at == "ended" {
            break;
        }
        holder.go_on()?;
    }
    // In memory that root can read the vault key is found: so would it be elsewhere.
    ensure!(
        saw_vault_key != allowed.is_empty(),
        "{protection}: {saw_vault_key}"
    );
    let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
    ensure!(problems.is_empty(), "{}", problems.join("\n"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn in_secret_memory_nothing_is_found_at_any_step() -> anyhow::Result<()> {
    if cannot_run() {
        return Ok(());
    }
    hold("secret-memory", &[]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn in_locked_memory_the_sessions_keys_are_found_until_the_vault_is_locked() -> anyhow::Result<()> {
    if cannot_run() {
        return Ok(());
    }
    hold("locked", &["the vault key", "the audit log's key"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn in_plain_memory_the_sessions_keys_are_found_until_the_vault_is_locked() -> anyhow::Result<()> {
    if cannot_run() {
        return Ok(());
    }
    hold("plain", &["the vault key", "the audit log's key"]).await
}

/// Overwrites what the terminal library keeps of the last input, which is said in the threat model: whatever comes in one
/// piece stays in its buffer until as much has come again. Here it comes in one piece; a person's keys overwrite each other.
/// Reports that nobody asked for are such input, and are ignored.
fn overwrite_input(console: &Pty) -> anyhow::Result<()> {
    console.send_bytes("\x1b[0n".repeat(300).as_bytes())
}

/// As [`overwrite_input`], and waits until the list has read it.
fn overwrite_input_on_the_list(console: &Pty) -> anyhow::Result<()> {
    overwrite_input(console)?;
    console.type_text("?")?;
    console.wait_for_text("Keys of this screen")?;
    console.press(Key::Esc)?;
    console.wait_until_gone("Keys of this screen")?;
    Ok(())
}

/// Imports the phrase in the console, to the list of three wallets.
fn import(console: &Pty) -> anyhow::Result<()> {
    console.wait_for_text("Import a phrase")?;
    console.press_all([Key::Down, Key::Enter])?;
    console.wait_for_text("step 1 of 5")?;
    console.paste(PHRASE)?;
    console.wait_for_text("12 words")?;
    console.press(Key::Enter)?;
    console.wait_for_text("Its first addresses")?;
    console.type_text(PASSPHRASE)?;
    console.press(Key::Enter)?;
    console.wait_for_text("SOL in one transaction")?;
    console.press_all([Key::Enter; 3])?;
    console.wait_for_text("Nobody can reset it")?;
    console.type_text(PASSWORD)?;
    console.wait_for_text("Strong enough")?;
    console.press(Key::Enter)?;
    console.type_text(PASSWORD)?;
    console.press(Key::Enter)?;
    console.wait_for("the number of wallets", DEFAULT_BOUND, |screen| {
        screen.contains("step 5 of 5")
    })?;
    console.press_all([Key::Backspace; 8])?;
    console.type_text("3")?;
    console.press(Key::Enter)?;
    console.wait_for_text("Wallets 3 ")?;
    // A paste is put together in a buffer of its own: only another one overwrites it.
    console.paste(&" ".repeat(1_200))?;
    console.wait_for_text("Enter keep")?;
    console.press(Key::Esc)?;
    console.wait_until_gone("Enter keep")?;
    overwrite_input_on_the_list(console)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_console_keeps_nothing_that_was_typed_or_opened() -> anyhow::Result<()> {
    if cannot_run() {
        return Ok(());
    }
    let sandbox = Sandbox::new()?;
    let console = PtyCommand::keyward(&sandbox)?.spawn()?;
    let process = console.process_id().context("no process")?;
    import(&console)?;
    let mut needles = secrets()?;
    add_vault_secrets(&mut needles, &sandbox.vault(), PASSWORD).await?;
    let mut problems = Vec::new();
    problems.extend(search(process, &needles)?.only("after the import", &[]).err());
    console.press(Key::Ctrl('l'))?;
    console.wait_for_text("The vault is locked")?;
    problems.extend(search(process, &needles)?.only("locked", &[]).err());
    console.type_text(WRONG)?;
    console.press(Key::Enter)?;
    console.wait_for_text("The vault did not open")?;
    overwrite_input(&console)?;
    console.type_text("x")?;
    console.wait_for_text("•")?;
    console.press(Key::Backspace)?;
    console.wait_until_gone("•")?;
    problems.extend(
        search(process, &needles)?
            .only("after a wrong password", &[])
            .err(),
    );
    console.type_text(PASSWORD)?;
    console.press(Key::Enter)?;
    console.wait_for_text("Wallets 3 ")?;
    overwrite_input_on_the_list(&console)?;
    problems.extend(search(process, &needles)?.only("unlocked", &[]).err());
    console.press(Key::Ctrl('l'))?;
    console.wait_for_text("The vault is locked")?;
    problems.extend(search(process, &needles)?.only("locked again", &[]).err());
    let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
    ensure!(problems.is_empty(), "{}", problems.join("\n"));
    Ok(())
}
