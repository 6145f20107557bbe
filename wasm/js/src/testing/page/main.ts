/** Runs in the page, as a classic script: wallets without keys, which ask the test's process for everything. */
import { announce, newUuid } from "../../eip6963/announce.js";
import { register } from "../../wallet-standard/register.js";
import { Link } from "./link.js";
import { pageProvider } from "./provider.js";
import { pageWallet } from "./wallet.js";
import type { PageConfig } from "../wire.js";

/** Set around this script by `installWallet`. */
declare const KEYWARD_TEST: PageConfig;

const { name, icon, rdns } = KEYWARD_TEST;
const link = new Link(KEYWARD_TEST.binding);
register(pageWallet(KEYWARD_TEST, link));
announce({ uuid: newUuid(), name, icon, rdns }, pageProvider(link));
