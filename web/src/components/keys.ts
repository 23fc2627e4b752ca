/** The keyboard: `/` filters, `j` and `k` walk through rows, `[` and `]` through tabs, `?` helps. */
import { go } from "../route";

function isWriting(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

export function listenToKeys(help: () => void): () => void {
  const handle = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (isWriting(event.target)) {
      if (event.key === "Escape") (event.target as HTMLElement).blur();
      return;
    }
    const act = { "/": filter, "?": help, j: () => step(1), k: () => step(-1), "]": () => tab(1), "[": () => tab(-1) }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  };
  addEventListener("keydown", handle);
  return () => removeEventListener("keydown", handle);
}

function filter(): void {
  document.querySelector<HTMLInputElement>("input[data-filter]")?.focus();
}

function step(by: number): void {
  const links = [...document.querySelectorAll<HTMLAnchorElement>("a[data-row]")];
  const at = links.indexOf(document.activeElement as HTMLAnchorElement);
  const next = at < 0 ? (by > 0 ? 0 : links.length - 1) : at + by;
  links[next]?.focus();
  links[next]?.scrollIntoView({ block: "nearest" });
}

function tab(by: number): void {
  const tabs = [...document.querySelectorAll<HTMLAnchorElement>(".tabs a")];
  const at = tabs.findIndex((one) => one.hasAttribute("aria-current"));
  const next = tabs[at + by];
  if (next) go(next.href);
}
