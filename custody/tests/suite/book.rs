//! The address book, and what it and everything else known here say about a recipient.

use keyward_core::address::Address;
use keyward_core::audit::Operation;
use keyward_custody::lookalike::KnownAs;
use keyward_custody::{AuditQuery, AuditReport, ContactQuery, CustodyError, NewContact};

use crate::fixture::{FIRST, Fixture};

const SHOP: &str = "9n8nR1dSJGiFUDYMuHVVHkDQRU3wtZRDuWbJtDgXqyvJ";

fn address(number: u8) -> Address {
    Address::new([number; 32])
}

fn new(number: u8, label: &str) -> NewContact {
    NewContact {
        address: address(number),
        label: label.to_owned(),
        note: String::new(),
    }
}

async fn labels(custody: &keyward_custody::Custody, query: ContactQuery) -> Vec<String> {
    let page = custody.contacts(&query).await.unwrap();
    page.rows.into_iter().map(|contact| contact.label).collect()
}

#[tokio::test]
async fn contacts_come_and_go_and_the_log_says_so() {
    let fixture = Fixture::new();
    let custody = fixture.vault(1).await;
    let added = custody
        .add_contacts(vec![new(1, "till"), new(2, " shop "), new(3, "anna")])
        .await
        .unwrap();
    assert_eq!((added.added, added.same), (3, 0));
    let again = custody
        .add_contacts(vec![
            NewContact {
                note: "rent".into(),
                ..new(1, "till")
            },
            new(4, "zoe"),
        ])
        .await
        .unwrap();
    assert_eq!((again.added, again.same), (1, 1));
    assert_eq!(custody.contact("till").await.unwrap().note, "rent");
    assert_eq!(
        custody.contact(&address(2).to_string()).await.unwrap().label,
        "shop"
    );
    assert_eq!(
        labels(&custody, ContactQuery::default()).await,
        ["anna", "shop", "till", "zoe"]
    );
    let second = ContactQuery {
        after: Some("anna".into()),
        limit: 2,
        ..ContactQuery::default()
    };
    assert_eq!(labels(&custody, second).await, ["shop", "till"]);
    let found = ContactQuery {
        text: "REN".into(),
        ..ContactQuery::default()
    };
    assert_eq!(labels(&custody, found).await, ["till"]);
    custody.rename_contact("till", "counter").await.unwrap();
    assert_eq!(custody.remove_contact("shop").await.unwrap(), address(2));
    assert_eq!(
        labels(&custody, ContactQuery::default()).await,
        ["anna", "counter", "zoe"]
    );
    let entries = custody
        .audit_entries(&AuditQuery {
            operation: Some(Operation::ChangeBook),
            ..AuditQuery::default()
        })
        .await
        .unwrap();
    assert_eq!(entries.total, 4);
    assert!(matches!(
        custody.audit_verify(None).await.unwrap(),
        AuditReport::Intact { .. }
    ));
}

#[tokio::test]
async fn a_label_and_an_address_belong_together_once() {
    let fixture = Fixture::new();
    let custody = fixture.vault(1).await;
    custody
        .add_contacts(vec![new(1, "till"), new(2, "shop")])
        .await
        .unwrap();
    for wrong in [
        vec![new(1, "other")],
        vec![new(3, "till")],
        vec![new(3, "x"), new(3, "y")],
        vec![new(3, "x"), new(4, "x")],
        vec![new(5, "fine"), new(1, "other")],
    ] {
        let error = custody.add_contacts(wrong.clone()).await.unwrap_err();
        assert!(
            matches!(error, CustodyError::ContactExists { .. }),
            "{wrong:?}: {error}"
        );
    }
    let error = custody.rename_contact("till", "shop").await.unwrap_err();
    assert!(matches!(error, CustodyError::ContactExists { .. }), "{error}");
    custody.rename_contact("till", "till").await.unwrap();
    for label in ["", "  ", "#3", FIRST, "solana:x", "a\u{202e}b", &"x".repeat(65)] {
        let error = custody.add_contacts(vec![new(9, label)]).await.unwrap_err();
        assert!(
            matches!(error, CustodyError::Invalid { .. }),
            "{label:?}: {error}"
        );
    }
    let long = NewContact {
        note: "x".repeat(257),
        ..new(9, "x")
    };
    for wrong in [vec![long], Vec::new(), vec![new(1, "till"); 401]] {
        let error = custody.add_contacts(wrong).await.unwrap_err();
        assert!(matches!(error, CustodyError::Invalid { .. }), "{error}");
    }
    assert_eq!(custody.contacts(&ContactQuery::default()).await.unwrap().total, 2);
    for name in ["nobody", FIRST] {
        for error in [
            custody.contact(name).await.unwrap_err(),
            custody.remove_contact(name).await.unwrap_err(),
            custody.rename_contact(name, "x").await.unwrap_err(),
        ] {
            assert!(matches!(error, CustodyError::NotFound { .. }), "{error}");
        }
    }
}

#[tokio::test]
async fn a_locked_vault_reads_its_book_and_writes_nothing() {
    let fixture = Fixture::new();
    let custody = fixture.vault(1).await;
    custody.add_contacts(vec![new(1, "till")]).await.unwrap();
    custody.lock().await;
    assert_eq!(custody.contact("till").await.unwrap().address, address(1));
    for error in [
        custody.add_contacts(vec![new(2, "x")]).await.unwrap_err(),
        custody.rename_contact("till", "x").await.unwrap_err(),
        custody.remove_contact("till").await.unwrap_err(),
    ] {
        assert!(matches!(error, CustodyError::Locked), "{error}");
    }
}

/// A contact whose address somebody changes in the database would be paid in another's place.
#[tokio::test]
async fn a_book_that_was_changed_past_the_program_is_noticed() {
    let fixture = Fixture::new();
    let custody = fixture.vault(1).await;
    custody.add_contacts(vec![new(1, "till")]).await.unwrap();
    custody.close().await.unwrap();
    fixture
        .sql(&format!("UPDATE address_book SET address = '{SHOP}'"))
        .await;
    let custody = fixture.unlocked().await;
    match custody.audit_verify(None).await.unwrap() {
        AuditReport::Broken { reason, .. } => assert!(reason.contains("address_book"), "{reason}"),
        intact => panic!("{intact:?}"),
    }
}

#[tokio::test]
async fn what_looks_like_a_wallet_or_a_contact_is_told() {
    let fixture = Fixture::new();
    let custody = fixture.vault(1).await;
    let contact = NewContact {
        address: SHOP.parse().unwrap(),
        label: "shop".into(),
        note: String::new(),
    };
    custody.add_contacts(vec![contact]).await.unwrap();
    let lookalikes = custody.lookalikes().await.unwrap();
    assert_eq!(lookalikes.len(), 2);
    for (real, known_as) in [(FIRST, KnownAs::OwnWallet), (SHOP, KnownAs::Contact)] {
        assert!(lookalikes.check(&real.parse().unwrap()).is_empty());
        let fake: Address = (b'1'..=b'9')
            .find_map(|digit| {
                let mut text = real.to_owned().into_bytes();
                text[20] = digit;
                let text = String::from_utf8(text).unwrap();
                text.parse().ok().filter(|_| text != real)
            })
            .unwrap();
        let [found] = <[_; 1]>::try_from(lookalikes.check(&fake)).unwrap();
        assert_eq!((found.known.known_as, found.head, found.tail), (known_as, 8, 6));
    }
}
