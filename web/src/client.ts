/** Calls of the API, and its stream; both carry the token of the address that was opened. */
import { signal } from "@preact/signals";

export type Link = "beginning" | "live" | "waiting" | "denied";
export const link = signal<Link>("beginning");

const STORED = "trialwatch-token";
const SILENCE = 25_000;
const FIRST_PAUSE = 300;
const LONGEST_PAUSE = 5_000;

let token = "";

/** Takes the token out of the address, so that it is in no bookmark and on no screen. */
export function takeToken(): void {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given) {
    localStorage.setItem(STORED, given);
    history.replaceState(null, "", location.pathname + location.search);
  }
  token = given ?? localStorage.getItem(STORED) ?? "";
}

// A new address in the same tab changes only the fragment, so the browser loads nothing by itself.
addEventListener("hashchange", () => {
  if (!new URLSearchParams(location.hash.slice(1)).has("token")) return;
  takeToken();
  location.reload();
});

export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

export function address(path: string): string {
  return new URL(`api/v1${path}`, document.baseURI).href;
}

function headers(more: Record<string, string> = {}): Record<string, string> {
  return { Authorization: `Bearer ${token}`, ...more };
}

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  const answer = await fetch(address(path), { headers: headers(), ...(signal ? { signal } : {}) });
  return read<T>(answer);
}

export async function post<T>(path: string, body: unknown, signal?: AbortSignal): Promise<T> {
  const answer = await fetch(address(path), {
    method: "POST",
    body: JSON.stringify(body),
    headers: headers({ "Content-Type": "application/json", "X-Trialwatch": "1" }),
    ...(signal ? { signal } : {}),
  });
  return read<T>(answer);
}

async function read<T>(answer: Response): Promise<T> {
  if (!answer.ok) throw await problem(answer);
  if (link.value === "beginning") link.value = "live";
  const kind = answer.headers.get("Content-Type") ?? "";
  return (kind.includes("json") ? await answer.json() : await answer.text()) as T;
}

async function problem(answer: Response): Promise<ApiError> {
  if (answer.status === 401) link.value = "denied";
  let text = answer.statusText;
  try {
    text = ((await answer.json()) as { error: string }).error;
  } catch {
    // an answer of something between the page and the server: its status says enough
  }
  return new ApiError(answer.status, text);
}

export interface StreamEvent {
  name: string;
  data: unknown;
}

/** Resolves when the page can be seen, or the signal is aborted. */
function seen(stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (document.hidden && !stop.aborted) return;
      document.removeEventListener("visibilitychange", look);
      stop.removeEventListener("abort", look);
      resolve();
    };
    document.addEventListener("visibilitychange", look);
    stop.addEventListener("abort", look);
    look();
  });
}

/**
 * Follows a stream until the signal is aborted; after a failure it continues at the last event.
 *
 * A hidden page has no stream: a browser opens at most six connections to a server,
 * and the streams of six tabs would leave none for the calls of all of them.
 */
export async function follow(
  path: string,
  handle: (event: StreamEvent) => void,
  failed: (error: ApiError) => void,
  stop: AbortSignal,
): Promise<void> {
  let last = "";
  let pause = FIRST_PAUSE;
  for (;;) {
    await seen(stop);
    if (stop.aborted) return;
    let isAnswered = false;
    const hidden = new AbortController();
    const look = (): void => {
      if (document.hidden) hidden.abort();
    };
    document.addEventListener("visibilitychange", look);
    try {
      await listen(path, last, AbortSignal.any([stop, hidden.signal]), (id, event) => {
        last = id || last;
        pause = FIRST_PAUSE;
        link.value = "live";
        handle(event);
      });
    } catch (error) {
      if (stop.aborted) return;
      if (error instanceof ApiError && error.status < 500) {
        failed(error);
        if (error.status === 401 || error.status === 403) return;
        // A deleted experiment may come again, with other trials: look for it, from its beginning.
        isAnswered = true;
        if (!last) pause = LONGEST_PAUSE;
        last = "";
      }
    } finally {
      document.removeEventListener("visibilitychange", look);
    }
    if (stop.aborted) return;
    if (hidden.signal.aborted) continue;
    if (link.value !== "denied") link.value = isAnswered ? "live" : "waiting";
    await new Promise((resolve) => setTimeout(resolve, pause));
    pause = Math.min(pause * 2, LONGEST_PAUSE);
  }
}

async function listen(
  path: string,
  last: string,
  stop: AbortSignal,
  handle: (id: string, event: StreamEvent) => void,
): Promise<void> {
  const silent = new AbortController();
  let timer = setTimeout(() => silent.abort(), SILENCE);
  const answer = await fetch(address(path), {
    headers: headers(last ? { "Last-Event-ID": last } : {}),
    signal: AbortSignal.any([stop, silent.signal]),
    cache: "no-store",
  });
  if (!answer.ok || !answer.body) throw await problem(answer);
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      clearTimeout(timer);
      timer = setTimeout(() => silent.abort(), SILENCE);
      const blocks = (rest + value).split("\n\n");
      rest = blocks.pop() ?? "";
      for (const block of blocks) {
        const event = parse(block);
        if (event) handle(event.id, event);
      }
    }
  } finally {
    clearTimeout(timer);
  }
}

function parse(block: string): (StreamEvent & { id: string }) | null {
  let id = "";
  let name = "";
  let data = "";
  for (const line of block.split("\n")) {
    if (line.startsWith("id: ")) id = line.slice(4);
    else if (line.startsWith("event: ")) name = line.slice(7);
    else if (line.startsWith("data: ")) data += line.slice(6);
  }
  return name ? { id, name, data: data ? JSON.parse(data) : null } : null;
}

/** Saves an answer as a file. */
export async function download(path: string, name: string): Promise<void> {
  const answer = await fetch(address(path), { headers: headers() });
  if (!answer.ok) throw await problem(answer);
  save(await answer.blob(), name);
}

export function save(content: Blob, name: string): void {
  const anchor = document.createElement("a");
  anchor.href = URL.createObjectURL(content);
  anchor.download = name;
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(anchor.href), 10_000);
}
