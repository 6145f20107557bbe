#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;

/// Every command's long help, the tree walked in order.
fn helps(command: &clap::Command, path: &str, out: &mut Vec<(String, String)>) {
    let mut own = command.clone().bin_name(path.to_owned()).term_width(100);
    out.push((path.to_owned(), own.render_long_help().to_string()));
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        helps(sub, &format!("{path} {}", sub.get_name()), out);
    }
}

fn all_helps() -> Vec<(String, String)> {
    let mut tree = command_tree();
    tree.build();
    let mut out = Vec::new();
    helps(&tree, "keyward", &mut out);
    out
}

#[test]
fn the_command_tree_is_sound() {
    command_tree().debug_assert();
}

#[test]
fn every_help_text_is_pinned() {
    for (path, help) in all_helps() {
        insta::assert_snapshot!(path.replace(' ', "_"), help);
    }
}

#[test]
fn every_command_that_does_something_has_an_example() {
    let tree = all_helps();
    for (path, help) in &tree {
        let is_group = tree
            .iter()
            .any(|(other, _)| other.starts_with(&format!("{path} ")));
        assert!(is_group || help.contains("Example"), "{path} shows no example");
    }
}

#[test]
fn no_option_takes_a_secret_itself() {
    fn check(command: &clap::Command) {
        for argument in command.get_arguments() {
            let name = argument.get_id().as_str();
            let secret = ["password", "phrase", "secret", "seed", "mnemonic", "key"]
                .iter()
                .any(|word| name.contains(word));
            // `keys` are public ones, and `password_of` names a wallet and a file.
            let allowed =
                name.ends_with("_file") || ["phrase_out", "key", "keys", "password_of"].contains(&name);
            assert!(!secret || allowed, "{} takes {name}", command.get_name());
        }
        command.get_subcommands().for_each(check);
    }
    check(&command_tree());
}
