#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use alloc::format;

use proptest::prelude::*;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::derive::{SolanaDeriver, derive_path};
use crate::mnemonic::Mnemonic;
use crate::path::DerivationPath;

const ABOUT: &str =
    "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";

fn phrase() -> Mnemonic {
    Mnemonic::parse(ABOUT).unwrap()
}

fn index(number: u32) -> ChildIndex {
    ChildIndex::new(number).unwrap()
}

fn passphrases(texts: &[&str]) -> Vec<Zeroizing<String>> {
    texts.iter().map(|text| Zeroizing::new((*text).into())).collect()
}

fn address(passphrase: &str, scheme: Scheme, account: u32, at: u32) -> AccountAddress {
    Addresses::new(&phrase().to_seed(passphrase), scheme, index(account))
        .unwrap()
        .at(index(at))
        .unwrap()
}

fn run(mut search: PathSearch<'_>) -> SearchReport {
    let mut steps = 0;
    while let Some(step) = search.next_chunk().unwrap() {
        assert!((1..=u64::from(SEARCH_CHUNK)).contains(&step.derived));
        steps += 1;
        assert!(steps < 100_000);
    }
    search.report()
}

#[test]
fn published_addresses_come_out() {
    // "abandon … about": the address that MetaMask and hardware wallets show first.
    let first: AccountAddress = "0x9858EfFD232B4033E47d90003D41EC34EcaEda94".parse().unwrap();
    for scheme in [
        Scheme::Family(PathFamily::EvmBip44),
        Scheme::Family(PathFamily::EvmLedgerLive),
        Scheme::EvmGrid,
    ] {
        assert_eq!(address("", scheme, 0, 0), first, "{scheme}");
    }
    let junk = Mnemonic::parse("test test test test test test test test test test test junk").unwrap();
    let seed = junk.to_seed("");
    let addresses = Addresses::new(&seed, Scheme::Family(PathFamily::EvmBip44), ZERO).unwrap();
    // The first two accounts of Hardhat and Foundry.
    for (at, expected) in [
        (0, "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"),
        (1, "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"),
    ] {
        assert_eq!(
            addresses.at(index(at)).unwrap(),
            expected.parse::<AccountAddress>().unwrap()
        );
    }
}

#[test]
fn every_scheme_gives_what_the_derivers_give() {
    let seed = phrase().to_seed("p");
    for family in PathFamily::of(Chain::Solana) {
        let addresses = Addresses::new(&seed, Scheme::Family(*family), ZERO).unwrap();
        let deriver = SolanaDeriver::new(&seed, *family).unwrap();
        for at in if family.is_single() { 0..1 } else { 0..3 } {
            let expected = deriver.derive(index(at)).unwrap().address;
            assert_eq!(
                addresses.at(index(at)).unwrap(),
                AccountAddress::from(expected),
                "{family} {at}"
            );
        }
    }
    for (account, at) in [(0, 0), (0, 5), (3, 0), (2, 7)] {
        let path: DerivationPath = Scheme::SolanaGrid
            .path_text(index(account), index(at))
            .parse()
            .unwrap();
        let expected = derive_path(&seed, &path).unwrap().address();
        assert_eq!(
            address("p", Scheme::SolanaGrid, account, at),
            AccountAddress::from(expected)
        );
    }
    for scheme in Scheme::of(Chain::Evm) {
        for (account, at) in [(0, 0), (0, 3), (2, 1)] {
            let account = if scheme.is_grid() { account } else { 0 };
            let path: DerivationPath = scheme.path_text(index(account), index(at)).parse().unwrap();
            let root = bip32::ExtendedKey::from_seed(&seed).unwrap();
            let node = path
                .components()
                .iter()
                .try_fold(root, |node, step| node.child(*step))
                .unwrap();
            let key = secp256k1::SecretKey::from_bytes(node.expose_secret()).unwrap();
            assert_eq!(
                address("p", scheme, account, at),
                AccountAddress::from(key.address()),
                "{path}"
            );
        }
    }
}

#[test]
fn names_are_read_back() {
    for scheme in Chain::ALL.into_iter().flat_map(Scheme::of) {
        assert_eq!(scheme.id().parse(), Ok(scheme));
        assert!(!scheme.is_grid() || scheme.template().contains("{account}"));
    }
    assert_eq!("nonsense".parse::<Scheme>(), Err(UnknownScheme));
}

#[test]
fn path_and_passphrase_are_found_in_any_scheme() {
    let phrase = phrase();
    let candidates = passphrases(&["", "wrong", "right"]);
    for scheme in Chain::ALL.into_iter().flat_map(Scheme::of) {
        let (account, at) = match (scheme.is_single(), scheme.is_grid()) {
            (true, _) => (0, 0),
            (_, true) => (1, 65),
            _ => (0, 65),
        };
        let target = address("right", scheme, account, at);
        let plan = SearchPlan {
            schemes: alloc::vec![scheme],
            indices: IndexRange::new(0, 66).unwrap(),
            accounts: IndexRange::new(0, 2).unwrap(),
            ..SearchPlan::everything(alloc::vec![target])
        };
        let report = run(PathSearch::new(&phrase, &candidates, &plan).unwrap());
        assert!(report.is_complete() && report.missing.is_empty(), "{scheme}");
        let [found] = &report.matches[..] else {
            panic!("{scheme}: {report:?}");
        };
        assert_eq!(
            *found,
            Match {
                target,
                scheme,
                account: index(account),
                index: index(at),
                path: scheme.path_text(index(account), index(at)),
                passphrase: 2,
            }
        );
    }
}

#[test]
fn the_answer_names_everything_also_when_nothing_is_found() {
    let phrase = phrase();
    let nobody: AccountAddress = crate::address::Address::new([9; 32]).into();
    let plan = SearchPlan {
        indices: IndexRange::new(3, 2).unwrap(),
        accounts: IndexRange::new(1, 2).unwrap(),
        ..SearchPlan::everything(alloc::vec![nobody])
    };
    let candidates = passphrases(&["", "a"]);
    let report = run(PathSearch::new(&phrase, &candidates, &plan).unwrap());
    assert_eq!(
        (report.missing.as_slice(), report.passphrases),
        (&[nobody][..], 2)
    );
    assert!(report.is_complete() && report.matches.is_empty());
    let searched: Vec<Scheme> = report.searched.iter().map(|one| one.scheme).collect();
    assert_eq!(
        searched,
        Scheme::of(Chain::Solana),
        "no EVM target, no EVM scheme"
    );
    let each: u64 = report.searched.iter().map(Searched::addresses).sum();
    // Two of bip44-change, bip44 and sollet, one of the single ones, four of the grid.
    assert_eq!((each, report.derived), (2 * 3 + 2 + 4, 2 * 12));
}

#[test]
fn parts_and_resumed_searches_cover_the_whole() {
    let phrase = phrase();
    let targets = alloc::vec![
        address("a", Scheme::Family(PathFamily::Bip44), 0, 70),
        address("", Scheme::EvmGrid, 1, 1),
        crate::address::Address::new([9; 32]).into(),
    ];
    let plan = SearchPlan {
        indices: IndexRange::new(0, 71).unwrap(),
        accounts: IndexRange::new(0, 2).unwrap(),
        ..SearchPlan::everything(targets.clone())
    };
    let candidates = passphrases(&["", "a"]);
    let whole = run(PathSearch::new(&phrase, &candidates, &plan).unwrap());
    assert_eq!(whole.missing, targets[2..]);
    assert_eq!(whole.matches.len(), 2);
    let parts = (0..3)
        .map(|part| run(PathSearch::part(&phrase, &candidates, &plan, part, 3).unwrap()))
        .reduce(SearchReport::merged)
        .unwrap();
    assert!(parts.is_complete());
    assert_eq!(
        (parts.derived, &parts.missing, parts.matches.len()),
        (whole.derived, &whole.missing, 2)
    );
    // Stopped in the middle and resumed.
    let mut first = PathSearch::new(&phrase, &candidates, &plan).unwrap();
    for _ in 0..5 {
        first.next_chunk().unwrap().unwrap();
    }
    assert!(!first.report().is_complete());
    let rest = PathSearch::new(&phrase, &candidates, &plan)
        .unwrap()
        .resume_at(first.position());
    let together = first.report().merged(run(rest));
    assert_eq!(
        (together.derived, together.matches),
        (whole.derived, whole.matches)
    );
    let beyond = PathSearch::new(&phrase, &candidates, &plan)
        .unwrap()
        .resume_at(u64::MAX);
    assert_eq!(run(beyond).derived, 0);
}

#[test]
fn senseless_searches_are_refused() {
    let phrase = phrase();
    let target = address("", Scheme::Family(PathFamily::Raw), 0, 0);
    let plan = SearchPlan::everything(alloc::vec![target]);
    let one = passphrases(&[""]);
    let refused = |passphrases: &[Zeroizing<String>], plan: &SearchPlan| {
        PathSearch::new(&phrase, passphrases, plan)
            .map(|_| ())
            .unwrap_err()
    };
    assert_eq!(refused(&[], &plan), SearchError::Passphrases { found: 0 });
    let none = SearchPlan::everything(Vec::new());
    assert_eq!(refused(&one, &none), SearchError::Targets { found: 0 });
    let other = SearchPlan {
        schemes: Scheme::of(Chain::Evm),
        ..plan.clone()
    };
    assert_eq!(refused(&one, &other), SearchError::NoScheme);
    assert!(matches!(
        PathSearch::part(&phrase, &one, &plan, 2, 2),
        Err(SearchError::Part)
    ));
    for (start, count) in [(0, 0), (u32::MAX, 1), (0, u32::MAX), (0x7fff_ffff, 2)] {
        assert_eq!(IndexRange::new(start, count), Err(SearchError::Range));
    }
    assert_eq!(IndexRange::new(0x7fff_ffff, 1).unwrap().end(), 0x8000_0000);
}

#[test]
fn a_search_shows_no_secret() {
    let phrase = phrase();
    let candidates = passphrases(&["canary-passphrase"]);
    let plan = SearchPlan::everything(alloc::vec![address(
        "canary-passphrase",
        Scheme::Family(PathFamily::Raw),
        0,
        0
    )]);
    let mut search = PathSearch::new(&phrase, &candidates, &plan).unwrap();
    while search.next_chunk().unwrap().is_some() {}
    let scan = AccountScan::new(&phrase.to_seed(""), &PathFamily::ALL, 1).unwrap();
    let shown = format!("{search:?} {:?} {scan:?} {:?}", search.report(), scan.report());
    assert!(!shown.contains("canary") && !shown.contains("abandon"), "{shown}");
}

/// Answers every query by `activity` until none is left.
fn answer_all(scan: &mut AccountScan, activity: impl Fn(&Query) -> Activity) -> ScanReport {
    for _ in 0..100 {
        let queries = scan.queries().unwrap();
        if queries.is_empty() {
            return scan.report();
        }
        for query in queries {
            scan.answer(query.family, query.index, activity(&query)).unwrap();
        }
    }
    panic!("the scan does not end");
}

#[test]
fn a_scan_goes_a_gap_beyond_the_last_used() {
    let seed = phrase().to_seed("");
    let mut scan = AccountScan::new(&seed, &PathFamily::ALL, 5).unwrap();
    assert!(!scan.report().is_certain());
    let report = answer_all(&mut scan, |query| {
        let used = query.family == PathFamily::Bip44 && [0, 4, 9].contains(&query.index.get());
        if used { Activity::Used } else { Activity::Unused }
    });
    assert!(report.is_certain());
    assert_eq!(
        report.families.len(),
        PathFamily::ALL.len(),
        "every family is named"
    );
    for findings in &report.families {
        let (answered, used) = match findings.family {
            PathFamily::Bip44 => (15, 3),
            family if family.is_single() => (1, 0),
            _ => (5, 0),
        };
        assert_eq!((findings.answered, findings.used.len()), (answered, used));
        assert_eq!(findings.status, FamilyStatus::Complete);
    }
    let found = &report
        .families
        .iter()
        .find(|one| !one.used.is_empty())
        .unwrap()
        .used[2];
    assert_eq!(found.path, "m/44'/501'/9'");
    assert_eq!(
        found.address,
        address("", Scheme::Family(PathFamily::Bip44), 0, 9)
    );
}

#[test]
fn unknown_is_not_unused() {
    let seed = phrase().to_seed("");
    let mut scan = AccountScan::new(&seed, &[PathFamily::EvmBip44, PathFamily::EvmBip44], 3).unwrap();
    let report = answer_all(&mut scan, |query| {
        if query.index.get() == 1 {
            Activity::Unknown
        } else {
            Activity::Unused
        }
    });
    assert_eq!(report.families.len(), 1, "a family named twice is searched once");
    assert_eq!(report.families[0].status, FamilyStatus::Undetermined);
    assert_eq!(report.families[0].unknown.len(), 1);
    assert!(!report.is_certain());
    // Asked again, it turns out to be in use, and the search goes on from there.
    scan.ask_again();
    assert_eq!(scan.queries().unwrap().len(), 1);
    let report = answer_all(&mut scan, |query| {
        if query.index.get() == 1 {
            Activity::Used
        } else {
            Activity::Unused
        }
    });
    assert!(report.is_certain());
    assert_eq!(report.families[0].answered, 5);
}

#[test]
fn senseless_scans_are_refused() {
    let seed = phrase().to_seed("");
    for found in [0, 1001, u32::MAX] {
        let error = AccountScan::new(&seed, &PathFamily::ALL, found).unwrap_err();
        assert_eq!(error, ScanError::Gap { found });
    }
    assert_eq!(AccountScan::new(&seed, &[], 20).unwrap_err(), ScanError::NoFamily);
    let mut scan = AccountScan::new(&seed, &[PathFamily::Bip44], 20).unwrap();
    let answer = scan.answer(PathFamily::Bip44, ZERO, Activity::Used);
    assert_eq!(answer, Err(ScanError::NotAsked), "not asked yet");
    assert_eq!(scan.queries().unwrap().len(), 20);
    assert_eq!(
        scan.answer(PathFamily::Raw, ZERO, Activity::Used),
        Err(ScanError::NotAsked)
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn any_split_derives_everything_once(start in 0_u32..1000, count in 1_u32..150, parts in 1_u32..6) {
        let phrase = phrase();
        let candidates = passphrases(&[""]);
        let last = address("", Scheme::SolanaGrid, 1, start + count - 1);
        let plan = SearchPlan {
            schemes: alloc::vec![Scheme::SolanaGrid],
            indices: IndexRange::new(start, count).unwrap(),
            accounts: IndexRange::new(0, 2).unwrap(),
            ..SearchPlan::everything(alloc::vec![last])
        };
        let report = (0..parts)
            .map(|part| run(PathSearch::part(&phrase, &candidates, &plan, part, parts).unwrap()))
            .reduce(SearchReport::merged)
            .unwrap();
        prop_assert_eq!((report.derived, report.total), (2 * u64::from(count), 2 * u64::from(count)));
        prop_assert_eq!(report.matches.len(), 1);
    }
}
