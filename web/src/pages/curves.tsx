/** The curves of a metric: the best, the running and the chosen trials, and the others as a band. */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import type { Curve, Curves, ExperimentPage } from "../api";
import { Twin } from "../components/parts";
import { Plot } from "../components/plot";
import { get } from "../client";
import { short } from "../format";
import { appended, type LiveExperiment } from "../live";
import { axis, padded, valueAxis } from "../plots/style";
import { go, set, setting, to } from "../route";
import { TEXTS } from "../texts";
import { colour, lineColour } from "../theme";
import { ENDED, type Trials } from "../trials";

export function CurvesTab({ live, page, trials }: { live: LiveExperiment; page: ExperimentPage; trials: Trials }) {
  const metric = page.metrics.includes(setting("metric")) ? setting("metric") : page.row.metric;
  const top = Number(setting("top", "6"));
  const across = setting("x", "point");
  const isLog = setting("log") === "1";
  const smoothing = Number(setting("smooth", "0"));
  const zoom = setting("zoom");
  const [on, setOn] = useState("");
  const { curves, band } = useCurves(live, metric, top, across === "point" ? zoom : "", trials);
  const shown = useMemo(() => curves.map((one) => (smoothing ? smoothed(one, smoothing) : one)), [curves, smoothing]);
  const hasSteps = curves.some((one) => one.step.length);
  const withBand = band !== null && across === "point" && !zoom;
  const data = useMemo(() => table(shown, withBand ? band : null, across), [shown, band, withBand, across]);
  const range = zoom.split("-").map(Number) as [number, number];
  const options = (): Omit<uPlot.Options, "width" | "height"> => ({
    padding: [10, 12, 0, 0],
    cursor: { drag: { x: true, y: false, setScale: false }, points: { show: false }, y: false },
    scales: {
      x: { time: false, range: (_, low, high) => (zoom ? range : low === high ? [low - 1, high + 1] : [low, high]) },
      y: isLog ? { distr: 3 } : { range: (_, low, high) => padded(low, high) },
    },
    axes: [axis({ label: LABELS[across] ?? "point" }), valueAxis()],
    series: [
      {},
      ...(withBand ? bandSeries() : []),
      ...shown.map((one, index) => ({
        label: one.trial,
        stroke: lineColour(index),
        width: on === one.trial ? 3 : 1.75,
        alpha: on && on !== one.trial ? 0.25 : 1,
        spanGaps: false,
        points: { show: one.index.length < 2 },
      })),
    ],
    ...(withBand ? { bands: [{ series: [3, 1] as [number, number], fill: `color-mix(in srgb, ${colour("idle")} 22%, transparent)` }] } : {}),
  });
  const offset = withBand ? 4 : 1;
  const trialOf = (series: number): Curve | undefined => shown[series - offset];
  const plot = shown.length ? (
    <Plot
      height={420}
      label={`${metric} of ${shown.length} trials`}
      data={data}
      options={options}
      version={[metric, across, isLog, zoom, withBand, on, shown.map((one) => one.trial).join()].join("|")}
      tip={(series, index) => {
        const one = trialOf(series);
        const value = data[series]?.[index];
        if (!one) return null;
        return { title: one.trial, rows: [[across === "time" ? "seconds" : across, short(data[0][index])], [metric, short(value)]] };
      }}
      click={(series) => {
        const one = trialOf(series);
        if (one) go(to(["e", live.namespace, live.name, "trial", one.trial]));
      }}
      zoomed={(low, high) => set({ zoom: across !== "time" ? `${Math.max(0, Math.floor(low))}-${Math.ceil(high)}` : `${low.toFixed(3)}-${high.toFixed(3)}` })}
    />
  ) : <p class="empty">{TEXTS.noPoints}</p>;
  const rows = (): (string | number)[][] =>
    curves.flatMap((one) => one.value.map((value, index) => [one.trial, one.index[index] as number, short(one.seconds[index]), short(value)]));
  return (
    <div class="stack">
      <div class="tools card inside" style={{ padding: "10px 16px" }}>
        <label>Metric
          <select class="field" value={metric} onChange={(event) => set({ metric: event.currentTarget.value, zoom: "" })}>
            {page.metrics.map((one) => <option key={one}>{one}</option>)}
          </select>
        </label>
        <label>Best trials
          <select class="field" value={String(top)} onChange={(event) => set({ top: event.currentTarget.value })}>
            {[0, 3, 6, 10, 20].map((one) => <option key={one} value={String(one)}>{one || "none"}</option>)}
          </select>
        </label>
        <label>Across
          <select class="field" value={across} onChange={(event) => set({ x: event.currentTarget.value, zoom: "" })}>
            <option value="point">points</option>{hasSteps ? <option value="step">steps</option> : null}<option value="time">time</option>
          </select>
        </label>
        <label>Smoothing
          <input type="range" min="0" max="0.98" step="0.02" value={smoothing} onInput={(event) => set({ smooth: Number(event.currentTarget.value) ? event.currentTarget.value : "" })} />
          <span class="number" style={{ minWidth: "30px" }}>{smoothing.toFixed(2)}</span>
        </label>
        <label><input type="checkbox" checked={isLog} onChange={(event) => set({ log: event.currentTarget.checked ? "1" : "" })} />Logarithmic</label>
        {zoom ? <button type="button" class="button" onClick={() => set({ zoom: "" })}>Show all points</button> : <span class="faint" style={{ fontSize: "12px" }}>Drag across the plot to zoom in</span>}
      </div>
      <div class="aside">
        <Twin
          title={metric}
          tools={withBand ? <div class="legend"><span><i class="swatch area" style={{ background: "var(--idle)" }} />{`80% of the other ${band?.curves} trials, with their median`}</span></div> : undefined}
          plot={plot}
          head={["trial", "point", "seconds", metric]}
          rows={rows}
        />
        <section class="card" aria-label="Trials in the plot">
          <header><h2>Trials in the plot</h2></header>
          <div class="inside">
            <div class="curve-list" onMouseLeave={() => setOn("")}>
              {shown.map((one, index) => {
                const row = trials.rows.find((each) => each.name === one.trial);
                return (
                  <a key={one.trial} data-row href={to(["e", live.namespace, live.name, "trial", one.trial])} {...(on === one.trial ? { "data-on": "" } : {})} onMouseEnter={() => setOn(one.trial)} onFocus={() => setOn(one.trial)} onBlur={() => setOn("")}>
                    <i class="swatch" style={{ background: lineColour(index) }} />
                    <span class="name">{one.trial}{one.trial === page.row.best_trial ? <b class="best-mark" title="the best trial">★</b> : null}{row && !ENDED.has(row.state) ? <span class="faint"> · {row.state}</span> : null}</span>
                    <span class="number">{short(lastOf(one))}</span>
                  </a>
                );
              })}
            </div>
          </div>
        </section>
      </div>
    </div>
  );
}

const LABELS: Record<string, string> = { point: "point", step: "step", time: "seconds since the first point" };

function lastOf(curve: Curve): number | null {
  return curve.value.findLast((value) => value !== null) ?? null;
}

interface Drawn {
  curves: Curve[];
  band: Curves["band"];
}

/** Reads the curves, adds live points to them, and reads anew when a trial has ended or begun. */
function useCurves(live: LiveExperiment, metric: string, top: number, zoom: string, trials: Trials): Drawn {
  const [drawn, setDrawn] = useState<Drawn>({ curves: [], band: null });
  const [again, setAgain] = useState(0);
  const ended = trials.rows.reduce((count, row) => count + (ENDED.has(row.state) ? 1 : 0), 0);
  const begun = trials.rows.reduce((count, row) => count + (row.state === "running" ? 1 : 0), 0);
  useEffect(() => {
    const stop = new AbortController();
    const [from, until] = zoom.split("-");
    const query = new URLSearchParams({ metric, top: String(top), ...(from && until ? { from, to: until } : {}) });
    get<Curves>(`${live.path}/curves?${query}`, stop.signal).then(
      (found) => setDrawn({ curves: found.curves.filter((one) => one.count), band: found.band }),
      () => undefined,
    );
    return () => stop.abort();
  }, [live, metric, top, zoom, again, ended, begun]);
  const waiting = useRef(0);
  useEffect(() => {
    live.onPoints = (points) => {
      if (points === null) return setAgain((count) => count + 1);
      if (zoom) return;
      setDrawn((known) => {
        const curves = [...known.curves];
        for (const one of points) {
          if (one.metric !== metric) continue;
          const place = curves.findIndex((curve) => curve.trial === one.trial);
          const before = curves[place] ?? { trial: one.trial, metric, count: 0, start: null, index: [], seconds: [], step: [], value: [] };
          const after = appended(before, one);
          if (after === null) {
            clearTimeout(waiting.current);
            waiting.current = setTimeout(() => setAgain((count) => count + 1), 200) as unknown as number;
          } else if (place < 0) curves.push(after);
          else curves[place] = after;
        }
        return { ...known, curves };
      });
    };
    return () => {
      live.onPoints = null;
    };
  }, [live, metric, zoom]);
  return drawn;
}

function bandSeries(): uPlot.Series[] {
  const edge = { stroke: "transparent", width: 0, points: { show: false }, spanGaps: true };
  return [edge, { ...edge, stroke: colour("idle"), width: 1.5, dash: [4, 3] }, edge].map((one) => ({ ...one, label: undefined as unknown as string }));
}

/** Joins curves with their own positions into the columns that uPlot draws. */
function table(curves: Curve[], band: Curves["band"], across: string): uPlot.AlignedData {
  const parts: uPlot.AlignedData[] = [];
  if (band) parts.push([band.index, band.low, band.middle, band.high] as uPlot.AlignedData);
  for (const one of curves) parts.push([across === "point" ? one.index : increasing(across === "step" && one.step.length ? one.step.map((step, at) => step ?? one.index[at] as number) : one.seconds), one.value] as uPlot.AlignedData);
  if (!parts.length) return [[]];
  // 2: a value that is missing at another curve's position is no gap; a null of its own stays one.
  const joined = uPlot.join(parts, parts.map((part) => part.slice(1).map(() => 2 as const).concat([2])));
  return joined;
}

/** Points of the same moment follow each other: positions must not repeat. */
function increasing(seconds: number[]): number[] {
  let last = -Infinity;
  return seconds.map((one) => (last = one > last ? one : last + 1e-6));
}

/** An exponential mean without the pull towards its first value. */
export function smoothed(curve: Curve, weight: number): Curve {
  let mean = 0;
  let whole = 0;
  const value = curve.value.map((one) => {
    if (one === null) return null;
    mean = mean * weight + one * (1 - weight);
    whole = whole * weight + (1 - weight);
    return mean / whole;
  });
  return { ...curve, value };
}
