//! An open vault, without JavaScript: what the classes do once the bytes are on this side.

use std::rc::Rc;

use keyward_core::account::{AccountAddress, AccountAddressError, Chain};
use keyward_core::address::Address;
use keyward_core::derive::{SolanaDeriver, derive_path};
use keyward_core::evm::{self, EvmDeriver};
use keyward_core::key::WalletKey;
use keyward_core::keyfile::{self, ImportOptions, Imported};
use keyward_core::mnemonic::{Mnemonic, Seed};
use keyward_core::path::{ChildIndex, DerivationPath, PathFamily};
use keyward_core::secp256k1::PublicKey;
use keyward_core::vault::{
    CreateVault, FileContents, FileMaster, FileWallet, KdfParams, MasterSecret, NewPassword, RecordContext,
    RecordId, RecordKind, RecordPublicKey, RecoveryKey, SecondFactor, VaultFile, VaultHeader, VaultId,
    WalletPassword, open_record, open_solana_wallet, open_wallet_key, seal_record, wallet_password_kdf,
};

use crate::authority::Authority;
use crate::bytes::text;
use crate::failure::{Failure, needs};
use crate::random;
use crate::signing::{Recall, Signing};

/// The fewest characters that a new password may have, as in the console.
const MIN_PASSWORD_CHARS: usize = 12;

/// What a new vault is made of.
pub(crate) struct NewVault<'a> {
    pub(crate) password: &'a [u8],
    pub(crate) second_factor: Option<&'a SecondFactor>,
    pub(crate) kdf: KdfParams,
    /// A phrase and its passphrase.
    pub(crate) phrase: Option<(&'a [u8], &'a [u8])>,
    pub(crate) now_ms: u64,
}

/// A wallet of the vault or a place of its phrase.
pub(crate) struct Account {
    pub(crate) address: AccountAddress,
    pub(crate) path: Option<String>,
    pub(crate) label: String,
}

/// An open vault.
pub(crate) struct Session {
    open: Option<Open>,
    signers: Vec<Recall>,
}

struct Open {
    file: VaultFile,
    authority: Rc<Authority>,
}

impl Session {
    /// Makes a vault. With a phrase, its first Solana and its first EVM wallet are in it.
    pub(crate) fn create(new: &NewVault<'_>) -> Result<Self, Failure> {
        check_new_password(new.password)?;
        let (header, key) = VaultHeader::create(CreateVault {
            vault: VaultId::from_bytes(random::array()?),
            kdf: new.kdf,
            password: new.password,
            second_factor: new.second_factor,
            key: random::array()?,
            slot_salt: random::array()?,
            wrap_salt: random::array()?,
        })?;
        let contents = FileContents {
            created_at_ms: new.now_ms,
            ..FileContents::default()
        };
        let mut session = Self::from_file(VaultFile {
            header,
            key,
            contents,
        });
        if let Some((phrase, passphrase)) = new.phrase {
            needs!("phrases");
            let mnemonic = Mnemonic::parse(text(phrase)?)?;
            session.add_phrase(&mnemonic, text(passphrase)?, "", new.now_ms)?;
        }
        Ok(session)
    }

    /// Opens a vault file with its password.
    pub(crate) fn open(
        bytes: &[u8],
        password: &[u8],
        second_factor: Option<&SecondFactor>,
    ) -> Result<Self, Failure> {
        // Says more about damage than opening does.
        VaultFile::inspect(bytes)?;
        Ok(Self::from_file(VaultFile::open(bytes, password, second_factor)?))
    }

    /// Opens a vault file with its recovery key.
    pub(crate) fn recover(bytes: &[u8], recovery: &RecoveryKey) -> Result<Self, Failure> {
        VaultFile::inspect(bytes)?;
        Ok(Self::from_file(VaultFile::open_with_recovery(bytes, recovery)?))
    }

    fn from_file(file: VaultFile) -> Self {
        let policy = file.contents.policy.as_ref();
        let authority = Rc::new(Authority::of(policy.map(|policy| policy.json.as_str())));
        Self {
            open: Some(Open { file, authority }),
            signers: Vec::new(),
        }
    }

    /// Wipes the vault's key and the keys of all its signers.
    pub(crate) fn lock(&mut self) {
        for signer in self.signers.drain(..) {
            signer.wipe();
        }
        self.open = None;
    }

    pub(crate) const fn is_locked(&self) -> bool {
        self.open.is_none()
    }

    fn file(&self) -> Result<&VaultFile, Failure> {
        self.open.as_ref().map(|open| &open.file).ok_or(Failure::Locked)
    }

    fn file_mut(&mut self) -> Result<&mut VaultFile, Failure> {
        self.open
            .as_mut()
            .map(|open| &mut open.file)
            .ok_or(Failure::Locked)
    }

    /// Who says what is signed.
    pub(crate) fn authority(&self) -> Result<&Rc<Authority>, Failure> {
        self.open
            .as_ref()
            .map(|open| &open.authority)
            .ok_or(Failure::Locked)
    }

    /// The vault's name.
    pub(crate) fn id(&self) -> Result<VaultId, Failure> {
        Ok(self.file()?.header.vault_id())
    }

    /// The wallets that the vault holds.
    pub(crate) fn wallets(&self) -> Result<Vec<Account>, Failure> {
        let wallets = self.file()?.contents.wallets.iter();
        wallets
            // What this module cannot open it does not offer.
            .filter(|wallet| {
                cfg!(feature = "evm") || matches!(wallet.public_key, RecordPublicKey::Ed25519(_))
            })
            .map(|wallet| {
                Ok(Account {
                    address: address_of(wallet).ok_or(Failure::NoWallet)?,
                    path: wallet.path.as_ref().map(ToString::to_string),
                    label: wallet.label.clone(),
                })
            })
            .collect()
    }

    /// The accounts that the first phrase has at indices of a path family.
    pub(crate) fn accounts(
        &self,
        family: PathFamily,
        start: u32,
        count: u32,
    ) -> Result<Vec<Account>, Failure> {
        let seed = self.seed()?;
        let account = |address: AccountAddress, path: String| Account {
            address,
            path: (!path.is_empty()).then_some(path),
            label: String::new(),
        };
        Ok(match family.chain() {
            Chain::Solana => SolanaDeriver::new(&seed, family)?
                .derive_chunk(start, count)?
                .into_iter()
                .map(|key| account(key.address.into(), key.path))
                .collect(),
            Chain::Evm => {
                needs!("evm");
                EvmDeriver::new(&seed, family)?
                    .derive_chunk(start, count)?
                    .into_iter()
                    .map(|key| account(key.address.into(), key.path))
                    .collect()
            }
        })
    }

    /// Opens a wallet for signing: `which` is a path, an address that the vault holds, or empty for the first wallet
    /// of the chain.
    pub(crate) fn signer(
        &mut self,
        chain: Chain,
        which: &str,
        password: Option<&WalletPassword>,
    ) -> Result<Signing, Failure> {
        let file = self.file()?;
        let (key, path) = if which == "m" || which.starts_with("m/") {
            let path: DerivationPath = which.parse()?;
            (self.derived(chain, &path, password)?, Some(path.to_string()))
        } else {
            let wanted: Option<AccountAddress> = match which {
                "" => None,
                // Core of a module without EVM would tell its addresses apart all the same, for a price.
                address if !cfg!(feature = "evm") => Some(solana_address(address)?.into()),
                address => Some(address.parse()?),
            };
            if wanted.is_some_and(|wanted| wanted.chain() != chain) {
                return Err(Failure::OtherChain);
            }
            let is_wanted = |wallet: &&FileWallet| match (wanted, address_of(wallet)) {
                (None, Some(address)) => address.chain() == chain,
                (Some(wanted), Some(address)) => wanted == address,
                (_, None) => false,
            };
            match file.contents.wallets.iter().find(is_wanted) {
                Some(wallet) => {
                    let path = wallet.path.as_ref().map(ToString::to_string);
                    (open_wallet(file, wallet, password)?, path)
                }
                None if wanted.is_none() => {
                    let path = first_path(chain)?;
                    (self.derived(chain, &path, password)?, Some(path.to_string()))
                }
                None => return Err(Failure::NoWallet),
            }
        };
        let signing = Signing::new(key, path, Rc::clone(self.authority()?))?;
        self.signers.retain(Recall::is_live);
        self.signers.push(signing.recall());
        Ok(signing)
    }

    /// Puts a key or a phrase into the vault and gives the addresses that came with it.
    pub(crate) fn import(
        &mut self,
        bytes: &[u8],
        options: &ImportOptions<'_>,
        label: &str,
        now_ms: u64,
    ) -> Result<Vec<AccountAddress>, Failure> {
        self.file()?;
        match keyfile::import(bytes, options)? {
            Imported::Key(key) => Ok(vec![self.add_wallet(&key, None, label, now_ms)?]),
            Imported::Phrase(mnemonic) => self.add_phrase(&mnemonic, "", label, now_ms),
        }
    }

    /// The vault as a file.
    pub(crate) fn export(&self) -> Result<Vec<u8>, Failure> {
        let file = self.file()?;
        Ok(VaultFile::seal(
            &file.header,
            &file.key,
            &file.contents,
            random::array()?,
        )?)
    }

    /// Replaces the password; the old one is checked first, and the second factor goes along.
    pub(crate) fn change_password(
        &mut self,
        current: &[u8],
        new: &[u8],
        kdf: KdfParams,
        second_factor: Option<&SecondFactor>,
    ) -> Result<(), Failure> {
        let file = self.file_mut()?;
        file.header.open(current, second_factor)?;
        check_new_password(new)?;
        let second_factor = second_factor.filter(|_| file.header.needs_second_factor());
        file.header = file.header.with_password_changed(
            &file.key,
            NewPassword {
                kdf,
                password: new,
                second_factor,
                slot_salt: random::array()?,
                wrap_salt: random::array()?,
            },
        )?;
        Ok(())
    }

    fn add_phrase(
        &mut self,
        mnemonic: &Mnemonic,
        passphrase: &str,
        label: &str,
        now_ms: u64,
    ) -> Result<Vec<AccountAddress>, Failure> {
        needs!("phrases");
        let secret = MasterSecret::new(mnemonic, passphrase)?;
        let seed = secret.to_seed();
        let file = self.file_mut()?;
        let mut master = FileMaster {
            record: RecordId::from_bytes(random::array()?),
            created_at_ms: now_ms,
            label: label.to_owned(),
            family: first_family(Chain::Solana).id().to_owned(),
            sealed: Vec::new(),
        };
        master.sealed = seal_record(
            &file.key,
            &master.context(&file.header),
            &secret.encode(),
            random::array()?,
        )?;
        let record = master.record;
        file.contents.masters.push(master);
        let mut addresses = Vec::new();
        for chain in Chain::ALL {
            let path = first_path(chain)?;
            let key = derive(chain, &seed, &path)?;
            match self.add_wallet(&key, Some((record, path, first_family(chain))), label, now_ms) {
                Ok(address) => addresses.push(address),
                Err(Failure::WalletExists) => {}
                Err(failure) => return Err(failure),
            }
        }
        if addresses.is_empty() {
            self.file_mut()?
                .contents
                .masters
                .retain(|master| master.record != record);
            return Err(Failure::WalletExists);
        }
        Ok(addresses)
    }

    fn add_wallet(
        &mut self,
        key: &WalletKey,
        derived: Option<(RecordId, DerivationPath, PathFamily)>,
        label: &str,
        now_ms: u64,
    ) -> Result<AccountAddress, Failure> {
        let file = self.file_mut()?;
        let public_key = RecordPublicKey::of(key);
        if file
            .contents
            .wallets
            .iter()
            .any(|wallet| wallet.public_key == public_key)
        {
            return Err(Failure::WalletExists);
        }
        let (master, path, family) = match derived {
            Some((master, path, family)) => (Some(master), Some(path), family.id()),
            None => (None, None, ""),
        };
        let mut wallet = FileWallet {
            record: RecordId::from_bytes(random::array()?),
            created_at_ms: now_ms,
            master,
            path,
            family: family.to_owned(),
            public_key,
            label: label.to_owned(),
            tags: Vec::new(),
            sealed: Vec::new(),
        };
        wallet.sealed = seal_record(
            &file.key,
            &wallet.context(&file.header),
            key.expose_secret(),
            random::array()?,
        )?;
        file.contents.wallets.push(wallet);
        Ok(key.address())
    }

    /// The seed of the first phrase.
    fn seed(&self) -> Result<Seed, Failure> {
        let file = self.file()?;
        let master = file.contents.masters.first().ok_or(Failure::NoPhrase)?;
        let context: RecordContext = master.context(&file.header);
        debug_assert_eq!(context.kind, RecordKind::Master);
        let opened = open_record(&file.key, &context, &master.sealed)?;
        Ok(MasterSecret::decode(&opened)?.to_seed())
    }

    /// The key at a path of the first phrase. One that the vault keeps under a password of its own is opened with
    /// it: the phrase is no way around.
    fn derived(
        &self,
        chain: Chain,
        path: &DerivationPath,
        password: Option<&WalletPassword>,
    ) -> Result<WalletKey, Failure> {
        needs!("phrases");
        let file = self.file()?;
        let key = derive(chain, &self.seed()?, path)?;
        let public_key = RecordPublicKey::of(&key);
        let kept = file
            .contents
            .wallets
            .iter()
            .find(|wallet| wallet.public_key == public_key);
        match kept {
            Some(wallet) if wallet_password_kdf(&wallet.sealed)?.is_some() => {
                open_wallet(file, wallet, password)
            }
            _ => Ok(key),
        }
    }
}

fn open_wallet(
    file: &VaultFile,
    wallet: &FileWallet,
    password: Option<&WalletPassword>,
) -> Result<WalletKey, Failure> {
    let context = wallet.context(&file.header);
    if !cfg!(feature = "evm") {
        return Ok(open_solana_wallet(&file.key, &context, &wallet.sealed, password)?.into());
    }
    Ok(open_wallet_key(&file.key, &context, &wallet.sealed, password)?)
}

fn derive(chain: Chain, seed: &Seed, path: &DerivationPath) -> Result<WalletKey, Failure> {
    Ok(match chain {
        Chain::Solana => derive_path(seed, path)?.into(),
        Chain::Evm => {
            needs!("evm");
            evm::derive_path(seed, path)?.into()
        }
    })
}

/// By which the first wallet of a chain is derived, in the console as well.
const fn first_family(chain: Chain) -> PathFamily {
    match chain {
        Chain::Solana => PathFamily::Bip44Change,
        Chain::Evm => PathFamily::EvmBip44,
    }
}

fn first_path(chain: Chain) -> Result<DerivationPath, Failure> {
    first_family(chain).path(ChildIndex::ZERO).ok_or(Failure::Name)
}

fn address_of(wallet: &FileWallet) -> Option<AccountAddress> {
    match &wallet.public_key {
        RecordPublicKey::Ed25519(bytes) => Some(Address::new(*bytes).into()),
        RecordPublicKey::Secp256k1(_) if !cfg!(feature = "evm") => None,
        RecordPublicKey::Secp256k1(bytes) => {
            PublicKey::from_bytes(bytes).ok().map(|key| key.address().into())
        }
        RecordPublicKey::None => None,
    }
}

fn solana_address(text: &str) -> Result<Address, Failure> {
    text.parse()
        .map_err(|error| Failure::Address(AccountAddressError::Solana(error)))
}

fn check_new_password(password: &[u8]) -> Result<(), Failure> {
    let password = text(password)?;
    if password.chars().count() < MIN_PASSWORD_CHARS {
        return Err(Failure::PasswordTooShort);
    }
    // Nobody types it: the page wiped the array before it was read.
    if password.contains('\0') {
        return Err(Failure::PasswordCharacter);
    }
    Ok(())
}
