// A server of files as plain as any, with the headers that a test wants.
import { createReadStream, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";

const TYPES = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".keyward": "application/octet-stream",
  ".mjs": "text/javascript; charset=utf-8",
  ".wasm": "application/wasm",
};

/**
 * Serves a folder on 127.0.0.1; `routes` maps further paths to files. Gives the origin and what ends it.
 */
export async function serve(folder, { headers = {}, routes = {} } = {}) {
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url, "http://127.0.0.1").pathname));
    const file = routes[path] ?? join(folder, path.endsWith("/") ? `${path}index.html` : path);
    const known = !path.includes("..") && statSync(file, { throwIfNoEntry: false })?.isFile() === true;
    response.writeHead(known ? 200 : 404, { ...headers, "content-type": TYPES[extname(file)] ?? "text/plain" });
    if (known) {
      createReadStream(file).pipe(response);
    } else {
      response.end("not found");
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = () =>
    new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    });
  return { origin: `http://127.0.0.1:${server.address().port}`, close };
}
