/** The filter that all views of an experiment share; it is in the address. */
import { useMemo } from "preact/hooks";
import { FilterError, lookupOfNothing, parseFilter, type Predicate } from "../filter";
import { set, setting } from "../route";
import { TEXTS } from "../texts";
import { fieldsOf, lookupOf, type Trial, type Trials } from "../trials";

export interface Filtered {
  rows: Trial[];
  fault: string;
}

export function useFiltered(trials: Trials): Filtered {
  const text = setting("q");
  const fields = fieldsOf(trials).join("\u0000");
  const { predicate, fault } = useMemo(() => read(text, fields.split("\u0000")), [text, fields]);
  const rows = useMemo(
    () => (predicate ? trials.rows.filter((row) => predicate(lookupOf(trials, row))) : trials.rows),
    [trials, predicate],
  );
  return { rows, fault };
}

function read(text: string, fields: string[]): { predicate: Predicate | null; fault: string } {
  try {
    const predicate = parseFilter(text, fields);
    predicate(lookupOfNothing);
    return { predicate, fault: "" };
  } catch (error) {
    if (error instanceof FilterError) return { predicate: null, fault: error.message };
    throw error;
  }
}

export function FilterField({ filtered, total }: { filtered: Filtered; total: number }) {
  return (
    <>
      <input class="field grow mono" data-filter type="search" spellcheck={false} value={setting("q")} placeholder={TEXTS.filterTrials} aria-label={TEXTS.filterTrials} aria-invalid={Boolean(filtered.fault)} aria-describedby="fault" onInput={(event) => set({ q: event.currentTarget.value })} />
      <span id="fault" class="faint number" role="status" style={{ fontSize: "13px", ...(filtered.fault ? { color: "var(--bad)" } : {}) }}>
        {filtered.fault || `${filtered.rows.length.toLocaleString("en")} of ${total.toLocaleString("en")}`}
      </span>
    </>
  );
}
