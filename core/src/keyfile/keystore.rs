//! Ethereum's keystore, version 3, read and written.
//!
//! The derived key's second half and the ciphertext are authenticated together by Keccak-256; identifier, address
//! and further fields are not, so a stated address is compared with the key's own.
//!
//! Specification: <https://ethereum.org/developers/docs/data-structures-and-encoding/web3-secret-storage/>.

use alloc::format;
use alloc::string::String;

use aes::Aes128;
use aes::cipher::{KeyIvInit, StreamCipher};
use sha3::{Digest, Keccak256};
use subtle::ConstantTimeEq;
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use super::json::{Fields, Value};
use super::kdf::{Iterations, MAX_SALT, Scrypt};
use super::{Format, KeyfileError, plain};
use crate::evm::EvmAddress;
use crate::key::WalletKey;
use crate::secp256k1::SecretKey;
use crate::vault::KdfParams;

/// Whether an object is a keystore of some version.
pub(super) fn looks_like(fields: &Fields<'_>) -> bool {
    crypto_name(fields).is_some()
}

/// Programs write `crypto`; the oldest ones wrote `Crypto`.
fn crypto_name(fields: &Fields<'_>) -> Option<&'static str> {
    ["crypto", "Crypto"].into_iter().find(|name| fields.has(name))
}

/// Opens a keystore: parameters are checked first, then the password is stretched.
pub(super) fn open(fields: &Fields<'_>, password: &[u8]) -> Result<WalletKey, KeyfileError> {
    let sealed = Sealed::read(fields)?;
    let stated = stated_address(fields)?;
    let secret = sealed.open(password)?;
    let key = plain::secp256k1_key(&secret)?;
    match (stated, &key) {
        (Some(stated), WalletKey::Secp256k1(secret)) if secret.address() != stated => {
            Err(KeyfileError::AddressMismatch {
                stated: stated.into(),
                found: secret.address().into(),
            })
        }
        _ => Ok(key),
    }
}

fn stated_address(fields: &Fields<'_>) -> Result<Option<EvmAddress>, KeyfileError> {
    match fields.get("address") {
        None | Some(Value::Text("") | Value::Word("null")) => Ok(None),
        Some(_) => Ok(Some(EvmAddress::new(hex_field(fields, "address", "20")?))),
    }
}

enum Kdf {
    Scrypt(Scrypt),
    Pbkdf2(Iterations),
}

/// The checked fields of a keystore.
struct Sealed {
    kdf: Kdf,
    salt: ([u8; MAX_SALT], usize),
    iv: [u8; 16],
    ciphertext: [u8; 32],
    mac: [u8; 32],
}

impl Sealed {
    fn read(fields: &Fields<'_>) -> Result<Self, KeyfileError> {
        let version = fields.number("version")?;
        if version != 3 {
            return Err(KeyfileError::Version { found: version });
        }
        let both = fields.has("crypto") && fields.has("Crypto");
        let name = crypto_name(fields)
            .filter(|_| !both)
            .ok_or(KeyfileError::Unknown)?;
        let crypto = fields.object(name)?;
        supported("cipher", crypto.text("cipher")?, "aes-128-ctr")?;
        let params = crypto.object("kdfparams")?;
        if params.number("dklen")? != 32 {
            return Err(KeyfileError::Kdf {
                what: "dklen is not 32",
            });
        }
        let kdf = match crypto.text("kdf")? {
            "scrypt" => Kdf::Scrypt(Scrypt::new(
                params.number("n")?,
                params.number("r")?,
                params.number("p")?,
            )?),
            "pbkdf2" => {
                supported("prf", params.text("prf")?, "hmac-sha256")?;
                Kdf::Pbkdf2(Iterations::new(params.number("c")?)?)
            }
            _ => {
                return Err(KeyfileError::Unsupported {
                    what: "kdf",
                    supported: "scrypt or pbkdf2",
                });
            }
        };
        Ok(Self {
            kdf,
            salt: salt(&params)?,
            iv: hex_field(&crypto.object("cipherparams")?, "iv", "16")?,
            ciphertext: hex_field(&crypto, "ciphertext", "32")?,
            mac: hex_field(&crypto, "mac", "32")?,
        })
    }

    /// Tries the password as it is and, if it is text that these change, its NFC and NFKC forms.
    fn open(&self, password: &[u8]) -> Result<Zeroizing<[u8; 32]>, KeyfileError> {
        if let Some(secret) = self.try_open(password)? {
            return Ok(secret);
        }
        if let Ok(text) = core::str::from_utf8(password) {
            let composed = collect(text.nfc());
            if composed.as_bytes() != password
                && let Some(secret) = self.try_open(composed.as_bytes())?
            {
                return Ok(secret);
            }
            let compatible = collect(text.nfkc());
            if compatible.as_bytes() != password
                && *compatible != *composed
                && let Some(secret) = self.try_open(compatible.as_bytes())?
            {
                return Ok(secret);
            }
        }
        Err(KeyfileError::Refused)
    }

    fn try_open(&self, password: &[u8]) -> Result<Option<Zeroizing<[u8; 32]>>, KeyfileError> {
        let (salt, len) = &self.salt;
        let salt = salt.get(..*len).ok_or_else(|| wrong_salt(*len))?;
        let derived = match &self.kdf {
            Kdf::Scrypt(scrypt) => scrypt.stretch(password, salt)?,
            Kdf::Pbkdf2(iterations) => iterations.stretch(password, salt),
        };
        if !bool::from(mac(&derived, &self.ciphertext).ct_eq(&self.mac)) {
            return Ok(None);
        }
        let mut secret = Zeroizing::new(self.ciphertext);
        apply_aes_ctr(&derived, &self.iv, &mut secret);
        Ok(Some(secret))
    }
}

/// The random values of one keystore; each keystore gets new ones.
#[derive(Debug, Clone, Copy)]
pub struct KeystoreRandom {
    /// scrypt's salt.
    pub salt: [u8; 32],
    /// AES-CTR's initial counter.
    pub iv: [u8; 16],
    /// The identifier, of which six bits are overwritten to make a UUID of version 4.
    pub id: [u8; 16],
}

/// Writes a key as an encrypted keystore, version 3, with scrypt ([`KdfParams::DEFAULT`] is N=2^17, r=8, p=1).
///
/// The password's bytes are used as they are. ethers reads a password by its NFKC form: where that differs, ethers
/// cannot open the file.
///
/// # Errors
/// [`KeyfileError::PasswordNeeded`] if the password is empty.
///
/// # Security
/// The result can be tried against guessed passwords by whoever gets it, for ever.
pub fn to_keystore(
    key: &SecretKey,
    password: &[u8],
    cost: KdfParams,
    random: &KeystoreRandom,
) -> Result<String, KeyfileError> {
    if password.is_empty() {
        return Err(KeyfileError::PasswordNeeded(Format::KeystoreV3));
    }
    let n = 1_u64 << cost.log_n();
    let scrypt = Scrypt::new(n, cost.r().into(), cost.p().into())?;
    let derived = scrypt.stretch(password, &random.salt)?;
    let mut sealed = Zeroizing::new(*key.expose_bytes());
    apply_aes_ctr(&derived, &random.iv, &mut sealed);
    Ok(format!(
        concat!(
            r#"{{"address":"{address}","crypto":{{"cipher":"aes-128-ctr","cipherparams":{{"iv":"{iv}"}},"#,
            r#""ciphertext":"{ciphertext}","kdf":"scrypt","#,
            r#""kdfparams":{{"dklen":32,"n":{n},"p":{p},"r":{r},"salt":"{salt}"}},"#,
            r#""mac":"{mac}"}},"id":"{id}","version":3}}"#
        ),
        address = hex::encode(key.address().as_bytes()),
        iv = hex::encode(random.iv),
        ciphertext = hex::encode(*sealed),
        n = n,
        p = cost.p(),
        r = cost.r(),
        salt = hex::encode(random.salt),
        mac = hex::encode(mac(&derived, &sealed)),
        id = uuid(random.id),
    ))
}

/// A random UUID's text (RFC 9562 section 5.4).
fn uuid(mut id: [u8; 16]) -> String {
    id[6] = id[6] & 0x0f | 0x40;
    id[8] = id[8] & 0x3f | 0x80;
    let mut text = hex::encode(id);
    for at in [20, 16, 12, 8] {
        text.insert(at, '-');
    }
    text
}

/// Keccak-256 of the derived key's second half and the ciphertext.
fn mac(derived: &[u8; 32], ciphertext: &[u8; 32]) -> [u8; 32] {
    let (_, authentication) = derived.split_at(16);
    let mut hasher = Keccak256::new();
    hasher.update(authentication);
    hasher.update(ciphertext);
    hasher.finalize().into()
}

/// AES-128-CTR under the derived key's first half; the same both ways.
fn apply_aes_ctr(derived: &[u8; 32], iv: &[u8; 16], bytes: &mut [u8; 32]) {
    let mut key = Zeroizing::new([0; 16]);
    for (to, from) in key.iter_mut().zip(derived) {
        *to = *from;
    }
    ctr::Ctr128BE::<Aes128>::new((&*key).into(), iv.into()).apply_keystream(bytes);
}

fn supported(what: &'static str, found: &str, supported: &'static str) -> Result<(), KeyfileError> {
    if found == supported {
        Ok(())
    } else {
        Err(KeyfileError::Unsupported { what, supported })
    }
}

fn salt(params: &Fields<'_>) -> Result<([u8; MAX_SALT], usize), KeyfileError> {
    let digits = digits(params, "salt")?;
    let len = digits.len() / 2;
    let mut salt = [0; MAX_SALT];
    let out = salt
        .get_mut(..len)
        .filter(|out| !out.is_empty())
        .ok_or_else(|| wrong_salt(len))?;
    hex::decode_to_slice(digits, out).map_err(|_| not_hex("salt"))?;
    Ok((salt, len))
}

const fn wrong_salt(found: usize) -> KeyfileError {
    KeyfileError::FieldLength {
        field: "salt",
        expected: "1 to 256",
        found,
    }
}

fn hex_field<const LEN: usize>(
    fields: &Fields<'_>,
    name: &'static str,
    expected: &'static str,
) -> Result<[u8; LEN], KeyfileError> {
    let digits = digits(fields, name)?;
    if digits.len() != 2 * LEN {
        return Err(KeyfileError::FieldLength {
            field: name,
            expected,
            found: digits.len() / 2,
        });
    }
    let mut bytes = [0; LEN];
    hex::decode_to_slice(digits, &mut bytes).map_err(|_| not_hex(name))?;
    Ok(bytes)
}

fn digits<'a>(fields: &Fields<'a>, name: &'static str) -> Result<&'a str, KeyfileError> {
    let text = fields.text(name)?;
    Ok(text.strip_prefix("0x").unwrap_or(text))
}

const fn not_hex(field: &'static str) -> KeyfileError {
    KeyfileError::FieldType {
        field,
        expected: "hexadecimal",
    }
}

/// Gathers characters without ever growing the buffer, which would leave copies behind.
fn collect(characters: impl Iterator<Item = char> + Clone) -> Zeroizing<String> {
    let len = characters.clone().map(char::len_utf8).sum();
    let mut text = Zeroizing::new(String::with_capacity(len));
    text.extend(characters);
    text
}

#[cfg(test)]
mod tests;
