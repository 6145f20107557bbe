// Imports every entry where there is nothing of a page: whoever touches one of these names, or leaves a new one, is told.
import { readFileSync } from "node:fs";
import { createContext, SourceTextModule } from "node:vm";

const FORBIDDEN = [
  "window", "self", "document", "navigator", "location", "WebAssembly", "fetch", "crypto", "indexedDB", "localStorage",
  "Worker", "postMessage", "addEventListener", "setTimeout", "setInterval", "queueMicrotask", "process", "require", "console",
];
const touched = [];
// What every runtime has; the glue keeps one coder of texts.
const context = createContext({ TextDecoder, TextEncoder, URL, EventTarget, Event, AbortController });
for (const name of FORBIDDEN) {
  Object.defineProperty(context, name, {
    configurable: true,
    get: () => {
      touched.push(name);
      return undefined;
    },
  });
}
const names = () => Object.getOwnPropertyNames(context).sort();
const before = names();
const modules = new Map();

function load(url) {
  let module = modules.get(url);
  if (module === undefined) {
    const initializeImportMeta = (meta) => (meta.url = url);
    module = new SourceTextModule(readFileSync(new URL(url), "utf8"), { context, identifier: url, initializeImportMeta });
    modules.set(url, module);
  }
  return module;
}

const exported = {};
for (const name of process.argv.slice(2)) {
  const module = load(import.meta.resolve(name));
  await module.link((specifier, from) => load(new URL(specifier, from.identifier).href));
  await module.evaluate();
  exported[name] = Object.keys(module.namespace).length;
}
const left = names().filter((name) => !before.includes(name));
console.log(JSON.stringify({ exported, touched, left }));
