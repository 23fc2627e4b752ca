/** The trials of an experiment: columns of the API as rows that the pages share. */
import type { TrialColumns } from "./api";
import type { Lookup, Value } from "./filter";

export interface Trial {
  name: string;
  number: number;
  state: string;
  values: (number | string | null)[];
  results: (number | null)[];
  start: number | null;
  seconds: number | null;
  note: string;
}

export const ENDED = new Set(["succeeded", "stopped early", "failed", "killed", "no metrics"]);
export const COUNTED = new Set(["succeeded", "stopped early"]);

export interface Trials {
  parameters: string[];
  metrics: string[];
  rows: Trial[];
}

export const NONE: Trials = { parameters: [], metrics: [], rows: [] };

function rowsOf(columns: TrialColumns): Trial[] {
  return columns.name.map((name, index) => ({
    name,
    number: columns.number[index] as number,
    state: columns.states[columns.state[index] as number] ?? "",
    values: columns.values.map((column) => column[index] ?? null),
    results: columns.results.map((column) => column[index] ?? null),
    start: columns.start[index] ?? null,
    seconds: columns.seconds[index] ?? null,
    note: columns.note[index] ?? "",
  }));
}

/** Returns the trials with changes merged in by name. */
export function merged(known: Trials, columns: TrialColumns, isAll: boolean): Trials {
  const rows = rowsOf(columns);
  const { parameters, metrics } = columns;
  if (isAll) return { parameters, metrics, rows };
  if (!rows.length) return known;
  const changed = new Map(rows.map((row) => [row.name, row]));
  const kept = known.rows.map((row) => {
    const now = changed.get(row.name);
    changed.delete(row.name);
    return now ?? row;
  });
  return { parameters, metrics, rows: [...kept, ...changed.values()].sort((a, b) => a.number - b.number) };
}

export function fieldsOf(trials: Trials): string[] {
  return ["name", "number", "state", ...trials.parameters, ...trials.metrics, "seconds", "note"];
}

export function lookupOf(trials: Trials, row: Trial): Lookup {
  return (field): Value | undefined => {
    const parameter = trials.parameters.indexOf(field);
    if (parameter >= 0) return row.values[parameter] ?? null;
    const metric = trials.metrics.indexOf(field);
    if (metric >= 0) return row.results[metric] ?? null;
    if (field === "name") return row.name;
    if (field === "number") return row.number;
    if (field === "state") return row.state;
    if (field === "seconds") return row.seconds;
    return field === "note" ? row.note : undefined;
  };
}
