//! Where the next key comes from, and how it is protected.

use super::*;

contract!(
    a_key_that_is_there_already_is_stepped_over,
    an_imported_key_is_followed_by_one_of_the_phrase,
    a_family_of_one_address_goes_on_in_the_usual_one,
    a_wallets_own_password_becomes_its_new_keys,
);

fn phrase_key(index: u32) -> keyward_core::key::WalletKey {
    let seed = Mnemonic::from_entropy(&[7; 16]).unwrap().to_seed("");
    let deriver = SolanaDeriver::new(&seed, PathFamily::Bip44Change).unwrap();
    let mut keys = deriver.derive_chunk(index, 1).unwrap();
    keys.remove(0).secret.into()
}

async fn a_key_that_is_there_already_is_stepped_over(scene: Scene) {
    // Somebody imported the keys of the next two paths.
    for index in [1, 2] {
        let report = scene
            .custody
            .import_key(phrase_key(index), "", &[], None)
            .await
            .unwrap();
        assert_eq!(report.added.len(), 1);
    }
    let rotation = scene.custody.rotate_wallet(scene.wallet, None).await.unwrap();
    assert_eq!(rotation.index, 3);
    assert_eq!(rotation.to, phrase_key(3).address());
    let protected = scene
        .custody
        .import_key(phrase_key(4), "", &[], Some(own()))
        .await
        .unwrap();
    let imported = protected.added[0];
    let rotation = scene.custody.rotate_wallet(imported, Some(&own())).await.unwrap();
    assert_eq!(rotation.index, 5);
    intact(&scene).await;
}

async fn an_imported_key_is_followed_by_one_of_the_phrase(scene: Scene) {
    let custody = &scene.custody;
    let solana: keyward_core::key::WalletKey = keyward_core::ed25519::SecretKey::from_seed(&[5; 32]).into();
    let evm: keyward_core::key::WalletKey = secp256k1::SecretKey::from_bytes(&[5; 32]).unwrap().into();
    for (key, family, index) in [
        (solana, PathFamily::Bip44Change, 1),
        (evm, PathFamily::EvmBip44, 0),
    ] {
        let address = key.address();
        custody.import_key(key, "brought", &[], None).await.unwrap();
        let rotation = custody.rotate_wallet(address, None).await.unwrap();
        assert_eq!((rotation.family, rotation.index), (family, index));
        let new = wallet(&scene, rotation.to).await;
        assert_eq!((new.previous, new.label.as_str()), (Some(address), "brought"));
        assert_eq!(new.address.chain(), address.chain());
        custody.set_label(rotation.to, "").await.unwrap();
    }
}

async fn a_family_of_one_address_goes_on_in_the_usual_one(scene: Scene) {
    let raw = derive(&scene, PathFamily::Raw, 1).await[0];
    let rotation = scene.custody.rotate_wallet(raw, None).await.unwrap();
    assert_eq!((rotation.family, rotation.index), (PathFamily::Bip44Change, 1));
    assert_eq!(statuses(&scene, raw).await, ["active", "rotated"]);
    // And a family that is full says so.
    let wallet = derive(&scene, PathFamily::Bip44, 1).await[0];
    let full = Write::NextIndex {
        master: 1,
        family: PathFamily::Bip44,
        next_index: 1 << 31,
    };
    scene.write(vec![full]).await.unwrap();
    let error = scene.custody.rotate_wallet(wallet, None).await.unwrap_err();
    assert!(matches!(error, CustodyError::Invalid { .. }), "{error:?}");
    assert_eq!(status(&scene, wallet).await, WalletStatus::Active);
}

async fn a_wallets_own_password_becomes_its_new_keys(scene: Scene) {
    let custody = &scene.custody;
    custody
        .set_wallet_password(scene.wallet, None, &own())
        .await
        .unwrap();
    let error = custody.rotate_wallet(scene.wallet, None).await.unwrap_err();
    assert!(
        matches!(error, CustodyError::WalletPasswordNeeded { .. }),
        "{error:?}"
    );
    let wrong = Password::new("no such password 12".to_owned());
    let error = custody
        .rotate_wallet(scene.wallet, Some(&wrong))
        .await
        .unwrap_err();
    assert!(
        matches!(error, CustodyError::WrongWalletPassword { .. }),
        "{error:?}"
    );
    let facts = scene.look(of_wallets(&[scene.wallet], 0)).await;
    assert_eq!(facts.wallets[0].failed_passwords, 1);
    assert_eq!(statuses(&scene, scene.wallet).await, ["active"]);
    let rotation = custody.rotate_wallet(scene.wallet, Some(&own())).await.unwrap();
    let facts = scene.look(of_wallets(&[scene.wallet, rotation.to], 0)).await;
    for wallet in &facts.wallets {
        assert_eq!((wallet.own_password, wallet.failed_passwords), (true, 0));
    }
    // The new key opens with the same password, and only with it.
    let error = custody
        .remove_wallet_password(rotation.to, &wrong)
        .await
        .unwrap_err();
    assert!(
        matches!(error, CustodyError::WrongWalletPassword { .. }),
        "{error:?}"
    );
    custody.remove_wallet_password(rotation.to, &own()).await.unwrap();
    intact(&scene).await;
}
