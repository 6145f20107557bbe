//! The table itself. The order within a context is the order in the bottom bar and the help.

use crossterm::event::KeyCode;

use super::Action as A;
use super::Context as C;
use super::{Action, Binding, Context, Key};

const fn bind(
    context: Context,
    keys: &'static [Key],
    action: Action,
    hint: &'static str,
    name: &'static str,
) -> Binding {
    Binding {
        context,
        keys,
        action,
        hint,
        name,
    }
}

const fn ch(ch: char) -> Key {
    Key::char(ch)
}

const fn ctrl(ch: char) -> Key {
    Key::ctrl(ch)
}

const ENTER: Key = Key::named(KeyCode::Enter);
const ESC: Key = Key::named(KeyCode::Esc);
const TAB: Key = Key::named(KeyCode::Tab);
const BACK_TAB: Key = Key::named(KeyCode::BackTab);
const UP: Key = Key::named(KeyCode::Up);
const DOWN: Key = Key::named(KeyCode::Down);
const LEFT: Key = Key::named(KeyCode::Left);
const RIGHT: Key = Key::named(KeyCode::Right);
const PAGE_UP: Key = Key::named(KeyCode::PageUp);
const PAGE_DOWN: Key = Key::named(KeyCode::PageDown);
const HOME: Key = Key::named(KeyCode::Home);
const END: Key = Key::named(KeyCode::End);

/// Every key of the console. One line each, so that it reads as the table it is.
#[rustfmt::skip]
pub const BINDINGS: &[Binding] = &[
    // Lists
    bind(C::List, &[UP, ch('k')], A::Up, "", "one line up"),
    bind(C::List, &[DOWN, ch('j')], A::Down, "", "one line down"),
    bind(C::List, &[PAGE_UP, ctrl('b')], A::PageUp, "", "one page up"),
    bind(C::List, &[PAGE_DOWN, ctrl('f')], A::PageDown, "", "one page down"),
    bind(C::List, &[HOME, ch('g')], A::First, "", "to the first line"),
    bind(C::List, &[END, ch('G')], A::Last, "", "to the last line"),
    // Forms
    bind(C::Form, &[ENTER], A::Accept, "next", "go on"),
    bind(C::Form, &[TAB, DOWN], A::Next, "field", "the next field"),
    bind(C::Form, &[BACK_TAB, UP], A::Previous, "", "the field before"),
    bind(C::Form, &[ESC], A::Back, "back", "one step back; what is typed stays"),
    bind(C::File, &[TAB], A::Complete, "complete", "complete the file's name"),
    bind(C::Done, &[ENTER, ESC], A::Back, "done", "leave"),
    // Filter
    bind(C::Filter, &[ENTER], A::Accept, "keep", "keep the filter and return to the list"),
    bind(C::Filter, &[ESC], A::ClearFilter, "clear", "clear the filter and return to the list"),
    bind(C::Filter, &[UP], A::Up, "", "one line up"),
    bind(C::Filter, &[DOWN], A::Down, "", "one line down"),
    bind(C::Filter, &[PAGE_UP], A::PageUp, "", "one page up"),
    bind(C::Filter, &[PAGE_DOWN], A::PageDown, "", "one page down"),
    // Windows
    bind(C::Modal, &[ENTER], A::Accept, "ok", "accept"),
    bind(C::Modal, &[ESC], A::Back, "close", "close the window"),
    bind(C::Modal, &[UP], A::Up, "", "one line up"),
    bind(C::Modal, &[DOWN], A::Down, "", "one line down"),
    bind(C::Modal, &[PAGE_UP], A::PageUp, "", "one page up"),
    bind(C::Modal, &[PAGE_DOWN], A::PageDown, "", "one page down"),
    bind(C::Confirm, &[ch('y')], A::Yes, "yes", "yes"),
    bind(C::Confirm, &[ch('n'), ESC], A::No, "no", "no"),
    // First run
    bind(C::Choice, &[ENTER, ch(' ')], A::Accept, "choose", "take this one"),
    bind(C::Choice, &[UP, ch('k')], A::Up, "", "one line up"),
    bind(C::Choice, &[DOWN, ch('j')], A::Down, "", "one line down"),
    bind(C::Choice, &[ESC, LEFT, ch('h')], A::Back, "back", "one step back"),
    bind(C::Phrase, &[ch('v')], A::Reveal, "show for 30 s", "show the phrase for 30 seconds, or hide it"),
    bind(C::Phrase, &[ENTER], A::Accept, "I wrote it down", "go on to the check"),
    bind(C::Phrase, &[ESC], A::Back, "back", "one step back"),
    bind(C::Import, &[TAB], A::Complete, "complete", "complete the word being typed"),
    bind(C::Import, &[ENTER], A::Accept, "next", "check the phrase and go on"),
    bind(C::Import, &[ctrl('r')], A::Reveal, "show", "show the phrase for 30 seconds, or hide it"),
    bind(C::Import, &[ESC], A::Back, "back", "one step back; what is typed stays"),
    bind(C::Paths, &[ENTER], A::Accept, "next", "take this path"),
    bind(C::Paths, &[UP], A::Up, "path", "the path before"),
    bind(C::Paths, &[DOWN], A::Down, "", "the next path"),
    bind(C::Paths, &[ctrl('r')], A::Reveal, "show passphrase", "show the passphrase for 30 seconds, or hide it"),
    bind(C::Paths, &[ESC], A::Back, "back", "one step back; what is typed stays"),
    bind(C::Trouble, &[ch('r')], A::Refresh, "try again", "try to open the vault again"),
    bind(C::Many, &[ENTER], A::Accept, "derive", "derive so many wallets"),
    bind(C::Many, &[ESC], A::Back, "later", "go to the empty list"),
    bind(C::Deriving, &[ENTER], A::Accept, "to the wallets", "go to the list; it goes on"),
    bind(C::Deriving, &[ch('x')], A::Cancel, "cancel", "cancel; nothing is stored"),
    bind(C::Trouble, &[ESC], A::Quit, "leave", "leave"),
    // Unlock
    bind(C::Unlock, &[ENTER], A::Accept, "unlock", "unlock the vault"),
    bind(C::Unlock, &[ESC], A::Back, "clear", "clear the field"),
    bind(C::Unlock, &[ctrl('r')], A::Recover, "recovery key", "open the vault by its recovery key"),
    bind(C::Unlock, &[ctrl('c')], A::Quit, "leave", "leave"),
    // Wallets
    bind(C::Wallets, &[ENTER, RIGHT, ch('l')], A::Accept, "open", "open the wallet"),
    bind(C::Wallets, &[ch(' ')], A::Mark, "mark", "mark or unmark"),
    bind(C::Wallets, &[ch('a')], A::Act, "act", "do something with the marked"),
    bind(C::Wallets, &[ch('s')], A::Send, "send", "send from this wallet"),
    bind(C::Wallets, &[ch('S')], A::Distribute, "distribute", "distribute: pay the marked, or a list"),
    bind(C::Wallets, &[ch('C')], A::Consolidate, "", "consolidate: collect what the marked, or this, hold"),
    bind(C::Wallets, &[ch('X')], A::CloseAccounts, "", "close empty token accounts, of the marked or this"),
    bind(C::Wallets, &[ch('/')], A::Filter, "filter", "filter as you type; tag:bots, owner:alice, role:trading, status:deleted, chain:evm, #7"),
    bind(C::Wallets, &[ch('d')], A::Derive, "derive", "derive more wallets"),
    bind(C::Wallets, &[ch('i')], A::Import, "import", "import a key, a phrase or a key file"),
    bind(C::Wallets, &[ch('c')], A::NextChain, "", "show one chain, the other, or both"),
    bind(C::Wallets, &[ch('e')], A::Label, "", "edit the label"),
    bind(C::Wallets, &[ch('t')], A::AddTags, "", "add tags to the marked, or to this wallet"),
    bind(C::Wallets, &[ch('T')], A::RemoveTags, "", "remove tags from the marked, or from this wallet"),
    bind(C::Wallets, &[ch('w')], A::Owner, "", "give the marked, or this wallet, to an owner"),
    bind(C::Wallets, &[ch('p')], A::Primary, "", "make it its owner's primary wallet"),
    bind(C::Wallets, &[ch('f')], A::Role, "", "say what the marked, or this wallet, are for"),
    bind(C::Wallets, &[ch('R')], A::Rotate, "", "give it a new key, or change its schedule"),
    bind(C::Wallets, &[ch('D')], A::Delete, "", "delete it, or restore a deleted one"),
    bind(C::Wallets, &[ch('P')], A::Purge, "", "destroy the key of a deleted wallet, or of all whose time is over"),
    bind(C::Wallets, &[ch('*')], A::MarkAll, "", "mark all that the filter shows"),
    bind(C::Wallets, &[ch('u')], A::ClearMarks, "", "forget all marks"),
    bind(C::Wallets, &[ch('o')], A::Sort, "", "sort by the next column"),
    bind(C::Wallets, &[ch('O')], A::Reverse, "", "turn the order round"),
    bind(C::Wallets, &[ch('r')], A::Refresh, "", "ask the node for balances again"),
    bind(C::Wallets, &[ch('y')], A::Copy, "", "copy the address"),
    bind(C::Wallets, &[ESC], A::ClearFilter, "", "clear the filter"),
    // Derive
    bind(C::Derive, &[ENTER], A::Accept, "derive", "derive so many wallets"),
    // Wallet
    bind(C::Wallet, &[ch('s')], A::Send, "send", "send from this wallet"),
    bind(C::Wallet, &[ch('S')], A::Distribute, "", "distribute: pay many from this wallet"),
    bind(C::Wallet, &[ch('C')], A::Consolidate, "", "consolidate: collect what it holds into another"),
    bind(C::Wallet, &[ch('X')], A::CloseAccounts, "", "close its empty token accounts"),
    bind(C::Wallet, &[ch('y')], A::Copy, "copy address", "copy the address"),
    bind(C::Wallet, &[ch('e')], A::Label, "label", "edit the label"),
    bind(C::Wallet, &[ch('t')], A::AddTags, "tag", "add tags"),
    bind(C::Wallet, &[ch('T')], A::RemoveTags, "", "remove tags"),
    bind(C::Wallet, &[ch('o')], A::Tokens, "tokens", "show its token accounts"),
    bind(C::Wallet, &[ch('v')], A::History, "history", "show its history, decoded"),
    bind(C::Wallet, &[ch('n')], A::Nonces, "", "show its durable nonces"),
    bind(C::Wallet, &[ch('x')], A::Export, "export", "export the key into a file"),
    bind(C::Wallet, &[ch('w')], A::Owner, "", "give it to an owner"),
    bind(C::Wallet, &[ch('p')], A::Primary, "", "make it its owner's primary wallet"),
    bind(C::Wallet, &[ch('f')], A::Role, "", "say what it is for"),
    bind(C::Wallet, &[ch('D')], A::Delete, "", "delete it, or restore it"),
    bind(C::Wallet, &[ch('P')], A::Purge, "", "destroy its key, once it is deleted"),
    bind(C::Wallet, &[ch('R')], A::Rotate, "", "give it a new key, or change its schedule"),
    bind(C::Wallet, &[ch('r')], A::Refresh, "refresh", "ask the node again"),
    bind(C::Wallet, &[ESC, LEFT, ch('h')], A::Back, "back", "back to the list"),
    // Send
    bind(C::Send, &[ENTER], A::Accept, "next", "the next field, then the review"),
    bind(C::Send, &[TAB], A::Next, "field", "the next field"),
    bind(C::Send, &[BACK_TAB], A::Previous, "", "the field before"),
    bind(C::Send, &[UP], A::Up, "", "the suggestion before"),
    bind(C::Send, &[DOWN], A::Down, "", "the next suggestion"),
    bind(C::Send, &[ctrl('r')], A::Resume, "follow", "follow unresolved transfers to their end"),
    bind(C::Send, &[ctrl('s')], A::Separate, "separate", "prepare it although an equal transfer is unresolved"),
    bind(C::Send, &[ctrl('t')], A::Tokens, "token", "choose a token to send in place of SOL"),
    bind(C::Send, &[ctrl('o')], A::GoSettings, "settings", "go to the settings; what is typed stays"),
    bind(C::Send, &[ESC], A::Back, "back", "one step back"),
    bind(C::Review, &[ch('y')], A::Sign, "sign and send", "sign and send"),
    bind(C::Review, &[ch('e')], A::Edit, "edit", "go back and edit"),
    bind(C::Review, &[ch('x')], A::Details, "instructions", "show all instructions"),
    bind(C::Review, &[ch('r')], A::Refresh, "again", "prepare and simulate it again"),
    bind(C::Review, &[UP, ch('k')], A::Up, "", "one line up"),
    bind(C::Review, &[DOWN, ch('j')], A::Down, "", "one line down"),
    bind(C::Review, &[ESC], A::Back, "cancel", "back to the form; nothing is signed"),
    bind(C::Doubt, &[ENTER], A::Sign, "go on", "go on to what is asked next, if the word is right"),
    bind(C::Doubt, &[ESC], A::Back, "not yet", "back to the review; nothing is signed"),
    bind(C::TypeAmount, &[ENTER], A::Sign, "sign and send", "sign and send, if the amount is right"),
    bind(C::TypeAmount, &[ESC], A::Back, "not yet", "back to the review; nothing is signed"),
    bind(C::Transfer, &[ch('e')], A::Edit, "edit", "open the form again, if nothing was sent"),
    bind(C::Transfer, &[ch('r')], A::Resume, "follow", "follow unresolved transfers to their end"),
    bind(C::Transfer, &[ch('y')], A::Copy, "copy signature", "copy the signature"),
    bind(C::Transfer, &[ENTER, ESC], A::Back, "back", "leave; the transfer goes on"),
    // Audit
    bind(C::Audit, &[ENTER], A::Accept, "details", "show the entry"),
    bind(C::Audit, &[ch('v')], A::Verify, "verify", "verify the whole log"),
    bind(C::Audit, &[ch('c')], A::Checkpoint, "checkpoint", "sign a checkpoint"),
    bind(C::Audit, &[ch('/')], A::Filter, "filter", "filter as you type"),
    bind(C::Audit, &[ch('n')], A::Counts, "", "count what is shown by operation and outcome"),
    bind(C::Audit, &[ch('p')], A::Prove, "", "compare the log with a checkpoint, or prove something of it"),
    bind(C::Audit, &[ch('x')], A::Export, "", "export what is shown as lines of JSON"),
    bind(C::Audit, &[ch('D')], A::Redact, "", "empty entries whose time is over to their hashes"),
    bind(C::Audit, &[ch('O')], A::Reverse, "", "turn the order round"),
    bind(C::Audit, &[ch('r')], A::Refresh, "", "read again"),
    bind(C::Audit, &[ESC], A::Back, "back", "one step back"),
    bind(C::Audit, &[ch('f')], A::Failures, "failures", "show the failures of the last 24 hours, or everything again"),
    bind(C::AuditCounts, &[ENTER, RIGHT, ch('l')], A::Accept, "entries", "show these entries"),
    bind(C::AuditCounts, &[ch('r')], A::Refresh, "again", "count again"),
    bind(C::AuditCounts, &[ESC, LEFT, ch('h')], A::Back, "back", "one step back"),
    bind(C::Proof, &[ch('y')], A::Copy, "copy the keys", "copy the keys that sign this log's checkpoints"),
    bind(C::Proof, &[ENTER, ESC], A::Back, "done", "leave"),
    // Owners
    bind(C::Owners, &[ENTER, RIGHT, ch('l')], A::Accept, "wallets", "show this owner's wallets"),
    bind(C::Owners, &[ch('n')], A::New, "new", "add an owner"),
    bind(C::Owners, &[ch('e')], A::Edit, "rename", "give it another name"),
    bind(C::Owners, &[ch('D')], A::Delete, "remove", "remove an owner that has no wallets"),
    bind(C::Owners, &[ch('r')], A::Refresh, "", "read again"),
    bind(C::Owners, &[ESC, LEFT, ch('h')], A::Back, "back", "one step back"),
    // Key rotation
    bind(C::Rotations, &[ENTER, RIGHT, ch('l')], A::Accept, "this one", "give it a new key, or change its schedule"),
    bind(C::Rotations, &[ch('R')], A::Rotate, "all due", "rotate every key that is due"),
    bind(C::Rotations, &[ch('r')], A::Refresh, "", "read again"),
    bind(C::Rotations, &[ESC, LEFT, ch('h')], A::Back, "back", "one step back"),
    // Settings
    bind(C::Settings, &[ENTER], A::Accept, "edit", "edit the setting"),
    bind(C::Settings, &[ch(' '), RIGHT], A::Change, "change", "the next value"),
    bind(C::Settings, &[ESC, LEFT, ch('h')], A::Back, "back", "one step back"),
    bind(C::Settings, &[ch('t')], A::Test, "try the node", "ask the endpoint how it is, once"),
    // Backup
    bind(C::Backup, &[ENTER, RIGHT, ch('l')], A::Accept, "choose", "do this"),
    bind(C::Backup, &[ESC, LEFT, ch('h')], A::Back, "back", "one step back"),
    bind(C::Rotating, &[ch('x')], A::Cancel, "stop", "stop it; it can be gone on with later"),
    bind(C::Merge, &[ENTER], A::Accept, "bring it in", "add what is not here yet"),
    bind(C::Merge, &[ESC], A::Back, "back", "back to the form; nothing is changed"),
    bind(C::Copying, &[ch('x')], A::Cancel, "cancel", "cancel; the target stays empty"),
    bind(C::Copying, &[ENTER, ESC], A::Back, "back", "leave; it goes on"),
    // Holdings
    bind(C::Tokens, &[ch('s')], A::Send, "send", "send of this token"),
    bind(C::Tokens, &[ch('r')], A::Refresh, "ask the node", "ask the node again"),
    bind(C::Tokens, &[ch('y')], A::Copy, "copy mint", "copy the mint's address"),
    bind(C::Tokens, &[ESC, LEFT, ch('h')], A::Back, "back", "one step back"),
    bind(C::History, &[ch('y')], A::Copy, "copy signature", "copy the signature"),
    bind(C::History, &[ch('r')], A::Refresh, "again", "ask the node again"),
    bind(C::History, &[ESC, LEFT, ch('h')], A::Back, "back", "one step back"),
    bind(C::Portfolio, &[ENTER, RIGHT, ch('l')], A::Accept, "wallets", "show the group's wallets"),
    bind(C::Portfolio, &[ch('o')], A::Change, "tag or owner", "group by owner, or by tag"),
    bind(C::Portfolio, &[ch('r')], A::Refresh, "read all", "read what is older than ten minutes from the node"),
    bind(C::Portfolio, &[ESC, LEFT, ch('h')], A::Back, "back", "one step back"),
    // Plans
    bind(C::Planning, &[ctrl('s')], A::Sign, "plan", "make the plan; nothing is signed"),
    bind(C::Planning, &[ctrl('o')], A::GoSettings, "settings", "go to the settings; what is typed stays"),
    bind(C::Plan, &[ch('y')], A::Sign, "sign and send", "sign and send it, once you typed what moves"),
    bind(C::Plan, &[ch('a')], A::Act, "agree", "agree to the question under the cursor, or go to the next one"),
    bind(C::Plan, &[ch('w')], A::Keep, "store", "store it as a job for later; nothing is signed"),
    bind(C::Plan, &[ch('t')], A::Try, "dry run", "dry run: try every transaction; nothing is sent"),
    bind(C::Plan, &[ch('e')], A::Edit, "edit", "back to the form"),
    bind(C::Plan, &[ESC, LEFT, ch('h')], A::Back, "back", "back to the form; nothing is stored"),
    // Jobs in bulk
    bind(C::Bulk, &[ENTER, RIGHT, ch('l')], A::Accept, "open", "open the job"),
    bind(C::Bulk, &[ch('r')], A::Refresh, "again", "read again"),
    bind(C::Bulk, &[ESC, LEFT, ch('h')], A::Back, "back", "one step back"),
    bind(C::Bulk, &[ch('S')], A::Distribute, "distribute", "distribute: pay many"),
    bind(C::Bulk, &[ch('C')], A::Consolidate, "consolidate", "consolidate: collect what many hold into one"),
    bind(C::Bulk, &[ch('X')], A::CloseAccounts, "close accounts", "close empty token accounts"),
    bind(C::BulkJob, &[ch('r')], A::Run, "run", "sign and send what is to be done, and follow it"),
    bind(C::BulkJob, &[ch('p')], A::Pause, "pause", "sign nothing new, or go on"),
    bind(C::BulkJob, &[ch('t')], A::Retry, "retry failed", "let what failed be done again"),
    bind(C::BulkJob, &[ch('X')], A::Cancel, "give up", "give up what was not signed"),
    bind(C::BulkJob, &[ch('f')], A::Change, "show", "show items of the next state"),
    bind(C::BulkJob, &[ch('v')], A::Report, "report", "report: what the chain says was paid, or is left"),
    bind(C::BulkJob, &[ch('e')], A::Edit, "edit", "edit: another list in its place, paying the difference"),
    bind(C::BulkJob, &[ch('y')], A::Copy, "", "copy the transaction's signature"),
    bind(C::BulkJob, &[ESC, LEFT, ch('h')], A::Back, "back", "one step back; a run goes on"),
    bind(C::Report, &[ch('r')], A::Refresh, "again", "ask the chain again"),
    bind(C::Report, &[ch('y')], A::Copy, "copy address", "copy the address"),
    bind(C::Report, &[ESC, LEFT, ch('h')], A::Back, "back", "one step back"),
    // Address book
    bind(C::Nonces, &[ch('n')], A::New, "new", "make a durable nonce"),
    bind(C::Nonces, &[ch('s')], A::Send, "send", "send by this nonce: it can land until that is advanced"),
    bind(C::Nonces, &[ch('v')], A::Advance, "advance", "advance it: what was signed by it can no longer land"),
    bind(C::Nonces, &[ch('D')], A::Delete, "close", "close it; what it holds comes back"),
    bind(C::Nonces, &[ch('r')], A::Refresh, "ask the node", "ask the node again"),
    bind(C::Nonces, &[ch('y')], A::Copy, "copy account", "copy the account's address"),
    bind(C::Nonces, &[ESC, LEFT, ch('h')], A::Back, "back", "one step back"),
    bind(C::Book, &[ch('n')], A::New, "new", "add somebody"),
    bind(C::Book, &[ch('y')], A::Copy, "copy address", "copy the address"),
    bind(C::Book, &[ch('e')], A::Edit, "label", "give another label"),
    bind(C::Book, &[ch('D')], A::Delete, "remove", "remove from the address book"),
    bind(C::Book, &[ch('/')], A::Filter, "filter", "filter as you type"),
    bind(C::Book, &[ch('r')], A::Refresh, "", "read again"),
    bind(C::Book, &[ESC, LEFT, ch('h')], A::Back, "back", "one step back"),
    // Inspect, find
    bind(C::Inspect, &[ESC, LEFT, ch('h')], A::Back, "back", "back to the field"),
    bind(C::Find, &[ctrl('x')], A::Cancel, "stop", "stop the search"),
    // Jobs
    bind(C::Jobs, &[ENTER, RIGHT, ch('l')], A::Accept, "open", "open the transfer, or the stored job"),
    bind(C::Jobs, &[ch('x')], A::Cancel, "cancel", "cancel the job"),
    bind(C::Jobs, &[ESC, LEFT, ch('h')], A::Back, "back", "one step back"),
    // With the vault open
    bind(C::Open, &[ch('1')], A::GoWallets, "", "go to the wallets"),
    bind(C::Open, &[ch('2')], A::GoAudit, "", "go to the audit log"),
    bind(C::Open, &[ch('3')], A::GoJobs, "", "go to the jobs"),
    bind(C::Open, &[ch('4')], A::GoSettings, "", "go to the settings"),
    bind(C::Open, &[ch('5')], A::GoBackup, "", "go to backup and recovery"),
    bind(C::Open, &[ch('6')], A::Inspect, "", "inspect a transaction or message"),
    bind(C::Open, &[ch('7')], A::FindPath, "", "find the path and passphrase of an address"),
    bind(C::Open, &[ch('9')], A::GoOwners, "", "go to the owners of wallets"),
    bind(C::Open, &[ch('8')], A::GoRotations, "", "go to the keys that are to be replaced"),
    bind(C::Open, &[ch('0')], A::GoPortfolio, "", "go to the portfolio"),
    bind(C::Open, &[ch('B')], A::GoBulk, "", "go to the jobs in bulk: distributions, consolidations, closings"),
    bind(C::Open, &[ch('b')], A::GoBook, "", "go to the address book"),
    bind(C::Open, &[ch('i')], A::Import, "", "import a key, a phrase or a key file"),
    bind(
        C::Open,
        &[ctrl('r')],
        A::Resume,
        "",
        "follow unresolved transfers to their end",
    ),
    bind(C::Open, &[ctrl('l')], A::Lock, "", "lock the vault at once"),
    // Everywhere
    bind(C::Global, &[ch('?'), Key::named(KeyCode::F(1))], A::Help, "help", "the keys of this screen"),
    bind(C::Global, &[ch(':'), ctrl('p')], A::Palette, "", "the command palette"),
    bind(C::Global, &[ctrl('l')], A::Lock, "", "lock the vault at once"),
    bind(C::Global, &[ch('q'), ctrl('c')], A::Quit, "", "leave"),
    bind(C::Global, &[Key::named(KeyCode::F(5))], A::Redraw, "", "draw the screen again"),
];
