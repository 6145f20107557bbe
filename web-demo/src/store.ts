/** Keeps vaults in IndexedDB: the encrypted file and what it is called, never a key or a password. */

const DATABASE = "keyward";
const STORE = "vaults";
/** More are not kept; a page is no archive. */
const MAX_KEPT = 16;

/** A vault as a file: encrypted, so it may lie anywhere. */
export interface SealedVault {
  /** The vault's id. */
  readonly id: string;
  readonly name: string;
  readonly file: Uint8Array;
}

/** Every vault that is kept here, by name. */
export async function keptVaults(): Promise<readonly SealedVault[]> {
  const all = await request("readonly", (store) => store.getAll() as IDBRequest<SealedVault[]>);
  return all.sort((left, right) => left.name.localeCompare(right.name));
}

/**
 * Keeps a vault in place of `expected`, which is what this page believes to be kept under its id (nothing, if
 * `undefined`). Another tab may have kept another state meanwhile: then nothing is written and it gives `false`.
 */
export async function keep(vault: SealedVault, expected: Uint8Array | undefined | "anything"): Promise<boolean> {
  let agreed = false;
  await transact("readwrite", (store) => {
    const asked = store.getAll() as IDBRequest<SealedVault[]>;
    asked.onsuccess = () => {
      const found = asked.result.find((kept) => kept.id === vault.id)?.file;
      if (found === undefined && asked.result.length >= MAX_KEPT) {
        store.transaction.abort();
        return;
      }
      agreed = expected === "anything" || equal(found, expected);
      if (agreed) {
        store.put({ id: vault.id, name: vault.name, file: vault.file });
      }
    };
  });
  return agreed;
}

function equal(left: Uint8Array | undefined, right: Uint8Array | undefined): boolean {
  return left?.length === right?.length && (left?.every((byte, at) => byte === right?.[at]) ?? true);
}

/** Deletes what is kept under an id, if that is `expected`; gives `false`, and deletes nothing, if it is something else. */
export async function forget(id: string, expected: Uint8Array | undefined | "anything"): Promise<boolean> {
  let agreed = false;
  await transact("readwrite", (store) => {
    const asked = store.get(id) as IDBRequest<SealedVault | undefined>;
    asked.onsuccess = () => {
      const found = asked.result?.file;
      agreed = expected === "anything" || found === undefined || equal(found, expected);
      if (agreed) {
        store.delete(id);
      }
    };
  });
  return agreed;
}

async function request<T>(mode: IDBTransactionMode, ask: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const asked = await transact(mode, ask);
  return asked.result;
}

/** Runs `work` in one transaction and waits until all of it is written. */
async function transact<T>(mode: IDBTransactionMode, work: (store: IDBObjectStore) => T): Promise<T> {
  const database = await open();
  try {
    return await new Promise<T>((resolve, reject) => {
      const transaction = database.transaction(STORE, mode, { durability: "strict" });
      const done = work(transaction.objectStore(STORE));
      transaction.oncomplete = () => resolve(done);
      transaction.onabort = () => reject(transaction.error ?? new Error("the database gave up"));
    });
  } finally {
    database.close();
  }
}

function open(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(DATABASE, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE, { keyPath: "id" });
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = () => reject(opening.error ?? new Error("there is no database"));
    opening.onblocked = () => reject(new Error("another tab blocks the database"));
  });
}
