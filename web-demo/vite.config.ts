import { defineConfig } from "vite";
import { SECURITY_HEADERS } from "./headers.mjs";

export default defineConfig({
  // Relative, so that the files work in any folder of any host.
  base: "./",
  build: {
    target: "es2022",
    // Every file is served as one, so that the policy needs no exception for what was inlined.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  worker: { format: "es" },
  // The linked package lies beside this folder.
  server: { fs: { allow: [".."] } },
  preview: { headers: { ...SECURITY_HEADERS } },
});
