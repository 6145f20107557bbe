//! `keyward book`: whom people here pay, by names of their own.

mod csv;

use std::path::PathBuf;

use keyward_core::address::Address;
use keyward_custody::book::MAX_NEW_CONTACTS;
use keyward_custody::lookalike::{KnownAs, Resemblance};
use keyward_custody::{Contact, ContactQuery, ContactsAdded, Custody, NewContact};
use serde_json::{Value, json};

use super::context::Context;
use crate::exit::{Exit, Failure};
use crate::output::{Align, Report, Table, fields, printable, time};

/// Keep an address book: labels for the addresses that are paid
///
/// A label can be given to `keyward send --to`. What is added is compared with everything known here, and an address that
/// only looks like one of them is told.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Add a contact
    #[command(
        after_help = "Example:\n  keyward book add 'corner shop' HAgk14JpMQLgt6rVgv7cBQFJWFto5Dqxi472uT3DKpqk --note 'pays rent'"
    )]
    Add {
        /// What to call it, at most 64 characters
        label: String,
        /// Its address
        address: String,
        /// What else there is to say, at most 256 characters
        #[arg(long, value_name = "TEXT", default_value = "")]
        note: String,
        /// Add it although it looks like an address that is known: it was compared character by character
        #[arg(long)]
        address_checked: bool,
    },
    /// List contacts by label, a page at a time
    #[command(after_help = "Examples:\n  keyward book list\n  keyward book list --filter shop --json")]
    List(ListArgs),
    /// Show one contact
    #[command(after_help = "Example:\n  keyward book show 'corner shop'")]
    Show {
        /// Its label or its address
        contact: String,
    },
    /// Give a contact another label
    #[command(after_help = "Example:\n  keyward book rename 'corner shop' 'shop at the corner'")]
    Rename {
        /// Its label or its address
        contact: String,
        /// The new label
        label: String,
    },
    /// Remove a contact
    #[command(after_help = "Example:\n  keyward book remove 'corner shop'")]
    Remove {
        /// Its label or its address
        contact: String,
    },
    /// Add the contacts of a CSV file with lines of address,label[,note]
    ///
    /// The whole file is read and checked before anything is added. Contacts that are there already stay as they are.
    #[command(after_help = "Example:\n  keyward book import contacts.csv --json")]
    Import {
        /// The file, at most 10,000 lines
        file: PathBuf,
        /// Add those too that look like an address that is known: they were compared character by character
        #[arg(long)]
        address_checked: bool,
    },
    /// Write the contacts as a CSV file with lines of address,label,note
    #[command(after_help = "Example:\n  keyward book export contacts.csv")]
    Export {
        /// The file, which must not be there yet
        file: PathBuf,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct ListArgs {
    /// A piece of the label, the address or the note
    #[arg(long, value_name = "TEXT", default_value = "")]
    filter: String,
    /// Only those after this label
    #[arg(long, value_name = "LABEL")]
    after: Option<String>,
    /// How many to print, 1 to 1000
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
}

pub(crate) async fn run(context: &Context, command: Command) -> Result<Report, Failure> {
    match command {
        Command::Add {
            label,
            address,
            note,
            address_checked,
        } => {
            let address = parse(&address)?;
            let custody = context.unlocked().await?;
            let new = vec![NewContact { address, label, note }];
            add(&custody, new, address_checked).await?;
            Ok(show(&custody.contact(&address.to_string()).await?))
        }
        Command::List(args) => list(context, args).await,
        Command::Show { contact } => {
            let (custody, _) = context.open().await?;
            Ok(show(&custody.contact(&contact).await?))
        }
        Command::Rename { contact, label } => {
            let custody = context.unlocked().await?;
            custody.rename_contact(&contact, &label).await?;
            Ok(show(&custody.contact(&label).await?))
        }
        Command::Remove { contact } => {
            let custody = context.unlocked().await?;
            let before = custody.contact(&contact).await?;
            let address = custody.remove_contact(&contact).await?;
            Ok(Report::new(
                format!("{} is removed\n", printable(&before.label)),
                json!({ "removed": before.label, "address": address.to_string() }),
            ))
        }
        Command::Import {
            file,
            address_checked,
        } => import(context, &file, address_checked).await,
        Command::Export { file } => export(context, &file).await,
    }
}

fn parse(text: &str) -> Result<Address, Failure> {
    text.parse::<Address>().map_err(|error| {
        Failure::invalid(
            "address_invalid",
            format!("the address: {error}"),
            "copy the whole address, 32 to 44 characters",
        )
    })
}

/// Compares first, then adds in as many steps as the book takes at once.
async fn add(
    custody: &Custody,
    new: Vec<NewContact>,
    address_checked: bool,
) -> Result<ContactsAdded, Failure> {
    let lookalikes = custody.lookalikes().await?;
    if !address_checked {
        let alike = new.iter().find_map(|contact| {
            let found = lookalikes.check(&contact.address).into_iter().next()?;
            Some((contact.address, found))
        });
        if let Some((address, found)) = alike {
            return Err(Failure::new(
                Exit::Refused,
                "lookalike",
                format!("{address} is not, but looks like, {}", resembled(&found)),
                "compare them character by character; if it is meant, give --address-checked",
            ));
        }
    }
    let mut sum = ContactsAdded { added: 0, same: 0 };
    for part in new.chunks(MAX_NEW_CONTACTS) {
        let step = custody.add_contacts(part.to_vec()).await?;
        sum.added += step.added;
        sum.same += step.same;
    }
    Ok(sum)
}

/// A known address, for people: what it is called and why it is known.
pub(crate) fn resembled(found: &Resemblance) -> String {
    let known = &found.known;
    let why = match known.known_as {
        KnownAs::OwnWallet => "an own wallet",
        KnownAs::Contact => "in the address book",
        KnownAs::PastRecipient => "paid before",
    };
    let label = match known.label.as_str() {
        "" => String::new(),
        label => format!("{}, ", printable(label)),
    };
    format!("{} ({label}{why}, used {} times)", known.address, known.uses)
}

async fn list(context: &Context, args: ListArgs) -> Result<Report, Failure> {
    let (custody, _) = context.open().await?;
    let query = ContactQuery {
        text: args.filter,
        after: args.after,
        limit: args.limit,
    };
    let page = custody.contacts(&query).await?;
    let mut table = Table::new(&[
        ("label", Align::Left),
        ("address", Align::Left),
        ("paid", Align::Right),
        ("note", Align::Left),
    ]);
    for contact in &page.rows {
        table.row([
            contact.label.clone(),
            contact.address.to_string(),
            contact.paid.to_string(),
            contact.note.clone(),
        ]);
    }
    let mut text = table.render();
    text.push_str(&format!("{} of {}\n", page.rows.len(), page.total));
    let contacts: Vec<Value> = page.rows.iter().map(contact_json).collect();
    Ok(Report::new(
        text,
        json!({ "total": page.total, "contacts": contacts }),
    ))
}

fn show(contact: &Contact) -> Report {
    let text = fields(&[
        ("label", contact.label.clone()),
        ("address", contact.address.to_string()),
        ("paid", format!("{} times", contact.paid)),
        ("note", contact.note.clone()),
        ("added", time(contact.created_ms)),
    ]);
    Report::new(text, json!({ "contact": contact_json(contact) }))
}

fn contact_json(contact: &Contact) -> Value {
    json!({
        "label": contact.label,
        "address": contact.address.to_string(),
        "note": contact.note,
        "paid": contact.paid,
        "created_ms": contact.created_ms,
    })
}

async fn import(context: &Context, file: &std::path::Path, address_checked: bool) -> Result<Report, Failure> {
    let text = csv::read(file)?;
    let new = csv::parse(&text)?;
    let custody = context.unlocked().await?;
    let sum = add(&custody, new, address_checked).await?;
    Ok(Report::new(
        format!("{} added, {} there already\n", sum.added, sum.same),
        json!({ "added": sum.added, "same": sum.same }),
    ))
}

async fn export(context: &Context, file: &std::path::Path) -> Result<Report, Failure> {
    let (custody, _) = context.open().await?;
    let mut lines = String::from("address,label,note\n");
    let mut count = 0_usize;
    let mut after = None;
    loop {
        let query = ContactQuery {
            after: after.take(),
            limit: 1_000,
            ..ContactQuery::default()
        };
        let page = custody.contacts(&query).await?;
        let Some(last) = page.rows.last() else {
            break;
        };
        after = Some(last.label.clone());
        for contact in &page.rows {
            lines.push_str(&csv::line(contact));
            count += 1;
        }
    }
    csv::write(file, &lines)?;
    Ok(Report::new(
        format!("{count} contacts\n"),
        json!({ "contacts": count, "file": file.display().to_string() }),
    ))
}
