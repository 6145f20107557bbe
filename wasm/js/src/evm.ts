import type { RawEvmSigner } from "./glue/keyward.js";
import { fromHex, toHex, type Hex } from "./bytes.js";
import { documentJson, messageBytes, type EvmMessage, type TypedDataDocument } from "./evm-input.js";
import { Handle, disposable } from "./handle.js";
import type { EvmMessageReview, EvmTransactionReview, TypedDataReview } from "./review.js";

/** An EVM wallet. Everything is decoded and judged before it is signed. */
export class EvmSigner {
  readonly #handle: Handle<RawEvmSigner>;
  /** With the checksum of EIP-55. */
  readonly address: Hex;
  /** Compressed, 33 bytes. */
  readonly publicKey: Uint8Array;
  /** The path that the wallet was derived by, if it was. */
  readonly path: string | undefined;

  private constructor(raw: RawEvmSigner) {
    this.#handle = new Handle(raw, "signer");
    this.address = raw.address() as Hex;
    this.publicKey = raw.publicKey();
    this.path = raw.path();
  }

  /** @internal */
  static of(raw: RawEvmSigner): EvmSigner {
    return new EvmSigner(raw);
  }

  /** Signs a personal message (EIP-191, `personal_sign`). Only readable text is signed, never a hash. */
  async signMessage(message: EvmMessage): Promise<Hex> {
    const content = messageBytes(message);
    return toHex(this.#handle.use((raw) => raw.signMessage(content)));
  }

  /** Signs typed data (EIP-712, `eth_signTypedData_v4`), as an object or as JSON. */
  async signTypedData(document: TypedDataDocument | string): Promise<Hex> {
    const json = documentJson(document);
    return toHex(this.#handle.use((raw) => raw.signTypedData(json)));
  }

  /** Signs a serialized, unsigned transaction (legacy with EIP-155, or types 1, 2 and 4); gives it ready to be sent. */
  async signTransaction(unsigned: Hex | Uint8Array): Promise<Hex> {
    const payload = fromHex(unsigned, "unsigned");
    return toHex(this.#handle.use((raw) => raw.signTransaction(payload)));
  }

  /** What an unsigned transaction does, and whether it may be signed. */
  inspect(unsigned: Hex | Uint8Array): EvmTransactionReview {
    const payload = fromHex(unsigned, "unsigned");
    return JSON.parse(this.#handle.use((raw) => raw.inspect(payload))) as EvmTransactionReview;
  }

  /** What a personal message says, and whether it may be signed. */
  inspectMessage(message: EvmMessage): EvmMessageReview {
    const content = messageBytes(message);
    return JSON.parse(this.#handle.use((raw) => raw.inspectMessage(content))) as EvmMessageReview;
  }

  /** What typed data says, and whether it may be signed. */
  inspectTypedData(document: TypedDataDocument | string): TypedDataReview {
    const json = documentJson(document);
    return JSON.parse(this.#handle.use((raw) => raw.inspectTypedData(json))) as TypedDataReview;
  }

  /** Wipes the key at once; the signer cannot be used again. */
  free(): void {
    this.#handle.free();
  }
}

disposable(EvmSigner.prototype);
