/** The address of a page: its path, and the settings of its views. */
import { signal } from "@preact/signals";

export interface Place {
  /** Decoded parts of the path below the base. */
  parts: string[];
  query: URLSearchParams;
}

export const place = signal<Place>(read());

function base(): string {
  return new URL(document.baseURI).pathname;
}

function read(): Place {
  const path = location.pathname.slice(base().length - 1);
  const parts = path.split("/").filter(Boolean).map(decodeURIComponent);
  return { parts, query: new URLSearchParams(location.search) };
}

addEventListener("popstate", () => {
  place.value = read();
});

/** Returns the address of a page from the parts of its path. */
export function to(parts: string[], query?: Record<string, string>): string {
  const path = parts.map(encodeURIComponent).join("/");
  const text = query ? new URLSearchParams(query).toString() : "";
  return base() + path + (text ? `?${text}` : "");
}

export function go(address: string): void {
  history.pushState(null, "", address);
  place.value = read();
  document.getElementById("content")?.focus({ preventScroll: true });
  scrollTo(0, 0);
}

/** Changes settings in the address, without an entry of their own in the history. */
export function set(changes: Record<string, string>): void {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(changes)) {
    if (value) query.set(name, value);
    else query.delete(name);
  }
  const text = query.toString();
  history.replaceState(null, "", location.pathname + (text ? `?${text}` : ""));
  place.value = read();
}

export function setting(name: string, usual = ""): string {
  return place.value.query.get(name) ?? usual;
}

/** Opens links within the pages without loading anew; other keys and buttons stay the browser's. */
export function openLinks(event: MouseEvent): void {
  if (event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
  const anchor = (event.target as Element).closest("a");
  if (!anchor || anchor.target || anchor.hasAttribute("download")) return;
  if (anchor.origin !== location.origin || !anchor.pathname.startsWith(base())) return;
  if (anchor.hash && anchor.pathname === location.pathname) return;
  event.preventDefault();
  go(anchor.href);
}
