/** Builds the page node by node; text stays text, so nothing of a request can become markup. */

export type Child = Node | string | null | undefined | false;

type Listeners = { readonly [K in keyof HTMLElementEventMap]?: (event: HTMLElementEventMap[K]) => void };

/** Attributes by name; `true` sets an empty one, `false` and `undefined` none. */
export interface Attributes {
  readonly on?: Listeners;
  readonly [name: string]: string | number | boolean | undefined | Listeners;
}

/** An element with attributes, listeners and children. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "on") {
      listen(element, value as Listeners);
    } else if (value === true) {
      element.setAttribute(name, "");
    } else if (value !== false && value !== undefined) {
      element.setAttribute(name, String(value));
    }
  }
  append(element, children);
  return element;
}

/** An element of SVG with attributes and children. */
export function svg(
  tag: string,
  attributes: Readonly<Record<string, string | number>>,
  ...children: readonly Node[]
): SVGElement {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) {
    element.setAttribute(name, String(value));
  }
  element.append(...children);
  return element;
}

export function append(parent: Element, children: readonly Child[]): void {
  for (const child of children) {
    if (child !== null && child !== undefined && child !== false) {
      parent.append(child);
    }
  }
}

function listen(element: HTMLElement, listeners: Listeners): void {
  for (const [event, listener] of Object.entries(listeners)) {
    element.addEventListener(event, listener as EventListener);
  }
}

let counter = 0;

/** A name for `id` and the attributes that refer to it. */
export function uniqueId(stem: string): string {
  counter += 1;
  return `${stem}-${counter}`;
}
