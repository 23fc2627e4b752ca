/** Parallel coordinates: a line for each trial, an axis for each parameter and for the objective. */
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Axis, ExperimentPage } from "../api";
import { Twin } from "../components/parts";
import { cell, short } from "../format";
import { go, set, setting, to } from "../route";
import { TEXTS } from "../texts";
import { colour, isDark, scale } from "../theme";
import type { Trial, Trials } from "../trials";
import { context } from "./style";

interface Scale {
  name: string;
  of: (row: Trial) => number | string | null;
  /** From 0 at the foot to 1 at the top; null is not on the axis. */
  height: (value: number | string | null) => number | null;
  value: (height: number) => number | null;
  ticks: { text: string; height: number }[];
  canBeLog: boolean;
  isLog: boolean;
}

const HEIGHT = 320;
const EDGE = 60;
const TOP = 12;
const FOOT = 14;

/** A part of an axis that is chosen: from 0 to 1, by the name of the axis. */
type Brushes = Record<string, [number, number]>;

export function Parallel({ page, trials, rows, picked }: { page: ExperimentPage; trials: Trials; rows: Trial[]; picked: (rows: Trial[] | null) => void }) {
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [width, setWidth] = useState(0);
  const [brushes, setBrushes] = useState<Brushes>({});
  const [near, setNear] = useState<{ row: Trial; x: number; y: number } | null>(null);
  const flipped = words("flip");
  const logs = words("logs");
  const names = [...page.axes.map((one) => one.name), page.row.metric];
  const order = [...words("axes").filter((name) => names.includes(name)), ...names.filter((name) => !words("axes").includes(name))];
  const scales = useMemo(
    () => order.map((name) => scaleOf(name, page, trials, logs.includes(name), flipped.includes(name))),
    [order.join("|"), page.axes, trials, logs.join("|"), flipped.join("|")],
  );
  const objective = scales.find((one) => one.name === page.row.metric) as Scale;
  const x = (index: number): number => EDGE + (index * (width - 2 * EDGE)) / Math.max(scales.length - 1, 1);
  const y = (height: number): number => TOP + (1 - height) * (HEIGHT - TOP - FOOT);
  const chosen = useMemo(() => rows.filter((row) => isIn(row, scales, brushes)), [rows, scales, brushes]);
  const hasBrush = Object.keys(brushes).length > 0;
  useEffect(() => picked(hasBrush ? chosen : null), [chosen, hasBrush]);

  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const measure = (): void => setWidth(Math.max(element.clientWidth, scales.length * 112));
    measure();
    const watch = new ResizeObserver(measure);
    watch.observe(element);
    return () => watch.disconnect();
  }, [scales.length]);

  useEffect(() => {
    if (!canvas.current || !width) return;
    const drawing = context(canvas.current, width, HEIGHT);
    const better = (row: Trial): number => {
      const height = objective.height(row.results[0] ?? null) ?? -1;
      return flipped.includes(page.row.metric) ? 1 - height : height;
    };
    const isLess = page.row.goal_type === "minimize";
    const line = (row: Trial): void => {
      drawing.beginPath();
      let pen = false;
      scales.forEach((one, index) => {
        const height = one.height(one.of(row));
        if (height === null) return void (pen = false);
        if (pen) drawing.lineTo(x(index), y(height));
        else drawing.moveTo(x(index), y(height));
        pen = true;
      });
      drawing.stroke();
    };
    const alpha = Math.max(0.12, Math.min(0.85, 40 / Math.max(chosen.length, 1)));
    drawing.lineWidth = 1;
    const out = hasBrush ? rows.filter((row) => !isIn(row, scales, brushes)) : [];
    drawing.strokeStyle = colour("rule");
    for (const row of out.slice(0, 2000)) line(row);
    drawing.lineWidth = 1.4;
    for (const row of [...chosen].sort((a, b) => (isLess ? better(b) - better(a) : better(a) - better(b)))) {
      const height = better(row);
      drawing.strokeStyle = height < 0 ? colour("strong-rule") : scale(isLess ? 1 - height : height, alpha);
      line(row);
    }
    const best = rows.find((row) => row.name === page.row.best_trial);
    for (const [row, stroke, thick] of [[best, colour("best"), 2.5], [near?.row, colour("ink"), 2.5]] as const) {
      if (!row) continue;
      drawing.strokeStyle = stroke;
      drawing.lineWidth = thick;
      line(row);
    }
    drawing.textBaseline = "middle";
    scales.forEach((one, index) => {
      const isLast = index === scales.length - 1;
      drawing.strokeStyle = colour("strong-rule");
      drawing.lineWidth = 1;
      drawing.beginPath();
      drawing.moveTo(Math.round(x(index)) + 0.5, TOP);
      drawing.lineTo(Math.round(x(index)) + 0.5, HEIGHT - FOOT);
      drawing.stroke();
      const brush = brushes[one.name];
      if (brush) {
        drawing.fillStyle = colour("accent");
        drawing.globalAlpha = 0.22;
        drawing.fillRect(x(index) - 7, y(brush[1]), 14, y(brush[0]) - y(brush[1]));
        drawing.globalAlpha = 1;
      }
      drawing.textAlign = isLast ? "left" : "right";
      drawing.lineWidth = 3;
      drawing.strokeStyle = colour("panel");
      drawing.fillStyle = colour("soft");
      for (const tick of one.ticks) {
        const at = x(index) + (isLast ? 7 : -7);
        drawing.strokeText(tick.text, at, y(tick.height));
        drawing.fillText(tick.text, at, y(tick.height));
      }
    });
  }, [rows, chosen, scales, width, brushes, isDark.value, near, page.row.best_trial]);

  const axisAt = (left: number): number => scales.findIndex((_, index) => Math.abs(x(index) - left) < 16);
  const drag = (event: PointerEvent): void => {
    const element = event.currentTarget as HTMLCanvasElement;
    const index = axisAt(event.offsetX);
    if (index < 0) {
      if (near) go(to(["e", page.row.namespace, page.row.name, "trial", near.row.name]));
      return;
    }
    const name = (scales[index] as Scale).name;
    const height = (at: number): number => Math.min(Math.max(1 - (at - TOP) / (HEIGHT - TOP - FOOT), 0), 1);
    const start = height(event.offsetY);
    element.setPointerCapture(event.pointerId);
    const move = (each: PointerEvent): void => {
      const now = height(each.offsetY);
      setBrushes((known) => ({ ...known, [name]: [Math.min(start, now), Math.max(start, now)] }));
    };
    const end = (each: PointerEvent): void => {
      element.removeEventListener("pointermove", move);
      if (Math.abs(height(each.offsetY) - start) < 0.015) setBrushes(({ [name]: _, ...others }) => others);
    };
    element.addEventListener("pointermove", move);
    element.addEventListener("pointerup", end, { once: true });
    element.addEventListener("pointercancel", end, { once: true });
  };
  const hover = (event: MouseEvent): void => {
    if ((event as PointerEvent).buttons) return;
    const part = ((event.offsetX - EDGE) / Math.max(width - 2 * EDGE, 1)) * (scales.length - 1);
    const index = Math.min(Math.max(Math.floor(part), 0), Math.max(scales.length - 2, 0));
    let found: Trial | null = null;
    let least = 12;
    for (const row of chosen) {
      const [low, high] = [scales[index], scales[index + 1]].map((one) => (one ? one.height(one.of(row)) : null));
      if (low === null || high === null || low === undefined || high === undefined) continue;
      const far = Math.abs(y(low + (high - low) * (part - index)) - event.offsetY);
      if (far < least) [least, found] = [far, row];
    }
    setNear(found ? { row: found, x: event.offsetX, y: event.offsetY } : null);
  };

  const toggle = (setting: string, known: string[], name: string): void =>
    set({ [setting]: (known.includes(name) ? known.filter((one) => one !== name) : [...known, name]).map(encodeURIComponent).join(",") });
  const move = (index: number, by: number): void => {
    const moved = [...order];
    const [name] = moved.splice(index, 1);
    moved.splice(index + by, 0, name as string);
    set({ axes: moved.map(encodeURIComponent).join(",") });
  };
  const plot = (
    <div class="scroll" ref={box}>
      <div style={{ width: `${width}px`, position: "relative" }}>
        <div class="axes">
          {scales.map((one, index) => (
            <div key={one.name} class="axis" role="group" aria-label={`Axis ${one.name}`} style={{ left: `${x(index)}px` }}>
              <span title={one.name}>{one.name}</span>
              <div>
                <button type="button" aria-label={`Move ${one.name} to the left`} disabled={!index} onClick={() => index && move(index, -1)}>‹</button>
                <button type="button" aria-label={`Flip ${one.name}`} aria-pressed={flipped.includes(one.name)} onClick={() => toggle("flip", flipped, one.name)}>⇅</button>
                {one.canBeLog ? <button type="button" aria-label={`Logarithm of ${one.name}`} aria-pressed={one.isLog} onClick={() => toggle("logs", logs, one.name)}>log</button> : null}
                <button type="button" aria-label={`Move ${one.name} to the right`} disabled={index === scales.length - 1} onClick={() => index < scales.length - 1 && move(index, 1)}>›</button>
              </div>
            </div>
          ))}
        </div>
        <div class="plot" role="img" aria-label={`${chosen.length} trials across ${names.join(", ")}`}>
          <canvas ref={canvas} style={{ touchAction: "pan-x", cursor: near ? "pointer" : "crosshair" }} onPointerDown={drag} onMouseMove={hover} onMouseLeave={() => setNear(null)} />
          {near ? (
            <div class="tip" style={{ top: `${Math.min(near.y + 14, HEIGHT - 90)}px`, ...(near.x > width / 2 ? { right: `${width - near.x + 14}px` } : { left: `${near.x + 14}px` }) }}>
              <b>{near.row.name}</b>
              {scales.map((one) => <div key={one.name}><span>{one.name}</span><span>{cell(one.of(near.row))}</span></div>)}
            </div>
          ) : null}
        </div>
      </div>
    </div>
  );
  const tools = (
    <>
      {hasBrush ? <button type="button" class="button" onClick={() => setBrushes({})}>{`Clear the selection: ${chosen.length} of ${rows.length} trials`}</button> : <span class="faint" style={{ fontSize: "12px" }}>Drag along an axis to select</span>}
    </>
  );
  return (
    <Twin
      title="Parameters and results"
      tools={tools}
      plot={rows.length ? plot : <p class="empty">{TEXTS.noTrialMatch}</p>}
      head={["trial", ...names]}
      rows={() => chosen.map((row) => [row.name, ...scales.slice().sort((a, b) => names.indexOf(a.name) - names.indexOf(b.name)).map((one) => cell(one.of(row)))])}
    />
  );
}

function words(name: string): string[] {
  return setting(name).split(",").filter(Boolean).map(decodeURIComponent);
}

function isIn(row: Trial, scales: Scale[], brushes: Brushes): boolean {
  return scales.every((one) => {
    const brush = brushes[one.name];
    if (!brush) return true;
    const height = one.height(one.of(row));
    return height !== null && height >= brush[0] - 1e-9 && height <= brush[1] + 1e-9;
  });
}

/** Returns how the values of a parameter, or of the objective, lie on an axis. */
export function scaleOf(name: string, page: ExperimentPage, trials: Trials, wantsLog: boolean, isFlipped: boolean): Scale {
  const column = trials.parameters.indexOf(name);
  const of = (row: Trial): number | string | null => (column >= 0 ? (row.values[column] ?? null) : (row.results[0] ?? null));
  const axis: Axis | undefined = column >= 0 ? page.axes.find((one) => one.name === name) : undefined;
  const turn = (height: number): number => (isFlipped ? 1 - height : height);
  if (axis && !axis.is_number) {
    const choices = [...new Set([...axis.choices, ...trials.rows.map((row) => String(of(row)))])].filter((one) => one !== "null");
    const place = (text: string): number => turn(choices.length < 2 ? 0.5 : choices.indexOf(text) / (choices.length - 1));
    return {
      name, of, canBeLog: false, isLog: false, value: () => null,
      height: (value) => (value === null || !choices.includes(String(value)) ? null : place(String(value))),
      ticks: choices.map((text) => ({ text: text.length > 12 ? `${text.slice(0, 11)}…` : text, height: place(text) })),
    };
  }
  const seen = trials.rows.map(of).filter((value): value is number => typeof value === "number");
  const low = Math.min(axis?.low ?? Infinity, ...seen);
  const high = Math.max(axis?.high ?? -Infinity, ...seen);
  const canBeLog = low > 0;
  // Whether an axis begins as a logarithm follows the search; the button turns it over.
  const isLog = canBeLog && (axis?.is_log ?? false) !== wantsLog;
  const forth = isLog ? Math.log : (value: number): number => value;
  const back = isLog ? Math.exp : (value: number): number => value;
  const span = forth(high) - forth(low) || 1;
  const height = (value: number): number => turn((forth(value) - forth(low)) / span);
  const marks = Number.isFinite(low) ? [0, 0.25, 0.5, 0.75, 1].map((part) => back(forth(low) + span * part)) : [];
  return {
    name, of, canBeLog, isLog,
    height: (value) => (typeof value === "number" ? height(value) : null),
    value: (at) => back(forth(low) + span * turn(at)),
    ticks: marks.map((value) => ({ text: short(Number(value.toPrecision(3))), height: height(value) })),
  };
}
