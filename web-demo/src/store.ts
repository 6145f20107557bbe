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

export async function keptVault(id: string): Promise<SealedVault | undefined> {
  return request("readonly", (store) => store.get(id) as IDBRequest<SealedVault | undefined>);
}

/** Keeps a vault in place of what was kept under its id; resolves once it is written. */
export async function keep(vault: SealedVault): Promise<void> {
  const all = await keptVaults();
  if (all.length >= MAX_KEPT && !all.some((kept) => kept.id === vault.id)) {
    throw new Error(`more than ${MAX_KEPT} vaults`);
  }
  await request("readwrite", (store) => store.put({ id: vault.id, name: vault.name, file: vault.file }));
}

export async function forget(id: string): Promise<void> {
  await request("readwrite", (store) => store.delete(id));
}

async function request<T>(mode: IDBTransactionMode, ask: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const database = await open();
  try {
    return await new Promise<T>((resolve, reject) => {
      const transaction = database.transaction(STORE, mode, { durability: "strict" });
      const asked = ask(transaction.objectStore(STORE));
      transaction.oncomplete = () => resolve(asked.result);
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
