/** Documents of EIP-712 that the sample dapp asks for. */

export const TYPED_DATA = [
  ["note", "A harmless note"],
  ["order", "An order (dangerous)"],
  ["permit", "A permit for all of a token (dangerous)"],
] as const;

export type TypedDataKind = (typeof TYPED_DATA)[number][0];

const CONTRACT = "0x00000000000000000000000000000000000000a1";
const SPENDER = "0x00000000000000000000000000000000000000b2";
const EVERYTHING = ((1n << 256n) - 1n).toString();

const DOMAIN_TYPE = [
  { name: "name", type: "string" },
  { name: "version", type: "string" },
  { name: "chainId", type: "uint256" },
  { name: "verifyingContract", type: "address" },
];

/** A document on Ethereum that `owner` is asked to sign. */
export function typedData(kind: TypedDataKind, owner: string): object {
  const domain = { name: "Tidepool", version: "1", chainId: 1, verifyingContract: CONTRACT };
  switch (kind) {
    case "note":
      return {
        types: {
          EIP712Domain: DOMAIN_TYPE,
          Note: [
            { name: "writer", type: "address" },
            { name: "text", type: "string" },
          ],
        },
        primaryType: "Note",
        domain,
        message: { writer: owner, text: "High tide at noon" },
      };
    case "order":
      return {
        types: {
          EIP712Domain: DOMAIN_TYPE,
          Order: [
            { name: "buyer", type: "address" },
            { name: "item", type: "string" },
            { name: "amount", type: "uint256" },
          ],
        },
        primaryType: "Order",
        domain,
        message: { buyer: owner, item: "One sea urchin", amount: "3" },
      };
    case "permit":
      return {
        types: {
          EIP712Domain: DOMAIN_TYPE,
          Permit: [
            { name: "owner", type: "address" },
            { name: "spender", type: "address" },
            { name: "value", type: "uint256" },
            { name: "nonce", type: "uint256" },
            { name: "deadline", type: "uint256" },
          ],
        },
        primaryType: "Permit",
        domain,
        message: { owner, spender: SPENDER, value: EVERYTHING, nonce: "0", deadline: EVERYTHING },
      };
  }
}
