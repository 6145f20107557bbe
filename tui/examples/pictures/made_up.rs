//! The made-up vault and node behind the pictures. The phrase is the published test phrase: nobody's money.

use anyhow::Context as _;
use keyward_core::address::{Address, Blockhash, Signature};
use keyward_core::amount::Lamports;
use keyward_core::audit::{AuditEntry, Operation, Outcome};
use keyward_core::derive::SolanaDeriver;
use keyward_core::intent::Intent;
use keyward_core::mnemonic::Mnemonic;
use keyward_core::path::PathFamily;
use keyward_core::solana::{MessageVersion, Transaction, compile_message, instructions};
use keyward_core::vault::{KdfParams, VaultId};
use keyward_custody::chain::NodeStatus;
use keyward_custody::lookalike::{Known, KnownAs};
use keyward_custody::transfer::{BalanceChange, TransferAmount, TransferPlan};
use keyward_custody::{
    AuditQuery, AuditRow, AuditRows, MasterId, PreviewDecision, SigningPreview, VaultSummary, Wallet,
    WalletPage, WalletQuery, WalletStatus,
};

use keyward::console::effects::send::{Draft, Prepared, Wish};

/// 2026-11-21 14:05:09 UTC.
pub(crate) const NOW_MS: u64 = 1_795_269_909_000;
/// How many wallets there are.
pub(crate) const WALLETS: u32 = 10_000;
/// How many audit entries there are.
pub(crate) const ENTRIES: u64 = 1_284;

const PHRASE: &str =
    "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";
const MINUTE_MS: u64 = 60_000;

/// Everything that questions are answered from.
pub(crate) struct World {
    deriver: SolanaDeriver,
}

impl World {
    pub(crate) fn new() -> anyhow::Result<Self> {
        let seed = Mnemonic::parse(PHRASE)?.to_seed("");
        let deriver = SolanaDeriver::new(&seed, PathFamily::Bip44Change)?;
        Ok(Self { deriver })
    }

    pub(crate) fn summary() -> VaultSummary {
        VaultSummary {
            id: VaultId::from_bytes(*b"made-up pictures"),
            created_ms: NOW_MS - 40 * 24 * 60 * MINUTE_MS,
            wallet_count: u64::from(WALLETS),
            kdf: KdfParams::DEFAULT,
            needs_second_factor: false,
            family: PathFamily::Bip44Change,
            has_recovery: false,
            epoch: 1,
        }
    }

    pub(crate) fn node() -> NodeStatus {
        NodeStatus {
            version: "4.2.2".into(),
            slot: 402_118_377,
            block_height: 380_204_119,
            latency_ms: 14,
            network: "EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG".into(),
            cluster_name: Some("devnet"),
        }
    }

    pub(crate) fn wallet(&self, index: u32) -> anyhow::Result<Wallet> {
        let key = self
            .deriver
            .derive_chunk(index, 1)?
            .pop()
            .context("one was asked for")?;
        Ok(Wallet {
            master: Some(MasterId::FIRST),
            family: Some(PathFamily::Bip44Change),
            index: Some(index),
            address: key.address.into(),
            own_password: false,
            path: key.path,
            label: label(index),
            tags: tags(index),
            created_ms: NOW_MS - 40 * 24 * 60 * MINUTE_MS,
            last_used_ms: last_used(index),
            owner: None,
            is_primary: false,
            role: String::new(),
            status: WalletStatus::Active,
            status_ms: 0,
            grace_until_ms: None,
            purge_after_ms: None,
            previous: None,
            rotate_every_ms: None,
            rotate_at_ms: None,
            rotation_count: 0,
            total_trades: 0,
            total_volume: 0,
        })
    }

    pub(crate) fn page(&self, query: &WalletQuery) -> anyhow::Result<WalletPage> {
        let first = u32::try_from(query.offset)?;
        let named = |index: &u32| query.text.is_empty() || label(*index).contains(&query.text);
        let rows = (first..WALLETS)
            .filter(named)
            .take(usize::try_from(query.limit.min(200))?)
            .map(|index| self.wallet(index))
            .collect::<anyhow::Result<Vec<_>>>()?;
        let total = if query.text.is_empty() {
            u64::from(WALLETS)
        } else {
            rows.len() as u64
        };
        Ok(WalletPage {
            total,
            rows,
            next: None,
        })
    }

    /// A balance; `None` for a few that the node did not say.
    pub(crate) fn balance(&self, address: &Address) -> Option<Lamports> {
        let index =
            (0..200).find(|index| self.wallet(*index).is_ok_and(|wallet| wallet.address == *address))?;
        match index {
            0 => Some(Lamports::new(1_000_000_000_000)),
            1 => Some(Lamports::new(102_400_000)),
            2 => Some(Lamports::new(2_039_280)),
            _ if index % 7 == 6 => Some(Lamports::ZERO),
            _ => Some(Lamports::new(50_000_000 + u64::from(index) * 1_234_567)),
        }
    }

    pub(crate) fn prepare(&self, draft: &Draft) -> anyhow::Result<Prepared> {
        let Wish::Exactly(TransferAmount::Sol(lamports)) = draft.amount else {
            anyhow::bail!("an exact amount of SOL")
        };
        let price = draft.fee.ceiling_micro_lamports();
        let message = compile_message(
            MessageVersion::V0,
            draft.from,
            &[
                instructions::compute_unit_limit(450),
                instructions::compute_unit_price(price),
                instructions::sol_transfer(draft.from, draft.to, lamports),
            ],
            Blockhash::new([9; 32]),
        )?;
        let intent = Intent::from_message(&message);
        let (fee, priority_fee) = (Lamports::new(5_000), intent.max_priority_fee());
        let out = [lamports, fee, priority_fee]
            .into_iter()
            .try_fold(Lamports::ZERO, Lamports::checked_add);
        let change = |address: Address, gained: bool| -> Option<BalanceChange> {
            let before = self.balance(&address)?;
            let after = if gained {
                before.checked_add(lamports)?
            } else {
                before.checked_sub(out?)?
            };
            Some(BalanceChange {
                address,
                before,
                after,
            })
        };
        let height = Self::node().block_height;
        let mut request = keyward_custody::transfer::TransferRequest::new(draft.from, draft.to, lamports);
        request.fee = draft.fee;
        let mut details = keyward_custody::transfer::PlanDetails::default();
        details.price = Some(keyward_custody::FeePrice {
            micro_lamports: price,
            capped: false,
        });
        let recipient = self.wallet(1)?;
        let plan = TransferPlan {
            request,
            transaction: Transaction::unsigned(message).encode(),
            fee,
            priority_fee,
            compute_unit_limit: 450,
            changes: [change(draft.from, false), change(draft.to, true)]
                .into_iter()
                .flatten()
                .collect(),
            simulation_error: None,
            warnings: Vec::new(),
            decision: SigningPreview {
                decision: PreviewDecision::Allowed {
                    rules: vec!["compute-budget".into(), "sol-transfers".into()],
                },
                signers: vec![draft.from],
                intent: intent.clone(),
            },
            intent,
            last_valid_block_height: height + 60,
            network: Self::node().network,
            details,
        };
        Ok(Prepared {
            plan,
            known: Some(Known {
                address: draft.to,
                label: recipient.label.clone(),
                known_as: KnownAs::OwnWallet,
                uses: 40,
            }),
            recipient: Some(recipient),
            paid_before: 12,
            block_height: Some(height),
        })
    }

    pub(crate) fn entries(&self, query: &AuditQuery) -> anyhow::Result<AuditRows> {
        let within = |sequence: &u64| {
            query.before_sequence.is_none_or(|before| *sequence < before)
                && query.after_sequence.is_none_or(|after| *sequence > after)
        };
        let rows = (0..ENTRIES)
            .rev()
            .filter(within)
            .take(usize::try_from(query.limit)?)
            .map(|sequence| Ok(AuditRow::Entry(Box::new(self.entry(sequence)?))))
            .collect::<anyhow::Result<Vec<_>>>()?;
        Ok(AuditRows { total: ENTRIES, rows })
    }

    fn entry(&self, sequence: u64) -> anyhow::Result<AuditEntry> {
        let back = ENTRIES - sequence;
        let (operation, outcome, reason, details) = match back % 9 {
            1 | 4 => (Operation::SignTransaction, Outcome::Signed, "", "1.500000000 SOL"),
            2 | 5 => (
                Operation::SignTransaction,
                Outcome::Authorised,
                "",
                "1.500000000 SOL",
            ),
            3 => (Operation::SetLabel, Outcome::Done, "", "label \"bot-0001\""),
            6 => (
                Operation::SignTransaction,
                Outcome::Refused,
                "over-limit",
                "75.000000000 SOL",
            ),
            7 => (Operation::Unlock, Outcome::Done, "", ""),
            8 => (Operation::UnlockFailed, Outcome::Failed, "wrong_password", ""),
            _ => (Operation::Lock, Outcome::Done, "", ""),
        };
        let signing = operation == Operation::SignTransaction;
        let index = if back < 4 { 0 } else { u32::try_from(back % 40)? };
        let wallet = (signing || operation == Operation::SetLabel)
            .then(|| self.wallet(index))
            .transpose()?;
        Ok(AuditEntry {
            sequence,
            time_ms: NOW_MS - back * 37_000,
            actor: "console".into(),
            operation,
            wallet: wallet.map(|wallet| wallet.address),
            outcome,
            reason: reason.into(),
            subject: signing.then_some([0x3c; 32]),
            details: details.into(),
            client_address: None,
            client_fingerprint: None,
        })
    }

    pub(crate) fn signature(seed: u8) -> Signature {
        let mut bytes = [seed; 64];
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = byte
                .wrapping_mul(31)
                .wrapping_add(u8::try_from(at * 37 % 251).unwrap_or(0));
        }
        Signature::new(bytes)
    }
}

fn label(index: u32) -> String {
    match index {
        0 => "treasury".into(),
        1..=4_000 => format!("bot-{index:04}"),
        _ => String::new(),
    }
}

fn tags(index: u32) -> Vec<String> {
    match index {
        0 => vec!["cold".into()],
        1..=4_000 => vec!["bots".into()],
        _ => Vec::new(),
    }
}

fn last_used(index: u32) -> Option<u64> {
    match index {
        0 => Some(NOW_MS - 2 * MINUTE_MS),
        1..=9 => Some(NOW_MS - u64::from(index) * 47 * MINUTE_MS),
        _ => None,
    }
}
