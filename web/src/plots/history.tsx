/** The value of each trial in the order of suggestion, the best so far, and the goal. */
import { useMemo } from "preact/hooks";
import uPlot from "uplot";
import type { ExperimentPage } from "../api";
import { Twin } from "../components/parts";
import { Plot } from "../components/plot";
import { short } from "../format";
import { go, to } from "../route";
import { TEXTS } from "../texts";
import { colour } from "../theme";
import { COUNTED, type Trials } from "../trials";
import { axis, padded, valueAxis } from "./style";

export function History({ page, trials }: { page: ExperimentPage; trials: Trials }) {
  const isLess = page.row.goal_type === "minimize";
  const { data, best } = useMemo(() => columns(trials, isLess), [trials, isLess]);
  const seen = trials.rows.filter((row) => row.results[0] !== null);
  const rows = (): (string | number)[][] =>
    trials.rows.map((row, index) => [row.number, row.name, row.state, short(row.results[0]), short(best[index])]);
  const options = (): Omit<uPlot.Options, "width" | "height"> => ({
    padding: [10, 12, 0, 0],
    cursor: { drag: { x: false, y: false }, points: { show: false }, y: false },
    scales: {
      x: { time: false, range: (_, low, high) => [Math.min(low, 1) - 0.6, Math.max(high, 2) + 0.6] },
      y: { range: (_, low, high) => padded(least(low, page.goal), most(high, page.goal)) },
    },
    axes: [axis({ label: "trial, in the order of suggestion", incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000] }), valueAxis()],
    series: [
      {},
      dots("succeeded", colour("good")),
      dots("stopped early", colour("odd")),
      dots("running", colour("busy"), true),
      { label: "best", stroke: colour("best"), width: 2, points: { show: false }, paths: (uPlot.paths.stepped as uPlot.Series.SteppedPathBuilderFactory)({ align: 1 }) },
    ],
    hooks: { drawAxes: [(self) => goalLine(self, page.goal)] },
  });
  const plot = seen.length ? (
    <Plot
      height={280}
      label={`The best value of ${page.row.metric} so far is ${short(page.row.best)}, after ${trials.rows.length} trials`}
      data={data}
      options={options}
      version={`${page.goal}`}
      tip={(series, index) => {
        const row = trials.rows[index];
        if (!row || series === 4) return null;
        return { title: row.name, rows: [[page.row.metric, short(row.results[0])], ...trials.parameters.map((name, at): [string, string] => [name, String(typeof row.values[at] === "number" ? short(row.values[at] as number) : row.values[at])])] };
      }}
      click={(_, index) => {
        const row = trials.rows[index];
        if (row) go(to(["e", page.row.namespace, page.row.name, "trial", row.name]));
      }}
    />
  ) : <p class="empty">{TEXTS.noValues}</p>;
  const legend = (
    <div class="legend">
      {([["succeeded", "good"], ["stopped early", "odd"], ["running", "busy"]] as const).map(([state, name]) =>
        seen.some((row) => row.state === state) ? <span key={state}><i class="swatch dot" style={{ background: `var(--${name})` }} />{state}</span> : null,
      )}
      <span><i class="swatch" style={{ background: "var(--best)" }} />best so far</span>
    </div>
  );
  return <Twin title={`${page.row.metric} of each trial`} tools={legend} plot={plot} head={["number", "trial", "state", page.row.metric, "best so far"]} rows={rows} />;
}

function columns(trials: Trials, isLess: boolean): { data: uPlot.AlignedData; best: (number | null)[] } {
  const numbers = trials.rows.map((row) => row.number);
  const of = (state: string) => trials.rows.map((row) => (row.state === state ? (row.results[0] ?? null) : null));
  const best: (number | null)[] = [];
  let top: number | null = null;
  for (const row of trials.rows) {
    const value = row.results[0] ?? null;
    if (COUNTED.has(row.state) && value !== null && (top === null || (isLess ? value < top : value > top))) top = value;
    best.push(top);
  }
  return { data: [numbers, of("succeeded"), of("stopped early"), of("running"), best], best };
}

function dots(label: string, stroke: string, isOpen = false): uPlot.Series {
  return { label, stroke, paths: () => null, points: { show: true, size: 8, width: isOpen ? 1.5 : 1, stroke, fill: isOpen ? colour("panel") : stroke } };
}

function least(low: number | null, goal: number | null): number | null {
  return low === null || goal === null ? low : Math.min(low, goal);
}

function most(high: number | null, goal: number | null): number | null {
  return high === null || goal === null ? high : Math.max(high, goal);
}

function goalLine(plot: uPlot, goal: number | null): void {
  if (goal === null) return;
  const y = Math.round(plot.valToPos(goal, "y", true));
  const { left, width } = plot.bbox;
  const drawing = plot.ctx;
  drawing.save();
  drawing.strokeStyle = drawing.fillStyle = colour("soft");
  drawing.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio]);
  drawing.lineWidth = devicePixelRatio;
  drawing.beginPath();
  drawing.moveTo(left, y);
  drawing.lineTo(left + width, y);
  drawing.stroke();
  drawing.font = `${11 * devicePixelRatio}px Inter, system-ui, sans-serif`;
  drawing.textAlign = "left";
  drawing.textBaseline = "bottom";
  drawing.fillText(`goal ${short(goal)}`, left + 6 * devicePixelRatio, y - 3 * devicePixelRatio);
  drawing.restore();
}
