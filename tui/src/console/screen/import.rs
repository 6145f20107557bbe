//! Bringing in a key or a phrase: where it is, what it is, which wallets it gives, and how it is kept.
//!
//! What was typed or pasted stays in a masked field until it is kept, and is wiped then. Every look at it is done
//! anew from there: nothing read from a file stays in memory.

use std::fmt;

use crossterm::event::KeyEvent;
use keyward_core::account::Chain;
use keyward_core::mnemonic::Wordlist;
use keyward_core::path::PathFamily;
use keyward_custody::password::MAX_PASSWORD_BYTES;
use ratatui::Frame;
use ratatui::layout::Rect;
use zeroize::Zeroizing;

use super::wallet::facts::chain_name;
use crate::console::effect::{Answer, Failure, Pending, RequestId, Work};
use crate::console::effects::keys::{
    Given, ImportRequest, Kept, KeysAnswer, KeysWork, Looked, Question, Source,
};
use crate::console::form::{Field, Form, FormAct};
use crate::console::input::Edit;
use crate::console::keymap::{Action, Context};
use crate::console::modal::{Decision, parse_count};
use crate::console::page::{Cx, Event, Handled, Nav, Page};
use crate::console::sheet::ask_to_discard;
use crate::console::state::Shared;
use crate::console::text::count;
use crate::console::update::{start_derivation_of, tags};

#[cfg(test)]
mod tests;
mod view;

/// The most bytes of a key as text: a keystore has half a thousand.
const TEXT_BYTES: usize = 16 * 1024;
const PATH_BYTES: usize = 1_024;

// The fields of where the key is.
const TEXT: usize = 0;
const FILE: usize = 1;
// The fields of a key.
const LABEL: usize = 0;
const TAGS: usize = 1;
const OWN: usize = 2;
const OWN_AGAIN: usize = 3;
// The fields of a phrase.
const PASSPHRASE: usize = 0;
const FAMILY: usize = 1;
const PHRASE_LABEL: usize = 2;
const HOW_MANY: usize = 3;

/// Where one is.
#[derive(Debug)]
enum Step {
    /// Where the key is.
    Source,
    /// Something that the bytes do not tell.
    Question(Question),
    /// One key was found.
    Key,
    /// A phrase was found.
    Phrase,
    /// It is kept.
    Done(Vec<String>),
}

/// The import.
pub struct ImportScreen {
    step: Step,
    source: Form,
    /// The question or the details.
    form: Form,
    chain: Option<Chain>,
    language: Option<Wordlist>,
    password: Option<Zeroizing<String>>,
    found: Option<Looked>,
    completing: Pending,
    looking: Pending,
    keeping: Pending,
    failure: Option<Failure>,
    problem: Option<String>,
}

impl fmt::Debug for ImportScreen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImportScreen").finish_non_exhaustive()
    }
}

impl Default for ImportScreen {
    fn default() -> Self {
        Self {
            step: Step::Source,
            source: Form::new(vec![
                Field::masked("key or phrase", TEXT_BYTES)
                    .hint("paste or type it; it is never shown. A path goes into the field below."),
                Field::plain("or a file", PATH_BYTES).hint("Tab completes names; ~/ is your home folder"),
            ]),
            form: Form::default(),
            chain: None,
            language: None,
            password: None,
            found: None,
            completing: Pending::default(),
            looking: Pending::default(),
            keeping: Pending::default(),
            failure: None,
            problem: None,
        }
    }
}

impl ImportScreen {
    fn given(&self) -> Given {
        let source = if self.source.expose_text(TEXT).trim().is_empty() {
            Source::File(self.source.expose_text(FILE).trim().to_owned())
        } else {
            Source::Text(Zeroizing::new(self.source.expose_text(TEXT).trim().to_owned()))
        };
        Given {
            source,
            chain: self.chain,
            language: self.language,
            password: self
                .password
                .as_ref()
                .map(|password| Zeroizing::new(password.to_string())),
        }
    }

    fn look(&mut self, cx: &mut Cx<'_>) {
        self.failure = None;
        let passphrase = match self.step {
            Step::Phrase => self.form.expose_copy(PASSPHRASE),
            _ => Zeroizing::default(),
        };
        let given = Box::new(self.given());
        cx.start_latest(
            &mut self.looking,
            Work::Keys(KeysWork::Look { given, passphrase }),
        );
    }

    fn looked(&mut self, result: Result<Looked, Failure>) {
        match result {
            Err(failure) => {
                // A wrong password of the file is asked for again.
                if self.password.take().is_some() {
                    self.form.clear_secrets();
                }
                self.failure = Some(failure);
            }
            Ok(Looked::Ask(question)) => {
                self.form = question_form(&question);
                self.step = Step::Question(question);
            }
            Ok(found @ Looked::Key { .. }) => {
                self.form = key_form();
                self.step = Step::Key;
                self.found = Some(found);
            }
            Ok(found @ Looked::Phrase { .. }) => {
                if !matches!(self.step, Step::Phrase) {
                    self.form = phrase_form();
                }
                self.step = Step::Phrase;
                self.found = Some(found);
            }
        }
    }

    fn family(&self) -> PathFamily {
        PathFamily::ALL
            .into_iter()
            .nth(self.form.chosen(FAMILY))
            .unwrap_or_default()
    }

    fn submit(&mut self, cx: &mut Cx<'_>) {
        if self.looking.is_waiting() || self.keeping.is_waiting() {
            return;
        }
        match &self.step {
            Step::Source => {
                let text = self.source.expose_text(TEXT).trim().is_empty();
                let file = self.source.expose_text(FILE).trim().is_empty();
                match (text, file) {
                    (true, true) => self.problem = Some("give a key or a phrase, or name a file".into()),
                    (false, false) => self.problem = Some("give one of the two, and clear the other".into()),
                    _ => self.look(cx),
                }
            }
            Step::Question(question) => {
                match question {
                    Question::Chain { choices, .. } => {
                        self.chain = choices.get(self.form.chosen(0)).copied();
                    }
                    Question::Language(choices) => {
                        self.language = choices.get(self.form.chosen(0)).copied();
                    }
                    Question::Password(_) => self.password = Some(self.form.expose_copy(0)),
                }
                self.look(cx);
            }
            Step::Key => self.keep_key(cx),
            Step::Phrase => self.keep_phrase(cx),
            Step::Done(_) => cx.go(Nav::Back),
        }
    }

    fn keep_key(&mut self, cx: &mut Cx<'_>) {
        if self.form.expose_text(OWN) != self.form.expose_text(OWN_AGAIN) {
            self.problem = Some("the wallet's own password was not typed the same twice".into());
            self.form.clear(OWN_AGAIN);
            self.form.set_focus(OWN_AGAIN);
            return;
        }
        let own = self.form.expose_copy(OWN);
        let request = ImportRequest {
            given: self.given(),
            label: self.form.expose_text(LABEL).trim().to_owned(),
            tags: tags(self.form.expose_text(TAGS)),
            password: (!own.is_empty()).then_some(own),
            passphrase: Zeroizing::default(),
            family: PathFamily::default(),
        };
        self.keep(request, cx);
    }

    fn keep_phrase(&mut self, cx: &mut Cx<'_>) {
        let number = self.form.expose_text(HOW_MANY).trim();
        let wrong = match number {
            "" | "0" => None,
            text => parse_count(text).err(),
        };
        if let Some(problem) = wrong {
            self.problem = Some(problem);
            self.form.set_focus(HOW_MANY);
            return;
        }
        let request = ImportRequest {
            given: self.given(),
            label: self.form.expose_text(PHRASE_LABEL).trim().to_owned(),
            tags: Vec::new(),
            password: None,
            passphrase: self.form.expose_copy(PASSPHRASE),
            family: self.family(),
        };
        self.keep(request, cx);
    }

    fn keep(&mut self, request: ImportRequest, cx: &mut Cx<'_>) {
        self.failure = None;
        let work = Work::Keys(KeysWork::Import(Box::new(request)));
        cx.start_latest(&mut self.keeping, work);
    }

    fn kept(&mut self, result: Result<Kept, Failure>, cx: &mut Cx<'_>) {
        let kept = match result {
            Ok(kept) => kept,
            Err(failure) => return self.failure = Some(failure),
        };
        let mut words = Vec::new();
        match kept {
            Kept::Keys(report) => {
                words.extend(report.added.iter().map(|address| format!("✓ added  {address}")));
                let there = |address| format!("= was there already, nothing changed  {address}");
                words.extend(report.known.iter().map(there));
                if let Some(session) = &mut cx.shared.session {
                    let added = report.added.len() as u64;
                    session.summary.wallet_count = session.summary.wallet_count.saturating_add(added);
                }
            }
            Kept::Phrase(phrase) => {
                words.push(if phrase.known {
                    format!("= this phrase is there already, as number {}", phrase.id)
                } else {
                    format!("✓ kept as phrase {}", phrase.id)
                });
                if let Ok(number) = parse_count(self.form.expose_text(HOW_MANY).trim()) {
                    let family = self.family();
                    let number = if family.is_single() { 1 } else { number };
                    start_derivation_of(Some(phrase.id), Some(family), number, cx);
                    words.push(format!(
                        "▸ deriving {} by {} ({})",
                        count(u64::from(number), "wallet", "wallets"),
                        family.id(),
                        chain_name(family.chain())
                    ));
                }
            }
        }
        self.forget();
        self.step = Step::Done(words);
        cx.go(Nav::Tell(Event::WalletsChanged));
    }

    /// Wipes everything typed.
    fn forget(&mut self) {
        self.source.clear(TEXT);
        self.source.clear(FILE);
        self.form = Form::default();
        self.password = None;
        self.found = None;
    }

    fn back(&mut self, cx: &mut Cx<'_>) {
        match self.step {
            // It either was kept or was not, and the answer says which.
            _ if self.keeping.is_waiting() => {}
            Step::Done(_) => cx.go(Nav::Back),
            Step::Source if self.unsaved() => cx.modal(ask_to_discard("Leave the import?")),
            Step::Source => cx.go(Nav::Back),
            Step::Question(_) | Step::Key | Step::Phrase => {
                // What was said of the key is asked again; the key itself is still in its field.
                cx.cancel(&mut self.looking);
                self.form = Form::default();
                (self.chain, self.language, self.password, self.found) = (None, None, None, None);
                (self.failure, self.problem) = (None, None);
                self.step = Step::Source;
            }
        }
    }

    fn edited(&mut self, edit: Edit, cx: &mut Cx<'_>) {
        if !matches!(edit, Edit::Changed | Edit::Full) {
            return;
        }
        self.failure = None;
        self.problem = (edit == Edit::Full).then(|| "that is too long; only its beginning was taken".into());
        if matches!(self.step, Step::Phrase) && self.form.focus() == PASSPHRASE {
            self.look(cx);
        }
    }

    fn current(&mut self) -> &mut Form {
        match self.step {
            Step::Source => &mut self.source,
            _ => &mut self.form,
        }
    }
}

fn question_form(question: &Question) -> Form {
    Form::new(vec![match question {
        Question::Chain { choices, .. } => {
            let name = |chain: &Chain| chain_name(*chain).to_owned();
            Field::choice("it is a key for", choices.iter().map(name).collect()).hint("← → choose")
        }
        Question::Language(choices) => Field::choice(
            "its language",
            choices.iter().map(|list| list.id().to_owned()).collect(),
        )
        .hint("← → choose; the phrase is valid in each of them"),
        Question::Password(_) => Field::masked("the file's password", MAX_PASSWORD_BYTES)
            .hint("the one that the file was encrypted with, not the vault's"),
    }])
}

fn key_form() -> Form {
    Form::new(vec![
        Field::plain("label", 128).hint("how the wallet is called; may stay empty"),
        Field::plain("tags", 256).hint("names, separated by spaces or commas"),
        Field::masked("own password", MAX_PASSWORD_BYTES)
            .hint("optional: then the wallet signs only with it. Nobody can reset it."),
        Field::masked("and again", MAX_PASSWORD_BYTES),
    ])
}

fn phrase_form() -> Form {
    let family = |family: PathFamily| format!("{}  {}", family.id(), family.template());
    Form::new(vec![
        Field::masked("passphrase", 1_024)
            .hint("BIP-39's, if the phrase has one; another one gives other wallets"),
        Field::choice("path", PathFamily::ALL.into_iter().map(family).collect())
            .hint("← → choose; take the one that shows an address you know"),
        Field::plain("label", 128).hint("how the phrase is called; may stay empty"),
        Field::plain("wallets to derive", 16)
            .with_text("1")
            .hint("0 keeps the phrase alone; d in the list derives more"),
    ])
}

/// Whether a pasted text is rather a path than a key: no key begins like one.
fn looks_like_a_path(text: &str) -> bool {
    ["/", "~/", "./", "../"]
        .iter()
        .any(|start| text.starts_with(start))
}

impl Page for ImportScreen {
    fn contexts(&self) -> Vec<Context> {
        match self.step {
            Step::Source if self.source.focus() == FILE => vec![Context::File, Context::Form],
            Step::Done(_) => vec![Context::Done],
            _ => vec![Context::Form],
        }
    }

    fn typing(&self) -> bool {
        !matches!(self.step, Step::Done(_))
    }

    fn act(&mut self, action: Action, cx: &mut Cx<'_>) -> Handled {
        if action == Action::Back {
            self.back(cx);
            return Handled::Yes;
        }
        if action == Action::Complete {
            let text = self.source.expose_text(FILE).to_owned();
            cx.start_latest(&mut self.completing, Work::Keys(KeysWork::Complete(text)));
            return Handled::Yes;
        }
        let alone = matches!(self.step, Step::Done(_))
            || (matches!(self.step, Step::Source) && !self.source.is_empty());
        if action == Action::Accept && alone {
            self.submit(cx);
            return Handled::Yes;
        }
        match self.current().act(action) {
            FormAct::Submit => self.submit(cx),
            FormAct::Other => return Handled::No,
            FormAct::Done | FormAct::Back => {}
        }
        Handled::Yes
    }

    fn text(&mut self, key: KeyEvent, cx: &mut Cx<'_>) {
        if !self.keeping.is_waiting() {
            let edit = self.current().key(key);
            self.edited(edit, cx);
        }
    }

    fn paste(&mut self, text: &str, cx: &mut Cx<'_>) {
        if self.keeping.is_waiting() {
            return;
        }
        if matches!(self.step, Step::Source) {
            // A key never lands in the field that shows its text.
            self.source.set_focus(if looks_like_a_path(text.trim_start()) {
                FILE
            } else {
                TEXT
            });
        }
        let edit = self.current().paste(text);
        self.edited(edit, cx);
    }

    fn answer(&mut self, id: RequestId, answer: Answer, cx: &mut Cx<'_>) -> Option<Answer> {
        match answer {
            Answer::Keys(KeysAnswer::Completed(found)) if self.completing.settle(id) => match found {
                Some(text) => self.source.set_text(FILE, &text),
                None => cx.notice("no file begins like this"),
            },
            Answer::Keys(KeysAnswer::Looked(result)) if self.looking.settle(id) => self.looked(result),
            Answer::Keys(KeysAnswer::Imported(result)) if self.keeping.settle(id) => self.kept(result, cx),
            Answer::Broken(failure) if self.looking.settle(id) || self.keeping.settle(id) => {
                self.failure = Some(failure);
            }
            other => return Some(other),
        }
        None
    }

    fn unsaved(&self) -> bool {
        !self.source.is_empty() || !self.form.is_empty() || self.keeping.is_waiting()
    }

    fn confirmed(&mut self, decision: &Decision, cx: &mut Cx<'_>) {
        if *decision == Decision::Discard {
            self.forget();
            cx.go(Nav::Back);
        }
    }

    fn view(&self, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
        view::view(self, shared, frame, area);
    }
}
