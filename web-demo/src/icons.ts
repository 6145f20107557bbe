/** The pictures of this page, drawn here. */
import { svg } from "./dom";

const PATHS = {
  lock: "M7 11V8a5 5 0 0 1 10 0v3M5 11h14v9H5zM12 14.5v2.5",
  copy: "M9 9h10v11H9zM15 9V5H5v11h4",
  qr: "M4 4h6v6H4zM14 4h6v6h-6zM4 14h6v6H4zM14 14h2v2h-2zM18 18h2v2h-2zM18 14h2M14 18v2",
  file: "M6 3h8l4 4v14H6zM14 3v4h4",
  pen: "M4 20l1-4L16 5l3 3L8 19zM14 7l3 3",
  key: "M14 10a4.5 4.5 0 1 0-2.6 4.1L13 16h2v2h2v2h3v-3l-6.4-6.4",
  sun: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2v3M12 19v3M2 12h3M19 12h3M5 5l2 2M17 17l2 2M19 5l-2 2M7 17l-2 2",
  moon: "M19 14.5A8 8 0 0 1 9.5 5a8 8 0 1 0 9.5 9.5z",
} as const;

export type Icon = keyof typeof PATHS;

/** A line drawing in the colour of the text; says nothing to a screen reader. */
export function icon(name: Icon): SVGElement {
  return svg(
    "svg",
    { viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true", focusable: "false" },
    svg("path", { d: PATHS[name] }),
  );
}

/** How deep the cuts of a key are; a blade has as many as its id has room for. */
const CUTS = 12;

/**
 * A key cut by an id: the same vault has the same key everywhere, so that a stranger's file looks like one.
 * It helps people to recognise theirs and proves nothing.
 */
export function keyGlyph(id: string): SVGElement {
  let blade = "M34 14H130L136 20";
  for (let cut = CUTS - 1; cut >= 0; cut -= 1) {
    const depth = Number.parseInt(id.charAt(cut * 2) || "0", 16) % 8;
    const right = 38 + (cut + 1) * 8;
    blade += `L${right} ${27 - depth}H${right - 5}`;
  }
  return svg(
    "svg",
    { viewBox: "0 0 140 40", class: "glyph", "aria-hidden": "true", focusable: "false" },
    svg("path", { d: `${blade}L34 27Z`, class: "blade" }),
    svg("path", {
      d: "M20 4a16 16 0 1 0 0 32 16 16 0 0 0 0-32zM20 13a4 4 0 1 1 0 8 4 4 0 0 1 0-8z",
      "fill-rule": "evenodd",
      class: "bow",
    }),
  );
}
