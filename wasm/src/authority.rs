//! Who says what may be signed: the vault file's policy where it carries one, else the page.
//!
//! Both ask core's evaluator, so that nothing is signed that was not decoded and judged, and what no policy can allow
//! (a message that is a transaction, a hash without what was hashed, accounts from unknown lookup tables) is refused
//! either way. The decision record 0020 has the reasons.

use std::vec;

use keyward_core::account::AccountAddress;
use keyward_core::intent::{Action, Intent};
use keyward_core::policy::{
    Approval, Decision, Effect, Facts, Limits, OperationKind, Policy, PolicyError, Refusal, Request, Rule,
    RuleMatch, evaluate,
};

use crate::failure::Failure;

/// What decides.
pub(crate) enum Authority {
    /// The policy of the vault file.
    Vault(Policy),
    /// The page: its call is the confirmation.
    Page,
    /// The vault file has a policy that cannot be read, so nothing is signed.
    Unsound(PolicyError),
}

impl Authority {
    /// The authority of a vault file with this policy, as its JSON.
    pub(crate) fn of(policy: Option<&str>) -> Self {
        match policy.map(Policy::from_json) {
            None => Self::Page,
            Some(Ok(policy)) => Self::Vault(policy),
            Some(Err(error)) => Self::Unsound(error),
        }
    }

    /// Which it is, for the page to show.
    pub(crate) const fn id(&self) -> &'static str {
        match self {
            Self::Vault(_) => "vault",
            Self::Page => "page",
            Self::Unsound(_) => "unsound",
        }
    }

    /// The decision, or every reason against it.
    ///
    /// Nothing is counted here: a limit over time whose asset the request moves refuses for want of its counter.
    pub(crate) fn judge(&self, request: &Request<'_>) -> Result<Approval, Vec<Refusal>> {
        let allowing;
        let policy = match self {
            Self::Vault(policy) => policy,
            Self::Page => {
                allowing = page_policy(request);
                &allowing
            }
            Self::Unsound(error) => return Err(vec![Refusal::UnsoundPolicy(error.clone())]),
        };
        match evaluate(policy, request, &Facts::default()) {
            Decision::Allowed(approval) => Ok(approval),
            Decision::Refused(refusals) => Err(refusals),
        }
    }

    /// As [`Authority::judge`], for signing.
    pub(crate) fn approve(&self, request: &Request<'_>) -> Result<Approval, Failure> {
        self.judge(request).map_err(Failure::Refused)
    }
}

/// Allows what this one request does, naming the programs and contracts that it calls, without limits. Not named, and
/// so always refused: that an account hands its code over (EIP-7702), and that a key leaves.
fn page_policy(request: &Request<'_>) -> Policy {
    let called: Vec<AccountAddress> = match request {
        Request::Transaction { intent, .. } => programs(intent),
        Request::EvmTransaction { intent, .. } => intent
            .contract()
            .map(|contract| (*contract).into())
            .into_iter()
            .collect(),
        Request::TypedData { typed_data, .. } => typed_data
            .domain()
            .verifying_contract
            .map(AccountAddress::Evm)
            .into_iter()
            .collect(),
        _ => Vec::new(),
    };
    let mut rules = vec![rule(
        "the page asks",
        vec![
            OperationKind::SolTransfer,
            OperationKind::TokenTransfer,
            OperationKind::Memo,
            OperationKind::ComputeBudget,
            OperationKind::TextMessage,
            OperationKind::OffChainMessage,
            OperationKind::EvmTransfer,
            OperationKind::EvmTokenTransfer,
            OperationKind::EvmNftTransfer,
            OperationKind::EvmApproval,
            OperationKind::EvmCreate,
        ],
        Vec::new(),
    )];
    if !called.is_empty() {
        rules.push(rule(
            "the page asks for these calls",
            vec![
                OperationKind::ProgramCall,
                OperationKind::EvmCall,
                OperationKind::TypedData,
                OperationKind::TypedDataApproval,
            ],
            called,
        ));
    }
    Policy { version: 1, rules }
}

fn programs(intent: &Intent) -> Vec<AccountAddress> {
    let mut called: Vec<AccountAddress> = intent
        .actions
        .iter()
        .filter_map(|action| match action {
            Action::Decoded { program, .. } | Action::Unknown { program, .. } => Some((*program).into()),
            _ => None,
        })
        .collect();
    called.sort_unstable();
    called.dedup();
    called
}

fn rule(name: &str, operations: Vec<OperationKind>, programs: Vec<AccountAddress>) -> Rule {
    Rule {
        name: name.to_owned(),
        effect: Effect::Allow,
        matches: RuleMatch {
            operations,
            programs,
            ..RuleMatch::default()
        },
        limits: Limits::default(),
    }
}
