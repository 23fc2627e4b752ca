/** What is around every page: the bar with the way back, the state of the connection, and help. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { link } from "../client";
import { openLinks, to } from "../route";
import { TEXTS } from "../texts";
import { choice, choose, isDark, type Choice } from "../theme";
import { listenToKeys } from "./keys";
import { LinkState } from "./parts";

export interface Crumb {
  text: string;
  href?: string;
}

const NEXT: Record<Choice, Choice> = { system: "light", light: "dark", dark: "system" };

export function Shell({ crumbs, children }: { crumbs: Crumb[]; children: ComponentChildren }) {
  const help = useRef<HTMLDialogElement>(null);
  useEffect(() => listenToKeys(() => help.current?.showModal()), []);
  useEffect(() => {
    document.documentElement.dataset["theme"] = isDark.value ? "dark" : "light";
  }, [isDark.value]);
  const title = [...crumbs.map((one) => one.text)].reverse().join(" · ");
  useEffect(() => {
    document.title = title ? `${title} · ${TEXTS.product}` : TEXTS.product;
  }, [title]);
  return (
    <div onClick={openLinks}>
      <a class="skip" href="#content" onClick={(event) => { event.preventDefault(); document.getElementById("content")?.focus(); }}>{TEXTS.skip}</a>
      <header class="bar">
        <a class="brand" href={to([])} aria-label={`${TEXTS.product}: ${TEXTS.experiments}`}>
          <svg width="24" height="24" viewBox="0 0 24 24" aria-hidden="true">
            <rect width="24" height="24" rx="6" fill="#0b62b0" />
            <path d="M5 17c4-1 5-9 8.500-9.500S17 8 19 7" fill="none" stroke="#fff" stroke-width="2" stroke-linecap="round" />
            <g fill="#fff" opacity=".7"><circle cx="7" cy="9" r="1.600" /><circle cx="12" cy="14" r="1.600" /><circle cx="17.500" cy="13" r="1.600" /></g>
          </svg>
          <span>{TEXTS.product}</span>
        </a>
        <nav aria-label="You are here" style={{ minWidth: 0 }}>
          <ol class="crumbs">
            {crumbs.map((one) => <li key={one.text}>{one.href ? <a href={one.href}>{one.text}</a> : <span aria-current="page">{one.text}</span>}</li>)}
          </ol>
        </nav>
        <div class="space" />
        <LinkState />
        <a class="button quiet wide" href={to(["format"])}>{TEXTS.tryFormat}</a>
        <button type="button" class="button quiet" onClick={() => choose(NEXT[choice.value])} aria-label={`Theme: ${TEXTS.theme[choice.value]}`} title={`Theme: ${TEXTS.theme[choice.value]}`}>
          <svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true">
            <circle cx="8" cy="8" r="5.500" fill="none" stroke="currentColor" stroke-width="1.500" />
            {choice.value === "light" ? null : <path d={choice.value === "dark" ? "M8 2.500a5.500 5.500 0 0 1 0 11a5.500 5.500 0 0 1 0-11" : "M8 2.500a5.500 5.500 0 0 1 0 11z"} fill="currentColor" />}
          </svg>
        </button>
        <button type="button" class="button quiet wide" onClick={() => help.current?.showModal()} aria-label="Keys">?</button>
      </header>
      <main id="content" tabIndex={-1}>
        {link.value === "denied" ? <p class="notice bad" role="alert">{TEXTS.noToken}</p> : children}
      </main>
      <dialog ref={help} aria-labelledby="keys" onClick={(event) => { if (event.target === help.current) help.current?.close(); }}>
        <h2 id="keys" style={{ marginBottom: "14px" }}>Keys</h2>
        <dl class="pairs">
          {TEXTS.keys.map(([keys, what]) => [<dt key={keys}>{keys.split(", ").map((one) => <kbd key={one}>{one}</kbd>)}</dt>, <dd key={what}>{what}</dd>])}
        </dl>
        <form method="dialog" style={{ marginTop: "18px", textAlign: "right" }}><button class="button" type="submit">Close</button></form>
      </dialog>
    </div>
  );
}
