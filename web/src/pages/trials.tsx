/** All trials in a table of any length: sorted, filtered, with the columns one wants. */
import { elementScroll, observeElementOffset, observeElementRect, Virtualizer } from "@tanstack/virtual-core";
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { ExperimentPage } from "../api";
import { FilterField, useFiltered } from "../components/filter_field";
import { Pill } from "../components/parts";
import { download, save } from "../client";
import { cell, duration, short, visible } from "../format";
import type { LiveExperiment } from "../live";
import { set, setting, to } from "../route";
import { TEXTS } from "../texts";
import { lookupOf, type Trial, type Trials } from "../trials";

const ROW = 36;

interface Column {
  name: string;
  isNumber: boolean;
  show: (row: Trial) => string;
}

export function TrialsTab({ live, page, trials }: { live: LiveExperiment; page: ExperimentPage; trials: Trials }) {
  const filtered = useFiltered(trials);
  const columns = useMemo(() => columnsOf(page, trials), [page.axes, trials.parameters, trials.metrics]);
  const hidden = setting("hide").split(",").filter(Boolean).map(decodeURIComponent);
  const shown = columns.filter((one) => !hidden.includes(one.name));
  const sort = setting("sort", "number");
  const rows = useMemo(() => sorted(filtered.rows, trials, sort), [filtered.rows, sort]);
  const json = (): void => {
    const objects = rows.map((row) => Object.fromEntries([["name", row.name], ["state", row.state], ...trials.parameters.map((name, at) => [name, row.values[at]]), ...trials.metrics.map((name, at) => [name, row.results[at]]), ["seconds", row.seconds]]));
    save(new Blob([JSON.stringify(objects, null, 2)], { type: "application/json" }), `${live.name}-trials.json`);
  };
  const toggle = (name: string): void =>
    set({ hide: (hidden.includes(name) ? hidden.filter((one) => one !== name) : [...hidden, name]).map(encodeURIComponent).join(",") });
  return (
    <div class="stack">
      <div class="tools">
        <FilterField filtered={filtered} total={trials.rows.length} />
        <details class="menu">
          <summary class="button">Columns</summary>
          <div>{columns.map((one) => <label key={one.name}><input type="checkbox" checked={!hidden.includes(one.name)} onChange={() => toggle(one.name)} />{one.name}</label>)}</div>
        </details>
        <button type="button" class="button" onClick={() => void download(`${live.path}/trials.csv`, `${live.name}-trials.csv`)}>CSV</button>
        <button type="button" class="button" onClick={json}>JSON</button>
      </div>
      <VirtualTable rows={rows} columns={shown} page={page} sort={sort} />
    </div>
  );
}

function columnsOf(page: ExperimentPage, trials: Trials): Column[] {
  const numbers = new Set(page.axes.filter((one) => one.is_number).map((one) => one.name));
  return [
    ...trials.metrics.map((name, at): Column => ({ name, isNumber: true, show: (row) => short(row.results[at]) })),
    ...trials.parameters.map((name, at): Column => ({ name, isNumber: numbers.has(name), show: (row) => cell(row.values[at]) })),
    { name: "seconds", isNumber: true, show: (row) => duration(row.seconds) },
    { name: "note", isNumber: false, show: (row) => visible(row.note) },
  ];
}

function sorted(rows: Trial[], trials: Trials, sort: string): Trial[] {
  const falls = sort.startsWith("-");
  const field = falls ? sort.slice(1) : sort;
  const keyed = rows.map((row) => ({ row, key: lookupOf(trials, row)(field) ?? null }));
  keyed.sort((a, b) => {
    if (a.key === null || b.key === null) return Number(a.key === null) - Number(b.key === null);
    const order = typeof a.key === "number" && typeof b.key === "number" ? a.key - b.key : String(a.key).localeCompare(String(b.key));
    return (falls ? -order : order) || a.row.number - b.row.number;
  });
  return keyed.map((one) => one.row);
}

function VirtualTable({ rows, columns, page, sort }: { rows: Trial[]; columns: Column[]; page: ExperimentPage; sort: string }) {
  const box = useRef<HTMLDivElement>(null);
  const [, draw] = useState(0);
  const virtual = useMemo(
    () =>
      new Virtualizer<HTMLDivElement, HTMLTableRowElement>({
        count: 0,
        getScrollElement: () => box.current,
        estimateSize: () => ROW,
        overscan: 12,
        scrollMargin: ROW,
        observeElementRect,
        observeElementOffset,
        scrollToFn: elementScroll,
        onChange: () => draw((count) => count + 1),
      }),
    [],
  );
  virtual.setOptions({ ...virtual.options, count: rows.length });
  useLayoutEffect(() => virtual._didMount(), [virtual]);
  useLayoutEffect(() => virtual._willUpdate());
  const items = virtual.getVirtualItems();
  const first = items[0];
  const last = items[items.length - 1];
  const before = first ? first.start - ROW : 0;
  const after = last ? virtual.getTotalSize() - (last.end - ROW) : 0;
  const width = columns.length + 2;
  return (
    <div class="card scroll virtual" ref={box} tabIndex={0} role="region" aria-label="Trials">
      <table aria-rowcount={rows.length + 1}>
        <thead>
          <tr>
            <Head name="number" text="Trial" sort={sort} />
            <Head name="state" text="State" sort={sort} />
            {columns.map((one) => <Head key={one.name} name={one.name} text={one.name} sort={sort} isNumber={one.isNumber} />)}
          </tr>
        </thead>
        <tbody>
          {before > 0 ? <tr class="pad" aria-hidden="true"><td colSpan={width} style={{ height: `${before}px` }} /></tr> : null}
          {items.map((item) => {
            const row = rows[item.index] as Trial;
            return (
              <tr key={row.name} aria-rowindex={item.index + 2}>
                <td>
                  <a class="name" data-row href={to(["e", page.row.namespace, page.row.name, "trial", row.name])}>{row.name}</a>
                  {row.name === page.row.best_trial ? <b class="best-mark" title="the best trial">★<span class="hidden"> best</span></b> : null}
                </td>
                <td><Pill state={row.state} /></td>
                {columns.map((one) => <td key={one.name} class={one.isNumber ? "right number" : "text"} title={one.name === "note" ? row.note : ""}>{one.show(row)}</td>)}
              </tr>
            );
          })}
          {after > 0 ? <tr class="pad" aria-hidden="true"><td colSpan={width} style={{ height: `${after}px` }} /></tr> : null}
        </tbody>
      </table>
      {rows.length ? null : <p class="empty">{TEXTS.noTrialMatch}</p>}
    </div>
  );
}

function Head({ name, text, sort, isNumber = false }: { name: string; text: string; sort: string; isNumber?: boolean }) {
  const rises = sort === name;
  const falls = sort === `-${name}`;
  return (
    <th scope="col" class={isNumber ? "right" : ""} aria-sort={rises ? "ascending" : falls ? "descending" : "none"}>
      <button type="button" onClick={() => set({ sort: rises ? `-${name}` : name })}>{text}<span aria-hidden="true">{rises ? "↑" : falls ? "↓" : ""}</span></button>
    </th>
  );
}
