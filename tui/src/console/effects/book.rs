//! Work on the address book. Whoever is added is compared first with whom one knows.

use keyward_core::address::Address;
use keyward_custody::book::{Contact, ContactPage, ContactQuery, NewContact};
use keyward_custody::lookalike::{KnownAs, Resemblance};

use super::Services;
use crate::console::effect::Failure;

/// Whether a resemblance was looked at by a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compared {
    /// Not yet: one that looks like a known address is told instead of added.
    No,
    /// Character by character.
    ByPerson,
}

/// What to do.
#[derive(Debug)]
pub enum BookWork {
    /// Read a page.
    Page(ContactQuery),
    /// Add somebody.
    Add {
        /// Whom.
        contact: NewContact,
        /// Whether what it looks like was looked at.
        compared: Compared,
    },
    /// Give somebody another label.
    Rename {
        /// Whom.
        address: Address,
        /// The new label.
        label: String,
    },
    /// Remove somebody.
    Remove(Address),
}

/// What came of adding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Added {
    /// It is in the book.
    Done(Contact),
    /// It is not, yet: it looks like one that is known.
    LooksLike(Box<Resemblance>),
}

/// What came of it.
#[derive(Debug)]
pub enum BookAnswer {
    /// A page.
    Page(Result<ContactPage, Failure>),
    /// Somebody was added, or resembles.
    Added(Result<Added, Failure>),
    /// A label was changed, or somebody removed.
    Changed(Result<(), Failure>),
}

pub(super) async fn perform(services: &Services, work: BookWork) -> BookAnswer {
    match work {
        BookWork::Page(query) => {
            BookAnswer::Page(async { Ok(services.custody()?.contacts(&query).await?) }.await)
        }
        BookWork::Add { contact, compared } => BookAnswer::Added(add(services, contact, compared).await),
        BookWork::Rename { address, label } => BookAnswer::Changed(
            async {
                let custody = services.custody()?;
                Ok(custody.rename_contact(&address.to_string(), &label).await?)
            }
            .await,
        ),
        BookWork::Remove(address) => BookAnswer::Changed(
            async {
                let custody = services.custody()?;
                Ok(custody.remove_contact(&address.to_string()).await.map(|_| ())?)
            }
            .await,
        ),
    }
}

async fn add(services: &Services, contact: NewContact, compared: Compared) -> Result<Added, Failure> {
    let custody = services.custody()?;
    let address = contact.address;
    if compared == Compared::No {
        let found = custody.lookalikes().await?.check(&address);
        if let Some(first) = found.into_iter().next() {
            return Ok(Added::LooksLike(Box::new(first)));
        }
    }
    custody.add_contacts(vec![contact]).await?;
    Ok(Added::Done(custody.contact(&address.to_string()).await?))
}

/// Why an address is known, for people.
#[must_use]
pub fn known_as(resemblance: &Resemblance) -> &'static str {
    match resemblance.known.known_as {
        KnownAs::OwnWallet => "a wallet of this vault",
        KnownAs::Contact => "in the address book",
        KnownAs::PastRecipient => "paid before",
    }
}
