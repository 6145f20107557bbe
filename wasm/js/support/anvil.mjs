// A real EVM node of the test's own.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";

const PLATFORM = `${process.platform === "win32" ? "win32" : process.platform}-${process.arch === "x64" ? "amd64" : process.arch}`;
const BINARY = fileURLToPath(new URL(`../../../tests/node/node_modules/@foundry-rs/anvil-${PLATFORM}/bin/anvil`, import.meta.url));
const PATIENCE_MS = 60_000;

/** Starts it on loopback and ends it with the test: its address, and a way to ask it. */
export async function startAnvil(t, chainId) {
  const program = process.env.KEYWARD_TEST_ANVIL ?? BINARY;
  if (!existsSync(program)) {
    throw new Error(`there is no anvil at ${program}; run npm ci in tests/node, or set KEYWARD_TEST_ANVIL`);
  }
  const port = await freePort();
  const child = spawn(program, ["--host", "127.0.0.1", "--port", String(port), "--chain-id", String(chainId), "--silent"], { stdio: "ignore" });
  t.after(() => child.kill("SIGKILL"));
  const url = `http://127.0.0.1:${port}/`;
  const call = async (method, params) => {
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
    const response = await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body });
    return (await response.json()).result;
  };
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      await call("eth_chainId", []);
      return { url, call };
    } catch (error) {
      if (Date.now() > deadline || child.exitCode !== null) {
        throw new Error("anvil did not come up", { cause: error });
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
