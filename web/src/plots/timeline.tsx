/** When each trial ran: a bar from its start to its end, in as few rows as ran at once. */
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { ExperimentPage } from "../api";
import { Twin, useNow } from "../components/parts";
import { duration, moment, short } from "../format";
import { go, to } from "../route";
import { colour, isDark } from "../theme";
import type { Trial, Trials } from "../trials";
import { context } from "./style";

const FILL: Record<string, string> = { succeeded: "good", "stopped early": "odd", failed: "bad", killed: "bad", "no metrics": "odd", running: "busy" };
const TALLEST = 26;
const SHORTEST = 5;
const FOOT = 22;

interface Span {
  row: Trial;
  lane: number;
  from: number;
  until: number;
}

export function Timeline({ page, trials }: { page: ExperimentPage; trials: Trials }) {
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [width, setWidth] = useState(0);
  const [tip, setTip] = useState<{ span: Span; x: number; y: number } | null>(null);
  const runs = trials.rows.some((row) => row.state === "running");
  const now = useNow(runs ? 1000 : 3_600_000);
  const { spans, lanes } = useMemo(() => layout(trials.rows, now / 1000), [trials, runs ? now : 0]);
  const lane = Math.max(SHORTEST, Math.min(TALLEST, 220 / Math.max(lanes, 1)));
  const height = Math.round(lanes * lane) + FOOT;
  const low = Math.min(...spans.map((one) => one.from));
  const high = Math.max(...spans.map((one) => one.until), low + 1);
  const x = (at: number): number => ((at - low) / (high - low)) * (width - 2) + 1;

  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    setWidth(element.clientWidth);
    const watch = new ResizeObserver(() => setWidth(element.clientWidth));
    watch.observe(element);
    return () => watch.disconnect();
  }, [spans.length > 0]);

  useEffect(() => {
    if (!canvas.current || !width) return;
    const drawing = context(canvas.current, width, height);
    for (const one of spans) {
      drawing.fillStyle = colour(FILL[one.row.state] ?? "idle");
      drawing.globalAlpha = one.row.name === page.row.best_trial ? 1 : 0.72;
      const left = x(one.from);
      drawing.beginPath();
      drawing.roundRect(left, one.lane * lane + 1, Math.max(x(one.until) - left - 1, 2), lane - 2, Math.min(3, lane / 4));
      drawing.fill();
    }
    drawing.globalAlpha = 1;
    drawing.fillStyle = colour("faint");
    drawing.textBaseline = "alphabetic";
    drawing.fillText("0 s", 1, height - 5);
    drawing.textAlign = "right";
    drawing.fillText(duration(high - low), width - 1, height - 5);
  }, [spans, width, height, isDark.value, page.row.best_trial]);

  const at = (event: MouseEvent): Span | null => {
    const area = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const row = Math.floor((event.clientY - area.top) / lane);
    const left = event.clientX - area.left;
    return spans.find((one) => one.lane === row && left >= x(one.from) - 2 && left <= x(one.until) + 2) ?? null;
  };
  const plot = (
    <div class="plot" ref={box} role="img" aria-label={`${spans.length} trials in ${duration(high - low)}, up to ${lanes} at the same time`}>
      <canvas
        ref={canvas}
        onMouseMove={(event) => {
          const span = at(event);
          setTip(span ? { span, x: event.offsetX, y: event.offsetY } : null);
        }}
        onMouseLeave={() => setTip(null)}
        onClick={(event) => {
          const span = at(event);
          if (span) go(to(["e", page.row.namespace, page.row.name, "trial", span.row.name]));
        }}
      />
      {tip ? (
        <div class="tip" style={{ top: `${tip.y + 12}px`, ...(tip.x > width / 2 ? { right: `${width - tip.x + 10}px` } : { left: `${tip.x + 12}px` }) }}>
          <b>{tip.span.row.name}</b>
          <div><span>state</span><span>{tip.span.row.state}</span></div>
          <div><span>ran</span><span>{duration(tip.span.until - tip.span.from)}</span></div>
          <div><span>{page.row.metric}</span><span>{short(tip.span.row.results[0])}</span></div>
        </div>
      ) : null}
    </div>
  );
  const rows = (): (string | number)[][] =>
    spans.map((one) => [one.row.number, one.row.name, one.row.state, moment(new Date(one.from * 1000).toISOString()), duration(one.until - one.from)]);
  return (
    <Twin
      title="When the trials ran"
      plot={spans.length ? plot : <p class="empty">No trial has started yet.</p>}
      head={["number", "trial", "state", "start", "ran"]}
      rows={rows}
    />
  );
}

/** Puts each trial into the first lane that is free at its start. */
function layout(rows: Trial[], now: number): { spans: Span[]; lanes: number } {
  const free: number[] = [];
  const begun = rows.filter((row) => row.start !== null).sort((a, b) => (a.start as number) - (b.start as number));
  const spans = begun.map((row) => {
    const from = row.start as number;
    const until = row.state === "running" ? Math.max(now, from) : from + (row.seconds ?? 0);
    let lane = free.findIndex((end) => end <= from + 1e-3);
    if (lane < 0) lane = free.length;
    free[lane] = until;
    return { row, lane, from, until };
  });
  return { spans, lanes: free.length };
}
