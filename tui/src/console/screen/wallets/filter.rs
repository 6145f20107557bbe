//! What the filter of the list says: words with a name before a colon narrow it, everything else is searched for.

use keyward_core::account::Chain;
use keyward_custody::wallets::StatusFilter;
use keyward_custody::{WalletQuery, WalletStatus};

/// The words of a filter. Quotes keep spaces, for names that have them.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quoted = false;
    for ch in text.chars() {
        match ch {
            '"' => quoted = !quoted,
            ch if ch.is_whitespace() && !quoted => words.push(std::mem::take(&mut word)),
            ch => word.push(ch),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

/// The word that asks for this owner.
pub(super) fn for_owner(name: &str) -> String {
    if name.contains(char::is_whitespace) {
        format!("owner:\"{name}\"")
    } else {
        format!("owner:{name}")
    }
}

/// The word that asks for this tag.
pub(super) fn for_tag(name: &str) -> String {
    format!("tag:{name}")
}

/// The question that a filter asks. What is still being typed after a colon leaves nothing out.
pub(super) fn query(text: &str) -> WalletQuery {
    let mut query = WalletQuery::default();
    let mut searched = Vec::new();
    for word in words(text) {
        let named = |value: &str| (!value.is_empty()).then(|| value.to_owned());
        match word.split_once(':') {
            Some(("tag", value)) => query.tag = named(value),
            Some(("owner", value)) => query.owner = named(value),
            Some(("role", value)) => query.role = named(value),
            Some(("chain", value)) => query.chain = value.parse::<Chain>().ok(),
            Some(("status", value)) => query.status = status(value),
            _ => searched.push(word),
        }
    }
    query.text = searched.join(" ");
    query
}

fn status(value: &str) -> StatusFilter {
    let found = WalletStatus::ALL
        .into_iter()
        .find(|status| status.as_str() == value);
    match (value, found) {
        ("all", _) => StatusFilter::All,
        (_, Some(status)) => StatusFilter::Only(status),
        _ => StatusFilter::InUse,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_with_names_narrow_and_the_rest_is_searched_for() {
        let found = query("tag:bots owner:alice role:trading chain:evm status:deleted 7xK q9");
        assert_eq!(found.text, "7xK q9");
        assert_eq!(found.tag.as_deref(), Some("bots"));
        assert_eq!(found.owner.as_deref(), Some("alice"));
        assert_eq!(found.role.as_deref(), Some("trading"));
        assert_eq!(found.chain, Some(Chain::Evm));
        assert_eq!(found.status, StatusFilter::Only(WalletStatus::Deleted));
        assert_eq!(query("status:all").status, StatusFilter::All);
    }

    #[test]
    fn what_is_still_being_typed_leaves_nothing_out() {
        for text in ["tag:", "owner:", "role:", "chain:so", "status:del", ""] {
            let found = query(text);
            assert!(found.text.is_empty(), "{text}");
            assert_eq!(found.status, StatusFilter::InUse, "{text}");
            assert!(
                found.tag.is_none() && found.owner.is_none() && found.chain.is_none(),
                "{text}"
            );
        }
    }

    #[test]
    fn names_with_spaces_are_quoted() {
        let found = query(&format!("{} 7xK", for_owner("north desk")));
        assert_eq!(
            (found.owner.as_deref(), found.text.as_str()),
            (Some("north desk"), "7xK")
        );
        assert_eq!(for_owner("alice"), "owner:alice");
    }
}
