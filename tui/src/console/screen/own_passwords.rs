//! The passwords that wallets have of their own, asked for one after the other before they sign.

use std::fmt;

use crossterm::event::KeyEvent;
use keyward_custody::jobs::JobId;
use keyward_custody::password::{MAX_PASSWORD_BYTES, Password};
use keyward_custody::transfer::TransferPlan;
use keyward_custody::transfer::nonce::NoncePlan;
use keyward_custody::{Wallet, WalletPasswords};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::Screen;
use super::wallet::facts::title;
use crate::console::effect::{Failure, Work};
use crate::console::effects::bulk::BulkWork;
use crate::console::effects::send::SendWork;
use crate::console::form::{Field, Form, FormAct};
use crate::console::input::Edit;
use crate::console::jobs::Stop;
use crate::console::keymap::{Action, Context};
use crate::console::page::{Cx, Handled, Nav, Page};
use crate::console::sheet::{self, Foot};
use crate::console::state::Shared;
use crate::console::text::{fitted, grouped};
use crate::console::transfers::{NonceStep, Payment, Subject, amount_in_short};
use crate::console::widget::{full_address, wrapped};

#[cfg(test)]
mod tests;

/// The most wallets that are asked about: who has more gives files to a command.
const MAX_ASKED: usize = 20;

/// What is signed with the passwords.
#[derive(Debug)]
pub enum OwnWork {
    /// What a stored job still has to do.
    Run {
        /// Which.
        job: JobId,
        /// Its name in the list of what goes on.
        title: String,
    },
    /// A transfer that was reviewed. Its screen takes the place of the review and the form.
    Send {
        /// What is signed.
        plan: Box<TransferPlan>,
        /// What it is.
        payment: Box<Payment>,
    },
    /// What is done with a durable nonce, which was shown.
    Nonce {
        /// What is signed.
        plan: Box<NoncePlan>,
        /// What it is.
        step: Box<NonceStep>,
    },
}

impl OwnWork {
    /// Begins it. Of a transfer, this leaves the review and the form: neither may be gone back to.
    pub fn start(self, passwords: WalletPasswords, cx: &mut Cx<'_>) {
        match self {
            Self::Run { job, .. } if cx.shared.jobs.run_of(job).is_some() => cx.notice("it runs already"),
            Self::Run { job, title } => {
                let work = Work::Bulk(BulkWork::Run(job, Some(passwords)));
                let run = cx.start_job(title, work, Stop::Resumable);
                cx.shared.jobs.runs(run, job);
            }
            Self::Send { plan, payment } => {
                let title = format!(
                    "send {} to {}",
                    amount_in_short(&payment.request.amount),
                    payment.to_whom()
                );
                let work = Work::Send(SendWork::Submit(plan, passwords));
                let id = cx.start_job(title, work, Stop::Impossible);
                cx.shared.transfers.add(id, Subject::Payment(payment));
                cx.go(Nav::Back);
                cx.go(Nav::Back);
                cx.go(Nav::Push(Screen::transfer(id)));
            }
            Self::Nonce { plan, step } => {
                let work = Work::Send(SendWork::SubmitNonce(plan, passwords));
                let id = cx.start_job(step.words(), work, Stop::Impossible);
                cx.shared.transfers.add(id, Subject::Nonce(step));
                cx.go(Nav::Push(Screen::transfer(id)));
            }
        }
    }
}

/// Whether somebody is to be asked.
#[derive(Debug)]
pub enum Asking {
    /// No wallet has a password of its own.
    Nobody(OwnWork),
    /// Here.
    Screen(Box<OwnPasswordsScreen>),
    /// Not here.
    TooMany(Failure),
}

/// The page.
pub struct OwnPasswordsScreen {
    /// Those that are still to be asked about, the next one last.
    wallets: Vec<Wallet>,
    total: usize,
    given: WalletPasswords,
    form: Form,
    problem: Option<&'static str>,
    work: Option<OwnWork>,
}

impl fmt::Debug for OwnPasswordsScreen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnPasswordsScreen").finish_non_exhaustive()
    }
}

fn form() -> Form {
    let hint = "the wallet's own, and not the vault's; it is kept for this alone";
    Form::new(vec![
        Field::masked("wallet's password", MAX_PASSWORD_BYTES).hint(hint),
    ])
}

impl OwnPasswordsScreen {
    /// What has to be asked before this is signed by these wallets, each with a password of its own.
    #[must_use]
    pub fn asking(mut wallets: Vec<Wallet>, work: OwnWork) -> Asking {
        if wallets.is_empty() {
            return Asking::Nobody(work);
        }
        if wallets.len() > MAX_ASKED {
            return Asking::TooMany(Failure::new(
                format!(
                    "{} wallets have a password of their own, too many to ask for here",
                    grouped(wallets.len() as u64)
                ),
                "run it as a command, with --password-of for each of them",
            ));
        }
        wallets.reverse();
        Asking::Screen(Box::new(Self {
            total: wallets.len(),
            wallets,
            given: WalletPasswords::none(),
            form: form(),
            problem: None,
            work: Some(work),
        }))
    }

    fn submit(&mut self, cx: &mut Cx<'_>) {
        let password = self.form.expose_copy(0);
        if password.is_empty() {
            self.problem = Some("type the wallet's own password");
            return;
        }
        let Some(wallet) = self.wallets.pop() else { return };
        self.given
            .add(wallet.address, Password::new(password.as_str().to_owned()));
        self.form = form();
        if !self.wallets.is_empty() {
            return;
        }
        if let Some(work) = self.work.take() {
            cx.go(Nav::Back);
            work.start(std::mem::take(&mut self.given), cx);
        }
    }
}

impl Page for OwnPasswordsScreen {
    fn contexts(&self) -> Vec<Context> {
        vec![Context::Form]
    }

    fn typing(&self) -> bool {
        true
    }

    fn act(&mut self, action: Action, cx: &mut Cx<'_>) -> Handled {
        if action == Action::Back {
            cx.notice("nothing was signed");
            cx.go(Nav::Back);
            return Handled::Yes;
        }
        match self.form.act(action) {
            FormAct::Submit => self.submit(cx),
            FormAct::Other => return Handled::No,
            FormAct::Done | FormAct::Back => {}
        }
        Handled::Yes
    }

    fn text(&mut self, key: KeyEvent, _cx: &mut Cx<'_>) {
        if self.form.key(key) == Edit::Changed {
            self.problem = None;
        }
    }

    fn paste(&mut self, text: &str, _cx: &mut Cx<'_>) {
        if self.form.paste(text) == Edit::Changed {
            self.problem = None;
        }
    }

    fn view(&self, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
        let palette = &shared.palette;
        let Some(wallet) = self.wallets.last() else { return };
        let width = sheet::inner(area).width;
        let heading = format!("Password of {}", fitted(&title(wallet), 40));
        let remark = match self.total {
            1 => String::new(),
            total => format!("{} of {total}", total - self.wallets.len() + 1),
        };
        let mut words = vec![Line::from(full_address(&wallet.address.to_string(), palette))];
        let why = "This wallet has a password of its own, and signs with it alone. A wrong one counts towards its lockout.";
        words.extend(wrapped(why, width, palette.muted));
        let at = sheet::head(&heading, &remark, words, shared, frame, area);
        let at = self.form.view(frame, area, at, palette);
        let foot = match self.problem {
            Some(problem) => Foot::Problem(problem),
            None => Foot::Quiet,
        };
        sheet::foot(foot, shared, frame, area, at + 1);
    }
}
