/** Small parts that several pages share. */
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Progress } from "../api";
import { link } from "../client";
import { counted } from "../format";
import { TEXTS } from "../texts";

/** A symbol for each state, so that colour is never the only sign. */
function Symbol({ state }: { state: string }) {
  const line = { fill: "none", stroke: "currentColor", "stroke-width": "1.8", "stroke-linecap": "round", "stroke-linejoin": "round" } as const;
  const shapes: Record<string, ComponentChildren> = {
    succeeded: <path d="M2.5 6.500l2.500 2.500 4.500-5.500" {...line} />,
    running: <path d="M4 2.500l5 3.500-5 3.500z" fill="currentColor" />,
    failed: <path d="M3 3l6 6M9 3l-6 6" {...line} />,
    killed: <path d="M3 3l6 6M9 3l-6 6" {...line} />,
    "stopped early": <path d="M3 3h6v6h-6z" fill="currentColor" />,
    "no metrics": <path d="M6 2.500v4M6 9.300v.1" {...line} />,
    interrupted: <path d="M4 3v6M8 3v6" {...line} />,
  };
  return (
    <svg width="12" height="12" viewBox="0 0 12 12" aria-hidden="true">
      {shapes[state] ?? <circle cx="6" cy="6" r="3.500" {...line} />}
    </svg>
  );
}

export function Pill({ state }: { state: string }) {
  return (
    <span class="pill" data-state={state}>
      <Symbol state={state} />
      {TEXTS.states[state] ?? state}
    </span>
  );
}

export function Bar({ progress }: { progress: Progress }) {
  const { succeeded, stopped, failed, running, total, budget } = progress;
  const whole = Math.max(budget ?? total, total, 1);
  const parts = { succeeded, stopped, failed, running };
  const words = [
    `${succeeded + stopped + failed}${budget === null ? "" : ` of ${budget}`} ended`,
    running ? `${running} running` : "",
    failed ? `${failed} failed` : "",
  ].filter(Boolean);
  return (
    <div class="progress">
      <div class="track" role="img" aria-label={`${counted(succeeded, "trial")} succeeded, ${words.join(", ")}`}>
        {Object.entries(parts).map(([name, count]) =>
          count ? <i key={name} class={name} style={{ width: `${(count / whole) * 100}%` }} /> : null,
        )}
      </div>
      <span class="words">{words.join(" · ")}</span>
    </div>
  );
}

export function Spark({ values, width = 96 }: { values: number[]; width?: number }) {
  const height = 26;
  if (values.length < 2) return <svg class="spark" width={width} height={height} aria-hidden="true" />;
  const low = Math.min(...values);
  const span = Math.max(...values) - low || 1;
  const x = (index: number): number => 2 + (index / (values.length - 1)) * (width - 6);
  const y = (value: number): number => height - 4 - ((value - low) / span) * (height - 8);
  const path = values.map((value, index) => (index ? `H${x(index).toFixed(1)}V${y(value).toFixed(1)}` : `M${x(0)} ${y(value).toFixed(1)}`)).join("");
  const last = values.length - 1;
  return (
    <svg class="spark" width={width} height={height} aria-hidden="true">
      <path d={path} />
      <circle cx={x(last)} cy={y(values[last] as number)} r="2.500" />
    </svg>
  );
}

export function Card(props: { title: string; tools?: ComponentChildren; children: ComponentChildren; flush?: boolean }) {
  return (
    <section class="card" aria-label={props.title}>
      <header>
        <h2>{props.title}</h2>
        <div class="space" />
        {props.tools}
      </header>
      {props.flush ? props.children : <div class="inside">{props.children}</div>}
    </section>
  );
}

/** The same content as a plot and as a table, with one button between them. */
export function Twin(props: { title: string; tools?: ComponentChildren; plot: ComponentChildren; head: string[]; rows: () => (string | number)[][] }) {
  const [isTable, setTable] = useState(false);
  const button = (
    <button type="button" class="button quiet" aria-pressed={isTable} onClick={() => setTable(!isTable)}>
      {isTable ? TEXTS.asPlot : TEXTS.asTable}
    </button>
  );
  return (
    <Card title={props.title} tools={<>{props.tools}{button}</>}>
      {isTable ? <Plain head={props.head} rows={props.rows()} /> : props.plot}
    </Card>
  );
}

const MOST_ROWS = 500;

export function Plain({ head, rows }: { head: string[]; rows: (string | number)[][] }) {
  const isNumber = head.map((_, column) => rows.every((row) => typeof row[column] === "number" || /^[-–\d.e]*$/.test(String(row[column]))));
  return (
    <div class="scroll twin" tabIndex={0}>
      <table>
        <thead>
          <tr>{head.map((one, column) => <th key={one} class={isNumber[column] ? "right" : ""} scope="col">{one}</th>)}</tr>
        </thead>
        <tbody>
          {rows.slice(0, MOST_ROWS).map((row, index) => (
            <tr key={index}>{row.map((one, column) => <td key={column} class={isNumber[column] ? "right number" : "text"}>{one}</td>)}</tr>
          ))}
          {rows.length > MOST_ROWS ? <tr><td colSpan={head.length}>{`… ${(rows.length - MOST_ROWS).toLocaleString("en")} more rows`}</td></tr> : null}
        </tbody>
      </table>
    </div>
  );
}

export function LinkState() {
  const words = TEXTS.links[link.value];
  return (
    <span class="state-of-link" data-link={link.value} role="status" title={link.value === "waiting" ? TEXTS.waitingLong : ""}>
      <i aria-hidden="true" />
      {words}
    </span>
  );
}

/** The time, which changes every second; for ages and running times. */
export function useNow(period = 1000): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), period);
    return () => clearInterval(timer);
  }, [period]);
  return now;
}
