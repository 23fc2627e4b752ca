/** All experiments in one table, live. */
import { useEffect, useState } from "preact/hooks";
import type { ExperimentList, ExperimentRow } from "../api";
import { Shell } from "../components/shell";
import { Bar, Pill, Spark, useNow } from "../components/parts";
import { ApiError, follow, get } from "../client";
import { age, duration, moment, short } from "../format";
import { set, setting, to } from "../route";
import { TEXTS } from "../texts";

const STATES = ["running", "succeeded", "failed", "interrupted"];

export function Experiments() {
  const [list, setList] = useState<ExperimentList | null>(null);
  const [error, setError] = useState("");
  useEffect(() => {
    const stop = new AbortController();
    const read = async (): Promise<void> => {
      try {
        setList(await get<ExperimentList>("/experiments", stop.signal));
        setError("");
      } catch (problem) {
        if (problem instanceof ApiError) setError(problem.message);
      }
    };
    void follow("/stream", (event) => {
      if (event.name === "hello") void read();
      else if (event.name === "list") setList(event.data as ExperimentList);
      setError(event.name === "trouble" ? (event.data as { error: string }).error : "");
    }, (problem) => setError(problem.message), stop.signal);
    return () => stop.abort();
  }, []);
  return (
    <Shell crumbs={[{ text: TEXTS.experiments }]}>
      {error ? <p class="notice bad" role="alert" style={{ marginBottom: "14px" }}>{error}</p> : null}
      {list ? <Table list={list} /> : null}
    </Shell>
  );
}

function Table({ list }: { list: ExperimentList }) {
  const now = useNow(5000);
  const text = setting("q");
  const state = setting("state");
  const matching = list.experiments.filter((row) => matches(row, text));
  const shown = matching.filter((row) => !state || row.state === state);
  const spaces = new Set(list.experiments.map((row) => row.namespace)).size > 1;
  if (!list.experiments.length) {
    return (
      <div class="card empty">
        <strong>{TEXTS.noExperiments}</strong>
        <span>{`There are none ${list.where}: ${list.makes}. This page shows it at once.`}</span>
      </div>
    );
  }
  return (
    <div class="stack">
      <div class="head" style={{ margin: 0 }}>
        <div class="line"><h1>{TEXTS.experiments}</h1><span class="faint">{list.where}</span></div>
      </div>
      <div class="tools">
        <input class="field grow" data-filter type="search" value={text} placeholder={TEXTS.filterExperiments} aria-label={TEXTS.filterExperiments} onInput={(event) => set({ q: event.currentTarget.value })} />
        <div class="chips" role="group" aria-label="State">
          <button type="button" class="chip" aria-pressed={!state} onClick={() => set({ state: "" })}>All <b>{matching.length}</b></button>
          {STATES.map((one) => {
            const count = matching.filter((row) => row.state === one).length;
            return count || state === one ? <button type="button" key={one} class="chip" aria-pressed={state === one} onClick={() => set({ state: state === one ? "" : one })}>{one} <b>{count}</b></button> : null;
          })}
        </div>
      </div>
      <div class="card scroll">
        <table class="list">
          <thead>
            <tr><th scope="col">Experiment</th><th scope="col">State</th><th scope="col">Trials</th><th scope="col" class="right">Best</th><th scope="col"><span class="hidden">Best so far</span></th><th scope="col" class="right">Compute</th><th scope="col" class="right">Age</th></tr>
          </thead>
          <tbody>
            {shown.map((row) => <Row key={`${row.namespace}/${row.name}`} row={row} now={now} spaces={spaces} />)}
          </tbody>
        </table>
        {shown.length ? null : <p class="empty">{TEXTS.noMatch}</p>}
      </div>
    </div>
  );
}

function Row({ row, now, spaces }: { row: ExperimentRow; now: number; spaces: boolean }) {
  const href = to(["e", row.namespace, row.name]);
  return (
    <tr>
      <td>
        <a class="name" data-row href={href}>{row.name}</a>
        <span class="sub">{spaces ? `${row.namespace} · ` : ""}{row.algorithm}</span>
      </td>
      <td title={row.reason}><Pill state={row.state} /></td>
      <td class="wide"><Bar progress={row.progress} /></td>
      <td class="right number result">
        {short(row.best)}
        <span class="sub">{`${row.goal_type === "minimize" ? "↓" : "↑"} ${row.metric}`}</span>
      </td>
      <td class="extra"><Spark values={row.spark} /></td>
      <td class="right number extra">{duration(row.compute_seconds)}</td>
      <td class="right number extra" title={moment(row.created)}>{age(row.created, now)}</td>
    </tr>
  );
}

function matches(row: ExperimentRow, text: string): boolean {
  const whole = [row.name, row.namespace, row.metric, row.algorithm].join(" ").toLowerCase();
  return text.toLowerCase().split(/\s+/).every((word) => whole.includes(word));
}
