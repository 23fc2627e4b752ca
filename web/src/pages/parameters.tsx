/** How parameters and results belong together: one filter for all plots. */
import { useEffect, useState } from "preact/hooks";
import type { ExperimentPage, Importance } from "../api";
import { FilterField, useFiltered } from "../components/filter_field";
import { Card, Twin } from "../components/parts";
import { get } from "../client";
import { cell, short } from "../format";
import type { LiveExperiment } from "../live";
import { Parallel } from "../plots/parallel";
import { Slice } from "../plots/slice";
import { TEXTS } from "../texts";
import { ENDED, type Trial, type Trials } from "../trials";

export function ParametersTab({ live, page, trials }: { live: LiveExperiment; page: ExperimentPage; trials: Trials }) {
  const filtered = useFiltered(trials);
  const [picked, setPicked] = useState<Trial[] | null>(null);
  const measured = filtered.rows.filter((row) => row.results[0] !== null);
  const shown = (picked ?? measured).filter((row) => row.results[0] !== null);
  const slices = shown.length ? (
    <div class="slices">{page.axes.map((one) => <Slice key={one.name} name={one.name} page={page} trials={trials} rows={shown} />)}</div>
  ) : <p class="empty">{TEXTS.noValues}</p>;
  return (
    <div class="stack">
      <div class="tools"><FilterField filtered={filtered} total={trials.rows.length} /></div>
      <Parallel page={page} trials={trials} rows={filtered.rows} picked={setPicked} />
      <Twin
        title={`${page.row.metric} over each parameter`}
        tools={<div class="legend"><span><i class="swatch dot" style={{ background: "var(--best)" }} />best</span><span>fainter: suggested earlier</span></div>}
        plot={slices}
        head={["trial", ...trials.parameters, page.row.metric]}
        rows={() => shown.map((row) => [row.name, ...row.values.map(cell), short(row.results[0])])}
      />
      <Weights live={live} ended={trials.rows.filter((row) => ENDED.has(row.state)).length} />
    </div>
  );
}

function Weights({ live, ended }: { live: LiveExperiment; ended: number }) {
  const [found, setFound] = useState<Importance | null>(null);
  useEffect(() => {
    const stop = new AbortController();
    get<Importance>(`${live.path}/importance`, stop.signal).then(setFound, () => undefined);
    return () => stop.abort();
  }, [live, ended]);
  const title = "How much each parameter matters";
  if (!found) return <Card title={title}><p class="faint">Computing…</p></Card>;
  if (found.why_not) return <Card title={title}><p class="faint">{found.why_not}</p></Card>;
  const percent = (value: number): string => `${Math.round(value * 100)}%`;
  const bars = (
    <>
      <ul class="weights">
        {found.parameters.map((one) => (
          <li key={one.name}>
            <span class="name" title={one.name}>{one.name}</span>
            <svg viewBox="0 0 100 18" preserveAspectRatio="none" role="img" aria-label={`${percent(one.value)}, between ${percent(one.low)} and ${percent(one.high)}`}>
              <rect class="whole" width="100" height="10" y="4" rx="0.500" />
              <rect class="part" width={one.value * 100} height="10" y="4" rx="0.500" />
              <path class="spread" vector-effect="non-scaling-stroke" d={`M${one.low * 100} 9H${one.high * 100}M${one.low * 100} 5v8M${one.high * 100} 5v8`} />
            </svg>
            <span class="number" style={{ textAlign: "right" }}>{percent(one.value)}</span>
          </li>
        ))}
      </ul>
      <p class="faint" style={{ marginTop: "14px", fontSize: "12px" }}>
        {`By ${found.method} over ${found.trials} trials. The line shows where 80% of the results lie when the trials are drawn again with replacement: a long line means that more trials are needed.`}
      </p>
    </>
  );
  return <Twin title={title} plot={bars} head={["parameter", "importance", "low", "high"]} rows={() => found.parameters.map((one) => [one.name, percent(one.value), percent(one.low), percent(one.high)])} />;
}
