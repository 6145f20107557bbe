/** Dark or light: the system's choice, or the one made here. */
import { icon } from "./icons";

const KEPT = "keyward-theme";
type Theme = "light" | "dark";

export function mountTheme(button: HTMLButtonElement): void {
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  let chosen = kept();
  const show = (): void => {
    const now: Theme = chosen ?? (system.matches ? "dark" : "light");
    const other: Theme = now === "dark" ? "light" : "dark";
    if (chosen !== undefined) {
      document.documentElement.dataset["theme"] = chosen;
    }
    button.replaceChildren(icon(other === "dark" ? "moon" : "sun"));
    button.setAttribute("aria-label", `Switch to the ${other} theme`);
    button.onclick = () => {
      chosen = other;
      keep(other);
      show();
    };
  };
  system.addEventListener("change", show);
  show();
}

function kept(): Theme | undefined {
  try {
    const found = localStorage.getItem(KEPT);
    return found === "light" || found === "dark" ? found : undefined;
  } catch {
    return undefined; // Some browsers forbid storage; the system's choice holds then.
  }
}

function keep(theme: Theme): void {
  try {
    localStorage.setItem(KEPT, theme);
  } catch {
    // It holds until the page is left.
  }
}
