/**
 * The headers that the page is served with. `vite preview` sends them, the tests compare them, and whoever hosts the
 * built files has to send the same: a `<meta>` cannot say all of it. Plain JavaScript, so that every Node reads it.
 */

/** The content security policy: nothing but this page's own files, and no script made from text. */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
  "connect-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join("; ");

/** All headers of every answer. @type {Readonly<Record<string, string>>} */
export const SECURITY_HEADERS = {
  "content-security-policy": CONTENT_SECURITY_POLICY,
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};
