//! The address book: whom people here pay, by a name of their own choosing.
//!
//! A label stands for one address and an address has one label. Changing the book needs the vault unlocked, is in the audit
//! log and under the seal: a book that someone else can write in sends money where they like. It does not judge whether an
//! address is right; [`Custody::lookalikes`] says what it resembles.

use keyward_core::address::Address;
use keyward_core::audit::{Operation, Outcome};

use crate::audit::ledger::Draft;
use crate::error::CustodyError;
use crate::lookalike::{Known, KnownAs, Lookalikes};
use crate::store::{Ask, BookWrite, ContactFacts, KnownFrom, Write, transact};
use crate::vault::Custody;
use crate::wallets::{MAX_PAGE, check_name};

/// The longest label, in characters.
pub const MAX_CONTACT_CHARS: usize = 64;

/// The longest note, in characters.
pub const MAX_NOTE_CHARS: usize = 256;

/// The most contacts of one call of [`Custody::add_contacts`].
pub const MAX_NEW_CONTACTS: usize = 400;

/// The most addresses of each source that lookalikes are looked for among.
const MAX_KNOWN: u32 = 200_000;

/// Somebody to be paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewContact {
    /// Where.
    pub address: Address,
    /// What people call it: 1 to 64 characters, and no other contact's.
    pub label: String,
    /// What else there is to say, at most 256 characters.
    pub note: String,
}

/// An entry of the address book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// Where.
    pub address: Address,
    /// What people call it.
    pub label: String,
    /// What else there is to say.
    pub note: String,
    /// When it was added, in milliseconds since the Unix epoch.
    pub created_ms: u64,
    /// How many transfers to it landed.
    pub paid: u64,
}

/// Which contacts, by label.
#[derive(Clone, Debug)]
pub struct ContactQuery {
    /// A piece of the label, the address or the note, without regard to ASCII case; empty finds all.
    pub text: String,
    /// Only those after this label, in the order of labels.
    pub after: Option<String>,
    /// How many rows to give, at most 1000.
    pub limit: u32,
}

impl Default for ContactQuery {
    fn default() -> Self {
        Self {
            text: String::new(),
            after: None,
            limit: 100,
        }
    }
}

/// One page of contacts.
#[derive(Clone, Debug)]
pub struct ContactPage {
    /// How many contacts the text finds in all.
    pub total: u64,
    /// The page's rows; the next page comes after the label of the last one.
    pub rows: Vec<Contact>,
}

/// What adding contacts came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContactsAdded {
    /// How many are new.
    pub added: usize,
    /// How many were there already, exactly so.
    pub same: usize,
}

impl Custody {
    /// A page of contacts.
    ///
    /// # Errors
    /// [`CustodyError::Invalid`] for a page over 1000 rows or a text that is too long, or the store's.
    pub async fn contacts(&self, query: &ContactQuery) -> Result<ContactPage, CustodyError> {
        if query.limit > MAX_PAGE {
            return Err(CustodyError::invalid(
                "page",
                format!("at most {MAX_PAGE} contacts"),
            ));
        }
        for text in query.after.iter().chain([&query.text]) {
            if text.chars().count() > MAX_NOTE_CHARS {
                return Err(CustodyError::invalid(
                    "search text",
                    format!("at most {MAX_NOTE_CHARS} characters"),
                ));
            }
        }
        self.store().contacts(query).await
    }

    /// The contact of exactly this label, or at this address.
    ///
    /// # Errors
    /// [`CustodyError::NotFound`], or the store's.
    pub async fn contact(&self, name: &str) -> Result<Contact, CustodyError> {
        let name = name.trim();
        let found = match name.chars().count() <= MAX_CONTACT_CHARS {
            true => self.store().contact(name).await?,
            false => None,
        };
        found.ok_or_else(|| no_contact(name))
    }

    /// Adds contacts, all or none. One that is there already with the same label stays as it is; its note may change.
    ///
    /// # Errors
    /// [`CustodyError::ContactExists`] where a label or an address has another one already, here or in the book;
    /// [`CustodyError::Invalid`], [`CustodyError::Locked`], or the store's.
    pub async fn add_contacts(&self, new: Vec<NewContact>) -> Result<ContactsAdded, CustodyError> {
        let new = checked(new)?;
        let names = new
            .iter()
            .flat_map(|contact| [contact.label.clone(), contact.address.to_string()])
            .collect();
        let count = new.len();
        self.change_book(names, |there| {
            let mut writes = Vec::new();
            let mut same = 0;
            for contact in &new {
                let NewContact { address, label, note } = contact;
                match there
                    .iter()
                    .find(|old| old.address == *address || old.label == *label)
                {
                    Some(old) if old.address == *address && old.label == *label => {
                        same += 1;
                        if old.note != *note {
                            writes.push(BookWrite::Words {
                                contact: old.id,
                                label: label.clone(),
                                note: note.clone(),
                            });
                        }
                    }
                    Some(old) => return Err(exists(old)),
                    None => writes.push(BookWrite::Contact {
                        address: *address,
                        label: label.clone(),
                        note: note.clone(),
                    }),
                }
            }
            let details = match new.as_slice() {
                [only] => format!("{:?} is {}", only.label, only.address),
                many => format!("{} contacts, {same} of them there already", many.len()),
            };
            let added = ContactsAdded {
                added: count - same,
                same,
            };
            Ok((writes, details, added))
        })
        .await
    }

    /// Gives a contact another label.
    ///
    /// # Errors
    /// [`CustodyError::NotFound`], [`CustodyError::ContactExists`], [`CustodyError::Invalid`], [`CustodyError::Locked`], or
    /// the store's.
    pub async fn rename_contact(&self, name: &str, label: &str) -> Result<(), CustodyError> {
        let (name, label) = (name.trim().to_owned(), checked_label(label)?.to_owned());
        self.change_book(vec![name.clone(), label.clone()], |there| {
            let old = find(there, &name)?;
            if let Some(other) = there
                .iter()
                .find(|other| other.label == label && other.id != old.id)
            {
                return Err(exists(other));
            }
            let write = BookWrite::Words {
                contact: old.id,
                label: label.clone(),
                note: old.note.clone(),
            };
            let details = format!("{:?}, which is {}, is {label:?} now", old.label, old.address);
            Ok((vec![write], details, ()))
        })
        .await
    }

    /// Removes a contact, named by its label or its address, and returns its address.
    ///
    /// # Errors
    /// [`CustodyError::NotFound`], [`CustodyError::Locked`], or the store's.
    pub async fn remove_contact(&self, name: &str) -> Result<Address, CustodyError> {
        let name = name.trim().to_owned();
        self.change_book(vec![name.clone()], |there| {
            let old = find(there, &name)?;
            let details = format!("removed {:?}, which was {}", old.label, old.address);
            Ok((vec![BookWrite::Gone { contact: old.id }], details, old.address))
        })
        .await
    }

    async fn change_book<T, F>(&self, contacts: Vec<String>, change: F) -> Result<T, CustodyError>
    where
        T: Send,
        F: FnOnce(&[ContactFacts]) -> Result<(Vec<BookWrite>, String, T), CustodyError> + Send,
    {
        let session = self.session().ok_or(CustodyError::Locked)?;
        let ask = Ask {
            contacts,
            unsigned_tail: true,
            ..Ask::default()
        };
        let (value, _) = transact(self.store(), ask, |ledger, facts| {
            let (writes, details, value) = change(&facts.contacts)?;
            let draft = Draft::new(Operation::ChangeBook, Outcome::Done).details(details);
            ledger.append(facts.now_ms, self.scribe(Some(&session)), draft)?;
            Ok((writes.into_iter().map(Write::Book).collect(), value))
        })
        .await?;
        Ok(value)
    }

    /// Everything that addresses are compared with: own Solana wallets, the address book, and whoever was paid. Made once,
    /// it answers for any number of recipients; it does not follow later changes.
    ///
    /// # Errors
    /// The store's.
    pub async fn lookalikes(&self) -> Result<Lookalikes, CustodyError> {
        let rows = self.store().known(MAX_KNOWN).await?;
        let known = rows.into_iter().map(|row| Known {
            address: row.address,
            label: row.label,
            known_as: match row.from {
                KnownFrom::Wallet => KnownAs::OwnWallet,
                KnownFrom::Book => KnownAs::Contact,
                KnownFrom::Paid => KnownAs::PastRecipient,
            },
            uses: row.uses,
        });
        Ok(Lookalikes::new(known))
    }
}

fn find<'f>(there: &'f [ContactFacts], name: &str) -> Result<&'f ContactFacts, CustodyError> {
    there
        .iter()
        .find(|contact| contact.label == name || contact.address.to_string() == name)
        .ok_or_else(|| no_contact(name))
}

fn no_contact(name: &str) -> CustodyError {
    CustodyError::NotFound {
        what: format!("contact: {name}"),
    }
}

fn exists(old: &ContactFacts) -> CustodyError {
    CustodyError::ContactExists {
        label: old.label.clone(),
        address: old.address,
    }
}

fn checked_label(label: &str) -> Result<&str, CustodyError> {
    let label = label.trim();
    check_name("label", label, MAX_CONTACT_CHARS)?;
    if label.is_empty() {
        return Err(CustodyError::invalid("label", "it is empty"));
    }
    // What reads as an address, as a wallet's #index or as a payment request would be taken for one.
    if label.parse::<Address>().is_ok() || label.starts_with('#') || label.contains(':') {
        return Err(CustodyError::invalid(
            "label",
            "an address, a text that begins with # or one with a colon would be taken for something else",
        ));
    }
    Ok(label)
}

fn checked(new: Vec<NewContact>) -> Result<Vec<NewContact>, CustodyError> {
    if new.is_empty() || new.len() > MAX_NEW_CONTACTS {
        return Err(CustodyError::invalid(
            "contacts",
            format!("1 to {MAX_NEW_CONTACTS} at a time"),
        ));
    }
    let mut seen: Vec<NewContact> = Vec::with_capacity(new.len());
    for contact in new {
        let label = checked_label(&contact.label)?.to_owned();
        let note = contact.note.trim().to_owned();
        check_name("note", &note, MAX_NOTE_CHARS)?;
        let address = contact.address;
        if let Some(other) = seen
            .iter()
            .find(|other| other.address == address || other.label == label)
        {
            return Err(CustodyError::ContactExists {
                label: other.label.clone(),
                address: other.address,
            });
        }
        seen.push(NewContact { address, label, note });
    }
    Ok(seen)
}
